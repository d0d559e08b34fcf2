-- Integrations' tokens, put under another key: tenant by tenant, a token at a time, so that nothing is held for long.

-- The next tenants after a given one, in the order of their ids, with tokens under another key than this one.
PREPARE tenants_under_other_keys (text, uuid, integer) AS
SELECT DISTINCT user_id
FROM integrations
WHERE key_id <> $1 AND user_id > $2
ORDER BY user_id
LIMIT $3;

-- A tenant's next tokens that are under another key than this one.
PREPARE tokens_under_other_keys (uuid, text, uuid, integer) AS
SELECT id, credentials, key_id
FROM integrations
WHERE user_id = $1 AND key_id <> $2 AND id > $3
ORDER BY id
LIMIT $4;

-- Puts a token under another key, unless it is no longer what was read ($3): then somebody else has replaced it.
PREPARE replace_ciphertext (uuid, uuid, bytea, bytea, text) AS
UPDATE integrations SET credentials = $4, key_id = $5
WHERE user_id = $1 AND id = $2 AND credentials = $3;

-- How many tokens are under which key.
PREPARE tokens_by_key AS
SELECT key_id, count(*) AS tokens
FROM integrations
WHERE key_id IS NOT NULL
GROUP BY key_id
ORDER BY key_id;
