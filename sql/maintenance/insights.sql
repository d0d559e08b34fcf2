-- Insights of all tenants: which tenants there are to generate them for. Rules are asked as pmcrm_insights, from whom
-- restricted contacts are hidden.

-- How many tenants are active.
PREPARE active_tenants AS
SELECT count(*) FROM users WHERE deleted_at IS NULL;

-- The next active tenants after a given one, in the order of their ids.
PREPARE active_tenants_after (uuid, integer) AS
SELECT id FROM users WHERE id > $1 AND deleted_at IS NULL ORDER BY id LIMIT $2;

-- As whom this connection works.
PREPARE login_role AS
SELECT current_user::text;
