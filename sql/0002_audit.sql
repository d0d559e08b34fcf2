-- The audit log: one row for every write to every tenant table, whoever made it.

CREATE TABLE audit_logs (
    user_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    id uuid NOT NULL DEFAULT app.uuid_v7(),
    subject_id uuid NOT NULL,
    row_id uuid,
    request_id uuid,
    table_name text NOT NULL,
    action text NOT NULL CHECK (action IN ('INSERT', 'UPDATE', 'DELETE')),
    role_name text NOT NULL,
    actor text,
    client_ip inet,
    user_agent text,
    old_values jsonb,
    new_values jsonb,
    salt bytea,
    digest bytea NOT NULL,
    PRIMARY KEY (user_id, at, id)
) PARTITION BY RANGE (at);

COMMENT ON TABLE audit_logs IS
    'Who changed which row when. Partitioned by month; months are made ahead by app.create_audit_partitions, a row outside of them lands in audit_logs_default.';
-- NOTE: no foreign key to users: the log of an erased tenant outlives it.
COMMENT ON COLUMN audit_logs.at IS 'When the row was written: clock_timestamp(), so that entries of one transaction are ordered.';
COMMENT ON COLUMN audit_logs.subject_id IS 'The contact that the entry is about; the row itself for tables that are about no contact.';
COMMENT ON COLUMN audit_logs.row_id IS 'The id of the written row, where it has one that is not subject_id.';
COMMENT ON COLUMN audit_logs.request_id IS 'x-request-id of the call that wrote the row.';
COMMENT ON COLUMN audit_logs.role_name IS 'The database role that was logged in: a service, or pmcrm_service for operators and jobs.';
COMMENT ON COLUMN audit_logs.actor IS 'The person behind the calling backend, as that backend named it (x-actor).';
COMMENT ON COLUMN audit_logs.old_values IS
    'UPDATE: the changed columns before. INSERT and DELETE have no values: the row itself, or the old values of its later updates, hold an inserted one; those of a deleted one would write down what erasure destroys.';
COMMENT ON COLUMN audit_logs.new_values IS 'UPDATE: the changed columns after.';
COMMENT ON COLUMN audit_logs.salt IS 'Random; destroyed together with the payload, so that the digest tells nothing about it.';
COMMENT ON COLUMN audit_logs.digest IS
    'SHA-256 of salt and payload: the JSON array [old_values, new_values, actor, client_ip, user_agent]. What is erased leaves a digest that seals still cover.';

CREATE INDEX audit_logs_subject_idx ON audit_logs (user_id, subject_id);

ALTER TABLE audit_logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_logs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_logs
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());
-- The trigger writes for the tenant of the row, also when an operator's transaction is bound to none.
CREATE POLICY audit ON audit_logs FOR INSERT TO pmcrm_audit WITH CHECK (true);

GRANT INSERT ON audit_logs TO pmcrm_audit;
GRANT SELECT ON audit_logs TO pmcrm_gdpr, pmcrm_service;
-- NOTE: no role may update or delete entries; nobody but pmcrm_audit inserts them.

-- Partitions are tables of their own: no policy protects them, and therefore nobody is granted anything on them.
CREATE TABLE audit_logs_default PARTITION OF audit_logs DEFAULT;
COMMENT ON TABLE audit_logs_default IS 'Audit rows of months that have no partition yet; normally empty.';

CREATE FUNCTION app.audit_digest(
    salt bytea, old_values jsonb, new_values jsonb, actor text, client_ip inet, user_agent text
) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
        SELECT sha256(
            salt || convert_to(jsonb_build_array(old_values, new_values, actor, host(client_ip), user_agent)::text, 'UTF8')
        )
    $$;
COMMENT ON FUNCTION app.audit_digest(bytea, jsonb, jsonb, text, inet, text) IS
    'The digest of an audit row: SHA-256 of its salt and of its payload as a JSON array. Verification computes it again.';
GRANT EXECUTE ON FUNCTION app.audit_digest(bytea, jsonb, jsonb, text, inet, text)
    TO pmcrm_audit, pmcrm_gdpr, pmcrm_service;

-- AFTER row trigger. Arguments: the table's name (on Citus TG_TABLE_NAME is the shard's), the column that holds the tenant
-- (user_id or id), the column that names the subject (id or contact_id), then columns that are never written down.
-- The columns are named statically below: dynamic access costs more than all the rest.
CREATE FUNCTION app.audit_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        tenant uuid;
        subject uuid;
        written uuid;
        before jsonb;
        after jsonb;
        changed_before jsonb;
        changed_after jsonb;
        v_salt bytea;
        v_actor text := convert_from(decode(nullif(current_setting('app.actor', true), ''), 'hex'), 'UTF8');
        v_agent text := convert_from(decode(nullif(current_setting('app.user_agent', true), ''), 'hex'), 'UTF8');
        v_ip inet := nullif(current_setting('app.client_ip', true), '')::inet;
    BEGIN
        IF TG_OP = 'DELETE' THEN
            NEW := OLD;
        END IF;
        IF TG_ARGV[1] = 'id' THEN
            tenant := NEW.id;
        ELSE
            tenant := NEW.user_id;
        END IF;
        IF TG_ARGV[2] = 'id' THEN
            subject := NEW.id;
        ELSIF TG_ARGV[2] = 'contact_id' THEN
            subject := NEW.contact_id;
        ELSE
            subject := tenant;
        END IF;

        IF TG_OP = 'UPDATE' THEN
            before := to_jsonb(OLD);
            after := to_jsonb(NEW);
            SELECT jsonb_object_agg(key, value), jsonb_object_agg(key, before -> key)
            INTO changed_after, changed_before
            FROM jsonb_each(after)
            WHERE value IS DISTINCT FROM before -> key AND key <> ALL (TG_ARGV[3:]);
            IF changed_after IS NULL THEN
                RETURN NULL;  -- nothing that is ever written down has changed
            END IF;
            written := nullif(nullif(after ->> 'id', '')::uuid, subject);
        ELSIF TG_ARGV[2] <> 'id' THEN
            written := nullif((to_jsonb(NEW) ->> 'id')::uuid, subject);
        END IF;

        v_salt := uuid_send(gen_random_uuid());
        INSERT INTO public.audit_logs (
            user_id, subject_id, row_id, request_id, table_name, action, role_name, actor, client_ip, user_agent,
            old_values, new_values, salt, digest
        ) VALUES (
            tenant, subject, written, nullif(current_setting('app.request_id', true), '')::uuid, TG_ARGV[0], TG_OP,
            session_user, v_actor, v_ip, v_agent, changed_before, changed_after,
            v_salt, app.audit_digest(v_salt, changed_before, changed_after, v_actor, v_ip, v_agent)
        );
        RETURN NULL;
    END
    $$;
COMMENT ON FUNCTION app.audit_row() IS
    'AFTER row trigger (table, tenant column, subject column, excluded columns …): writes one audit_logs row.';
-- A new owner needs CREATE on the schema for the moment in which it becomes the owner.
GRANT CREATE ON SCHEMA app TO pmcrm_audit;
ALTER FUNCTION app.audit_row() OWNER TO pmcrm_audit;
REVOKE CREATE ON SCHEMA app FROM pmcrm_audit;
-- Who makes a trigger needs EXECUTE on its function, and its owner alone can grant that.
SET LOCAL ROLE pmcrm_audit;
GRANT EXECUTE ON FUNCTION app.audit_row() TO pmcrm_owner;
SET LOCAL ROLE pmcrm_owner;

CREATE FUNCTION app.create_audit_partitions(months_ahead integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        month timestamp;
        first timestamptz;
        next timestamptz;
        partition text;
        made integer := 0;
    BEGIN
        IF months_ahead NOT BETWEEN 0 AND 120 THEN
            RAISE EXCEPTION 'months_ahead must be between 0 and 120' USING ERRCODE = 'invalid_parameter_value';
        END IF;
        -- One at a time: two that both read the default partition could not both lock it.
        PERFORM pg_advisory_xact_lock(hashtext('app.create_audit_partitions'));
        FOR month IN
            -- The months that rows in the default partition belong to, and those to come. Months begin in UTC.
            SELECT date_trunc('month', at AT TIME ZONE 'UTC') FROM public.audit_logs_default
            UNION
            SELECT date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead)
            FROM generate_series(0, months_ahead) AS ahead
            ORDER BY 1
        LOOP
            partition := 'audit_logs_' || to_char(month, 'YYYY_MM');
            CONTINUE WHEN to_regclass(format('public.%I', partition)) IS NOT NULL;
            first := month AT TIME ZONE 'UTC';
            next := (month + interval '1 month') AT TIME ZONE 'UTC';
            -- Nobody may add to the default partition between the move and the attachment. What is written to the other
            -- months goes on meanwhile: attaching, unlike CREATE TABLE … PARTITION OF, leaves the parent usable.
            LOCK TABLE public.audit_logs_default IN ACCESS EXCLUSIVE MODE;
            EXECUTE format('CREATE TABLE public.%I (LIKE public.audit_logs INCLUDING ALL)', partition);
            EXECUTE format(
                'WITH moved AS (DELETE FROM public.audit_logs_default WHERE at >= %L AND at < %L RETURNING *) '
                'INSERT INTO public.%I SELECT * FROM moved',
                first, next, partition
            );
            EXECUTE format(
                'ALTER TABLE public.audit_logs ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                partition, first, next
            );
            EXECUTE format('COMMENT ON TABLE public.%I IS %L', partition, 'Audit rows of ' || to_char(month, 'YYYY-MM') || ' (UTC).');
            made := made + 1;
        END LOOP;
        RETURN made;
    END
    $$;
COMMENT ON FUNCTION app.create_audit_partitions(integer) IS
    'Makes the audit log''s partitions of this month and the given number of months to come, and of whatever lies in the default partition; moves the rows from there. Returns how many it made.';
GRANT EXECUTE ON FUNCTION app.create_audit_partitions(integer) TO pmcrm_service;

SELECT app.create_audit_partitions(3);
