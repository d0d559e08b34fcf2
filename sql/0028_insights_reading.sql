-- What the insights service reads of the other services' tables: what its rules, its searches and its answers rest on, and
-- no addresses, custom fields or imported lines. The policy `restriction` on contacts hides those from it whose processing
-- is restricted; what hangs on one is reached through contacts, and hidden with it.

GRANT SELECT (
    user_id, id, created_at, deleted_at, processing_restricted, keep_in_touch_days, birthday_year, birthday_month, birthday_day,
    display_name, sort_name, given_name, additional_names, family_name, honorific_suffixes, nickname, organization_name,
    job_title, notes, emails, phones
) ON contacts TO pmcrm_insights;
-- NOTE: e-mail addresses and phone numbers tell which contacts are likely the same person; nothing else uses them.
GRANT SELECT ON contact_strengths, organizations, contact_employments, tags, contact_tags, contact_links TO pmcrm_insights;
GRANT SELECT (
    user_id, id, created_at, deleted_at, occurred_at, type, direction, subject, body, topics, computed_topics, sentiment_score,
    computed_sentiment
) ON interactions TO pmcrm_insights;
GRANT SELECT (position) ON interaction_participants TO pmcrm_insights;
GRANT SELECT ON contact_summaries, contact_profiles TO pmcrm_insights;
GRANT EXECUTE ON FUNCTION app.is_directed(text) TO pmcrm_insights;
