-- Sealing the audit log. Entries are read from the tables of the log and of its archive: where sealing comes late, what
-- it has not reached may have been archived.

-- Before which moment no entry can appear any more, from which one on entries are not sealed yet, and what time it is.
-- To be asked in a transaction of its own, before entries are read.
PREPARE audit_horizon AS
SELECT app.audit_horizon() AS horizon, greatest(s.horizon, '1970-01-01 00:00:00+00') AS start, clock_timestamp() AS now
FROM app.audit_sealing AS s;

-- The tenants with entries from a span of time.
PREPARE tenants_to_seal (timestamptz, timestamptz) AS
SELECT user_id FROM audit_logs WHERE at >= $1 AND at < $2
UNION
SELECT user_id FROM audit_logs_archive WHERE at >= $1 AND at < $2
ORDER BY user_id;

-- One sealer of a tenant after the other.
PREPARE lock_seals (uuid) AS
SELECT pg_advisory_xact_lock(hashtextextended('audit seals ' || $1, 0));

-- A tenant's newest seal.
PREPARE newest_seal (uuid) AS
SELECT seq, horizon, hash
FROM audit_seals
WHERE user_id = $1
ORDER BY seq DESC
LIMIT 1;

-- A tenant's entries from a span of time, the oldest first, as much of them as a seal covers.
PREPARE entries_to_seal (uuid, timestamptz, timestamptz, integer) AS
SELECT id, at, subject_id, row_id, request_id, table_name, action, role_name, digest
FROM audit_logs
WHERE user_id = $1 AND at >= $2 AND at < $3
UNION ALL
SELECT id, at, subject_id, row_id, request_id, table_name, action, role_name, digest
FROM audit_logs_archive
WHERE user_id = $1 AND at >= $2 AND at < $3
ORDER BY at, id
LIMIT $4;

-- Adds a seal to its tenant's chain.
PREPARE add_seal (
    uuid, bigint, timestamptz, timestamptz, timestamptz, timestamptz, uuid[], bytea, bytea, text, bytea
) AS
INSERT INTO audit_seals (
    user_id, seq, sealed_at, first_at, last_at, horizon, entry_ids, entry_hashes, previous, key_id, hash
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- Notes that the entries of all tenants are sealed up to a moment; never takes back what another sealer has noted.
PREPARE sealed_until (timestamptz) AS
UPDATE app.audit_sealing SET horizon = $1
WHERE horizon < $1;

-- The next tenants with seals, and how many seals each has; a page at a time.
PREPARE tenants_with_seals (uuid, integer) AS
SELECT user_id, max(seq) AS seq
FROM audit_seals
WHERE user_id > $1
GROUP BY user_id
ORDER BY user_id
LIMIT $2;

-- The heads of some tenants' chains.
PREPARE audit_heads (uuid[], bigint[]) AS
SELECT s.user_id, s.seq, s.hash
FROM unnest($1, $2) AS wanted (user_id, seq)
JOIN audit_seals AS s ON s.user_id = wanted.user_id AND s.seq = wanted.seq
ORDER BY s.user_id;
