-- Users: each is a tenant. ACTIVE while deleted_at is NULL, CLOSED once it is set, erased when the row is gone.

CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT app.uuid_v7(),
    display_name text CHECK (display_name <> ''),
    subscription_tier text NOT NULL DEFAULT 'FREE' CHECK (subscription_tier IN ('FREE', 'PLUS', 'PRO')),
    settings jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
    preferences jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(preferences) = 'object'),
    time_zone text NOT NULL DEFAULT 'UTC' CHECK (time_zone <> ''),
    locale text NOT NULL DEFAULT 'en' CHECK (locale <> ''),
    default_region text CHECK (default_region ~ '^[A-Z]{2}$'),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    revision bigint NOT NULL DEFAULT 1
);
COMMENT ON TABLE users IS 'The people who use the system; each is a tenant. The login e-mail is in login_emails.';
COMMENT ON COLUMN users.subscription_tier IS 'What the person has subscribed to; set by operators.';
COMMENT ON COLUMN users.settings IS 'Kept for the calling application, not interpreted.';
COMMENT ON COLUMN users.preferences IS 'Kept for the calling application, not interpreted.';
COMMENT ON COLUMN users.time_zone IS 'IANA name; cadence and birthdays are reckoned in it.';
COMMENT ON COLUMN users.locale IS 'BCP 47 tag.';
COMMENT ON COLUMN users.default_region IS 'ISO 3166-1 country in which phone numbers without a country code are read.';
COMMENT ON COLUMN users.deleted_at IS 'When the user was closed. The row is purged a grace period later, and everything that refers to it.';
COMMENT ON COLUMN users.revision IS 'Counts changes; the etag is made from it.';

-- For the job that purges closed users.
CREATE INDEX users_deleted_idx ON users (deleted_at) WHERE deleted_at IS NOT NULL;

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON users
    USING (id = app.current_user_id())
    WITH CHECK (id = app.current_user_id());

CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION app.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION app.audit_row('users', 'id', 'id', 'updated_at', 'revision');

GRANT SELECT ON users TO pmcrm_contacts;
GRANT UPDATE (display_name, settings, preferences, time_zone, locale, default_region, deleted_at, updated_at)
    ON users TO pmcrm_contacts;
-- NOTE: insert and update of subscription_tier are not granted to pmcrm_contacts, because only operators make users and
-- set what they pay for. Delete is granted to no service: closing sets deleted_at.
GRANT SELECT (id, deleted_at, time_zone, locale, default_region) ON users TO pmcrm_interactions, pmcrm_insights, pmcrm_gdpr;
GRANT SELECT, INSERT, DELETE ON users TO pmcrm_service;
GRANT UPDATE (
    display_name, subscription_tier, settings, preferences, time_zone, locale, default_region, deleted_at, updated_at
) ON users TO pmcrm_service;


-- A login e-mail is unique among all users, and that tells that another one has it. So it stands apart, in a table that
-- only operators change (a reference table on Citus).
CREATE TABLE login_emails (
    email_key text GENERATED ALWAYS AS (lower(login_email)) STORED PRIMARY KEY,
    user_id uuid NOT NULL UNIQUE,
    login_email text NOT NULL CHECK (login_email <> '')
);
COMMENT ON TABLE login_emails IS 'The e-mail address with which a user logs in. Global: unique among all tenants.';
COMMENT ON COLUMN login_emails.email_key IS
    'The address in lower case. A column, because an index on lower(…) would never serve a look-up behind row-level security.';
-- NOTE: no foreign key to users, because a reference table cannot have one to a distributed table. Whoever deletes a user
-- deletes its row here in the same transaction.
COMMENT ON COLUMN login_emails.user_id IS 'The user; without a foreign key, since Citus has none from a reference table to a distributed one.';

ALTER TABLE login_emails ENABLE ROW LEVEL SECURITY;
ALTER TABLE login_emails FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON login_emails
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON login_emails
    FOR EACH ROW EXECUTE FUNCTION app.audit_row('login_emails', 'user_id', 'user_id', 'email_key');

GRANT SELECT ON login_emails TO pmcrm_contacts, pmcrm_gdpr;
-- NOTE: insert and update are not granted to services, because a refused address tells that another user has it.
GRANT SELECT, INSERT, UPDATE, DELETE ON login_emails TO pmcrm_service;
