-- Creates contacts that take part; see app.create_contacts.
PREPARE create_contacts (uuid, jsonb) AS
SELECT app.create_contacts($2)
WHERE $1 IS NOT NULL;

-- Adds participants: interactions, contacts, places and roles, a row each. Who takes part already gets place and role.
PREPARE add_participants (uuid, uuid[], uuid[], smallint[], text[]) AS
INSERT INTO interaction_participants (user_id, interaction_id, contact_id, position, role)
SELECT $1, given.interaction_id, given.contact_id, given.position, given.role
FROM unnest($2, $3, $4, $5) AS given (interaction_id, contact_id, position, role)
ON CONFLICT (user_id, interaction_id, contact_id) DO UPDATE SET position = EXCLUDED.position, role = EXCLUDED.role
WHERE (interaction_participants.position, interaction_participants.role) IS DISTINCT FROM (EXCLUDED.position, EXCLUDED.role)
RETURNING contact_id;

-- Removes the participants of an interaction ($2) but for some contacts.
PREPARE remove_participants (uuid, uuid, uuid[]) AS
DELETE FROM interaction_participants
WHERE user_id = $1 AND interaction_id = $2 AND contact_id <> ALL ($3)
RETURNING contact_id;

-- Takes hold of the contacts that take part in an interaction ($2), and of others with them; see app.lock_contacts.
PREPARE hold_participants (uuid, uuid, uuid[]) AS
SELECT contact_id
FROM app.lock_contacts($3 || ARRAY(
    SELECT contact_id FROM interaction_participants WHERE user_id = $1 AND interaction_id = $2
));

-- For which contacts ids stand, deleted ones too, and whether their processing is restricted. Ids of none are missing.
PREPARE named_contacts (uuid, uuid[]) AS
SELECT given.asked, c.id AS contact_id, c.processing_restricted
FROM (
    SELECT named.id AS asked, coalesce(r.survivor_id, named.id) AS stands_for
    FROM unnest($2) AS named (id)
    LEFT JOIN contact_redirects AS r ON r.user_id = $1 AND r.contact_id = named.id
    OFFSET 0  -- a column, by which the contacts are looked up; coalesce() would read all of them
) AS given
JOIN contacts AS c ON c.user_id = $1 AND c.id = given.stands_for;
