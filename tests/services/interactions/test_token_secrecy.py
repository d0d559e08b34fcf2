"""Tokens stand nowhere as plain text, and a ciphertext opens in no row but its own."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import re
import socket
import urllib.request
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from pmcrm.interactions.v1 import integration_service_pb2 as pb
from pmcrm.interactions.v1.integration_pb2 import Credentials, Integration

from services.interactions.service import SERVICE as INTERACTIONS
from shared.keys import KeyRing
from tests.postgres import Connection, Database
from tests.runtime.processes import Process, environment, started
from tests.services.interactions.conftest import ENCRYPTION_KEYS, InteractionsClient
from tests.services.interactions.integration_calls import Accounts
from tests.suite import Metadata, failure, new_request_id, running, settings_for, tenant_of

CANARIES = ("canary-access-31415", "canary-refresh-92653", "canary-extra-58979", "canary-name-32384")
CREDENTIALS: dict[str, Any] = {
    "access_token": CANARIES[0], "refresh_token": CANARIES[1], "extra": {CANARIES[3]: CANARIES[2]},
}  # fmt: skip
# Not secret: what is found everywhere where the search looks.
ACCOUNT = "canary-account-62643"

NEW_KEYS = "e2:" + base64.b64encode(b"2" * 32).decode()


def spellings(canary: str) -> list[str]:
    """A text as it may stand in a dump: itself, in hex, in base64 at each of its three offsets."""
    raw = canary.encode()
    encoded = [base64.b64encode(b"\0" * offset + raw).decode()[4:-4] for offset in range(3)]
    return [canary, raw.hex(), *encoded]


def found_in(texts: Sequence[str], canaries: Sequence[str]) -> set[str]:
    text = "\n".join(texts).lower()
    return {canary for canary in canaries if any(spelt.lower() in text for spelt in spellings(canary))}


async def every_value(conn: Connection) -> list[str]:
    """Every row of every table as text, bytes in hex: partitions and the ledger too."""
    tables = await conn.fetch(
        "SELECT c.oid::regclass::text AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
        "WHERE c.relkind = 'r' AND n.nspname IN ('public', 'app')"
    )
    assert {"integrations", "idempotency_keys", "app.migrations", "audit_logs_default"} <= {t["name"] for t in tables}
    kept = []
    for table in tables:
        kept += [row["kept"] for row in await conn.fetch(f"SELECT t::text AS kept FROM {table['name']} AS t")]
    return kept


@pytest.fixture
def mine(interactions: InteractionsClient, alice: Metadata) -> Accounts:
    return Accounts(interactions, alice)


@pytest.fixture
def bobs_accounts(interactions: InteractionsClient, bob: Metadata) -> Accounts:
    return Accounts(interactions, bob)


async def exercise(accounts: Accounts) -> list[str]:
    """Calls of every kind with tokens in them; what their answers and failures said."""
    request_id = new_request_id()
    made = await accounts.create(request_id, CREDENTIALS, account=ACCOUNT)
    told: list[str] = [str(made), str(await accounts.create(request_id, CREDENTIALS, account=ACCOUNT))]
    updated = await accounts.update_tokens(made.id, CREDENTIALS, request_id=new_request_id(), scopes=["mail"])
    told += [str(updated), str(await accounts.get(made.id)), str(await accounts.page())]
    assert CANARIES[0] in str(await accounts.credentials(made.id))
    told.append(str(await accounts.sync(made.id, 0, status_detail=ACCOUNT, request_id=new_request_id())))
    long, odd = {"access_token": CANARIES[0] * 1_000}, {"access_token": CANARIES[0], "extra": {CANARIES[3] * 9: "\0"}}
    for call in (
        accounts.create("", CREDENTIALS, account=ACCOUNT),
        accounts.create("", long, account="other"),
        accounts.create("", odd, account="other"),
        accounts.create(request_id, {"access_token": CANARIES[1]}, account=ACCOUNT),
        accounts.update_tokens(made.id, CREDENTIALS, request_id=request_id),
        accounts.update_tokens(made.id, CREDENTIALS, etag="77"),
        accounts.update_tokens(str(uuid.uuid4()), CREDENTIALS),
        accounts.update_tokens(made.id, odd),
        accounts.credentials(made.id, accounts.tenant),
    ):
        refused = await failure(call)
        assert refused.code is not grpc.StatusCode.INTERNAL
        told.append(f"{refused.message} {refused.status} {refused.trailers}")
    await accounts.delete((await accounts.create("", CREDENTIALS, account="to be deleted")).id)
    return told


async def test_the_search_finds_a_canary_wherever_it_stands(mine: Accounts, as_superuser: Connection) -> None:
    planted = CANARIES[0].encode()
    for spelt in (planted, planted.hex().encode(), *(base64.b64encode(b"-" * i + planted) for i in range(3))):
        assert found_in([repr(spelt)], CANARIES) == {CANARIES[0]}
    await mine.create(request_id=new_request_id(), account=ACCOUNT, display_name="planted")
    holding = [text for text in await every_value(as_superuser) if found_in([text], [ACCOUNT])]
    assert len(holding) == 2, "the integration, and the answer that its request_id keeps in bytes"


async def test_tokens_stand_in_no_table(mine: Accounts, as_superuser: Connection) -> None:
    told = await exercise(mine)
    assert found_in(await every_value(as_superuser), CANARIES) == set()
    assert found_in(told, CANARIES) == set()
    assert found_in(told, [ACCOUNT]) == {ACCOUNT}


async def test_tokens_stand_in_no_dump(mine: Accounts, database: Database, as_superuser: Connection) -> None:
    folder = Path(await as_superuser.fetchval("SELECT setting FROM pg_config WHERE name = 'BINDIR'"))
    if not (folder / "pg_dump").exists():
        pytest.skip("the server's programs are on another machine")
    await exercise(mine)
    dump = await asyncio.create_subprocess_exec(
        folder / "pg_dump",
        f"--dbname={database.superuser}",
        env={**os.environ, "LD_LIBRARY_PATH": str(folder.parent / "lib")},
        stdout=asyncio.subprocess.PIPE,
    )
    written, _ = await dump.communicate()
    assert dump.returncode == 0
    assert found_in([written.decode()], [*CANARIES, ACCOUNT]) == {ACCOUNT}


READY = re.compile(r"interactions listens on port (\d+)")


@pytest_asyncio.fixture
async def process(database: Database) -> AsyncIterator[tuple[Process, int]]:
    """The service as a process that logs all it can, and the port of its metrics."""
    metrics = _a_free_port()
    variables = environment(
        database,
        DATABASE_URL=database.service("interactions"),
        PMCRM_INTERACTIONS_PORT=0,
        PMCRM_METRICS_PORT=metrics,
        PMCRM_ENCRYPTION_KEYS=ENCRYPTION_KEYS,
        PMCRM_LOG_LEVEL="debug",
        PMCRM_LOG_FORMAT="json",
    )
    async with started(["-m", "services.interactions"], variables) as service:
        yield service, metrics + 1


def _a_free_port() -> int:
    # The one after it is the interactions service's.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port - 1


async def test_tokens_stand_neither_in_logs_nor_in_metrics(process: tuple[Process, int], alice: Metadata) -> None:
    service, metrics = process
    port = int((await service.line(READY))[1])
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        await exercise(Accounts(InteractionsClient(channel), alice))
    counted = await asyncio.to_thread(_scraped, metrics)
    assert "IntegrationService/UpdateTokens" in counted
    service.terminate()
    assert await service.ended() == 0
    assert any('"reason": "INTEGRATION_ALREADY_EXISTS"' in line for line in service.err)
    texts = [*service.out, *service.err, counted]
    assert found_in(texts, [*CANARIES, ACCOUNT, ENCRYPTION_KEYS]) == set()


def _scraped(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        text: str = answer.read().decode()
        return text


async def test_a_request_with_tokens_is_remembered_by_a_keyed_digest(mine: Accounts, as_superuser: Connection) -> None:
    request = pb.CreateIntegrationRequest(
        integration=Integration(provider="imap", account="ada"),
        credentials=Credentials(access_token="1234"),
        request_id=new_request_id(),
    )
    first = await mine.stub.CreateIntegration(request, metadata=mine.tenant)
    assert await mine.stub.CreateIntegration(request, metadata=mine.tenant) == first
    kept = await as_superuser.fetchval(
        "SELECT body_hash FROM idempotency_keys WHERE request_id = $1", request.request_id
    )
    assert len(kept) == 32
    assert kept != hashlib.sha256(request.SerializeToString(deterministic=True)).digest(), "it could be tried offline"
    request.credentials.access_token = "1235"
    refused = await failure(mine.stub.CreateIntegration(request, metadata=mine.tenant))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")


@pytest_asyncio.fixture
async def with_new_keys(database: Database, alice: Metadata, request: pytest.FixtureRequest) -> AsyncIterator[Accounts]:
    """Alice at a server whose key ring is the test's parameter."""
    settings = settings_for(database, encryption_keys=KeyRing.parse(request.param))
    async with (
        running(INTERACTIONS, settings) as service,
        grpc.aio.insecure_channel(f"127.0.0.1:{service.port}") as channel,
    ):
        yield Accounts(InteractionsClient(channel), alice)


@pytest.mark.parametrize("with_new_keys", [f"{NEW_KEYS},{ENCRYPTION_KEYS}"], indirect=True)
async def test_a_repeat_is_known_after_a_new_key_came(mine: Accounts, with_new_keys: Accounts) -> None:
    request_id = new_request_id()
    first = await mine.create(request_id, CREDENTIALS)
    assert await with_new_keys.create(request_id, CREDENTIALS) == first
    refused = await failure(with_new_keys.create(request_id, {"access_token": "another"}))
    assert refused.reason == "REQUEST_ID_REUSED"


@pytest.mark.parametrize("with_new_keys", [f"{NEW_KEYS},{ENCRYPTION_KEYS}"], indirect=True)
async def test_old_and_new_keys_read_and_the_first_one_writes(
    mine: Accounts, with_new_keys: Accounts, as_superuser: Connection
) -> None:
    old, new = await mine.create(account="old"), await with_new_keys.create(account="new")
    for made in (old, new):
        assert (await with_new_keys.credentials(made.id)).access_token == "an access token"
    await with_new_keys.update_tokens(old.id, {"access_token": "second"})
    assert (await with_new_keys.credentials(old.id)).access_token == "second"
    keys = await as_superuser.fetch("SELECT DISTINCT key_id FROM integrations WHERE id = ANY ($1)", [old.id, new.id])
    assert [row["key_id"] for row in keys] == ["e2"]


@pytest.mark.parametrize("with_new_keys", [NEW_KEYS, "e1:" + "C" * 43 + "="], indirect=True, ids=["gone", "another"])
async def test_tokens_under_a_key_that_is_gone_are_unreadable_until_new_ones_come(
    mine: Accounts, with_new_keys: Accounts
) -> None:
    made = await mine.create(credentials=CREDENTIALS)
    for call in (with_new_keys.credentials(made.id), with_new_keys.update_tokens(made.id, {"access_token": "x"})):
        refused = await failure(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CREDENTIALS_UNREADABLE")
    assert await mine.credentials(made.id) == Credentials(**CREDENTIALS), "nothing was lost"
    await with_new_keys.update_tokens(made.id, {"access_token": "x", "refresh_token": "y"})
    assert await with_new_keys.credentials(made.id) == Credentials(access_token="x", refresh_token="y")


@pytest.mark.parametrize("with_new_keys", [NEW_KEYS], indirect=True)
async def test_unreadable_tokens_without_a_refresh_token_are_replaced(mine: Accounts, with_new_keys: Accounts) -> None:
    made = await mine.create(credentials={"access_token": "password"})
    await with_new_keys.update_tokens(made.id, {"access_token": "another"})
    assert (await with_new_keys.credentials(made.id)).access_token == "another"


COPY = """
    UPDATE integrations AS target SET credentials = source.credentials, key_id = source.key_id
    FROM integrations AS source WHERE source.id = $1 AND target.id = $2
"""


async def unreadable(accounts: Accounts, integration_id: str) -> bool:
    refused = await failure(accounts.credentials(integration_id))
    assert refused.code is grpc.StatusCode.FAILED_PRECONDITION
    return refused.reason == "CREDENTIALS_UNREADABLE"


async def test_tokens_that_were_copied_to_another_row_do_not_open(
    mine: Accounts, bobs_accounts: Accounts, as_superuser: Connection
) -> None:
    hers, second = await mine.create(credentials=CREDENTIALS), await mine.create(account="second")
    his = await bobs_accounts.create()
    for accounts, target in ((mine, second), (bobs_accounts, his)):
        await as_superuser.execute(COPY, hers.id, target.id)
        assert await unreadable(accounts, target.id)
    assert await mine.credentials(hers.id) == Credentials(**CREDENTIALS)


async def test_tokens_do_not_open_under_the_same_id_in_another_tenant(
    mine: Accounts, bob: Metadata, bobs_accounts: Accounts, as_superuser: Connection
) -> None:
    hers = await mine.create(credentials=CREDENTIALS)
    # The whole row, as a superuser could copy it.
    await as_superuser.execute(
        "INSERT INTO integrations (user_id, id, provider, account, account_key, credentials, key_id) "
        "SELECT $2, id, provider, account, account_key, credentials, key_id FROM integrations WHERE id = $1",
        hers.id,
        tenant_of(bob),
    )
    assert await unreadable(bobs_accounts, hers.id)


DAMAGE = "UPDATE integrations SET credentials = {damaged} WHERE id = $1"


@pytest.mark.parametrize(
    "damaged",
    [
        "set_byte(credentials, 0, get_byte(credentials, 0) # 1)",
        "set_byte(credentials, 12, get_byte(credentials, 12) # 128)",
        "set_byte(credentials, length(credentials) - 1, get_byte(credentials, length(credentials) - 1) # 1)",
        "substring(credentials FROM 1 FOR length(credentials) - 1)",
        "substring(credentials FROM 1 FOR 12)",
        "substring(credentials FROM 1 FOR 3)",
        "''",
    ],
)
async def test_damaged_tokens_do_not_open(mine: Accounts, as_superuser: Connection, damaged: str) -> None:
    made = await mine.create(credentials=CREDENTIALS)
    await as_superuser.execute(DAMAGE.format(damaged=damaged), made.id)
    assert await unreadable(mine, made.id)


async def test_the_same_tokens_are_another_ciphertext_each_time(mine: Accounts, as_superuser: Connection) -> None:
    made = await mine.create()
    kept = []
    for _ in range(3):
        kept.append(await as_superuser.fetchval("SELECT credentials FROM integrations WHERE id = $1", made.id))
        await mine.update_tokens(made.id, {"access_token": "an access token"})
    assert len(set(kept)) == len({value[:12] for value in kept}) == 3


@pytest.mark.parametrize("role", ["pmcrm_contacts", "pmcrm_insights", "pmcrm_gdpr"])
async def test_no_other_service_reads_credentials(database: Database, role: str) -> None:
    async with database.connect(role) as conn:
        for column in ("credentials", "key_id"):
            assert not await conn.fetchval("SELECT has_column_privilege('integrations', $1, 'SELECT')", column)


async def test_a_reading_that_fails_for_want_of_the_key_is_in_the_audit_log_too(
    mine: Accounts, as_superuser: Connection
) -> None:
    made = await mine.create()
    await as_superuser.execute("UPDATE integrations SET key_id = 'gone' WHERE id = $1", made.id)
    assert await unreadable(mine, made.id)
    read = "SELECT count(*) FROM audit_logs WHERE subject_id = $1 AND action = 'READ'"
    assert await as_superuser.fetchval(read, made.id) == 1
