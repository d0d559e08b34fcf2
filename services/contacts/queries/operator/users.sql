-- Creates a user, with an id of the server's choice when none is given.
PREPARE create_user (uuid, text, text, jsonb, jsonb, text, text, text) AS
INSERT INTO users (id, display_name, subscription_tier, settings, preferences, time_zone, locale, default_region)
VALUES (coalesce($1, app.uuid_v7()), $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (id) DO NOTHING
RETURNING id;

-- Gives a user its login e-mail, or changes it.
PREPARE set_login_email (uuid, text) AS
INSERT INTO login_emails (user_id, login_email)
VALUES ($1, $2)
ON CONFLICT (user_id) DO UPDATE SET login_email = EXCLUDED.login_email;

-- Takes away a user's login e-mail.
PREPARE remove_login_email (uuid) AS
DELETE FROM login_emails
WHERE user_id = $1;

-- Changes what a user has subscribed to.
PREPARE set_subscription_tier (uuid, text) AS
UPDATE users SET subscription_tier = $2
WHERE id = $1;
