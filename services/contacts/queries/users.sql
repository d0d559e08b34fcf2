-- Gets a user, closed or not, under the field names of pmcrm.contacts.v1.User; one that is erased is a shell.
PREPARE get_user (uuid) AS
SELECT
    u.id::text AS id,
    e.login_email,
    u.display_name,
    'SUBSCRIPTION_TIER_' || u.subscription_tier AS subscription_tier,
    u.settings,
    u.preferences,
    u.time_zone,
    u.locale,
    u.default_region,
    CASE
        WHEN u.erased_at IS NOT NULL THEN 'USER_STATE_ERASED'
        WHEN u.deleted_at IS NOT NULL THEN 'USER_STATE_CLOSED'
        ELSE 'USER_STATE_ACTIVE'
    END AS state,
    u.created_at AS create_time,
    u.updated_at AS update_time,
    u.deleted_at AS delete_time,
    u.revision::text AS etag
FROM users AS u
LEFT JOIN login_emails AS e ON e.user_id = u.id AND e.user_id = $1
WHERE u.id = $1;

-- Locks an active user until the transaction ends, so that what is read next is what the update changes.
PREPARE lock_user (uuid) AS
SELECT true
FROM users
WHERE id = $1 AND deleted_at IS NULL
FOR NO KEY UPDATE;

-- Replaces what a user may write of itself.
PREPARE update_user (uuid, text, jsonb, jsonb, text, text, text) AS
UPDATE users SET
    display_name = $2, settings = $3, preferences = $4, time_zone = $5, locale = $6, default_region = $7
WHERE id = $1
RETURNING id;

-- Closes an active user, if it is still the version expected; NULL expects any.
PREPARE close_user (uuid, bigint) AS
UPDATE users SET deleted_at = now()
WHERE id = $1 AND deleted_at IS NULL AND ($2 IS NULL OR revision = $2)
RETURNING id;

-- Opens a closed user again while its grace period lasts, if it is still the version expected.
PREPARE reopen_user (uuid, interval, bigint) AS
UPDATE users SET deleted_at = NULL
WHERE id = $1 AND deleted_at IS NOT NULL AND erased_at IS NULL AND deleted_at + $2 > now() AND revision = $3
RETURNING id;
