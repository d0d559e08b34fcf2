-- Searching contacts: what of a contact is searched, the indexes, and the functions that may use them.
--
-- `@@` and `%` are not leakproof, so behind row-level security PostgreSQL never uses a GIN index for them. The functions
-- here are owned by pmcrm_search, which a policy lets see all rows; they take the tenant from the transaction and return
-- ids and scores alone. The rows are then read behind row-level security by a second statement.

-- Text as it is searched: folded, ASCII punctuation as spaces (so that an address or a host is several words), and each
-- Chinese, Japanese or Korean character a word of its own, which a phrase finds.
CREATE FUNCTION app.search_words(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT regexp_replace(
            translate(app.fold($1), $c$!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~$c$, repeat(' ', 32)),
            '([\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff])',
            ' \1 ', 'g'
        )
    $$;
COMMENT ON FUNCTION app.search_words(text) IS 'Text as full-text search reads it: the same for what is stored and for what is asked.';

-- One word a number: its digits backwards. What is asked for is the beginning of that, so that a local number finds the
-- international one, whose country code it lacks, and so do the last digits alone.
CREATE FUNCTION app.phone_words(phones jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT string_agg(
            reverse(coalesce(
                substr(phone ->> 'e164', 2), ltrim(regexp_replace(phone ->> 'value', '[^0-9]', '', 'g'), '0')
            )), ' '
        )
        FROM jsonb_array_elements(phones) AS phone
    $$;
COMMENT ON FUNCTION app.phone_words(jsonb) IS 'The words by which phone numbers are found: digits, the last one first.';

CREATE FUNCTION app.marked_words(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT regexp_replace($1, '(\S+)', 'ǁ\1', 'g') $$;
COMMENT ON FUNCTION app.marked_words(text) IS 'Words marked as those of a name, in which a contact is looked for first.';

-- ǁǁ is a word that nobody types: it stands between two fields, so that no phrase runs from one into the next. The words
-- of names are there once more behind a ǁ: so the index alone tells who is called by a word from who has it in the notes.
CREATE FUNCTION app.contact_vector(
    display_name text, given_name text, family_name text, additional_names text, phonetic_given_name text,
    phonetic_family_name text, nickname text, organization_name text, job_title text, emails jsonb, phones jsonb,
    notes text
) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT
            setweight(to_tsvector('pg_catalog.simple', app.search_words(concat_ws(
                ' ǁǁ ', display_name, given_name, family_name, additional_names, phonetic_given_name, phonetic_family_name,
                nickname, ''
            ))), 'A')
            || to_tsvector('pg_catalog.simple', app.marked_words(app.search_words(concat_ws(' ', display_name, nickname))))
            || setweight(to_tsvector('pg_catalog.simple', app.search_words(concat_ws(
                ' ǁǁ ', organization_name, job_title, jsonb_path_query_array(emails, '$[*].value')::text,
                app.phone_words(phones), ''
            ))), 'B')
            || setweight(to_tsvector('pg_catalog.simple', app.search_words(coalesce(notes, ''))), 'D')
    $$;
COMMENT ON FUNCTION app.contact_vector(text, text, text, text, text, text, text, text, text, jsonb, jsonb, text) IS
    'The words of a contact: names weigh most, then organization, title, e-mails and phones, then notes.';

CREATE FUNCTION app.contact_names(display_name text, nickname text, organization_name text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT app.fold(concat_ws(' ', display_name, nickname, organization_name)) $$;
COMMENT ON FUNCTION app.contact_names(text, text, text) IS 'The names in which misspelt words are looked for.';

-- Expressions instead of stored columns: a contact stays small, and only what is shown is computed again.
-- A small pending list, because every tenant's search reads what another's import has left in it.
CREATE INDEX contacts_words_idx ON contacts USING gin (
    user_id,
    app.contact_vector(
        display_name, given_name, family_name, additional_names, phonetic_given_name, phonetic_family_name, nickname,
        organization_name, job_title, emails, phones, notes
    )
) WITH (gin_pending_list_limit = 256);
CREATE INDEX contacts_names_idx ON contacts USING gin (
    user_id, app.contact_names(display_name, nickname, organization_name) public.gin_trgm_ops
) WITH (gin_pending_list_limit = 256);

GRANT EXECUTE ON FUNCTION
    app.search_words(text),
    app.marked_words(text),
    app.phone_words(jsonb),
    app.contact_vector(text, text, text, text, text, text, text, text, text, jsonb, jsonb, text),
    app.contact_names(text, text, text)
TO pmcrm_contacts, pmcrm_interactions, pmcrm_insights, pmcrm_gdpr, pmcrm_search, pmcrm_service;

GRANT SELECT (
    display_name, given_name, family_name, additional_names, phonetic_given_name, phonetic_family_name, nickname,
    organization_name, job_title, notes, processing_restricted
) ON contacts TO pmcrm_search;
CREATE POLICY search ON contact_strengths FOR SELECT TO pmcrm_search USING (true);
GRANT SELECT (user_id, contact_id, strength, last_contact_at) ON contact_strengths TO pmcrm_search;

-- The two indexed expressions under short names, for the function below alone.
CREATE VIEW contact_words WITH (security_invoker = true) AS
SELECT
    user_id,
    id,
    app.contact_vector(
        display_name, given_name, family_name, additional_names, phonetic_given_name, phonetic_family_name, nickname,
        organization_name, job_title, emails, phones, notes
    ) AS words,
    app.contact_names(display_name, nickname, organization_name) AS names
FROM contacts
WHERE deleted_at IS NULL AND NOT processing_restricted;
COMMENT ON VIEW contact_words IS 'What of living, unrestricted contacts is searched.';
GRANT SELECT ON contact_words TO pmcrm_search;

CREATE FUNCTION app.strength_matches(
    tenant uuid, contact uuid, min_strength smallint, contacted_after timestamptz, contacted_before timestamptz
) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
        SELECT EXISTS (
            SELECT FROM public.contact_strengths AS s
            WHERE s.user_id = tenant AND s.contact_id = contact
                AND (min_strength IS NULL OR s.strength >= min_strength)
                AND (contacted_after IS NULL OR s.last_contact_at >= contacted_after)
                AND (contacted_before IS NULL OR s.last_contact_at < contacted_before)
        )
    $$;
COMMENT ON FUNCTION app.strength_matches(uuid, uuid, smallint, timestamptz, timestamptz) IS
    'Whether strength and last contact of a contact pass the filters; NULL filters nothing.';
GRANT EXECUTE ON FUNCTION app.strength_matches(uuid, uuid, smallint, timestamptz, timestamptz) TO pmcrm_search;

CREATE FUNCTION app.search_contacts(
    query tsquery, names_query tsquery, misspelt text, min_strength smallint, contacted_after timestamptz,
    contacted_before timestamptz, most integer
) RETURNS TABLE (contact_id uuid, score double precision, fuzzy boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL UNSAFE ROWS 50
    SET search_path = pg_catalog, pg_temp
    -- A generic plan would not know how rare the words are, and reads the whole index.
    SET plan_cache_mode = force_custom_plan
    -- By the primary key alone every contact of the tenant would be read, which looks cheap while the tenant is small.
    SET enable_indexscan = off
    SET pg_trgm.word_similarity_threshold = 0.34
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        unfiltered boolean := num_nonnulls(min_strength, contacted_after, contacted_before) = 0;
        found integer;
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        -- Each candidate is a page to read. Those who are called so come first, the others as far as there is room.
        RETURN QUERY
            WITH named AS MATERIALIZED (
                SELECT c.id, c.words
                FROM public.contact_words AS c
                WHERE c.user_id = v_user AND c.words @@ names_query
                    AND (unfiltered OR app.strength_matches(v_user, c.id, min_strength, contacted_after, contacted_before))
                LIMIT most
            ),
            others AS MATERIALIZED (
                SELECT c.id, c.words
                FROM public.contact_words AS c
                WHERE c.user_id = v_user AND c.words @@ query AND NOT c.words @@ names_query
                    AND (unfiltered OR app.strength_matches(v_user, c.id, min_strength, contacted_after, contacted_before))
                LIMIT (SELECT most - count(*) FROM named)
            )
            SELECT candidate.id, 1 + ts_rank(candidate.words, query, 32)::double precision AS rank, false
            FROM (SELECT * FROM named UNION ALL SELECT * FROM others) AS candidate
            ORDER BY rank DESC, candidate.id;
        GET DIAGNOSTICS found = ROW_COUNT;
        IF found >= 3 OR coalesce(misspelt, '') = '' THEN
            RETURN;
        END IF;
        RETURN QUERY
            SELECT c.id, public.word_similarity(misspelt, c.names)::double precision AS similar_by, true
            FROM public.contact_words AS c
            WHERE c.user_id = v_user AND misspelt OPERATOR(public.<%) c.names
                AND NOT c.words @@ query
                AND (unfiltered OR app.strength_matches(v_user, c.id, min_strength, contacted_after, contacted_before))
            ORDER BY similar_by DESC, c.id
            LIMIT 50;
    END
    $$;
COMMENT ON FUNCTION app.search_contacts(tsquery, tsquery, text, smallint, timestamptz, timestamptz, integer) IS
    'The bound tenant''s living, unrestricted contacts that match `query`: (contact_id, score, fuzzy), best first. At most `most` are ranked, of whom those that match `names_query` come first: fewer than that are all there are. When they are fewer than 3, then also up to 50 whose names are spelt like `misspelt` (folded; empty for none). Scores of words are above 1, those of spelling are not. Filters that are NULL filter nothing. Raises without a tenant.';
GRANT CREATE ON SCHEMA app TO pmcrm_search;
ALTER FUNCTION app.search_contacts(tsquery, tsquery, text, smallint, timestamptz, timestamptz, integer) OWNER TO pmcrm_search;
REVOKE CREATE ON SCHEMA app FROM pmcrm_search;
SET LOCAL ROLE pmcrm_search;
GRANT EXECUTE ON FUNCTION app.search_contacts(tsquery, tsquery, text, smallint, timestamptz, timestamptz, integer) TO pmcrm_contacts;
SET LOCAL ROLE pmcrm_owner;

-- For people who wonder why a contact was found.
CREATE FUNCTION app.matched_contact_fields(
    any_word tsquery, display_name text, given_name text, family_name text, additional_names text,
    phonetic_given_name text, phonetic_family_name text, nickname text, organization_name text, job_title text,
    emails jsonb, phones jsonb, notes text
) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT coalesce(array_agg(field ORDER BY place), '{}')
        FROM (VALUES
            (1, 'display_name', display_name),
            (2, 'given_name', given_name),
            (3, 'family_name', family_name),
            (4, 'additional_names', additional_names),
            (5, 'phonetic_given_name', phonetic_given_name),
            (6, 'phonetic_family_name', phonetic_family_name),
            (7, 'nickname', nickname),
            (8, 'organization_name', organization_name),
            (9, 'job_title', job_title),
            (10, 'emails', jsonb_path_query_array(emails, '$[*].value')::text),
            (11, 'phones', app.phone_words(phones)),
            (12, 'notes', notes)
        ) AS searched (place, field, content)
        WHERE to_tsvector('pg_catalog.simple', app.search_words(content)) @@ any_word
    $$;
COMMENT ON FUNCTION app.matched_contact_fields(tsquery, text, text, text, text, text, text, text, text, text, jsonb, jsonb, text) IS
    'The fields of a contact that hold any of the words, the weightiest first.';
GRANT EXECUTE ON FUNCTION
    app.matched_contact_fields(tsquery, text, text, text, text, text, text, text, text, text, jsonb, jsonb, text)
TO pmcrm_contacts;
