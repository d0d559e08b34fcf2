-- All employments of living contacts of which one may be a new job: it goes on, and began in one of these years, or was
-- recorded in this time without a year. Not those of deleted organizations.
--   $2 of which contacts, NULL for all   $3, $4 years   $5, $6 times   $7 how many contacts at most
PREPARE employments_with_news (uuid, uuid[], smallint, smallint, timestamptz, timestamptz, integer) AS
WITH news AS (
    SELECT DISTINCT e.contact_id
    FROM contact_employments AS e
    WHERE e.user_id = $1 AND e.deleted_at IS NULL AND e.is_current
        AND ($2 IS NULL OR e.contact_id = ANY ($2))
        AND (e.start_year BETWEEN $3 AND $4 OR e.start_year IS NULL AND e.created_at BETWEEN $5 AND $6)
    ORDER BY e.contact_id
    LIMIT $7
)
SELECT
    e.contact_id, c.display_name, e.id, e.created_at, e.organization_id, o.name AS organization,
    o.name_key AS organization_key, e.job_title, e.start_year, e.start_month, e.start_day, e.end_year, e.end_month,
    e.end_day, e.is_current
FROM news
JOIN contacts AS c ON c.user_id = $1 AND c.id = news.contact_id AND c.deleted_at IS NULL
JOIN contact_employments AS e ON e.user_id = $1 AND e.contact_id = c.id AND e.deleted_at IS NULL
JOIN organizations AS o ON o.user_id = $1 AND o.id = e.organization_id AND o.deleted_at IS NULL
ORDER BY e.contact_id, e.id;
