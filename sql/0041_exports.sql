-- What an export of everything reads, as the gdpr service, and what the import of one into an empty tenant writes.

GRANT SELECT ON
    users, contacts, contact_strengths, organizations, contact_employments, tags, contact_tags, contact_links,
    contact_merges, contact_merge_rows, interactions, interaction_participants, reminders, reminder_contacts,
    reminder_notifications, reminder_leases, embeddings, embedding_models, ai_insights, ai_insight_contacts
TO pmcrm_gdpr;
GRANT SELECT (
    user_id, id, created_at, updated_at, deleted_at, revision, provider, account, account_key, display_name, scopes,
    settings, status, status_detail, tokens_stored_at, token_expires_at, refreshable, sync_cursor, last_sync_at,
    last_sync_success_at, sync_failures, sync_version
) ON integrations TO pmcrm_gdpr;
-- NOTE: credentials and key_id are not granted, because tokens are in no export. Nothing is granted on embedding_queue:
-- what has to be done next is not about anybody.

-- What cards and calendar files are made of.
GRANT SELECT ON contact_rows, carried_tags, current_employments, reminder_rows, contact_summaries TO pmcrm_gdpr;
GRANT EXECUTE ON FUNCTION app.is_directed(text) TO pmcrm_gdpr;

-- An import brings ids and times of its own. Columns that are derived are not granted.
GRANT INSERT ON
    contacts, organizations, contact_employments, tags, contact_tags, contact_links, contact_redirects, contact_merges,
    contact_merge_rows, integrations, interactions, interaction_participants, reminders, reminder_contacts,
    consent_records, processing_restrictions
TO pmcrm_service;
-- The rows of contact_strengths are made by trigger, with the contacts.
GRANT INSERT (user_id, contact_id, next_contact_at), UPDATE (pinned) ON contact_strengths TO pmcrm_service;
