-- Which of these contacts are tied to each other: who said how two people stand to each other knows them apart.
PREPARE linked_pairs (uuid, uuid[]) AS
SELECT contact_id, related_contact_id
FROM contact_links
WHERE user_id = $1 AND contact_id = ANY ($2) AND related_contact_id = ANY ($2) AND deleted_at IS NULL;
