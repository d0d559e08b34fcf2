-- What makes tampering with the audit log show: seals over batches of its entries, chained for each tenant and keyed with a
-- secret that the database does not hold; the archive; and what an erasure leaves of an entry.

-- What matters and writes no row of its own has entries, too.
ALTER TABLE audit_logs DROP CONSTRAINT audit_logs_action_check;
ALTER TABLE audit_logs ADD CONSTRAINT audit_logs_action_check CHECK (
    action IN ('INSERT', 'UPDATE', 'DELETE', 'READ', 'IMPORT', 'EXPORT', 'ERASE', 'ARCHIVE', 'DROP')
);
ALTER TABLE audit_logs ADD COLUMN erased_by uuid;
COMMENT ON COLUMN audit_logs.erased_by IS
    'The receipt of the erasure that took old_values, new_values, actor, client_ip, user_agent and salt. An entry of that erasure names this one.';
-- By time across tenants, for the sealing alone. Entries come in the order of their time, so that a few bytes for each
-- 32 pages do.
CREATE INDEX audit_logs_at_idx ON audit_logs USING brin (at) WITH (pages_per_range = 32, autosummarize = on);

-- Months that are old enough are detached from audit_logs and attached here.
CREATE TABLE audit_logs_archive (LIKE audit_logs INCLUDING ALL) PARTITION BY RANGE (at);
COMMENT ON TABLE audit_logs_archive IS
    'Entries of months that app.archive_audit_partition has moved here, until app.drop_audit_partition removes them.';
ALTER TABLE audit_logs_archive ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_logs_archive FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_logs_archive
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());
GRANT SELECT ON audit_logs_archive TO pmcrm_gdpr, pmcrm_service;
-- NOTE: nobody may insert, update or delete: months come and go whole.

-- What is read of the log, archive included. Its proof reads the tables instead: a view can be made to say anything.
CREATE VIEW audit_rows WITH (security_invoker) AS
SELECT user_id, at, id, subject_id, row_id,
    -- An event is about the row that it names, and about many when that is none.
    CASE
        WHEN row_id IS NOT NULL THEN row_id
        WHEN action IN ('INSERT', 'UPDATE', 'DELETE') OR subject_id <> user_id THEN subject_id
    END AS entity_id,
    request_id, table_name, action, role_name, actor, client_ip, user_agent, old_values, new_values, erased_by,
    false AS archived
FROM audit_logs
UNION ALL
SELECT user_id, at, id, subject_id, row_id,
    CASE
        WHEN row_id IS NOT NULL THEN row_id
        WHEN action IN ('INSERT', 'UPDATE', 'DELETE') OR subject_id <> user_id THEN subject_id
    END,
    request_id, table_name, action, role_name, actor, client_ip, user_agent, old_values, new_values, erased_by,
    true
FROM audit_logs_archive;
COMMENT ON VIEW audit_rows IS 'The audit log and its archive, as ListAuditLogs tells of them.';
GRANT SELECT ON audit_rows TO pmcrm_gdpr, pmcrm_service;

-- Operators' reading is noted in the log that they read.
SET LOCAL ROLE pmcrm_audit;
GRANT EXECUTE ON FUNCTION app.audit_event(text, text, uuid, jsonb) TO pmcrm_service;
SET LOCAL ROLE pmcrm_owner;


CREATE TABLE audit_seals (
    user_id uuid NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    sealed_at timestamptz NOT NULL DEFAULT now(),
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    horizon timestamptz NOT NULL,
    entry_ids uuid[] NOT NULL CHECK (cardinality(entry_ids) > 0),
    entry_hashes bytea NOT NULL,
    previous bytea NOT NULL CHECK (length(previous) = 32),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    key_id text NOT NULL CHECK (key_id <> ''),
    PRIMARY KEY (user_id, seq),
    CHECK (length(entry_hashes) = 32 * cardinality(entry_ids)),
    CHECK (first_at <= last_at AND last_at < horizon)
);
COMMENT ON TABLE audit_seals IS
    'Chained seals over the audit entries of each tenant. They outlive the entries that they cover, and the tenant.';
-- NOTE: no foreign key to users: the proof of an erased tenant outlives it.
COMMENT ON COLUMN audit_seals.seq IS 'Counts the tenant''s seals from 1.';
COMMENT ON COLUMN audit_seals.horizon IS
    'All of the tenant''s entries from before this are in this seal or an earlier one; no transaction that could still write one was open.';
COMMENT ON COLUMN audit_seals.entry_ids IS 'The entries, in the order of (at, id). All of one month.';
COMMENT ON COLUMN audit_seals.entry_hashes IS
    'For each entry 32 bytes: SHA-256 over its metadata and its digest. They tell which entry of a seal is at fault.';
COMMENT ON COLUMN audit_seals.previous IS 'The hash of the seal before; of the first one, 32 zero bytes.';
COMMENT ON COLUMN audit_seals.hash IS
    'HMAC-SHA256, with the key `key_id` of PMCRM_SEAL_KEYS, over the tenant and all other columns.';
-- Which seal covers an entry: the first one that ends no earlier.
CREATE INDEX audit_seals_last_idx ON audit_seals (user_id, last_at);

ALTER TABLE audit_seals ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_seals FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_seals
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());
GRANT SELECT ON audit_seals TO pmcrm_gdpr;
GRANT SELECT, INSERT ON audit_seals TO pmcrm_service;
-- NOTE: nobody may update or delete a seal.

CREATE TABLE app.audit_sealing (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    horizon timestamptz NOT NULL
);
COMMENT ON TABLE app.audit_sealing IS
    'Up to when the entries of all tenants are sealed: where the next sealing begins to look. One row. Global.';
INSERT INTO app.audit_sealing (horizon) VALUES ('-infinity');
GRANT SELECT ON app.audit_sealing TO pmcrm_gdpr;
GRANT SELECT, UPDATE (horizon) ON app.audit_sealing TO pmcrm_service;


-- No entry from before this moment can come any more: an entry's `at` is read from the clock while its transaction is open.
CREATE FUNCTION app.audit_horizon() RETURNS timestamptz LANGUAGE sql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT least(
            -- Who may not see when others' transactions began waits longer than any of them may take.
            clock_timestamp() - CASE
                WHEN pg_has_role('pg_read_all_stats', 'USAGE') THEN interval '1 second' ELSE interval '15 minutes'
            END,
            (
                SELECT min(a.xact_start) FROM pg_stat_activity AS a
                WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
                    -- These read only, and may take hours.
                    AND a.usename IS DISTINCT FROM 'pmcrm_backup' AND a.backend_type NOT LIKE 'autovacuum%'
                    -- These run outside of transaction blocks, and write no rows.
                    AND NOT (a.state = 'active' AND a.query ~* '^\s*(VACUUM|REINDEX|CREATE\s+INDEX\s+CONCURRENTLY)\y')
                    -- And these hold a periodic task, for as long as it runs, and do nothing else.
                    AND NOT (
                        a.usename = 'pmcrm_service' AND EXISTS (
                            SELECT FROM pg_locks AS l
                            WHERE l.pid = a.pid AND l.locktype = 'advisory' AND l.objsubid = 2
                                AND l.database = a.datid AND l.classid = (hashtext('pmcrm task')::bigint & 4294967295)::oid
                        )
                    )
            ),
            (SELECT min(p.prepared) - interval '15 minutes' FROM pg_prepared_xacts AS p WHERE p.database = current_database())
        )
    $$;
COMMENT ON FUNCTION app.audit_horizon() IS
    'Before which moment no further audit entry can appear: the beginning of the oldest open transaction, or a second ago. To be asked before the entries are read, in a transaction of its own.';
GRANT EXECUTE ON FUNCTION app.audit_horizon() TO pmcrm_service;
