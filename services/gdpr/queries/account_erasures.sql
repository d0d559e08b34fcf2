-- Takes hold of the account until the transaction ends, and tells whether it is closed, and whether so long ($2) that it is
-- erased. No row when it is gone.
PREPARE hold_account (uuid, interval) AS
SELECT deleted_at IS NOT NULL AS closed, deleted_at IS NOT NULL AND deleted_at + $2 <= now() AS over
FROM users
WHERE id = $1 AND erased_at IS NULL
FOR NO KEY UPDATE;

-- Requests the erasure of the account, now.
PREPARE create_account_erasure (uuid, uuid, text) AS
INSERT INTO erasure_requests (user_id, id, deadline_at, state, reason)
VALUES ($1, $2, now() + interval '1 month', 'PENDING', $3);

-- Notes that an erasure ($2) has come into a state, and what brought it there.
PREPARE note_erasure_state (uuid, uuid, text, text) AS
INSERT INTO erasure_state_changes (user_id, erasure_id, position, state, cause)
SELECT $1, $2, coalesce(max(position), 0) + 1, $3, $4
FROM erasure_state_changes
WHERE user_id = $1 AND erasure_id = $2;

-- Closes the account, after its erasure was requested: app.follow_account finds the request.
PREPARE close_account (uuid) AS
UPDATE users SET deleted_at = now() WHERE id = $1;

-- Opens the account again, after its erasure was cancelled.
PREPARE reopen_account (uuid) AS
UPDATE users SET deleted_at = NULL WHERE id = $1;

-- Cancels an erasure.
PREPARE cancel_erasure (uuid, uuid) AS
UPDATE erasure_requests SET state = 'CANCELLED' WHERE user_id = $1 AND id = $2;

-- The erasure of the account that is neither completed nor cancelled.
PREPARE open_account_erasure (uuid) AS
SELECT id
FROM erasure_requests
WHERE user_id = $1 AND contact_id IS NULL AND state IN ('PENDING', 'RUNNING');

-- How far an erasure has come, of the account or of a contact.
PREPARE erasure_state (uuid, uuid) AS
SELECT state
FROM erasure_requests
WHERE user_id = $1 AND id = $2;

-- An erasure, of the account or of a contact, with its history; without an id ($2) the account's newest. Beside the fields
-- of pmcrm.gdpr.v1.ErasureRequest stand those of its receipt.
PREPARE get_erasure_request (uuid, uuid) AS
SELECT
    e.id::text AS id,
    e.user_id::text AS user_id,
    e.contact_id::text AS contact_id,
    'ERASURE_STATE_' || e.state AS state,
    e.requested_at AS request_time,
    e.deadline_at AS deadline_time,
    e.updated_at AS update_time,
    e.revision::text AS etag,
    e.state IN ('PENDING', 'RUNNING') AND EXISTS (
        SELECT FROM legal_holds AS h
        WHERE h.user_id = $1 AND h.released_at IS NULL
            AND (e.contact_id IS NULL OR h.contact_id IS NULL OR h.contact_id = e.contact_id)
    ) AS legal_hold,
    e.erased_at AS erase_time,
    e.row_counts,
    e.suppression_count,
    e.audit_entry_id::text AS audit_entry_id,
    ARRAY(
        SELECT 'ERASURE_STATE_' || c.state FROM erasure_state_changes AS c
        WHERE c.user_id = $1 AND c.erasure_id = e.id ORDER BY c.position
    ) AS states,
    ARRAY(
        SELECT c.changed_at FROM erasure_state_changes AS c
        WHERE c.user_id = $1 AND c.erasure_id = e.id ORDER BY c.position
    ) AS change_times,
    ARRAY(
        SELECT c.cause FROM erasure_state_changes AS c
        WHERE c.user_id = $1 AND c.erasure_id = e.id ORDER BY c.position
    ) AS causes
FROM erasure_requests AS e
WHERE e.user_id = $1 AND e.id = (
    SELECT coalesce(
        $2,
        (
            SELECT n.id FROM erasure_requests AS n
            WHERE n.user_id = $1 AND n.contact_id IS NULL ORDER BY n.requested_at DESC, n.id DESC LIMIT 1
        )
    )
);
