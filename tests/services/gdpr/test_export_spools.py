"""Exports of any size: one moment, a page at a time, through a file of which nothing stays."""

from __future__ import annotations

import asyncio
import resource
import tracemalloc
import uuid
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb

from services.gdpr.exporting.archive import spool
from services.gdpr.exporting.assembling import assemble
from services.gdpr.exporting.reading import Subject
from shared.binding import begin_export
from shared.database import Transaction
from shared.pool import Pool
from tests.services.gdpr.export_calls import PORTABILITY, export
from tests.suite import failure, tenant_of

MANY = """
    INSERT INTO contacts (user_id, display_name, sort_name, notes)
    SELECT $1, 'Ada ' || n, 'ada ' || n, (SELECT string_agg(md5(n || ' ' || i), '') FROM generate_series(1, $3) AS i)
    FROM generate_series(1, $2) AS n
"""


@pytest_asyncio.fixture
async def fill(database):
    """Gives a tenant so many contacts with notes of so many times 32 random characters."""

    async def fill(tenant: str, contacts: int, length: int) -> None:
        async with database.connect() as conn:
            await conn.execute(MANY, uuid.UUID(tenant), contacts, length)

    return fill


class Watched(Transaction):
    """A transaction that tells what each statement is, and how much came of it."""

    def __init__(
        self, session, tenant, before: Callable[[str], Awaitable[None] | None], after: Callable[[int], None]
    ) -> None:
        super().__init__(session, tenant)
        self.before, self.after = before, after

    async def fetch(self, query, *args):
        told = self.before(query.name)
        if told is not None:
            await told
        rows = await super().fetch(query, *args)
        self.after(sum(len(row["line"]) for row in rows if "line" in row))
        return rows


@pytest_asyncio.fixture
async def assembled(database):
    """Assembles a portability export of a tenant as the gdpr service's role; returns the manifest."""
    pool = Pool(database.service("gdpr"), size=1)

    async def assembled(tenant: str, before=lambda name: None, after=lambda size: None) -> pb.ExportManifest:
        session = await pool.acquire()
        try:
            await session.conn.execute(begin_export(uuid.UUID(tenant)))
            with spool() as file:
                tx = Watched(session, uuid.UUID(tenant), before, after)
                return await assemble(tx, file, PORTABILITY, Subject(), lambda table, rows: None)
        finally:
            await session.conn.execute("ROLLBACK")
            pool.release(session)

    yield assembled
    await pool.close()


async def test_memory_does_not_grow_with_the_number_of_contacts(client, fill, assembled):
    peaks = []
    await assembled(
        tenant_of(await client.new_tenant())
    )  # what is made once, such as prepared statements, is no growth
    for contacts in (90, 240):
        tenant = tenant_of(await client.new_tenant())
        await fill(tenant, contacts, 400)
        tracemalloc.start()
        manifest = await assembled(tenant)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert manifest.tables["contacts"].row_count == contacts
    assert peaks[1] < 1.3 * peaks[0]


async def test_a_page_holds_a_megabyte_and_a_row(client, fill, assembled):
    tenant = tenant_of(await client.new_tenant())
    await fill(tenant, 40, 2000)
    pages: list[int] = []
    manifest = await assembled(tenant, after=pages.append)
    assert manifest.tables["contacts"].row_count == 40
    assert 1_000_000 < max(pages) < 1_200_000


async def test_an_export_shows_one_moment(client, fill, assembled, database):
    tenant = tenant_of(await client.new_tenant())
    await fill(tenant, 3, 1)

    done: list[str] = []

    async def meanwhile() -> None:
        async with database.connect() as conn:
            await conn.execute(MANY, uuid.UUID(tenant), 5, 1)
            await conn.execute(
                "INSERT INTO tags (user_id, name, name_key, sort_name) VALUES ($1, 'New', 'new', 'new')",
                uuid.UUID(tenant),
            )

    def before(name: str):
        done.append(name)
        return meanwhile() if name == "export_contacts" and done.count(name) == 1 else None

    manifest = await assembled(tenant, before)
    assert (manifest.tables["contacts"].row_count, manifest.tables["tags"].row_count) == (3, 0)


def spools() -> list[str]:
    """Open files of this process that have no name."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            target = str(link.readlink())
        except FileNotFoundError:
            continue
        if target.endswith("(deleted)") and "/tmp" in target:
            found.append(target)
    return found


@contextmanager
def no_file_longer_than(limit: int):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_is_told_and_nothing_stays(gdpr, alice, fill):
    await fill(tenant_of(alice), 30, 2000)
    before = spools()
    with no_file_longer_than(200_000):
        refused = await failure(gdpr.subjects.ExportData(pb.ExportDataRequest(), metadata=alice).read())
    assert (refused.code, refused.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "SPOOL_FULL")
    assert refused.retry_after
    assert spools() == before
    assert (await export(gdpr.subjects, alice)).manifest.tables["contacts"].row_count == 30


async def test_a_slow_reader_holds_no_transaction_and_a_gone_one_no_file(gdpr, alice, fill, as_superuser):
    await fill(tenant_of(alice), 30, 2000)
    before = spools()
    call = gdpr.subjects.ExportData(pb.ExportDataRequest(), metadata=alice)
    await anext(aiter(call))
    assert len(spools()) == len(before) + 1
    open_ = await as_superuser.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'pmcrm_gdpr' "
        "AND xact_start IS NOT NULL"
    )
    call.cancel()
    assert open_ == 0
    for _ in range(100):
        if spools() == before:
            break
        await asyncio.sleep(0.05)
    assert spools() == before


@pytest.mark.parametrize("after", [0.0, 0.05])
async def test_a_call_that_is_cancelled_while_it_assembles_leaves_nothing(gdpr, alice, fill, as_superuser, after):
    await fill(tenant_of(alice), 30, 2000)
    before = spools()
    call = gdpr.subjects.ExportData(pb.ExportDataRequest(), metadata=alice)
    reading = asyncio.ensure_future(anext(aiter(call)))
    while len(spools()) == len(before):  # noqa: ASYNC110 - the service tells nobody when it begins
        await asyncio.sleep(0.005)
    await asyncio.sleep(after)
    call.cancel()
    with pytest.raises((asyncio.CancelledError, grpc.aio.AioRpcError)):
        await reading
    for _ in range(100):
        if spools() == before:
            break
        await asyncio.sleep(0.05)
    assert spools() == before
    assert (await export(gdpr.subjects, alice)).manifest.tables["contacts"].row_count == 30
