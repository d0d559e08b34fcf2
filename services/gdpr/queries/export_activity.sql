-- The rows of each table that is exported, as JSON: those after a key, in the order of the primary key; of the whole
-- account when $2 is NULL, else what is about these contacts. $3 names the columns that are left out. Rows that may be
-- large come with at most a megabyte of others.

-- Connections with other accounts, without their tokens. They are the user's: of a contact, none.
PREPARE export_integrations (uuid, uuid[], text[], uuid) AS
SELECT id, (to_jsonb(t) - $3)::text AS line
FROM (
    SELECT
        user_id, id, created_at, updated_at, deleted_at, revision, provider, account, account_key, display_name,
        scopes, settings, status, status_detail, tokens_stored_at, token_expires_at, refreshable, sync_cursor, last_sync_at,
        last_sync_success_at, sync_failures, sync_version
    FROM integrations
    WHERE user_id = $1
) AS t
WHERE user_id = $1 AND ($2 IS NULL) AND id > $4
ORDER BY id
LIMIT 500;

-- Interactions; of a contact, those in which it took part.
PREPARE export_interactions (uuid, uuid[], text[], uuid) AS
SELECT id, line
FROM (
    SELECT
        id, line, sum(octet_length(line)) OVER (ORDER BY id) - octet_length(line) AS before
    FROM (
        SELECT id, (to_jsonb(t) - $3)::text AS line
        FROM interactions AS t
        WHERE user_id = $1 AND id > $4 AND (
            $2 IS NULL OR id IN (
                SELECT p.interaction_id FROM interaction_participants AS p
                WHERE p.user_id = $1 AND p.contact_id = ANY ($2)
            )
        )
        ORDER BY id
        LIMIT 500
    ) AS page
) AS measured
WHERE before < 1000000
ORDER BY id;

-- Who took part in which interaction; of a contact, itself alone.
PREPARE export_interaction_participants (uuid, uuid[], text[], uuid, uuid) AS
SELECT interaction_id, contact_id, (to_jsonb(t) - $3)::text AS line
FROM interaction_participants AS t
WHERE user_id = $1 AND ($2 IS NULL OR contact_id = ANY ($2)) AND (interaction_id, contact_id) > ($4, $5)
ORDER BY interaction_id, contact_id
LIMIT 500;

-- Reminders; of a contact, those about it.
PREPARE export_reminders (uuid, uuid[], text[], uuid) AS
SELECT id, (to_jsonb(t) - $3)::text AS line
FROM reminders AS t
WHERE user_id = $1 AND id > $4 AND (
    $2 IS NULL OR id IN (
        SELECT rc.reminder_id FROM reminder_contacts AS rc
        WHERE rc.user_id = $1 AND rc.contact_id = ANY ($2)
    )
)
ORDER BY id
LIMIT 500;

-- Whom reminders are about; of a contact, itself alone.
PREPARE export_reminder_contacts (uuid, uuid[], text[], uuid, uuid) AS
SELECT reminder_id, contact_id, (to_jsonb(t) - $3)::text AS line
FROM reminder_contacts AS t
WHERE user_id = $1 AND ($2 IS NULL OR contact_id = ANY ($2)) AND (reminder_id, contact_id) > ($4, $5)
ORDER BY reminder_id, contact_id
LIMIT 500;

-- What is notified of reminders next.
PREPARE export_reminder_notifications (uuid, uuid[], text[], uuid, integer) AS
SELECT reminder_id, lead_seconds, (to_jsonb(t) - $3)::text AS line
FROM reminder_notifications AS t
WHERE user_id = $1 AND (reminder_id, lead_seconds) > ($4, $5) AND (
    $2 IS NULL OR reminder_id IN (
        SELECT rc.reminder_id FROM reminder_contacts AS rc
        WHERE rc.user_id = $1 AND rc.contact_id = ANY ($2)
    )
)
ORDER BY reminder_id, lead_seconds
LIMIT 500;

-- Notifications of reminders that were handed out.
PREPARE export_reminder_leases (uuid, uuid[], text[], uuid) AS
SELECT id, (to_jsonb(t) - $3)::text AS line
FROM reminder_leases AS t
WHERE user_id = $1 AND id > $4 AND (
    $2 IS NULL OR reminder_id IN (
        SELECT rc.reminder_id FROM reminder_contacts AS rc
        WHERE rc.user_id = $1 AND rc.contact_id = ANY ($2)
    )
)
ORDER BY id
LIMIT 500;

-- Insights; of a contact, those about it.
PREPARE export_ai_insights (uuid, uuid[], text[], uuid) AS
SELECT id, (to_jsonb(t) - $3)::text AS line
FROM ai_insights AS t
WHERE user_id = $1 AND id > $4 AND (
    $2 IS NULL OR id IN (
        SELECT ic.insight_id FROM ai_insight_contacts AS ic
        WHERE ic.user_id = $1 AND ic.contact_id = ANY ($2)
    )
)
ORDER BY id
LIMIT 500;

-- Whom insights are about; of a contact, itself alone.
PREPARE export_ai_insight_contacts (uuid, uuid[], text[], uuid, uuid) AS
SELECT insight_id, contact_id, (to_jsonb(t) - $3)::text AS line
FROM ai_insight_contacts AS t
WHERE user_id = $1 AND ($2 IS NULL OR contact_id = ANY ($2)) AND (insight_id, contact_id) > ($4, $5)
ORDER BY insight_id, contact_id
LIMIT 500;

-- By which model the tenant's texts are embedded.
PREPARE export_embedding_models (uuid, uuid[], text[], uuid) AS
SELECT user_id, (to_jsonb(t) - $3)::text AS line
FROM embedding_models AS t
WHERE user_id = $1 AND ($2 IS NULL) AND user_id > $4
ORDER BY user_id
LIMIT 500;

-- Embeddings; of a contact, its own and those of the interactions in which it took part.
PREPARE export_embeddings (uuid, uuid[], text[], uuid, text) AS
SELECT subject_id, model, (to_jsonb(t) - $3)::text AS line
FROM embeddings AS t
WHERE user_id = $1 AND (subject_id, model) > ($4, $5) AND (
    $2 IS NULL OR contact_id = ANY ($2) OR interaction_id IN (
        SELECT p.interaction_id FROM interaction_participants AS p
        WHERE p.user_id = $1 AND p.contact_id = ANY ($2)
    )
)
ORDER BY subject_id, model
LIMIT 500;
