-- Reminders of any active tenants that what they are derived from has changed. Takes no locks.
PREPARE changed_reminders (integer) AS
SELECT r.user_id, r.id
FROM reminders AS r
JOIN users AS u ON u.id = r.user_id
WHERE r.fresh_until = '-infinity' AND r.deleted_at IS NULL AND u.deleted_at IS NULL
ORDER BY r.user_id, r.id
LIMIT $1;

-- Notifications of any active tenants that are due and in nobody's hands, the longest due first, after the one at ($1,
-- $2). Not those about restricted contacts alone. Takes no locks: who hands them out looks again, tenant by tenant.
PREPARE due_notifications (timestamptz, uuid, integer) AS
SELECT n.user_id, n.reminder_id, n.notify_at
FROM reminder_notifications AS n
JOIN users AS u ON u.id = n.user_id
WHERE n.notify_at <= now() AND n.available_at <= now() AND u.deleted_at IS NULL
    AND ($1 IS NULL OR (n.notify_at, n.reminder_id) > ($1, $2))
    AND NOT coalesce(
        (
            SELECT bool_and(c.processing_restricted)
            FROM reminder_contacts AS rc
            JOIN contacts AS c ON c.user_id = rc.user_id AND c.id = rc.contact_id
            WHERE rc.user_id = n.user_id AND rc.reminder_id = n.reminder_id
        ),
        false
    )
ORDER BY n.notify_at, n.reminder_id
LIMIT $3;

-- The tenants and reminders of leases.
PREPARE lease_tenants (uuid[]) AS
SELECT id, user_id, reminder_id
FROM reminder_leases
WHERE id = ANY ($1);

-- Writes down what was handed out of a tenant.
PREPARE add_leases (uuid, jsonb, text) AS
INSERT INTO reminder_leases (
    user_id, id, reminder_id, lead_seconds, occurrence_local, occurrence_at, notify_at, expires_at, attempt, claimer
)
SELECT
    $1, given.id, given.reminder_id, given.lead_seconds, given.occurrence_local, given.occurrence_at, given.notify_at,
    given.expires_at, given.attempt, $3
FROM jsonb_to_recordset($2) AS given (
    id uuid, reminder_id uuid, lead_seconds integer, occurrence_local text, occurrence_at timestamptz,
    notify_at timestamptz, expires_at timestamptz, attempt integer
)
RETURNING id;

-- A tenant's leases, whose reminders are held; `superseded` tells that the same notification was handed out again since.
PREPARE leases (uuid, uuid[]) AS
SELECT
    l.id, l.reminder_id, l.acknowledged_at, l.acknowledged_by, l.outcome,
    EXISTS (
        SELECT FROM reminder_leases AS later
        WHERE later.user_id = $1 AND later.reminder_id = l.reminder_id AND later.occurrence_local = l.occurrence_local
            AND later.lead_seconds = l.lead_seconds AND later.notify_at = l.notify_at AND later.attempt > l.attempt
    ) AS superseded
FROM reminder_leases AS l
WHERE l.user_id = $1 AND l.id = ANY ($2);

-- Acknowledges a tenant's leases, each with its outcome.
PREPARE acknowledge_leases (uuid, uuid[], text[], uuid) AS
UPDATE reminder_leases AS l SET acknowledged_at = now(), acknowledged_by = $4, outcome = given.outcome
FROM unnest($2, $3) AS given (id, outcome)
WHERE l.user_id = $1 AND l.id = given.id;

-- Takes back leases that nobody has heard of.
PREPARE remove_leases (uuid, uuid[]) AS
DELETE FROM reminder_leases
WHERE user_id = $1 AND id = ANY ($2) AND acknowledged_at IS NULL
RETURNING id, reminder_id;
