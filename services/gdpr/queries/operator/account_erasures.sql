-- Whose an erasure is, when an operator names nothing but it.
PREPARE tenant_of_erasure (uuid) AS
SELECT user_id
FROM erasure_requests
WHERE id = $1;
