-- What imports need: to know again a record that came without an id of its own, and to leave an entry in the audit log.

CREATE INDEX contacts_source_hash_idx ON contacts (user_id, source_hash)
    WHERE deleted_at IS NULL AND source_uid IS NULL AND source_hash IS NOT NULL;

-- What is worth an entry and writes no row: an import as a whole, and in time exports and reads of credentials.
ALTER TABLE audit_logs DROP CONSTRAINT audit_logs_action_check;
ALTER TABLE audit_logs ADD CONSTRAINT audit_logs_action_check CHECK (action IN ('INSERT', 'UPDATE', 'DELETE', 'IMPORT'));

CREATE FUNCTION app.audit_event(action text, table_name text, subject_id uuid, payload jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        v_salt bytea := uuid_send(gen_random_uuid());
        v_actor text := convert_from(decode(nullif(current_setting('app.actor', true), ''), 'hex'), 'UTF8');
        v_agent text := convert_from(decode(nullif(current_setting('app.user_agent', true), ''), 'hex'), 'UTF8');
        v_ip inet := nullif(current_setting('app.client_ip', true), '')::inet;
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        INSERT INTO public.audit_logs (
            user_id, subject_id, request_id, table_name, action, role_name, actor, client_ip, user_agent,
            new_values, salt, digest
        ) VALUES (
            v_user, coalesce(audit_event.subject_id, v_user), nullif(current_setting('app.request_id', true), '')::uuid,
            audit_event.table_name, audit_event.action, session_user, v_actor, v_ip, v_agent,
            payload, v_salt, app.audit_digest(v_salt, NULL, payload, v_actor, v_ip, v_agent)
        );
    END
    $$;
COMMENT ON FUNCTION app.audit_event(text, text, uuid, jsonb) IS
    'Writes an audit entry of the bound tenant for what writes no row: (action, table, subject or NULL for the tenant, payload). Raises without a tenant.';
GRANT CREATE ON SCHEMA app TO pmcrm_audit;
ALTER FUNCTION app.audit_event(text, text, uuid, jsonb) OWNER TO pmcrm_audit;
REVOKE CREATE ON SCHEMA app FROM pmcrm_audit;
SET LOCAL ROLE pmcrm_audit;
GRANT EXECUTE ON FUNCTION app.audit_event(text, text, uuid, jsonb)
    TO pmcrm_contacts, pmcrm_interactions, pmcrm_insights, pmcrm_gdpr;
SET LOCAL ROLE pmcrm_owner;
