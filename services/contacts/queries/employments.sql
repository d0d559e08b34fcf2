-- Gets employments, removed or not, in no order.
PREPARE get_employments (uuid, uuid[]) AS
SELECT
    e.id::text AS id,
    e.contact_id::text AS contact_id,
    s.summary AS contact,
    e.organization_id::text AS organization_id,
    o.name AS organization_name,
    e.job_title,
    e.department,
    e.location,
    e.start_year,
    e.start_month,
    e.start_day,
    e.end_year,
    e.end_month,
    e.end_day,
    e.is_current AS current,
    e.notes,
    e.created_at AS create_time,
    e.updated_at AS update_time,
    e.deleted_at AS delete_time,
    e.revision::text AS etag
FROM contact_employments AS e
JOIN contact_summaries AS s ON s.user_id = $1 AND s.contact_id = e.contact_id
JOIN organizations AS o ON o.user_id = $1 AND o.id = e.organization_id
WHERE e.user_id = $1 AND e.id = ANY ($2);

-- Finds the contact that an id stands for, deleted or not: a merged one's for the one that survived.
PREPARE find_employed_contact (uuid, uuid) AS
SELECT c.id, c.processing_restricted
FROM contacts AS c
WHERE c.user_id = $1
    AND c.id = (
        SELECT coalesce(
            (SELECT r.survivor_id FROM contact_redirects AS r WHERE r.user_id = $1 AND r.contact_id = $2), $2
        )
    );

-- Counts the employments of a contact against their limit: those in deleted organizations too, for they may come back.
PREPARE count_employments_of_contact (uuid, uuid) AS
SELECT count(*)
FROM contact_employments
WHERE user_id = $1 AND contact_id = $2 AND deleted_at IS NULL;

-- Adds an employment.
PREPARE add_employment (uuid, uuid, uuid, jsonb) AS
INSERT INTO contact_employments (
    user_id, contact_id, organization_id, start_year, start_month, start_day, end_year, end_month, end_day, is_current,
    job_title, department, location, notes
)
SELECT
    $1, $2, $3, start_year, start_month, start_day, end_year, end_month, end_day, is_current, job_title, department,
    location, notes
FROM jsonb_to_record($4) AS given (
    start_year smallint, start_month smallint, start_day smallint, end_year smallint, end_month smallint,
    end_day smallint, is_current boolean, job_title text, department text, location text, notes text
)
RETURNING id;

-- Locks an employment that is not removed until the transaction ends, so that what is read next is what the update
-- changes.
PREPARE lock_employment (uuid, uuid) AS
SELECT id
FROM contact_employments
WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL
FOR NO KEY UPDATE;

-- Replaces what a caller may write of one employment.
PREPARE update_employment (uuid, uuid, jsonb) AS
UPDATE contact_employments SET
    start_year = given.start_year,
    start_month = given.start_month,
    start_day = given.start_day,
    end_year = given.end_year,
    end_month = given.end_month,
    end_day = given.end_day,
    is_current = given.is_current,
    job_title = given.job_title,
    department = given.department,
    location = given.location,
    notes = given.notes
FROM jsonb_to_record($3) AS given (
    start_year smallint, start_month smallint, start_day smallint, end_year smallint, end_month smallint,
    end_day smallint, is_current boolean, job_title text, department text, location text, notes text
)
WHERE contact_employments.user_id = $1 AND contact_employments.id = $2
RETURNING contact_employments.id;

-- Removes an employment, if it is still the version expected; NULL expects any.
PREPARE remove_employment (uuid, uuid, bigint) AS
UPDATE contact_employments SET deleted_at = now()
WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL AND ($3 IS NULL OR revision = $3)
RETURNING id;

-- Pages of employments: their ids, and where the page ends. The parameters are the same in all of them:
--   $1 tenant   $2 contact   $3 organization   $4 removed and hidden ones too   $5 only current or only former ones
--   $6, $7 position and id of the last row shown, NULL for the first page   $8 limit   $9 offset
-- One of $2 and $3 may be NULL. The two halves of the union are read by an index each, even by a plan that knows no
-- arguments; one of them is always empty.

-- By start, those of unknown start last.
PREPARE list_employments_by_start_date (uuid, uuid, uuid, boolean, boolean, text, uuid, integer, integer) AS
SELECT e.id, e.position::text AS position
FROM (
    SELECT *, coalesce(start_order, 2147483647) AS position
    FROM contact_employments
    WHERE user_id = $1 AND contact_id = $2 AND ($3 IS NULL OR organization_id = $3)
    UNION ALL
    SELECT *, coalesce(start_order, 2147483647)
    FROM contact_employments
    WHERE user_id = $1 AND organization_id = $3 AND $2 IS NULL
) AS e
JOIN contacts AS c ON c.user_id = $1 AND c.id = e.contact_id
JOIN organizations AS o ON o.user_id = $1 AND o.id = e.organization_id
WHERE ($4 OR (e.deleted_at IS NULL AND c.deleted_at IS NULL AND o.deleted_at IS NULL))
    AND NOT c.processing_restricted
    AND ($5 IS NULL OR e.is_current = $5)
    AND (e.position, e.id) > ((SELECT coalesce($6::integer, -1)), (SELECT coalesce($7, '00000000-0000-0000-0000-000000000000')))
ORDER BY e.position, e.id
LIMIT $8 OFFSET $9;

-- By start, the latest first and those of unknown start last.
PREPARE list_employments_by_start_date_desc (uuid, uuid, uuid, boolean, boolean, text, uuid, integer, integer) AS
SELECT e.id, e.position::text AS position
FROM (
    SELECT *, coalesce(start_order, 0) AS position
    FROM contact_employments
    WHERE user_id = $1 AND contact_id = $2 AND ($3 IS NULL OR organization_id = $3)
    UNION ALL
    SELECT *, coalesce(start_order, 0)
    FROM contact_employments
    WHERE user_id = $1 AND organization_id = $3 AND $2 IS NULL
) AS e
JOIN contacts AS c ON c.user_id = $1 AND c.id = e.contact_id
JOIN organizations AS o ON o.user_id = $1 AND o.id = e.organization_id
WHERE ($4 OR (e.deleted_at IS NULL AND c.deleted_at IS NULL AND o.deleted_at IS NULL))
    AND NOT c.processing_restricted
    AND ($5 IS NULL OR e.is_current = $5)
    AND (e.position, e.id) < ((SELECT coalesce($6::integer, 2147483647)), (SELECT coalesce($7, 'ffffffff-ffff-ffff-ffff-ffffffffffff')))
ORDER BY e.position DESC, e.id DESC
LIMIT $8 OFFSET $9;

-- First recorded first.
PREPARE list_employments_by_create_time (uuid, uuid, uuid, boolean, boolean, text, uuid, integer, integer) AS
SELECT e.id, e.created_at::text AS position
FROM (
    SELECT *
    FROM contact_employments
    WHERE user_id = $1 AND contact_id = $2 AND ($3 IS NULL OR organization_id = $3)
    UNION ALL
    SELECT *
    FROM contact_employments
    WHERE user_id = $1 AND organization_id = $3 AND $2 IS NULL
) AS e
JOIN contacts AS c ON c.user_id = $1 AND c.id = e.contact_id
JOIN organizations AS o ON o.user_id = $1 AND o.id = e.organization_id
WHERE ($4 OR (e.deleted_at IS NULL AND c.deleted_at IS NULL AND o.deleted_at IS NULL))
    AND NOT c.processing_restricted
    AND ($5 IS NULL OR e.is_current = $5)
    AND (e.created_at, e.id)
        > ((SELECT coalesce($6::timestamptz, '-infinity')), (SELECT coalesce($7, '00000000-0000-0000-0000-000000000000')))
ORDER BY e.created_at, e.id
LIMIT $8 OFFSET $9;

-- Last recorded first.
PREPARE list_employments_by_create_time_desc (uuid, uuid, uuid, boolean, boolean, text, uuid, integer, integer) AS
SELECT e.id, e.created_at::text AS position
FROM (
    SELECT *
    FROM contact_employments
    WHERE user_id = $1 AND contact_id = $2 AND ($3 IS NULL OR organization_id = $3)
    UNION ALL
    SELECT *
    FROM contact_employments
    WHERE user_id = $1 AND organization_id = $3 AND $2 IS NULL
) AS e
JOIN contacts AS c ON c.user_id = $1 AND c.id = e.contact_id
JOIN organizations AS o ON o.user_id = $1 AND o.id = e.organization_id
WHERE ($4 OR (e.deleted_at IS NULL AND c.deleted_at IS NULL AND o.deleted_at IS NULL))
    AND NOT c.processing_restricted
    AND ($5 IS NULL OR e.is_current = $5)
    AND (e.created_at, e.id)
        < ((SELECT coalesce($6::timestamptz, 'infinity')), (SELECT coalesce($7, 'ffffffff-ffff-ffff-ffff-ffffffffffff')))
ORDER BY e.created_at DESC, e.id DESC
LIMIT $8 OFFSET $9;

-- Counts what a list would show.
PREPARE count_employments (uuid, uuid, uuid, boolean, boolean) AS
SELECT count(*)
FROM (
    SELECT *
    FROM contact_employments
    WHERE user_id = $1 AND contact_id = $2 AND ($3 IS NULL OR organization_id = $3)
    UNION ALL
    SELECT *
    FROM contact_employments
    WHERE user_id = $1 AND organization_id = $3 AND $2 IS NULL
) AS e
JOIN contacts AS c ON c.user_id = $1 AND c.id = e.contact_id
JOIN organizations AS o ON o.user_id = $1 AND o.id = e.organization_id
WHERE ($4 OR (e.deleted_at IS NULL AND c.deleted_at IS NULL AND o.deleted_at IS NULL))
    AND NOT c.processing_restricted
    AND ($5 IS NULL OR e.is_current = $5);
