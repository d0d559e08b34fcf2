-- Searching interactions: what of an interaction is searched, the indexes, and the function that may use them; as
-- 0008_search.sql does for contacts.

CREATE FUNCTION app.interaction_vector(subject text, body text, location text, channel text, topics text[]) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000
    AS $$
        SELECT
            setweight(to_tsvector('pg_catalog.simple', app.search_words(concat_ws(' ǁǁ ', subject, ''))), 'A')
            || setweight(to_tsvector('pg_catalog.simple', app.search_words(
                coalesce((SELECT string_agg(topic, ' ǁǁ ') || ' ǁǁ ' FROM unnest(topics) AS topic), '')
            )), 'B')
            || setweight(to_tsvector('pg_catalog.simple', app.search_words(concat_ws(' ǁǁ ', location, channel, ''))), 'C')
            || setweight(to_tsvector('pg_catalog.simple', app.search_words(coalesce(body, ''))), 'D')
    $$;
COMMENT ON FUNCTION app.interaction_vector(text, text, text, text, text[]) IS
    'The words of an interaction: its subject weighs most, then topics, then where and by which means, then the body.';
GRANT EXECUTE ON FUNCTION app.interaction_vector(text, text, text, text, text[])
    TO pmcrm_contacts, pmcrm_interactions, pmcrm_insights, pmcrm_gdpr, pmcrm_search, pmcrm_service;

-- Expressions instead of stored columns, and a small pending list, for the reasons given with contacts.
CREATE INDEX interactions_words_idx ON interactions USING gin (
    user_id, app.interaction_vector(subject, body, location, channel, coalesce(topics, computed_topics))
) WITH (gin_pending_list_limit = 256) WHERE deleted_at IS NULL;
CREATE INDEX interactions_subjects_idx ON interactions USING gin (user_id, app.fold(subject) public.gin_trgm_ops)
    WITH (gin_pending_list_limit = 256) WHERE deleted_at IS NULL AND subject IS NOT NULL;

CREATE POLICY search ON interactions FOR SELECT TO pmcrm_search USING (true);
GRANT SELECT (
    user_id, id, deleted_at, occurred_at, type, direction, subject, body, location, channel, topics, computed_topics
) ON interactions TO pmcrm_search;
CREATE POLICY search ON interaction_participants FOR SELECT TO pmcrm_search USING (true);
GRANT SELECT (user_id, interaction_id, contact_id) ON interaction_participants TO pmcrm_search;

-- The indexed expressions under short names, for the function below alone.
CREATE VIEW interaction_words WITH (security_invoker = true) AS
SELECT
    user_id, id, occurred_at, type, direction, subject,
    app.interaction_vector(subject, body, location, channel, coalesce(topics, computed_topics)) AS words
FROM interactions
WHERE deleted_at IS NULL;
COMMENT ON VIEW interaction_words IS 'What of living interactions is searched.';
GRANT SELECT ON interaction_words TO pmcrm_search;

CREATE FUNCTION app.has_participants(tenant uuid, interaction uuid, everyone uuid[], anyone uuid[])
    RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE
    -- It is asked for one candidate after the other, each time for rows of known keys.
    SET plan_cache_mode = force_generic_plan
    SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
        RETURN (
            SELECT
                NOT coalesce(bool_and(c.processing_restricted), false)
                AND (everyone IS NULL OR cardinality(everyone) = count(*) FILTER (WHERE c.id = ANY (everyone)))
                AND (anyone IS NULL OR coalesce(bool_or(c.id = ANY (anyone)), false))
            FROM public.interaction_participants AS p
            JOIN public.contacts AS c ON c.user_id = tenant AND c.id = p.contact_id
            WHERE p.user_id = tenant AND p.interaction_id = interaction
        );
    END
    $$;
COMMENT ON FUNCTION app.has_participants(uuid, uuid, uuid[], uuid[]) IS
    'Whether all of `everyone`, in which each is named once, and any of `anyone` took part in an interaction, and not restricted contacts alone; NULL filters nothing.';
GRANT EXECUTE ON FUNCTION app.has_participants(uuid, uuid, uuid[], uuid[]) TO pmcrm_search;

-- Loads pg_trgm: only then may somebody who is no superuser set its parameters for a function.
SELECT public.word_similarity('', '');

CREATE FUNCTION app.search_interactions(
    query tsquery, misspelt text, everyone uuid[], anyone uuid[], of_types text[], of_direction text,
    occurred_from timestamptz, occurred_before timestamptz, most integer
) RETURNS TABLE (interaction_id uuid, score double precision, fuzzy boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL UNSAFE ROWS 50
    SET search_path = pg_catalog, pg_temp
    -- A generic plan would not know how rare the words are, and reads the whole index.
    SET plan_cache_mode = force_custom_plan
    -- By another index every interaction of the tenant would be read, which looks cheap while the tenant is small.
    SET enable_indexscan = off
    SET pg_trgm.word_similarity_threshold = 0.34
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        found integer;
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN QUERY
            WITH candidates AS MATERIALIZED (
                SELECT i.id, i.words
                FROM public.interaction_words AS i
                WHERE i.user_id = v_user AND i.words @@ query
                    AND (of_types IS NULL OR i.type = ANY (of_types))
                    AND (of_direction IS NULL OR i.direction = of_direction)
                    AND (occurred_from IS NULL OR i.occurred_at >= occurred_from)
                    AND (occurred_before IS NULL OR i.occurred_at < occurred_before)
                    AND app.has_participants(v_user, i.id, everyone, anyone)
                LIMIT most
            )
            SELECT c.id, 1 + ts_rank(c.words, query, 32)::double precision AS rank, false
            FROM candidates AS c
            ORDER BY rank DESC, c.id;
        GET DIAGNOSTICS found = ROW_COUNT;
        IF found >= 3 OR coalesce(misspelt, '') = '' THEN
            RETURN;
        END IF;
        RETURN QUERY
            SELECT i.id, public.word_similarity(misspelt, app.fold(i.subject))::double precision AS similar_by, true
            FROM public.interaction_words AS i
            WHERE i.user_id = v_user AND i.subject IS NOT NULL AND misspelt OPERATOR(public.<%) app.fold(i.subject)
                AND NOT i.words @@ query
                AND (of_types IS NULL OR i.type = ANY (of_types))
                AND (of_direction IS NULL OR i.direction = of_direction)
                AND (occurred_from IS NULL OR i.occurred_at >= occurred_from)
                AND (occurred_before IS NULL OR i.occurred_at < occurred_before)
                AND app.has_participants(v_user, i.id, everyone, anyone)
            ORDER BY similar_by DESC, i.id
            LIMIT 50;
    END
    $$;
COMMENT ON FUNCTION app.search_interactions(tsquery, text, uuid[], uuid[], text[], text, timestamptz, timestamptz, integer) IS
    'The bound tenant''s living interactions that match `query` and in which not restricted contacts alone took part: (interaction_id, score, fuzzy), best first. At most `most` are ranked: fewer than that are all there are. When they are fewer than 3, then also up to 50 whose subjects are spelt like `misspelt` (folded; empty for none). Scores of words are above 1, those of spelling are not. Filters that are NULL filter nothing. Raises without a tenant.';
GRANT CREATE ON SCHEMA app TO pmcrm_search;
ALTER FUNCTION app.search_interactions(tsquery, text, uuid[], uuid[], text[], text, timestamptz, timestamptz, integer)
    OWNER TO pmcrm_search;
REVOKE CREATE ON SCHEMA app FROM pmcrm_search;
SET LOCAL ROLE pmcrm_search;
GRANT EXECUTE ON FUNCTION app.search_interactions(tsquery, text, uuid[], uuid[], text[], text, timestamptz, timestamptz, integer)
    TO pmcrm_interactions;
SET LOCAL ROLE pmcrm_owner;

-- For people who wonder why an interaction was found.
CREATE FUNCTION app.matched_interaction_fields(
    any_word tsquery, subject text, topics text[], location text, channel text, body text
) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT coalesce(array_agg(field ORDER BY place), '{}')
        FROM (VALUES
            (1, 'subject', subject),
            (2, 'topics', (SELECT string_agg(topic, ' ǁǁ ') FROM unnest(topics) AS topic)),
            (3, 'location', location),
            (4, 'channel', channel),
            (5, 'body', body)
        ) AS searched (place, field, content)
        WHERE to_tsvector('pg_catalog.simple', app.search_words(content)) @@ any_word
    $$;
COMMENT ON FUNCTION app.matched_interaction_fields(tsquery, text, text[], text, text, text) IS
    'The fields of an interaction that hold any of the words, the weightiest first.';
GRANT EXECUTE ON FUNCTION app.matched_interaction_fields(tsquery, text, text[], text, text, text) TO pmcrm_interactions;
