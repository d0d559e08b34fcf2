-- Erasing accounts whose grace period is over: in small batches, each a transaction of its own that counts what it did in
-- the receipt. It can be stopped at any point and begun again.
--
-- All functions here belong to pmcrm_owner, so that the tables need not be opened to anybody for it; FORCE ROW LEVEL
-- SECURITY keeps them to the bound tenant, and each wants an erasure of the account that is under way.

-- For the job: closed accounts that are not erased yet. Their shells stay for ever.
CREATE INDEX users_closed_idx ON users (deleted_at) WHERE deleted_at IS NOT NULL AND erased_at IS NULL;
-- Operators name an erasure by its id alone.
CREATE INDEX erasure_requests_id_idx ON erasure_requests (id);


CREATE FUNCTION app.kept_of_accounts() RETURNS TABLE (table_name text, why text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 8 SET search_path = pg_catalog, pg_temp
    AS $$
        VALUES
            ('users', 'a shell without personal data, so that the id is never used again'),
            ('audit_logs', 'without payloads: that something happened is provable'),
            ('audit_logs_archive', 'without payloads, too'),
            ('audit_seals', 'the proof of the audit log'),
            ('erasure_requests', 'the receipts'),
            ('erasure_state_changes', 'the history of the receipts'),
            ('consent_records', 'without address, agent, note and source: that processing was permitted is provable'),
            ('legal_holds', 'without reasons: that something was held is provable')
    $$;
COMMENT ON FUNCTION app.kept_of_accounts() IS
    'The tables of which rows of an erased account remain, without personal data, each with the reason. All others that have a user_id are emptied.';
GRANT EXECUTE ON FUNCTION app.kept_of_accounts() TO pmcrm_service;

CREATE FUNCTION app.tables_of_accounts() RETURNS TABLE (table_name text, place integer)
    LANGUAGE sql STABLE ROWS 40 SET search_path = pg_catalog, pg_temp
    AS $$
        WITH RECURSIVE emptied AS (
            SELECT c.oid, c.relname
            FROM pg_class AS c
            JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'user_id' AND a.atttypid = 'uuid'::regtype
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                AND c.relname NOT IN (SELECT k.table_name FROM app.kept_of_accounts() AS k)
        ),
        ties AS (
            SELECT DISTINCT k.conrelid AS child, k.confrelid AS parent
            FROM pg_constraint AS k
            WHERE k.contype = 'f' AND k.conrelid <> k.confrelid
        ),
        -- A table comes after all that refer to it: by the longest way down to it. Tables that refer to each other in a
        -- circle would go round until the limit, and be emptied all the same where their keys cascade.
        ways AS (
            SELECT e.oid, 0 AS length FROM emptied AS e
            UNION
            SELECT t.child, w.length + 1 FROM ways AS w JOIN ties AS t ON t.parent = w.oid WHERE w.length < 20
        )
        SELECT e.relname::text, (row_number() OVER (
            -- Before triggers of other tables remove these and nobody counts them. No table refers to them.
            ORDER BY e.relname IN ('embedding_queue', 'embeddings') DESC, max(w.length) DESC, e.relname
        ))::integer
        FROM emptied AS e
        JOIN ways AS w ON w.oid = e.oid
        GROUP BY e.relname
        ORDER BY 2
    $$;
COMMENT ON FUNCTION app.tables_of_accounts() IS
    'The tables that an erasure of an account empties, found in the catalog, in the order in which foreign keys permit it.';
GRANT EXECUTE ON FUNCTION app.tables_of_accounts() TO pmcrm_service;


CREATE FUNCTION app.is_account_held() RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.erasing_tenant();
    BEGIN
        RETURN EXISTS (SELECT FROM public.legal_holds AS h WHERE h.user_id = v_user AND h.released_at IS NULL);
    END
    $$;
COMMENT ON FUNCTION app.is_account_held() IS
    'Whether a legal hold on the bound tenant, or on any of its contacts, forbids to erase the account.';
-- NOTE: execute is granted to nobody: the functions below call it.

CREATE FUNCTION app.note_account_erasure(receipt uuid, reached text, why text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.erasing_tenant();
    BEGIN
        INSERT INTO public.erasure_state_changes (user_id, erasure_id, position, state, cause)
        SELECT v_user, receipt, coalesce(max(c.position), 0) + 1, reached, why
        FROM public.erasure_state_changes AS c
        WHERE c.user_id = v_user AND c.erasure_id = receipt;
    END
    $$;
COMMENT ON FUNCTION app.note_account_erasure(uuid, text, text) IS 'Adds to the history of an erasure: (receipt, state, cause).';
-- NOTE: execute is granted to nobody: the functions below call it.

CREATE FUNCTION app.count_account_erasure(receipt uuid, counted text, rows bigint) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.erasing_tenant();
    BEGIN
        IF rows > 0 THEN
            UPDATE public.erasure_requests AS e
            SET row_counts = e.row_counts
                || jsonb_build_object(counted, coalesce((e.row_counts ->> counted)::bigint, 0) + rows)
            WHERE e.user_id = v_user AND e.id = receipt;
        END IF;
    END
    $$;
COMMENT ON FUNCTION app.count_account_erasure(uuid, text, bigint) IS
    'Adds rows of a table to the counts of a receipt: (receipt, table, rows).';
-- NOTE: execute is granted to nobody: the functions below call it.

CREATE FUNCTION app.check_account_erasure(receipt uuid) RETURNS uuid
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.erasing_tenant();
    BEGIN
        PERFORM FROM public.erasure_requests AS e
        WHERE e.user_id = v_user AND e.id = receipt AND e.contact_id IS NULL AND e.state = 'RUNNING'
        FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'no erasure % of the account is under way', receipt
                USING ERRCODE = 'object_not_in_prerequisite_state';
        END IF;
        RETURN v_user;
    END
    $$;
COMMENT ON FUNCTION app.check_account_erasure(uuid) IS
    'The bound tenant, whose erasure is under way and is held until the transaction ends. Raises object_not_in_prerequisite_state otherwise.';
-- NOTE: execute is granted to nobody: the functions below call it.


CREATE FUNCTION app.start_account_erasure(grace interval) RETURNS TABLE (receipt uuid, outcome text)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.erasing_tenant();
        closed_at timestamptz;
        reached text;
        last_cause text;
        removed bigint;
    BEGIN
        -- Whoever opens the account again holds its row, too: of the two, the second sees what the first did.
        SELECT u.deleted_at INTO closed_at FROM public.users AS u
        WHERE u.id = v_user AND u.deleted_at IS NOT NULL AND u.erased_at IS NULL FOR NO KEY UPDATE;
        SELECT e.id, e.state INTO receipt, reached FROM public.erasure_requests AS e
        WHERE e.user_id = v_user AND e.contact_id IS NULL AND e.state IN ('PENDING', 'RUNNING');
        -- What has begun goes on, even where the grace period was lengthened meanwhile.
        IF closed_at IS NULL OR (closed_at + grace > now() AND reached IS DISTINCT FROM 'RUNNING') THEN
            outcome := 'NOT_DUE';
            RETURN NEXT;
            RETURN;
        END IF;
        IF receipt IS NULL THEN
            INSERT INTO public.erasure_requests (user_id, requested_at, deadline_at, state)
            VALUES (v_user, closed_at, closed_at + interval '1 month', 'PENDING')
            RETURNING id INTO receipt;
            PERFORM app.note_account_erasure(receipt, 'PENDING', 'user_deleted');
            reached := 'PENDING';
        END IF;
        SELECT c.cause INTO last_cause FROM public.erasure_state_changes AS c
        WHERE c.user_id = v_user AND c.erasure_id = receipt ORDER BY c.position DESC LIMIT 1;
        IF app.is_account_held() THEN
            IF last_cause IS DISTINCT FROM 'held' THEN
                PERFORM app.note_account_erasure(receipt, reached, 'held');
            END IF;
            outcome := 'HELD';
            RETURN NEXT;
            RETURN;
        END IF;
        IF last_cause = 'held' THEN
            PERFORM app.note_account_erasure(receipt, reached, 'released');
        END IF;
        IF reached = 'PENDING' THEN
            UPDATE public.erasure_requests AS e SET state = 'RUNNING' WHERE e.user_id = v_user AND e.id = receipt;
            PERFORM app.note_account_erasure(receipt, 'RUNNING', 'grace_period_over');
            -- Tokens open accounts elsewhere: they go first.
            DELETE FROM public.integrations AS i WHERE i.user_id = v_user;
            GET DIAGNOSTICS removed = ROW_COUNT;
            PERFORM app.count_account_erasure(receipt, 'integrations', removed);
        END IF;
        outcome := 'STARTED';
        RETURN NEXT;
    END
    $$;
COMMENT ON FUNCTION app.start_account_erasure(interval) IS
    'Begins to erase the bound tenant''s account, or goes on: (grace period). outcome is STARTED; NOT_DUE when the account is open, erased, or closed for less than the grace period; HELD when a legal hold forbids it. Integrations go at once. An account that was closed without a request gets one.';
GRANT EXECUTE ON FUNCTION app.start_account_erasure(interval) TO pmcrm_service;

CREATE FUNCTION app.take_account_erasure(receipt uuid) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
        IF NOT pg_try_advisory_xact_lock(hashtextextended('erase account ' || receipt, 0)) THEN
            RETURN false;
        END IF;
        RETURN NOT app.is_account_held() AND EXISTS (
            SELECT FROM public.erasure_requests AS e
            WHERE e.user_id = app.current_user_id() AND e.id = receipt AND e.state = 'RUNNING'
        );
    END
    $$;
COMMENT ON FUNCTION app.take_account_erasure(uuid) IS
    'Whether this transaction may do the next step of an erasure: false when another one is doing one, when a legal hold was placed, and when all is done.';
GRANT EXECUTE ON FUNCTION app.take_account_erasure(uuid) TO pmcrm_service;


CREATE FUNCTION app.erase_account_rows(receipt uuid, target text, most integer) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.check_account_erasure(receipt);
        tables text[] := ARRAY(SELECT t.table_name FROM app.tables_of_accounts() AS t ORDER BY t.place);
        place integer := array_position(tables, target);
        removed bigint;
    BEGIN
        IF place IS NULL THEN
            RAISE EXCEPTION '% is no table that is emptied', target USING ERRCODE = 'invalid_parameter_value';
        END IF;
        EXECUTE format(
            'DELETE FROM public.%1$I AS t WHERE t.user_id = $1 AND t.ctid = ANY (ARRAY('
            'SELECT s.ctid FROM public.%1$I AS s WHERE s.user_id = $1 LIMIT $2))',
            target
        ) USING v_user, most;
        GET DIAGNOSTICS removed = ROW_COUNT;
        -- What comes back while later tables are emptied was derived, and counts once. Integrations went before all.
        IF NOT EXISTS (
            SELECT FROM public.erasure_requests AS e
            WHERE e.user_id = v_user AND e.id = receipt
                AND e.row_counts ?| array_remove(tables[place + 1 :], 'integrations')
        ) THEN
            PERFORM app.count_account_erasure(receipt, target, removed);
        END IF;
        RETURN removed;
    END
    $$;
COMMENT ON FUNCTION app.erase_account_rows(uuid, text, integer) IS
    'Deletes the next rows of the bound tenant from one table of app.tables_of_accounts, and counts them: (receipt, table, at most). Returns how many.';
GRANT EXECUTE ON FUNCTION app.erase_account_rows(uuid, text, integer) TO pmcrm_service;

CREATE FUNCTION app.empty_account_consents(receipt uuid, most integer) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.check_account_erasure(receipt);
        emptied bigint;
    BEGIN
        UPDATE public.consent_records AS c SET ip_address = NULL, user_agent = NULL, note = NULL, source = NULL
        WHERE c.user_id = v_user AND c.id = ANY (ARRAY(
            SELECT s.id FROM public.consent_records AS s
            WHERE s.user_id = v_user AND num_nonnulls(s.ip_address, s.user_agent, s.note, s.source) > 0
            LIMIT most
        ));
        GET DIAGNOSTICS emptied = ROW_COUNT;
        PERFORM app.count_account_erasure(receipt, 'consent_records', emptied);
        RETURN emptied;
    END
    $$;
COMMENT ON FUNCTION app.empty_account_consents(uuid, integer) IS
    'Takes what is personal from the next declarations of the bound tenant and its contacts, and counts them: (receipt, at most). Returns how many.';
GRANT EXECUTE ON FUNCTION app.empty_account_consents(uuid, integer) TO pmcrm_service;

CREATE FUNCTION app.empty_account_shell(receipt uuid) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.check_account_erasure(receipt);
        emptied bigint;
        of_operators bigint;
    BEGIN
        -- Once, or the log would tell how often it was begun.
        IF EXISTS (
            SELECT FROM public.erasure_requests AS e WHERE e.user_id = v_user AND e.id = receipt AND e.row_counts ? 'users'
        ) THEN
            RETURN;
        END IF;
        -- Every column but these goes back to what a new user has.
        EXECUTE (
            SELECT 'UPDATE public.users SET ' || string_agg(format('%I = DEFAULT', a.attname), ', ') || ' WHERE id = $1'
            FROM pg_attribute AS a
            WHERE a.attrelid = 'public.users'::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
                AND a.attname NOT IN ('id', 'created_at', 'updated_at', 'deleted_at', 'erased_at', 'revision')
        ) USING v_user;
        PERFORM app.count_account_erasure(receipt, 'users', 1);
        UPDATE public.legal_holds AS h SET reason = 'erased' WHERE h.user_id = v_user;
        GET DIAGNOSTICS emptied = ROW_COUNT;
        PERFORM app.count_account_erasure(receipt, 'legal_holds', emptied);
        UPDATE public.erasure_requests AS e SET reason = NULL WHERE e.user_id = v_user AND e.reason IS NOT NULL;
        GET DIAGNOSTICS emptied = ROW_COUNT;
        PERFORM app.count_account_erasure(receipt, 'erasure_requests', emptied);
        SELECT f.of_operators INTO of_operators FROM app.forget_answers(ARRAY[v_user]) AS f;
        PERFORM app.count_account_erasure(receipt, 'operator_idempotency_keys', of_operators);
    END
    $$;
COMMENT ON FUNCTION app.empty_account_shell(uuid) IS
    'Takes what is personal from the rows that remain of the bound tenant, but for declarations and the audit log, and from what operators were answered about it: (receipt).';
GRANT EXECUTE ON FUNCTION app.empty_account_shell(uuid) TO pmcrm_service;

CREATE FUNCTION app.empty_account_log(receipt uuid, after_at timestamptz, after_id uuid, most integer)
    RETURNS TABLE (last_at timestamptz, last_id uuid, entries bigint)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.check_account_erasure(receipt);
        times timestamptz[];
        ids uuid[];
        emptied uuid[];
        named_by uuid;
    BEGIN
        SELECT array_agg(e.at ORDER BY e.at, e.id), array_agg(e.id ORDER BY e.at, e.id) INTO times, ids
        FROM (
            SELECT n.at, n.id
            FROM (
                SELECT a.at, a.id FROM public.audit_logs AS a
                WHERE a.user_id = v_user AND (a.at, a.id) > (after_at, after_id)
                    AND a.erased_by IS NULL AND a.action NOT IN ('ERASE', 'ARCHIVE', 'DROP')
                UNION ALL
                SELECT a.at, a.id FROM public.audit_logs_archive AS a
                WHERE a.user_id = v_user AND (a.at, a.id) > (after_at, after_id)
                    AND a.erased_by IS NULL AND a.action NOT IN ('ERASE', 'ARCHIVE', 'DROP')
            ) AS n
            ORDER BY n.at, n.id
            LIMIT most
        ) AS e;
        entries := coalesce(cardinality(ids), 0);
        IF entries > 0 THEN
            emptied := app.empty_audit_entries(receipt, times, ids);
            named_by := app.audit_erasure(v_user, receipt, emptied);
            UPDATE public.erasure_requests AS e SET audit_entry_id = named_by
            WHERE e.user_id = v_user AND e.id = receipt AND e.audit_entry_id IS NULL;
            PERFORM app.count_account_erasure(receipt, 'audit_logs', cardinality(emptied));
            last_at := times[entries];
            last_id := ids[entries];
        END IF;
        RETURN NEXT;
    END
    $$;
COMMENT ON FUNCTION app.empty_account_log(uuid, timestamptz, uuid, integer) IS
    'Takes the payloads of the next entries of the bound tenant''s log and archive, after one at (at, id), counts them, and writes an entry that names them: (receipt, at, id, at most). Returns the last one, and how many.';
GRANT EXECUTE ON FUNCTION app.empty_account_log(uuid, timestamptz, uuid, integer) TO pmcrm_service;

CREATE FUNCTION app.finish_account_erasure(receipt uuid) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.check_account_erasure(receipt);
        target text;
        remains boolean;
    BEGIN
        -- FOR UPDATE, so that nothing refers to the tenant any more that was not seen here.
        PERFORM FROM public.users AS u WHERE u.id = v_user FOR UPDATE;
        FOR target IN SELECT t.table_name FROM app.tables_of_accounts() AS t LOOP
            EXECUTE format('SELECT EXISTS (SELECT FROM public.%I AS t WHERE t.user_id = $1)', target) INTO remains USING v_user;
            IF remains THEN
                RETURN false;
            END IF;
        END LOOP;
        IF EXISTS (
            SELECT FROM public.consent_records AS c
            WHERE c.user_id = v_user AND num_nonnulls(c.ip_address, c.user_agent, c.note, c.source) > 0
        ) OR EXISTS (
            SELECT FROM public.audit_logs AS a
            WHERE a.user_id = v_user AND a.erased_by IS NULL AND a.action NOT IN ('ERASE', 'ARCHIVE', 'DROP')
        ) OR EXISTS (
            SELECT FROM public.audit_logs_archive AS a
            WHERE a.user_id = v_user AND a.erased_by IS NULL AND a.action NOT IN ('ERASE', 'ARCHIVE', 'DROP')
        ) THEN
            RETURN false;
        END IF;
        UPDATE public.erasure_requests AS e
        SET state = 'COMPLETED', erased_at = now(),
            audit_entry_id = coalesce(e.audit_entry_id, app.audit_erasure(v_user, receipt, '{}'))
        WHERE e.user_id = v_user AND e.id = receipt;
        PERFORM app.note_account_erasure(receipt, 'COMPLETED', 'erased');
        UPDATE public.users AS u SET erased_at = now() WHERE u.id = v_user;
        RETURN true;
    END
    $$;
COMMENT ON FUNCTION app.finish_account_erasure(uuid) IS
    'Completes the erasure of the bound tenant''s account, when nothing is left of it: (receipt). Returns false when something is.';
GRANT EXECUTE ON FUNCTION app.finish_account_erasure(uuid) TO pmcrm_service;
