-- The rows of each table that is exported, as JSON: those after a key, in the order of the primary key; of the whole
-- account when $2 is NULL, else what is about these contacts. $3 names the columns that are left out. Rows that may be
-- large come with at most a megabyte of others.

-- Contacts, deleted and restricted ones among them.
PREPARE export_contacts (uuid, uuid[], text[], uuid) AS
SELECT id, line
FROM (
    SELECT
        id, line, sum(octet_length(line)) OVER (ORDER BY id) - octet_length(line) AS before
    FROM (
        SELECT id, (to_jsonb(t) - $3)::text AS line
        FROM contacts AS t
        WHERE user_id = $1 AND ($2 IS NULL OR id = ANY ($2)) AND id > $4
        ORDER BY id
        LIMIT 500
    ) AS page
) AS measured
WHERE before < 1000000
ORDER BY id;

-- How close the contacts are.
PREPARE export_contact_strengths (uuid, uuid[], text[], uuid) AS
SELECT contact_id, (to_jsonb(t) - $3)::text AS line
FROM contact_strengths AS t
WHERE user_id = $1 AND ($2 IS NULL OR contact_id = ANY ($2)) AND contact_id > $4
ORDER BY contact_id
LIMIT 500;

-- Organizations; of a contact, those where it works or worked.
PREPARE export_organizations (uuid, uuid[], text[], uuid) AS
SELECT id, line
FROM (
    SELECT
        id, line, sum(octet_length(line)) OVER (ORDER BY id) - octet_length(line) AS before
    FROM (
        SELECT id, (to_jsonb(t) - $3)::text AS line
        FROM organizations AS t
        WHERE user_id = $1 AND id > $4 AND (
            $2 IS NULL OR id IN (
                SELECT e.organization_id FROM contact_employments AS e
                WHERE e.user_id = $1 AND e.contact_id = ANY ($2)
            )
        )
        ORDER BY id
        LIMIT 500
    ) AS page
) AS measured
WHERE before < 1000000
ORDER BY id;

-- Who worked where.
PREPARE export_contact_employments (uuid, uuid[], text[], uuid) AS
SELECT id, (to_jsonb(t) - $3)::text AS line
FROM contact_employments AS t
WHERE user_id = $1 AND ($2 IS NULL OR contact_id = ANY ($2)) AND id > $4
ORDER BY id
LIMIT 500;

-- Tags; of a contact, those that it carries.
PREPARE export_tags (uuid, uuid[], text[], uuid) AS
SELECT id, (to_jsonb(t) - $3)::text AS line
FROM tags AS t
WHERE user_id = $1 AND id > $4 AND (
    $2 IS NULL OR id IN (SELECT ct.tag_id FROM contact_tags AS ct WHERE ct.user_id = $1 AND ct.contact_id = ANY ($2))
)
ORDER BY id
LIMIT 500;

-- Who carries which tag.
PREPARE export_contact_tags (uuid, uuid[], text[], uuid, uuid) AS
SELECT contact_id, tag_id, (to_jsonb(t) - $3)::text AS line
FROM contact_tags AS t
WHERE user_id = $1 AND ($2 IS NULL OR contact_id = ANY ($2)) AND (contact_id, tag_id) > ($4, $5)
ORDER BY contact_id, tag_id
LIMIT 500;

-- Links between contacts; of a contact, those on either side of which it stands.
PREPARE export_contact_links (uuid, uuid[], text[], uuid) AS
SELECT id, (to_jsonb(t) - $3)::text AS line
FROM contact_links AS t
WHERE user_id = $1 AND ($2 IS NULL OR contact_id = ANY ($2) OR related_contact_id = ANY ($2)) AND id > $4
ORDER BY id
LIMIT 500;

-- Which contact has been merged into which.
PREPARE export_contact_redirects (uuid, uuid[], text[], uuid) AS
SELECT contact_id, (to_jsonb(t) - $3)::text AS line
FROM contact_redirects AS t
WHERE user_id = $1 AND ($2 IS NULL OR contact_id = ANY ($2) OR survivor_id = ANY ($2)) AND contact_id > $4
ORDER BY contact_id
LIMIT 500;

-- Merges, with what is needed to undo them.
PREPARE export_contact_merges (uuid, uuid[], text[], uuid) AS
SELECT id, line
FROM (
    SELECT
        id, line, sum(octet_length(line)) OVER (ORDER BY id) - octet_length(line) AS before
    FROM (
        SELECT id, (to_jsonb(t) - $3)::text AS line
        FROM contact_merges AS t
        WHERE user_id = $1 AND ($2 IS NULL OR survivor_id = ANY ($2)) AND id > $4
        ORDER BY id
        LIMIT 500
    ) AS page
) AS measured
WHERE before < 1000000
ORDER BY id;

-- What merges moved and dropped, without the name of the tenant.
PREPARE export_contact_merge_rows (uuid, uuid[], text[], uuid, integer) AS
SELECT merge_id, position, line
FROM (
    SELECT
        merge_id, position, line, sum(octet_length(line)) OVER (ORDER BY merge_id, position) - octet_length(line) AS before
    FROM (
        SELECT merge_id, position, ((to_jsonb(t) || jsonb_build_object('kept', kept - 'user_id')) - $3)::text AS line
        FROM contact_merge_rows AS t
        WHERE user_id = $1 AND (merge_id, position) > ($4, $5) AND (
            $2 IS NULL OR contact_id = ANY ($2) OR merge_id IN (
                SELECT m.id FROM contact_merges AS m
                WHERE m.user_id = $1 AND m.survivor_id = ANY ($2)
            )
        )
        ORDER BY merge_id, position
        LIMIT 500
    ) AS page
) AS measured
WHERE before < 1000000
ORDER BY merge_id, position;
