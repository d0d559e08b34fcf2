-- Contacts without a cadence who have been silent for about a month or longer, but no longer than about two years, with the
-- times of their newest interactions, the last ids of these, and the oldest time of the two years up to the last contact.
-- Those heard of last come first. Whether a silence is unusual is reckoned in days of the user's zone.
PREPARE silent_contacts (uuid, timestamptz, uuid[], integer, integer, integer) AS
SELECT c.id, c.display_name, recent.times, recent.ids[:$5] AS ids, oldest.occurred_at AS oldest_at
FROM contacts AS c
CROSS JOIN LATERAL (
    SELECT p.occurred_at
    FROM interaction_participants AS p
    WHERE p.user_id = $1 AND p.contact_id = c.id AND p.occurred_at <= $2
        AND NOT p.deleted AND p.type <> 'NOTE' AND p.role IS DISTINCT FROM 'MENTIONED'
    ORDER BY p.occurred_at DESC
    LIMIT 1
) AS last
CROSS JOIN LATERAL (
    SELECT p.occurred_at
    FROM interaction_participants AS p
    WHERE p.user_id = $1 AND p.contact_id = c.id
        AND p.occurred_at <= last.occurred_at AND p.occurred_at > app.add_days(last.occurred_at, -730)
        AND NOT p.deleted AND p.type <> 'NOTE' AND p.role IS DISTINCT FROM 'MENTIONED'
    ORDER BY p.occurred_at
    LIMIT 1
) AS oldest
CROSS JOIN LATERAL (
    SELECT
        array_agg(newest.occurred_at ORDER BY newest.occurred_at DESC, newest.interaction_id DESC) AS times,
        array_agg(newest.interaction_id ORDER BY newest.occurred_at DESC, newest.interaction_id DESC) AS ids
    FROM (
        SELECT p.occurred_at, p.interaction_id
        FROM interaction_participants AS p
        WHERE p.user_id = $1 AND p.contact_id = c.id
            AND p.occurred_at <= last.occurred_at AND p.occurred_at > app.add_days(last.occurred_at, -730)
            AND NOT p.deleted AND p.type <> 'NOTE' AND p.role IS DISTINCT FROM 'MENTIONED'
        ORDER BY p.occurred_at DESC, p.interaction_id DESC
        LIMIT $4
    ) AS newest
) AS recent
WHERE c.user_id = $1 AND c.deleted_at IS NULL AND c.keep_in_touch_days IS NULL
    AND ($3 IS NULL OR c.id = ANY ($3))
    AND last.occurred_at <= app.add_days($2, -27) AND last.occurred_at >= app.add_days($2, -733)
    AND last.occurred_at >= app.add_days(oldest.occurred_at, 57)
ORDER BY last.occurred_at DESC, c.id
LIMIT $6;
