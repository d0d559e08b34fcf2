-- Lets a tenant's merges and their undoing go one at a time. What a merge reads afterwards stays so until it has ended.
PREPARE lock_merges (uuid) AS
SELECT pg_advisory_xact_lock(hashtextextended('merge ' || $1, 0));

-- Keeps everybody else from these contacts until the transaction ends, foreign keys among them.
PREPARE lock_for_merging (uuid, uuid[]) AS
SELECT id
FROM contacts
WHERE user_id = $1 AND id = ANY ($2)
ORDER BY id
FOR UPDATE;

-- Merges contacts that are locked; see app.merge_contacts.
PREPARE merge_contacts (uuid, uuid, uuid[], jsonb, smallint) AS
SELECT app.merge_contacts($2, $3, $4, $5)
WHERE $1 IS NOT NULL;

-- How many things of each kind a merge moved and dropped. What had been removed before is not told of.
PREPARE merge_counts (uuid, uuid) AS
SELECT
    r.kind,
    count(*) FILTER (WHERE j.outcome = 'MOVED') AS moved,
    count(*) FILTER (WHERE j.outcome = 'DROPPED') AS dropped
FROM contact_merge_rows AS j
JOIN app.contact_references() AS r ON r.table_name = j.table_name AND r.column_name = j.column_name
WHERE j.user_id = $1 AND j.merge_id = $2 AND r.kind IS NOT NULL AND j.kept ->> 'deleted_at' IS NULL
GROUP BY r.kind;

-- How much of what is limited hangs on a contact, by kind.
PREPARE count_hanging (uuid, uuid) AS
SELECT
    (
        SELECT count(*) FROM contact_tags AS ct
        JOIN tags AS t ON t.user_id = $1 AND t.id = ct.tag_id
        WHERE ct.user_id = $1 AND ct.contact_id = $2 AND t.deleted_at IS NULL
    ) AS tags,
    (
        SELECT count(*) FROM contact_employments AS e
        WHERE e.user_id = $1 AND e.contact_id = $2 AND e.deleted_at IS NULL
    ) AS employments,
    (
        SELECT count(*) FROM contact_links AS l
        WHERE l.user_id = $1 AND (l.contact_id = $2 OR l.related_contact_id = $2) AND l.deleted_at IS NULL
    ) AS contact_links;

-- A merge, with the contacts that it merged, in the order in which they were given; NULL when they have been purged.
PREPARE get_merge (uuid, uuid) AS
SELECT
    m.survivor_id, m.undone_at, m.pinned, m.columns_before, m.columns_after,
    (
        SELECT array_agg(j.contact_id ORDER BY j.position DESC) FROM contact_merge_rows AS j
        WHERE j.user_id = $1 AND j.merge_id = m.id AND j.outcome = 'MERGED'
    ) AS merged_ids
FROM contact_merges AS m
WHERE m.user_id = $1 AND m.id = $2;

-- The latest of the merges that rest on this one: its survivor took part in them, or they dropped a tie of it, or merged a
-- contact to which a tie goes that this one dropped.
PREPARE superseding_merge (uuid, uuid) AS
SELECT later.id
FROM contact_merges AS m
JOIN contact_merges AS later ON later.user_id = $1 AND later.id > m.id AND later.undone_at IS NULL
WHERE m.user_id = $1 AND m.id = $2
    AND EXISTS (
        SELECT FROM contact_merge_rows AS j
        WHERE j.user_id = $1 AND j.merge_id = later.id AND j.outcome = 'MERGED'
    )
    AND (
        later.survivor_id = m.survivor_id
        OR EXISTS (
            SELECT FROM contact_merge_rows AS j
            WHERE j.user_id = $1 AND j.merge_id = later.id AND j.outcome = 'MERGED' AND j.contact_id = m.survivor_id
        )
        OR EXISTS (
            SELECT FROM contact_merge_rows AS j
            JOIN app.contact_references() AS r ON r.table_name = j.table_name
            WHERE j.user_id = $1 AND j.merge_id = later.id AND j.outcome = 'DROPPED'
                AND j.kept ->> r.column_name = m.survivor_id::text
        )
        OR EXISTS (
            SELECT FROM contact_merge_rows AS dropped
            JOIN app.contact_references() AS r ON r.table_name = dropped.table_name
            JOIN contact_merge_rows AS j ON j.user_id = $1 AND j.contact_id::text = dropped.kept ->> r.column_name
            WHERE dropped.user_id = $1 AND dropped.merge_id = m.id AND dropped.outcome = 'DROPPED'
                AND j.merge_id = later.id AND j.outcome = 'MERGED'
        )
    )
ORDER BY later.id DESC
LIMIT 1;

-- Undoes a merge whose contacts are locked; see app.unmerge_contacts. Kinds without a name are not told of.
PREPARE unmerge_contacts (uuid, uuid, jsonb, boolean) AS
SELECT problem, entity, entity_id, contact_id
FROM app.unmerge_contacts($2, $3, $4)
WHERE $1 IS NOT NULL AND entity IS NOT NULL;

-- The contacts that ids stand for, deleted or not: that of the survivor where one has been merged.
PREPARE get_contacts_stood_for (uuid, uuid[]) AS
SELECT given.asked, c.*
FROM (
    SELECT named.id AS asked, coalesce(r.survivor_id, named.id) AS stands_for
    FROM unnest($2) AS named (id)
    LEFT JOIN contact_redirects AS r ON r.user_id = $1 AND r.contact_id = named.id
    OFFSET 0  -- a column, by which the contacts are looked up; coalesce() would read all of them
) AS given
JOIN contact_rows AS c ON c.user_id = $1 AND c.id_key = given.stands_for;

-- Locks a contact, deleted or not, until the transaction ends.
PREPARE lock_any_contact (uuid, uuid) AS
SELECT id
FROM contacts
WHERE user_id = $1 AND id = $2
FOR NO KEY UPDATE;
