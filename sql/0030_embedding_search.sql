-- Searching embeddings, and what searching by words, spelling and meaning at once needs beside that.

-- The insights service does not see whose processing is restricted, and has to tell that from who is not there. Owned by
-- pmcrm_owner, whom FORCE ROW LEVEL SECURITY keeps to the bound tenant's.
CREATE FUNCTION app.contact_standing(asked uuid) RETURNS TABLE (contact_id uuid, deleted boolean, processing_restricted boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        named uuid;
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        SELECT r.survivor_id INTO named
        FROM public.contact_redirects AS r
        WHERE r.user_id = v_user AND r.contact_id = asked;
        named := coalesce(named, asked);
        RETURN QUERY
            SELECT c.id, c.deleted_at IS NOT NULL, c.processing_restricted
            FROM public.contacts AS c
            WHERE c.user_id = v_user AND c.id = named;
    END
    $$;
COMMENT ON FUNCTION app.contact_standing(uuid) IS
    'For which of the bound tenant''s contacts an id stands (that of a merged one for the survivor), whether it is deleted, and whether its processing is restricted. No row when there is none. Raises without a tenant.';
GRANT EXECUTE ON FUNCTION app.contact_standing(uuid) TO pmcrm_insights;


-- Vectors. The functions are their caller's, so that row-level security keeps them to the tenant: ordering by distance
-- needs no index condition that could be refused there. A tenant with very many has an index of its own (see
-- maintenance/vector_indexes.sql): in one that is shared, others' vectors would stand between a tenant and its own.
CREATE FUNCTION app.vector_index_name(tenant uuid, of_model text, of_dimensions integer) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
        SELECT 'embeddings_hnsw_' || left(encode(sha256(convert_to(
            tenant::text || ' ' || of_dimensions || ' ' || of_model, 'UTF8'
        )), 'hex'), 32)
    $$;
COMMENT ON FUNCTION app.vector_index_name(uuid, text, integer) IS
    'What the index over a tenant''s vectors of one model is called, where it has one.';
GRANT EXECUTE ON FUNCTION app.vector_index_name(uuid, text, integer) TO pmcrm_insights, pmcrm_service;

CREATE FUNCTION app.may_be_found(tenant uuid, contact uuid, interaction uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
    -- It is asked for one candidate after the other, each time for rows of known keys.
    SET plan_cache_mode = force_generic_plan
    AS $$
    BEGIN
        IF contact IS NOT NULL THEN
            RETURN EXISTS (
                SELECT FROM public.contacts AS c
                WHERE c.user_id = tenant AND c.id = contact AND c.deleted_at IS NULL AND NOT c.processing_restricted
            );
        END IF;
        RETURN EXISTS (
            SELECT FROM public.interactions AS i
            WHERE i.user_id = tenant AND i.id = interaction AND i.deleted_at IS NULL
        ) AND NOT EXISTS (
            SELECT FROM public.interaction_participants AS p
            LEFT JOIN public.contacts AS c
                ON c.user_id = tenant AND c.id = p.contact_id AND NOT c.processing_restricted
            WHERE p.user_id = tenant AND p.interaction_id = interaction AND c.id IS NULL
        );
    END
    $$;
COMMENT ON FUNCTION app.may_be_found(uuid, uuid, uuid) IS
    'Whether a contact, or an interaction, is living and nobody in it is restricted. Triggers remove the embeddings of others; this is the second look.';
GRANT EXECUTE ON FUNCTION app.may_be_found(uuid, uuid, uuid) TO pmcrm_insights;

-- Loads pgvector: only then may somebody who is no superuser set its parameters for a function.
SELECT public.vector_dims('[1]'::public.halfvec);

CREATE FUNCTION app.nearest_embeddings(
    query public.halfvec, of_model text, of_kind text, only_contact uuid, excluded uuid, occurred_from timestamptz,
    occurred_before timestamptz, least_score double precision, most integer
) RETURNS TABLE (contact_id uuid, interaction_id uuid, score double precision)
    LANGUAGE plpgsql STABLE ROWS 50
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    -- Whatever statistics say of a tenant that has just begun: its own rows, and nobody else's.
    SET enable_seqscan = off
    -- An index is asked further until there are enough. What it returns is put in order by the distances themselves.
    SET hnsw.iterative_scan = relaxed_order
    SET hnsw.ef_search = 400
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        v_dimensions integer := public.vector_dims(query);
        only_subjects uuid[];
        contacts uuid[];
        interactions uuid[];
        scores double precision[];
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF num_nonnulls(only_contact, occurred_from, occurred_before) = 0 AND EXISTS (
            SELECT FROM pg_class AS c
            JOIN pg_index AS x ON x.indexrelid = c.oid
            WHERE c.relname = app.vector_index_name(v_user, of_model, v_dimensions)
                AND x.indrelid = 'public.embeddings'::regclass AND x.indisvalid
        ) THEN
            -- Literals instead of parameters, so that the index's predicate is seen to hold. A few more than are asked
            -- for, in case some must not be found. No sorting of everything, which looks cheap while statistics are old.
            EXECUTE format(
                $statement$
                WITH near AS MATERIALIZED (
                    SELECT e.subject_id, e.contact_id, e.interaction_id, e.embedding
                    FROM public.embeddings AS e
                    WHERE e.user_id = %1$L AND e.model = %2$L AND e.dimensions = %3$s AND e.valid_until > now()
                        AND ($2 IS NULL OR ($2 = 'CONTACT') = (e.contact_id IS NOT NULL))
                        AND ($3 IS NULL OR e.subject_id <> $3)
                    ORDER BY (e.embedding::public.halfvec(%3$s)) OPERATOR(public.<=>) $1::public.halfvec(%3$s)
                    LIMIT $4 + 10
                ),
                compared AS MATERIALIZED (
                    SELECT n.*, n.embedding OPERATOR(public.<=>) $1 AS distance
                    FROM near AS n
                    WHERE app.may_be_found(%1$L, n.contact_id, n.interaction_id)
                    ORDER BY distance, n.subject_id
                    LIMIT $4
                )
                SELECT
                    array_agg(c.contact_id ORDER BY c.distance, c.subject_id),
                    array_agg(c.interaction_id ORDER BY c.distance, c.subject_id),
                    array_agg(1 - c.distance ORDER BY c.distance, c.subject_id)
                FROM compared AS c
                $statement$,
                v_user, of_model, v_dimensions
            ) INTO contacts, interactions, scores USING query, of_kind, excluded, most;
            IF cardinality(scores) = most THEN
                RETURN QUERY
                    SELECT f.contact_id, f.interaction_id, f.score
                    FROM unnest(contacts, interactions, scores) WITH ORDINALITY AS f (contact_id, interaction_id, score, place)
                    WHERE f.score >= least_score
                    ORDER BY f.place;
                RETURN;
            END IF;
            -- It found fewer than there may be.
        END IF;
        IF only_contact IS NOT NULL THEN
            only_subjects := only_contact || ARRAY(
                SELECT p.interaction_id FROM public.interaction_participants AS p
                WHERE p.user_id = v_user AND p.contact_id = only_contact
            );
        END IF;
        RETURN QUERY
            SELECT f.contact_id, f.interaction_id, 1 - f.distance
            FROM (
                SELECT found.*
                FROM (
                    SELECT e.subject_id, e.contact_id, e.interaction_id, e.embedding OPERATOR(public.<=>) query AS distance
                    FROM public.embeddings AS e
                    WHERE e.user_id = v_user AND e.model = of_model AND e.dimensions = v_dimensions
                        AND e.valid_until > now()
                        AND (of_kind IS NULL OR (of_kind = 'CONTACT') = (e.contact_id IS NOT NULL))
                        AND (excluded IS NULL OR e.subject_id <> excluded)
                        AND (only_subjects IS NULL OR e.subject_id = ANY (only_subjects))
                        AND (num_nonnulls(occurred_from, occurred_before) = 0 OR e.contact_id IS NOT NULL OR e.subject_id IN (
                            SELECT i.id FROM public.interactions AS i
                            WHERE i.user_id = v_user
                                AND (occurred_from IS NULL OR i.occurred_at >= occurred_from)
                                AND (occurred_before IS NULL OR i.occurred_at < occurred_before)
                        ))
                    -- Vectors of other lengths are passed over before any distance is computed.
                    OFFSET 0
                ) AS found
                WHERE 1 - found.distance >= least_score
                ORDER BY found.distance, found.subject_id
                OFFSET 0
            ) AS f
            -- Asked of the nearest, one after the other, until there are enough.
            WHERE app.may_be_found(v_user, f.contact_id, f.interaction_id)
            LIMIT most;
    END
    $$;
COMMENT ON FUNCTION app.nearest_embeddings(
    public.halfvec, text, text, uuid, uuid, timestamptz, timestamptz, double precision, integer
) IS
    'The bound tenant''s contacts and interactions whose vectors of a model are closest to a vector, the closest first and by their ids among equals: (contact_id or interaction_id, cosine similarity), those of at least `least_score`, at most `most`. of_kind: CONTACT, INTERACTION, NULL for both. only_contact: that one and interactions in which it took part. excluded: never this one. occurred_from, occurred_before: of interactions. Exact, unless the tenant has an index of its own and neither contact nor time is given; never fewer than there are. Raises without a tenant.';
GRANT EXECUTE ON FUNCTION app.nearest_embeddings(
    public.halfvec, text, text, uuid, uuid, timestamptz, timestamptz, double precision, integer
) TO pmcrm_insights;


-- Words and spelling.
SET LOCAL ROLE pmcrm_search;
GRANT EXECUTE ON FUNCTION app.search_contacts(
    tsquery, tsquery, text, smallint, timestamptz, timestamptz, uuid[], uuid[], uuid, integer
) TO pmcrm_insights;
GRANT EXECUTE ON FUNCTION app.search_interactions(tsquery, text, uuid[], uuid[], text[], text, timestamptz, timestamptz, integer)
    TO pmcrm_insights;
SET LOCAL ROLE pmcrm_owner;

-- Loads pg_trgm, for the reason above.
SELECT public.word_similarity('', '');

CREATE FUNCTION app.match_contact(query tsquery, contact uuid) RETURNS double precision
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        own tsvector;
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        SELECT c.words INTO own FROM public.contact_words AS c WHERE c.user_id = v_user AND c.id = contact;
        IF own @@ query THEN
            RETURN 1 + ts_rank(own, query, 32)::double precision;
        END IF;
        RETURN (
            SELECT max(1 + ts_rank(employer.words, query, 32)::double precision)
            FROM (
                SELECT app.organization_vector(o.name, o.aliases) AS words
                FROM public.contact_employments AS e
                JOIN public.organizations AS o ON o.user_id = v_user AND o.id = e.organization_id
                WHERE e.user_id = v_user AND e.contact_id = contact AND e.is_current AND e.deleted_at IS NULL
                    AND o.deleted_at IS NULL
            ) AS employer
            WHERE employer.words @@ query AND (own || employer.words) @@ query
        );
    END
    $$;
COMMENT ON FUNCTION app.match_contact(tsquery, uuid) IS
    'How well one of the bound tenant''s living, unrestricted contacts matches a query, as app.search_contacts scores it; NULL when it does not. Raises without a tenant.';

CREATE FUNCTION app.spelt_contacts(misspelt text, contact uuid, most integer)
    RETURNS TABLE (contact_id uuid, similarity double precision)
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL UNSAFE ROWS 50
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_indexscan = off
    SET pg_trgm.word_similarity_threshold = 0.34
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN QUERY
            SELECT found.id, public.word_similarity(misspelt, found.names)::double precision AS similar_by
            FROM (
                SELECT c.id, c.names
                FROM public.contact_words AS c
                WHERE c.user_id = v_user AND misspelt OPERATOR(public.<%) c.names AND (contact IS NULL OR c.id = contact)
                LIMIT 10 * most
            ) AS found
            ORDER BY similar_by DESC, found.id
            LIMIT most;
    END
    $$;
COMMENT ON FUNCTION app.spelt_contacts(text, uuid, integer) IS
    'The bound tenant''s living, unrestricted contacts whose names are spelt like `misspelt` (folded), the most alike first and by their ids among equals, at most `most`, out of ten times as many; only this contact, unless it is NULL. Raises without a tenant.';

CREATE FUNCTION app.spelt_interactions(
    misspelt text, contact uuid, occurred_from timestamptz, occurred_before timestamptz, most integer
) RETURNS TABLE (interaction_id uuid, similarity double precision)
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL UNSAFE ROWS 50
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_indexscan = off
    SET pg_trgm.word_similarity_threshold = 0.34
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        only_these uuid[] := CASE WHEN contact IS NOT NULL THEN ARRAY[contact] END;
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN QUERY
            SELECT found.id, public.word_similarity(misspelt, app.fold(found.subject))::double precision AS similar_by
            FROM (
                SELECT i.id, i.subject
                FROM public.interaction_words AS i
                WHERE i.user_id = v_user AND i.subject IS NOT NULL AND misspelt OPERATOR(public.<%) app.fold(i.subject)
                    AND (occurred_from IS NULL OR i.occurred_at >= occurred_from)
                    AND (occurred_before IS NULL OR i.occurred_at < occurred_before)
                    AND app.has_participants(v_user, i.id, only_these, NULL)
                LIMIT 10 * most
            ) AS found
            ORDER BY similar_by DESC, found.id
            LIMIT most;
    END
    $$;
COMMENT ON FUNCTION app.spelt_interactions(text, uuid, timestamptz, timestamptz, integer) IS
    'The same of living interactions, by their subjects, in which not restricted contacts alone took part; only those in which this contact took part, unless it is NULL. Raises without a tenant.';

CREATE FUNCTION app.holding_words(query tsquery, contacts uuid[], interactions uuid[]) RETURNS TABLE (id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL UNSAFE ROWS 10
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN QUERY
            SELECT c.id FROM public.contact_words AS c
            WHERE c.user_id = v_user AND c.id = ANY (contacts) AND c.words @@ query
            UNION ALL
            SELECT i.id FROM public.interaction_words AS i
            WHERE i.user_id = v_user AND i.id = ANY (interactions) AND i.words @@ query;
    END
    $$;
COMMENT ON FUNCTION app.holding_words(tsquery, uuid[], uuid[]) IS
    'Which of these contacts and interactions of the bound tenant match a query by their own words. Raises without a tenant.';

GRANT CREATE ON SCHEMA app TO pmcrm_search;
ALTER FUNCTION app.match_contact(tsquery, uuid) OWNER TO pmcrm_search;
ALTER FUNCTION app.spelt_contacts(text, uuid, integer) OWNER TO pmcrm_search;
ALTER FUNCTION app.spelt_interactions(text, uuid, timestamptz, timestamptz, integer) OWNER TO pmcrm_search;
ALTER FUNCTION app.holding_words(tsquery, uuid[], uuid[]) OWNER TO pmcrm_search;
REVOKE CREATE ON SCHEMA app FROM pmcrm_search;
SET LOCAL ROLE pmcrm_search;
GRANT EXECUTE ON FUNCTION
    app.match_contact(tsquery, uuid), app.spelt_contacts(text, uuid, integer),
    app.spelt_interactions(text, uuid, timestamptz, timestamptz, integer), app.holding_words(tsquery, uuid[], uuid[])
    TO pmcrm_insights;
SET LOCAL ROLE pmcrm_owner;
