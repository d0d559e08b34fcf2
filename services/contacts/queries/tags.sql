-- Gets one tag, deleted or not.
PREPARE get_tag (uuid, uuid) AS
SELECT *
FROM tag_rows
WHERE user_id = $1 AND id_key = $2;

-- Gets a living tag and locks it until the transaction ends, so that what is read is what the update changes.
PREPARE lock_tag (uuid, uuid) AS
SELECT *
FROM tag_rows
WHERE user_id = $1 AND id_key = $2 AND delete_time IS NULL
FOR NO KEY UPDATE;

-- Which of these tags live. They go on living until the transaction ends: FOR SHARE lets others put them on contacts at
-- the same time, and nobody delete them.
PREPARE hold_tags (uuid, uuid[]) AS
SELECT id
FROM tags
WHERE user_id = $1 AND id = ANY ($2) AND deleted_at IS NULL
ORDER BY id
FOR SHARE;

-- Lets one transaction at a time add to the tenant's living tags, so that they can be counted against the limit.
PREPARE hold_tenant (uuid) AS
SELECT true
FROM users
WHERE id = $1
FOR NO KEY UPDATE;

-- Counts the tenant's living tags.
PREPARE count_living_tags (uuid) AS
SELECT count(*)
FROM tags
WHERE user_id = $1 AND deleted_at IS NULL;

-- Creates a tag: name, its key, colour, description.
PREPARE create_tag (uuid, text, text, text, text) AS
INSERT INTO tags (user_id, name, name_key, sort_name, color, description)
VALUES ($1, $2, $3, app.fold($2), $4, $5)
RETURNING id;

-- Replaces what a caller may write of one tag.
PREPARE update_tag (uuid, uuid, text, text, text, text) AS
UPDATE tags SET name = $3, name_key = $4, sort_name = app.fold($3), color = $5, description = $6
WHERE user_id = $1 AND id = $2
RETURNING id;

-- Deletes a living tag, if it is still the version expected; NULL expects any.
PREPARE delete_tag (uuid, uuid, bigint) AS
UPDATE tags SET deleted_at = now()
WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL AND ($3 IS NULL OR revision = $3)
RETURNING id;

-- Brings back a deleted tag, if it is still the version expected; NULL expects any.
PREPARE undelete_tag (uuid, uuid, bigint) AS
UPDATE tags SET deleted_at = NULL
WHERE user_id = $1 AND id = $2 AND deleted_at IS NOT NULL AND ($3 IS NULL OR revision = $3)
RETURNING id;

-- Puts tags on contacts that are held: how many ties are new, and which contacts have got one.
PREPARE add_contact_tags (uuid, uuid[], uuid[]) AS
WITH added AS (
    INSERT INTO contact_tags (user_id, contact_id, tag_id)
    SELECT $1, contact_id, tag_id FROM unnest($2) AS contact_id CROSS JOIN unnest($3) AS tag_id
    ON CONFLICT (user_id, contact_id, tag_id) DO NOTHING
    RETURNING contact_id
)
SELECT count(*) AS ties, coalesce(array_agg(DISTINCT contact_id), '{}') AS contact_ids
FROM added;

-- Takes tags off contacts that are held: how many ties are gone.
PREPARE remove_contact_tags (uuid, uuid[], uuid[]) AS
WITH removed AS (
    DELETE FROM contact_tags
    WHERE user_id = $1 AND contact_id = ANY ($2) AND tag_id = ANY ($3)
    RETURNING contact_id
)
SELECT count(*) AS ties
FROM removed;

-- Whether any of these contacts carries more living tags than $3.
PREPARE overtagged_contact (uuid, uuid[], integer) AS
SELECT contact_id
FROM carried_tags
WHERE user_id = $1 AND contact_id = ANY ($2)
GROUP BY contact_id
HAVING count(*) > $3
LIMIT 1;

-- Counts what a list would show; $2 deleted ones too.
PREPARE count_tags (uuid, boolean) AS
SELECT count(*)
FROM tags
WHERE user_id = $1 AND ($2 OR deleted_at IS NULL);

-- Pages of tags. One statement for each order and direction. The parameters are the same in all of them:
--   $1 tenant   $2, $3 position and id of the last row shown, NULL for the first page   $4 limit   $5 offset
--   $6 deleted ones too
-- `position` is where the page ends.

-- By name.
PREPARE list_tags_by_name (uuid, text, uuid, integer, integer, boolean) AS
SELECT *, sort_name::text AS position
FROM tag_rows
WHERE user_id = $1
    AND (sort_name, id_key) > ((SELECT coalesce($2, '')), (SELECT coalesce($3, '00000000-0000-0000-0000-000000000000')))
    AND ($6 OR delete_time IS NULL)
ORDER BY sort_name, id_key
LIMIT $4 OFFSET $5;

-- By name, backwards.
PREPARE list_tags_by_name_desc (uuid, text, uuid, integer, integer, boolean) AS
SELECT *, sort_name::text AS position
FROM tag_rows
WHERE user_id = $1
    AND (sort_name, id_key) < ((SELECT coalesce($2, app.name_order_end())), (SELECT coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff')))
    AND ($6 OR delete_time IS NULL)
ORDER BY sort_name DESC, id_key DESC
LIMIT $4 OFFSET $5;

-- Oldest first.
PREPARE list_tags_by_create_time (uuid, text, uuid, integer, integer, boolean) AS
SELECT *, create_time::text AS position
FROM tag_rows
WHERE user_id = $1
    AND (create_time, id_key) > ((SELECT coalesce($2::timestamptz, '-infinity')), (SELECT coalesce($3, '00000000-0000-0000-0000-000000000000')))
    AND ($6 OR delete_time IS NULL)
ORDER BY create_time, id_key
LIMIT $4 OFFSET $5;

-- Newest first.
PREPARE list_tags_by_create_time_desc (uuid, text, uuid, integer, integer, boolean) AS
SELECT *, create_time::text AS position
FROM tag_rows
WHERE user_id = $1
    AND (create_time, id_key) < ((SELECT coalesce($2::timestamptz, 'infinity')), (SELECT coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff')))
    AND ($6 OR delete_time IS NULL)
ORDER BY create_time DESC, id_key DESC
LIMIT $4 OFFSET $5;

-- On the fewest contacts first.
PREPARE list_tags_by_contact_count (uuid, text, uuid, integer, integer, boolean) AS
SELECT *, contact_count::text AS position
FROM tag_rows
WHERE user_id = $1
    AND (contact_count, id_key) > ((SELECT coalesce($2::bigint, -1)), (SELECT coalesce($3, '00000000-0000-0000-0000-000000000000')))
    AND ($6 OR delete_time IS NULL)
ORDER BY contact_count, id_key
LIMIT $4 OFFSET $5;

-- On the most contacts first.
PREPARE list_tags_by_contact_count_desc (uuid, text, uuid, integer, integer, boolean) AS
SELECT *, contact_count::text AS position
FROM tag_rows
WHERE user_id = $1
    AND (contact_count, id_key) < ((SELECT coalesce($2::bigint, 9223372036854775807)), (SELECT coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff')))
    AND ($6 OR delete_time IS NULL)
ORDER BY contact_count DESC, id_key DESC
LIMIT $4 OFFSET $5;
