"""What the purge does with accounts whose grace period is over."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import grpc
import pytest
import pytest_asyncio
from pmcrm.contacts.v1 import user_service_pb2 as users_pb
from pmcrm.contacts.v1.user_pb2 import User, UserState
from pmcrm.gdpr.v1.erasure_pb2 import ErasureRequest

from services.gdpr import account_erasing
from services.gdpr.account_erasing import FIRST, STATEMENTS, Erased, Outcome, erase_account, erase_due_accounts
from tests.database.catalog_lint import TENANT_TABLES
from tests.database.rows import add_tenant
from tests.postgres import Connection, Database, bound
from tests.services.gdpr.accounts import COMPLETED, GRACE, PENDING, RUNNING, Account, history, let_pass
from tests.services.gdpr.canaries import rows_of_tenant
from tests.services.gdpr.conftest import GdprClient
from tests.services.gdpr.erasing import EMPTY, NAMED
from tests.suite import Client, as_operator, as_tenant, failure

KEPT = {
    "users",
    "audit_logs",
    "audit_logs_archive",
    "audit_seals",
    "erasure_requests",
    "erasure_state_changes",
    "consent_records",
    "legal_holds",
}
DONE = [(PENDING, "user_deleted"), (RUNNING, "grace_period_over"), (COMPLETED, "erased")]


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_erasing, "LONGEST_PAUSE", 0)


@pytest_asyncio.fixture
async def eraser(database: Database) -> AsyncIterator[Connection]:
    """A connection such as the task's: it reads jsonb as text."""
    conn = await asyncpg.connect(database.operator)
    yield conn
    await conn.close()


async def closed(client: Client, gdpr: GdprClient, conn: Connection, days: int = 91) -> Account:
    """An account with a row in every table, closed so many days ago. conn: a superuser's."""
    tenant = await add_tenant(conn)
    await conn.execute("UPDATE legal_holds SET released_at = now() WHERE user_id = $1", tenant.id)
    await conn.execute(
        "INSERT INTO login_emails (user_id, login_email) VALUES ($1::uuid, $1::text || '@example.com')", tenant.id
    )
    account = Account(client, gdpr, as_tenant(tenant.id))
    await account.delete()
    await let_pass(conn, [tenant.id], days)
    return account


@pytest_asyncio.fixture
async def due(client: Client, gdpr: GdprClient, as_superuser: Connection) -> Account:
    return await closed(client, gdpr, as_superuser)


async def counted(conn: Connection, tenant: uuid.UUID) -> dict[str, int]:
    """Rows of a tenant, by table. conn: a superuser's."""
    tables = await conn.fetch(
        """
        SELECT c.relname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'user_id'
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        """
    )
    return {
        table: await conn.fetchval(f"SELECT count(*) FROM {table} WHERE user_id = $1", tenant) for (table,) in tables
    }


async def test_every_tenant_table_is_emptied_or_kept_for_a_reason(as_operator):
    kept = dict(await as_operator.fetch("SELECT table_name, why FROM app.kept_of_accounts()"))
    emptied = {table for (table,) in await as_operator.fetch("SELECT table_name FROM app.tables_of_accounts()")}
    assert set(kept) == KEPT, "what stays of an erased account was decided one by one"
    assert all(kept.values())
    assert emptied == set(TENANT_TABLES) - KEPT | {"login_emails"}


async def test_tables_are_emptied_before_those_that_they_refer_to(as_superuser):
    rows = await as_superuser.fetch(
        """
        SELECT child.table_name, parent.table_name
        FROM pg_constraint AS k
        JOIN app.tables_of_accounts() AS child ON child.table_name::regclass = k.conrelid
        JOIN app.tables_of_accounts() AS parent ON parent.table_name::regclass = k.confrelid
        WHERE k.contype = 'f' AND k.conrelid <> k.confrelid AND child.place > parent.place
        """
    )
    assert rows == []


async def test_nothing_is_left_but_what_is_kept(due, eraser, as_superuser):
    before = await counted(as_superuser, due.tenant)
    assert all(before.values()), f"nothing to erase in {[table for table, rows in before.items() if not rows]}"
    assert await erase_account(eraser, due.tenant, GRACE) is Outcome.ERASED
    after = await counted(as_superuser, due.tenant)
    assert {table for table, rows in after.items() if rows} == KEPT - {"users"}

    [user] = await as_superuser.fetch("SELECT * FROM users WHERE id = $1", due.tenant)
    assert user["erased_at"] > user["deleted_at"]
    assert (user["display_name"], user["settings"], user["time_zone"]) == (None, {}, "UTC")
    assert await as_superuser.fetchval("SELECT reason FROM legal_holds WHERE user_id = $1", due.tenant) == "erased"
    assert (
        await as_superuser.fetchval(
            "SELECT count(*) FROM erasure_requests WHERE user_id = $1 AND reason IS NOT NULL", due.tenant
        )
        == 0
    )
    [consent] = await as_superuser.fetch("SELECT * FROM consent_records WHERE user_id = $1", due.tenant)
    assert (consent["ip_address"], consent["user_agent"], consent["note"], consent["source"]) == (None,) * 4
    assert (consent["purpose"], consent["legal_basis"], consent["text_version"]) == (
        "ai_processing",
        "CONSENT",
        "2026-03",
    )


async def test_the_receipt_counts_what_went(due, eraser, as_superuser):
    before = await counted(as_superuser, due.tenant)
    await erase_account(eraser, due.tenant, GRACE)
    erasure = await due.get(as_operator(), user_id=str(due.tenant))
    assert (erasure.state, history(erasure), erasure.legal_hold) == (COMPLETED, DONE, False)
    receipt = erasure.receipt
    assert (receipt.id, receipt.user_id, receipt.contact_id) == (erasure.id, str(due.tenant), "")
    assert receipt.erase_time.ToDatetime() <= erasure.history[-1].change_time.ToDatetime()
    counts = dict(receipt.row_counts)
    emptied = {table: rows for table, rows in before.items() if table not in KEPT}
    assert {table: counts[table] for table in emptied} == emptied
    assert (counts["users"], counts["consent_records"], counts["legal_holds"]) == (1, 1, 1)
    assert counts["audit_logs"] > before["audit_logs"]
    assert receipt.audit_entry_id == str(
        await as_superuser.fetchval(
            "SELECT id FROM audit_logs WHERE user_id = $1 AND action = 'ERASE' ORDER BY at LIMIT 1", due.tenant
        )
    )


async def test_the_log_keeps_no_payload_and_names_what_it_lost(due, eraser, as_superuser):
    await erase_account(eraser, due.tenant, GRACE)
    entries = await as_superuser.fetch(
        "SELECT * FROM audit_logs WHERE user_id = $1 AND erased_by IS NULL ORDER BY at", due.tenant
    )
    # What was written after the log was emptied: by whom it was, and what became of the request and of the shell.
    assert {(entry["action"], entry["table_name"]) for entry in entries} == {
        ("ERASE", "erasure_requests"),
        ("UPDATE", "erasure_requests"),
        ("UPDATE", "users"),
    }
    assert all((entry["actor"], entry["client_ip"], entry["user_agent"]) == (None,) * 3 for entry in entries)
    [archived] = await as_superuser.fetch("SELECT * FROM audit_logs_archive WHERE user_id = $1", due.tenant)
    assert archived["erased_by"] is not None
    emptied = {row[0] for row in await as_superuser.fetch(EMPTY, due.tenant)} | {archived["id"]}
    named = [row[0] for row in await as_superuser.fetch(NAMED, due.tenant)]
    assert set(named) == emptied
    assert len(named) == len(emptied), "each is named once"
    assert len(emptied) == await as_superuser.fetchval(
        "SELECT (row_counts ->> 'audit_logs')::int FROM erasure_requests WHERE user_id = $1 AND contact_id IS NULL",
        due.tenant,
    )


async def test_no_entry_names_more_than_ten_thousand(due, eraser, as_superuser, monkeypatch):
    monkeypatch.setattr(account_erasing, "ENTRIES_AT_ONCE", 7)
    await erase_account(eraser, due.tenant, GRACE)
    statement = """
        SELECT jsonb_array_length(new_values -> 'entries') FROM audit_logs WHERE user_id = $1 AND action = 'ERASE'
    """
    sizes = [size for (size,) in await as_superuser.fetch(statement, due.tenant)]
    assert len(sizes) > 3
    assert max(sizes) == 7


async def test_an_erased_tenant_is_unknown_and_its_id_is_used(due, eraser, client):
    email = f"{due.tenant}@example.com"
    taken = await failure(client.new_tenant(login_email=email))
    assert taken.reason == "LOGIN_EMAIL_TAKEN"
    await erase_account(eraser, due.tenant, GRACE)
    for call in (due.get(), due.cancel(), due.request(), due.user(), due.undelete()):
        failed = await failure(call)
        assert (failed.code, failed.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TENANT_UNKNOWN")
    again = users_pb.CreateUserRequest(user_id=str(due.tenant), user=User(display_name="Ada"))
    failed = await failure(client.users.CreateUser(again, metadata=as_operator()))
    assert (failed.code, failed.reason) == (grpc.StatusCode.ALREADY_EXISTS, "USER_ALREADY_EXISTS")
    for call in (
        client.users.UpdateUser(
            users_pb.UpdateUserRequest(user=User(id=str(due.tenant), locale="de")), metadata=as_operator()
        ),
        client.users.UndeleteUser(users_pb.UndeleteUserRequest(id=str(due.tenant)), metadata=as_operator()),
        client.users.DeleteUser(users_pb.DeleteUserRequest(id=str(due.tenant)), metadata=as_operator()),
    ):
        assert (await failure(call)).reason == "USER_NOT_FOUND"
    shell = await client.users.GetUser(users_pb.GetUserRequest(id=str(due.tenant)), metadata=as_operator())
    assert {field.name for field, _ in shell.ListFields()} == {
        "id",
        "state",
        "create_time",
        "update_time",
        "delete_time",
        "purge_time",
        "etag",
    }
    assert shell.state == UserState.USER_STATE_ERASED
    await client.new_tenant(login_email=email)
    assert (await due.get(as_operator(), user_id=str(due.tenant))).state == COMPLETED


async def test_other_tenants_keep_every_byte(due, eraser, as_superuser):
    other = await add_tenant(as_superuser)
    before = await rows_of_tenant(as_superuser, other.id)
    await erase_account(eraser, due.tenant, GRACE)
    assert await rows_of_tenant(as_superuser, other.id) == before


async def test_only_what_is_due_is_erased(client, gdpr, eraser, as_superuser):
    closed_lately = await closed(client, gdpr, as_superuser, 89)
    opened = await closed(client, gdpr, as_superuser, 89)
    await opened.cancel()
    dues = [await closed(client, gdpr, as_superuser, 90) for _ in range(2)]
    told: list[tuple[int, int]] = []
    done = await erase_due_accounts(eraser, GRACE, lambda *progress: told.append(progress))
    assert done == Erased(accounts=len(dues), held=0)
    assert told == [(1, 2), (2, 2)]
    assert (await closed_lately.get()).state == PENDING
    assert (await opened.user()).display_name == "Somebody"
    for account in dues:
        assert (await account.get(as_operator(), user_id=str(account.tenant))).state == COMPLETED
    assert await erase_due_accounts(eraser, GRACE, lambda *_: None) == Erased(0, 0)
    assert await erase_account(eraser, closed_lately.tenant, GRACE) is Outcome.NOT_DUE
    assert await erase_account(eraser, dues[0].tenant, GRACE) is Outcome.NOT_DUE
    assert await erase_account(eraser, uuid.uuid4(), GRACE) is Outcome.NOT_DUE


@pytest.mark.parametrize("of", ["the tenant", "a contact"])
async def test_a_legal_hold_keeps_the_account(due, eraser, as_superuser, of):
    contact = None if of == "the tenant" else uuid.uuid4()
    hold = await as_superuser.fetchval(
        "INSERT INTO legal_holds (user_id, contact_id, reason) VALUES ($1, $2, 'file 17') RETURNING id",
        due.tenant,
        contact,
    )
    for _ in range(2):
        assert await erase_due_accounts(eraser, GRACE, lambda *_: None) == Erased(accounts=0, held=1)
    erasure = await due.get()
    assert (erasure.state, erasure.legal_hold) == (PENDING, True)
    assert history(erasure) == [(PENDING, "user_deleted"), (PENDING, "held")]
    assert (await counted(as_superuser, due.tenant))["integrations"] == 1
    await as_superuser.execute("UPDATE legal_holds SET released_at = now() WHERE id = $1", hold)
    assert await erase_account(eraser, due.tenant, GRACE) is Outcome.ERASED
    erasure = await due.get(as_operator(), user_id=str(due.tenant))
    assert history(erasure) == [DONE[0], (PENDING, "held"), (PENDING, "released"), *DONE[1:]]


async def test_a_hold_that_is_placed_meanwhile_stops_it(due, eraser, as_superuser):
    with pytest.raises(StoppedByTest):
        await erase_account(eraser, due.tenant, GRACE, Steps(5))
    hold = await as_superuser.fetchval(
        "INSERT INTO legal_holds (user_id, reason) VALUES ($1, 'file 17') RETURNING id", due.tenant
    )
    left = await counted(as_superuser, due.tenant)
    assert await erase_account(eraser, due.tenant, GRACE) is Outcome.HELD
    assert await counted(as_superuser, due.tenant) == left | {
        "erasure_state_changes": left["erasure_state_changes"] + 1
    }
    await as_superuser.execute("UPDATE legal_holds SET released_at = now() WHERE id = $1", hold)
    assert await erase_account(eraser, due.tenant, GRACE) is Outcome.ERASED


async def test_an_account_that_was_closed_by_hand_gets_a_request(eraser, as_superuser, client, gdpr):
    tenant = await add_tenant(as_superuser)
    await as_superuser.execute("UPDATE legal_holds SET released_at = now() WHERE user_id = $1", tenant.id)
    await as_superuser.execute("UPDATE users SET deleted_at = now() - interval '91 days' WHERE id = $1", tenant.id)
    assert await erase_account(eraser, tenant.id, GRACE) is Outcome.ERASED
    account = Account(client, gdpr, as_tenant(tenant.id))
    erasure = await account.get(as_operator(), user_id=str(tenant.id))
    assert history(erasure) == DONE
    assert erasure.erase_after_time.ToDatetime() < erasure.receipt.erase_time.ToDatetime()


async def test_tokens_go_with_the_first_step(due, eraser, as_superuser):
    with pytest.raises(StoppedByTest):
        await erase_account(eraser, due.tenant, GRACE, Steps(1))
    left = await counted(as_superuser, due.tenant)
    assert left["integrations"] == 0
    assert left["contacts"] > 0
    assert (await due.get()).state == RUNNING


async def test_what_has_begun_goes_on_though_the_grace_period_is_longer_now(due, eraser):
    with pytest.raises(StoppedByTest):
        await erase_account(eraser, due.tenant, GRACE, Steps(1))
    longer = timedelta(days=365)
    dues = [tenant for (tenant,) in await eraser.fetch(STATEMENTS["due_accounts"].sql, longer, FIRST, 100)]
    assert due.tenant in dues
    assert await erase_account(eraser, due.tenant, longer) is Outcome.ERASED


async def test_one_of_two_erasers_works(due, database, as_superuser):
    done: list[Any] = []
    async with database.connect("pmcrm_service") as one, database.connect("pmcrm_service") as two:
        outcomes = await asyncio.gather(
            *(erase_account(conn, due.tenant, GRACE, lambda step: done.append(step)) for conn in (one, two))
        )
    assert Outcome.ERASED in outcomes
    assert set(outcomes) <= {Outcome.ERASED, Outcome.LEFT, Outcome.NOT_DUE}
    erasure = await due.get(as_operator(), user_id=str(due.tenant))
    assert history(erasure) == DONE
    assert (
        await as_superuser.fetchval(
            "SELECT count(*) FROM erasure_requests WHERE user_id = $1 AND contact_id IS NULL", due.tenant
        )
        == 1
    )


async def test_of_cancelling_and_beginning_one_wins(client, gdpr, eraser, as_superuser):
    """The grace period ends while both are under way: neither finds half of what the other does."""
    won = set()
    for attempt in range(6):
        tenant = await client.new_tenant()
        account = Account(client, gdpr, tenant)
        await account.request()
        # For the eraser it is over, for the caller it is not.
        erasing = erase_account(eraser, account.tenant, timedelta(seconds=-1))
        calls = [erasing, account.cancel()] if attempt % 2 else [account.cancel(), erasing]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        [outcome] = [answer for answer in answers if isinstance(answer, Outcome)]
        cancelled = any(isinstance(answer, ErasureRequest) for answer in answers)
        assert cancelled == (outcome is Outcome.NOT_DUE)
        state = await as_superuser.fetchrow(
            "SELECT deleted_at IS NULL AS open, erased_at IS NOT NULL AS erased FROM users WHERE id = $1",
            account.tenant,
        )
        assert tuple(state) == (cancelled, not cancelled)
        won.add(cancelled)
    assert won


async def test_one_account_that_fails_keeps_no_other(client, gdpr, eraser, as_superuser):
    first, second, third = [await closed(client, gdpr, as_superuser) for _ in range(3)]
    await as_superuser.execute(
        f"""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END';
        CREATE TRIGGER refuse BEFORE DELETE ON tags
            FOR EACH ROW WHEN (OLD.user_id = '{second.tenant}') EXECUTE FUNCTION refuse();
        """
    )
    try:
        with pytest.raises(asyncpg.RaiseError):
            await erase_due_accounts(eraser, GRACE, lambda *_: None)
    finally:
        await as_superuser.execute("DROP FUNCTION refuse CASCADE")
    for account, state in ((first, COMPLETED), (second, RUNNING), (third, COMPLETED)):
        assert (await account.get(as_operator(), user_id=str(account.tenant))).state == state
    assert await erase_account(eraser, second.tenant, GRACE) is Outcome.ERASED


async def test_a_step_that_loses_against_others_is_done_again(due, database, eraser, monkeypatch):
    """A row of the account is locked for longer than the step waits."""
    lost: list[str] = []
    async with database.connect() as other:
        locking = other.transaction()
        await locking.start()
        await other.execute("SELECT FROM contacts WHERE user_id = $1 FOR UPDATE", due.tenant)
        attempt = account_erasing._Erasing._attempt

        async def once_released(erasing: Any, name: str, *arguments: object) -> Any:
            try:
                return await attempt(erasing, name, *arguments)
            except asyncpg.LockNotAvailableError:
                lost.append(name)
                await locking.rollback()
                raise

        monkeypatch.setattr(account_erasing._Erasing, "_attempt", once_released)
        await eraser.execute("SET lock_timeout = '20ms'")
        assert await erase_account(eraser, due.tenant, GRACE) is Outcome.ERASED
    assert lost == ["erase_account_rows"]


async def test_services_may_not_erase(due, database):
    receipt = uuid.UUID((await due.get()).id)
    for role in ("pmcrm_gdpr", "pmcrm_contacts"):
        async with database.connect(role) as conn, bound(conn, due.tenant):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.fetchval("SELECT app.erase_account_rows($1, 'contacts', 1)", receipt)


async def test_no_step_is_done_of_an_erasure_that_has_not_begun(due, eraser):
    receipt = uuid.UUID((await due.get()).id)
    for call in (
        "app.erase_account_rows($1, 'contacts', 1)",
        "app.empty_account_consents($1, 1)",
        "app.empty_account_shell($1)",
        "app.empty_account_log($1, '-infinity', $1, 1)",
        "app.finish_account_erasure($1)",
    ):
        with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError):
            async with bound(eraser, due.tenant):
                await eraser.fetch(f"SELECT {call}", receipt)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await eraser.fetch(f"SELECT {call}", receipt)


class StoppedByTest(Exception):
    """Raised by a step, as a process that dies there would be seen by the database."""


class Steps:
    """Stops an erasure after so many steps."""

    def __init__(self, most: int) -> None:
        self._left = most

    def __call__(self, step: str) -> None:
        self._left -= 1
        if self._left <= 0:
            raise StoppedByTest(step)
