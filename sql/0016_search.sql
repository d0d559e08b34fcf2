-- Finding contacts by the tags that they carry and by the organizations in which they work, in lists and in searches.

CREATE VIEW carried_tags WITH (security_invoker = true) AS
SELECT ct.user_id, ct.contact_id, ct.tag_id
FROM contact_tags AS ct
JOIN tags AS t ON t.user_id = ct.user_id AND t.id = ct.tag_id
WHERE t.deleted_at IS NULL;
COMMENT ON VIEW carried_tags IS 'Which contacts carry which living tags.';

CREATE VIEW current_employments WITH (security_invoker = true) AS
SELECT e.user_id, e.id AS employment_id, e.contact_id, e.organization_id, o.name, o.aliases
FROM contact_employments AS e
JOIN organizations AS o ON o.user_id = e.user_id AND o.id = e.organization_id
WHERE e.is_current AND e.deleted_at IS NULL AND o.deleted_at IS NULL;
COMMENT ON VIEW current_employments IS 'Which contacts work in which living organizations now, and what these are called.';

-- How a tag is answered. The count is a correlated subquery, so that it is made for the tags that are shown and for no others.
CREATE VIEW tag_rows WITH (security_invoker = true) AS
SELECT
    t.user_id,
    t.id AS id_key,
    t.id::text AS id,
    t.name,
    t.sort_name,
    t.color,
    t.description,
    (
        SELECT count(*)
        FROM contact_tags AS ct
        -- LATERAL with OFFSET 0 is a look-up by key, whatever statistics say of a tenant that has just begun to use tags.
        CROSS JOIN LATERAL (
            SELECT FROM contacts AS c
            WHERE c.user_id = ct.user_id AND c.id = ct.contact_id
                AND c.deleted_at IS NULL AND NOT c.processing_restricted
            OFFSET 0
        ) AS living
        WHERE ct.user_id = t.user_id AND ct.tag_id = t.id AND t.deleted_at IS NULL
    ) AS contact_count,
    t.created_at AS create_time,
    t.updated_at AS update_time,
    t.deleted_at AS delete_time,
    t.revision::text AS etag
FROM tags AS t;
COMMENT ON VIEW tag_rows IS
    'Tags as they are answered. id is text for the answer; id_key and sort_name are what lists are ordered by.';

GRANT SELECT ON carried_tags, current_employments TO pmcrm_contacts, pmcrm_search;
GRANT SELECT ON tag_rows TO pmcrm_contacts;
-- For SELECT … FOR NO KEY UPDATE alone.
GRANT UPDATE ON tag_rows TO pmcrm_contacts;

CREATE POLICY search ON tags FOR SELECT TO pmcrm_search USING (true);
GRANT SELECT (user_id, id, deleted_at) ON tags TO pmcrm_search;
CREATE POLICY search ON contact_tags FOR SELECT TO pmcrm_search USING (true);
GRANT SELECT (user_id, contact_id, tag_id) ON contact_tags TO pmcrm_search;
CREATE POLICY search ON organizations FOR SELECT TO pmcrm_search USING (true);
GRANT SELECT (user_id, id, name, aliases, deleted_at) ON organizations TO pmcrm_search;
CREATE POLICY search ON contact_employments FOR SELECT TO pmcrm_search USING (true);
GRANT SELECT (user_id, id, contact_id, organization_id, is_current, deleted_at) ON contact_employments TO pmcrm_search;


-- The weight is that of the organization that a contact itself names; ǁǁ stands between names, as there. Its cost is what
-- it takes to cut text into words, so that an index is rather asked than all of a tenant's organizations.
CREATE FUNCTION app.organization_vector(name text, aliases text[]) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000
    AS $$
        SELECT setweight(to_tsvector('pg_catalog.simple', app.search_words(concat_ws(
            ' ǁǁ ', '', name, (SELECT string_agg(alias, ' ǁǁ ') FROM unnest(aliases) AS alias)
        ))), 'B')
    $$;
COMMENT ON FUNCTION app.organization_vector(text, text[]) IS 'The words by which an organization is found: its names.';
GRANT EXECUTE ON FUNCTION app.organization_vector(text, text[])
    TO pmcrm_contacts, pmcrm_interactions, pmcrm_insights, pmcrm_gdpr, pmcrm_search, pmcrm_service;

CREATE INDEX organizations_words_idx ON organizations USING gin (user_id, app.organization_vector(name, aliases))
    WITH (gin_pending_list_limit = 256) WHERE deleted_at IS NULL;


-- Loads pg_trgm: only then may somebody who is no superuser set its parameters for a function.
SELECT public.word_similarity('', '');

DROP FUNCTION app.search_contacts(tsquery, tsquery, text, smallint, timestamptz, timestamptz, integer);
DROP FUNCTION app.strength_matches(uuid, uuid, smallint, timestamptz, timestamptz);

CREATE FUNCTION app.passes_filters(
    tenant uuid, contact uuid, min_strength smallint, contacted_after timestamptz, contacted_before timestamptz,
    tags_all uuid[], tags_any uuid[], organization uuid
) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE
    -- It is asked for one candidate after the other, each time for rows of known keys.
    SET plan_cache_mode = force_generic_plan
    AS $$
    BEGIN
        RETURN (
            num_nonnulls(min_strength, contacted_after, contacted_before) = 0
            OR EXISTS (
                SELECT FROM public.contact_strengths AS s
                WHERE s.user_id = tenant AND s.contact_id = contact
                    AND (min_strength IS NULL OR s.strength >= min_strength)
                    AND (contacted_after IS NULL OR s.last_contact_at >= contacted_after)
                    AND (contacted_before IS NULL OR s.last_contact_at < contacted_before)
            )
        ) AND (
            tags_all IS NULL
            OR cardinality(tags_all) = (
                SELECT count(*) FROM public.carried_tags AS carried
                WHERE carried.user_id = tenant AND carried.contact_id = contact AND carried.tag_id = ANY (tags_all)
            )
        ) AND (
            tags_any IS NULL
            OR EXISTS (
                SELECT FROM public.carried_tags AS carried
                WHERE carried.user_id = tenant AND carried.contact_id = contact AND carried.tag_id = ANY (tags_any)
            )
        ) AND (
            organization IS NULL
            OR EXISTS (
                SELECT FROM public.current_employments AS employed
                WHERE employed.user_id = tenant AND employed.contact_id = contact
                    AND employed.organization_id = organization
            )
        );
    END
    $$;
COMMENT ON FUNCTION app.passes_filters(uuid, uuid, smallint, timestamptz, timestamptz, uuid[], uuid[], uuid) IS
    'Whether a contact has the strength and the last contact, carries the tags (all of `tags_all`, in which each is named once, and any of `tags_any`) and works in the organization now; NULL filters nothing.';
GRANT EXECUTE ON FUNCTION app.passes_filters(uuid, uuid, smallint, timestamptz, timestamptz, uuid[], uuid[], uuid)
    TO pmcrm_search;

CREATE FUNCTION app.search_contacts(
    query tsquery, names_query tsquery, misspelt text, min_strength smallint, contacted_after timestamptz,
    contacted_before timestamptz, tags_all uuid[], tags_any uuid[], organization uuid, most integer
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
        unfiltered boolean :=
            num_nonnulls(min_strength, contacted_after, contacted_before, tags_all, tags_any, organization) = 0;
        shown uuid[] := '{}';
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        -- Each candidate is a page to read. Those who are called so come first, then the others, then those who work in
        -- organizations that are called so, each as far as there is room. LATERAL with OFFSET 0 is a look-up for each
        -- row, where a join may read all contacts of the tenant.
        FOR contact_id, score, fuzzy IN
            WITH named AS MATERIALIZED (
                SELECT c.id, c.words
                FROM public.contact_words AS c
                WHERE c.user_id = v_user AND c.words @@ names_query
                    AND (unfiltered OR app.passes_filters(
                        v_user, c.id, min_strength, contacted_after, contacted_before, tags_all, tags_any, organization
                    ))
                LIMIT most
            ),
            others AS MATERIALIZED (
                SELECT c.id, c.words
                FROM public.contact_words AS c
                WHERE c.user_id = v_user AND c.words @@ query AND NOT c.words @@ names_query
                    AND (unfiltered OR app.passes_filters(
                        v_user, c.id, min_strength, contacted_after, contacted_before, tags_all, tags_any, organization
                    ))
                LIMIT (SELECT most - count(*) FROM named)
            ),
            employers AS MATERIALIZED (
                SELECT o.id, app.organization_vector(o.name, o.aliases) AS words
                FROM public.organizations AS o
                WHERE o.user_id = v_user AND o.deleted_at IS NULL
                    AND app.organization_vector(o.name, o.aliases) @@ query
                LIMIT 300
            ),
            employed AS MATERIALIZED (
                SELECT c.id, o.words
                FROM employers AS o
                CROSS JOIN LATERAL (
                    SELECT e.id, e.contact_id
                    FROM public.contact_employments AS e
                    WHERE e.user_id = v_user AND e.organization_id = o.id AND e.is_current AND e.deleted_at IS NULL
                    OFFSET 0
                ) AS e
                CROSS JOIN LATERAL (
                    SELECT c.id, c.words
                    FROM public.contact_words AS c
                    WHERE c.user_id = v_user AND c.id = e.contact_id
                    OFFSET 0
                ) AS c
                -- What must not occur must not occur in the contact either.
                WHERE NOT c.words @@ query AND (c.words || o.words) @@ query
                    -- Of several such employments of one contact, the first.
                    AND NOT EXISTS (
                        SELECT FROM public.contact_employments AS earlier
                        WHERE earlier.user_id = v_user AND earlier.contact_id = e.contact_id AND earlier.id < e.id
                            AND earlier.is_current AND earlier.deleted_at IS NULL
                            AND earlier.organization_id IN (SELECT employers.id FROM employers)
                    )
                    AND (unfiltered OR app.passes_filters(
                        v_user, c.id, min_strength, contacted_after, contacted_before, tags_all, tags_any, organization
                    ))
                LIMIT (SELECT most - count(*) FROM (SELECT FROM named UNION ALL SELECT FROM others) AS before)
            )
            SELECT candidate.id, 1 + ts_rank(candidate.words, query, 32)::double precision AS rank, false
            FROM (
                SELECT * FROM named UNION ALL SELECT * FROM others UNION ALL SELECT * FROM employed
            ) AS candidate
            ORDER BY rank DESC, candidate.id
        LOOP
            shown := shown || contact_id;
            RETURN NEXT;
        END LOOP;
        IF cardinality(shown) >= 3 OR coalesce(misspelt, '') = '' THEN
            RETURN;
        END IF;
        RETURN QUERY
            SELECT c.id, public.word_similarity(misspelt, c.names)::double precision AS similar_by, true
            FROM public.contact_words AS c
            WHERE c.user_id = v_user AND misspelt OPERATOR(public.<%) c.names
                AND NOT c.words @@ query AND c.id <> ALL (shown)
                AND (unfiltered OR app.passes_filters(
                    v_user, c.id, min_strength, contacted_after, contacted_before, tags_all, tags_any, organization
                ))
            ORDER BY similar_by DESC, c.id
            LIMIT 50;
    END
    $$;
COMMENT ON FUNCTION app.search_contacts(
    tsquery, tsquery, text, smallint, timestamptz, timestamptz, uuid[], uuid[], uuid, integer
) IS
    'The bound tenant''s living, unrestricted contacts that match `query`, or work now in an organization whose names do (of at most 300 such): (contact_id, score, fuzzy), best first. At most `most` are ranked, of whom those that match `names_query` come first: fewer than that are all there are. When they are fewer than 3, then also up to 50 whose names are spelt like `misspelt` (folded; empty for none). Scores of words are above 1, those of spelling are not. Filters are those of app.passes_filters. Raises without a tenant.';
GRANT CREATE ON SCHEMA app TO pmcrm_search;
ALTER FUNCTION app.search_contacts(
    tsquery, tsquery, text, smallint, timestamptz, timestamptz, uuid[], uuid[], uuid, integer
) OWNER TO pmcrm_search;
REVOKE CREATE ON SCHEMA app FROM pmcrm_search;
SET LOCAL ROLE pmcrm_search;
GRANT EXECUTE ON FUNCTION app.search_contacts(
    tsquery, tsquery, text, smallint, timestamptz, timestamptz, uuid[], uuid[], uuid, integer
) TO pmcrm_contacts;
SET LOCAL ROLE pmcrm_owner;


DROP FUNCTION app.matched_contact_fields(
    tsquery, text, text, text, text, text, text, text, text, text, jsonb, jsonb, text
);
CREATE FUNCTION app.matched_contact_fields(
    any_word tsquery, display_name text, given_name text, family_name text, additional_names text,
    phonetic_given_name text, phonetic_family_name text, nickname text, organization_name text,
    current_organizations text, job_title text, emails jsonb, phones jsonb, notes text
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
            (9, 'current_organization', current_organizations),
            (10, 'job_title', job_title),
            (11, 'emails', jsonb_path_query_array(emails, '$[*].value')::text),
            (12, 'phones', app.phone_words(phones)),
            (13, 'notes', notes)
        ) AS searched (place, field, content)
        WHERE to_tsvector('pg_catalog.simple', app.search_words(content)) @@ any_word
    $$;
COMMENT ON FUNCTION app.matched_contact_fields(
    tsquery, text, text, text, text, text, text, text, text, text, text, jsonb, jsonb, text
) IS
    'The fields of a contact that hold any of the words, the weightiest first. `current_organizations`: the names of all organizations in which it works now.';
GRANT EXECUTE ON FUNCTION app.matched_contact_fields(
    tsquery, text, text, text, text, text, text, text, text, text, text, jsonb, jsonb, text
) TO pmcrm_contacts;
