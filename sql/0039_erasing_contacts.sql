-- Erasing a contact at once and for good: what is held for it, what it reaches, and what the audit log keeps of it.

ALTER TABLE erasure_requests ADD COLUMN erased_contact_ids uuid[] CHECK (erased_contact_ids <> '{}');
COMMENT ON COLUMN erasure_requests.erased_contact_ids IS
    'Of a contact''s receipt: the contact and all that had been merged into it. Where a restored backup has them still, they are erased again.';
GRANT INSERT (erased_contact_ids) ON erasure_requests TO pmcrm_gdpr, pmcrm_service;
-- Receipts and suppressions that a restored backup lacks are put back as they were.
GRANT INSERT (requested_at) ON erasure_requests TO pmcrm_service;
GRANT INSERT (changed_at) ON erasure_state_changes TO pmcrm_service;

-- What was written about a row that is erased, under whatever subject. Entries about contacts themselves have no row_id.
CREATE INDEX audit_logs_row_idx ON audit_logs (user_id, row_id) WHERE row_id IS NOT NULL;
CREATE INDEX audit_logs_archive_row_idx ON audit_logs_archive (user_id, row_id) WHERE row_id IS NOT NULL;


-- All functions here belong to pmcrm_owner, so that nobody else may do what they do; FORCE ROW LEVEL SECURITY keeps them to
-- the bound tenant.
CREATE FUNCTION app.erasing_tenant() RETURNS uuid LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
        IF app.current_user_id() IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN app.current_user_id();
    END
    $$;
COMMENT ON FUNCTION app.erasing_tenant() IS 'The bound tenant. Raises without one.';
-- NOTE: execute is granted to nobody: the functions below call it.


CREATE FUNCTION app.empty_audit_entries(receipt uuid, times timestamptz[], ids uuid[]) RETURNS uuid[]
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.erasing_tenant();
        emptied uuid[];
        archived uuid[];
    BEGIN
        -- What an earlier erasure has emptied is named by that one.
        WITH gone AS (
            UPDATE public.audit_logs AS a
            SET old_values = NULL, new_values = NULL, actor = NULL, client_ip = NULL, user_agent = NULL, salt = NULL,
                erased_by = receipt
            FROM unnest(times, ids) AS e (at, id)
            WHERE a.user_id = v_user AND a.at = e.at AND a.id = e.id
                AND a.erased_by IS NULL AND a.action NOT IN ('ERASE', 'ARCHIVE', 'DROP')
            RETURNING a.id
        )
        SELECT array_agg(g.id ORDER BY g.id) INTO emptied FROM gone AS g;
        WITH gone AS (
            UPDATE public.audit_logs_archive AS a
            SET old_values = NULL, new_values = NULL, actor = NULL, client_ip = NULL, user_agent = NULL, salt = NULL,
                erased_by = receipt
            FROM unnest(times, ids) AS e (at, id)
            WHERE a.user_id = v_user AND a.at = e.at AND a.id = e.id
                AND a.erased_by IS NULL AND a.action NOT IN ('ERASE', 'ARCHIVE', 'DROP')
            RETURNING a.id
        )
        SELECT array_agg(g.id ORDER BY g.id) INTO archived FROM gone AS g;
        RETURN coalesce(archived || emptied, archived, emptied, '{}');
    END
    $$;
COMMENT ON FUNCTION app.empty_audit_entries(uuid, timestamptz[], uuid[]) IS
    'Takes payload and salt from entries of the bound tenant''s log and archive, named by (at, id), and returns the ids of those that had them still. Their digests stay. Whoever calls it writes down which they were, by app.audit_erasure.';
-- NOTE: execute is granted to nobody but its owner: an entry without payload that no erasure names is tampering.

CREATE FUNCTION app.erase_audit_payloads(receipt uuid, subjects uuid[], rows uuid[]) RETURNS uuid[]
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.erasing_tenant();
        times timestamptz[];
        ids uuid[];
    BEGIN
        SELECT array_agg(e.at), array_agg(e.id) INTO times, ids
        FROM (
            SELECT a.at, a.id FROM public.audit_logs AS a WHERE a.user_id = v_user AND a.subject_id = ANY (subjects)
            UNION
            SELECT a.at, a.id FROM public.audit_logs AS a WHERE a.user_id = v_user AND a.row_id = ANY (rows)
            UNION
            SELECT a.at, a.id FROM public.audit_logs_archive AS a WHERE a.user_id = v_user AND a.subject_id = ANY (subjects)
            UNION
            SELECT a.at, a.id FROM public.audit_logs_archive AS a WHERE a.user_id = v_user AND a.row_id = ANY (rows)
        ) AS e;
        RETURN app.empty_audit_entries(receipt, times, ids);
    END
    $$;
COMMENT ON FUNCTION app.erase_audit_payloads(uuid, uuid[], uuid[]) IS
    'Takes payload and salt from all entries of the bound tenant about these subjects and these rows, archived ones as well, and returns the ids of those that had them still. Raises without a tenant.';
GRANT EXECUTE ON FUNCTION app.erase_audit_payloads(uuid, uuid[], uuid[]) TO pmcrm_service;

CREATE FUNCTION app.audit_erasure(subject uuid, receipt uuid, entries uuid[]) RETURNS uuid
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.erasing_tenant();
        most CONSTANT integer := 10000;
        payload jsonb;
        v_salt bytea;
        written uuid;
        first uuid;
    BEGIN
        -- At least one, which says that there was nothing to empty.
        FOR begins IN 0 .. greatest(0, cardinality(entries) - 1) BY most LOOP
            payload := jsonb_build_object('receipt', receipt, 'entries', to_jsonb(entries[begins + 1 : begins + most]));
            v_salt := uuid_send(gen_random_uuid());
            -- Without actor, address and agent, so that nothing in it is personal and nothing of it is ever erased.
            INSERT INTO public.audit_logs (
                user_id, subject_id, row_id, request_id, table_name, action, role_name, new_values, salt, digest
            )
            VALUES (
                v_user, subject, receipt, nullif(current_setting('app.request_id', true), '')::uuid, 'erasure_requests',
                'ERASE', session_user, payload, v_salt, app.audit_digest(v_salt, NULL, payload, NULL, NULL, NULL)
            )
            RETURNING id INTO written;
            first := coalesce(first, written);
        END LOOP;
        RETURN first;
    END
    $$;
COMMENT ON FUNCTION app.audit_erasure(uuid, uuid, uuid[]) IS
    'Writes down which entries an erasure has emptied: (what was erased, a contact or the tenant; the receipt; ids of entries), as entries with action ERASE that name at most 10 000 each. Returns the id of the first. Raises without a tenant.';
GRANT EXECUTE ON FUNCTION app.audit_erasure(uuid, uuid, uuid[]) TO pmcrm_service;


-- Requests that were answered with what is erased: no repeat is answered any more, and nobody can try what was asked for.
CREATE FUNCTION app.forget_answers(naming uuid[]) RETURNS TABLE (of_tenant bigint, of_operators bigint)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.erasing_tenant();
        -- An answer holds ids as text, amid bytes of the wire format.
        id_pattern CONSTANT text := '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
    BEGIN
        UPDATE public.idempotency_keys AS k
        SET answer = '', body_hash = sha256(uuid_send(gen_random_uuid()))
        WHERE k.user_id = v_user AND k.answer <> '' AND EXISTS (
            SELECT FROM regexp_matches(encode(k.answer, 'escape'), id_pattern, 'g') AS m
            WHERE m[1]::uuid = ANY (naming)
        );
        GET DIAGNOSTICS of_tenant = ROW_COUNT;
        UPDATE public.operator_idempotency_keys AS k
        SET answer = '', body_hash = sha256(uuid_send(gen_random_uuid()))
        WHERE k.answer <> '' AND EXISTS (
            SELECT FROM regexp_matches(encode(k.answer, 'escape'), id_pattern, 'g') AS m
            WHERE m[1]::uuid = ANY (naming)
        );
        GET DIAGNOSTICS of_operators = ROW_COUNT;
        RETURN NEXT;
    END
    $$;
COMMENT ON FUNCTION app.forget_answers(uuid[]) IS
    'Empties the kept answers of the bound tenant, and of operators, that name one of these ids, and returns how many: a repeat of such a request is refused. Raises without a tenant.';
GRANT EXECUTE ON FUNCTION app.forget_answers(uuid[]) TO pmcrm_service;


CREATE FUNCTION app.hold_erasable(asked uuid)
    RETURNS TABLE (contact_id uuid, survivor_id uuid, emails text[], phones text[], held boolean)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 2 SET search_path = pg_catalog, pg_temp
    AS $$
    #variable_conflict use_column
    DECLARE
        v_user uuid := app.erasing_tenant();
        survivor uuid;
        everyone uuid[];
    BEGIN
        -- No import reads what is about to go, and nobody merges or undoes a merge meanwhile. The statements after these
        -- see what was committed while they waited.
        PERFORM pg_advisory_xact_lock(hashtextextended('import ' || v_user, 0));
        PERFORM pg_advisory_xact_lock(hashtextextended('merge ' || v_user, 0));
        SELECT coalesce(
            (SELECT r.survivor_id FROM public.contact_redirects AS r WHERE r.user_id = v_user AND r.contact_id = asked), asked
        ) INTO survivor;
        everyone := survivor || ARRAY(
            SELECT r.contact_id FROM public.contact_redirects AS r WHERE r.user_id = v_user AND r.survivor_id = survivor
        );
        -- FOR UPDATE, so that not even a foreign key takes hold of a contact meanwhile.
        PERFORM FROM public.contacts AS c WHERE c.user_id = v_user AND c.id = ANY (everyone) ORDER BY c.id FOR UPDATE;
        IF NOT EXISTS (SELECT FROM public.contacts AS c WHERE c.user_id = v_user AND c.id = survivor) THEN
            RETURN;
        END IF;
        RETURN QUERY
            SELECT
                given.id, survivor,
                ARRAY(SELECT e ->> 'value' FROM jsonb_array_elements(c.emails) AS e WHERE e ->> 'value' <> ''),
                ARRAY(SELECT p ->> 'e164' FROM jsonb_array_elements(c.phones) AS p WHERE p ->> 'e164' <> ''),
                EXISTS (
                    SELECT FROM public.legal_holds AS h
                    WHERE h.user_id = v_user AND h.released_at IS NULL AND (h.contact_id IS NULL OR h.contact_id = given.id)
                )
            FROM unnest(everyone) AS given (id)
            -- Of one that was merged and purged since, its id is left.
            LEFT JOIN public.contacts AS c ON c.user_id = v_user AND c.id = given.id;
    END
    $$;
COMMENT ON FUNCTION app.hold_erasable(uuid) IS
    'Takes hold of what is erased with one of the bound tenant''s contacts until the transaction ends: the contact that its id stands for, deleted or not, and all that were merged into it, with their e-mail addresses and E.164 numbers, and whether a legal hold forbids it. No row where there is no such contact. Raises without a tenant.';
GRANT EXECUTE ON FUNCTION app.hold_erasable(uuid) TO pmcrm_gdpr, pmcrm_service;


-- What others' entries and answers hold of contacts that were merged with them for a while.
CREATE FUNCTION app.traces_of_merges(contacts uuid[])
    RETURNS TABLE (merge_id uuid, survivor_id uuid, times timestamptz[], entries uuid[])
    LANGUAGE plpgsql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp
    AS $$
    #variable_conflict use_column
    DECLARE
        v_user uuid := app.erasing_tenant();
        requests uuid[];
    BEGIN
        -- Merging and undoing wrote entries about the merged contact's id, of the same call as those about the survivor.
        requests := ARRAY(
            SELECT a.request_id FROM public.audit_logs AS a
            WHERE a.user_id = v_user AND a.subject_id = ANY (contacts) AND a.table_name = 'contact_redirects'
            UNION
            SELECT a.request_id FROM public.audit_logs_archive AS a
            WHERE a.user_id = v_user AND a.subject_id = ANY (contacts) AND a.table_name = 'contact_redirects'
        );
        RETURN QUERY
            SELECT m.id, m.survivor_id, found.times, found.entries
            FROM public.contact_merges AS m
            CROSS JOIN LATERAL (
                SELECT array_agg(e.at) AS times, array_agg(e.id) AS entries
                FROM (
                    SELECT a.at, a.id, a.table_name, a.action, a.request_id FROM public.audit_logs AS a
                    WHERE a.user_id = v_user AND a.subject_id = m.survivor_id
                    UNION ALL
                    SELECT a.at, a.id, a.table_name, a.action, a.request_id FROM public.audit_logs_archive AS a
                    WHERE a.user_id = v_user AND a.subject_id = m.survivor_id
                ) AS e
                WHERE e.table_name = 'contacts' AND e.action = 'UPDATE'
                    AND (e.at BETWEEN m.created_at AND m.undone_at OR e.request_id = ANY (requests))
            ) AS found
            WHERE m.user_id = v_user AND m.undone_at IS NOT NULL AND m.survivor_id <> ALL (contacts) AND EXISTS (
                SELECT FROM public.audit_logs AS a
                WHERE a.user_id = v_user AND a.subject_id = m.id AND a.request_id = ANY (requests)
                UNION ALL
                SELECT FROM public.audit_logs_archive AS a
                WHERE a.user_id = v_user AND a.subject_id = m.id AND a.request_id = ANY (requests)
            );
    END
    $$;
COMMENT ON FUNCTION app.traces_of_merges(uuid[]) IS
    'The undone merges in which these contacts were merged into another one, and the audit entries (at, id) about that one from then, which hold what it had of theirs.';
-- NOTE: execute is granted to nobody: the function below calls it.


CREATE FUNCTION app.erase_contact(contact uuid, receipt uuid)
    RETURNS TABLE (contact_id uuid, erased_ids uuid[], row_counts jsonb, audit_entry_id uuid)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.erasing_tenant();
        survivor uuid;
        contacts uuid[];
        names text[];
        is_held boolean;
        emptied_interactions uuid[];
        removed_reminders uuid[];
        removed_insights uuid[];
        removed_merges uuid[];
        emptied_holds uuid[];
        -- Every other row that goes and has an id.
        removed_rows uuid[] := '{}';
        entry_times timestamptz[] := '{}';
        trace_entries uuid[] := '{}';
        entries uuid[];
        counted bigint;
        of_operators bigint;
        ids uuid[];
        found record;
    BEGIN
        SELECT (array_agg(h.survivor_id))[1], array_agg(h.contact_id), array_agg(h.contact_id::text), bool_or(h.held)
        INTO survivor, contacts, names, is_held
        FROM app.hold_erasable(contact) AS h;
        IF contacts IS NULL THEN
            RAISE EXCEPTION 'no contact %', contact USING ERRCODE = 'no_data_found';
        END IF;
        IF is_held THEN
            RAISE EXCEPTION 'a legal hold forbids to erase contact %', contact USING ERRCODE = 'object_not_in_prerequisite_state';
        END IF;
        row_counts := '{}';

        -- Who takes part, and whom a reminder is about, is changed by nobody who does not hold the contacts first.
        emptied_interactions := ARRAY(
            SELECT p.interaction_id FROM public.interaction_participants AS p
            WHERE p.user_id = v_user AND p.interaction_id IN (
                SELECT q.interaction_id FROM public.interaction_participants AS q
                WHERE q.user_id = v_user AND q.contact_id = ANY (contacts)
            )
            GROUP BY p.interaction_id HAVING bool_and(p.contact_id = ANY (contacts))
        );
        removed_reminders := ARRAY(
            SELECT p.reminder_id FROM public.reminder_contacts AS p
            WHERE p.user_id = v_user AND p.reminder_id IN (
                SELECT q.reminder_id FROM public.reminder_contacts AS q
                WHERE q.user_id = v_user AND q.contact_id = ANY (contacts)
            )
            GROUP BY p.reminder_id HAVING bool_and(p.contact_id = ANY (contacts))
        );
        PERFORM FROM public.interactions AS i
        WHERE i.user_id = v_user AND i.id = ANY (emptied_interactions) ORDER BY i.id FOR UPDATE;
        PERFORM FROM public.reminders AS r
        WHERE r.user_id = v_user AND r.id = ANY (removed_reminders) ORDER BY r.id FOR UPDATE;
        -- Those that name the contact, and those that rest on what is erased.
        removed_insights := ARRAY(
            SELECT n.insight_id FROM public.ai_insight_contacts AS n
            WHERE n.user_id = v_user AND n.contact_id = ANY (contacts)
            UNION
            SELECT i.id FROM public.ai_insights AS i
            WHERE i.user_id = v_user AND (
                i.finding && (names || emptied_interactions::text[]) OR EXISTS (
                    SELECT FROM jsonb_array_elements(i.evidence) AS e
                    WHERE e ->> 'id' = ANY (names || emptied_interactions::text[])
                )
            )
        );
        removed_merges := ARRAY(
            SELECT m.id FROM public.contact_merges AS m WHERE m.user_id = v_user AND m.survivor_id = ANY (contacts)
        );

        -- Counted before it goes: whatever refers to a contact goes with it.
        FOR found IN
            SELECT
                r.table_name, string_agg(format('t.%I = ANY ($2)', r.column_name), ' OR ') AS of_these,
                EXISTS (
                    SELECT FROM pg_attribute AS a
                    WHERE a.attrelid = to_regclass(format('public.%I', r.table_name)) AND a.attname = 'id'
                ) AS has_id
            FROM app.contact_references() AS r
            GROUP BY r.table_name
        LOOP
            EXECUTE format(
                'SELECT count(*), %2$s FROM public.%1$I AS t WHERE t.user_id = $1 AND (%3$s)',
                found.table_name,
                CASE WHEN found.has_id THEN 'array_agg(t.id)' ELSE 'NULL::uuid[]' END,
                found.of_these
            )
            INTO counted, ids USING v_user, contacts;
            row_counts := row_counts || jsonb_build_object(found.table_name, counted);
            removed_rows := removed_rows || coalesce(ids, '{}');
        END LOOP;
        -- And what goes with those.
        SELECT row_counts || jsonb_build_object(
            'contacts', (SELECT count(*) FROM public.contacts AS c WHERE c.user_id = v_user AND c.id = ANY (contacts)),
            'ai_insights', cardinality(removed_insights),
            'ai_insight_contacts', (
                SELECT count(*) FROM public.ai_insight_contacts AS n
                WHERE n.user_id = v_user AND n.insight_id = ANY (removed_insights)
            ),
            'reminders', cardinality(removed_reminders),
            'reminder_notifications', (
                SELECT count(*) FROM public.reminder_notifications AS n
                WHERE n.user_id = v_user AND n.reminder_id = ANY (removed_reminders)
            ),
            'reminder_leases', (
                SELECT count(*) FROM public.reminder_leases AS n
                WHERE n.user_id = v_user AND n.reminder_id = ANY (removed_reminders)
            ),
            'interactions', cardinality(emptied_interactions),
            'embeddings', (
                SELECT count(*) FROM public.embeddings AS e
                WHERE e.user_id = v_user AND (e.contact_id = ANY (contacts) OR e.interaction_id = ANY (emptied_interactions))
            ),
            'embedding_queue', (
                SELECT count(*) FROM public.embedding_queue AS q
                WHERE q.user_id = v_user AND q.subject_id = ANY (contacts || emptied_interactions)
            )
        ) INTO row_counts;

        -- What merges of others keep of ties to the contact, to be able to give them back.
        WITH gone AS (
            DELETE FROM public.contact_merge_rows AS j
            WHERE j.user_id = v_user AND (
                j.contact_id = ANY (contacts) OR j.merge_id = ANY (removed_merges) OR EXISTS (
                    SELECT FROM unnest(names) AS name
                    WHERE position(name IN j.kept::text) > 0 OR position(name IN j.row_key::text) > 0
                )
            )
            RETURNING (coalesce(j.kept ->> 'id', j.row_key ->> 'id'))::uuid AS id, j.outcome
        )
        SELECT count(*), array_agg(g.id) FILTER (WHERE g.outcome = 'DROPPED' AND g.id IS NOT NULL) INTO counted, ids
        FROM gone AS g;
        row_counts := row_counts || jsonb_build_object('contact_merge_rows', counted);
        removed_rows := removed_rows || coalesce(ids, '{}');

        DELETE FROM public.ai_insights AS i WHERE i.user_id = v_user AND i.id = ANY (removed_insights);
        DELETE FROM public.reminders AS r WHERE r.user_id = v_user AND r.id = ANY (removed_reminders);
        DELETE FROM public.contacts AS c WHERE c.user_id = v_user AND c.id = ANY (contacts);
        UPDATE public.interactions AS i
        SET subject = NULL, body = NULL, location = NULL, channel = NULL, language = NULL, sentiment_score = NULL,
            sentiment_label = NULL, topics = NULL, computed_language = NULL, computed_sentiment = NULL,
            computed_topics = NULL, custom_fields = NULL, source_uid = NULL, thread_uid = NULL
        WHERE i.user_id = v_user AND i.id = ANY (emptied_interactions);
        -- After the triggers of all that, some of which have things embedded anew.
        DELETE FROM public.embeddings AS e WHERE e.user_id = v_user AND e.interaction_id = ANY (emptied_interactions);
        DELETE FROM public.embedding_queue AS q
        WHERE q.user_id = v_user AND q.subject_id = ANY (contacts || emptied_interactions);

        -- That processing was permitted is still to be proved.
        UPDATE public.consent_records AS c SET ip_address = NULL, user_agent = NULL, note = NULL, source = NULL
        WHERE c.user_id = v_user AND c.subject_id = ANY (contacts)
            AND num_nonnulls(c.ip_address, c.user_agent, c.note, c.source) > 0;
        GET DIAGNOSTICS counted = ROW_COUNT;
        row_counts := row_counts || jsonb_build_object('consent_records', counted);
        removed_rows := removed_rows || ARRAY(
            SELECT c.id FROM public.consent_records AS c WHERE c.user_id = v_user AND c.subject_id = ANY (contacts)
        );
        WITH emptied AS (
            UPDATE public.legal_holds AS h SET reason = 'erased'
            WHERE h.user_id = v_user AND h.contact_id = ANY (contacts)
            RETURNING h.id
        )
        SELECT coalesce(array_agg(e.id), '{}') INTO emptied_holds FROM emptied AS e;
        row_counts := row_counts || jsonb_build_object('legal_holds', cardinality(emptied_holds));

        removed_rows := removed_rows || emptied_interactions || removed_reminders || removed_insights || removed_merges
            || emptied_holds;
        ids := contacts || removed_rows;
        FOR found IN SELECT t.merge_id, t.times, t.entries FROM app.traces_of_merges(contacts) AS t LOOP
            ids := ids || found.merge_id;
            entry_times := entry_times || coalesce(found.times, '{}');
            trace_entries := trace_entries || coalesce(found.entries, '{}');
        END LOOP;
        SELECT f.of_tenant, f.of_operators INTO counted, of_operators FROM app.forget_answers(ids) AS f;
        row_counts := row_counts
            || jsonb_build_object('idempotency_keys', counted, 'operator_idempotency_keys', of_operators);

        -- Last of all: what was done above has entries of its own, and they hold what it has removed.
        entries := app.erase_audit_payloads(receipt, contacts || removed_rows, removed_rows)
            || app.empty_audit_entries(receipt, entry_times, trace_entries);
        row_counts := row_counts || jsonb_build_object('audit_logs', cardinality(entries));
        audit_entry_id := app.audit_erasure(survivor, receipt, entries);

        SELECT jsonb_object_agg(c.key, c.value) INTO row_counts FROM jsonb_each(row_counts) AS c WHERE c.value <> '0';
        contact_id := survivor;
        erased_ids := contacts;
        RETURN NEXT;
    END
    $$;
COMMENT ON FUNCTION app.erase_contact(uuid, uuid) IS
    'Erases the bound tenant''s contact that an id stands for with all that were merged into it, and everything about them: (contact, receipt). Returns the contact, all erased ids, by table how many rows were removed or emptied, and the first entry of the audit log that names the emptied entries. Raises no_data_found when there is no such contact, object_not_in_prerequisite_state when a legal hold forbids it, and without a tenant.';
GRANT EXECUTE ON FUNCTION app.erase_contact(uuid, uuid) TO pmcrm_gdpr, pmcrm_service;
