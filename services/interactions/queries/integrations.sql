-- Stores an integration with its tokens, which are sealed already.
PREPARE create_integration (
    uuid, uuid, text, text, text, text, text[], jsonb, timestamptz, boolean, bytea, text
) AS
INSERT INTO integrations (
    user_id, id, provider, account, account_key, display_name, scopes, settings, token_expires_at, refreshable,
    credentials, key_id
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- Gets one integration, deleted or not, without its tokens.
PREPARE get_integration (uuid, uuid) AS
SELECT *
FROM integration_rows
WHERE user_id = $1 AND id_key = $2;

-- Locks a living integration until the transaction ends, with what a change of it depends on.
PREPARE lock_integration (uuid, uuid) AS
SELECT revision::text AS etag, status, refreshable, credentials, key_id, sync_version
FROM integrations
WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL
FOR NO KEY UPDATE;

-- Replaces an integration's tokens and makes it active. Scopes stay as they are when none are given.
PREPARE update_tokens (uuid, uuid, text[], timestamptz, boolean, bytea, text) AS
UPDATE integrations SET
    scopes = coalesce($3, scopes), token_expires_at = $4, refreshable = $5, credentials = $6, key_id = $7,
    tokens_stored_at = now(), status = 'ACTIVE', status_detail = NULL
WHERE user_id = $1 AND id = $2;

-- The sealed tokens of a living integration.
PREPARE sealed_credentials (uuid, uuid) AS
SELECT status, credentials, key_id
FROM integrations
WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL;

-- Notes in the audit log that an integration's tokens were read.
PREPARE note_reading (uuid, uuid) AS
SELECT app.audit_event('READ', 'integrations', $2, '{"read": "credentials"}')
WHERE $1 IS NOT NULL;

-- Counts the version of the sync state up, and replaces the state when $3.
PREPARE update_sync_state (uuid, uuid, boolean, text, timestamptz, timestamptz, integer) AS
UPDATE integrations SET
    sync_version = sync_version + 1,
    sync_cursor = CASE WHEN $3 THEN $4 ELSE sync_cursor END,
    last_sync_at = CASE WHEN $3 THEN $5 ELSE last_sync_at END,
    last_sync_success_at = CASE WHEN $3 THEN $6 ELSE last_sync_success_at END,
    sync_failures = CASE WHEN $3 THEN $7 ELSE sync_failures END
WHERE user_id = $1 AND id = $2;

-- Sets what the synchronisation says of an integration's state; a NULL status stays as it is.
PREPARE update_status (uuid, uuid, text, text) AS
UPDATE integrations SET status = coalesce($3, status), status_detail = $4
WHERE user_id = $1 AND id = $2;

-- Deletes a living integration and destroys its tokens, if it is still the version expected; NULL expects any.
PREPARE delete_integration (uuid, uuid, bigint) AS
UPDATE integrations SET
    deleted_at = now(), credentials = NULL, key_id = NULL, refreshable = false, token_expires_at = NULL
WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL AND ($3 IS NULL OR revision = $3)
RETURNING id;


-- Pages of integrations. The parameters are the same in all orders:
--   $1 tenant   $2, $3 position and id of the last row shown, NULL for the first page   $4 limit   $5 offset
--   $6 deleted ones too   $7 provider   $8 status
-- A NULL filter filters nothing. A tenant has few: no index stands behind the orders.

-- By provider.
PREPARE list_integrations_by_provider (uuid, text, uuid, integer, integer, boolean, text, text) AS
SELECT *, provider AS position
FROM integration_rows
WHERE user_id = $1
    AND ($2 IS NULL OR (provider, id_key) > ($2, $3))
    AND ($6 OR delete_time IS NULL) AND ($7 IS NULL OR provider = $7) AND ($8 IS NULL OR status = $8)
ORDER BY provider, id_key
LIMIT $4 OFFSET $5;

-- By provider, backwards.
PREPARE list_integrations_by_provider_desc (uuid, text, uuid, integer, integer, boolean, text, text) AS
SELECT *, provider AS position
FROM integration_rows
WHERE user_id = $1
    AND ($2 IS NULL OR (provider, id_key) < ($2, $3))
    AND ($6 OR delete_time IS NULL) AND ($7 IS NULL OR provider = $7) AND ($8 IS NULL OR status = $8)
ORDER BY provider DESC, id_key DESC
LIMIT $4 OFFSET $5;

-- Oldest first.
PREPARE list_integrations_by_create_time (uuid, text, uuid, integer, integer, boolean, text, text) AS
SELECT *, create_time::text AS position
FROM integration_rows
WHERE user_id = $1
    AND ($2 IS NULL OR (create_time, id_key) > ($2::timestamptz, $3))
    AND ($6 OR delete_time IS NULL) AND ($7 IS NULL OR provider = $7) AND ($8 IS NULL OR status = $8)
ORDER BY create_time, id_key
LIMIT $4 OFFSET $5;

-- Newest first.
PREPARE list_integrations_by_create_time_desc (uuid, text, uuid, integer, integer, boolean, text, text) AS
SELECT *, create_time::text AS position
FROM integration_rows
WHERE user_id = $1
    AND ($2 IS NULL OR (create_time, id_key) < ($2::timestamptz, $3))
    AND ($6 OR delete_time IS NULL) AND ($7 IS NULL OR provider = $7) AND ($8 IS NULL OR status = $8)
ORDER BY create_time DESC, id_key DESC
LIMIT $4 OFFSET $5;

-- How many integrations a list has in all.
PREPARE count_integrations (uuid, boolean, text, text) AS
SELECT count(*)
FROM integration_rows
WHERE user_id = $1
    AND ($2 OR delete_time IS NULL) AND ($3 IS NULL OR provider = $3) AND ($4 IS NULL OR status = $4);
