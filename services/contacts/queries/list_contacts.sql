-- Pages of contacts. One statement for each order and direction, because only so does each page begin in the index where
-- the last one ended. The parameters are the same in all of them:
--   $1 tenant   $2, $3 position and id of the last row shown, NULL for the first page   $4 limit   $5 offset
--   $6 deleted ones too   $7 restricted ones too   $8 no filter at all   $9 least strength
--   $10, $11 last contact from, before   $12 words that all must occur
--   $13 tags that all must be carried, each named once   $14 tags of which one must be   $15 current organization
-- A NULL filter filters nothing. $8 says so once more for all of them: a plan that knows no arguments would otherwise
-- expect that next to nothing passes them, and read all of the tenant's contacts. `position` is where the page ends. The
-- scalar subqueries are there because behind row-level security coalesce() is in no index condition, and a parameter is.

-- By name.
PREPARE list_contacts_by_name (
    uuid, text, uuid, integer, integer, boolean, boolean, boolean, smallint, timestamptz, timestamptz, text[],
    uuid[], uuid[], uuid
) AS
SELECT *, sort_name::text AS position
FROM contact_rows
WHERE user_id = $1
    AND (sort_name, id_key) > ((SELECT coalesce($2, '')), (SELECT coalesce($3, '00000000-0000-0000-0000-000000000000')))
    AND ($6 OR delete_time IS NULL)
    AND ($7 OR NOT processing_restricted)
    AND ($8 OR (
        ($9 IS NULL OR relationship_strength >= $9)
        AND ($10 IS NULL OR last_contact_time >= $10)
        AND ($11 IS NULL OR last_contact_time < $11)
        AND ($13 IS NULL OR id_key IN (
            SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($13)
            GROUP BY contact_id HAVING count(*) = cardinality($13)
        ))
        AND ($14 IS NULL OR id_key IN (
            SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($14)
        ))
        AND ($15 IS NULL OR id_key IN (
            SELECT contact_id FROM current_employments WHERE user_id = $1 AND organization_id = $15
        ))
        AND ($12 IS NULL OR app.holds_words(
            $12, display_name, nickname, concat_ws(' ', organization_name, current_organization ->> 'name'), emails
        ))
    ))
ORDER BY sort_name, id_key
LIMIT $4 OFFSET $5;

-- By name, backwards.
PREPARE list_contacts_by_name_desc (
    uuid, text, uuid, integer, integer, boolean, boolean, boolean, smallint, timestamptz, timestamptz, text[],
    uuid[], uuid[], uuid
) AS
SELECT *, sort_name::text AS position
FROM contact_rows
WHERE user_id = $1
    AND (sort_name, id_key) < ((SELECT coalesce($2, app.name_order_end())), (SELECT coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff')))
    AND ($6 OR delete_time IS NULL)
    AND ($7 OR NOT processing_restricted)
    AND ($8 OR (
        ($9 IS NULL OR relationship_strength >= $9)
        AND ($10 IS NULL OR last_contact_time >= $10)
        AND ($11 IS NULL OR last_contact_time < $11)
        AND ($13 IS NULL OR id_key IN (
            SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($13)
            GROUP BY contact_id HAVING count(*) = cardinality($13)
        ))
        AND ($14 IS NULL OR id_key IN (
            SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($14)
        ))
        AND ($15 IS NULL OR id_key IN (
            SELECT contact_id FROM current_employments WHERE user_id = $1 AND organization_id = $15
        ))
        AND ($12 IS NULL OR app.holds_words(
            $12, display_name, nickname, concat_ws(' ', organization_name, current_organization ->> 'name'), emails
        ))
    ))
ORDER BY sort_name DESC, id_key DESC
LIMIT $4 OFFSET $5;

-- Oldest first.
PREPARE list_contacts_by_create_time (
    uuid, text, uuid, integer, integer, boolean, boolean, boolean, smallint, timestamptz, timestamptz, text[],
    uuid[], uuid[], uuid
) AS
SELECT *, create_time::text AS position
FROM contact_rows
WHERE user_id = $1
    AND (create_time, id_key) > ((SELECT coalesce($2::timestamptz, '-infinity')), (SELECT coalesce($3, '00000000-0000-0000-0000-000000000000')))
    AND ($6 OR delete_time IS NULL)
    AND ($7 OR NOT processing_restricted)
    AND ($8 OR (
        ($9 IS NULL OR relationship_strength >= $9)
        AND ($10 IS NULL OR last_contact_time >= $10)
        AND ($11 IS NULL OR last_contact_time < $11)
        AND ($13 IS NULL OR id_key IN (
            SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($13)
            GROUP BY contact_id HAVING count(*) = cardinality($13)
        ))
        AND ($14 IS NULL OR id_key IN (
            SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($14)
        ))
        AND ($15 IS NULL OR id_key IN (
            SELECT contact_id FROM current_employments WHERE user_id = $1 AND organization_id = $15
        ))
        AND ($12 IS NULL OR app.holds_words(
            $12, display_name, nickname, concat_ws(' ', organization_name, current_organization ->> 'name'), emails
        ))
    ))
ORDER BY create_time, id_key
LIMIT $4 OFFSET $5;

-- Newest first.
PREPARE list_contacts_by_create_time_desc (
    uuid, text, uuid, integer, integer, boolean, boolean, boolean, smallint, timestamptz, timestamptz, text[],
    uuid[], uuid[], uuid
) AS
SELECT *, create_time::text AS position
FROM contact_rows
WHERE user_id = $1
    AND (create_time, id_key) < ((SELECT coalesce($2::timestamptz, 'infinity')), (SELECT coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff')))
    AND ($6 OR delete_time IS NULL)
    AND ($7 OR NOT processing_restricted)
    AND ($8 OR (
        ($9 IS NULL OR relationship_strength >= $9)
        AND ($10 IS NULL OR last_contact_time >= $10)
        AND ($11 IS NULL OR last_contact_time < $11)
        AND ($13 IS NULL OR id_key IN (
            SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($13)
            GROUP BY contact_id HAVING count(*) = cardinality($13)
        ))
        AND ($14 IS NULL OR id_key IN (
            SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($14)
        ))
        AND ($15 IS NULL OR id_key IN (
            SELECT contact_id FROM current_employments WHERE user_id = $1 AND organization_id = $15
        ))
        AND ($12 IS NULL OR app.holds_words(
            $12, display_name, nickname, concat_ws(' ', organization_name, current_organization ->> 'name'), emails
        ))
    ))
ORDER BY create_time DESC, id_key DESC
LIMIT $4 OFFSET $5;

-- By last contact; those never contacted come first.
PREPARE list_contacts_by_last_contact_time (
    uuid, text, uuid, integer, integer, boolean, boolean, boolean, smallint, timestamptz, timestamptz, text[],
    uuid[], uuid[], uuid
) AS
SELECT *, last_contact_order::text AS position
FROM contact_rows
WHERE user_id = $1
    AND (last_contact_order, strengths_key) > ((SELECT coalesce($2::timestamptz, '-infinity')), (SELECT coalesce($3, '00000000-0000-0000-0000-000000000000')))
    AND ($6 OR delete_time IS NULL)
    AND ($7 OR NOT processing_restricted)
    AND ($8 OR (
        ($9 IS NULL OR relationship_strength >= $9)
        AND ($10 IS NULL OR last_contact_time >= $10)
        AND ($11 IS NULL OR last_contact_time < $11)
        AND ($13 IS NULL OR id_key IN (
            SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($13)
            GROUP BY contact_id HAVING count(*) = cardinality($13)
        ))
        AND ($14 IS NULL OR id_key IN (
            SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($14)
        ))
        AND ($15 IS NULL OR id_key IN (
            SELECT contact_id FROM current_employments WHERE user_id = $1 AND organization_id = $15
        ))
        AND ($12 IS NULL OR app.holds_words(
            $12, display_name, nickname, concat_ws(' ', organization_name, current_organization ->> 'name'), emails
        ))
    ))
ORDER BY last_contact_order, strengths_key
LIMIT $4 OFFSET $5;

-- Last contacted first; those never contacted come last.
PREPARE list_contacts_by_last_contact_time_desc (
    uuid, text, uuid, integer, integer, boolean, boolean, boolean, smallint, timestamptz, timestamptz, text[],
    uuid[], uuid[], uuid
) AS
SELECT *, last_contact_order::text AS position
FROM contact_rows
WHERE user_id = $1
    AND (last_contact_order, strengths_key) < ((SELECT coalesce($2::timestamptz, 'infinity')), (SELECT coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff')))
    AND ($6 OR delete_time IS NULL)
    AND ($7 OR NOT processing_restricted)
    AND ($8 OR (
        ($9 IS NULL OR relationship_strength >= $9)
        AND ($10 IS NULL OR last_contact_time >= $10)
        AND ($11 IS NULL OR last_contact_time < $11)
        AND ($13 IS NULL OR id_key IN (
            SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($13)
            GROUP BY contact_id HAVING count(*) = cardinality($13)
        ))
        AND ($14 IS NULL OR id_key IN (
            SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($14)
        ))
        AND ($15 IS NULL OR id_key IN (
            SELECT contact_id FROM current_employments WHERE user_id = $1 AND organization_id = $15
        ))
        AND ($12 IS NULL OR app.holds_words(
            $12, display_name, nickname, concat_ws(' ', organization_name, current_organization ->> 'name'), emails
        ))
    ))
ORDER BY last_contact_order DESC, strengths_key DESC
LIMIT $4 OFFSET $5;

-- Weakest first.
PREPARE list_contacts_by_strength (
    uuid, text, uuid, integer, integer, boolean, boolean, boolean, smallint, timestamptz, timestamptz, text[],
    uuid[], uuid[], uuid
) AS
SELECT *, relationship_strength::text AS position
FROM contact_rows
WHERE user_id = $1
    AND (relationship_strength, strengths_key) > ((SELECT coalesce($2::smallint, 0)), (SELECT coalesce($3, '00000000-0000-0000-0000-000000000000')))
    AND ($6 OR delete_time IS NULL)
    AND ($7 OR NOT processing_restricted)
    AND ($8 OR (
        ($9 IS NULL OR relationship_strength >= $9)
        AND ($10 IS NULL OR last_contact_time >= $10)
        AND ($11 IS NULL OR last_contact_time < $11)
        AND ($13 IS NULL OR id_key IN (
            SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($13)
            GROUP BY contact_id HAVING count(*) = cardinality($13)
        ))
        AND ($14 IS NULL OR id_key IN (
            SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($14)
        ))
        AND ($15 IS NULL OR id_key IN (
            SELECT contact_id FROM current_employments WHERE user_id = $1 AND organization_id = $15
        ))
        AND ($12 IS NULL OR app.holds_words(
            $12, display_name, nickname, concat_ws(' ', organization_name, current_organization ->> 'name'), emails
        ))
    ))
ORDER BY relationship_strength, strengths_key
LIMIT $4 OFFSET $5;

-- Strongest first.
PREPARE list_contacts_by_strength_desc (
    uuid, text, uuid, integer, integer, boolean, boolean, boolean, smallint, timestamptz, timestamptz, text[],
    uuid[], uuid[], uuid
) AS
SELECT *, relationship_strength::text AS position
FROM contact_rows
WHERE user_id = $1
    AND (relationship_strength, strengths_key) < ((SELECT coalesce($2::smallint, 11)), (SELECT coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff')))
    AND ($6 OR delete_time IS NULL)
    AND ($7 OR NOT processing_restricted)
    AND ($8 OR (
        ($9 IS NULL OR relationship_strength >= $9)
        AND ($10 IS NULL OR last_contact_time >= $10)
        AND ($11 IS NULL OR last_contact_time < $11)
        AND ($13 IS NULL OR id_key IN (
            SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($13)
            GROUP BY contact_id HAVING count(*) = cardinality($13)
        ))
        AND ($14 IS NULL OR id_key IN (
            SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($14)
        ))
        AND ($15 IS NULL OR id_key IN (
            SELECT contact_id FROM current_employments WHERE user_id = $1 AND organization_id = $15
        ))
        AND ($12 IS NULL OR app.holds_words(
            $12, display_name, nickname, concat_ws(' ', organization_name, current_organization ->> 'name'), emails
        ))
    ))
ORDER BY relationship_strength DESC, strengths_key DESC
LIMIT $4 OFFSET $5;
