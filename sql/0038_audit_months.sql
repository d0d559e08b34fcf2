-- Months of the audit log: moved to the archive when they are old enough, and dropped at the end of their time. Whole months,
-- which takes no longer however many entries they have, and only when the seals cover every entry of them.

-- Entries about what is done to the log of many tenants at once.
CREATE FUNCTION app.audit_events_for(action text, table_name text, tenants uuid[], payloads jsonb[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
        IF action NOT IN ('ARCHIVE', 'DROP') THEN
            RAISE EXCEPTION 'an entry of many tenants is about archiving or dropping' USING
                ERRCODE = 'invalid_parameter_value';
        END IF;
        -- Without actor, address and agent: nothing in it is personal, and nothing of it is ever erased.
        INSERT INTO public.audit_logs (user_id, subject_id, request_id, table_name, action, role_name, new_values, salt, digest)
        SELECT
            e.tenant, e.tenant, nullif(current_setting('app.request_id', true), '')::uuid, audit_events_for.table_name,
            audit_events_for.action, session_user, e.payload, e.salt, app.audit_digest(e.salt, NULL, e.payload, NULL, NULL, NULL)
        FROM (
            SELECT given.tenant, given.payload, uuid_send(gen_random_uuid()) AS salt
            FROM unnest(tenants, payloads) AS given (tenant, payload)
            -- Evaluated once for each row: the digest is of the salt that is stored.
            OFFSET 0
        ) AS e;
    END
    $$;
COMMENT ON FUNCTION app.audit_events_for(text, text, uuid[], jsonb[]) IS
    'Writes an audit entry about ARCHIVE or DROP for each of these tenants, with its payload.';
GRANT CREATE ON SCHEMA app TO pmcrm_audit;
ALTER FUNCTION app.audit_events_for(text, text, uuid[], jsonb[]) OWNER TO pmcrm_audit;
REVOKE CREATE ON SCHEMA app FROM pmcrm_audit;
SET LOCAL ROLE pmcrm_audit;
GRANT EXECUTE ON FUNCTION app.audit_events_for(text, text, uuid[], jsonb[]) TO pmcrm_owner;
SET LOCAL ROLE pmcrm_owner;


-- All functions below belong to pmcrm_owner, as the partitions do. None of them is granted to a service's role.
CREATE FUNCTION app.audit_partitions(archived boolean) RETURNS TABLE (month date, partition regclass)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT to_date(right(c.relname, 7), 'YYYY_MM'), c.oid::regclass
        FROM pg_inherits AS i
        JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = CASE WHEN archived THEN 'public.audit_logs_archive' ELSE 'public.audit_logs' END::regclass
            AND c.relname ~ '^audit_logs_\d{4}_\d\d$'
    $$;
COMMENT ON FUNCTION app.audit_partitions(boolean) IS 'The months (by their first day, in UTC) that the audit log or its archive has.';

-- Binds one tenant after the other, to see its seals and holds: on one node, where the setting is this session's alone. Ends
-- bound to none.
CREATE FUNCTION app.tenants_of_month(partition regclass, month date)
    RETURNS TABLE (tenant uuid, entries bigint, unsealed bigint, held boolean, first_seq bigint, last_seq bigint)
    LANGUAGE plpgsql VOLATILE ROWS 1000 SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        first timestamptz := month::timestamp AT TIME ZONE 'UTC';
        next timestamptz := (month + interval '1 month') AT TIME ZONE 'UTC';
    BEGIN
        IF app.current_user_id() IS NOT NULL THEN
            RAISE EXCEPTION 'this transaction is bound to a tenant' USING ERRCODE = 'object_not_in_prerequisite_state';
        END IF;
        FOR tenant, entries IN
            EXECUTE format('SELECT p.user_id, count(*) FROM %s AS p GROUP BY p.user_id ORDER BY p.user_id', partition)
        LOOP
            EXECUTE format('SET LOCAL app.current_user_id = %L', tenant);
            EXECUTE format(
                $unsealed$
                    SELECT count(*) FROM %s AS p
                    WHERE p.user_id = $1 AND p.id NOT IN (
                        SELECT unnest(s.entry_ids) FROM public.audit_seals AS s
                        WHERE s.user_id = $1 AND s.first_at >= $2 AND s.first_at < $3
                    )
                $unsealed$,
                partition
            )
            INTO unsealed USING tenant, first, next;
            SELECT min(s.seq), max(s.seq) INTO first_seq, last_seq
            FROM public.audit_seals AS s
            WHERE s.user_id = tenant AND s.first_at >= first AND s.first_at < next;
            -- Also when it is on one contact: what the log says of a contact stands under other subjects as well.
            held := EXISTS (SELECT FROM public.legal_holds AS h WHERE h.user_id = tenant AND h.released_at IS NULL);
            RETURN NEXT;
        END LOOP;
        SET LOCAL app.current_user_id = '';
    END
    $$;
COMMENT ON FUNCTION app.tenants_of_month(regclass, date) IS
    'The tenants with entries in a month: how many, how many of them no seal covers, whether a legal hold is on the tenant or on one of its contacts, and which seals cover the month. Raises in a transaction that is bound to a tenant.';

CREATE FUNCTION app.audit_months(archived boolean, years integer)
    RETURNS TABLE (month date, entries bigint, sealed boolean, held boolean)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        found record;
    BEGIN
        IF years NOT BETWEEN 1 AND 100 THEN
            RAISE EXCEPTION 'years must be between 1 and 100' USING ERRCODE = 'invalid_parameter_value';
        END IF;
        FOR found IN
            SELECT p.month, p.partition FROM app.audit_partitions(archived) AS p
            WHERE (p.month + interval '1 month') AT TIME ZONE 'UTC' <= now() - make_interval(years => years)
            ORDER BY p.month
        LOOP
            month := found.month;
            SELECT coalesce(sum(t.entries), 0), coalesce(bool_and(t.unsealed = 0), true), coalesce(bool_or(t.held), false)
            INTO entries, sealed, held
            FROM app.tenants_of_month(found.partition, found.month) AS t;
            RETURN NEXT;
        END LOOP;
    END
    $$;
COMMENT ON FUNCTION app.audit_months(boolean, integer) IS
    'The months of the audit log, or of its archive, whose last day is at least so many years ago, the oldest first: how many entries, whether seals cover all of them, and whether a legal hold is on one of their tenants.';
GRANT EXECUTE ON FUNCTION app.audit_months(boolean, integer) TO pmcrm_service;

CREATE FUNCTION app.finished_month(archived boolean, asked date) RETURNS regclass
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        found regclass;
    BEGIN
        SELECT p.partition INTO found FROM app.audit_partitions(archived) AS p WHERE p.month = asked;
        IF found IS NULL THEN
            RAISE EXCEPTION 'the % has no month %', CASE WHEN archived THEN 'archive' ELSE 'audit log' END, asked USING
                ERRCODE = 'no_data_found';
        END IF;
        -- What may still get entries is never moved.
        IF (asked + interval '1 year') AT TIME ZONE 'UTC' > now() THEN
            RAISE EXCEPTION 'month % is not a year old', asked USING ERRCODE = 'object_not_in_prerequisite_state';
        END IF;
        RETURN found;
    END
    $$;
COMMENT ON FUNCTION app.finished_month(boolean, date) IS
    'The partition of a month of the audit log or of its archive. Raises no_data_found when it has none, object_not_in_prerequisite_state when the month is younger than a year.';


-- With a valid constraint that says what the partition's bounds say, attaching reads no rows while everybody waits.
CREATE FUNCTION app.prepare_audit_partition(month date) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s'
    AS $$
    DECLARE
        partition regclass := app.finished_month(false, month);
        valid boolean := (
            SELECT c.convalidated FROM pg_constraint AS c
            WHERE c.conrelid = app.finished_month(false, month) AND c.conname = 'month_check'
        );
    BEGIN
        IF valid IS NULL THEN
            EXECUTE format(
                'ALTER TABLE %s ADD CONSTRAINT month_check CHECK (at IS NOT NULL AND at >= %L AND at < %L) NOT VALID',
                partition, month::timestamp AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC'
            );
        ELSIF NOT valid THEN
            EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT month_check', partition);
        END IF;
        RETURN coalesce(valid, false);
    END
    $$;
COMMENT ON FUNCTION app.prepare_audit_partition(date) IS
    'Makes a month of the audit log ready for app.archive_audit_partition: to be called in transactions of its own until it returns true.';
GRANT EXECUTE ON FUNCTION app.prepare_audit_partition(date) TO pmcrm_service;

CREATE FUNCTION app.archive_audit_partition(month date) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s'
    AS $$
    DECLARE
        partition regclass := app.finished_month(false, month);
        tenants uuid[];
        payloads jsonb[];
        counted bigint;
        uncovered bigint;
    BEGIN
        -- Nobody makes partitions meanwhile, nor moves another month.
        PERFORM pg_advisory_xact_lock(hashtext('app.create_audit_partitions'));
        SELECT
            coalesce(array_agg(t.tenant), '{}'),
            coalesce(array_agg(jsonb_build_object('month', to_char(month, 'YYYY-MM'), 'entries', t.entries)), '{}'),
            coalesce(sum(t.entries), 0), coalesce(sum(t.unsealed), 0)
        INTO tenants, payloads, counted, uncovered
        FROM app.tenants_of_month(partition, month) AS t;
        IF uncovered > 0 THEN
            RAISE EXCEPTION 'no seal covers % entries of month %', uncovered, month USING
                ERRCODE = 'object_not_in_prerequisite_state';
        END IF;
        PERFORM app.audit_events_for('ARCHIVE', 'audit_logs', tenants, payloads);
        -- From here on everybody who writes waits, which is why nothing is left to do but this.
        EXECUTE format('ALTER TABLE public.audit_logs DETACH PARTITION %s', partition);
        EXECUTE format(
            'ALTER TABLE public.audit_logs_archive ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)',
            partition, month::timestamp AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC'
        );
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS month_check', partition);
        RETURN counted;
    END
    $$;
COMMENT ON FUNCTION app.archive_audit_partition(date) IS
    'Moves a month, named by its first day, from the audit log to the archive, with an entry ARCHIVE for each tenant that has entries in it. Returns how many entries. Raises object_not_in_prerequisite_state while seals do not cover the whole month or it is younger than a year, lock_not_available rather than wait for long.';
GRANT EXECUTE ON FUNCTION app.archive_audit_partition(date) TO pmcrm_service;

CREATE FUNCTION app.say_again(partition regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        tenants uuid[];
        payloads jsonb[];
        tenant uuid;
        erasure record;
    BEGIN
        EXECUTE format(
            $dropped$
                SELECT coalesce(array_agg(d.user_id), '{}'), coalesce(array_agg(d.new_values), '{}')
                FROM (SELECT DISTINCT p.user_id, p.new_values FROM %s AS p WHERE p.action = 'DROP') AS d
            $dropped$,
            partition
        )
        INTO tenants, payloads;
        PERFORM app.audit_events_for('DROP', 'audit_logs_archive', tenants, payloads);
        FOR tenant IN
            EXECUTE format('SELECT DISTINCT p.user_id FROM %s AS p WHERE p.action = ''ERASE'' ORDER BY 1', partition)
        LOOP
            EXECUTE format('SET LOCAL app.current_user_id = %L', tenant);
            FOR erasure IN
                EXECUTE format(
                    $emptied$
                        SELECT e.subject_id, e.row_id, array_agg(DISTINCT a.id) AS entries
                        FROM %1$s AS e
                        CROSS JOIN LATERAL jsonb_array_elements_text(
                            CASE jsonb_typeof(e.new_values -> 'entries')
                                WHEN 'array' THEN e.new_values -> 'entries' ELSE '[]'
                            END
                        ) AS n (id)
                        JOIN (
                            SELECT l.id, l.erased_by FROM public.audit_logs AS l
                            WHERE l.user_id = $1 AND l.erased_by IS NOT NULL
                            UNION ALL
                            SELECT l.id, l.erased_by FROM public.audit_logs_archive AS l
                            WHERE l.user_id = $1 AND l.erased_by IS NOT NULL AND l.tableoid <> $2
                        ) AS a ON a.erased_by = e.row_id AND a.id::text = n.id
                        WHERE e.user_id = $1 AND e.action = 'ERASE'
                        GROUP BY e.subject_id, e.row_id
                    $emptied$,
                    partition
                )
                USING tenant, partition::oid
            LOOP
                PERFORM app.audit_erasure(erasure.subject_id, erasure.row_id, erasure.entries);
            END LOOP;
        END LOOP;
        SET LOCAL app.current_user_id = '';
    END
    $$;
COMMENT ON FUNCTION app.say_again(regclass) IS
    'Writes anew what the entries of a month, which is about to be dropped, say of others: DROP of earlier months, and ERASE of entries that other months still have. Without them, those would look as if somebody had tampered with the log. Ends bound to no tenant.';

CREATE FUNCTION app.drop_audit_partition(month date) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s'
    AS $$
    DECLARE
        partition regclass := app.finished_month(true, month);
        tenants uuid[];
        payloads jsonb[];
        counted bigint;
        uncovered bigint;
        is_held boolean;
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtext('app.create_audit_partitions'));
        SELECT
            coalesce(array_agg(t.tenant), '{}'),
            coalesce(
                array_agg(jsonb_build_object(
                    'month', to_char(month, 'YYYY-MM'), 'first_seq', t.first_seq, 'last_seq', t.last_seq, 'entries', t.entries
                )),
                '{}'
            ),
            coalesce(sum(t.entries), 0), coalesce(sum(t.unsealed), 0), coalesce(bool_or(t.held), false)
        INTO tenants, payloads, counted, uncovered, is_held
        FROM app.tenants_of_month(partition, month) AS t;
        IF uncovered > 0 OR is_held THEN
            RAISE EXCEPTION 'month % may not be dropped: %', month,
                CASE WHEN is_held THEN 'a legal hold keeps it' ELSE 'seals do not cover all of it' END
                USING ERRCODE = 'object_not_in_prerequisite_state';
        END IF;
        -- The seals stay, and these entries say why what they cover is gone.
        PERFORM app.audit_events_for('DROP', 'audit_logs_archive', tenants, payloads);
        PERFORM app.say_again(partition);
        EXECUTE format('DROP TABLE %s', partition);
        RETURN counted;
    END
    $$;
COMMENT ON FUNCTION app.drop_audit_partition(date) IS
    'Drops a month, named by its first day, from the archive, with an entry DROP for each tenant that has entries in it, and what its own entries say of other months said again, in the same transaction. Returns how many entries. Raises object_not_in_prerequisite_state while seals do not cover the whole month, a legal hold keeps it, or it is younger than a year; lock_not_available rather than wait for long.';
GRANT EXECUTE ON FUNCTION app.drop_audit_partition(date) TO pmcrm_service;
