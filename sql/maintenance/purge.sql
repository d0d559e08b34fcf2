-- Removing for good what was deleted long enough ago: tenant by tenant, a few rows at a time, so that nothing is held for long.

-- Before which moment something must have been deleted, which is so many days ago.
PREPARE purge_before (integer) AS
SELECT now() - make_interval(days => $1);

-- What is purged, in the order in which it is.
PREPARE purged_tables AS
SELECT table_name FROM app.purged_tables() ORDER BY place;

-- The tenants that have something to purge, in the order of their ids.
PREPARE tenants_to_purge (timestamptz) AS
SELECT user_id FROM app.tenants_to_purge($1) AS user_id;

-- Purges at most so many rows of a table, in a transaction that is bound to their tenant; table → rows removed.
PREPARE purge_rows (text, timestamptz, integer) AS
SELECT app.purge_rows($1, $2, $3);

-- How many of a tenant's rows a legal hold keeps from being purged, in a transaction that is bound to it.
PREPARE held_rows (timestamptz) AS
SELECT app.held_rows($1);

-- The accounts whose grace period is over: how many can be erased, and how many a legal hold keeps.
PREPARE accounts_to_erase (interval) AS
SELECT count(*) FILTER (WHERE NOT due.held) AS erased, count(*) FILTER (WHERE due.held) AS held
FROM (
    SELECT EXISTS (SELECT FROM legal_holds AS h WHERE h.user_id = u.id AND h.released_at IS NULL) AS held
    FROM users AS u
    WHERE u.deleted_at <= now() - $1 AND u.erased_at IS NULL
) AS due;
