-- What an export needs beside the rows of its tables.

-- The contact that an id stands for, then those merged into it, deleted or not. No row for an id that is none.
PREPARE export_subject (uuid, uuid) AS
SELECT found.id
FROM (
    SELECT c.id, 0 AS place FROM contacts AS c
    WHERE c.user_id = $1 AND c.id = coalesce(
        (SELECT r.survivor_id FROM contact_redirects AS r WHERE r.user_id = $1 AND r.contact_id = $2), $2
    )
) AS survivor
CROSS JOIN LATERAL (
    SELECT survivor.id, survivor.place
    UNION ALL
    SELECT m.contact_id, 1 FROM contact_redirects AS m WHERE m.user_id = $1 AND m.survivor_id = survivor.id
) AS found
ORDER BY found.place, found.id;

-- The moment that the transaction shows.
PREPARE export_moment (uuid) AS
SELECT now() AS now WHERE $1 IS NOT NULL;

-- The account itself; none of it when contacts are given. $3 names the columns that are left out.
PREPARE export_users (uuid, uuid[], text[], uuid) AS
SELECT id, (to_jsonb(t) - $3)::text AS line
FROM users AS t
WHERE id = $1 AND $2 IS NULL AND id > $4;

-- The address with which the user logs in; none when contacts are given.
PREPARE export_login_emails (uuid, uuid[], text[], text) AS
SELECT login_email, (to_jsonb(t) - $3)::text AS line
FROM login_emails AS t
WHERE user_id = $1 AND $2 IS NULL AND login_email > $4;

-- The tenant, closed or not; no row when there is none, or it is erased.
PREPARE export_tenant (uuid) AS
SELECT id FROM users WHERE id = $1 AND erased_at IS NULL;

-- Leaves an entry for an export in the audit log, about a contact or, when $2 is NULL, the tenant.
PREPARE audit_data_export (uuid, uuid, jsonb) AS
SELECT app.audit_event('EXPORT', CASE WHEN $2 IS NULL THEN 'users' ELSE 'contacts' END, coalesce($2, $1), $3);

-- The next contacts that are written as cards: of the account those that are not deleted, else the one given.
PREPARE export_cards (uuid, uuid, uuid) AS
SELECT *
FROM contact_rows
WHERE user_id = $1
    AND id_key > $3
    AND ($2 IS NOT NULL OR delete_time IS NULL)
    AND ($2 IS NULL OR id_key = $2)
ORDER BY id_key
LIMIT 32;

-- The next reminders that are written as events, those with nothing left among them; of some contacts, those about them.
PREPARE export_events (uuid, uuid[], uuid) AS
SELECT id_key, id, title, notes, priority, create_time, update_time
FROM reminder_rows
WHERE user_id = $1 AND id_key > $3 AND delete_time IS NULL AND (
    $2 IS NULL
    OR id_key IN (SELECT rc.reminder_id FROM reminder_contacts AS rc WHERE rc.user_id = $1 AND rc.contact_id = ANY ($2))
)
ORDER BY id_key
LIMIT 200;

-- What those reminders are scheduled by. Restricted contacts count: what they are restricted from is not their export.
PREPARE export_plans (uuid, uuid[]) AS
SELECT
    r.id, r.kind, r.due_local, r.time_zone, r.rrule, r.counts_from, r.known_birthday, r.completed_through,
    r.snoozed_local, r.lead_seconds, r.muted, c.keep_in_touch_days, c.birthday_month, c.birthday_day,
    c.created_at AS contact_created_at, s.last_contact_at, c.deleted_at IS NULL AND c.id IS NOT NULL AS contact_usable,
    NULL::jsonb AS notifications
FROM reminders AS r
LEFT JOIN reminder_contacts AS rc ON rc.user_id = $1 AND rc.reminder_id = r.id AND r.kind <> 'GENERAL'
LEFT JOIN contacts AS c ON c.user_id = $1 AND c.id = rc.contact_id
LEFT JOIN contact_strengths AS s ON s.user_id = $1 AND s.contact_id = c.id
WHERE r.user_id = $1 AND r.id = ANY ($2);

-- The next contacts whose birthday is known to the day: of the account those that are not deleted, else the one given.
PREPARE export_birthdays (uuid, uuid, uuid) AS
SELECT id, display_name, birthday_year, birthday_month, birthday_day, updated_at
FROM contacts
WHERE user_id = $1
    AND id > $3
    AND birthday_month IS NOT NULL
    AND birthday_day IS NOT NULL
    AND ($2 IS NOT NULL OR deleted_at IS NULL)
    AND ($2 IS NULL OR id = $2)
ORDER BY id
LIMIT 200;
