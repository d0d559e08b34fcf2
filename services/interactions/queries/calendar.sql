-- The next reminders of a calendar file after the one with the given id: those about a contact, unless $3 is NULL; those
-- with nothing left as well when $4.
PREPARE calendar_reminders (uuid, uuid, uuid, boolean, integer) AS
SELECT *
FROM reminder_rows
WHERE user_id = $1
    AND id_key > $2
    AND delete_time IS NULL
    AND NOT withheld
    AND ($3 IS NULL OR EXISTS (
        SELECT FROM reminder_contacts AS rc WHERE rc.user_id = $1 AND rc.reminder_id = id_key AND rc.contact_id = $3
    ))
    AND ($4 OR NOT nothing_left)
ORDER BY id_key
LIMIT $5;

-- The next contacts whose birthday is known to the day, after the one with the given id; only one contact unless $3 is
-- NULL.
PREPARE calendar_birthdays (uuid, uuid, uuid, integer) AS
SELECT id, display_name, birthday_year, birthday_month, birthday_day, updated_at
FROM contacts
WHERE user_id = $1
    AND id > $2
    AND deleted_at IS NULL
    AND NOT processing_restricted
    AND birthday_month IS NOT NULL
    AND birthday_day IS NOT NULL
    AND ($3 IS NULL OR id = $3)
ORDER BY id
LIMIT $4;

-- Leaves an entry for an export in the audit log, about a contact or, when $2 is NULL, the tenant.
PREPARE audit_calendar (uuid, uuid, jsonb) AS
SELECT app.audit_event('EXPORT', 'reminders', coalesce($2, $1), $3);
