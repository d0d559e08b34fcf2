-- Contacts whose cadence has passed or is about to: their last contact, if any, those due the longest first. Which of them
-- are overdue is a matter of days in the user's zone, and decided there.
PREPARE overdue_contacts (uuid, timestamptz, uuid[], integer) AS
SELECT c.id, c.display_name, c.keep_in_touch_days, c.created_at, last.interaction_id, last.occurred_at
FROM contacts AS c
LEFT JOIN LATERAL (
    SELECT p.interaction_id, p.occurred_at
    FROM interaction_participants AS p
    WHERE p.user_id = $1 AND p.contact_id = c.id AND p.occurred_at <= $2
        AND NOT p.deleted AND p.type <> 'NOTE' AND p.role IS DISTINCT FROM 'MENTIONED'
    ORDER BY p.occurred_at DESC, p.interaction_id DESC
    LIMIT 1
) AS last ON true
WHERE c.user_id = $1 AND c.deleted_at IS NULL AND c.keep_in_touch_days IS NOT NULL
    AND ($3 IS NULL OR c.id = ANY ($3))
    AND app.add_days(coalesce(last.occurred_at, c.created_at), c.keep_in_touch_days) <= app.add_days($2, 3)
ORDER BY app.add_days(coalesce(last.occurred_at, c.created_at), c.keep_in_touch_days), c.id
LIMIT $4;
