-- Gets one insight, withdrawn or not.
PREPARE get_insight (uuid, uuid) AS
SELECT *
FROM insight_rows
WHERE user_id = $1 AND id_key = $2;

-- Gets several insights, in no order.
PREPARE get_insights (uuid, uuid[]) AS
SELECT *
FROM insight_rows
WHERE user_id = $1 AND id_key = ANY ($2);

-- Takes hold of an insight that is not withdrawn: its version, and whether it can be resolved.
PREPARE lock_insight (uuid, uuid) AS
SELECT revision::text AS etag, status = 'PENDING' AND expires_at > now() AS open
FROM ai_insights
WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL
FOR NO KEY UPDATE;

-- Records what became of an insight: status, note, who said so.
PREPARE resolve_insight (uuid, uuid, text, text, text) AS
UPDATE ai_insights
SET status = $3, resolve_note = $4, resolve_actor = $5, resolved_at = now(), updated_at = now()
WHERE user_id = $1 AND id = $2;

-- Lets one transaction of the tenant generate at a time: the next one finds what this one has stored.
PREPARE lock_generating (uuid) AS
SELECT pg_advisory_xact_lock(hashtextextended('insights ' || $1, 0));

-- For which contacts ids stand; see app.standing_contacts.
PREPARE standing_contacts (uuid, uuid[]) AS
SELECT asked, contact_id, deleted, processing_restricted
FROM app.standing_contacts($2)
WHERE $1 IS NOT NULL;

-- For when rules are asked, and where the user's days begin. The clock, and not the beginning of the transaction, which may
-- have waited for another one since.
PREPARE asked_for (uuid) AS
SELECT clock_timestamp() AS as_of, time_zone
FROM users
WHERE id = $1;

-- Which insights are known that findings have to be compared with: those of any of the types (NULL for all), about any of
-- the contacts (NULL for all). named: every contact, whom it is about first; about: how many of them those are.
PREPARE known_insights (uuid, text[], uuid[]) AS
SELECT
    i.id, i.type, i.status, i.finding, i.finding_key, i.said, i.confidence, i.expires_at,
    i.deleted_at IS NOT NULL AS withdrawn,
    n.named, n.about
FROM ai_insights AS i
CROSS JOIN LATERAL (
    SELECT array_agg(t.contact_id ORDER BY t.position, t.contact_id) AS named, count(t.position) AS about
    FROM ai_insight_contacts AS t
    WHERE t.user_id = $1 AND t.insight_id = i.id
) AS n
WHERE i.user_id = $1 AND i.status <> 'SUPERSEDED'
    AND ($2 IS NULL OR i.type = ANY ($2))
    AND ($3 IS NULL OR EXISTS (
        SELECT FROM ai_insight_contacts AS t
        WHERE t.user_id = $1 AND t.insight_id = i.id AND t.contact_id = ANY ($3) AND t.position IS NOT NULL
    ));

-- Which of these ids were contacts that have been merged, and into which.
PREPARE merged_ids (uuid, uuid[]) AS
SELECT contact_id, survivor_id
FROM contact_redirects
WHERE user_id = $1 AND contact_id = ANY ($2);

-- Adds insights, but for those whose finding is there already; returns which were added.
PREPARE create_insights (uuid, jsonb) AS
INSERT INTO ai_insights (
    user_id, id, as_of, expires_at, confidence, type, rule, rule_version, title, body, wording, model, said, finding, finding_key,
    evidence
)
SELECT
    $1, given.id, given.as_of, given.expires_at, given.confidence, given.type, given.rule, given.rule_version, given.title,
    given.body, given.wording, given.model, given.said, given.finding, given.finding_key, given.evidence
FROM jsonb_to_recordset($2) AS given (
    id uuid, as_of timestamptz, expires_at timestamptz, confidence double precision, type text, rule text, rule_version text,
    title text, body text, wording text, model text, said bytea, finding text[], finding_key bytea, evidence jsonb
)
ON CONFLICT DO NOTHING
RETURNING id;

-- Has pending insights say what their rules say now; returns which did.
PREPARE rewrite_insights (uuid, jsonb) AS
UPDATE ai_insights AS i SET
    updated_at = now(),
    as_of = given.as_of,
    expires_at = given.expires_at,
    confidence = given.confidence,
    rule = given.rule,
    rule_version = given.rule_version,
    title = given.title,
    body = given.body,
    wording = given.wording,
    model = given.model,
    said = given.said,
    finding = given.finding,
    finding_key = given.finding_key,
    evidence = given.evidence
FROM jsonb_to_recordset($2) AS given (
    id uuid, as_of timestamptz, expires_at timestamptz, confidence double precision, rule text, rule_version text, title text,
    body text, wording text, model text, said bytea, finding text[], finding_key bytea, evidence jsonb
)
WHERE i.user_id = $1 AND i.id = given.id AND i.status = 'PENDING'
RETURNING i.id;

-- Supersedes insights that are still pending, each by the other one, if any; returns which were.
PREPARE supersede_insights (uuid, uuid[], uuid[]) AS
UPDATE ai_insights AS i
SET status = 'SUPERSEDED', superseded_by_id = given.successor, resolved_at = now(), updated_at = now()
FROM unnest($2, $3) AS given (id, successor)
WHERE i.user_id = $1 AND i.id = given.id AND i.status = 'PENDING'
RETURNING i.id;

-- Says which contacts insights name; a position tells whom they are about.
PREPARE add_insight_contacts (uuid, uuid[], uuid[], smallint[]) AS
INSERT INTO ai_insight_contacts (user_id, insight_id, contact_id, position)
SELECT $1, given.insight_id, given.contact_id, given.position
FROM unnest($2, $3, $4) AS given (insight_id, contact_id, position)
RETURNING contact_id;

-- Forgets some of the contacts that insights name.
PREPARE remove_insight_contacts (uuid, uuid[], uuid[]) AS
DELETE FROM ai_insight_contacts AS t
USING unnest($2, $3) AS given (insight_id, contact_id)
WHERE t.user_id = $1 AND t.insight_id = given.insight_id AND t.contact_id = given.contact_id;

-- Of which of the contacts something may be sent to a provider.
PREPARE sendable_contacts (uuid, uuid[]) AS
SELECT contact_id
FROM app.ai_permissions($1, $2);

-- Who took part in interactions.
PREPARE who_took_part (uuid, uuid[]) AS
SELECT interaction_id, contact_id
FROM interaction_participants
WHERE user_id = $1 AND interaction_id = ANY ($2);

-- What contacts are called.
PREPARE names_of_contacts (uuid, uuid[]) AS
SELECT id, display_name
FROM contacts
WHERE user_id = $1 AND id = ANY ($2);

-- Lists insights, those found first at first. The page begins after $2 and $3, the place and id of the last one shown.
--   $4 limit   $5 offset   $6 withdrawn ones too   $7 expired ones too   $8 types   $9 statuses   $10 contact   $11 confidence
PREPARE list_insights_by_create_time (
    uuid, text, uuid, integer, integer, boolean, boolean, text[], text[], uuid, double precision
) AS
SELECT *, create_time::text AS position
FROM insight_rows
WHERE user_id = $1
    AND (create_time, id_key) > (
        (SELECT coalesce($2::timestamptz, '-infinity')), (SELECT coalesce($3, '00000000-0000-0000-0000-000000000000'))
    )
    AND ($6 OR delete_time IS NULL)
    AND ($7 OR status_key <> 'PENDING' OR expire_time > now())
    AND ($8 IS NULL OR type_key = ANY ($8))
    AND ($9 IS NULL OR status_key = ANY ($9))
    AND ($10 IS NULL OR EXISTS (
        SELECT FROM ai_insight_contacts AS t
        WHERE t.user_id = $1 AND t.insight_id = id_key AND t.contact_id = $10 AND t.position IS NOT NULL
    ))
    AND ($11 IS NULL OR confidence >= $11)
ORDER BY create_time, id_key
LIMIT $4 OFFSET $5;

-- The newest first.
PREPARE list_insights_by_create_time_desc (
    uuid, text, uuid, integer, integer, boolean, boolean, text[], text[], uuid, double precision
) AS
SELECT *, create_time::text AS position
FROM insight_rows
WHERE user_id = $1
    AND (create_time, id_key) < (
        (SELECT coalesce($2::timestamptz, 'infinity')), (SELECT coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    )
    AND ($6 OR delete_time IS NULL)
    AND ($7 OR status_key <> 'PENDING' OR expire_time > now())
    AND ($8 IS NULL OR type_key = ANY ($8))
    AND ($9 IS NULL OR status_key = ANY ($9))
    AND ($10 IS NULL OR EXISTS (
        SELECT FROM ai_insight_contacts AS t
        WHERE t.user_id = $1 AND t.insight_id = id_key AND t.contact_id = $10 AND t.position IS NOT NULL
    ))
    AND ($11 IS NULL OR confidence >= $11)
ORDER BY create_time DESC, id_key DESC
LIMIT $4 OFFSET $5;

-- The least sure first.
PREPARE list_insights_by_confidence (
    uuid, text, uuid, integer, integer, boolean, boolean, text[], text[], uuid, double precision
) AS
SELECT *, confidence::text AS position
FROM insight_rows
WHERE user_id = $1
    AND (confidence, id_key) > (
        (SELECT coalesce($2::double precision, '-infinity')), (SELECT coalesce($3, '00000000-0000-0000-0000-000000000000'))
    )
    AND ($6 OR delete_time IS NULL)
    AND ($7 OR status_key <> 'PENDING' OR expire_time > now())
    AND ($8 IS NULL OR type_key = ANY ($8))
    AND ($9 IS NULL OR status_key = ANY ($9))
    AND ($10 IS NULL OR EXISTS (
        SELECT FROM ai_insight_contacts AS t
        WHERE t.user_id = $1 AND t.insight_id = id_key AND t.contact_id = $10 AND t.position IS NOT NULL
    ))
    AND ($11 IS NULL OR confidence >= $11)
ORDER BY confidence, id_key
LIMIT $4 OFFSET $5;

-- The surest first.
PREPARE list_insights_by_confidence_desc (
    uuid, text, uuid, integer, integer, boolean, boolean, text[], text[], uuid, double precision
) AS
SELECT *, confidence::text AS position
FROM insight_rows
WHERE user_id = $1
    AND (confidence, id_key) < (
        (SELECT coalesce($2::double precision, 'infinity')), (SELECT coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    )
    AND ($6 OR delete_time IS NULL)
    AND ($7 OR status_key <> 'PENDING' OR expire_time > now())
    AND ($8 IS NULL OR type_key = ANY ($8))
    AND ($9 IS NULL OR status_key = ANY ($9))
    AND ($10 IS NULL OR EXISTS (
        SELECT FROM ai_insight_contacts AS t
        WHERE t.user_id = $1 AND t.insight_id = id_key AND t.contact_id = $10 AND t.position IS NOT NULL
    ))
    AND ($11 IS NULL OR confidence >= $11)
ORDER BY confidence DESC, id_key DESC
LIMIT $4 OFFSET $5;

-- Those that expire first at first.
PREPARE list_insights_by_expire_time (
    uuid, text, uuid, integer, integer, boolean, boolean, text[], text[], uuid, double precision
) AS
SELECT *, expire_time::text AS position
FROM insight_rows
WHERE user_id = $1
    AND (expire_time, id_key) > (
        (SELECT coalesce($2::timestamptz, '-infinity')), (SELECT coalesce($3, '00000000-0000-0000-0000-000000000000'))
    )
    AND ($6 OR delete_time IS NULL)
    AND ($7 OR status_key <> 'PENDING' OR expire_time > now())
    AND ($8 IS NULL OR type_key = ANY ($8))
    AND ($9 IS NULL OR status_key = ANY ($9))
    AND ($10 IS NULL OR EXISTS (
        SELECT FROM ai_insight_contacts AS t
        WHERE t.user_id = $1 AND t.insight_id = id_key AND t.contact_id = $10 AND t.position IS NOT NULL
    ))
    AND ($11 IS NULL OR confidence >= $11)
ORDER BY expire_time, id_key
LIMIT $4 OFFSET $5;

-- Those that expire last at first.
PREPARE list_insights_by_expire_time_desc (
    uuid, text, uuid, integer, integer, boolean, boolean, text[], text[], uuid, double precision
) AS
SELECT *, expire_time::text AS position
FROM insight_rows
WHERE user_id = $1
    AND (expire_time, id_key) < (
        (SELECT coalesce($2::timestamptz, 'infinity')), (SELECT coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    )
    AND ($6 OR delete_time IS NULL)
    AND ($7 OR status_key <> 'PENDING' OR expire_time > now())
    AND ($8 IS NULL OR type_key = ANY ($8))
    AND ($9 IS NULL OR status_key = ANY ($9))
    AND ($10 IS NULL OR EXISTS (
        SELECT FROM ai_insight_contacts AS t
        WHERE t.user_id = $1 AND t.insight_id = id_key AND t.contact_id = $10 AND t.position IS NOT NULL
    ))
    AND ($11 IS NULL OR confidence >= $11)
ORDER BY expire_time DESC, id_key DESC
LIMIT $4 OFFSET $5;

-- Counts what a list would show; the filters are the same.
PREPARE count_insights (uuid, boolean, boolean, text[], text[], uuid, double precision) AS
SELECT count(*)
FROM insight_rows
WHERE user_id = $1
    AND ($2 OR delete_time IS NULL)
    AND ($3 OR status_key <> 'PENDING' OR expire_time > now())
    AND ($4 IS NULL OR type_key = ANY ($4))
    AND ($5 IS NULL OR status_key = ANY ($5))
    AND ($6 IS NULL OR EXISTS (
        SELECT FROM ai_insight_contacts AS t
        WHERE t.user_id = $1 AND t.insight_id = id_key AND t.contact_id = $6 AND t.position IS NOT NULL
    ))
    AND ($7 IS NULL OR confidence >= $7);
