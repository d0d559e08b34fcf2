-- Gets one interaction, deleted or not.
PREPARE get_interaction (uuid, uuid) AS
SELECT *
FROM interaction_rows
WHERE user_id = $1 AND id_key = $2;

-- Gets several interactions, deleted or not, in no order.
PREPARE get_interactions (uuid, uuid[]) AS
SELECT *
FROM interaction_rows
WHERE user_id = $1 AND id_key = ANY ($2);

-- Locks a living interaction until the transaction ends, so that what is read next is what the update changes.
PREPARE lock_interaction (uuid, uuid) AS
SELECT id
FROM interactions
WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL
FOR NO KEY UPDATE;

-- Which of these integrations the tenant has, deleted ones not.
PREPARE living_integrations (uuid, uuid[]) AS
SELECT id
FROM integrations
WHERE user_id = $1 AND id = ANY ($2) AND deleted_at IS NULL;

-- Creates interactions without their participants. Their ids are chosen by the caller of the statement, since RETURNING
-- promises no order.
PREPARE create_interactions (uuid, jsonb) AS
INSERT INTO interactions (
    user_id, id, type, direction, occurred_at, duration, subject, body, location, channel, language, sentiment_score,
    sentiment_label, topics, computed_language, computed_sentiment, computed_topics, custom_fields, source_uid, thread_uid,
    integration_id
)
SELECT
    $1, id, type, direction, coalesce(occurred_at, now()), duration, subject, body, location, channel, language,
    sentiment_score, sentiment_label, topics, computed_language, computed_sentiment, computed_topics, custom_fields,
    source_uid, thread_uid, integration_id
FROM jsonb_to_recordset($2) AS given (
    id uuid, type text, direction text, occurred_at timestamptz, duration interval, subject text, body text, location text,
    channel text, language text, sentiment_score double precision, sentiment_label text, topics text[],
    computed_language text, computed_sentiment double precision, computed_topics text[], custom_fields jsonb,
    source_uid text, thread_uid text, integration_id uuid
)
RETURNING id;

-- Replaces what a caller may write of one interaction, but for its participants.
PREPARE update_interaction (uuid, uuid, jsonb) AS
UPDATE interactions SET
    type = given.type,
    direction = given.direction,
    occurred_at = coalesce(given.occurred_at, now()),
    duration = given.duration,
    subject = given.subject,
    body = given.body,
    location = given.location,
    channel = given.channel,
    language = given.language,
    sentiment_score = given.sentiment_score,
    sentiment_label = given.sentiment_label,
    topics = given.topics,
    computed_language = given.computed_language,
    computed_sentiment = given.computed_sentiment,
    computed_topics = given.computed_topics,
    custom_fields = given.custom_fields,
    source_uid = given.source_uid,
    thread_uid = given.thread_uid,
    integration_id = given.integration_id
FROM jsonb_to_record($3) AS given (
    type text, direction text, occurred_at timestamptz, duration interval, subject text, body text, location text,
    channel text, language text, sentiment_score double precision, sentiment_label text, topics text[],
    computed_language text, computed_sentiment double precision, computed_topics text[], custom_fields jsonb,
    source_uid text, thread_uid text, integration_id uuid
)
WHERE interactions.user_id = $1 AND interactions.id = $2
RETURNING interactions.id;

-- Deletes a living interaction, if it is still the version expected; NULL expects any.
PREPARE delete_interaction (uuid, uuid, bigint) AS
UPDATE interactions SET deleted_at = now()
WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL AND ($3 IS NULL OR revision = $3)
RETURNING id;

-- Brings back a deleted interaction, if it is still the version expected; NULL expects any.
PREPARE undelete_interaction (uuid, uuid, bigint) AS
UPDATE interactions SET deleted_at = NULL
WHERE user_id = $1 AND id = $2 AND deleted_at IS NOT NULL AND ($3 IS NULL OR revision = $3)
RETURNING id;
