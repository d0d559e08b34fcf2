-- Proving the audit log. The tables of the log and of its archive are read together, and no view or function of ours, which
-- could be made to say anything; times are those that Python can hold, after the two queries that look for others.

-- The first entry, if any, whose time is none that a clock tells.
PREPARE entry_beyond_time (uuid) AS
SELECT id FROM audit_logs
WHERE user_id = $1 AND (at < '0001-01-02 00:00:00+00' OR at >= '9999-12-31 00:00:00+00')
UNION ALL
SELECT id FROM audit_logs_archive
WHERE user_id = $1 AND (at < '0001-01-02 00:00:00+00' OR at >= '9999-12-31 00:00:00+00')
LIMIT 1;

-- The same of a seal.
PREPARE seal_beyond_time (uuid) AS
SELECT seq
FROM audit_seals
WHERE user_id = $1 AND (
    least(sealed_at, first_at, last_at, horizon) < '0001-01-02 00:00:00+00'
    OR greatest(sealed_at, first_at, last_at, horizon) >= '9999-12-31 00:00:00+00'
)
ORDER BY seq
LIMIT 1;

-- What the entries say that tell of dropped months.
PREPARE dropped_months (uuid) AS
SELECT new_values::text AS dropped FROM audit_logs WHERE user_id = $1 AND action = 'DROP'
UNION ALL
SELECT new_values::text FROM audit_logs_archive WHERE user_id = $1 AND action = 'DROP';

-- The first entry whose payload an erasure is said to have taken, without an entry of that erasure that names it. Grouped
-- and not joined: of either there may be millions where the planner expects a few.
PREPARE unjustly_emptied (uuid) AS
WITH erasures AS (
    SELECT row_id, new_values -> 'entries' AS named FROM audit_logs WHERE user_id = $1 AND action = 'ERASE'
    UNION ALL
    SELECT row_id, new_values -> 'entries' FROM audit_logs_archive WHERE user_id = $1 AND action = 'ERASE'
),
told AS (
    SELECT erased_by AS receipt, id::text AS id, at FROM audit_logs WHERE user_id = $1 AND erased_by IS NOT NULL
    UNION ALL
    SELECT erased_by, id::text, at FROM audit_logs_archive WHERE user_id = $1 AND erased_by IS NOT NULL
    UNION ALL
    SELECT e.row_id, n.id, NULL
    FROM erasures AS e
    CROSS JOIN LATERAL jsonb_array_elements_text(
        CASE jsonb_typeof(e.named) WHEN 'array' THEN e.named ELSE '[]' END
    ) AS n (id)
)
SELECT t.id
FROM told AS t
GROUP BY t.receipt, t.id
HAVING bool_and(t.at IS NOT NULL)
ORDER BY min(t.at), t.id
LIMIT 1;

-- The next seals of the chain.
PREPARE seals_after (uuid, bigint, integer) AS
SELECT seq, sealed_at, first_at, last_at, horizon, entry_ids, entry_hashes, previous, key_id, hash
FROM audit_seals
WHERE user_id = $1 AND seq > $2
ORDER BY seq
LIMIT $3;

-- The newest seal.
PREPARE last_seal (uuid) AS
SELECT seq, hash,
    CASE WHEN last_at < '9999-12-31 00:00:00+00' THEN last_at END AS last_at,
    CASE WHEN horizon < '9999-12-31 00:00:00+00' THEN horizon END AS horizon
FROM audit_seals
WHERE user_id = $1
ORDER BY seq DESC
LIMIT 1;

-- The number of the seal that covers an entry, wherever that stands now.
PREPARE seal_covering (uuid, uuid) AS
SELECT seq
FROM audit_seals
WHERE user_id = $1 AND $2 = ANY (entry_ids)
ORDER BY seq
LIMIT 1;

-- How far the entries of all tenants are sealed.
PREPARE sealed_until (uuid) AS
SELECT CASE WHEN horizon >= '0001-01-02 00:00:00+00' AND horizon < '9999-12-31 00:00:00+00' THEN horizon END AS horizon
FROM app.audit_sealing
WHERE $1 IS NOT NULL;

-- Entries from a span of time ($2 NULL: from the first one on), as much of them as is hashed, the oldest first.
PREPARE entries_between (uuid, timestamptz, timestamptz, integer) AS
SELECT id, at, subject_id, row_id, request_id, table_name, action, role_name, actor, host(client_ip) AS client_ip, user_agent,
    old_values::text AS old_values, new_values::text AS new_values, salt, digest, erased_by
FROM audit_logs
WHERE user_id = $1 AND at >= (SELECT coalesce($2, '-infinity')) AND at < $3
UNION ALL
SELECT id, at, subject_id, row_id, request_id, table_name, action, role_name, actor, host(client_ip), user_agent,
    old_values::text, new_values::text, salt, digest, erased_by
FROM audit_logs_archive
WHERE user_id = $1 AND at >= (SELECT coalesce($2, '-infinity')) AND at < $3
ORDER BY at, id
LIMIT $4;

-- The same of entries from a moment on ($2 NULL: from the first one on), after one of them ($3, $4; NULL: from the first).
PREPARE entries_from (uuid, timestamptz, timestamptz, uuid, integer) AS
SELECT id, at, subject_id, row_id, request_id, table_name, action, role_name, actor, host(client_ip) AS client_ip, user_agent,
    old_values::text AS old_values, new_values::text AS new_values, salt, digest, erased_by
FROM audit_logs
WHERE user_id = $1 AND at >= (SELECT coalesce($2, '-infinity'))
    AND (at, id) > ((SELECT coalesce($3, '-infinity')), (SELECT coalesce($4, '00000000-0000-0000-0000-000000000000')))
UNION ALL
SELECT id, at, subject_id, row_id, request_id, table_name, action, role_name, actor, host(client_ip), user_agent,
    old_values::text, new_values::text, salt, digest, erased_by
FROM audit_logs_archive
WHERE user_id = $1 AND at >= (SELECT coalesce($2, '-infinity'))
    AND (at, id) > ((SELECT coalesce($3, '-infinity')), (SELECT coalesce($4, '00000000-0000-0000-0000-000000000000')))
ORDER BY at, id
LIMIT $5;

-- The same of entries by their ids, which takes a look at all of the tenant's.
PREPARE entries_named (uuid, uuid[]) AS
SELECT id, at, subject_id, row_id, request_id, table_name, action, role_name, actor, host(client_ip) AS client_ip, user_agent,
    old_values::text AS old_values, new_values::text AS new_values, salt, digest, erased_by
FROM audit_logs
WHERE user_id = $1 AND id = ANY ($2)
UNION ALL
SELECT id, at, subject_id, row_id, request_id, table_name, action, role_name, actor, host(client_ip), user_agent,
    old_values::text, new_values::text, salt, digest, erased_by
FROM audit_logs_archive
WHERE user_id = $1 AND id = ANY ($2)
ORDER BY at, id;

-- How many entries there are from a moment on ($2 NULL: from the first one on).
PREPARE count_entries_from (uuid, timestamptz) AS
SELECT (
    SELECT count(*) FROM audit_logs WHERE user_id = $1 AND at >= (SELECT coalesce($2, '-infinity'))
) + (
    SELECT count(*) FROM audit_logs_archive WHERE user_id = $1 AND at >= (SELECT coalesce($2, '-infinity'))
);

-- Whether there is, or was, any entry of a tenant.
PREPARE has_audit_log (uuid) AS
SELECT true FROM audit_logs WHERE user_id = $1
UNION ALL
SELECT true FROM audit_logs_archive WHERE user_id = $1
UNION ALL
SELECT true FROM audit_seals WHERE user_id = $1
LIMIT 1;

-- Notes in the log that an operator has read it.
PREPARE note_audit_reading (uuid, text) AS
SELECT app.audit_event('READ', 'audit_logs', NULL, jsonb_build_object('read', $2))
WHERE $1 IS NOT NULL;


-- Pages of the log. The parameters are the same in all of them, but for the row and the subject, which the lists
-- of one have:
--   $1 tenant   $2, $3 position and id of the last row shown, NULL for the first page   $4 limit   $5 offset
--   $6, $7 from and until when   $8 table   $9 actor   $10 operation   $11 request   $12 archived ones too
--   $13 the row, or the subject   $14 beside a row, the subject
-- A NULL filter filters nothing. The scalar subqueries are there because behind row-level security coalesce() is in no
-- index condition, and a parameter is.

-- Everything, the oldest first.
PREPARE list_audit_logs (uuid, text, uuid, integer, integer, timestamptz, timestamptz, text, text, text, uuid, boolean) AS
SELECT id, user_id, at AS log_time, at::text AS position, action, table_name AS entity_type, entity_id, subject_id,
    old_values, new_values, actor, role_name, host(client_ip) AS client_ip, user_agent, request_id, erased_by, archived
FROM audit_rows
WHERE user_id = $1
    AND (at, id) > ((SELECT coalesce($2::timestamptz, '-infinity')), (SELECT coalesce($3, '00000000-0000-0000-0000-000000000000')))
    AND at >= (SELECT coalesce($6, '0001-01-02 00:00:00+00')) AND at < (SELECT coalesce($7, '9999-12-31 00:00:00+00'))
    AND ($8 IS NULL OR table_name = $8) AND ($9 IS NULL OR actor = $9) AND ($10 IS NULL OR action = $10)
    AND ($11 IS NULL OR request_id = $11) AND ($12 OR NOT archived)
ORDER BY at, id
LIMIT $4 OFFSET $5;

-- Everything, the newest first.
PREPARE list_audit_logs_desc (uuid, text, uuid, integer, integer, timestamptz, timestamptz, text, text, text, uuid, boolean) AS
SELECT id, user_id, at AS log_time, at::text AS position, action, table_name AS entity_type, entity_id, subject_id,
    old_values, new_values, actor, role_name, host(client_ip) AS client_ip, user_agent, request_id, erased_by, archived
FROM audit_rows
WHERE user_id = $1
    AND (at, id) < ((SELECT coalesce($2::timestamptz, 'infinity')), (SELECT coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff')))
    AND at >= (SELECT coalesce($6, '0001-01-02 00:00:00+00')) AND at < (SELECT coalesce($7, '9999-12-31 00:00:00+00'))
    AND ($8 IS NULL OR table_name = $8) AND ($9 IS NULL OR actor = $9) AND ($10 IS NULL OR action = $10)
    AND ($11 IS NULL OR request_id = $11) AND ($12 OR NOT archived)
ORDER BY at DESC, id DESC
LIMIT $4 OFFSET $5;

-- About one row, the oldest first.
PREPARE list_audit_logs_of_row (uuid, text, uuid, integer, integer, timestamptz, timestamptz, text, text, text, uuid, boolean, uuid, uuid) AS
SELECT id, user_id, at AS log_time, at::text AS position, action, table_name AS entity_type, entity_id, subject_id,
    old_values, new_values, actor, role_name, host(client_ip) AS client_ip, user_agent, request_id, erased_by, archived
FROM audit_rows
WHERE user_id = $1
    AND (at, id) > ((SELECT coalesce($2::timestamptz, '-infinity')), (SELECT coalesce($3, '00000000-0000-0000-0000-000000000000')))
    AND at >= (SELECT coalesce($6, '0001-01-02 00:00:00+00')) AND at < (SELECT coalesce($7, '9999-12-31 00:00:00+00'))
    AND ($8 IS NULL OR table_name = $8) AND ($9 IS NULL OR actor = $9) AND ($10 IS NULL OR action = $10)
    AND ($11 IS NULL OR request_id = $11) AND ($12 OR NOT archived)
    AND (row_id = $13 OR (row_id IS NULL AND subject_id = $13)) AND entity_id = $13
    AND ($14 IS NULL OR subject_id = $14)
ORDER BY at, id
LIMIT $4 OFFSET $5;

-- About one row, the newest first.
PREPARE list_audit_logs_of_row_desc (uuid, text, uuid, integer, integer, timestamptz, timestamptz, text, text, text, uuid, boolean, uuid, uuid) AS
SELECT id, user_id, at AS log_time, at::text AS position, action, table_name AS entity_type, entity_id, subject_id,
    old_values, new_values, actor, role_name, host(client_ip) AS client_ip, user_agent, request_id, erased_by, archived
FROM audit_rows
WHERE user_id = $1
    AND (at, id) < ((SELECT coalesce($2::timestamptz, 'infinity')), (SELECT coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff')))
    AND at >= (SELECT coalesce($6, '0001-01-02 00:00:00+00')) AND at < (SELECT coalesce($7, '9999-12-31 00:00:00+00'))
    AND ($8 IS NULL OR table_name = $8) AND ($9 IS NULL OR actor = $9) AND ($10 IS NULL OR action = $10)
    AND ($11 IS NULL OR request_id = $11) AND ($12 OR NOT archived)
    AND (row_id = $13 OR (row_id IS NULL AND subject_id = $13)) AND entity_id = $13
    AND ($14 IS NULL OR subject_id = $14)
ORDER BY at DESC, id DESC
LIMIT $4 OFFSET $5;

-- About one contact and what hangs on it, the oldest first.
PREPARE list_audit_logs_of_subject (uuid, text, uuid, integer, integer, timestamptz, timestamptz, text, text, text, uuid, boolean, uuid) AS
SELECT id, user_id, at AS log_time, at::text AS position, action, table_name AS entity_type, entity_id, subject_id,
    old_values, new_values, actor, role_name, host(client_ip) AS client_ip, user_agent, request_id, erased_by, archived
FROM audit_rows
WHERE user_id = $1
    AND (at, id) > ((SELECT coalesce($2::timestamptz, '-infinity')), (SELECT coalesce($3, '00000000-0000-0000-0000-000000000000')))
    AND at >= (SELECT coalesce($6, '0001-01-02 00:00:00+00')) AND at < (SELECT coalesce($7, '9999-12-31 00:00:00+00'))
    AND ($8 IS NULL OR table_name = $8) AND ($9 IS NULL OR actor = $9) AND ($10 IS NULL OR action = $10)
    AND ($11 IS NULL OR request_id = $11) AND ($12 OR NOT archived)
    AND subject_id = $13
ORDER BY at, id
LIMIT $4 OFFSET $5;

-- About one contact and what hangs on it, the newest first.
PREPARE list_audit_logs_of_subject_desc (uuid, text, uuid, integer, integer, timestamptz, timestamptz, text, text, text, uuid, boolean, uuid) AS
SELECT id, user_id, at AS log_time, at::text AS position, action, table_name AS entity_type, entity_id, subject_id,
    old_values, new_values, actor, role_name, host(client_ip) AS client_ip, user_agent, request_id, erased_by, archived
FROM audit_rows
WHERE user_id = $1
    AND (at, id) < ((SELECT coalesce($2::timestamptz, 'infinity')), (SELECT coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff')))
    AND at >= (SELECT coalesce($6, '0001-01-02 00:00:00+00')) AND at < (SELECT coalesce($7, '9999-12-31 00:00:00+00'))
    AND ($8 IS NULL OR table_name = $8) AND ($9 IS NULL OR actor = $9) AND ($10 IS NULL OR action = $10)
    AND ($11 IS NULL OR request_id = $11) AND ($12 OR NOT archived)
    AND subject_id = $13
ORDER BY at DESC, id DESC
LIMIT $4 OFFSET $5;

-- How many entries a list has in all; of all rows, or all subjects, where these are NULL.
PREPARE count_audit_logs (uuid, timestamptz, timestamptz, text, text, text, uuid, boolean, uuid, uuid) AS
SELECT count(*)
FROM audit_rows
WHERE user_id = $1
    AND at >= (SELECT coalesce($2, '0001-01-02 00:00:00+00')) AND at < (SELECT coalesce($3, '9999-12-31 00:00:00+00'))
    AND ($4 IS NULL OR table_name = $4) AND ($5 IS NULL OR actor = $5) AND ($6 IS NULL OR action = $6)
    AND ($7 IS NULL OR request_id = $7) AND ($8 OR NOT archived)
    AND ($9 IS NULL OR entity_id = $9) AND ($10 IS NULL OR subject_id = $10);

-- The seals that cover entries, by their times and ids. An entry is in the first seal that ends no earlier, or in none.
PREPARE seals_of_entries (uuid, timestamptz[], uuid[]) AS
SELECT e.id, s.seq
FROM unnest($2, $3) AS e (at, id)
CROSS JOIN LATERAL (
    SELECT a.seq, a.entry_ids FROM audit_seals AS a WHERE a.user_id = $1 AND a.last_at >= e.at ORDER BY a.last_at LIMIT 1
) AS s
WHERE e.id = ANY (s.entry_ids);
