-- Legal holds, as operators place and release them. But for the first, all are about one tenant.

-- The tenant of a hold, which operators name by its id alone.
PREPARE tenant_of_hold (uuid) AS
SELECT user_id FROM legal_holds WHERE id = $1;

-- Takes hold of a tenant until the transaction ends, so that its erasure does not begin meanwhile; no row when there is none.
PREPARE hold_tenant (uuid) AS
SELECT id, erased_at FROM users WHERE id = $1 FOR NO KEY UPDATE;

-- Keeps purges, merges and erasures of the tenant's contacts waiting until the transaction ends.
PREPARE keep_contacts (uuid) AS
SELECT pg_advisory_xact_lock(hashtextextended('merge ' || $1, 0));

-- The contact, deleted or not, for which an id stands; no row when it stands for none.
PREPARE contact_to_hold (uuid, uuid) AS
SELECT c.id
FROM contacts AS c
WHERE c.user_id = $1 AND c.id = coalesce(
    (SELECT r.survivor_id FROM contact_redirects AS r WHERE r.user_id = $1 AND r.contact_id = $2), $2
);

-- Places a hold on the tenant, or on one of its contacts.
PREPARE place_legal_hold (uuid, uuid, text) AS
INSERT INTO legal_holds (user_id, contact_id, reason)
VALUES ($1, $2, $3)
RETURNING id::text, user_id::text, contact_id::text, reason, placed_at AS place_time, released_at AS release_time;

-- Releases a hold that is in force; no row when it is not.
PREPARE release_legal_hold (uuid, uuid) AS
UPDATE legal_holds SET released_at = now()
WHERE user_id = $1 AND id = $2 AND released_at IS NULL
RETURNING id::text, user_id::text, contact_id::text, reason, placed_at AS place_time, released_at AS release_time;

-- The erasure of the account that is open, what brought it where it is, and whether a hold keeps it.
PREPARE open_erasure (uuid) AS
SELECT e.id, e.state,
    (
        SELECT c.cause FROM erasure_state_changes AS c
        WHERE c.user_id = $1 AND c.erasure_id = e.id
        ORDER BY c.position DESC
        LIMIT 1
    ) AS cause,
    EXISTS (SELECT FROM legal_holds AS h WHERE h.user_id = $1 AND h.released_at IS NULL) AS held
FROM erasure_requests AS e
WHERE e.user_id = $1 AND e.contact_id IS NULL AND e.state IN ('PENDING', 'RUNNING');

-- Adds to the history of an erasure that is pending.
PREPARE note_hold (uuid, uuid, text) AS
INSERT INTO erasure_state_changes (user_id, erasure_id, position, state, cause)
SELECT $1, $2, coalesce(max(c.position), 0) + 1, 'PENDING', $3
FROM erasure_state_changes AS c
WHERE c.user_id = $1 AND c.erasure_id = $2;
