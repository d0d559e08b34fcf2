-- Lets the imports of one tenant write one batch at a time, so that two of the same file make each contact once.
PREPARE lock_imports (uuid) AS
SELECT pg_advisory_xact_lock(hashtextextended('import ' || $1, 0));

-- Which living contacts came from records with these ids, or with this content and no id, or are themselves these.
PREPARE imported_contacts (uuid, text[], bytea[], uuid[]) AS
SELECT id, source_uid, source_hash, processing_restricted
FROM contacts
WHERE user_id = $1 AND deleted_at IS NULL AND source_uid = ANY ($2)
UNION ALL
SELECT id, source_uid, source_hash, processing_restricted
FROM contacts
WHERE user_id = $1 AND deleted_at IS NULL AND source_uid IS NULL AND source_hash = ANY ($3)
UNION ALL
SELECT id, source_uid, source_hash, processing_restricted
FROM contacts
WHERE user_id = $1 AND deleted_at IS NULL AND id = ANY ($4);

-- Leaves an entry for a whole import in the audit log.
PREPARE audit_import (uuid, jsonb) AS
SELECT app.audit_event('IMPORT', 'contacts', $1, $2);

-- What a request id was used for, and the answer that its caller got; claims nothing.
PREPARE earlier_import (uuid, uuid) AS
SELECT method, body_hash, answer
FROM idempotency_keys
WHERE user_id = $1 AND request_id = $2;
