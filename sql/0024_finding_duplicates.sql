-- Finding contacts that may be the same person: what is compared of them, and how candidates are looked up by indexes.

CREATE VIEW contact_profiles WITH (security_invoker = true) AS
SELECT
    c.user_id,
    c.id,
    c.created_at,
    c.display_name,
    app.fold(c.display_name) AS full_name,
    app.fold(c.given_name) AS given_name,
    app.fold(c.additional_names) AS additional_names,
    app.fold(c.family_name) AS family_name,
    app.fold(c.honorific_suffixes) AS honorific_suffixes,
    app.fold(c.nickname) AS nickname,
    app.fold(c.organization_name) AS organization_name,
    ARRAY(
        SELECT app.fold(o.name)
        FROM contact_employments AS e
        JOIN organizations AS o ON o.user_id = e.user_id AND o.id = e.organization_id
        WHERE e.user_id = c.user_id AND e.contact_id = c.id AND e.deleted_at IS NULL AND o.deleted_at IS NULL
    ) AS employers,
    c.birthday_year,
    c.birthday_month,
    c.birthday_day,
    jsonb_path_query_array(c.emails, '$[*].value') AS emails,
    jsonb_path_query_array(c.phones, '$[*].e164') AS phones
FROM contacts AS c
WHERE c.deleted_at IS NULL AND NOT c.processing_restricted;
COMMENT ON VIEW contact_profiles IS
    'As much of living, unrestricted contacts as tells whether two are the same person. Names are folded, but for display_name.';
GRANT SELECT ON contact_profiles TO pmcrm_contacts;


GRANT SELECT (birthday_month, birthday_day) ON contacts TO pmcrm_search;

-- Loads pg_trgm: only then may somebody who is no superuser set its parameters for a function.
SELECT public.word_similarity('', '');

-- PL/pgSQL, owned by pmcrm_search: `<%` is not leakproof, so a plain query behind row-level security would read every row.
CREATE FUNCTION app.find_namesakes(names text[], month smallint, day smallint, most integer) RETURNS TABLE (contact_id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL UNSAFE ROWS 50
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    -- By the primary key alone every contact of the tenant would be read, which looks cheap while the tenant is small.
    SET enable_indexscan = off
    -- `Jon Smyth` and `John Smith` are 0.31 alike.
    SET pg_trgm.word_similarity_threshold = 0.3
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        asked text;
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        FOREACH asked IN ARRAY names LOOP
            RETURN QUERY
                SELECT c.id
                FROM public.contacts AS c
                WHERE c.user_id = v_user AND c.deleted_at IS NULL AND NOT c.processing_restricted
                    AND asked OPERATOR(public.<%) app.contact_names(c.display_name, c.nickname, c.organization_name)
                ORDER BY
                    coalesce(c.birthday_month = month AND c.birthday_day = day, false) DESC,
                    public.word_similarity(asked, app.contact_names(c.display_name, c.nickname, c.organization_name)) DESC,
                    c.id
                LIMIT most;
        END LOOP;
    END
    $$;
COMMENT ON FUNCTION app.find_namesakes(text[], smallint, smallint, integer) IS
    'For each of some folded names, the bound tenant''s living, unrestricted contacts whose names are spelt like it: at most so many, those born on this day first, who have no index of their own, then those most like it. Raises without a tenant.';

CREATE FUNCTION app.find_contacts_by_words(phrases text[], most integer) RETURNS TABLE (contact_id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL UNSAFE ROWS 50
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_indexscan = off
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        asked text;
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        FOREACH asked IN ARRAY phrases LOOP
            RETURN QUERY
                SELECT c.id
                FROM public.contact_words AS c
                WHERE c.user_id = v_user
                    AND c.words @@ plainto_tsquery('pg_catalog.simple', app.search_words(asked))
                LIMIT most;
        END LOOP;
    END
    $$;
COMMENT ON FUNCTION app.find_contacts_by_words(text[], integer) IS
    'For each of some phrases, living, unrestricted contacts of the bound tenant that hold all its words, at most so many. Raises without a tenant.';

GRANT CREATE ON SCHEMA app TO pmcrm_search;
ALTER FUNCTION app.find_namesakes(text[], smallint, smallint, integer) OWNER TO pmcrm_search;
ALTER FUNCTION app.find_contacts_by_words(text[], integer) OWNER TO pmcrm_search;
REVOKE CREATE ON SCHEMA app FROM pmcrm_search;
SET LOCAL ROLE pmcrm_search;
GRANT EXECUTE ON FUNCTION app.find_namesakes(text[], smallint, smallint, integer), app.find_contacts_by_words(text[], integer)
    TO pmcrm_contacts;
SET LOCAL ROLE pmcrm_owner;
