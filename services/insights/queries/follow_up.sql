-- Meetings from one moment until before another, each with every contact that took part and with whom nothing has happened
-- or been planned since: neither an interaction nor a reminder. The newest first. Scalar subqueries, since NOT EXISTS may be
-- planned as a hash of everybody's participations.
PREPARE meetings_without_follow_up (uuid, timestamptz, timestamptz, uuid[], integer, integer) AS
SELECT
    m.id AS meeting_id, m.occurred_at, m.subject, left(m.body, 4000) AS body, m.topics, m.computed_topics,
    c.id, c.display_name, company.size
FROM interactions AS m
CROSS JOIN LATERAL (
    -- As many as matter, however many took part.
    SELECT count(*)::integer AS size
    FROM (
        SELECT
        FROM interaction_participants AS p
        JOIN contacts AS c ON c.user_id = $1 AND c.id = p.contact_id
        WHERE p.user_id = $1 AND p.interaction_id = m.id AND p.role IS DISTINCT FROM 'MENTIONED' AND c.deleted_at IS NULL
        LIMIT $5 + 1
    ) AS counted
) AS company
JOIN interaction_participants AS p ON p.user_id = $1 AND p.interaction_id = m.id
JOIN contacts AS c ON c.user_id = $1 AND c.id = p.contact_id
WHERE m.user_id = $1 AND m.occurred_at >= $2 AND m.occurred_at < $3
    AND m.type = 'MEETING' AND m.deleted_at IS NULL
    AND company.size <= $5
    AND p.role IS DISTINCT FROM 'MENTIONED'
    AND c.deleted_at IS NULL
    AND ($4 IS NULL OR c.id = ANY ($4))
    AND (
        SELECT q.interaction_id
        FROM interaction_participants AS q
        WHERE q.user_id = $1 AND q.contact_id = c.id AND (q.occurred_at, q.interaction_id) > (m.occurred_at, m.id)
            AND NOT q.deleted AND q.type <> 'NOTE' AND q.role IS DISTINCT FROM 'MENTIONED'
        ORDER BY q.occurred_at, q.interaction_id
        LIMIT 1
    ) IS NULL
    AND (
        SELECT r.id
        FROM reminder_contacts AS rc
        JOIN reminders AS r ON r.user_id = $1 AND r.id = rc.reminder_id
        WHERE rc.user_id = $1 AND rc.contact_id = c.id AND r.kind = 'GENERAL' AND r.deleted_at IS NULL
            AND (
                r.created_at >= m.occurred_at
                -- What repeats was there before the meeting and goes on after it, whatever was said there.
                OR r.rrule IS NULL AND greatest(r.next_due_at, r.last_completed_at) >= m.occurred_at
            )
        LIMIT 1
    ) IS NULL
ORDER BY m.occurred_at DESC, m.id, c.id
LIMIT $6;
