-- Remembered request ids that have expired. In slices of time, each a plain statement over all tenants: Citus knows no
-- DELETE with LIMIT across them.

-- The oldest remembered request.
PREPARE oldest_request AS
SELECT min(created_at) FROM idempotency_keys;

-- Forgets requests older than a time.
PREPARE expire_requests (timestamptz) AS
DELETE FROM idempotency_keys WHERE created_at < $1;

-- The oldest remembered request of an operator.
PREPARE oldest_operator_request AS
SELECT min(created_at) FROM operator_idempotency_keys;

-- Forgets operators' requests older than a time.
PREPARE expire_operator_requests (timestamptz) AS
DELETE FROM operator_idempotency_keys WHERE created_at < $1;
