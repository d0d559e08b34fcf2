-- Tags, employments and links, as imports hang them on contacts: a batch in each statement.

-- The living tags with these keys.
PREPARE imported_tags (uuid, text[]) AS
SELECT id, name_key
FROM tags
WHERE user_id = $1 AND deleted_at IS NULL AND name_key = ANY ($2);

-- Makes tags, but for those that another call has made meanwhile.
PREPARE import_tags (uuid, uuid[], text[], text[]) AS
INSERT INTO tags (user_id, id, name, name_key, sort_name)
SELECT $1, given.id, given.name, given.name_key, app.fold(given.name)
FROM unnest($2, $3, $4) AS given (id, name, name_key)
ON CONFLICT (user_id, name_key) WHERE deleted_at IS NULL DO NOTHING
RETURNING id;

-- The living tags that these contacts carry.
PREPARE tags_of_imported (uuid, uuid[]) AS
SELECT contact_tags.contact_id, tags.name_key
FROM contact_tags
JOIN tags ON tags.user_id = $1 AND tags.id = contact_tags.tag_id
WHERE contact_tags.user_id = $1 AND contact_tags.contact_id = ANY ($2) AND tags.deleted_at IS NULL;

-- Puts tags on contacts, each with the tag beside it, unless it carries that one.
PREPARE tag_imported (uuid, uuid[], uuid[]) AS
INSERT INTO contact_tags (user_id, contact_id, tag_id)
SELECT $1, given.contact_id, given.tag_id
FROM unnest($2, $3) AS given (contact_id, tag_id)
ON CONFLICT (user_id, contact_id, tag_id) DO NOTHING
RETURNING tag_id;

-- The living organizations with these keys, of each the oldest.
PREPARE imported_organizations (uuid, text[]) AS
SELECT DISTINCT ON (name_key) id, name_key
FROM organizations
WHERE user_id = $1 AND deleted_at IS NULL AND name_key = ANY ($2)
ORDER BY name_key, created_at, id;

-- Makes organizations of which nothing is known but the name.
PREPARE import_organizations (uuid, uuid[], text[], text[]) AS
INSERT INTO organizations (user_id, id, name, name_key, sort_name)
SELECT $1, given.id, given.name, given.name_key, app.fold(given.name)
FROM unnest($2, $3, $4) AS given (id, name, name_key)
RETURNING id;

-- The employments of these contacts, the oldest first. is_hidden: with their deleted organization.
PREPARE employments_of_imported (uuid, uuid[]) AS
SELECT
    e.contact_id, e.id, o.name_key, e.job_title, e.department, e.location, e.start_year, e.start_month, e.start_day,
    e.end_year, e.end_month, e.end_day, e.is_current, e.notes, o.deleted_at IS NOT NULL AS is_hidden
FROM contact_employments AS e
JOIN organizations AS o ON o.user_id = $1 AND o.id = e.organization_id
WHERE e.user_id = $1 AND e.contact_id = ANY ($2) AND e.deleted_at IS NULL
ORDER BY e.id;

-- Adds employments.
PREPARE import_employments (uuid, jsonb) AS
INSERT INTO contact_employments (
    user_id, id, contact_id, organization_id, job_title, department, location, start_year, start_month, start_day,
    end_year, end_month, end_day, is_current, notes
)
SELECT
    $1, id, contact_id, organization_id, job_title, department, location, start_year, start_month, start_day, end_year,
    end_month, end_day, is_current, notes
FROM jsonb_to_recordset($2) AS given (
    id uuid, contact_id uuid, organization_id uuid, job_title text, department text, location text,
    start_year smallint, start_month smallint, start_day smallint, end_year smallint, end_month smallint,
    end_day smallint, is_current boolean, notes text
)
RETURNING id;

-- Writes anew what employments hold.
PREPARE update_imported_employments (uuid, jsonb) AS
UPDATE contact_employments SET
    job_title = given.job_title,
    department = given.department,
    location = given.location,
    start_year = given.start_year,
    start_month = given.start_month,
    start_day = given.start_day,
    end_year = given.end_year,
    end_month = given.end_month,
    end_day = given.end_day,
    is_current = given.is_current,
    notes = given.notes
FROM jsonb_to_recordset($2) AS given (
    id uuid, job_title text, department text, location text, start_year smallint, start_month smallint,
    start_day smallint, end_year smallint, end_month smallint, end_day smallint, is_current boolean, notes text
)
WHERE contact_employments.user_id = $1 AND contact_employments.id = given.id
RETURNING contact_employments.id;

-- The living links between any two of these contacts, as they are stored.
PREPARE links_among (uuid, uuid[]) AS
SELECT contact_id, related_contact_id, type
FROM contact_links
WHERE user_id = $1 AND deleted_at IS NULL AND contact_id = ANY ($2) AND related_contact_id = ANY ($2);

-- How many living links these contacts have, from both sides.
PREPARE count_imported_links (uuid, uuid[]) AS
SELECT held.contact_id, (
    SELECT count(*)
    FROM contact_links
    WHERE user_id = $1 AND deleted_at IS NULL AND contact_id = held.contact_id
) + (
    SELECT count(*)
    FROM contact_links
    WHERE user_id = $1 AND deleted_at IS NULL AND related_contact_id = held.contact_id
) AS links
FROM unnest($2) AS held (contact_id);

-- Makes links, but for those that another call has made meanwhile.
PREPARE import_links (uuid, jsonb) AS
INSERT INTO contact_links (
    user_id, id, contact_id, related_contact_id, type, start_year, start_month, start_day, label, notes
)
SELECT $1, id, contact_id, related_contact_id, type, start_year, start_month, start_day, label, notes
FROM jsonb_to_recordset($2) AS given (
    id uuid, contact_id uuid, related_contact_id uuid, type text, start_year smallint, start_month smallint,
    start_day smallint, label text, notes text
)
ON CONFLICT DO NOTHING
RETURNING id;

-- What contacts keep of cards that no column holds.
PREPARE lines_of_imported (uuid, uuid[]) AS
SELECT id, extra_properties
FROM contacts
WHERE user_id = $1 AND id = ANY ($2) AND extra_properties IS NOT NULL;

-- Writes anew what contacts keep of cards that no column holds.
PREPARE keep_lines (uuid, jsonb) AS
UPDATE contacts SET extra_properties = given.lines
FROM jsonb_to_recordset($2) AS given (contact_id uuid, lines text[])
WHERE contacts.user_id = $1 AND contacts.id = given.contact_id
RETURNING contacts.id;
