-- Takes hold of a contact and all that is erased with it; see app.hold_erasable.
PREPARE hold_erasable (uuid, uuid) AS
SELECT contact_id, survivor_id, emails, phones, held
FROM app.hold_erasable($2)
WHERE $1 IS NOT NULL;

-- Erases a contact ($2) for a receipt ($3); see app.erase_contact.
PREPARE erase_contact (uuid, uuid, uuid) AS
SELECT contact_id, erased_ids, row_counts, audit_entry_id
FROM app.erase_contact($2, $3)
WHERE $1 IS NOT NULL;

-- Writes the receipt of a contact's erasure: id, contact, all erased ids, counts, suppressions, entry of the audit log.
PREPARE create_contact_receipt (uuid, uuid, uuid, uuid[], jsonb, integer, uuid) AS
INSERT INTO erasure_requests (
    user_id, id, contact_id, erased_contact_ids, deadline_at, state, row_counts, suppression_count, erased_at, audit_entry_id
)
VALUES ($1, $2, $3, $4, now() + interval '1 month', 'COMPLETED', $5, $6, now(), $7);

-- The states of an erasure that is requested and carried out at once.
PREPARE create_contact_erasure_history (uuid, uuid) AS
INSERT INTO erasure_state_changes (user_id, erasure_id, position, state, cause)
VALUES ($1, $2, 1, 'PENDING', 'requested'), ($1, $2, 2, 'COMPLETED', 'erased');

-- The receipt of an erasure that is completed.
PREPARE get_receipt (uuid, uuid) AS
SELECT
    e.id::text AS id, e.user_id::text AS user_id, e.contact_id::text AS contact_id, e.erased_at AS erase_time,
    e.row_counts, e.suppression_count, e.audit_entry_id::text AS audit_entry_id
FROM erasure_requests AS e
WHERE e.user_id = $1 AND e.id = $2 AND e.state = 'COMPLETED';

-- Adds suppressions of an erasure ($2): hashes, kinds and keys, side by side.
PREPARE create_suppressions (uuid, uuid, bytea[], text[], text[]) AS
INSERT INTO suppressions (user_id, erasure_id, hash, kind, key_id)
SELECT $1, $2, given.hash, given.kind, given.key_id
FROM unnest($3, $4, $5) AS given (hash, kind, key_id)
ON CONFLICT DO NOTHING;

-- Removes the suppressions that one erasure left.
PREPARE remove_suppressions_of_erasure (uuid, uuid) AS
DELETE FROM suppressions
WHERE user_id = $1 AND erasure_id = $2
RETURNING hash;

-- Removes the suppressions of an address, whichever erasures left them.
PREPARE remove_suppressions_of_address (uuid, bytea[]) AS
DELETE FROM suppressions
WHERE user_id = $1 AND hash = ANY ($2)
RETURNING hash;
