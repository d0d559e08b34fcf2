-- Which of these hashes keep somebody from coming back.
PREPARE suppressed_hashes (uuid, bytea[]) AS
SELECT DISTINCT hash
FROM suppressions
WHERE user_id = $1 AND hash = ANY ($2);
