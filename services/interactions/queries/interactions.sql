-- Gets one interaction, deleted or not.
PREPARE get_interaction (uuid, uuid) AS
SELECT *
FROM interaction_rows
WHERE user_id = $1 AND id_key = $2;

-- Gets several interactions, deleted or not, in no order.
PREPARE get_interactions (uuid, uuid[]) AS
SELECT *
FROM interaction_rows
WHERE user_id = $1 AND id_key = ANY ($2);
