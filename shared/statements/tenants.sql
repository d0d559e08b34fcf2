-- The tenant's state; no row when there is none with this id, or it is erased.
PREPARE tenant_state (uuid) AS
SELECT deleted_at IS NOT NULL AS closed, default_region
FROM users
WHERE id = $1 AND erased_at IS NULL;
