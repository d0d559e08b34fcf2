-- Whether the user is there, and closed.
PREPARE pictured_user (uuid) AS
SELECT deleted_at IS NOT NULL AS closed FROM users WHERE id = $1;

-- The closest contacts, and of how many they are.
--   $2 limit
PREPARE pictured_contacts (uuid, integer) AS
SELECT c.id, c.display_name, s.strength, count(*) OVER () AS total
FROM contacts AS c
JOIN contact_strengths AS s ON s.user_id = $1 AND s.contact_id = c.id
WHERE c.user_id = $1 AND c.deleted_at IS NULL
ORDER BY s.strength DESC, s.last_contact_order DESC, c.id
LIMIT $2;

-- The links between contacts.
PREPARE pictured_links (uuid, uuid[]) AS
SELECT contact_id, related_contact_id, type
FROM contact_links
WHERE user_id = $1 AND deleted_at IS NULL AND contact_id = ANY ($2) AND related_contact_id = ANY ($2)
ORDER BY id;
