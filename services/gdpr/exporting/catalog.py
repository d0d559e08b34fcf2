"""Every table with tenants' data: what is exported of it, or why nothing is. A test compares it with the database.

The order is that of the archive, and such that a table comes after those to which it refers.
"""

from __future__ import annotations

from services.gdpr.exporting.exported_table import ExportedTable, because, words

TENANT = {"user_id": "the same for all rows: the account itself; without it rows are the same in another account"}
SORTING = "made of the name, to sort and to compare by"

ACCOUNT = (
    ExportedTable(
        "users",
        "Your account and its settings.",
        words("display_name time_zone locale default_region settings preferences"),
        words("subscription_tier created_at updated_at deleted_at revision"),
        {
            "id": "the account itself; without it rows are the same in another account",
            "erased_at": "set only when nothing is left to export",
        },
    ),
    ExportedTable(
        "login_emails",
        "The address with which you log in to this server. It does not move with your data.",
        inferred=words("login_email"),
        left_out={**TENANT, "email_key": "the address in lower case, to look up by"},
    ),
)

CONTACTS = (
    ExportedTable(
        "contacts",
        "The people you know, deleted ones among them until they are purged.",
        words(
            "id created_at updated_at deleted_at revision display_name given_name family_name additional_names "
            "honorific_prefixes honorific_suffixes phonetic_given_name phonetic_family_name nickname organization_name "
            "job_title emails phones addresses urls im_handles birthday_year birthday_month birthday_day "
            "anniversary_year anniversary_month anniversary_day notes photo_uri custom_fields extra_properties "
            "keep_in_touch_days processing_restricted source_uid source_hash source_created_at source_updated_at"
        ),
        left_out={**TENANT, "sort_name": SORTING},
    ),
    ExportedTable(
        "contact_strengths",
        "How close you are to each contact: what you set by hand, and what was computed of your interactions.",
        words("contact_id pinned"),
        words("strength computed last_contact_at next_contact_at"),
        {**TENANT, "last_contact_order": "last_contact_at, to sort by"},
    ),
    ExportedTable(
        "organizations",
        "Where your contacts work.",
        words(
            "id created_at updated_at deleted_at revision name aliases domains website industry location description "
            "notes custom_fields enrichments"
        ),
        left_out={**TENANT, "name_key": SORTING, "sort_name": SORTING},
    ),
    ExportedTable(
        "contact_employments",
        "Who worked where, when and as what.",
        words(
            "id contact_id organization_id created_at updated_at deleted_at revision job_title department location "
            "notes is_current start_year start_month start_day end_year end_month end_day"
        ),
        left_out={**TENANT, "start_order": "made of the start, to sort by"},
    ),
    ExportedTable(
        "tags",
        "Your tags.",
        words("id created_at updated_at deleted_at revision name color description"),
        left_out={**TENANT, "name_key": SORTING, "sort_name": SORTING},
    ),
    ExportedTable(
        "contact_tags", "Which contact carries which tag.", words("contact_id tag_id created_at"), left_out=TENANT
    ),
    ExportedTable(
        "contact_links",
        "How contacts are related to each other.",
        words(
            "id contact_id related_contact_id created_at updated_at deleted_at revision type label notes start_year "
            "start_month start_day"
        ),
        left_out=TENANT,
    ),
    ExportedTable(
        "contact_merges",
        "Which contacts you merged, with what is needed to undo it.",
        words("id survivor_id created_at undone_at survivor_updated_at pinned columns_before columns_after"),
        left_out=TENANT,
    ),
    ExportedTable(
        "contact_merge_rows",
        "What merging moved from one contact to the other, or dropped because both had it.",
        words("merge_id position contact_id table_name column_name outcome row_key kept"),
        left_out=TENANT,
    ),
    ExportedTable(
        "contact_redirects",
        "For which contact the id of a merged one stands.",
        words("contact_id survivor_id merge_id created_at"),
        left_out=TENANT,
    ),
)

ACTIVITY = (
    ExportedTable(
        "integrations",
        "Accounts elsewhere that you connected. Their tokens are in no export.",
        words("id created_at provider account display_name scopes settings"),
        words(
            "updated_at deleted_at revision status status_detail tokens_stored_at token_expires_at refreshable "
            "sync_cursor last_sync_at last_sync_success_at sync_failures sync_version"
        ),
        {
            **TENANT,
            "account_key": "the account, to compare by",
            **dict(because("secret: who has it could act as you elsewhere", "credentials key_id")),
        },
    ),
    ExportedTable(
        "interactions",
        "E-mails, meetings, calls, messages and notes.",
        words(
            "id created_at updated_at deleted_at occurred_at revision integration_id type direction duration subject "
            "body location channel language sentiment_score sentiment_label topics custom_fields source_uid thread_uid"
        ),
        words("computed_language computed_sentiment computed_topics"),
        TENANT,
    ),
    ExportedTable(
        "interaction_participants",
        "Who took part in which interaction.",
        words("interaction_id contact_id position role"),
        left_out={**TENANT, **dict(because("a copy of the interaction's own", "occurred_at deleted type direction"))},
    ),
    ExportedTable(
        "reminders",
        "What you want to be reminded of.",
        words(
            "id created_at updated_at deleted_at revision kind title notes due_local time_zone rrule priority muted "
            "channels lead_seconds completed_count completed_through last_completed_at snoozed_until snoozed_local "
            "counts_from known_birthday"
        ),
        words("next_due_at next_due_local fresh_until tzdata_version"),
        TENANT,
    ),
    ExportedTable(
        "reminder_contacts", "Whom a reminder is about.", words("reminder_id contact_id position"), left_out=TENANT
    ),
    ExportedTable(
        "reminder_notifications",
        "How far notifying of each reminder has come.",
        words("reminder_id lead_seconds settled_local"),
        words("occurrence_local occurrence_at notify_at available_at first_claimed_at snoozed attempt lease_id"),
        TENANT,
    ),
    ExportedTable(
        "reminder_leases",
        "Notifications that were handed to other programs to deliver.",
        inferred=words(
            "id reminder_id lead_seconds occurrence_local occurrence_at notify_at claimed_at expires_at attempt "
            "claimer acknowledged_at acknowledged_by outcome"
        ),
        left_out=TENANT,
    ),
)
