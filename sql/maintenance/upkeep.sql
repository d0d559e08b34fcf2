-- Vacuuming and reindexing: commands for pmcrm_owner, each to run by itself outside of a transaction, in this order. Table
-- and index names come from the catalog.

-- Takes one of them until the session ends, so that two are never at it at once, whoever made the connection.
PREPARE claim_upkeep (text) AS
SELECT pg_try_advisory_lock(hashtext('pmcrm upkeep'), hashtext($1));

-- Vacuums and analyses our tables; of partitioned ones the partitions, and what is known of all of them together.
PREPARE vacuum_commands AS
SELECT
    c.oid::regclass::text AS name,
    CASE c.relkind WHEN 'p' THEN format('ANALYZE %s', c.oid::regclass) ELSE format('VACUUM (ANALYZE) %s', c.oid::regclass) END
        AS command
FROM pg_class AS c
WHERE c.relkind IN ('r', 'p') AND c.relowner = 'pmcrm_owner'::regrole
    AND c.relnamespace IN ('public'::regnamespace, 'app'::regnamespace)
ORDER BY c.relkind DESC, c.relname;

-- What earlier runs that were interrupted left behind; then each of our indexes anew, while reads and writes go on.
PREPARE reindex_commands AS
SELECT false AS makes, i.oid::regclass::text AS name, format('DROP INDEX CONCURRENTLY IF EXISTS %s', i.oid::regclass) AS command
FROM pg_class AS i
JOIN pg_index AS x ON x.indexrelid = i.oid
WHERE NOT x.indisvalid AND i.relname ~ '_cc(new|old)\d*$' AND i.relkind = 'i' AND i.relowner = 'pmcrm_owner'::regrole
    AND i.relnamespace IN ('public'::regnamespace, 'app'::regnamespace)
UNION ALL
SELECT true, i.oid::regclass::text, format('REINDEX INDEX CONCURRENTLY %s', i.oid::regclass)
FROM pg_class AS i
JOIN pg_index AS x ON x.indexrelid = i.oid
WHERE x.indisvalid AND i.relkind = 'i' AND i.relowner = 'pmcrm_owner'::regrole
    AND i.relnamespace IN ('public'::regnamespace, 'app'::regnamespace)
ORDER BY makes, name;
