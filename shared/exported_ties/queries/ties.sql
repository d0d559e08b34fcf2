-- The employments of an export's contacts in living organizations, the oldest first. Notes count against the bytes of one
-- contact ($3): those with which they do not fit are without, and say so.
PREPARE export_employments (uuid, uuid[], bigint) AS
SELECT
    contact_id, name, job_title, department, location, start_year, start_month, start_day, end_year, end_month, end_day,
    is_current, octets <= $3 AS fits, CASE WHEN octets <= $3 THEN notes END AS notes
FROM (
    SELECT
        e.*, o.name, sum(octet_length(coalesce(e.notes, ''))) OVER (PARTITION BY e.contact_id ORDER BY e.id) AS octets
    FROM contact_employments AS e
    JOIN organizations AS o ON o.user_id = $1 AND o.id = e.organization_id
    WHERE e.user_id = $1 AND e.contact_id = ANY ($2) AND e.deleted_at IS NULL AND o.deleted_at IS NULL
) AS employment
ORDER BY contact_id, id;

-- The links of an export's contacts, seen from them, in the order of the other contacts' ids: in that order an import makes
-- contacts. Those to deleted contacts when $3. Notes count as in export_employments ($4).
PREPARE export_links (uuid, uuid[], boolean, bigint) AS
SELECT
    contact_id, other_id, source_uid, type, turned, label, start_year, start_month, start_day, octets <= $4 AS fits,
    CASE WHEN octets <= $4 THEN notes END AS notes
FROM (
    SELECT
        side.*, other.source_uid,
        sum(octet_length(coalesce(side.notes, ''))) OVER (
            PARTITION BY side.contact_id ORDER BY side.other_id, side.type, side.turned
        ) AS octets
    FROM (
        SELECT
            contact_id, related_contact_id AS other_id, type, false AS turned, label, start_year, start_month,
            start_day, notes
        FROM contact_links
        WHERE user_id = $1 AND deleted_at IS NULL AND contact_id = ANY ($2)
        UNION ALL
        SELECT
            related_contact_id, contact_id, type, app.is_directed(type), label, start_year, start_month, start_day,
            notes
        FROM contact_links
        WHERE user_id = $1 AND deleted_at IS NULL AND related_contact_id = ANY ($2)
    ) AS side
    JOIN contacts AS other ON other.user_id = $1 AND other.id = side.other_id
    WHERE $3 OR other.deleted_at IS NULL
) AS link
ORDER BY contact_id, other_id, type, turned;
