-- Embeddings that follow changes: which tenants have something to do, and what has come to its end.

-- Tenants with something due, or with embeddings of another model than this one.
PREPARE tenants_to_embed (text) AS
SELECT u.id
FROM users AS u
JOIN (
    SELECT user_id FROM embedding_queue WHERE due_at <= now()
    UNION
    SELECT user_id FROM embedding_models WHERE model <> $1 OR next_model IS NOT NULL
) AS waiting ON waiting.user_id = u.id
WHERE u.deleted_at IS NULL
ORDER BY u.id;

-- Removes embeddings whose permission has ended.
PREPARE remove_expired_embeddings AS
DELETE FROM embeddings WHERE valid_until <= now();
