-- What is removed for good when it was deleted long enough ago, whoever asks for it: the worker, an operator, a DBA.

-- What is deleted is found by these, of all tenants; living rows are in none of them.
CREATE INDEX contacts_deleted_idx ON contacts (user_id, deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX contact_employments_deleted_idx ON contact_employments (user_id, deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX contact_links_deleted_idx ON contact_links (user_id, deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX interactions_deleted_idx ON interactions (user_id, deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX reminders_deleted_idx ON reminders (user_id, deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX organizations_deleted_idx ON organizations (user_id, deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX tags_deleted_idx ON tags (user_id, deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX integrations_deleted_idx ON integrations (user_id, deleted_at) WHERE deleted_at IS NOT NULL;


-- The one catalog of what is purged. A test compares it with the schema: every table with deleted_at is in it, but users,
-- whose accounts are erased instead.
CREATE FUNCTION app.purged_tables()
    RETURNS TABLE (place integer, table_name text, due text, held text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 10
    AS $$
        VALUES
            -- Contacts first: most of the rest goes with them.
            (1, 'contacts', 't.deleted_at <= $1', 't.id = ANY ($2)'),
            (2, 'contact_links', 't.deleted_at <= $1', 't.contact_id = ANY ($2) OR t.related_contact_id = ANY ($2)'),
            (3, 'contact_employments', 't.deleted_at <= $1', 't.contact_id = ANY ($2)'),
            (
                4, 'ai_insights',
                'coalesce(
                    t.deleted_at,
                    CASE t.status WHEN ''SUPERSEDED'' THEN t.resolved_at WHEN ''PENDING'' THEN t.expires_at END
                ) <= $1',
                'EXISTS (
                    SELECT FROM public.ai_insight_contacts AS c
                    WHERE c.user_id = t.user_id AND c.insight_id = t.id AND c.contact_id = ANY ($2)
                )'
            ),
            (
                5, 'interactions', 't.deleted_at <= $1',
                'EXISTS (
                    SELECT FROM public.interaction_participants AS c
                    WHERE c.user_id = t.user_id AND c.interaction_id = t.id AND c.contact_id = ANY ($2)
                )'
            ),
            (
                6, 'reminders', 't.deleted_at <= $1',
                'EXISTS (
                    SELECT FROM public.reminder_contacts AS c
                    WHERE c.user_id = t.user_id AND c.reminder_id = t.id AND c.contact_id = ANY ($2)
                )'
            ),
            (
                7, 'organizations', 't.deleted_at <= $1',
                'EXISTS (
                    SELECT FROM public.contact_employments AS c
                    WHERE c.user_id = t.user_id AND c.organization_id = t.id AND c.contact_id = ANY ($2)
                )'
            ),
            (
                8, 'tags', 't.deleted_at <= $1',
                'EXISTS (
                    SELECT FROM public.contact_tags AS c
                    WHERE c.user_id = t.user_id AND c.tag_id = t.id AND c.contact_id = ANY ($2)
                )'
            ),
            -- Last: what an integration brought names it as long as it is there.
            (
                9, 'integrations',
                't.deleted_at <= $1 AND NOT EXISTS (
                    SELECT FROM public.interactions AS i WHERE i.user_id = t.user_id AND i.integration_id = t.id
                )',
                'false'
            )
    $$;
COMMENT ON FUNCTION app.purged_tables() IS
    'What is purged, in this order. due: the condition on a row t, with $1, before when it was deleted. held: whether a hold on one of the contacts $2 keeps it.';
GRANT EXECUTE ON FUNCTION app.purged_tables() TO pmcrm_service;


CREATE FUNCTION app.is_held() RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
    BEGIN
        RETURN EXISTS (
            SELECT FROM public.legal_holds AS h
            WHERE h.user_id = v_user AND h.released_at IS NULL AND h.contact_id IS NULL
        );
    END
    $$;
COMMENT ON FUNCTION app.is_held() IS 'Whether a legal hold covers the bound tenant as a whole.';
GRANT EXECUTE ON FUNCTION app.is_held() TO pmcrm_service;

CREATE FUNCTION app.held_contacts() RETURNS uuid[] LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        named uuid[] := ARRAY(
            SELECT h.contact_id FROM public.legal_holds AS h
            WHERE h.user_id = v_user AND h.released_at IS NULL AND h.contact_id IS NOT NULL
        );
        survivors uuid[];
    BEGIN
        IF named = '{}' THEN
            RETURN named;
        END IF;
        survivors := named || ARRAY(
            SELECT r.survivor_id FROM public.contact_redirects AS r WHERE r.user_id = v_user AND r.contact_id = ANY (named)
        );
        RETURN survivors || ARRAY(
            SELECT r.contact_id FROM public.contact_redirects AS r WHERE r.user_id = v_user AND r.survivor_id = ANY (survivors)
        );
    END
    $$;
COMMENT ON FUNCTION app.held_contacts() IS
    'The bound tenant''s contacts that legal holds name, with those that they were merged into and those merged into them.';
GRANT EXECUTE ON FUNCTION app.held_contacts() TO pmcrm_service;


-- Owned by pmcrm_owner, as app.purge_rows, so that nobody else may do what they do; FORCE ROW LEVEL SECURITY keeps them to
-- the bound tenant. What goes with a row follows from the catalog: whatever a foreign key would delete with it. It is
-- deleted here before, a statement for each table, so that it is counted, and so that triggers lock contacts in order.
CREATE FUNCTION app.remove_rows(of_table text, ids uuid[]) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        counts jsonb := '{}';
        dependent record;
        removed uuid[];
        count bigint;
    BEGIN
        IF coalesce(cardinality(ids), 0) = 0 THEN
            RETURN counts;
        END IF;
        FOR dependent IN
            SELECT f.conrelid, c.relname AS name,
                string_agg(format('t.%I = ANY ($2)', a.attname), ' OR ' ORDER BY a.attname) AS condition,
                EXISTS (
                    SELECT FROM pg_constraint AS g
                    WHERE g.confrelid = f.conrelid AND g.contype = 'f' AND g.confdeltype = 'c'
                ) AS has_dependents
            FROM pg_constraint AS f
            JOIN pg_class AS c ON c.oid = f.conrelid
            JOIN pg_attribute AS a
                ON a.attrelid = f.conrelid AND a.attnum = ANY (f.conkey) AND a.attname <> 'user_id'
            WHERE f.confrelid = to_regclass(format('public.%I', of_table)) AND f.contype = 'f' AND f.confdeltype = 'c'
            GROUP BY f.conrelid, c.relname
            ORDER BY c.relname
        LOOP
            IF dependent.has_dependents THEN
                EXECUTE format(
                    'SELECT array_agg(t.id) FROM public.%I AS t WHERE t.user_id = $1 AND (%s)',
                    dependent.name, dependent.condition
                )
                INTO removed USING v_user, ids;
                counts := app.add_counts(counts, app.remove_rows(dependent.name, removed));
            ELSE
                EXECUTE format(
                    'DELETE FROM public.%I AS t WHERE t.user_id = $1 AND (%s)', dependent.name, dependent.condition
                )
                USING v_user, ids;
                GET DIAGNOSTICS count = ROW_COUNT;
                counts := app.add_counts(counts, jsonb_build_object(dependent.name, count));
            END IF;
        END LOOP;
        EXECUTE format('DELETE FROM public.%I AS t WHERE t.user_id = $1 AND t.id = ANY ($2)', of_table)
        USING v_user, ids;
        GET DIAGNOSTICS count = ROW_COUNT;
        RETURN app.add_counts(counts, jsonb_build_object(of_table, count));
    END
    $$;
COMMENT ON FUNCTION app.remove_rows(text, uuid[]) IS
    'Deletes rows of the bound tenant and all that hangs on them, and returns table → rows deleted, a JSON object without zeros.';
-- NOTE: execute is granted to nobody: the function below calls it.

CREATE FUNCTION app.add_counts(one jsonb, other jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT coalesce(jsonb_object_agg(key, total), '{}')
        FROM (
            SELECT key, sum(value::bigint) AS total
            FROM (SELECT * FROM jsonb_each_text(one) UNION ALL SELECT * FROM jsonb_each_text(other)) AS counts
            GROUP BY key HAVING sum(value::bigint) > 0
        ) AS added
    $$;
COMMENT ON FUNCTION app.add_counts(jsonb, jsonb) IS 'Adds JSON objects name → count, and leaves zeros out.';

CREATE FUNCTION app.purge_rows(of_table text, before timestamptz, most integer) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        counts jsonb := '{}';
        purged record;
        removed uuid[];
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        SELECT * INTO STRICT purged FROM app.purged_tables() AS p WHERE p.table_name = of_table;
        -- Nobody merges, undoes a merge, erases a contact or places a hold meanwhile. The statements after this one see
        -- what was committed while it waited.
        PERFORM pg_advisory_xact_lock(hashtextextended('merge ' || v_user, 0));
        IF app.is_held() THEN
            RETURN counts;
        END IF;
        EXECUTE format(
            $due$
                SELECT array_agg(d.id) FROM (
                    SELECT t.id FROM public.%I AS t
                    WHERE t.user_id = $3 AND (%s) AND NOT (%s)
                    ORDER BY t.deleted_at, t.id
                    LIMIT $4
                    FOR UPDATE OF t
                ) AS d
            $due$,
            of_table, purged.due, purged.held
        )
        INTO removed USING before, app.held_contacts(), v_user, most;
        IF removed IS NULL THEN
            RETURN counts;
        END IF;

        IF of_table = 'contacts' THEN
            -- A merge cannot be undone any more when one of its contacts is gone, and what it had written down goes too.
            counts := app.add_counts(counts, app.remove_rows('contact_merges', ARRAY(
                SELECT m.id FROM public.contact_merges AS m WHERE m.user_id = v_user AND m.survivor_id = ANY (removed)
                UNION
                SELECT j.merge_id FROM public.contact_merge_rows AS j
                WHERE j.user_id = v_user AND j.contact_id = ANY (removed) AND j.outcome = 'MERGED'
            )));
            counts := app.add_counts(counts, app.remove_rows('ai_insights', ARRAY(
                SELECT DISTINCT n.insight_id FROM public.ai_insight_contacts AS n
                WHERE n.user_id = v_user AND n.contact_id = ANY (removed)
            )));
            -- What is about nobody else goes with them; what others take part in stays.
            counts := app.add_counts(counts, app.remove_rows('interactions', ARRAY(
                SELECT p.interaction_id FROM public.interaction_participants AS p
                WHERE p.user_id = v_user AND p.interaction_id IN (
                    SELECT q.interaction_id FROM public.interaction_participants AS q
                    WHERE q.user_id = v_user AND q.contact_id = ANY (removed)
                )
                GROUP BY p.interaction_id HAVING bool_and(p.contact_id = ANY (removed))
            )));
            counts := app.add_counts(counts, app.remove_rows('reminders', ARRAY(
                SELECT p.reminder_id FROM public.reminder_contacts AS p
                WHERE p.user_id = v_user AND p.reminder_id IN (
                    SELECT q.reminder_id FROM public.reminder_contacts AS q
                    WHERE q.user_id = v_user AND q.contact_id = ANY (removed)
                )
                GROUP BY p.reminder_id HAVING bool_and(p.contact_id = ANY (removed))
            )));
        END IF;
        RETURN app.add_counts(counts, app.remove_rows(of_table, removed));
    END
    $$;
COMMENT ON FUNCTION app.purge_rows(text, timestamptz, integer) IS
    'Removes for good at most so many of the bound tenant''s rows of a table of app.purged_tables() that were deleted before a time, with all that hangs on them, but for what a legal hold keeps. Returns table → rows removed, `{}` when none is left. Raises without a tenant.';
GRANT EXECUTE ON FUNCTION app.purge_rows(text, timestamptz, integer) TO pmcrm_service;

CREATE FUNCTION app.held_rows(before timestamptz) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        all_held boolean := app.is_held();
        contacts uuid[] := app.held_contacts();
        purged record;
        counted bigint;
        total bigint := 0;
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF NOT all_held AND contacts = '{}' THEN
            RETURN 0;
        END IF;
        FOR purged IN SELECT * FROM app.purged_tables() LOOP
            EXECUTE format(
                'SELECT count(*) FROM public.%I AS t WHERE t.user_id = $3 AND (%s) AND ($4 OR (%s))',
                purged.table_name, purged.due, purged.held
            )
            INTO counted USING before, contacts, v_user, all_held;
            total := total + counted;
        END LOOP;
        RETURN total;
    END
    $$;
COMMENT ON FUNCTION app.held_rows(timestamptz) IS
    'How many rows of the bound tenant would be purged but for a legal hold. Raises without a tenant.';
GRANT EXECUTE ON FUNCTION app.held_rows(timestamptz) TO pmcrm_service;

-- As whoever calls it, for all tenants: pmcrm_service.
CREATE FUNCTION app.tenants_to_purge(before timestamptz) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE ROWS 100 SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
        RETURN QUERY EXECUTE (
            SELECT string_agg(format('SELECT t.user_id FROM public.%I AS t WHERE %s', p.table_name, p.due), ' UNION ')
            FROM app.purged_tables() AS p
        )
        || ' ORDER BY 1' USING before;
    END
    $$;
COMMENT ON FUNCTION app.tenants_to_purge(timestamptz) IS
    'The tenants with something that was deleted before a time, in the order of their ids.';
GRANT EXECUTE ON FUNCTION app.tenants_to_purge(timestamptz) TO pmcrm_service;


-- In the schema that a DBA sees first. It goes through all tenants in one transaction, and so binds one after the other: that
-- is right on one node alone, where the setting is this session's and nobody else's. On Citus, and wherever contacts are many,
-- use `pmcrm maintenance purge`, which takes a transaction for each batch.
CREATE FUNCTION purge_deleted_contacts(days integer) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        before timestamptz;
        tenant uuid;
        counts jsonb;
        purged bigint := 0;
    BEGIN
        IF days IS NULL OR days NOT BETWEEN 0 AND 36500 THEN
            RAISE EXCEPTION 'days must be between 0 and 36500' USING ERRCODE = 'invalid_parameter_value';
        END IF;
        IF app.current_user_id() IS NOT NULL THEN
            RAISE EXCEPTION 'this transaction is bound to a tenant' USING
                ERRCODE = 'object_not_in_prerequisite_state', HINT = 'purge_deleted_contacts binds one tenant after the other.';
        END IF;
        IF row_security_active('public.contacts') THEN
            -- It would find nothing, and say that nothing was to be purged.
            RAISE EXCEPTION 'row-level security hides the tenants from %', current_user USING
                ERRCODE = 'insufficient_privilege', HINT = 'Call it as a superuser or as pmcrm_service.';
        END IF;
        before := now() - make_interval(days => days);
        FOR tenant IN
            SELECT DISTINCT c.user_id FROM public.contacts AS c WHERE c.deleted_at <= before ORDER BY 1
        LOOP
            EXECUTE format('SET LOCAL app.current_user_id = %L', tenant);
            LOOP
                counts := app.purge_rows('contacts', before, 500);
                EXIT WHEN counts = '{}';
                purged := purged + (counts ->> 'contacts')::bigint;
            END LOOP;
        END LOOP;
        SET LOCAL app.current_user_id = '';
        RETURN purged;
    END
    $$;
COMMENT ON FUNCTION purge_deleted_contacts(integer) IS
    'Removes for good the contacts of all tenants that were deleted at least so many days ago, with everything that hangs on them and is about nobody else, but for those under legal hold. Returns how many contacts. For a superuser or pmcrm_service, in a transaction that is bound to no tenant.';
GRANT EXECUTE ON FUNCTION purge_deleted_contacts(integer) TO pmcrm_service;
