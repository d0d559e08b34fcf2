"""UpdateSyncState: one synchronisation after the other, and none undoes another's."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from pmcrm.interactions.v1.integration_pb2 import SyncState

from tests.services.interactions.conftest import InteractionsClient
from tests.services.interactions.integration_calls import ACTIVE, ERROR, EXPIRED, REVOKED, Accounts
from tests.suite import Metadata, failure, new_request_id

NOON = Timestamp(seconds=int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()))


@pytest.fixture
def mine(interactions: InteractionsClient, alice: Metadata) -> Accounts:
    return Accounts(interactions, alice)


async def test_a_state_replaces_the_whole_of_the_one_before(mine: Accounts) -> None:
    made = await mine.create()
    state = SyncState(cursor="page 7", last_sync_time=NOON, last_success_time=NOON, failure_count=2, version=99)
    first = await mine.sync(made.id, 0, sync_state=state)
    state.version = 1
    assert first.sync_state == state
    second = await mine.sync(made.id, 1, sync_state=SyncState(failure_count=3))
    assert second.sync_state == SyncState(failure_count=3, version=2)
    assert await mine.get(made.id) == second


async def test_a_state_that_is_not_given_stays_and_counts(mine: Accounts) -> None:
    made = await mine.create()
    await mine.sync(made.id, 0, sync_state=SyncState(cursor="page 7", failure_count=1))
    left = await mine.sync(made.id, 1, status=ERROR, status_detail="quota")
    assert left.sync_state == SyncState(cursor="page 7", failure_count=1, version=2)
    emptied = await mine.sync(made.id, 2, sync_state=SyncState())
    assert emptied.sync_state == SyncState(version=3)


async def test_neither_etag_nor_update_time_change(mine: Accounts) -> None:
    made = await mine.create()
    await mine.sync(made.id, 0, sync_state=SyncState(cursor="1"))
    synced = await mine.sync(made.id, 1, status=EXPIRED, status_detail="expired")
    assert (synced.etag, synced.update_time) == (made.etag, made.update_time)
    await mine.update_tokens(made.id, etag=made.etag)


async def test_who_began_from_another_state_hears_which_one_there_is(mine: Accounts) -> None:
    made = await mine.create()
    await mine.sync(made.id, 0, sync_state=SyncState(cursor="1"))
    before = await mine.get(made.id)
    for version in (0, 2, -1, 2**62):
        refused = await failure(mine.sync(made.id, version, sync_state=SyncState(cursor="2")))
        assert (refused.code, refused.reason) == (grpc.StatusCode.ABORTED, "SYNC_STATE_CONFLICT")
        assert refused.metadata == {"version": "1"}
    assert await mine.get(made.id) == before


async def test_of_many_at_once_each_version_has_one_winner(mine: Accounts) -> None:
    made = await mine.create()

    async def count_up(times: int) -> None:
        for _ in range(times):
            while True:
                state = (await mine.get(made.id)).sync_state
                counted = SyncState(failure_count=state.failure_count + 1)
                call = mine.sync(made.id, state.version, sync_state=counted)
                [outcome] = await asyncio.gather(call, return_exceptions=True)
                if not isinstance(outcome, BaseException):
                    break
                assert isinstance(outcome, grpc.aio.AioRpcError)
                assert outcome.code() == grpc.StatusCode.ABORTED

    await asyncio.gather(*(count_up(5) for _ in range(6)))
    assert (await mine.get(made.id)).sync_state == SyncState(failure_count=30, version=30)


async def test_only_new_tokens_make_a_revoked_integration_active(mine: Accounts) -> None:
    made = await mine.create()
    await mine.sync(made.id, 0, status=REVOKED, status_detail="taken back")
    for status in (ACTIVE, EXPIRED, ERROR):
        refused = await failure(mine.sync(made.id, 1, status=status))
        assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "INTEGRATION_INACTIVE")
    still = await mine.sync(made.id, 1, sync_state=SyncState(cursor="1"), status=REVOKED, status_detail="really")
    assert (still.status, still.status_detail, still.sync_state.version) == (REVOKED, "really", 2)
    assert (await mine.sync(made.id, 2, sync_state=SyncState(cursor="2"))).status == REVOKED


async def test_a_detail_goes_with_its_status(mine: Accounts) -> None:
    made = await mine.create()
    failed = await mine.sync(made.id, 0, status=ERROR, status_detail="line one\r\nline two")
    assert (failed.status, failed.status_detail) == (ERROR, "line one\nline two")
    assert (await mine.sync(made.id, 1)).status_detail == "line one\nline two"
    assert (await mine.sync(made.id, 2, status_detail="other")).status == ERROR
    works = await mine.sync(made.id, 3, status=ACTIVE, status_detail="left over")
    assert (works.status, works.status_detail) == (ACTIVE, "")


@pytest.mark.parametrize(
    ("version", "arguments", "bad"),
    [
        (None, {}, "expected_version"),
        (0, {"sync_state": SyncState(cursor="x" * 16_385)}, "sync_state.cursor"),
        (0, {"sync_state": SyncState(cursor="\0")}, "sync_state.cursor"),
        (0, {"sync_state": SyncState(failure_count=-1)}, "sync_state.failure_count"),
        (0, {"sync_state": SyncState(last_sync_time=Timestamp(seconds=-(2**60)))}, "sync_state.last_sync_time"),
        (0, {"sync_state": SyncState(last_success_time=Timestamp(seconds=2**60))}, "sync_state.last_success_time"),
        (0, {"status": 17}, "status"),
        (0, {"status_detail": "x" * 1_001}, "status_detail"),
        (0, {"request_id": "42"}, "request_id"),
    ],
)
async def test_a_bad_field_is_named(mine: Accounts, version: int | None, arguments: dict[str, Any], bad: str) -> None:
    made = await mine.create()
    refused = await failure(mine.sync(made.id, version, **arguments))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == [bad]
    assert await mine.get(made.id) == made


async def test_a_repeat_of_an_earlier_step_gets_its_answer(mine: Accounts) -> None:
    made = await mine.create()
    first: dict[str, Any] = {"sync_state": SyncState(cursor="1"), "request_id": new_request_id()}
    answer = await mine.sync(made.id, 0, **first)
    await mine.sync(made.id, 1, sync_state=SyncState(cursor="2"))
    assert await mine.sync(made.id, 0, **first) == answer
    assert (await mine.get(made.id)).sync_state.cursor == "2"
