-- By which model the tenant is searched, and whether anything of it can be found by that; no row before anything was
-- embedded.
PREPARE searched_model (uuid) AS
SELECT m.model, m.kind, m.dimensions, EXISTS (
    SELECT FROM embeddings AS e
    WHERE e.user_id = $1 AND e.model = m.model AND e.dimensions = m.dimensions AND e.valid_until > now()
) AS has_vectors
FROM embedding_models AS m
WHERE m.user_id = $1;

-- For which contact an id stands, deleted or not, and whether its processing is restricted.
PREPARE contact_standing (uuid, uuid) AS
SELECT contact_id, deleted, processing_restricted FROM app.contact_standing($2) WHERE $1 IS NOT NULL;

-- What is nearest to a vector ($2) of a model ($3), nearest first; see app.nearest_embeddings.
--   $4 CONTACT, INTERACTION or NULL   $5 only this contact and its interactions   $6 never this contact
--   $7, $8 interactions from, before   $9 least score   $10 how many are ranked
PREPARE nearest (
    uuid, real[], text, text, uuid, uuid, timestamptz, timestamptz, double precision, integer
) AS
SELECT coalesce(contact_id, interaction_id) AS id, contact_id IS NOT NULL AS is_contact, score
FROM app.nearest_embeddings($2::public.halfvec, $3, $4, $5, $6, $7, $8, $9, $10)
WHERE $1 IS NOT NULL;

-- The vector of a contact, by one model.
PREPARE vector_of_contact (uuid, uuid, text, smallint) AS
SELECT e.embedding::real[] AS vector
FROM embeddings AS e
WHERE e.user_id = $1 AND e.subject_id = $2 AND e.contact_id IS NOT NULL AND e.model = $3 AND e.dimensions = $4
    AND e.valid_until > now();

-- What matches a query by its words, best first; see app.search_contacts and app.search_interactions.
--   $2 the query in web-search syntax   $3 the same for names alone   $4 a tsquery of digits   $5, $6 whether contacts and
--   interactions are searched   $7 only this contact and its interactions   $8, $9 interactions from, before   $10 how many
PREPARE by_words (uuid, text, text, text, boolean, boolean, uuid, timestamptz, timestamptz, integer) AS
WITH asked AS MATERIALIZED (
    SELECT
        websearch_to_tsquery('pg_catalog.simple', app.fold($2)) || to_tsquery('pg_catalog.simple', $4) AS query,
        websearch_to_tsquery('pg_catalog.simple', app.fold($2)) AS words,
        websearch_to_tsquery('pg_catalog.simple', app.fold($3)) AS names
)
SELECT found.id, found.is_contact
FROM (
    SELECT c.contact_id AS id, true AS is_contact, c.score
    FROM asked
    CROSS JOIN LATERAL app.search_contacts(
        asked.query, asked.names, '', NULL, NULL, NULL, NULL, NULL, NULL, $10
    ) AS c
    WHERE $5 AND $7 IS NULL
    UNION ALL
    SELECT $7, true, app.match_contact(asked.query, $7) FROM asked WHERE $5 AND $7 IS NOT NULL
    UNION ALL
    SELECT i.interaction_id, false, i.score
    FROM asked
    CROSS JOIN LATERAL app.search_interactions(
        asked.words, '', CASE WHEN $7 IS NOT NULL THEN ARRAY[$7] END, NULL, NULL, NULL, $8, $9, $10
    ) AS i
    WHERE $6
) AS found
WHERE $1 IS NOT NULL AND found.score IS NOT NULL
ORDER BY found.score DESC, found.id
LIMIT $10;

-- Contacts whose names, and interactions whose subjects, are spelt like a text ($2), the most alike first; see
-- app.spelt_contacts.
--   $3, $4 whether contacts and interactions are searched   $5 only this contact and its interactions
--   $6, $7 interactions from, before   $8 how many
PREPARE by_spelling (uuid, text, boolean, boolean, uuid, timestamptz, timestamptz, integer) AS
SELECT found.id, found.is_contact
FROM (
    SELECT c.contact_id AS id, true AS is_contact, c.similarity
    FROM app.spelt_contacts(app.fold($2), $5, $8) AS c
    WHERE $3
    UNION ALL
    SELECT i.interaction_id, false, i.similarity
    FROM app.spelt_interactions(app.fold($2), $5, $6, $7, $8) AS i
    WHERE $4
) AS found
WHERE $1 IS NOT NULL
ORDER BY found.similarity DESC, found.id
LIMIT $8;

-- Which of some contacts ($3) and interactions ($4) hold any of the words in $2 (web-search syntax).
PREPARE holding_words (uuid, text, uuid[], uuid[]) AS
SELECT id
FROM app.holding_words(websearch_to_tsquery('pg_catalog.simple', app.fold($2)), $3, $4)
WHERE $1 IS NOT NULL;

-- The living contacts that a search found.
PREPARE searched_contacts (uuid, uuid[]) AS
SELECT contact_id AS id, summary
FROM contact_summaries
WHERE user_id = $1 AND contact_id = ANY ($2) AND NOT deleted AND NOT processing_restricted;

-- The living interactions that a search found, with who took part in them: of deleted contacts their ids alone, of
-- restricted ones nothing.
PREPARE searched_interactions (uuid, uuid[]) AS
SELECT i.id, (
    SELECT jsonb_agg(
        CASE WHEN s.deleted THEN jsonb_build_object('id', p.contact_id) ELSE s.summary END
        ORDER BY p.position, p.contact_id
    )
    FROM interaction_participants AS p
    JOIN contact_summaries AS s ON s.user_id = $1 AND s.contact_id = p.contact_id
    WHERE p.user_id = $1 AND p.interaction_id = i.id AND NOT s.processing_restricted
) AS participants
FROM interactions AS i
WHERE i.user_id = $1 AND i.id = ANY ($2) AND i.deleted_at IS NULL;

-- How many contacts and interactions wait for their first embedding by a model ($2), and how many living contacts have
-- none because they have not consented, or the user itself objects.
PREPARE without_embeddings (uuid, text) AS
SELECT
    (
        SELECT count(*) FROM embedding_queue AS q
        WHERE q.user_id = $1 AND NOT EXISTS (
            SELECT FROM embeddings AS e
            WHERE e.user_id = $1 AND e.subject_id = q.subject_id AND e.model = $2 AND e.valid_until > now()
        )
    ) AS pending_count,
    (
        SELECT count(*) FROM contacts AS c
        WHERE c.user_id = $1 AND c.deleted_at IS NULL AND NOT c.processing_restricted
    ) - (
        SELECT count(*)
        FROM consent_states AS s
        JOIN contacts AS c ON c.user_id = $1 AND c.id = s.contact_id
        WHERE s.user_id = $1 AND s.purpose = 'ai_processing' AND s.status = 'GRANTED' AND s.expires_at > now()
            AND c.deleted_at IS NULL AND NOT c.processing_restricted
            AND NOT EXISTS (
                SELECT FROM consent_states AS own
                WHERE own.user_id = $1 AND own.subject_id = $1 AND own.purpose = 'ai_processing'
                    AND (own.status <> 'GRANTED' OR own.expires_at <= now())
            )
    ) AS not_permitted_count;
