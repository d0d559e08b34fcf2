-- Claims a request id of an operator, who acts for no tenant.
PREPARE operator_claim_request (uuid, text, bytea) AS
INSERT INTO operator_idempotency_keys (request_id, method, body_hash)
VALUES ($1, $2, $3)
ON CONFLICT (request_id) DO NOTHING
RETURNING true;

-- What an operator's request id was used for, and the answer that it got.
PREPARE operator_claimed_request (uuid) AS
SELECT method, body_hash, answer
FROM operator_idempotency_keys
WHERE request_id = $1;
