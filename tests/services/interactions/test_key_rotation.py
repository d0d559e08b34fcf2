"""`pmcrm maintenance rotate-keys`: every token ends up under the new key, and none is lost on the way."""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio
from pmcrm.interactions.v1.integration_pb2 import Credentials
from typer.testing import CliRunner, Result

from cli import maintenance
from services.interactions.service import SERVICE as INTERACTIONS
from shared.key_rotation import TENANTS_AT_ONCE, TOKENS_AT_ONCE, rotate
from shared.keys import KeyRing
from shared.server import RunningService
from shared.token_box import TokenBox
from tests.postgres import Connection, Database
from tests.runtime.acting import until
from tests.services.interactions.conftest import ENCRYPTION_KEYS, InteractionsClient
from tests.services.interactions.integration_calls import Accounts
from tests.suite import Client, Metadata, running, settings_for, tenant_of

NEW_KEY = "e2:" + base64.b64encode(b"2" * 32).decode()
BOTH = KeyRing.parse(f"{NEW_KEY},{ENCRYPTION_KEYS}")

UNDER = "SELECT key_id FROM integrations WHERE id = $1"


@pytest.fixture
def mine(interactions: InteractionsClient, alice: Metadata) -> Accounts:
    return Accounts(interactions, alice)


@pytest_asyncio.fixture(scope="module")
async def rotating_service(database: Database) -> AsyncIterator[RunningService]:
    async with running(INTERACTIONS, settings_for(database, encryption_keys=BOTH)) as service:
        yield service


@pytest_asyncio.fixture
async def with_both_keys(rotating_service: RunningService, alice: Metadata) -> AsyncIterator[Accounts]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{rotating_service.port}") as channel:
        yield Accounts(InteractionsClient(channel), alice)


@pytest_asyncio.fixture(autouse=True)
async def no_tokens_of_other_tests(as_superuser: Connection) -> None:
    await as_superuser.execute("DELETE FROM integrations")


async def test_every_tenants_tokens_are_put_under_the_new_key(
    client: Client, interactions: InteractionsClient, rotating_service: RunningService, as_operator: Connection
) -> None:
    made = []
    async with grpc.aio.insecure_channel(f"127.0.0.1:{rotating_service.port}") as channel:
        for _ in range(3):
            tenant = await client.new_tenant()
            old, both = Accounts(interactions, tenant), Accounts(InteractionsClient(channel), tenant)
            for i in range(4):
                credentials: dict[str, Any] = {"access_token": f"{tenant_of(tenant)} {i}", "refresh_token": "r"}
                made.append((both, await old.create(account=str(i), credentials=credentials), credentials))
        before = await as_operator.fetchval("SELECT count(*) FROM audit_logs")
        done = await rotate(as_operator, BOTH)
        assert (done.replaced, done.unreadable, done.by_key) == (12, 0, {"e2": 12})
        for accounts, integration, credentials in made:
            assert await accounts.get(integration.id) == integration, "neither etag nor update_time"
            assert await accounts.credentials(integration.id) == Credentials(**credentials)
    entries = await as_operator.fetchval("SELECT count(*) FROM audit_logs WHERE action <> 'READ'")
    assert entries == before
    again = await rotate(as_operator, BOTH)
    assert (again.replaced, again.by_key) == (0, {"e2": 12})


async def test_more_than_a_batch_of_tenants_and_tokens_is_rotated(
    as_operator: Connection, as_superuser: Connection
) -> None:
    ring = KeyRing.parse(ENCRYPTION_KEYS)
    box = TokenBox(ring)
    tenants = [uuid.uuid4() for _ in range(TENANTS_AT_ONCE + 5)]
    many = TOKENS_AT_ONCE * 2 + 1
    rows = []
    for i, tenant in enumerate(tenants):
        for number in range(many if i == 7 else 1):
            key = uuid.uuid4()
            rows.append((tenant, key, str(number), box.seal(b"token", tenant, key).ciphertext))
    await as_superuser.executemany("INSERT INTO users (id) VALUES ($1)", [(tenant,) for tenant in tenants])
    await as_superuser.executemany(
        "INSERT INTO integrations (user_id, id, provider, account, account_key, credentials, key_id) "
        "VALUES ($1, $2, 'imap', $3, $3, $4, 'e1')",
        rows,
    )
    done = await rotate(as_operator, BOTH)
    assert (done.replaced, done.by_key) == (len(rows), {"e2": len(rows)})


async def test_tokens_that_are_replaced_meanwhile_are_kept_and_rotated_too(
    mine: Accounts, with_both_keys: Accounts, as_operator: Connection, as_superuser: Connection, database: Database
) -> None:
    made = await mine.create(credentials={"access_token": "first"})
    tenant, key = uuid.UUID(tenant_of(mine.tenant)), uuid.UUID(made.id)
    # A service that has not heard of the new key, in the middle of UpdateTokens.
    newer = TokenBox(KeyRing.parse(ENCRYPTION_KEYS)).seal(
        Credentials(access_token="second").SerializeToString(), tenant, key
    )
    async with as_superuser.transaction():
        await as_superuser.execute("UPDATE integrations SET credentials = $2 WHERE id = $1", key, newer.ciphertext)
        rotating = asyncio.create_task(rotate(as_operator, BOTH))
        async with database.connect() as watching:
            await until(lambda: _waits(watching))
    done = await rotating
    assert (done.replaced, done.by_key) == (1, {"e2": 1})
    assert (await with_both_keys.credentials(made.id)).access_token == "second"


async def _waits(conn: Connection) -> bool:
    waiting: bool = await conn.fetchval(
        "SELECT count(*) = 1 FROM pg_stat_activity "
        "WHERE datname = current_database() AND usename = 'pmcrm_service' AND wait_event_type = 'Lock'"
    )
    return waiting


async def _nobody_waits(conn: Connection) -> bool:
    return not await _waits(conn)


async def test_a_rotation_that_was_stopped_goes_on_where_it_was(
    mine: Accounts, database: Database, as_superuser: Connection
) -> None:
    made = [await mine.create(account=str(i)) for i in range(4)]
    async with database.connect("pmcrm_service") as stopped, as_superuser.transaction():
        await as_superuser.execute("SELECT FROM integrations WHERE id = $1 FOR UPDATE", made[2].id)
        rotating = asyncio.create_task(rotate(stopped, BOTH))
        async with database.connect() as watching:
            await until(lambda: _waits(watching))
            rotating.cancel()
            await asyncio.gather(rotating, return_exceptions=True)
            # Not before the server has heard of it may the row be had.
            await until(lambda: _nobody_waits(watching))
    assert [await as_superuser.fetchval(UNDER, each.id) for each in made] == ["e2", "e2", "e1", "e1"]
    async with database.connect("pmcrm_service") as conn:
        assert (await rotate(conn, BOTH)).replaced == 2
    assert {await as_superuser.fetchval(UNDER, each.id) for each in made} == {"e2"}


async def test_services_go_on_reading_and_writing_while_keys_rotate(
    with_both_keys: Accounts, mine: Accounts, as_operator: Connection
) -> None:
    made = [await mine.create(account=str(i), credentials={"access_token": "0"}) for i in range(10)]

    async def use(integration_id: str) -> None:
        for i in range(1, 6):
            await with_both_keys.update_tokens(integration_id, {"access_token": str(i)})
            assert (await with_both_keys.credentials(integration_id)).access_token == str(i)

    uses = asyncio.gather(*(use(each.id) for each in made[:5]))
    assert (await rotate(as_operator, BOTH)).unreadable == 0
    await uses
    assert {(await with_both_keys.credentials(each.id)).access_token for each in made[5:]} == {"0"}
    assert {(await with_both_keys.credentials(each.id)).access_token for each in made[:5]} == {"5"}


async def test_the_command_says_what_it_did_and_fails_for_what_it_cannot_read(
    mine: Accounts,
    with_both_keys: Accounts,
    database: Database,
    as_superuser: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = [await mine.create(account=str(i)) for i in range(3)]
    await as_superuser.execute("UPDATE integrations SET key_id = 'e0' WHERE id = $1", made[0].id)
    await mine.delete((await mine.create(account="deleted")).id)

    async def command() -> Result:
        return await asyncio.to_thread(lambda: CliRunner().invoke(maintenance.app, ["rotate-keys"]))

    monkeypatch.setenv("DATABASE_URL_SERVICE", database.operator)
    refused = await command()
    assert (refused.exit_code, refused.output[:35]) == (1, "PMCRM_ENCRYPTION_KEYS is not set. M")
    monkeypatch.setenv("PMCRM_ENCRYPTION_KEYS", f"{NEW_KEY},{ENCRYPTION_KEYS}")
    partly = await command()
    assert partly.exit_code == 1
    assert partly.output.splitlines() == [
        "2 integrations put under the new key.",
        "e0: 1",
        "e2: 2",
        "1 cannot be read: their key is not in the ring, or they are damaged.",
    ]
    await with_both_keys.delete(made[0].id)
    done = await command()
    assert (done.exit_code, done.output) == (0, "0 integrations put under the new key.\ne2: 2\n")
