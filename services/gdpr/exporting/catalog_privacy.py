"""The catalog's second half: what was inferred, what privacy and audit leave behind, and what is not exported."""

from __future__ import annotations

from services.gdpr.exporting.catalog import ACCOUNT, ACTIVITY, CONTACTS, TENANT
from services.gdpr.exporting.exported_table import ExportedTable, because, words

PRIVACY = (
    ExportedTable(
        "consent_records",
        "What you and your contacts have declared about the use of data.",
        words(
            "id contact_id created_at expires_at type purpose legal_basis text_version text_hash source ip_address "
            "user_agent note withdrawn_consent_id"
        ),
        left_out={
            **TENANT,
            "subject_id": "the contact, or else the account",
            "withdrawn_subject_id": "whom the withdrawn declaration is of",
        },
    ),
    ExportedTable(
        "consent_states",
        "What follows from the declarations for each purpose.",
        inferred=words("contact_id purpose status expires_at consent_id"),
        left_out={**TENANT, "subject_id": "the contact, or else the account"},
    ),
    ExportedTable(
        "processing_restrictions",
        "Whose processing is or was restricted, and why.",
        words("contact_id restricted_at lifted_at reason note"),
        left_out=TENANT,
    ),
    ExportedTable(
        "legal_holds",
        "What must not be erased for now.",
        inferred=words("id contact_id placed_at released_at"),
        left_out={**TENANT, "reason": "the operators' words about a case, which may concern others"},
    ),
    ExportedTable(
        "erasure_requests",
        "Requests to erase a contact or the account, and their receipts.",
        inferred=words(
            "id contact_id state reason requested_at deadline_at updated_at erased_at revision row_counts "
            "suppression_count audit_entry_id erased_contact_ids"
        ),
        left_out=TENANT,
    ),
    ExportedTable(
        "erasure_state_changes",
        "The states that those requests were in.",
        inferred=words("erasure_id position changed_at state cause"),
        left_out=TENANT,
    ),
)

INFERRED = (
    ExportedTable(
        "ai_insights",
        "What was concluded about your contacts, and what you did with it.",
        inferred=words(
            "id created_at updated_at deleted_at as_of expires_at resolved_at revision type status rule rule_version "
            "title body wording model confidence evidence finding restricted superseded_by_id resolve_note "
            "resolve_actor"
        ),
        left_out={**TENANT, **dict(because("a digest of other columns, to compare by", "said finding_key"))},
    ),
    ExportedTable(
        "ai_insight_contacts",
        "Which contacts an insight is about.",
        inferred=words("insight_id contact_id position"),
        left_out=TENANT,
    ),
    ExportedTable(
        "embedding_models",
        "By which model your texts are turned into numbers.",
        inferred=words("since kind model dimensions next_kind next_model next_dimensions"),
        left_out=TENANT,
    ),
    ExportedTable(
        "embeddings",
        "The numbers that stand for the meaning of a contact or an interaction, to search by.",
        inferred=words("contact_id interaction_id embedded_at valid_until dimensions model embedding"),
        left_out={
            **TENANT,
            "subject_id": "the contact or the interaction",
            "content_hash": "a digest of the text, to see whether it has changed",
        },
    ),
)

_PROOF = dict(because("proves that the entry was not changed; says nothing of anybody", "salt digest"))
_ENTRY = words(
    "at id subject_id row_id request_id table_name action role_name actor client_ip user_agent old_values new_values "
    "erased_by"
)

AUDIT = (
    ExportedTable(
        "audit_logs",
        "Every change of your data, with the values before and after, and who made it.",
        inferred=_ENTRY,
        left_out={**TENANT, **_PROOF},
    ),
    ExportedTable(
        "audit_logs_archive",
        "The same of months that have been archived.",
        inferred=_ENTRY,
        left_out={**TENANT, **_PROOF},
    ),
)

TABLES = (*ACCOUNT, *CONTACTS, *ACTIVITY, *PRIVACY, *INFERRED, *AUDIT)
BY_NAME = {table.name: table for table in TABLES}

# Table → why nothing of it is exported.
NOT_EXPORTED = {
    "suppressions": "keyed hashes of what was erased, which nobody can read; receipts count them",
    "idempotency_keys": "copies of answers, kept for a short time so that repeated calls are known",
    "embedding_queue": "which contacts and interactions have to be embedded next",
    "audit_seals": "keyed hashes over the audit log, which prove that it was not changed",
}
