-- The contact that an id stands for, deleted or not: itself, or the one that it was merged into.
PREPARE find_named_contact (uuid, uuid) AS
SELECT id, deleted_at IS NOT NULL AS deleted, processing_restricted
FROM contacts
WHERE user_id = $1
    AND id = (
        SELECT coalesce((SELECT survivor_id FROM contact_redirects WHERE user_id = $1 AND contact_id = $2), $2)
    );

-- Ties two contacts. The same tie among the living, from whichever side, violates their key.
PREPARE create_contact_link (uuid, uuid, uuid, text, text, smallint, smallint, smallint, text) AS
INSERT INTO contact_links (
    user_id, contact_id, related_contact_id, type, label, start_year, start_month, start_day, notes
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
RETURNING id;

-- The first of these contacts that has more living links than it may have.
PREPARE find_overlinked_contact (uuid, uuid[], integer) AS
SELECT held.id
FROM unnest($2) WITH ORDINALITY AS held (id, place)
WHERE (SELECT count(*) FROM contact_links WHERE user_id = $1 AND contact_id = held.id AND deleted_at IS NULL)
    + (SELECT count(*) FROM contact_links WHERE user_id = $1 AND related_contact_id = held.id AND deleted_at IS NULL)
    > $3
ORDER BY held.place
LIMIT 1;

-- A link, removed or not, from both sides; the one on which it is stored comes first.
PREPARE get_contact_link (uuid, uuid) AS
SELECT *
FROM contact_link_sides
WHERE user_id = $1 AND link_key = $2
ORDER BY as_stored DESC;

-- Removes a living link, if it is still the version expected; NULL expects any.
PREPARE remove_contact_link (uuid, uuid, bigint) AS
UPDATE contact_links SET deleted_at = now()
WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL AND ($3 IS NULL OR revision = $3)
RETURNING id;

-- Pages of one contact's links. The parameters are the same in all of them:
--   $1 tenant   $2, $3 position and id of the last row shown, NULL for the first page   $4 limit   $5 offset
--   $6 the contact   $7 removed ones, and those to deleted contacts, too   $8 the one type, NULL for all

-- Oldest first.
PREPARE list_contact_links_by_create_time (uuid, text, uuid, integer, integer, uuid, boolean, text) AS
SELECT *, create_time::text AS position
FROM contact_link_sides
WHERE user_id = $1 AND contact_key = $6
    AND (create_time, link_key) > ((SELECT coalesce($2::timestamptz, '-infinity')), (SELECT coalesce($3, '00000000-0000-0000-0000-000000000000')))
    AND NOT related_restricted
    AND ($7 OR (delete_time IS NULL AND NOT related_deleted))
    AND ($8 IS NULL OR type = $8)
ORDER BY create_time, link_key
LIMIT $4 OFFSET $5;

-- Newest first.
PREPARE list_contact_links_by_create_time_desc (uuid, text, uuid, integer, integer, uuid, boolean, text) AS
SELECT *, create_time::text AS position
FROM contact_link_sides
WHERE user_id = $1 AND contact_key = $6
    AND (create_time, link_key) < ((SELECT coalesce($2::timestamptz, 'infinity')), (SELECT coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff')))
    AND NOT related_restricted
    AND ($7 OR (delete_time IS NULL AND NOT related_deleted))
    AND ($8 IS NULL OR type = $8)
ORDER BY create_time DESC, link_key DESC
LIMIT $4 OFFSET $5;

-- By type, in the order of the types' numbers.
PREPARE list_contact_links_by_type (uuid, text, uuid, integer, integer, uuid, boolean, text) AS
SELECT *, type_order::text AS position
FROM contact_link_sides
WHERE user_id = $1 AND contact_key = $6
    AND (type_order, link_key) > ((SELECT coalesce($2::smallint, 0)), (SELECT coalesce($3, '00000000-0000-0000-0000-000000000000')))
    AND NOT related_restricted
    AND ($7 OR (delete_time IS NULL AND NOT related_deleted))
    AND ($8 IS NULL OR type = $8)
ORDER BY type_order, link_key
LIMIT $4 OFFSET $5;

-- By type, backwards.
PREPARE list_contact_links_by_type_desc (uuid, text, uuid, integer, integer, uuid, boolean, text) AS
SELECT *, type_order::text AS position
FROM contact_link_sides
WHERE user_id = $1 AND contact_key = $6
    AND (type_order, link_key) < ((SELECT coalesce($2::smallint, 32767)), (SELECT coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff')))
    AND NOT related_restricted
    AND ($7 OR (delete_time IS NULL AND NOT related_deleted))
    AND ($8 IS NULL OR type = $8)
ORDER BY type_order DESC, link_key DESC
LIMIT $4 OFFSET $5;

-- How many the list has in all: $2 the contact, $3 removed ones and those to deleted contacts too, $4 the one type.
PREPARE count_contact_links (uuid, uuid, boolean, text) AS
SELECT count(*)::integer
FROM contact_link_sides
WHERE user_id = $1 AND contact_key = $2
    AND NOT related_restricted
    AND ($3 OR (delete_time IS NULL AND NOT related_deleted))
    AND ($4 IS NULL OR type = $4);
