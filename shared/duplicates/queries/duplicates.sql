-- Looking for contacts that may be the same person. Restricted and deleted ones are in nothing here: contact_profiles and
-- the functions leave them out.

-- How many contacts there are to compare.
PREPARE count_profiles (uuid) AS
SELECT count(*) FROM contacts WHERE user_id = $1 AND deleted_at IS NULL AND NOT processing_restricted;

-- So many contacts after one, given as when it was made and its id, the oldest first.
PREPARE list_profiles (uuid, timestamptz, uuid, integer) AS
SELECT *
FROM contact_profiles
WHERE user_id = $1 AND (created_at, id) > ($2, $3)
ORDER BY created_at, id
LIMIT $4;

-- These contacts, the oldest first.
PREPARE get_profiles (uuid, uuid[]) AS
SELECT *
FROM contact_profiles
WHERE user_id = $1 AND id = ANY ($2)
ORDER BY created_at, id;

-- Who has one of these e-mail addresses or phone numbers.
PREPARE find_by_keys (uuid, text[], text[]) AS
SELECT kind, key, contact_id
FROM app.find_contacts($2, $3, '{}')
WHERE $1 IS NOT NULL;

-- Whose names are spelt like one of these, those born on this day (NULL for none) first; at most so many for each.
PREPARE find_namesakes (uuid, text[], smallint, smallint, integer) AS
SELECT contact_id
FROM app.find_namesakes($2, $3, $4, $5)
WHERE $1 IS NOT NULL;

-- Who has all words of one of these phrases; at most so many for each.
PREPARE find_by_words (uuid, text[], integer) AS
SELECT contact_id
FROM app.find_contacts_by_words($2, $3)
WHERE $1 IS NOT NULL;

-- Who works or worked in an organization that is called like one on this contact's card or in its employments; at most
-- so many.
PREPARE find_colleagues (uuid, uuid, integer) AS
WITH named AS (
    SELECT app.fold(organization_name) COLLATE app.name_order AS sort_name
    FROM contacts
    WHERE user_id = $1 AND id = $2
    UNION
    SELECT o.sort_name
    FROM contact_employments AS e
    JOIN organizations AS o ON o.user_id = $1 AND o.id = e.organization_id
    WHERE e.user_id = $1 AND e.contact_id = $2 AND e.deleted_at IS NULL AND o.deleted_at IS NULL
)
SELECT DISTINCT e.contact_id
FROM named
JOIN organizations AS o ON o.user_id = $1 AND o.sort_name = named.sort_name AND o.deleted_at IS NULL
JOIN contact_employments AS e ON e.user_id = $1 AND e.organization_id = o.id AND e.deleted_at IS NULL
WHERE e.contact_id <> $2
LIMIT $3;

-- Contacts as candidates show them; those that were deleted or restricted meanwhile are missing.
PREPARE get_candidate_summaries (uuid, uuid[]) AS
SELECT contact_id, summary
FROM contact_summaries
WHERE user_id = $1 AND contact_id = ANY ($2) AND NOT deleted AND NOT processing_restricted;
