"""Nothing of an erased account is left to be read: not in a row, a statistic or a dump. And its log verifies."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import pytest
import pytest_asyncio
from pmcrm.gdpr.v1 import audit_service_pb2 as audit_pb

from services.gdpr import account_erasing
from services.gdpr.account_erasing import Outcome, erase_account
from tests.database.catalog_lint import TENANT_TABLES
from tests.database.rows import INSERTS, add_tenant
from tests.postgres import Database, bound
from tests.services.contacts.calls import Book
from tests.services.gdpr.accounts import GRACE, Account, let_pass
from tests.services.gdpr.audit_calls import seal
from tests.services.gdpr.canaries import Canaries, dump_of, every_statistic, rows_of_tenant
from tests.services.gdpr.conftest import GdprClient
from tests.services.gdpr.consent_calls import Declarations
from tests.suite import Client, Metadata, as_operator

# Beside the tenant tables, what names a tenant.
ROWS = {
    **dict.fromkeys(INSERTS, "user_id = $2"),
    "users": "id = $2",
    "login_emails": "user_id = $2",
}
# What is meant to stay, for proof: our own words and digests, and words of the user's business, never of a person.
KEPT = {
    "audit_logs": ("table_name", "role_name", "digest"),
    "audit_logs_archive": ("table_name", "role_name", "digest"),
    "audit_seals": ("entry_hashes", "previous", "hash", "key_id"),
    "consent_records": ("purpose", "text_version", "text_hash"),
    "erasure_requests": ("row_counts",),
}
# Here nobody else has transactions open, and so the sealing need not wait for any.
AT_ONCE = """
    CREATE OR REPLACE FUNCTION app.audit_horizon() RETURNS timestamptz LANGUAGE sql VOLATILE SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp AS 'SELECT clock_timestamp()'
"""


@dataclass
class Planted:
    """Two closed accounts with the same in them but for their canaries."""

    mine: uuid.UUID
    theirs: uuid.UUID
    canaries: Canaries
    others: Canaries


@pytest_asyncio.fixture(scope="module")
async def planted(database: Database, client: Client, gdpr: GdprClient) -> Planted:
    made = []
    async with database.connect() as conn:
        for mark in ("canary-of-alice", "canary-of-bob"):
            tenant = (await add_tenant(conn)).id
            async with bound(conn, tenant):
                await conn.execute("UPDATE legal_holds SET released_at = now() WHERE user_id = $1", tenant)
                await conn.execute("UPDATE users SET deleted_at = now() WHERE id = $1", tenant)
            await let_pass(conn, [tenant])
            await conn.execute(
                "INSERT INTO login_emails (user_id, login_email) VALUES ($1::uuid, $1::text || '@example.com')", tenant
            )
            canaries = Canaries(mark)
            await canaries.plant(conn, ROWS, KEPT, tenant)
            # What operators were answered about the tenant.
            canaries.planted["operator_idempotency_keys", "answer"] = answered = f"{mark} to operators;"
            await conn.execute(
                """
                INSERT INTO operator_idempotency_keys (request_id, method, body_hash, answer)
                VALUES (gen_random_uuid(), 'UpdateUser', sha256('any'), convert_to($1 || $2::uuid::text, 'UTF8'))
                """,
                answered,
                tenant,
            )
            made.append((tenant, canaries))
    (mine, canaries), (theirs, others) = made
    return Planted(mine, theirs, canaries, others)


async def test_an_account_is_erased_from_all_that_can_be_read(planted, database, as_operator, as_superuser):
    canaries, others = planted.canaries, planted.others
    assert {table for table, _ in canaries.planted} >= {
        "users",
        "contacts",
        "interactions",
        "audit_logs",
        "login_emails",
    }
    assert await canaries.found(as_superuser) == set(canaries.planted), "each was planted, and the search finds it"
    await as_superuser.execute("ANALYZE")
    assert canaries.found_in("\n".join(await every_statistic(as_superuser))), "statistics hold what tables hold"
    before = await rows_of_tenant(as_superuser, planted.theirs)

    assert await erase_account(as_operator, planted.mine, GRACE) is Outcome.ERASED

    await as_superuser.execute("ANALYZE")
    assert await canaries.found(as_superuser) == set()
    assert canaries.found_in("\n".join(await every_statistic(as_superuser))) == set()
    assert await rows_of_tenant(as_superuser, planted.theirs) == before
    dump = await dump_of(database, as_superuser)
    assert canaries.found_in(dump) == set()
    assert others.found_in(dump) == set(others.planted), "the search finds what is in a dump"


def test_every_tenant_table_is_planted() -> None:
    assert set(ROWS) == set(TENANT_TABLES) | {"login_emails"}
    assert set(KEPT) <= set(ROWS)


@pytest.mark.parametrize("sealed_before", [True, False])
async def test_the_log_of_an_erased_account_verifies(
    client: Client,
    gdpr: GdprClient,
    database: Database,
    alice: Metadata,
    book: Book,
    declarations: Declarations,
    sealed_before: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(account_erasing, "ENTRIES_AT_ONCE", 3)
    account = Account(client, gdpr, alice)
    contact = await book.create(given_name="Ada")
    await declarations.record(contact.id)
    await account.request(reason="for good")
    async with database.connect() as conn:
        await let_pass(conn, [account.tenant])
        await conn.execute(AT_ONCE)
    if sealed_before:
        await seal(database)
    async with database.connect("pmcrm_service") as conn:
        assert await erase_account(conn, account.tenant, GRACE) is Outcome.ERASED
    await seal(database)
    verified = await gdpr.audit.VerifyAuditLog(
        audit_pb.VerifyAuditLogRequest(user_id=str(account.tenant)), metadata=as_operator()
    )
    assert verified.valid, verified
    assert verified.entries_checked > 5
    assert verified.erased_entries > 5
    assert verified.unsealed_entries == 1, "that an operator asked"
