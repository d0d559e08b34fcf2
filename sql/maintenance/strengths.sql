-- Relationship strengths, which decay by themselves: tenant by tenant, a few contacts at a time, so that nothing is held for
-- long.

-- How many contacts there are.
PREPARE contacts_with_strengths AS
SELECT count(*) FROM contact_strengths;

-- The next tenants after a given one, in the order of their ids.
PREPARE tenants_after (uuid, integer) AS
SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT $2;

-- A tenant's next contacts after a given one, in the order of their ids.
PREPARE contacts_after (uuid, uuid, integer) AS
SELECT contact_id FROM contact_strengths WHERE user_id = $1 AND contact_id > $2 ORDER BY contact_id LIMIT $3;

-- Computes contacts anew, in a transaction that is bound to their tenant; returns how many changed.
PREPARE refresh_strengths (uuid, uuid[]) AS
SELECT app.refresh_strength($1, $2);
