-- Erasures that are written down outside of the database, and carried out again where a restored backup predates them.

-- The next completed erasures ($4 of them at most) of all tenants, from a time on ($1), after one that was completed at
-- ($2) and has the id ($3); with the suppressions that they left.
PREPARE completed_erasures (timestamptz, timestamptz, uuid, integer) AS
SELECT
    e.id, e.user_id, e.contact_id, e.erased_contact_ids, e.requested_at, e.erased_at, e.row_counts, e.suppression_count,
    (
        SELECT coalesce(
            jsonb_agg(
                jsonb_build_object('kind', s.kind, 'key_id', s.key_id, 'hash', encode(s.hash, 'hex')) ORDER BY s.kind, s.hash
            ),
            '[]'
        )
        FROM suppressions AS s
        WHERE s.user_id = e.user_id AND s.erasure_id = e.id
    ) AS suppressions
FROM erasure_requests AS e
WHERE e.state = 'COMPLETED' AND e.erased_at >= $1 AND (e.erased_at, e.id) > ($2, $3)
ORDER BY e.erased_at, e.id
LIMIT $4;

-- Whether a tenant is there, and whether it is erased.
PREPARE tenant_to_erase_again (uuid) AS
SELECT erased_at IS NOT NULL AS erased
FROM users
WHERE id = $1;

-- The receipt of an erasure ($2), if it is there, and its state.
PREPARE known_erasure (uuid, uuid) AS
SELECT state
FROM erasure_requests
WHERE user_id = $1 AND id = $2;

-- What would be erased with a contact ($2); see app.hold_erasable.
PREPARE hold_to_erase_again (uuid, uuid) AS
SELECT contact_id, held
FROM app.hold_erasable($2)
WHERE $1 IS NOT NULL;

-- Erases a contact ($2) again, under the receipt ($3) of before; see app.erase_contact.
PREPARE erase_contact_again (uuid, uuid, uuid) AS
SELECT erased_ids, audit_entry_id
FROM app.erase_contact($2, $3)
WHERE $1 IS NOT NULL;

-- Writes down that an erasure ($3) of a contact ($2) emptied no entry of the log, because the backup had none.
PREPARE audit_empty_erasure (uuid, uuid, uuid) AS
SELECT app.audit_erasure($2, $3, '{}')
WHERE $1 IS NOT NULL;

-- Puts back a contact's receipt: id, contact, all erased ids, when it was requested and erased, counts, suppressions,
-- entry of the log.
PREPARE restore_contact_receipt (uuid, uuid, uuid, uuid[], timestamptz, timestamptz, text, integer, uuid) AS
INSERT INTO erasure_requests (
    user_id, id, contact_id, erased_contact_ids, requested_at, deadline_at, state, erased_at, row_counts,
    suppression_count, audit_entry_id
)
VALUES ($1, $2, $3, $4, $5, $5 + interval '1 month', 'COMPLETED', $6, $7::jsonb, $8, $9);

-- Puts back the states of a contact's erasure.
PREPARE restore_contact_history (uuid, uuid, timestamptz, timestamptz) AS
INSERT INTO erasure_state_changes (user_id, erasure_id, position, changed_at, state, cause)
VALUES ($1, $2, 1, $3, 'PENDING', 'requested'), ($1, $2, 2, $4, 'COMPLETED', 'erased');

-- Puts back the suppressions that an erasure left: hashes, kinds and keys, side by side.
PREPARE restore_suppressions (uuid, uuid, bytea[], text[], text[]) AS
INSERT INTO suppressions (user_id, erasure_id, hash, kind, key_id)
SELECT $1, $2, given.hash, given.kind, given.key_id
FROM unnest($3, $4, $5) AS given (hash, kind, key_id)
ON CONFLICT DO NOTHING;

-- Other requests to erase the account than this one ($2) give way to it.
PREPARE cancel_other_account_requests (uuid, uuid) AS
UPDATE erasure_requests
SET state = 'CANCELLED'
WHERE user_id = $1 AND id <> $2 AND contact_id IS NULL AND state IN ('PENDING', 'RUNNING')
RETURNING id;

-- The next state of an erasure ($2), and what brought it there.
PREPARE add_erasure_state (uuid, uuid, text, text) AS
INSERT INTO erasure_state_changes (user_id, erasure_id, position, state, cause)
SELECT $1, $2, coalesce(max(position), 0) + 1, $3, $4
FROM erasure_state_changes
WHERE user_id = $1 AND erasure_id = $2;

-- Requests that the account be erased, as it was requested before ($2, at $3).
PREPARE restore_account_request (uuid, uuid, timestamptz) AS
INSERT INTO erasure_requests (user_id, id, requested_at, deadline_at, state)
VALUES ($1, $2, $3, $3 + interval '1 month', 'PENDING');

-- A request that was cancelled when the backup was made, and came to be carried out all the same.
PREPARE reopen_account_request (uuid, uuid) AS
UPDATE erasure_requests
SET state = 'PENDING'
WHERE user_id = $1 AND id = $2 AND state = 'CANCELLED'
RETURNING id;

-- Closes the account when that was requested ($2): one that is closed later than its request is asked for anew.
PREPARE close_account_again (uuid, uuid) AS
UPDATE users AS u
SET deleted_at = e.requested_at
FROM erasure_requests AS e
WHERE u.id = $1 AND u.deleted_at IS NULL AND e.user_id = $1 AND e.id = $2;
