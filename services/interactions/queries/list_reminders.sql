-- Pages of reminders: one statement for each order and direction. The parameters are the same in all of them:
--   $1 tenant   $2, $3, $4 whether the last row shown had nothing left, its position and id, NULL for the first page
--   $5 limit   $6 offset   $7 deleted ones too   $8 about this contact   $9 status   $10 kinds   $11 least priority
--   $12, $13 due from, before
-- A NULL filter filters nothing. `position` is where the page ends. A tenant's reminders are few enough to be sorted.

-- The next due first.
PREPARE list_reminders_by_due (
    uuid, boolean, text, uuid, integer, integer, boolean, uuid, text, text[], smallint, timestamptz, timestamptz
) AS
SELECT *, due_order::text AS position
FROM reminder_rows
WHERE user_id = $1
    AND ($2 IS NULL OR (due_order, id_key) > ($3::timestamptz, $4))
    AND NOT withheld
    AND ($7 OR delete_time IS NULL)
    AND ($8 IS NULL OR EXISTS (
        SELECT FROM reminder_contacts AS rc WHERE rc.user_id = $1 AND rc.reminder_id = id_key AND rc.contact_id = $8
    ))
    AND ($9 IS NULL OR status = $9)
    AND ($10 IS NULL OR kind = ANY ($10))
    AND ($11 IS NULL OR priority >= $11)
    AND ($12 IS NULL OR next_due_time >= $12)
    AND ($13 IS NULL OR next_due_time < $13)
ORDER BY due_order, id_key
LIMIT $5 OFFSET $6;

-- The last due first; those with nothing left come last all the same.
PREPARE list_reminders_by_due_desc (
    uuid, boolean, text, uuid, integer, integer, boolean, uuid, text, text[], smallint, timestamptz, timestamptz
) AS
SELECT *, due_order::text AS position
FROM reminder_rows
WHERE user_id = $1
    AND ($2 IS NULL OR nothing_left > $2 OR (nothing_left = $2 AND (due_order, id_key) < ($3::timestamptz, $4)))
    AND NOT withheld
    AND ($7 OR delete_time IS NULL)
    AND ($8 IS NULL OR EXISTS (
        SELECT FROM reminder_contacts AS rc WHERE rc.user_id = $1 AND rc.reminder_id = id_key AND rc.contact_id = $8
    ))
    AND ($9 IS NULL OR status = $9)
    AND ($10 IS NULL OR kind = ANY ($10))
    AND ($11 IS NULL OR priority >= $11)
    AND ($12 IS NULL OR next_due_time >= $12)
    AND ($13 IS NULL OR next_due_time < $13)
ORDER BY nothing_left, due_order DESC, id_key DESC
LIMIT $5 OFFSET $6;

-- Oldest first.
PREPARE list_reminders_by_create_time (
    uuid, boolean, text, uuid, integer, integer, boolean, uuid, text, text[], smallint, timestamptz, timestamptz
) AS
SELECT *, create_time::text AS position
FROM reminder_rows
WHERE user_id = $1
    AND ($2 IS NULL OR nothing_left > $2 OR (nothing_left = $2 AND (create_time, id_key) > ($3::timestamptz, $4)))
    AND NOT withheld
    AND ($7 OR delete_time IS NULL)
    AND ($8 IS NULL OR EXISTS (
        SELECT FROM reminder_contacts AS rc WHERE rc.user_id = $1 AND rc.reminder_id = id_key AND rc.contact_id = $8
    ))
    AND ($9 IS NULL OR status = $9)
    AND ($10 IS NULL OR kind = ANY ($10))
    AND ($11 IS NULL OR priority >= $11)
    AND ($12 IS NULL OR next_due_time >= $12)
    AND ($13 IS NULL OR next_due_time < $13)
ORDER BY nothing_left, create_time, id_key
LIMIT $5 OFFSET $6;

-- Newest first.
PREPARE list_reminders_by_create_time_desc (
    uuid, boolean, text, uuid, integer, integer, boolean, uuid, text, text[], smallint, timestamptz, timestamptz
) AS
SELECT *, create_time::text AS position
FROM reminder_rows
WHERE user_id = $1
    AND ($2 IS NULL OR nothing_left > $2 OR (nothing_left = $2 AND (create_time, id_key) < ($3::timestamptz, $4)))
    AND NOT withheld
    AND ($7 OR delete_time IS NULL)
    AND ($8 IS NULL OR EXISTS (
        SELECT FROM reminder_contacts AS rc WHERE rc.user_id = $1 AND rc.reminder_id = id_key AND rc.contact_id = $8
    ))
    AND ($9 IS NULL OR status = $9)
    AND ($10 IS NULL OR kind = ANY ($10))
    AND ($11 IS NULL OR priority >= $11)
    AND ($12 IS NULL OR next_due_time >= $12)
    AND ($13 IS NULL OR next_due_time < $13)
ORDER BY nothing_left, create_time DESC, id_key DESC
LIMIT $5 OFFSET $6;

-- What matters least first.
PREPARE list_reminders_by_priority (
    uuid, boolean, text, uuid, integer, integer, boolean, uuid, text, text[], smallint, timestamptz, timestamptz
) AS
SELECT *, priority::text AS position
FROM reminder_rows
WHERE user_id = $1
    AND ($2 IS NULL OR nothing_left > $2 OR (nothing_left = $2 AND (priority, id_key) > ($3::smallint, $4)))
    AND NOT withheld
    AND ($7 OR delete_time IS NULL)
    AND ($8 IS NULL OR EXISTS (
        SELECT FROM reminder_contacts AS rc WHERE rc.user_id = $1 AND rc.reminder_id = id_key AND rc.contact_id = $8
    ))
    AND ($9 IS NULL OR status = $9)
    AND ($10 IS NULL OR kind = ANY ($10))
    AND ($11 IS NULL OR priority >= $11)
    AND ($12 IS NULL OR next_due_time >= $12)
    AND ($13 IS NULL OR next_due_time < $13)
ORDER BY nothing_left, priority, id_key
LIMIT $5 OFFSET $6;

-- What matters most first.
PREPARE list_reminders_by_priority_desc (
    uuid, boolean, text, uuid, integer, integer, boolean, uuid, text, text[], smallint, timestamptz, timestamptz
) AS
SELECT *, priority::text AS position
FROM reminder_rows
WHERE user_id = $1
    AND ($2 IS NULL OR nothing_left > $2 OR (nothing_left = $2 AND (priority, id_key) < ($3::smallint, $4)))
    AND NOT withheld
    AND ($7 OR delete_time IS NULL)
    AND ($8 IS NULL OR EXISTS (
        SELECT FROM reminder_contacts AS rc WHERE rc.user_id = $1 AND rc.reminder_id = id_key AND rc.contact_id = $8
    ))
    AND ($9 IS NULL OR status = $9)
    AND ($10 IS NULL OR kind = ANY ($10))
    AND ($11 IS NULL OR priority >= $11)
    AND ($12 IS NULL OR next_due_time >= $12)
    AND ($13 IS NULL OR next_due_time < $13)
ORDER BY nothing_left, priority DESC, id_key DESC
LIMIT $5 OFFSET $6;

-- By title.
PREPARE list_reminders_by_title (
    uuid, boolean, text, uuid, integer, integer, boolean, uuid, text, text[], smallint, timestamptz, timestamptz
) AS
SELECT *, app.fold(title) AS position
FROM reminder_rows
WHERE user_id = $1
    AND ($2 IS NULL OR nothing_left > $2 OR (nothing_left = $2 AND ((app.fold(title) COLLATE app.name_order), id_key) > ($3, $4)))
    AND NOT withheld
    AND ($7 OR delete_time IS NULL)
    AND ($8 IS NULL OR EXISTS (
        SELECT FROM reminder_contacts AS rc WHERE rc.user_id = $1 AND rc.reminder_id = id_key AND rc.contact_id = $8
    ))
    AND ($9 IS NULL OR status = $9)
    AND ($10 IS NULL OR kind = ANY ($10))
    AND ($11 IS NULL OR priority >= $11)
    AND ($12 IS NULL OR next_due_time >= $12)
    AND ($13 IS NULL OR next_due_time < $13)
ORDER BY nothing_left, (app.fold(title) COLLATE app.name_order), id_key
LIMIT $5 OFFSET $6;

-- By title, backwards.
PREPARE list_reminders_by_title_desc (
    uuid, boolean, text, uuid, integer, integer, boolean, uuid, text, text[], smallint, timestamptz, timestamptz
) AS
SELECT *, app.fold(title) AS position
FROM reminder_rows
WHERE user_id = $1
    AND ($2 IS NULL OR nothing_left > $2 OR (nothing_left = $2 AND ((app.fold(title) COLLATE app.name_order), id_key) < ($3, $4)))
    AND NOT withheld
    AND ($7 OR delete_time IS NULL)
    AND ($8 IS NULL OR EXISTS (
        SELECT FROM reminder_contacts AS rc WHERE rc.user_id = $1 AND rc.reminder_id = id_key AND rc.contact_id = $8
    ))
    AND ($9 IS NULL OR status = $9)
    AND ($10 IS NULL OR kind = ANY ($10))
    AND ($11 IS NULL OR priority >= $11)
    AND ($12 IS NULL OR next_due_time >= $12)
    AND ($13 IS NULL OR next_due_time < $13)
ORDER BY nothing_left, (app.fold(title) COLLATE app.name_order) DESC, id_key DESC
LIMIT $5 OFFSET $6;
