-- Reminders: what is to be remembered when, about whom, and which notifications of it are outstanding. When something is
-- due is computed by the services, in the time zones of their own tzdata, and kept here to be found by.

CREATE TABLE reminders (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT app.uuid_v7(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    last_completed_at timestamptz,
    snoozed_until timestamptz,
    next_due_at timestamptz,
    fresh_until timestamptz NOT NULL DEFAULT '-infinity',
    revision integer NOT NULL DEFAULT 1,
    completed_count integer NOT NULL DEFAULT 0 CHECK (completed_count >= 0),
    counts_from date,
    priority smallint NOT NULL DEFAULT 2 CHECK (priority BETWEEN 1 AND 4),
    muted boolean NOT NULL DEFAULT false,
    kind text NOT NULL CHECK (kind IN ('GENERAL', 'KEEP_IN_TOUCH', 'BIRTHDAY')),
    title text CHECK (title <> ''),
    notes text CHECK (notes <> ''),
    due_local text CHECK (due_local ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$'),
    time_zone text NOT NULL CHECK (time_zone <> ''),
    rrule text CHECK (rrule <> ''),
    completed_through text,
    snoozed_local text,
    next_due_local text,
    known_birthday text,
    tzdata_version text,
    channels text[] CHECK (channels <> '{}'),
    lead_seconds integer[] CHECK (lead_seconds <> '{}'),
    PRIMARY KEY (user_id, id),
    CHECK (kind <> 'GENERAL' OR (title IS NOT NULL AND due_local IS NOT NULL)),
    CHECK (kind = 'GENERAL' OR rrule IS NULL),
    CHECK ((next_due_at IS NULL) = (next_due_local IS NULL)),
    CHECK ((snoozed_until IS NULL) = (snoozed_local IS NULL))
);
COMMENT ON TABLE reminders IS
    'What a user wants to be reminded of. Local times are text as in `2026-03-08T02:30:00`, meant in time_zone.';
COMMENT ON COLUMN reminders.title IS 'NULL for a birthday or keep-in-touch reminder that is called after its contact.';
COMMENT ON COLUMN reminders.due_local IS 'The first local time; of the other kinds only the time of day counts, 09:00 when it is NULL.';
COMMENT ON COLUMN reminders.priority IS '1 low, 2 normal, 3 high, 4 urgent.';
COMMENT ON COLUMN reminders.completed_through IS 'The last completed occurrence of a general reminder; those up to it are done with.';
COMMENT ON COLUMN reminders.counts_from IS
    'From when the other kinds count, in time_zone: birthdays on this day or later, a cadence since this day.';
COMMENT ON COLUMN reminders.known_birthday IS 'The birthday (MM-DD) for which counts_from holds.';
COMMENT ON COLUMN reminders.snoozed_local IS 'The occurrence that is put off until snoozed_until; the snooze is over when another is the next.';
COMMENT ON COLUMN reminders.next_due_at IS 'The next occurrence: derived, as are next_due_local and what is notified of. NULL when nothing is left.';
COMMENT ON COLUMN reminders.fresh_until IS
    'Until when what is derived holds: when a later occurrence comes. -infinity when what it was derived from has changed.';
COMMENT ON COLUMN reminders.tzdata_version IS 'The release of the time zones with which it was derived.';

CREATE INDEX reminders_due_idx ON reminders (user_id, (coalesce(next_due_at, 'infinity')), id);
CREATE INDEX reminders_fresh_idx ON reminders (user_id, fresh_until) WHERE deleted_at IS NULL;
-- For operators: what must be derived anew before it can be handed out, of any tenant.
CREATE INDEX reminders_changed_idx ON reminders (fresh_until) WHERE fresh_until = '-infinity' AND deleted_at IS NULL;

ALTER TABLE reminders ENABLE ROW LEVEL SECURITY;
ALTER TABLE reminders FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON reminders
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

-- Only for statements that say they change the reminder: what is derived touches neither etag nor update time.
CREATE TRIGGER touch BEFORE UPDATE OF updated_at, deleted_at ON reminders FOR EACH ROW EXECUTE FUNCTION app.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON reminders
    FOR EACH ROW EXECUTE FUNCTION app.audit_row(
        'reminders', 'user_id', 'id', 'updated_at', 'revision', 'next_due_at', 'next_due_local', 'fresh_until',
        'counts_from', 'known_birthday', 'tzdata_version', 'snoozed_local'
    );

GRANT SELECT, INSERT ON reminders TO pmcrm_interactions;
GRANT UPDATE (
    updated_at, deleted_at, last_completed_at, snoozed_until, next_due_at, fresh_until, completed_count, counts_from,
    priority, muted, title, notes, due_local, time_zone, rrule, completed_through, snoozed_local, next_due_local,
    known_birthday, tzdata_version, channels, lead_seconds
) ON reminders TO pmcrm_interactions;
-- NOTE: update of kind is not granted, because it is fixed once it is stored. Delete is granted to no service: deleting
-- sets deleted_at, and the purge runs as pmcrm_service.
GRANT SELECT, DELETE, UPDATE (next_due_at, next_due_local, fresh_until, counts_from, known_birthday, tzdata_version)
    ON reminders TO pmcrm_service;


CREATE TABLE reminder_contacts (
    user_id uuid NOT NULL,
    reminder_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    position smallint NOT NULL,
    PRIMARY KEY (user_id, reminder_id, contact_id),
    FOREIGN KEY (user_id, reminder_id) REFERENCES reminders (user_id, id) ON DELETE CASCADE,
    FOREIGN KEY (user_id, contact_id) REFERENCES contacts (user_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE reminder_contacts IS 'Whom a reminder is about.';
COMMENT ON COLUMN reminder_contacts.position IS 'The place in the order in which the caller named them.';

CREATE INDEX reminder_contacts_contact_idx ON reminder_contacts (user_id, contact_id);

ALTER TABLE reminder_contacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE reminder_contacts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON reminder_contacts
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON reminder_contacts
    FOR EACH ROW EXECUTE FUNCTION app.audit_row('reminder_contacts', 'user_id', 'contact_id', 'position');

GRANT SELECT, INSERT, DELETE ON reminder_contacts TO pmcrm_interactions;
GRANT SELECT, DELETE ON reminder_contacts TO pmcrm_service;


CREATE TABLE reminder_notifications (
    user_id uuid NOT NULL,
    reminder_id uuid NOT NULL,
    lead_seconds integer NOT NULL CHECK (lead_seconds >= 0),
    attempt integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    occurrence_at timestamptz,
    notify_at timestamptz,
    available_at timestamptz,
    first_claimed_at timestamptz,
    lease_id uuid,
    snoozed boolean NOT NULL DEFAULT false,
    occurrence_local text,
    settled_local text,
    PRIMARY KEY (user_id, reminder_id, lead_seconds),
    FOREIGN KEY (user_id, reminder_id) REFERENCES reminders (user_id, id) ON DELETE CASCADE,
    CHECK ((occurrence_local IS NULL) = (notify_at IS NULL) AND (notify_at IS NULL) = (available_at IS NULL)),
    CHECK ((attempt = 0) = (first_claimed_at IS NULL))
);
COMMENT ON TABLE reminder_notifications IS
    'The next notification of each living reminder for each of its lead times. Derived, with leases: not audited.';
COMMENT ON COLUMN reminder_notifications.occurrence_local IS 'The occurrence to notify of; NULL when there is none.';
COMMENT ON COLUMN reminder_notifications.notify_at IS 'When it is due: the occurrence, or until when it is snoozed, less the lead time.';
COMMENT ON COLUMN reminder_notifications.available_at IS 'From when it may be handed out: notify_at, or the end of its lease, or of the pause before the next attempt.';
COMMENT ON COLUMN reminder_notifications.lease_id IS 'The lease under which it was handed out last.';
COMMENT ON COLUMN reminder_notifications.attempt IS 'How often it was handed out.';
COMMENT ON COLUMN reminder_notifications.settled_local IS 'The last occurrence of which nothing more is notified with this lead time.';

-- The longest due first, across tenants, for operators.
CREATE INDEX reminder_notifications_due_idx ON reminder_notifications (notify_at) WHERE notify_at IS NOT NULL;

ALTER TABLE reminder_notifications ENABLE ROW LEVEL SECURITY;
ALTER TABLE reminder_notifications FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON reminder_notifications
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

GRANT SELECT, INSERT, UPDATE, DELETE ON reminder_notifications TO pmcrm_interactions, pmcrm_service;


-- What birthday and keep-in-touch reminders are derived from has changed. They are derived anew by whoever needs them
-- next: times of day in a zone are not the database's business, whose own tzdata is of another age.
-- Without `fresh_until > '-infinity'` in the condition: such a statement would pass over a row that another transaction
-- is just deriving from the values of before.
CREATE FUNCTION app.outdate_reminders(of_user uuid, of_contacts uuid[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
    AS $$
    BEGIN
        UPDATE reminders AS r SET fresh_until = '-infinity'
        FROM reminder_contacts AS c
        WHERE c.user_id = of_user AND c.contact_id = ANY (of_contacts)
            AND r.user_id = of_user AND r.id = c.reminder_id AND r.kind <> 'GENERAL' AND r.deleted_at IS NULL;
    END
    $$;
COMMENT ON FUNCTION app.outdate_reminders(uuid, uuid[]) IS
    'Has the birthday and keep-in-touch reminders about a user''s contacts derived anew.';
GRANT EXECUTE ON FUNCTION app.outdate_reminders(uuid, uuid[])
    TO pmcrm_contacts, pmcrm_interactions, pmcrm_gdpr, pmcrm_service;
-- Who changes a contact runs these as itself.
GRANT SELECT (user_id, id, kind, deleted_at, fresh_until), UPDATE (fresh_until) ON reminders TO pmcrm_contacts, pmcrm_gdpr;
GRANT SELECT (user_id, reminder_id, contact_id) ON reminder_contacts TO pmcrm_contacts, pmcrm_gdpr;

CREATE FUNCTION app.outdate_reminders_of_contact() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
    AS $$
    BEGIN
        PERFORM app.outdate_reminders(NEW.user_id, ARRAY[NEW.id]);
        RETURN NULL;
    END
    $$;
COMMENT ON FUNCTION app.outdate_reminders_of_contact() IS 'AFTER UPDATE row trigger on contacts.';
CREATE TRIGGER reminders
    AFTER UPDATE OF keep_in_touch_days, birthday_month, birthday_day, deleted_at, processing_restricted ON contacts
    FOR EACH ROW WHEN (
        (OLD.keep_in_touch_days, OLD.birthday_month, OLD.birthday_day, OLD.deleted_at, OLD.processing_restricted)
        IS DISTINCT FROM
        (NEW.keep_in_touch_days, NEW.birthday_month, NEW.birthday_day, NEW.deleted_at, NEW.processing_restricted)
    )
    EXECUTE FUNCTION app.outdate_reminders_of_contact();

-- AFTER UPDATE statement trigger, since interactions move the last contact of many at a time. The rows go through an
-- array: on Citus a transition table can be read, but not used in a statement on a distributed table.
CREATE FUNCTION app.outdate_reminders_of_strengths() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
    AS $$
    DECLARE
        moved record;
    BEGIN
        FOR moved IN
            SELECT n.user_id, array_agg(n.contact_id) AS contacts
            FROM new_strengths AS n
            JOIN old_strengths AS o ON o.user_id = n.user_id AND o.contact_id = n.contact_id
            WHERE n.last_contact_at IS DISTINCT FROM o.last_contact_at
            GROUP BY n.user_id
        LOOP
            PERFORM app.outdate_reminders(moved.user_id, moved.contacts);
        END LOOP;
        RETURN NULL;
    END
    $$;
COMMENT ON FUNCTION app.outdate_reminders_of_strengths() IS
    'Has reminders derived anew that an interaction pushes forward, or its deletion pulls back.';
CREATE TRIGGER reminders AFTER UPDATE ON contact_strengths
    REFERENCING OLD TABLE AS old_strengths NEW TABLE AS new_strengths
    FOR EACH STATEMENT EXECUTE FUNCTION app.outdate_reminders_of_strengths();

CREATE FUNCTION app.outdate_reminder() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
    AS $$
    BEGIN
        UPDATE reminders SET fresh_until = '-infinity'
        WHERE user_id = OLD.user_id AND id = OLD.reminder_id AND kind <> 'GENERAL' AND deleted_at IS NULL;
        RETURN NULL;
    END
    $$;
COMMENT ON FUNCTION app.outdate_reminder() IS
    'AFTER UPDATE OR DELETE row trigger on reminder_contacts: a merge gives a reminder another contact, a purge none.';
CREATE TRIGGER reminders AFTER UPDATE OR DELETE ON reminder_contacts
    FOR EACH ROW EXECUTE FUNCTION app.outdate_reminder();
GRANT UPDATE (fresh_until) ON reminders TO pmcrm_service;


-- What scheduling and calendar files read of contacts.
GRANT SELECT (created_at, updated_at, keep_in_touch_days, birthday_year, birthday_month, birthday_day)
    ON contacts TO pmcrm_interactions;
GRANT SELECT (user_id, contact_id, last_contact_at) ON contact_strengths TO pmcrm_interactions;
GRANT SELECT ON contact_summaries TO pmcrm_service;

CREATE VIEW reminder_rows WITH (security_invoker = true) AS
SELECT
    r.user_id,
    r.id AS id_key,
    r.id::text AS id,
    r.title AS given_title,
    coalesce(
        r.title,
        CASE r.kind WHEN 'BIRTHDAY' THEN 'Birthday' ELSE 'Keep in touch' END || coalesce(
            (
                SELECT CASE r.kind WHEN 'BIRTHDAY' THEN ' of ' ELSE ' with ' END || c.display_name
                FROM reminder_contacts AS rc
                JOIN contacts AS c ON c.user_id = rc.user_id AND c.id = rc.contact_id
                WHERE rc.user_id = r.user_id AND rc.reminder_id = r.id
                    AND c.display_name <> '' AND c.deleted_at IS NULL AND NOT c.processing_restricted
                LIMIT 1
            ),
            ''
        )
    ) AS title,
    r.notes,
    'REMINDER_KIND_' || r.kind AS kind,
    r.due_local,
    r.time_zone,
    r.rrule,
    r.priority,
    (
        SELECT array_agg(rc.contact_id::text ORDER BY rc.position, rc.contact_id)
        FROM reminder_contacts AS rc
        WHERE rc.user_id = r.user_id AND rc.reminder_id = r.id
    ) AS contact_ids,
    (
        SELECT jsonb_agg(s.summary ORDER BY rc.position, rc.contact_id)
        FROM reminder_contacts AS rc
        JOIN contact_summaries AS s ON s.user_id = rc.user_id AND s.contact_id = rc.contact_id
        WHERE rc.user_id = r.user_id AND rc.reminder_id = r.id AND NOT s.deleted AND NOT s.processing_restricted
    ) AS contacts,
    r.channels,
    r.lead_seconds,
    r.muted,
    'REMINDER_STATUS_' || CASE WHEN r.kind = 'GENERAL' AND r.next_due_at IS NULL THEN 'COMPLETED' ELSE 'ACTIVE' END AS status,
    r.next_due_at AS next_due_time,
    r.next_due_local,
    -- Reminders with nothing left come last, whatever the order.
    r.next_due_at IS NULL AS nothing_left,
    coalesce(r.next_due_at, 'infinity') AS due_order,
    CASE WHEN r.snoozed_local = r.next_due_local THEN r.snoozed_until END AS snooze_time,
    (
        SELECT min(n.notify_at) FROM reminder_notifications AS n
        WHERE n.user_id = r.user_id AND n.reminder_id = r.id
    ) AS next_notify_time,
    r.last_completed_at AS last_complete_time,
    r.completed_count,
    r.fresh_until <= now() AS outdated,
    r.created_at AS create_time,
    r.updated_at AS update_time,
    r.deleted_at AS delete_time,
    r.revision::text AS etag
FROM reminders AS r;
COMMENT ON VIEW reminder_rows IS
    'Reminders under the field names of pmcrm.interactions.v1.Reminder; what is derived does not hold any more when outdated.';
GRANT SELECT ON reminder_rows TO pmcrm_interactions, pmcrm_service;


-- A merge moves what a reminder is about. The rows that the function lists already are taken over as they stand: other
-- migrations add theirs beside this one.
DO $references$
DECLARE
    listed text := (SELECT prosrc FROM pg_catalog.pg_proc WHERE oid = 'app.contact_references()'::regprocedure);
BEGIN
    EXECUTE format(
        $function$
            CREATE OR REPLACE FUNCTION app.contact_references()
                RETURNS TABLE (
                    table_name text, column_name text, handling text, kind text, same text[], living text
                )
                LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 10
                AS %L
        $function$,
        rtrim(listed, E' \n') || $row$,
            ('reminder_contacts', 'contact_id', 'MOVED', NULL, '{contact_id,reminder_id}', 'true')
        $row$
    );
END
$references$;
