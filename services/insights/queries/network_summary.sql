-- The moment of a summary, and the user's time zone.
PREPARE network_moment (uuid) AS
SELECT now() AS as_of, time_zone FROM users WHERE id = $1;

-- Interactions that are in no count, because none but restricted contacts took part in them.
PREPARE restricted_interactions (uuid) AS
SELECT interaction_id FROM app.restricted_interactions() AS interaction_id WHERE $1 IS NOT NULL;

-- The cadences that there are, in days.
PREPARE network_cadences (uuid) AS
SELECT DISTINCT keep_in_touch_days FROM contacts
WHERE user_id = $1 AND deleted_at IS NULL AND keep_in_touch_days IS NOT NULL;

-- Counts living contacts, in all and by strength.
--   $2, $3 each cadence, and since when the user must have been in touch so that it has not passed
PREPARE count_network_contacts (uuid, integer[], timestamptz[]) AS
SELECT
    count(*) AS contact_count,
    count(*) FILTER (WHERE s.last_contact_at IS NULL) AS never_contacted_count,
    count(*) FILTER (WHERE coalesce(s.last_contact_at, c.created_at) < cadence.since) AS overdue_count,
    count(*) FILTER (WHERE s.strength <= 2) AS band_1,
    count(*) FILTER (WHERE s.strength BETWEEN 3 AND 4) AS band_3,
    count(*) FILTER (WHERE s.strength BETWEEN 5 AND 6) AS band_5,
    count(*) FILTER (WHERE s.strength BETWEEN 7 AND 8) AS band_7,
    count(*) FILTER (WHERE s.strength >= 9) AS band_9
FROM contacts AS c
JOIN contact_strengths AS s ON s.user_id = $1 AND s.contact_id = c.id
LEFT JOIN unnest($2, $3) AS cadence (days, since) ON cadence.days = c.keep_in_touch_days
WHERE c.user_id = $1 AND c.deleted_at IS NULL;

-- Counts the rest of what is living.
--   $2 interactions that do not count
PREPARE count_network (uuid, uuid[]) AS
SELECT
    (SELECT count(*) FROM organizations AS o WHERE o.user_id = $1 AND o.deleted_at IS NULL) AS organization_count,
    (
        SELECT count(*) FROM interactions AS i WHERE i.user_id = $1 AND i.deleted_at IS NULL AND i.id <> ALL ($2)
    ) AS interaction_count,
    (
        SELECT count(*)
        FROM contact_links AS l
        JOIN contacts AS c ON c.user_id = $1 AND c.id = l.contact_id
        JOIN contacts AS r ON r.user_id = $1 AND r.id = l.related_contact_id
        WHERE l.user_id = $1 AND l.deleted_at IS NULL AND c.deleted_at IS NULL AND r.deleted_at IS NULL
    ) AS link_count;

-- The tags that most living contacts carry.
PREPARE count_network_tags (uuid, integer) AS
SELECT t.id::text AS tag_id, t.name, carried.contact_count
FROM (
    SELECT ct.tag_id, count(*) AS contact_count
    FROM contact_tags AS ct
    JOIN contacts AS c ON c.user_id = $1 AND c.id = ct.contact_id
    WHERE ct.user_id = $1 AND c.deleted_at IS NULL
    GROUP BY ct.tag_id
) AS carried
JOIN tags AS t ON t.user_id = $1 AND t.id = carried.tag_id
WHERE t.deleted_at IS NULL
ORDER BY carried.contact_count DESC, t.sort_name, t.id
LIMIT $2;

-- What happened in each month, those left out in which nothing did.
--   $2 when the first begins   $3 when each begins   $4 the end   $5 interactions that do not count
PREPARE count_network_months (uuid, timestamptz, timestamptz[], timestamptz, uuid[]) AS
SELECT month, sum(interactions)::bigint AS interaction_count, sum(contacts)::bigint AS contact_count,
    sum(new_contacts)::bigint AS new_contact_count
FROM (
    SELECT width_bucket(i.occurred_at, $3) AS month, count(*) AS interactions, 0 AS contacts, 0 AS new_contacts
    FROM interactions AS i
    WHERE i.user_id = $1 AND i.occurred_at >= $2 AND i.occurred_at <= $4 AND i.deleted_at IS NULL AND i.id <> ALL ($5)
    GROUP BY 1
    UNION ALL
    -- By what participants hold of their interactions, which need not be looked up then.
    SELECT width_bucket(p.occurred_at, $3), 0, count(DISTINCT p.contact_id), 0
    FROM interaction_participants AS p
    JOIN contacts AS c ON c.user_id = $1 AND c.id = p.contact_id
    WHERE p.user_id = $1 AND p.occurred_at >= $2 AND p.occurred_at <= $4 AND NOT p.deleted AND c.deleted_at IS NULL
    GROUP BY 1
    UNION ALL
    SELECT width_bucket(c.created_at, $3), 0, 0, count(*)
    FROM contacts AS c
    WHERE c.user_id = $1 AND c.created_at >= $2 AND c.created_at <= $4 AND c.deleted_at IS NULL
    GROUP BY 1
) AS counted
GROUP BY month;

-- Contacts that have been quiet for much longer than usual, those first for which it is most times as long.
-- Looked at are the 1 000 closest of those last in touch two weeks to two years ago, and each one's newest 200
-- interactions of these two years. The gap that is usual is the median of those between days in UTC.
--   $2 the moment   $3 limit
PREPARE going_quiet (uuid, timestamptz, integer) AS
WITH candidates AS MATERIALIZED (
    SELECT s.contact_id
    FROM contact_strengths AS s
    JOIN contacts AS c ON c.user_id = $1 AND c.id = s.contact_id
    WHERE s.user_id = $1 AND c.deleted_at IS NULL
        AND s.last_contact_at <= app.add_days($2, -14) AND s.last_contact_at > app.add_days($2, -730)
    ORDER BY s.strength DESC, s.last_contact_at DESC, s.contact_id
    LIMIT 1000
),
timelines AS MATERIALIZED (
    SELECT candidates.contact_id, p.occurred_at
    FROM candidates
    CROSS JOIN LATERAL (
        SELECT q.occurred_at
        FROM interaction_participants AS q
        WHERE q.user_id = $1 AND q.contact_id = candidates.contact_id
            AND q.occurred_at <= $2 AND q.occurred_at > app.add_days($2, -730)
            AND NOT q.deleted AND q.type <> 'NOTE' AND q.role IS DISTINCT FROM 'MENTIONED'
        ORDER BY q.occurred_at DESC
        LIMIT 200
    ) AS p
),
days AS (
    SELECT t.contact_id, (t.occurred_at AT TIME ZONE 'UTC')::date AS day, max(t.occurred_at) AS occurred_at
    FROM timelines AS t
    GROUP BY t.contact_id, day
),
gaps AS (
    SELECT
        d.contact_id, d.occurred_at,
        d.day - lag(d.day) OVER (PARTITION BY d.contact_id ORDER BY d.day) AS days
    FROM days AS d
),
habits AS (
    SELECT
        g.contact_id,
        max(g.occurred_at) AS last_contact_at,
        floor(extract(epoch FROM $2 - max(g.occurred_at)) / 86400)::integer AS days_since,
        round((percentile_cont(0.5) WITHIN GROUP (ORDER BY g.days))::numeric)::integer AS usual_days
    FROM gaps AS g
    GROUP BY g.contact_id
    HAVING count(g.days) >= 3
),
quietest AS (
    SELECT h.*, h.days_since::double precision / h.usual_days AS times
    FROM habits AS h
    WHERE h.days_since >= 14 AND h.days_since >= 2 * h.usual_days
    ORDER BY times DESC, h.days_since DESC, h.contact_id
    LIMIT $3
)
SELECT s.summary AS contact, q.last_contact_at AS last_contact_time, q.days_since, q.usual_days
FROM quietest AS q
JOIN contact_summaries AS s ON s.user_id = $1 AND s.contact_id = q.contact_id
ORDER BY q.times DESC, q.days_since DESC, q.contact_id;

-- Contacts whose computed strength has grown between two moments, the most first. Nobody comes closer without being in
-- touch: looked at are those with whom the user was since the first moment, the 500 closest of them.
--   $2, $3 the moments   $4 limit
PREPARE most_improved (uuid, timestamptz, timestamptz, integer) AS
WITH candidates AS MATERIALIZED (
    SELECT s.contact_id
    FROM contact_strengths AS s
    JOIN contacts AS c ON c.user_id = $1 AND c.id = s.contact_id
    WHERE s.user_id = $1 AND c.deleted_at IS NULL AND s.computed > 1 AND s.last_contact_at > $2
    ORDER BY s.computed DESC, s.last_contact_at DESC, s.contact_id
    LIMIT 500
),
improved AS (
    SELECT now.contact_id, before.computed AS strength_before, now.computed AS strength_now
    FROM app.strength($1, ARRAY(SELECT contact_id FROM candidates), $2) AS before
    JOIN app.strength($1, ARRAY(SELECT contact_id FROM candidates), $3) AS now ON now.contact_id = before.contact_id
    WHERE now.computed > before.computed
    ORDER BY now.computed - before.computed DESC, now.computed DESC, now.contact_id
    LIMIT $4
)
SELECT s.summary AS contact, i.strength_before, i.strength_now
FROM improved AS i
JOIN contact_summaries AS s ON s.user_id = $1 AND s.contact_id = i.contact_id
ORDER BY i.strength_now - i.strength_before DESC, i.strength_now DESC, i.contact_id;
