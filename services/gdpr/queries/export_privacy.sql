-- The rows of each table that is exported, as JSON: those after a key, in the order of the primary key; of the whole
-- account when $2 is NULL, else what is about these contacts. $3 names the columns that are left out. Rows that may be
-- large come with at most a megabyte of others.

-- What the user and the contacts have declared.
PREPARE export_consent_records (uuid, uuid[], text[], uuid) AS
SELECT id, (to_jsonb(t) - $3)::text AS line
FROM consent_records AS t
WHERE user_id = $1 AND ($2 IS NULL OR contact_id = ANY ($2)) AND id > $4
ORDER BY id
LIMIT 500;

-- What follows from the declarations.
PREPARE export_consent_states (uuid, uuid[], text[], uuid, text) AS
SELECT subject_id, purpose, (to_jsonb(t) - $3)::text AS line
FROM consent_states AS t
WHERE user_id = $1 AND ($2 IS NULL OR contact_id = ANY ($2)) AND (subject_id, purpose) > ($4, $5)
ORDER BY subject_id, purpose
LIMIT 500;

-- Whose processing is or was restricted, and why.
PREPARE export_processing_restrictions (uuid, uuid[], text[], uuid) AS
SELECT contact_id, (to_jsonb(t) - $3)::text AS line
FROM processing_restrictions AS t
WHERE user_id = $1 AND ($2 IS NULL OR contact_id = ANY ($2)) AND contact_id > $4
ORDER BY contact_id
LIMIT 500;

-- What must not be erased for now.
PREPARE export_legal_holds (uuid, uuid[], text[], uuid) AS
SELECT id, (to_jsonb(t) - $3)::text AS line
FROM legal_holds AS t
WHERE user_id = $1 AND ($2 IS NULL OR contact_id = ANY ($2)) AND id > $4
ORDER BY id
LIMIT 500;

-- Requests and receipts of erasure.
PREPARE export_erasure_requests (uuid, uuid[], text[], uuid) AS
SELECT id, (to_jsonb(t) - $3)::text AS line
FROM erasure_requests AS t
WHERE user_id = $1 AND ($2 IS NULL OR contact_id = ANY ($2)) AND id > $4
ORDER BY id
LIMIT 500;

-- The states that erasures were in.
PREPARE export_erasure_state_changes (uuid, uuid[], text[], uuid, integer) AS
SELECT erasure_id, position, (to_jsonb(t) - $3)::text AS line
FROM erasure_state_changes AS t
WHERE user_id = $1 AND (erasure_id, position) > ($4, $5) AND (
    $2 IS NULL OR erasure_id IN (
        SELECT er.id FROM erasure_requests AS er
        WHERE er.user_id = $1 AND er.contact_id = ANY ($2)
    )
)
ORDER BY erasure_id, position
LIMIT 500;

-- The audit log; of a contact, the entries about it.
PREPARE export_audit_logs (uuid, uuid[], text[], timestamptz, uuid) AS
SELECT at, id, line
FROM (
    SELECT
        at, id, line, sum(octet_length(line)) OVER (ORDER BY at, id) - octet_length(line) AS before
    FROM (
        SELECT at, id, (to_jsonb(t) - $3)::text AS line
        FROM audit_logs AS t
        WHERE user_id = $1 AND ($2 IS NULL OR subject_id = ANY ($2)) AND (at, id) > ($4, $5)
        ORDER BY at, id
        LIMIT 500
    ) AS page
) AS measured
WHERE before < 1000000
ORDER BY at, id;

-- The same of older months.
PREPARE export_audit_logs_archive (uuid, uuid[], text[], timestamptz, uuid) AS
SELECT at, id, line
FROM (
    SELECT
        at, id, line, sum(octet_length(line)) OVER (ORDER BY at, id) - octet_length(line) AS before
    FROM (
        SELECT at, id, (to_jsonb(t) - $3)::text AS line
        FROM audit_logs_archive AS t
        WHERE user_id = $1 AND ($2 IS NULL OR subject_id = ANY ($2)) AND (at, id) > ($4, $5)
        ORDER BY at, id
        LIMIT 500
    ) AS page
) AS measured
WHERE before < 1000000
ORDER BY at, id;
