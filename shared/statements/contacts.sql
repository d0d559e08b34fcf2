-- Takes hold of the living contacts that these ids stand for; see app.lock_contacts.
PREPARE lock_contacts (uuid, uuid[]) AS
SELECT asked, contact_id, processing_restricted
FROM app.lock_contacts($2)
WHERE $1 IS NOT NULL;
