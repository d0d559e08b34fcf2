-- Gets one reminder, deleted or not.
PREPARE get_reminder (uuid, uuid) AS
SELECT *
FROM reminder_rows
WHERE user_id = $1 AND id_key = $2;

-- Gets several reminders, deleted or not, in no order.
PREPARE get_reminders (uuid, uuid[]) AS
SELECT *
FROM reminder_rows
WHERE user_id = $1 AND id_key = ANY ($2);

-- Locks a living reminder until the transaction ends.
PREPARE lock_reminder (uuid, uuid) AS
SELECT id
FROM reminders
WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL
FOR NO KEY UPDATE;

-- Counts what a list would show; the filters are those of list_reminders.sql.
PREPARE count_reminders (uuid, boolean, uuid, text, text[], smallint, timestamptz, timestamptz) AS
SELECT count(*)
FROM reminder_rows
WHERE user_id = $1
    AND NOT withheld
    AND ($2 OR delete_time IS NULL)
    AND ($3 IS NULL OR EXISTS (
        SELECT FROM reminder_contacts AS rc WHERE rc.user_id = $1 AND rc.reminder_id = id_key AND rc.contact_id = $3
    ))
    AND ($4 IS NULL OR status = $4)
    AND ($5 IS NULL OR kind = ANY ($5))
    AND ($6 IS NULL OR priority >= $6)
    AND ($7 IS NULL OR next_due_time >= $7)
    AND ($8 IS NULL OR next_due_time < $8);

-- The contact that an id stands for, deleted or not.
PREPARE standing_contact (uuid, uuid) AS
SELECT c.id, c.processing_restricted
FROM contacts AS c
WHERE c.user_id = $1 AND c.id = (
    SELECT coalesce(
        (SELECT r.survivor_id FROM contact_redirects AS r WHERE r.user_id = $1 AND r.contact_id = $2), $2
    )
);

-- The time zone that the tenant lives in.
PREPARE tenant_time_zone (uuid) AS
SELECT time_zone
FROM users
WHERE id = $1;

-- Creates a reminder; what is derived of it follows by write_schedules.
PREPARE create_reminder (uuid, uuid, jsonb) AS
INSERT INTO reminders (
    user_id, id, kind, title, notes, due_local, time_zone, rrule, priority, channels, lead_seconds, muted
)
SELECT
    $1, $2, given.kind, given.title, given.notes, given.due_local, given.time_zone, given.rrule, given.priority,
    given.channels, given.lead_seconds, given.muted
FROM jsonb_to_record($3) AS given (
    kind text, title text, notes text, due_local text, time_zone text, rrule text, priority smallint, channels text[],
    lead_seconds integer[], muted boolean
)
RETURNING id;

-- Replaces what a caller may write of a reminder. $4: its rule starts anew; $5: a snooze ends.
PREPARE update_reminder (uuid, uuid, jsonb, boolean, boolean) AS
UPDATE reminders SET
    updated_at = now(),
    title = given.title,
    notes = given.notes,
    due_local = given.due_local,
    time_zone = given.time_zone,
    rrule = given.rrule,
    priority = given.priority,
    channels = given.channels,
    lead_seconds = given.lead_seconds,
    muted = given.muted,
    completed_through = CASE WHEN $4 THEN NULL ELSE completed_through END,
    snoozed_until = CASE WHEN $5 THEN NULL ELSE snoozed_until END,
    snoozed_local = CASE WHEN $5 THEN NULL ELSE snoozed_local END
FROM jsonb_to_record($3) AS given (
    title text, notes text, due_local text, time_zone text, rrule text, priority smallint, channels text[],
    lead_seconds integer[], muted boolean
)
WHERE reminders.user_id = $1 AND reminders.id = $2;

-- Says whom a reminder is about, in this order.
PREPARE add_reminder_contacts (uuid, uuid, uuid[]) AS
INSERT INTO reminder_contacts (user_id, reminder_id, contact_id, position)
SELECT $1, $2, named.contact_id, named.position
FROM unnest($3) WITH ORDINALITY AS named (contact_id, position)
RETURNING contact_id;

-- Takes away whom a reminder is about.
PREPARE remove_reminder_contacts (uuid, uuid) AS
DELETE FROM reminder_contacts
WHERE user_id = $1 AND reminder_id = $2;

-- Completes an occurrence; the cadence or birthday counts on from $4.
PREPARE complete_reminder (uuid, uuid, text, date) AS
UPDATE reminders SET
    updated_at = now(),
    last_completed_at = now(),
    completed_count = completed_count + 1,
    completed_through = CASE WHEN kind = 'GENERAL' THEN $3 ELSE completed_through END,
    counts_from = coalesce($4, counts_from),
    snoozed_until = NULL,
    snoozed_local = NULL
WHERE user_id = $1 AND id = $2;

-- Puts an occurrence off.
PREPARE snooze_reminder (uuid, uuid, text, timestamptz) AS
UPDATE reminders SET updated_at = now(), snoozed_local = $3, snoozed_until = $4
WHERE user_id = $1 AND id = $2;

-- Deletes a living reminder, if it is still the version expected; NULL expects any.
PREPARE delete_reminder (uuid, uuid, bigint) AS
UPDATE reminders SET deleted_at = now(), updated_at = now()
WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL AND ($3 IS NULL OR revision = $3)
RETURNING id;

-- Forgets the notifications of a reminder.
PREPARE remove_notifications (uuid, uuid) AS
DELETE FROM reminder_notifications
WHERE user_id = $1 AND reminder_id = $2;

-- The living reminders whose derived values do not hold any more.
PREPARE outdated_reminders (uuid) AS
SELECT id
FROM reminders
WHERE user_id = $1 AND fresh_until <= now() AND deleted_at IS NULL;

-- Takes hold of those of some living reminders that nobody else holds.
PREPARE hold_free_reminders (uuid, uuid[]) AS
SELECT id, now() AS now
FROM reminders
WHERE user_id = $1 AND id = ANY ($2) AND deleted_at IS NULL
ORDER BY id
FOR NO KEY UPDATE SKIP LOCKED;

-- Takes hold of living reminders, waiting for whoever holds them.
PREPARE hold_reminders (uuid, uuid[]) AS
SELECT id
FROM reminders
WHERE user_id = $1 AND id = ANY ($2) AND deleted_at IS NULL
ORDER BY id
FOR NO KEY UPDATE;

-- What reminders are scheduled by, their contact and their notifications included. For reminders that are held.
PREPARE scheduled_reminders (uuid, uuid[]) AS
SELECT
    now() AS now, r.id, r.kind, r.due_local, r.time_zone, r.rrule, r.counts_from, r.known_birthday, r.completed_through,
    r.snoozed_local, r.lead_seconds, r.muted, r.next_due_local,
    c.keep_in_touch_days, c.birthday_month, c.birthday_day, c.created_at AS contact_created_at, s.last_contact_at,
    c.deleted_at IS NULL AND NOT c.processing_restricted AS contact_usable,
    (
        SELECT jsonb_agg(jsonb_build_object(
            'lead_seconds', n.lead_seconds, 'settled_local', n.settled_local, 'occurrence_local', n.occurrence_local,
            'occurrence_at', n.occurrence_at, 'notify_at', n.notify_at, 'available_at', n.available_at,
            'first_claimed_at', n.first_claimed_at, 'lease_id', n.lease_id, 'attempt', n.attempt, 'snoozed', n.snoozed
        ))
        FROM reminder_notifications AS n
        WHERE n.user_id = $1 AND n.reminder_id = r.id
    ) AS notifications
FROM reminders AS r
LEFT JOIN reminder_contacts AS rc ON rc.user_id = $1 AND rc.reminder_id = r.id AND r.kind <> 'GENERAL'
LEFT JOIN contacts AS c ON c.user_id = $1 AND c.id = rc.contact_id
LEFT JOIN contact_strengths AS s ON s.user_id = $1 AND s.contact_id = c.id
WHERE r.user_id = $1 AND r.id = ANY ($2);

-- Writes what was derived of held reminders.
PREPARE write_schedules (uuid, jsonb, text) AS
UPDATE reminders SET
    next_due_at = given.next_due_at,
    next_due_local = given.next_due_local,
    fresh_until = coalesce(given.fresh_until, 'infinity'),
    counts_from = given.counts_from,
    known_birthday = given.known_birthday,
    tzdata_version = $3
FROM jsonb_to_recordset($2) AS given (
    id uuid, next_due_at timestamptz, next_due_local text, fresh_until timestamptz, counts_from date,
    known_birthday text
)
WHERE reminders.user_id = $1 AND reminders.id = given.id;

-- Takes away the notifications of held reminders whose lead times they do not have any more; $2 names those kept.
PREPARE remove_leads (uuid, jsonb) AS
DELETE FROM reminder_notifications AS n
USING jsonb_to_recordset($2) AS given (id uuid, leads integer[])
WHERE n.user_id = $1 AND n.reminder_id = given.id AND n.lead_seconds <> ALL (given.leads);

-- Writes the notifications of held reminders.
PREPARE write_notifications (uuid, jsonb) AS
INSERT INTO reminder_notifications (
    user_id, reminder_id, lead_seconds, settled_local, occurrence_local, occurrence_at, notify_at, available_at,
    first_claimed_at, lease_id, attempt, snoozed
)
SELECT
    $1, reminder_id, lead_seconds, settled_local, occurrence_local, occurrence_at, notify_at, available_at,
    first_claimed_at, lease_id, attempt, snoozed
FROM jsonb_to_recordset($2) AS given (
    reminder_id uuid, lead_seconds integer, settled_local text, occurrence_local text, occurrence_at timestamptz,
    notify_at timestamptz, available_at timestamptz, first_claimed_at timestamptz, lease_id uuid, attempt integer,
    snoozed boolean
)
ON CONFLICT (user_id, reminder_id, lead_seconds) DO UPDATE SET
    settled_local = EXCLUDED.settled_local,
    occurrence_local = EXCLUDED.occurrence_local,
    occurrence_at = EXCLUDED.occurrence_at,
    notify_at = EXCLUDED.notify_at,
    available_at = EXCLUDED.available_at,
    first_claimed_at = EXCLUDED.first_claimed_at,
    lease_id = EXCLUDED.lease_id,
    attempt = EXCLUDED.attempt,
    snoozed = EXCLUDED.snoozed;
