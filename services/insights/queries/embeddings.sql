-- By which model the tenant is searched; no row when nothing of it was embedded yet.
PREPARE embedding_model_in_use (uuid) AS
SELECT model, kind, dimensions FROM embedding_models WHERE user_id = $1;

-- The same, with the model that is to come.
PREPARE embedding_models_of_tenant (uuid) AS
SELECT model, kind, dimensions, next_model, next_kind, next_dimensions FROM embedding_models WHERE user_id = $1;

-- Takes hold of them against changes, until the transaction ends.
PREPARE keep_embedding_models (uuid) AS
SELECT model, kind, dimensions, next_model, next_kind, next_dimensions FROM embedding_models WHERE user_id = $1 FOR SHARE;

-- Takes hold of them, to change them.
PREPARE hold_embedding_models (uuid) AS
SELECT model, kind, dimensions, next_model, next_kind, next_dimensions FROM embedding_models WHERE user_id = $1 FOR UPDATE;

-- The tenant's first model: name ($2), kind, dimensions.
PREPARE first_embedding_model (uuid, text, text, smallint) AS
INSERT INTO embedding_models (user_id, model, kind, dimensions) VALUES ($1, $2, $3, $4) ON CONFLICT (user_id) DO NOTHING;

-- The model that is to come, or none.
PREPARE set_next_embedding_model (uuid, text, text) AS
UPDATE embedding_models SET next_model = $2, next_kind = $3, next_dimensions = NULL WHERE user_id = $1;

-- How many numbers the vectors of a model ($2) have.
PREPARE set_embedding_dimensions (uuid, text, smallint) AS
UPDATE embedding_models SET
    dimensions = CASE WHEN model = $2 THEN $3 ELSE dimensions END,
    next_dimensions = CASE WHEN next_model = $2 THEN $3 ELSE next_dimensions END
WHERE user_id = $1;

-- Searches by the model that was to come.
PREPARE switch_embedding_models (uuid) AS
UPDATE embedding_models SET
    model = next_model, kind = next_kind, dimensions = next_dimensions, since = now(),
    next_model = NULL, next_kind = NULL, next_dimensions = NULL
WHERE user_id = $1 AND next_dimensions IS NOT NULL;

-- Forgets the model of a tenant that has no embeddings.
PREPARE forget_embedding_model (uuid) AS
DELETE FROM embedding_models WHERE user_id = $1;

-- Removes the embeddings of all models but these, and those of other dimensions than the model in use has.
PREPARE remove_embeddings_of_others (uuid, text[]) AS
DELETE FROM embeddings WHERE user_id = $1 AND model <> ALL ($2);

-- Queues what has an embedding of one model ($2) and none of another ($3, with dimensions $4) that is to replace it.
PREPARE queue_other_embeddings (uuid, text, text, smallint) AS
INSERT INTO embedding_queue (user_id, kind, subject_id)
SELECT $1, CASE WHEN e.contact_id IS NULL THEN 'INTERACTION' ELSE 'CONTACT' END, e.subject_id
FROM embeddings AS e
LEFT JOIN embeddings AS made ON made.user_id = $1 AND made.subject_id = e.subject_id AND made.model = $3 AND made.dimensions = $4
WHERE e.user_id = $1 AND e.model = $2 AND made.subject_id IS NULL
ORDER BY 2, 3
ON CONFLICT (user_id, kind, subject_id) DO NOTHING
RETURNING subject_id;

-- How much of it is left, and how much of that has failed so often ($5) that it is not waited for.
PREPARE other_embeddings_left (uuid, text, text, smallint, smallint) AS
SELECT
    count(*) FILTER (WHERE q.attempts IS NULL OR q.attempts < $5) AS missing,
    count(*) AS replaceable
FROM embeddings AS e
LEFT JOIN embeddings AS made ON made.user_id = $1 AND made.subject_id = e.subject_id AND made.model = $3 AND made.dimensions = $4
LEFT JOIN embedding_queue AS q ON q.user_id = $1 AND q.subject_id = e.subject_id
WHERE e.user_id = $1 AND e.model = $2 AND made.subject_id IS NULL;

-- What is said of contacts, whether they may be embedded, and the generation at which they are queued. A row for each id.
PREPARE contacts_to_embed (uuid, uuid[]) AS
SELECT asked.id, q.generation, p.until IS NOT NULL AND c.id IS NOT NULL AS permitted,
    c.job_title, c.organization_name, c.notes,
    ARRAY(
        SELECT ARRAY[e.job_title, w.name]
        FROM current_employments AS w
        JOIN contact_employments AS e ON e.user_id = $1 AND e.id = w.employment_id
        WHERE w.user_id = $1 AND w.contact_id = c.id
        ORDER BY w.name COLLATE "C", e.job_title COLLATE "C", e.id
    ) AS employments,
    ARRAY(
        SELECT t.name
        FROM contact_tags AS ct
        JOIN tags AS t ON t.user_id = $1 AND t.id = ct.tag_id
        WHERE ct.user_id = $1 AND ct.contact_id = c.id AND t.deleted_at IS NULL
        ORDER BY t.name COLLATE "C", t.id
    ) AS tags
FROM unnest($2) AS asked (id)
LEFT JOIN contacts AS c ON c.user_id = $1 AND c.id = asked.id AND c.deleted_at IS NULL
LEFT JOIN app.ai_permissions($1, $2) AS p ON p.contact_id = asked.id
LEFT JOIN embedding_queue AS q ON q.user_id = $1 AND q.kind = 'CONTACT' AND q.subject_id = asked.id;

-- The same of interactions, in which nobody may take part of whom nothing may be embedded.
PREPARE interactions_to_embed (uuid, uuid[]) AS
SELECT asked.id, q.generation, i.id IS NOT NULL AND coalesce(taking_part.permitted, false) AS permitted,
    i.subject, coalesce(i.topics, i.computed_topics, '{}') AS topics, i.body
FROM unnest($2) AS asked (id)
LEFT JOIN interactions AS i ON i.user_id = $1 AND i.id = asked.id AND i.deleted_at IS NULL
LEFT JOIN (
    SELECT part.interaction_id, count(*) = count(p.contact_id) AS permitted
    FROM interaction_participants AS part
    LEFT JOIN app.ai_permissions($1, ARRAY(
        SELECT those.contact_id FROM interaction_participants AS those
        WHERE those.user_id = $1 AND those.interaction_id = ANY ($2)
    )) AS p ON p.contact_id = part.contact_id
    WHERE part.user_id = $1 AND part.interaction_id = ANY ($2)
    GROUP BY part.interaction_id
) AS taking_part ON taking_part.interaction_id = asked.id
LEFT JOIN embedding_queue AS q ON q.user_id = $1 AND q.kind = 'INTERACTION' AND q.subject_id = asked.id;

-- Of which texts the embeddings of subjects by some models are.
PREPARE embedded_texts (uuid, uuid[], text[]) AS
SELECT subject_id, model, dimensions, content_hash FROM embeddings WHERE user_id = $1 AND subject_id = ANY ($2) AND model = ANY ($3);

-- Takes hold of contacts and interactions; those that may be embedded, and until when. See app.hold_embeddable.
PREPARE hold_embeddable (uuid, uuid[], uuid[]) AS
SELECT kind, subject_id, until FROM app.hold_embeddable($2, $3) WHERE $1 IS NOT NULL;

-- Writes embeddings of contacts ($2) or interactions ($3), a row each: until when they count, model, hash of the text, vector.
PREPARE write_embeddings (uuid, uuid[], uuid[], timestamptz[], text[], bytea[], text[]) AS
INSERT INTO embeddings (user_id, contact_id, interaction_id, valid_until, model, content_hash, dimensions, embedding)
SELECT $1, given.contact_id, given.interaction_id, given.until, given.model, given.hash, vector_dims(given.vector::halfvec),
    given.vector::halfvec
FROM unnest($2, $3, $4, $5, $6, $7) AS given (contact_id, interaction_id, until, model, hash, vector)
ON CONFLICT (user_id, subject_id, model) DO UPDATE
SET valid_until = EXCLUDED.valid_until, content_hash = EXCLUDED.content_hash, dimensions = EXCLUDED.dimensions,
    embedding = EXCLUDED.embedding, embedded_at = EXCLUDED.embedded_at;

-- Has embeddings that are right already count until another time; returns whose are there.
PREPARE prolong_embeddings (uuid, uuid[], timestamptz[], text[], bytea[]) AS
UPDATE embeddings AS e SET valid_until = given.until
FROM unnest($2, $3, $4, $5) AS given (subject_id, until, model, hash)
WHERE e.user_id = $1 AND e.subject_id = given.subject_id AND e.model = given.model AND e.content_hash = given.hash
RETURNING e.subject_id, e.model;

-- Removes the embeddings of what has no text, or must not be embedded, by all models.
PREPARE remove_embeddings (uuid, uuid[]) AS
DELETE FROM embeddings WHERE user_id = $1 AND subject_id = ANY ($2);

-- Takes subjects off the queue, unless they have changed since.
PREPARE take_off_embedding_queue (uuid, text[], uuid[], integer[]) AS
DELETE FROM embedding_queue AS q
USING unnest($2, $3, $4) AS given (kind, subject_id, generation)
WHERE q.user_id = $1 AND q.kind = given.kind AND q.subject_id = given.subject_id AND q.generation = given.generation;

-- Puts off subjects that have failed, each until a time, unless they have changed since. What was not queued is from now on.
PREPARE put_off_embeddings (uuid, text[], uuid[], integer[], smallint[], timestamptz[]) AS
INSERT INTO embedding_queue AS q (user_id, kind, subject_id, attempts, due_at, generation)
SELECT $1, given.kind, given.subject_id, given.attempts, given.due_at, coalesce(given.generation, 1)
FROM unnest($2, $3, $4, $5, $6) AS given (kind, subject_id, generation, attempts, due_at)
ORDER BY given.kind, given.subject_id
ON CONFLICT (user_id, kind, subject_id) DO UPDATE SET attempts = EXCLUDED.attempts, due_at = EXCLUDED.due_at
WHERE q.generation = EXCLUDED.generation;

-- Takes what is due, for so long; other workers pass it over.
PREPARE claim_embeddings (uuid, interval, integer) AS
UPDATE embedding_queue AS q SET due_at = now() + $2
FROM (
    SELECT kind, subject_id FROM embedding_queue
    WHERE user_id = $1 AND due_at <= now()
    ORDER BY due_at
    LIMIT $3
    FOR UPDATE SKIP LOCKED
) AS due
WHERE q.user_id = $1 AND q.kind = due.kind AND q.subject_id = due.subject_id
RETURNING q.kind, q.subject_id, q.generation, q.attempts;

-- The next living contacts after one, restricted ones among them.
PREPARE next_contacts_to_embed (uuid, uuid, integer) AS
SELECT id FROM app.contacts_to_embed($2, $3) AS found (id) WHERE $1 IS NOT NULL;

-- The next living interactions after one; with contacts, those in which one of them took part.
PREPARE next_interactions_to_embed (uuid, uuid, integer, uuid[]) AS
SELECT i.id
FROM interactions AS i
WHERE i.user_id = $1 AND i.id > $2 AND i.deleted_at IS NULL AND ($4 IS NULL OR EXISTS (
    SELECT FROM interaction_participants AS p WHERE p.user_id = $1 AND p.interaction_id = i.id AND p.contact_id = ANY ($4)
))
ORDER BY i.id
LIMIT $3;

-- How many there are of both.
PREPARE count_to_embed (uuid, uuid[]) AS
SELECT
    CASE WHEN $2 IS NULL THEN (SELECT count(*) FROM app.contacts_to_embed('00000000-0000-0000-0000-000000000000', NULL)) END AS contacts,
    (
        SELECT count(*) FROM interactions AS i
        WHERE i.user_id = $1 AND i.deleted_at IS NULL AND ($2 IS NULL OR EXISTS (
            SELECT FROM interaction_participants AS p
            WHERE p.user_id = $1 AND p.interaction_id = i.id AND p.contact_id = ANY ($2)
        ))
    ) AS interactions;
