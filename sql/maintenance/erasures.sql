-- Erasing accounts whose grace period is over: tenant by tenant, a step in a transaction of its own, which is bound to the
-- tenant.

-- The next closed accounts that are to be erased, after a given one: closed longer than the grace period, or already
-- being erased. Legal holds are asked for when each begins.
PREPARE due_accounts (interval, uuid, integer) AS
SELECT u.id
FROM users AS u
WHERE u.deleted_at IS NOT NULL AND u.erased_at IS NULL AND u.id > $2 AND (
    u.deleted_at + $1 <= now() OR EXISTS (
        SELECT FROM erasure_requests AS e
        WHERE e.user_id = u.id AND e.contact_id IS NULL AND e.state = 'RUNNING'
    )
)
ORDER BY u.id
LIMIT $3;

-- How many accounts are to be erased, and how many of them a legal hold keeps.
PREPARE count_due_accounts (interval) AS
SELECT count(*) AS accounts, count(*) FILTER (WHERE EXISTS (
    SELECT FROM legal_holds AS h WHERE h.user_id = u.id AND h.released_at IS NULL
)) AS held
FROM users AS u
WHERE u.deleted_at IS NOT NULL AND u.erased_at IS NULL AND (
    u.deleted_at + $1 <= now() OR EXISTS (
        SELECT FROM erasure_requests AS e
        WHERE e.user_id = u.id AND e.contact_id IS NULL AND e.state = 'RUNNING'
    )
);

-- Begins to erase an account ($1), or goes on; see app.start_account_erasure.
PREPARE start_account_erasure (uuid, interval) AS
SELECT receipt, outcome FROM app.start_account_erasure($2) WHERE $1 IS NOT NULL;

-- The tables that are emptied, in their order.
PREPARE tables_of_accounts AS
SELECT table_name FROM app.tables_of_accounts() ORDER BY place;

-- Whether the next step of an erasure ($2) may be done now.
PREPARE take_account_erasure (uuid, uuid) AS
SELECT app.take_account_erasure($2) WHERE $1 IS NOT NULL;

-- Deletes the next rows from a table ($3); returns how many.
PREPARE erase_account_rows (uuid, uuid, text, integer) AS
SELECT app.erase_account_rows($2, $3, $4) WHERE $1 IS NOT NULL;

-- Takes what is personal from the next declarations; returns how many.
PREPARE empty_account_consents (uuid, uuid, integer) AS
SELECT app.empty_account_consents($2, $3) WHERE $1 IS NOT NULL;

-- Takes what is personal from the rows that remain.
PREPARE empty_account_shell (uuid, uuid) AS
SELECT app.empty_account_shell($2) WHERE $1 IS NOT NULL;

-- Takes the payloads of the log's next entries, after one at ($3, $4).
PREPARE empty_account_log (uuid, uuid, timestamptz, uuid, integer) AS
SELECT last_at, last_id, entries FROM app.empty_account_log($2, $3, $4, $5) WHERE $1 IS NOT NULL;

-- Completes an erasure; false when something is left.
PREPARE finish_account_erasure (uuid, uuid) AS
SELECT app.finish_account_erasure($2) WHERE $1 IS NOT NULL;
