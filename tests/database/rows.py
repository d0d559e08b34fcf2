"""A row of each tenant table, for tests that need one in several tenants."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from tests.postgres import Connection, bound

# By table, parents first: a statement that adds a row of tenant $1. Where it needs one, $2 is a contact's id.
INSERTS = {
    "users": "INSERT INTO users (id, display_name) VALUES ($1, 'Somebody')",
    "contacts": """
        INSERT INTO contacts (user_id, id, display_name, sort_name, given_name, emails, phones, source_uid)
        VALUES (
            $1, $2, 'Anna', 'anna', 'Anna', '[{"value": "Anna@example.com"}]',
            '[{"value": "0171 123", "e164": "+49171123"}]', 'uid-1'
        )
    """,
    "contact_strengths": "INSERT INTO contact_strengths (user_id, contact_id) VALUES ($1, $2)",
    "organizations": """
        INSERT INTO organizations (user_id, id, name, name_key, sort_name, domains)
        VALUES ($1, $2, 'Analytical Engines', 'analytical engines', 'analytical engines', '{example.org}')
    """,
    "contact_employments": """
        INSERT INTO contact_employments (user_id, contact_id, organization_id, job_title, is_current)
        VALUES ($1, $2, $2, 'Programmer', true)
    """,
    "tags": """
        INSERT INTO tags (user_id, id, name, name_key, sort_name, color, description)
        VALUES ($1, $2, 'Friends', 'friends ' || $2::uuid, 'friends', '#aabbcc', 'Those we like')
    """,
    "contact_tags": "INSERT INTO contact_tags (user_id, contact_id, tag_id) VALUES ($1, $2, $2)",
    "contact_links": """
        WITH other AS (
            INSERT INTO contacts (user_id, display_name, sort_name) VALUES ($1, 'Bertha', 'bertha') RETURNING id
        )
        INSERT INTO contact_links (user_id, contact_id, related_contact_id, type, label)
        SELECT $1, $2, other.id, 'SPOUSE', 'wife' FROM other
    """,
    "contact_redirects": """
        INSERT INTO contact_redirects (user_id, contact_id, survivor_id, merge_id)
        VALUES ($1, gen_random_uuid(), $2, gen_random_uuid())
    """,
    "integrations": """
        INSERT INTO integrations (user_id, id, provider, account, account_key, credentials, key_id)
        VALUES ($1, $2, 'caldav', 'Anna@example.com', 'anna@example.com ' || $2::uuid, '\\x00', 'k1')
    """,
    "interactions": """
        INSERT INTO interactions (user_id, id, type, direction, subject, body, source_uid)
        VALUES ($1, $2, 'CALL', 'OUTBOUND', 'Birthday', 'Wished her well', 'call ' || $2::uuid)
    """,
    "interaction_participants": """
        INSERT INTO interaction_participants (user_id, interaction_id, contact_id, role)
        VALUES ($1, $2, $2, 'RECIPIENT')
    """,
    "contact_merges": """
        INSERT INTO contact_merges (user_id, id, survivor_id, survivor_updated_at, columns_before, columns_after)
        VALUES ($1, $2, $2, now(), '{"notes": null}', '{"notes": "shy"}')
    """,
    "contact_merge_rows": """
        INSERT INTO contact_merge_rows (
            user_id, merge_id, contact_id, position, table_name, column_name, outcome, row_key, kept
        )
        VALUES ($1, $2, $2, 1, 'contact_tags', 'contact_id', 'DROPPED', '{"tag_id": 1}', '{"tag_id": 1}')
    """,
    "reminders": """
        INSERT INTO reminders (user_id, id, kind, title, notes, due_local, time_zone)
        VALUES ($1, $2, 'GENERAL', 'Write to Anna', 'about the engine', '2026-03-08T02:30:00', 'UTC')
    """,
    "reminder_contacts": """
        INSERT INTO reminder_contacts (user_id, reminder_id, contact_id, position) VALUES ($1, $2, $2, 1)
    """,
    "reminder_notifications": """
        INSERT INTO reminder_notifications (user_id, reminder_id, lead_seconds) VALUES ($1, $2, 0)
    """,
    "reminder_leases": """
        INSERT INTO reminder_leases (
            user_id, id, reminder_id, lead_seconds, occurrence_local, occurrence_at, notify_at, expires_at, attempt
        )
        VALUES ($1, gen_random_uuid(), $2, 0, '2026-03-08T02:30:00', now(), now(), now(), 1)
    """,
    "consent_records": """
        INSERT INTO consent_records (user_id, id, contact_id, type, purpose, legal_basis, text_version, source)
        VALUES ($1, $2, $2, 'CONSENT', 'ai_processing', 'CONSENT', '2026-03', 'paper')
    """,
    "consent_states": """
        INSERT INTO consent_states (user_id, contact_id, purpose, status, consent_id)
        VALUES ($1, $2, 'research', 'OBJECTED', gen_random_uuid())
    """,
    "embeddings": """
        INSERT INTO embeddings (user_id, contact_id, dimensions, model, content_hash, embedding)
        VALUES ($1, $2, 2, 'any', sha256('shy'), '[3,4]')
    """,
    "embedding_models": """
        INSERT INTO embedding_models (user_id, dimensions, kind, model) VALUES ($1, 2, 'LEXICAL', 'any')
    """,
    "embedding_queue": """
        INSERT INTO embedding_queue (user_id, kind, subject_id) VALUES ($1, 'INTERACTION', gen_random_uuid())
    """,
    "ai_insights": """
        INSERT INTO ai_insights (
            user_id, id, as_of, expires_at, confidence, type, rule, rule_version, title, body, said, finding,
            finding_key, evidence
        )
        VALUES (
            $1, $2, now(), now() + interval '7 days', 0.5, 'OVERDUE', 'overdue', '1', 'Anna is overdue', 'Write now.',
            sha256('words'), ARRAY[$2::uuid::text], sha256(uuid_send($2)), '[]'
        )
    """,
    "ai_insight_contacts": """
        INSERT INTO ai_insight_contacts (user_id, insight_id, contact_id, position) VALUES ($1, $2, $2, 1)
    """,
    "erasure_requests": """
        INSERT INTO erasure_requests (user_id, id, contact_id, deadline_at, state, reason)
        VALUES ($1, $2, $2, now(), 'RUNNING', 'for good')
    """,
    "erasure_state_changes": """
        INSERT INTO erasure_state_changes (user_id, erasure_id, position, state, cause)
        VALUES ($1, $2, 1, 'PENDING', 'requested')
    """,
    "suppressions": """
        INSERT INTO suppressions (user_id, hash, erasure_id, kind, key_id) VALUES ($1, sha256('any'), $2, 'EMAIL', 'k1')
    """,
    "processing_restrictions": """
        INSERT INTO processing_restrictions (user_id, contact_id, note) VALUES ($1, $2, 'asked by phone')
    """,
    "legal_holds": "INSERT INTO legal_holds (user_id, contact_id, reason) VALUES ($1, $2, 'file 17')",
    "idempotency_keys": """
        INSERT INTO idempotency_keys (user_id, request_id, method, body_hash) VALUES ($1, $2, 'CreateContact', '\\x00')
    """,
    "audit_logs": """
        INSERT INTO audit_logs (user_id, subject_id, table_name, action, role_name, digest)
        VALUES ($1, $2, 'contacts', 'INSERT', 'pmcrm_contacts', '\\x00')
    """,
    "audit_logs_archive": """
        INSERT INTO audit_logs_archive (user_id, at, subject_id, table_name, action, role_name, digest)
        VALUES ($1, '2020-01-02', $2, 'contacts', 'INSERT', 'pmcrm_contacts', '\\x00')
    """,
    "audit_seals": """
        INSERT INTO audit_seals (
            user_id, seq, first_at, last_at, horizon, entry_ids, entry_hashes, previous, hash, key_id
        )
        VALUES (
            $1, (SELECT count(*) + 1 FROM audit_seals WHERE user_id = $1), '2020-01-01', '2020-01-01', '2020-01-02',
            ARRAY[$2::uuid], sha256('any'), sha256(''), sha256('all'), 'k1'
        )
    """,
}

# A month of the archive, for its row.
ARCHIVED_MONTH = """
    CREATE TABLE IF NOT EXISTS audit_logs_2020_01
    PARTITION OF audit_logs_archive FOR VALUES FROM ('2020-01-01 00:00Z') TO ('2020-02-01 00:00Z')
"""

# Beside the contact, what a table's row refers to. It has the contact's id.
REFERRED = {
    "contact_employments": "organizations",
    "contact_tags": "tags",
    "interaction_participants": "interactions",
    "contact_merge_rows": "contact_merges",
    "erasure_state_changes": "erasure_requests",
    "suppressions": "erasure_requests",
    "reminder_contacts": "reminders",
    "reminder_notifications": "reminders",
    "reminder_leases": "reminders",
    "ai_insight_contacts": "ai_insights",
}


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant with a row in every table. id: also of its request in idempotency_keys."""

    id: uuid.UUID
    contact: uuid.UUID


async def insert(conn: Connection, table: str, tenant: uuid.UUID, contact: uuid.UUID) -> None:
    """Runs the table's statement. A contact's row in contact_strengths is there already, made by trigger."""
    statement = INSERTS[table]
    await conn.execute(statement, *([tenant, contact] if "$2" in statement else [tenant]))


async def add_tenant(conn: Connection) -> Tenant:
    """Adds a tenant with a row in every table that the database has. conn: a superuser's."""
    tenant = Tenant(uuid.uuid4(), uuid.uuid4())
    if await conn.fetchval("SELECT to_regclass('audit_logs_archive') IS NOT NULL"):
        await conn.execute(ARCHIVED_MONTH)
    # Bound, because what is derived of a contact is derived for a bound tenant alone.
    async with bound(conn, tenant.id):
        for table in INSERTS:
            if table != "contact_strengths" and await conn.fetchval("SELECT to_regclass($1) IS NOT NULL", table):
                await insert(conn, table, tenant.id, tenant.contact)
    return tenant
