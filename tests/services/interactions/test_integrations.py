"""IntegrationService: integrations come and go, and their tokens are only where they belong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp
from pmcrm.interactions.v1.integration_pb2 import Credentials, Integration, SyncState

from services.interactions.service import SERVICE as INTERACTIONS
from tests.postgres import Connection, Database
from tests.services.interactions.conftest import InteractionsClient
from tests.services.interactions.integration_calls import ACTIVE, ERROR, EXPIRED, OPERATOR, REVOKED, Accounts
from tests.suite import Metadata, as_operator, failure, new_request_id, running, settings_for, tenant_of

TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
KEPT_TOKENS = "SELECT credentials, key_id, refreshable FROM integrations WHERE id = $1"
NOBODY = "0190a5d2-7c3e-7b1f-9d52-3f7c8e21ab04"


@pytest.fixture
def mine(interactions: InteractionsClient, alice: Metadata) -> Accounts:
    return Accounts(interactions, alice)


@pytest_asyncio.fixture
async def without_keys(database: Database, alice: Metadata) -> AsyncIterator[Accounts]:
    """Alice at a server that has no encryption keys."""
    async with (
        running(INTERACTIONS, settings_for(database)) as service,
        grpc.aio.insecure_channel(f"127.0.0.1:{service.port}") as channel,
    ):
        yield Accounts(InteractionsClient(channel), alice)


def a_time(at: datetime) -> Timestamp:
    time = Timestamp()
    time.FromDatetime(at)
    return time


CREDENTIALS: dict[str, Any] = {
    "access_token": "access", "refresh_token": "refresh", "token_type": "Bearer", "expire_time": a_time(TOMORROW),
    "extra": {"client": "secret", "realm": "ädä"},
}  # fmt: skip


async def test_what_was_created_is_what_is_read(mine: Accounts) -> None:
    made = await mine.create(
        credentials=CREDENTIALS,
        provider=" Google ",
        account="Ada@Example.org",
        display_name="Ada's mail",
        scopes=["mail.read", "calendar"],
        settings={"folders": ["INBOX"], "days": 30},
        status=ERROR,
        sync_state=SyncState(cursor="not taken"),
    )
    assert await mine.get(made.id) == made
    assert (made.provider, made.account, made.display_name) == ("google", "Ada@Example.org", "Ada's mail")
    assert list(made.scopes) == ["mail.read", "calendar"]
    assert MessageToDict(made.settings) == {"folders": ["INBOX"], "days": 30}
    assert (made.status, made.status_detail) == (ACTIVE, "")
    assert made.token_expire_time.ToDatetime(UTC) == TOMORROW
    assert made.sync_state == SyncState()
    assert made.create_time == made.update_time
    assert not made.HasField("delete_time")
    assert made.etag


async def test_an_answer_has_no_field_for_a_token(mine: Accounts) -> None:
    await mine.create(credentials=CREDENTIALS)
    [shown] = (await mine.page()).integrations
    assert not {"access", "refresh", "secret"} & set(str(shown).replace('"', " ").split())


async def test_an_operator_of_the_tenant_gets_the_credentials_as_they_were_given(mine: Accounts) -> None:
    made = await mine.create(credentials=CREDENTIALS)
    assert await mine.credentials(made.id) == Credentials(**CREDENTIALS)


async def test_a_read_mask_shows_what_it_names(mine: Accounts) -> None:
    made = await mine.create(display_name="mail")
    shown = await mine.get(made.id, "display_name", "sync_state.cursor")
    assert shown == Integration(id=made.id, display_name="mail")
    [listed] = (await mine.page(read_mask={"paths": ["account"]})).integrations
    assert listed == Integration(id=made.id, account=made.account)
    for call in (mine.get(made.id, "tokens"), mine.page(read_mask={"paths": ["credentials"]})):
        assert (await failure(call)).violations == {"read_mask.paths[0]": "is not a field of Integration"}


@pytest.mark.parametrize(
    ("same", "accounts"),
    [
        (True, ("ada@example.org", "Ada@EXAMPLE.org")),
        (True, ("Zo\u00eb", "Zoe\u0308")),
        (False, ("ada@example.org", "ada@example.com")),
    ],
)
async def test_an_account_is_connected_once_whatever_its_case(
    mine: Accounts, same: bool, accounts: tuple[str, str]
) -> None:
    first = await mine.create(account=accounts[0])
    if same:
        refused = await failure(mine.create(account=accounts[1], provider="GOOGLE"))
        assert (refused.code, refused.reason) == (grpc.StatusCode.ALREADY_EXISTS, "INTEGRATION_ALREADY_EXISTS")
        await mine.delete(first.id)
    await mine.create(account=accounts[1])
    await mine.create(account=accounts[1], provider="caldav")


LONG = "x" * 321


@pytest.mark.parametrize(
    ("fields", "bad"),
    [
        ({"provider": ""}, "integration.provider"),
        ({"provider": "x" * 101}, "integration.provider"),
        ({"provider": "a\nb"}, "integration.provider"),
        ({"account": " "}, "integration.account"),
        ({"account": LONG}, "integration.account"),
        ({"account": "a\0b"}, "integration.account"),
        ({"display_name": LONG}, "integration.display_name"),
        ({"scopes": ["x"] * 101}, "integration.scopes"),
        ({"scopes": ["mail", "x" * 501]}, "integration.scopes[1]"),
        ({"scopes": [""]}, "integration.scopes[0]"),
        ({"settings": {"a": "x" * 65_536}}, "integration.settings"),
        ({"settings": {"a": float("nan")}}, "integration.settings"),
        ({"credentials": {}}, "credentials.access_token"),
        ({"credentials": {"access_token": "x" * 16_385}}, "credentials.access_token"),
        ({"credentials": {"access_token": "x\0"}}, "credentials.access_token"),
        ({"credentials": {"access_token": "x", "refresh_token": "x" * 16_385}}, "credentials.refresh_token"),
        ({"credentials": {"access_token": "x", "token_type": "x" * 101}}, "credentials.token_type"),
        ({"credentials": {"access_token": "x", "extra": {str(i): "" for i in range(21)}}}, "credentials.extra"),
        ({"credentials": {"access_token": "x", "extra": {"x" * 101: ""}}}, "credentials.extra"),
        ({"credentials": {"access_token": "x", "extra": {"x": "x" * 16_385}}}, "credentials.extra"),
        (
            {"credentials": {"access_token": "x", "expire_time": Timestamp(seconds=2**60)}},
            "credentials.expire_time",
        ),
        ({"request_id": "42"}, "request_id"),
    ],
)
async def test_a_bad_field_is_named(mine: Accounts, fields: dict[str, Any], bad: str) -> None:
    refused = await failure(mine.create(**fields))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == [bad]
    assert await mine.accounts() == []


async def test_what_is_at_its_limits_is_kept(mine: Accounts) -> None:
    fields: dict[str, Any] = {"provider": "p" * 100, "account": "a" * 320, "display_name": "d" * 320}
    credentials: dict[str, Any] = {
        "access_token": "ä" * 16_384, "refresh_token": "r" * 16_384, "token_type": "t" * 100,
        "extra": {f"{i:0100}": "v" * 16_384 for i in range(20)},
    }  # fmt: skip
    made = await mine.create(credentials=credentials, scopes=["s" * 500] * 100, **fields)
    assert await mine.credentials(made.id) == Credentials(**credentials)


async def test_new_tokens_replace_all_but_what_they_leave_out(mine: Accounts) -> None:
    made = await mine.create(credentials=CREDENTIALS, scopes=["mail"])
    updated = await mine.update_tokens(made.id, {"access_token": "second"})
    assert await mine.credentials(made.id) == Credentials(access_token="second", refresh_token="refresh")
    assert list(updated.scopes) == ["mail"]
    assert not updated.HasField("token_expire_time")
    assert updated.etag != made.etag
    assert updated.update_time.ToDatetime() > made.update_time.ToDatetime()

    updated = await mine.update_tokens(
        made.id, {"access_token": "third", "refresh_token": "new"}, scopes=["calendar"], etag=updated.etag
    )
    assert await mine.credentials(made.id) == Credentials(access_token="third", refresh_token="new")
    assert list(updated.scopes) == ["calendar"]
    assert await mine.get(made.id) == updated


async def test_there_is_no_refresh_token_to_keep_where_there_was_none(mine: Accounts) -> None:
    made = await mine.create()
    await mine.update_tokens(made.id, {"access_token": "second"})
    assert await mine.credentials(made.id) == Credentials(access_token="second")


async def test_new_tokens_make_an_integration_active_again(mine: Accounts) -> None:
    for i, status in enumerate((EXPIRED, REVOKED, ERROR)):
        made = await mine.create(account=str(i))
        broken = await mine.sync(made.id, 0, status=status, status_detail="does not answer")
        assert (broken.status, broken.status_detail) == (status, "does not answer")
        mended = await mine.update_tokens(made.id)
        assert (mended.status, mended.status_detail) == (ACTIVE, "")


async def test_new_tokens_for_another_version_are_refused(mine: Accounts) -> None:
    made = await mine.create()
    await mine.update_tokens(made.id)
    refused = await failure(mine.update_tokens(made.id, etag=made.etag))
    assert (refused.code, refused.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    refused = await failure(mine.update_tokens(made.id, {"refresh_token": "x"}, scopes=["x"] * 101))
    assert set(refused.violations) == {"credentials.access_token", "scopes"}


async def test_a_deleted_integration_keeps_no_token(mine: Accounts, as_superuser: Connection) -> None:
    made = await mine.create(credentials=CREDENTIALS, scopes=["mail"])
    refused = await failure(mine.delete(made.id, etag="77"))
    assert (refused.code, refused.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    deleted = await mine.delete(made.id, etag=made.etag)
    assert deleted.purge_time.ToDatetime() - deleted.delete_time.ToDatetime() == timedelta(days=90)
    assert await mine.get(made.id) == deleted
    row = await as_superuser.fetchrow(KEPT_TOKENS, made.id)
    assert tuple(row or ()) == (None, None, False)
    for call in (mine.credentials(made.id), mine.update_tokens(made.id), mine.sync(made.id, 0), mine.delete(made.id)):
        refused = await failure(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "INTEGRATION_NOT_FOUND")
    assert await mine.delete(made.id, allow_missing=True) == deleted
    assert await mine.delete(NOBODY, allow_missing=True) == Integration()


async def test_credentials_need_an_operator_and_a_tenant(mine: Accounts) -> None:
    made = await mine.create()
    for metadata, code, reason in (
        (mine.tenant, grpc.StatusCode.PERMISSION_DENIED, "OPERATOR_REQUIRED"),
        ((*mine.tenant, ("x-operator-key", "a wrong key")), grpc.StatusCode.PERMISSION_DENIED, "OPERATOR_REQUIRED"),
        (as_operator(), grpc.StatusCode.UNAUTHENTICATED, "TENANT_MISSING"),
        ((("x-tenant-id", NOBODY), OPERATOR), grpc.StatusCode.UNAUTHENTICATED, "TENANT_UNKNOWN"),
    ):
        refused = await failure(mine.credentials(made.id, metadata))
        assert (refused.code, refused.reason) == (code, reason)
    assert (await mine.credentials(made.id)).access_token == "an access token"


async def test_each_reading_of_credentials_is_in_the_audit_log(mine: Accounts, as_superuser: Connection) -> None:
    made = await mine.create()
    await mine.credentials(made.id, (*mine.as_operator, ("x-actor", "sync 7")))
    await failure(mine.credentials(made.id, mine.tenant))
    await failure(mine.credentials(NOBODY))
    entries = await as_superuser.fetch(
        "SELECT * FROM audit_logs WHERE user_id = $1::uuid AND action = 'READ'", tenant_of(mine.tenant)
    )
    [entry] = entries
    assert (str(entry["subject_id"]), entry["table_name"], entry["actor"]) == (made.id, "integrations", "sync 7")
    assert (entry["old_values"], entry["new_values"]) == (None, {"read": "credentials"})


async def test_the_tokens_of_a_revoked_integration_are_not_given_out(mine: Accounts) -> None:
    made = await mine.create()
    for version, status in enumerate((EXPIRED, ERROR)):
        await mine.sync(made.id, version, status=status)
        assert (await mine.credentials(made.id)).access_token
    await mine.sync(made.id, 2, status=REVOKED)
    refused = await failure(mine.credentials(made.id))
    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "INTEGRATION_INACTIVE")


async def test_every_change_is_in_the_audit_log_without_tokens(mine: Accounts, as_superuser: Connection) -> None:
    made = await mine.create()
    await mine.update_tokens(made.id, scopes=["mail"])
    await mine.update_tokens(made.id)
    await mine.sync(made.id, 0, sync_state=SyncState(cursor="1"))
    await mine.sync(made.id, 1, status=ERROR, status_detail="down")
    await mine.delete(made.id)
    entries = await as_superuser.fetch("SELECT * FROM audit_logs WHERE subject_id = $1::uuid ORDER BY at", made.id)
    assert [(entry["action"], set(entry["new_values"] or ())) for entry in entries] == [
        ("INSERT", set()),
        ("UPDATE", {"scopes", "tokens_stored_at"}),
        ("UPDATE", {"tokens_stored_at"}),
        ("UPDATE", {"status", "status_detail"}),
        ("UPDATE", {"deleted_at"}),
    ]
    assert {entry["role_name"] for entry in entries} == {"pmcrm_interactions"}


async def test_without_keys_what_needs_none_works(without_keys: Accounts, mine: Accounts) -> None:
    made = await mine.create()
    for call in (without_keys.create(), without_keys.update_tokens(made.id), without_keys.credentials(made.id)):
        refused = await failure(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "ENCRYPTION_NOT_CONFIGURED")
    assert await without_keys.get(made.id) == made
    assert await without_keys.accounts() == [made.account]
    synced = await without_keys.sync(made.id, 0, sync_state=SyncState(cursor="1"))
    assert synced.sync_state.cursor == "1"
    deleted = await without_keys.delete(made.id, request_id=new_request_id())
    assert deleted.HasField("delete_time")


async def test_an_id_that_is_no_uuid_is_named(mine: Accounts) -> None:
    for call in (
        mine.get("x"), mine.delete("x"), mine.update_tokens("x"), mine.credentials("x"), mine.sync("x", 0),
    ):  # fmt: skip
        refused = await failure(call)
        assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", ["id"])


async def test_what_is_not_there_is_not_found(mine: Accounts) -> None:
    for call in (
        mine.get(NOBODY), mine.delete(NOBODY), mine.update_tokens(NOBODY), mine.credentials(NOBODY),
        mine.sync(NOBODY, 0),
    ):  # fmt: skip
        refused = await failure(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "INTEGRATION_NOT_FOUND")
        assert refused.metadata == {"id": NOBODY}
