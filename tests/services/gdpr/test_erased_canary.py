"""Nothing of an erased contact is left to be read: not in a row, not in a statistic, not in a dump."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import pytest_asyncio
from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb
from pmcrm.gdpr.v1.erasure_pb2 import ErasureReceipt

from tests.database.rows import INSERTS, Tenant, add_tenant
from tests.postgres import Connection, Database, bound
from tests.services.gdpr.canaries import COLUMNS, Canaries, dump_of, every_statistic, rows_of_tenant
from tests.services.gdpr.conftest import GdprClient
from tests.suite import as_tenant

# Which rows are about the contact ($3) of the tenant ($2), where not all are that tests.database.rows adds.
ABOUT = {
    "contacts": "user_id = $2 AND id = $3",
    "audit_logs": "user_id = $2 AND subject_id = $3",
    "audit_logs_archive": "user_id = $2 AND subject_id = $3",
}

# Tenant tables that hold nothing about a contact, each with the reason.
ABOUT_NO_CONTACT = {
    "users": "the account holder",
    "organizations": "a company; who works there is in contact_employments",
    "tags": "names of tags; who carries them is in contact_tags",
    "integrations": "the account holder's own accounts elsewhere",
    "embedding_models": "names of models",
    "erasure_requests": "receipts: ids and counts",
    "erasure_state_changes": "states of erasures",
    "suppressions": "keyed hashes, which are there to stay",
    "audit_seals": "digests of entries, and ids",
}

# Tables of all tenants.
OF_NO_TENANT = {"login_emails"}

# What is meant to stay, for proof: words of the user's business, never of a person.
KEPT = {
    "audit_logs": ("table_name", "role_name", "digest"),
    "audit_logs_archive": ("table_name", "role_name", "digest"),
    "consent_records": ("purpose", "text_version", "text_hash"),
    "idempotency_keys": ("method",),
}


@dataclass
class Planted:
    """Two tenants with the same in them but for their canaries; the first one's contact is then erased."""

    mine: Tenant
    theirs: Tenant
    canaries: Canaries
    others: Canaries


@pytest_asyncio.fixture(scope="module")
async def planted(database: Database) -> Planted:
    async with database.connect() as conn:
        made = []
        for mark in ("canary-of-alice", "canary-of-bob"):
            tenant = await add_tenant(conn)
            async with bound(conn, tenant.id):
                await conn.execute("UPDATE legal_holds SET released_at = now() WHERE user_id = $1", tenant.id)
            canaries = Canaries(mark)
            rows = {table: ABOUT.get(table, "user_id = $2") for table in INSERTS if table not in ABOUT_NO_CONTACT}
            await canaries.plant(conn, rows, KEPT, tenant.id, tenant.contact)
            # A kept answer names the contact; an operator's as well, who claimed reminders of it perhaps.
            await conn.execute(
                "UPDATE idempotency_keys SET answer = answer || convert_to($2::uuid::text, 'UTF8') WHERE user_id = $1",
                tenant.id,
                tenant.contact,
            )
            canaries.planted["operator_idempotency_keys", "answer"] = f"{mark} operator answer;"
            await conn.execute(
                """
                INSERT INTO operator_idempotency_keys (request_id, method, body_hash, answer)
                VALUES ($1, 'Claim', '', convert_to($2::text || $1::uuid::text, 'UTF8'))
                """,
                tenant.contact,
                f"{mark} operator answer;",
            )
            made.append((tenant, canaries))
    (mine, canaries), (theirs, others) = made
    return Planted(mine, theirs, canaries, others)


async def erase(gdpr: GdprClient, tenant: uuid.UUID, contact: uuid.UUID) -> ErasureReceipt:
    request = pb.EraseContactRequest(contact_id=str(contact))
    receipt: ErasureReceipt = await gdpr.subjects.EraseContact(request, metadata=as_tenant(tenant))
    return receipt


async def test_a_contact_is_erased_from_all_that_can_be_read(
    gdpr: GdprClient, planted: Planted, database: Database, as_superuser: Connection
) -> None:
    canaries, others = planted.canaries, planted.others
    assert {table for table, _ in canaries.planted} >= {"contacts", "interactions", "audit_logs_archive", "ai_insights"}
    assert await canaries.found(as_superuser) == set(canaries.planted), "each was planted, and the search finds it"
    await as_superuser.execute("ANALYZE")
    assert canaries.found_in("\n".join(await every_statistic(as_superuser))), "statistics hold what tables hold"
    before = await rows_of_tenant(as_superuser, planted.theirs.id)

    receipt = await erase(gdpr, planted.mine.id, planted.mine.contact)

    await as_superuser.execute("ANALYZE")
    assert await canaries.found(as_superuser) == set()
    assert canaries.found_in("\n".join(await every_statistic(as_superuser))) == set()
    dump = await dump_of(database, as_superuser)
    assert canaries.found_in(dump) == set()
    assert others.found_in(dump) == set(others.planted), "the search finds what is in a dump"
    assert await rows_of_tenant(as_superuser, planted.theirs.id) == before
    assert receipt.contact_id == str(planted.mine.contact)


async def test_every_table_is_reached_or_about_no_contact(as_superuser: Connection) -> None:
    tables = {table for table, column, _ in await as_superuser.fetch(COLUMNS) if column == "user_id"} | {"users"}
    assert tables - set(ABOUT_NO_CONTACT) - OF_NO_TENANT == set(INSERTS) - set(ABOUT_NO_CONTACT)
    assert set(ABOUT_NO_CONTACT) <= tables
    assert set(KEPT) <= tables - set(ABOUT_NO_CONTACT)
