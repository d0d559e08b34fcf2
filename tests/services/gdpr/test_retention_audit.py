"""ArchiveAuditLogs and PurgeExpiredAuditLogs, over gRPC: what they move, tell and refuse; the log stays valid."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
import pytest_asyncio
from pmcrm.gdpr.v1 import retention_service_pb2 as pb

from services.gdpr import audit_months
from shared.periodic import run_now
from tests.postgres import Connection, Database
from tests.services.gdpr.audit_calls import Trail, seal_from_the_start, write_entries
from tests.services.gdpr.conftest import GdprClient
from tests.suite import Client, Failure, as_operator, failure, new_request_id, settings_for

OLD = datetime.now(UTC) - timedelta(days=365.25 * 8)
MONTH = f"{OLD:%Y-%m}"
PARTITION = f"audit_logs_{OLD:%Y_%m}"
COUNT = 3

MOVED_TO = {"ArchiveAuditLogs": "audit_logs_archive", "PurgeExpiredAuditLogs": None}


@dataclass(frozen=True)
class Calling:
    """One of the two calls, when there is a month for it to move."""

    gdpr: GdprClient
    name: str
    trail: Trail
    database: Database

    def _call(self, fields: dict[str, Any]) -> Any:
        request = getattr(pb, f"{self.name}Request")(**fields)
        return getattr(self.gdpr.retention, self.name)(request, metadata=as_operator())

    async def call(self, **fields: Any) -> Any:
        return await self._call(fields)

    async def refused(self, **fields: Any) -> Failure:
        return await failure(self._call(fields))

    async def place(self) -> str | None:
        """The table that has the month; None when none has."""
        async with self.database.connect() as superuser:
            parent: str | None = await superuser.fetchval(
                "SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = to_regclass($1)", PARTITION
            )
        return parent

    async def moved(self) -> bool:
        return await self.place() == MOVED_TO[self.name]


async def move_all(database: Database, *, archive_only: bool) -> None:
    async with database.connect("pmcrm_service") as service:
        await audit_months.archive(service, audit_months.ARCHIVE_YEARS)
        if not archive_only:
            await audit_months.drop(service, audit_months.DROP_YEARS)


@pytest_asyncio.fixture(params=MOVED_TO)
async def calling(
    request: pytest.FixtureRequest, gdpr: GdprClient, client: Client, database: Database
) -> AsyncIterator[Calling]:
    """With a sealed month of a new tenant, eight years old; where it is to be dropped it is in the archive."""
    trail = Trail(gdpr.audit, await client.new_tenant())
    async with database.connect() as superuser:
        await write_entries(superuser, trail.id, COUNT, start=OLD)
        await superuser.fetchval("SELECT app.create_audit_partitions(0)")
    await seal_from_the_start(database)
    name = str(request.param)
    if name == "PurgeExpiredAuditLogs":
        await move_all(database, archive_only=True)
    yield Calling(gdpr, name, trail, database)
    await move_all(database, archive_only=False)


async def test_a_sealed_month_is_moved_and_the_log_stays_valid(calling: Calling) -> None:
    before = await calling.trail.verify()
    done = await calling.call()
    assert (list(done.months), done.entry_count) == ([MONTH], COUNT)
    assert await calling.moved()
    dropped = COUNT if calling.name == "PurgeExpiredAuditLogs" else 0
    after = await calling.trail.verify(before.head)
    assert (after.valid, after.problem_detail, after.dropped_entries) == (True, "", dropped)
    assert after.entries_checked == before.entries_checked - dropped
    # An entry tells of it.
    assert after.unsealed_entries == before.unsealed_entries + 1
    assert not (await calling.call()).months


async def test_a_dry_run_tells_and_changes_nothing(calling: Calling) -> None:
    place, before = await calling.place(), await calling.trail.verify()
    tried = await calling.call(dry_run=True)
    assert (list(tried.months), tried.entry_count) == ([MONTH], COUNT)
    assert await calling.place() == place
    # Not even an entry came.
    assert await calling.trail.verify() == before
    assert before.valid
    assert await calling.call() == tried
    assert await calling.moved()


async def test_a_repeat_gets_the_first_answer_and_moves_nothing(calling: Calling) -> None:
    request_id = new_request_id()
    tried = await calling.call(dry_run=True, request_id=request_id)
    assert list(tried.months) == [MONTH]
    for other in ({}, {"dry_run": True, "years": 5}):
        reused = await calling.refused(request_id=request_id, **other)
        assert (reused.code, reused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")
    assert not await calling.moved()
    second = new_request_id()
    done = await calling.call(request_id=second)
    assert await calling.moved()
    # Nothing is left that a new call would tell of.
    assert await calling.call(request_id=second) == done == tried
    assert await calling.call(dry_run=True, request_id=request_id) == tried
    assert not (await calling.call(request_id=new_request_id())).months
    assert (await calling.trail.verify()).valid


@pytest.mark.parametrize("years", [-1, 101])
async def test_years_out_of_range_are_refused(calling: Calling, years: int) -> None:
    wrong = await calling.refused(years=years)
    assert (wrong.code, wrong.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert set(wrong.violations) == {"years"}
    assert not await calling.moved()


async def test_a_month_is_moved_only_when_it_is_so_many_years_old(calling: Calling) -> None:
    assert not (await calling.call(years=100)).months
    assert not (await calling.call(years=9)).months
    assert not await calling.moved()
    assert list((await calling.call(years=1)).months) == [MONTH]


async def test_two_of_them_never_overlap(calling: Calling) -> None:
    async def call(_: Connection) -> list[Failure]:
        return [await calling.refused(), await calling.refused(dry_run=True)]

    for running in await run_now(audit_months.AUDIT_MONTHS, settings_for(calling.database), call, recorded=False):
        assert (running.code, running.reason) == (grpc.StatusCode.ABORTED, "TASK_ALREADY_RUNNING")
    assert not await calling.moved()
    assert list((await calling.call()).months) == [MONTH]
