-- Integrations: accounts elsewhere that another service keeps in step. Columns are named for the fields of
-- pmcrm.interactions.v1.Integration.

CREATE TABLE integrations (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT app.uuid_v7(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    revision integer NOT NULL DEFAULT 1,
    provider text COLLATE "C" NOT NULL CHECK (provider <> ''),
    account text NOT NULL CHECK (account <> ''),
    account_key text NOT NULL CHECK (account_key <> ''),
    display_name text CHECK (display_name <> ''),
    scopes text[] CHECK (scopes <> '{}'),
    settings jsonb CHECK (jsonb_typeof(settings) = 'object' AND settings <> '{}'),
    status text NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'EXPIRED', 'REVOKED', 'ERROR')),
    status_detail text CHECK (status_detail <> ''),
    tokens_stored_at timestamptz NOT NULL DEFAULT now(),
    token_expires_at timestamptz,
    refreshable boolean NOT NULL DEFAULT false,
    credentials bytea,
    key_id text,
    sync_cursor text CHECK (sync_cursor <> ''),
    last_sync_at timestamptz,
    last_sync_success_at timestamptz,
    sync_failures integer NOT NULL DEFAULT 0 CHECK (sync_failures >= 0),
    sync_version bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, id),
    -- Tokens are there while the integration lives, and gone for good in the statement that deletes it.
    CHECK ((credentials IS NULL) = (deleted_at IS NOT NULL)),
    CHECK ((credentials IS NULL) = (key_id IS NULL))
);
COMMENT ON TABLE integrations IS
    'Accounts elsewhere, with their tokens under lock and key and how far their synchronisation has come.';
COMMENT ON COLUMN integrations.deleted_at IS 'When it was deleted, and its tokens destroyed; the rest is purged a grace period later.';
COMMENT ON COLUMN integrations.revision IS
    'Counts changes; the etag is made from it. What the synchronisation says (status, sync state) and a new key do not count.';
COMMENT ON COLUMN integrations.provider IS 'In lower case.';
COMMENT ON COLUMN integrations.account_key IS
    'The account in NFC and case-folded: unique among the tenant''s living integrations with one provider.';
COMMENT ON COLUMN integrations.tokens_stored_at IS 'When the tokens were last replaced; in the audit log it stands for them.';
COMMENT ON COLUMN integrations.token_expires_at IS 'When the access token expires, as the provider said.';
COMMENT ON COLUMN integrations.refreshable IS 'Whether there is a refresh token among the credentials.';
COMMENT ON COLUMN integrations.credentials IS
    'The tokens (pmcrm.interactions.v1.Credentials, serialised) under AES-256-GCM: 12 bytes of nonce, ciphertext, tag. Bound to user_id and id: copied to another row they do not open.';
COMMENT ON COLUMN integrations.key_id IS 'Which key of PMCRM_ENCRYPTION_KEYS the tokens are under.';
COMMENT ON COLUMN integrations.sync_version IS 'Counts the changes of the sync state; the next one must name it.';

CREATE UNIQUE INDEX integrations_account_key ON integrations (user_id, provider, account_key) WHERE deleted_at IS NULL;

ALTER TABLE integrations ENABLE ROW LEVEL SECURITY;
ALTER TABLE integrations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON integrations
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

-- Not for what the synchronisation and a new key write: neither etag nor update time may change every few minutes.
CREATE TRIGGER touch BEFORE UPDATE OF updated_at, deleted_at, display_name, scopes, settings, tokens_stored_at ON integrations
    FOR EACH ROW EXECUTE FUNCTION app.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON integrations
    FOR EACH ROW EXECUTE FUNCTION app.audit_row(
        'integrations', 'user_id', 'id', 'updated_at', 'revision', 'account_key', 'credentials', 'key_id',
        'sync_cursor', 'last_sync_at', 'last_sync_success_at', 'sync_failures', 'sync_version'
    );

GRANT SELECT, INSERT ON integrations TO pmcrm_interactions;
GRANT UPDATE (
    updated_at, deleted_at, scopes, status, status_detail, tokens_stored_at, token_expires_at, refreshable, credentials,
    key_id, sync_cursor, last_sync_at, last_sync_success_at, sync_failures, sync_version
) ON integrations TO pmcrm_interactions;
-- NOTE: update of provider and account is not granted: another account is another integration. Delete is granted to no
-- service: deleting sets deleted_at, and the purge runs as pmcrm_service. No other service may read credentials.
GRANT SELECT, DELETE, UPDATE (credentials, key_id) ON integrations TO pmcrm_service;


-- Integrations as their answers show them, which never holds the tokens.
CREATE VIEW integration_rows WITH (security_invoker = true) AS
SELECT
    i.user_id,
    i.id AS id_key,
    i.id::text AS id,
    i.provider,
    i.account,
    i.display_name,
    i.scopes,
    'INTEGRATION_STATUS_' || i.status AS status,
    i.status_detail,
    i.token_expires_at AS token_expire_time,
    i.settings,
    i.sync_cursor AS cursor,
    i.last_sync_at AS last_sync_time,
    i.last_sync_success_at AS last_success_time,
    i.sync_failures AS failure_count,
    i.sync_version AS version,
    i.created_at AS create_time,
    i.updated_at AS update_time,
    i.deleted_at AS delete_time,
    i.revision::text AS etag
FROM integrations AS i;
COMMENT ON VIEW integration_rows IS
    'Integrations under the field names of pmcrm.interactions.v1.Integration and SyncState, without their tokens.';
GRANT SELECT ON integration_rows TO pmcrm_interactions;


-- Reading credentials writes no row, and is worth an entry.
ALTER TABLE audit_logs DROP CONSTRAINT audit_logs_action_check;
ALTER TABLE audit_logs ADD CONSTRAINT audit_logs_action_check
    CHECK (action IN ('INSERT', 'UPDATE', 'DELETE', 'IMPORT', 'EXPORT', 'READ'));


-- What the interactions service shows of contacts: as much as contact_summaries does.
GRANT SELECT ON contact_summaries TO pmcrm_interactions;
GRANT SELECT (user_id, id, deleted_at, processing_restricted, sort_name, display_name, organization_name)
    ON contacts TO pmcrm_interactions;
GRANT SELECT (user_id, id, contact_id, organization_id, deleted_at, is_current, start_order)
    ON contact_employments TO pmcrm_interactions;
GRANT SELECT (user_id, id, deleted_at, name) ON organizations TO pmcrm_interactions;
