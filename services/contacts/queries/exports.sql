-- Which contacts an export holds is said by the last parameters of these statements, the same in all of them: deleted ones
-- too; ids; tags that all must be carried, each named once; tags of which one must be; current organization. What is NULL
-- filters nothing.

-- The next contacts of an export after the one with the given id, in the order of their ids.
PREPARE export_contacts (uuid, uuid, integer, boolean, uuid[], uuid[], uuid[], uuid) AS
SELECT *
FROM contact_rows
WHERE user_id = $1
    AND id_key > $2
    AND ($4 OR delete_time IS NULL)
    AND ($5 IS NULL OR id_key = ANY ($5))
    AND ($6 IS NULL OR id_key IN (
        SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($6)
        GROUP BY contact_id HAVING count(*) = cardinality($6)
    ))
    AND ($7 IS NULL OR id_key IN (SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($7)))
    AND ($8 IS NULL OR id_key IN (
        SELECT contact_id FROM current_employments WHERE user_id = $1 AND organization_id = $8
    ))
ORDER BY id_key
LIMIT $3;

-- How long the lists of an export's contacts are at most, and whether any has an anniversary (1) or none (0): what the
-- columns of a table must hold.
PREPARE export_sizes (uuid, boolean, uuid[], uuid[], uuid[], uuid) AS
SELECT
    coalesce(max(jsonb_array_length(emails)), 0) AS emails,
    coalesce(max(jsonb_array_length(phones)), 0) AS phones,
    coalesce(max(jsonb_array_length(addresses)), 0) AS addresses,
    coalesce(max(jsonb_array_length(urls)), 0) AS urls,
    coalesce(max(jsonb_array_length(im_handles)), 0) AS im_handles,
    least(count(coalesce(anniversary_year, anniversary_month, anniversary_day)), 1) AS anniversary
FROM contact_rows
WHERE user_id = $1
    AND ($2 OR delete_time IS NULL)
    AND ($3 IS NULL OR id_key = ANY ($3))
    AND ($4 IS NULL OR id_key IN (
        SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($4)
        GROUP BY contact_id HAVING count(*) = cardinality($4)
    ))
    AND ($5 IS NULL OR id_key IN (SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($5)))
    AND ($6 IS NULL OR id_key IN (
        SELECT contact_id FROM current_employments WHERE user_id = $1 AND organization_id = $6
    ));

-- The keys of the custom fields that most of an export's contacts have, without those too long for a column's name.
PREPARE export_custom_fields (uuid, integer, integer, boolean, uuid[], uuid[], uuid[], uuid) AS
SELECT key
FROM contact_rows, jsonb_object_keys(custom_fields) AS key
WHERE user_id = $1
    AND char_length(key) <= $2
    AND ($4 OR delete_time IS NULL)
    AND ($5 IS NULL OR id_key = ANY ($5))
    AND ($6 IS NULL OR id_key IN (
        SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($6)
        GROUP BY contact_id HAVING count(*) = cardinality($6)
    ))
    AND ($7 IS NULL OR id_key IN (SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($7)))
    AND ($8 IS NULL OR id_key IN (
        SELECT contact_id FROM current_employments WHERE user_id = $1 AND organization_id = $8
    ))
GROUP BY key
ORDER BY count(*) DESC, key COLLATE "C"
LIMIT $3;

-- Which of these ids stand for a contact of the tenant, deleted ones among them, and for which.
PREPARE existing_contacts (uuid, uuid[]) AS
SELECT given.asked, c.id
FROM (
    SELECT named.id AS asked, coalesce(r.survivor_id, named.id) AS stands_for
    FROM unnest($2) AS named (id)
    LEFT JOIN contact_redirects AS r ON r.user_id = $1 AND r.contact_id = named.id
    OFFSET 0  -- a column, by which the contacts are looked up; coalesce() would read all of them
) AS given
JOIN contacts AS c ON c.user_id = $1 AND c.id = given.stands_for;

-- Leaves an entry for an export in the audit log.
PREPARE audit_export (uuid, jsonb) AS
SELECT app.audit_event('EXPORT', 'contacts', $1, $2);
