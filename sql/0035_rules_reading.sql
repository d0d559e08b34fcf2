-- What a follow-up looks for beside interactions: a reminder about whom was met. Its wording is not read.

GRANT SELECT (user_id, id, created_at, deleted_at, last_completed_at, next_due_at, kind, rrule) ON reminders TO pmcrm_insights;
GRANT SELECT (user_id, reminder_id, contact_id) ON reminder_contacts TO pmcrm_insights;
