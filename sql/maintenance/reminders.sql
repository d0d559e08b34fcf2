-- Tenants with reminders that were derived with another release of the time zones.
PREPARE tenants_of_other_tzdata (text, integer) AS
SELECT DISTINCT user_id
FROM reminders
WHERE (tzdata_version IS NULL OR tzdata_version < $1 OR tzdata_version > $1) AND deleted_at IS NULL
LIMIT $2;

-- Those of one tenant.
PREPARE reminders_of_other_tzdata (uuid, text, integer) AS
SELECT id
FROM reminders
WHERE user_id = $1 AND tzdata_version IS DISTINCT FROM $2 AND deleted_at IS NULL
ORDER BY id
LIMIT $3;

-- Forgets leases that were handed out before a time.
PREPARE forget_leases (timestamptz) AS
DELETE FROM reminder_leases
WHERE claimed_at < $1 AND expires_at < $1;
