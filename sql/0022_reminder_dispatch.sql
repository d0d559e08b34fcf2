-- The hand-over of due reminders to notification services: each notification under a lease, and what became of it.

CREATE TABLE reminder_leases (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    reminder_id uuid NOT NULL,
    occurrence_at timestamptz NOT NULL,
    notify_at timestamptz NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by uuid,
    lead_seconds integer NOT NULL,
    attempt integer NOT NULL CHECK (attempt > 0),
    occurrence_local text NOT NULL,
    outcome text CHECK (outcome IN ('ACCEPTED', 'LEASE_LOST')),
    claimer text CHECK (claimer <> ''),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, reminder_id) REFERENCES reminders (user_id, id) ON DELETE CASCADE,
    CHECK ((acknowledged_at IS NULL) = (outcome IS NULL))
);
COMMENT ON TABLE reminder_leases IS
    'Each time that a notification was handed out, and its acknowledgement; forgotten after a month. Not audited.';
COMMENT ON COLUMN reminder_leases.acknowledged_by IS
    'The request_id of the acknowledgement, which gets the same outcome again.';
COMMENT ON COLUMN reminder_leases.claimer IS 'What the claimer called itself; for people who look for it.';

-- An acknowledgement names leases, and no tenant.
CREATE INDEX reminder_leases_id_idx ON reminder_leases (id);
CREATE INDEX reminder_leases_reminder_idx ON reminder_leases (user_id, reminder_id, occurrence_local);
CREATE INDEX reminder_leases_claimed_idx ON reminder_leases (claimed_at);

ALTER TABLE reminder_leases ENABLE ROW LEVEL SECURITY;
ALTER TABLE reminder_leases FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON reminder_leases
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

GRANT SELECT, INSERT, DELETE, UPDATE (acknowledged_at, acknowledged_by, outcome) ON reminder_leases TO pmcrm_service;
-- NOTE: nothing is granted to the services' own roles: operators alone hand out and acknowledge.

-- For the task that derives reminders anew when the time zones have changed.
CREATE INDEX reminders_tzdata_idx ON reminders (tzdata_version, user_id) WHERE deleted_at IS NULL;
