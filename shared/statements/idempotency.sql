-- Claims a request id for this transaction. Waits for another transaction that is claiming it; no row when that one
-- committed.
PREPARE claim_request (uuid, uuid, text, bytea) AS
INSERT INTO idempotency_keys (user_id, request_id, method, body_hash)
VALUES ($1, $2, $3, $4)
ON CONFLICT (user_id, request_id) DO NOTHING
RETURNING true;

-- What a request id was used for, and the answer that its caller got.
PREPARE claimed_request (uuid, uuid) AS
SELECT method, body_hash, answer
FROM idempotency_keys
WHERE user_id = $1 AND request_id = $2;
