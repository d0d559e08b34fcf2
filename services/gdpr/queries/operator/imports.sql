-- Puts the rows of an archive into an empty tenant, as the service role in a transaction that is bound to it. $2 is a JSON
-- array of rows as an export writes them, with what the services make of names beside. What triggers derive, they derive
-- of these rows.

-- The tenant, held so that nothing is added to it meanwhile; no row when there is none, or it is closed or erased.
PREPARE import_tenant (uuid) AS
SELECT id FROM users WHERE id = $1 AND deleted_at IS NULL AND erased_at IS NULL FOR UPDATE;

-- The tables in which the tenant has rows. Suppressions count: whom they keep away must not come back this way.
PREPARE import_obstacles (uuid) AS
SELECT name
FROM (
    (SELECT 'contacts' AS name FROM contacts WHERE user_id = $1 LIMIT 1)
    UNION ALL (SELECT 'organizations' AS name FROM organizations WHERE user_id = $1 LIMIT 1)
    UNION ALL (SELECT 'contact_employments' AS name FROM contact_employments WHERE user_id = $1 LIMIT 1)
    UNION ALL (SELECT 'tags' AS name FROM tags WHERE user_id = $1 LIMIT 1)
    UNION ALL (SELECT 'contact_tags' AS name FROM contact_tags WHERE user_id = $1 LIMIT 1)
    UNION ALL (SELECT 'contact_links' AS name FROM contact_links WHERE user_id = $1 LIMIT 1)
    UNION ALL (SELECT 'contact_merges' AS name FROM contact_merges WHERE user_id = $1 LIMIT 1)
    UNION ALL (SELECT 'contact_merge_rows' AS name FROM contact_merge_rows WHERE user_id = $1 LIMIT 1)
    UNION ALL (SELECT 'contact_redirects' AS name FROM contact_redirects WHERE user_id = $1 LIMIT 1)
    UNION ALL (SELECT 'integrations' AS name FROM integrations WHERE user_id = $1 LIMIT 1)
    UNION ALL (SELECT 'interactions' AS name FROM interactions WHERE user_id = $1 LIMIT 1)
    UNION ALL (SELECT 'interaction_participants' AS name FROM interaction_participants WHERE user_id = $1 LIMIT 1)
    UNION ALL (SELECT 'reminders' AS name FROM reminders WHERE user_id = $1 LIMIT 1)
    UNION ALL (SELECT 'reminder_contacts' AS name FROM reminder_contacts WHERE user_id = $1 LIMIT 1)
    UNION ALL (SELECT 'consent_records' AS name FROM consent_records WHERE user_id = $1 LIMIT 1)
    UNION ALL (SELECT 'processing_restrictions' AS name FROM processing_restrictions WHERE user_id = $1 LIMIT 1)
    UNION ALL (SELECT 'suppressions' AS name FROM suppressions WHERE user_id = $1 LIMIT 1)
) AS taken;

-- The settings of the account; the rest of it is this tenant's own.
PREPARE import_users (uuid, jsonb) AS
UPDATE users SET
    display_name = given.display_name,
    settings = given.settings,
    preferences = given.preferences,
    time_zone = given.time_zone,
    locale = given.locale,
    default_region = given.default_region
FROM jsonb_populate_recordset(NULL::users, $2) AS given
WHERE users.id = $1;

-- What was set by hand; the rows are there, made with the contacts.
PREPARE import_contact_strengths (uuid, jsonb) AS
UPDATE contact_strengths AS s SET pinned = given.pinned
FROM jsonb_populate_recordset(NULL::contact_strengths, $2) AS given
WHERE s.user_id = $1 AND s.contact_id = given.contact_id AND given.pinned IS NOT NULL;

-- Without tokens an integration cannot live. It comes as a deleted one, for its interactions to name.
PREPARE import_integrations (uuid, jsonb) AS
INSERT INTO integrations (
    user_id, id, created_at, deleted_at, provider, account, account_key, display_name, scopes, settings, status
)
SELECT
    $1, id, created_at, now(), provider, account, account_key, display_name, scopes, settings, 'REVOKED'
FROM jsonb_populate_recordset(NULL::integrations, $2);

-- The people you know, deleted ones among them until they are purged.
PREPARE import_contacts (uuid, jsonb) AS
INSERT INTO contacts (
    user_id, id, created_at, updated_at, deleted_at, revision, display_name, given_name, family_name,
    additional_names, honorific_prefixes, honorific_suffixes, phonetic_given_name, phonetic_family_name, nickname,
    organization_name, job_title, emails, phones, addresses, urls, im_handles, birthday_year, birthday_month,
    birthday_day, anniversary_year, anniversary_month, anniversary_day, notes, photo_uri, custom_fields,
    extra_properties, keep_in_touch_days, processing_restricted, source_uid, source_hash, source_created_at,
    source_updated_at, sort_name
)
SELECT
    $1, id, created_at, updated_at, deleted_at, revision, display_name, given_name, family_name, additional_names,
    honorific_prefixes, honorific_suffixes, phonetic_given_name, phonetic_family_name, nickname, organization_name,
    job_title, emails, phones, addresses, urls, im_handles, birthday_year, birthday_month, birthday_day,
    anniversary_year, anniversary_month, anniversary_day, notes, photo_uri, custom_fields, extra_properties,
    keep_in_touch_days, processing_restricted, source_uid, source_hash, source_created_at, source_updated_at,
    app.fold(sort_name)
FROM jsonb_populate_recordset(NULL::contacts, $2);

-- Where your contacts work.
PREPARE import_organizations (uuid, jsonb) AS
INSERT INTO organizations (
    user_id, id, created_at, updated_at, deleted_at, revision, name, aliases, domains, website, industry, location,
    description, notes, custom_fields, enrichments, name_key, sort_name
)
SELECT
    $1, id, created_at, updated_at, deleted_at, revision, name, aliases, domains, website, industry, location,
    description, notes, custom_fields, enrichments, name_key, app.fold(name)
FROM jsonb_populate_recordset(NULL::organizations, $2);

-- Who worked where, when and as what.
PREPARE import_contact_employments (uuid, jsonb) AS
INSERT INTO contact_employments (
    user_id, id, contact_id, organization_id, created_at, updated_at, deleted_at, revision, job_title, department,
    location, notes, is_current, start_year, start_month, start_day, end_year, end_month, end_day
)
SELECT
    $1, id, contact_id, organization_id, created_at, updated_at, deleted_at, revision, job_title, department,
    location, notes, is_current, start_year, start_month, start_day, end_year, end_month, end_day
FROM jsonb_populate_recordset(NULL::contact_employments, $2);

-- Your tags.
PREPARE import_tags (uuid, jsonb) AS
INSERT INTO tags (
    user_id, id, created_at, updated_at, deleted_at, revision, name, color, description, name_key, sort_name
)
SELECT
    $1, id, created_at, updated_at, deleted_at, revision, name, color, description, name_key, app.fold(name)
FROM jsonb_populate_recordset(NULL::tags, $2);

-- Which contact carries which tag.
PREPARE import_contact_tags (uuid, jsonb) AS
INSERT INTO contact_tags (
    user_id, contact_id, tag_id, created_at
)
SELECT
    $1, contact_id, tag_id, created_at
FROM jsonb_populate_recordset(NULL::contact_tags, $2);

-- How contacts are related to each other.
PREPARE import_contact_links (uuid, jsonb) AS
INSERT INTO contact_links (
    user_id, id, contact_id, related_contact_id, created_at, updated_at, deleted_at, revision, type, label, notes,
    start_year, start_month, start_day
)
SELECT
    $1, id, contact_id, related_contact_id, created_at, updated_at, deleted_at, revision, type, label, notes,
    start_year, start_month, start_day
FROM jsonb_populate_recordset(NULL::contact_links, $2);

-- Which contacts you merged, with what is needed to undo it.
PREPARE import_contact_merges (uuid, jsonb) AS
INSERT INTO contact_merges (
    user_id, id, survivor_id, created_at, undone_at, survivor_updated_at, pinned, columns_before, columns_after
)
SELECT
    $1, id, survivor_id, created_at, undone_at, survivor_updated_at, pinned, columns_before, columns_after
FROM jsonb_populate_recordset(NULL::contact_merges, $2);

-- What merging moved from one contact to the other, or dropped because both had it.
PREPARE import_contact_merge_rows (uuid, jsonb) AS
INSERT INTO contact_merge_rows (
    user_id, merge_id, position, contact_id, table_name, column_name, outcome, row_key, kept
)
SELECT
    $1, merge_id, position, contact_id, table_name, column_name, outcome, row_key, kept
FROM jsonb_populate_recordset(NULL::contact_merge_rows, $2);

-- For which contact the id of a merged one stands.
PREPARE import_contact_redirects (uuid, jsonb) AS
INSERT INTO contact_redirects (
    user_id, contact_id, survivor_id, merge_id, created_at
)
SELECT
    $1, contact_id, survivor_id, merge_id, created_at
FROM jsonb_populate_recordset(NULL::contact_redirects, $2);

-- E-mails, meetings, calls, messages and notes.
PREPARE import_interactions (uuid, jsonb) AS
INSERT INTO interactions (
    user_id, id, created_at, updated_at, deleted_at, occurred_at, revision, integration_id, type, direction,
    duration, subject, body, location, channel, language, sentiment_score, sentiment_label, topics, custom_fields,
    source_uid, thread_uid
)
SELECT
    $1, id, created_at, updated_at, deleted_at, occurred_at, revision, integration_id, type, direction, duration,
    subject, body, location, channel, language, sentiment_score, sentiment_label, topics, custom_fields, source_uid,
    thread_uid
FROM jsonb_populate_recordset(NULL::interactions, $2);

-- Who took part in which interaction.
PREPARE import_interaction_participants (uuid, jsonb) AS
INSERT INTO interaction_participants (
    user_id, interaction_id, contact_id, position, role
)
SELECT
    $1, interaction_id, contact_id, position, role
FROM jsonb_populate_recordset(NULL::interaction_participants, $2);

-- What you want to be reminded of.
PREPARE import_reminders (uuid, jsonb) AS
INSERT INTO reminders (
    user_id, id, created_at, updated_at, deleted_at, revision, kind, title, notes, due_local, time_zone, rrule,
    priority, muted, channels, lead_seconds, completed_count, completed_through, last_completed_at, snoozed_until,
    snoozed_local, counts_from, known_birthday
)
SELECT
    $1, id, created_at, updated_at, deleted_at, revision, kind, title, notes, due_local, time_zone, rrule, priority,
    muted, channels, lead_seconds, completed_count, completed_through, last_completed_at, snoozed_until,
    snoozed_local, counts_from, known_birthday
FROM jsonb_populate_recordset(NULL::reminders, $2);

-- Whom a reminder is about.
PREPARE import_reminder_contacts (uuid, jsonb) AS
INSERT INTO reminder_contacts (
    user_id, reminder_id, contact_id, position
)
SELECT
    $1, reminder_id, contact_id, position
FROM jsonb_populate_recordset(NULL::reminder_contacts, $2);

-- How far notifying of each reminder has come.
PREPARE import_reminder_notifications (uuid, jsonb) AS
INSERT INTO reminder_notifications (
    user_id, reminder_id, lead_seconds, settled_local
)
SELECT
    $1, reminder_id, lead_seconds, settled_local
FROM jsonb_populate_recordset(NULL::reminder_notifications, $2);

-- What you and your contacts have declared about the use of data.
PREPARE import_consent_records (uuid, jsonb) AS
INSERT INTO consent_records (
    user_id, id, contact_id, created_at, expires_at, type, purpose, legal_basis, text_version, text_hash, source,
    ip_address, user_agent, note, withdrawn_consent_id
)
SELECT
    $1, id, contact_id, created_at, expires_at, type, purpose, legal_basis, text_version, text_hash, source,
    ip_address, user_agent, note, withdrawn_consent_id
FROM jsonb_populate_recordset(NULL::consent_records, $2);

-- Whose processing is or was restricted, and why.
PREPARE import_processing_restrictions (uuid, jsonb) AS
INSERT INTO processing_restrictions (
    user_id, contact_id, restricted_at, lifted_at, reason, note
)
SELECT
    $1, contact_id, restricted_at, lifted_at, reason, note
FROM jsonb_populate_recordset(NULL::processing_restrictions, $2);

-- Leaves an entry for an import in the audit log.
PREPARE audit_data_import (uuid, jsonb) AS
SELECT app.audit_event('IMPORT', 'users', $1, $2);
