"""What a dropped month itself said, of earlier dropped months and of erasures, is said again: the log stays valid."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from services.gdpr import audit_months
from tests.postgres import Connection, Database, bound
from tests.services.gdpr.audit_calls import Trail, seal_from_the_start, write_entries
from tests.services.gdpr.conftest import GdprClient
from tests.suite import Client

NOW = datetime.now(UTC)
OLDEST, OLDER, OLD = (NOW - timedelta(days=365.25 * years + 60) for years in (10, 9, 8))


def names(*months: datetime) -> list[str]:
    return [f"{month:%Y-%m}" for month in months]


async def seal_and_archive(database: Database) -> None:
    async with database.connect() as superuser:
        await superuser.fetchval("SELECT app.create_audit_partitions(0)")
    await seal_from_the_start(database)
    async with database.connect("pmcrm_service") as service:
        await audit_months.archive(service, audit_months.ARCHIVE_YEARS)


async def drop(database: Database, years: int) -> tuple[list[str], list[str]]:
    """Drops what is so old; returns the months that were dropped, and those that are held."""
    async with database.connect("pmcrm_service") as service:
        done = await audit_months.drop(service, years)
    return done.moved, done.held


async def said_now(conn: Connection, trail: Trail) -> list[dict[str, Any]]:
    """What entries of today say of dropped months, the oldest month first."""
    rows = await conn.fetch(
        "SELECT new_values FROM audit_logs WHERE user_id = $1 AND action = 'DROP' ORDER BY new_values ->> 'month'",
        trail.id,
    )
    return [row["new_values"] for row in rows]


async def test_months_stay_dropped_when_the_entry_that_says_so_is_dropped(
    gdpr: GdprClient, client: Client, database: Database, as_superuser: Connection
) -> None:
    trail = Trail(gdpr.audit, await client.new_tenant())
    oldest, older, old = (
        {"month": month, "first_seq": seq, "last_seq": seq, "entries": entries}
        for seq, (month, entries) in enumerate(zip(names(OLDEST, OLDER, OLD), (3, 1, 2), strict=True), 1)
    )
    # As if the one month had been dropped in the next one: what is said of it today is taken back each time.
    await write_entries(as_superuser, trail.id, 3, start=OLDEST)
    await write_entries(as_superuser, trail.id, 1, start=OLDER, action="DROP", new_values=oldest)
    for said in (oldest, older):
        await write_entries(as_superuser, trail.id, 1, start=OLD, action="DROP", new_values=said)
    await seal_and_archive(database)
    for years, months, today in ((10, [OLDEST], [oldest]), (9, [OLDER], [oldest, older])):
        assert await drop(database, years) == (names(*months), [])
        assert await said_now(as_superuser, trail) == today
        await as_superuser.execute("DELETE FROM audit_logs WHERE user_id = $1 AND action = 'DROP'", trail.id)
        found = await trail.verify()
        assert (found.valid, found.problem_detail) == (True, "")
    assert await drop(database, 8) == (names(OLD), [])
    assert await said_now(as_superuser, trail) == [oldest, older, old]
    found = await trail.verify()
    assert (found.valid, found.problem_detail, found.dropped_entries) == (True, "", 6)


async def test_entries_that_are_still_held_stay_erased_when_the_entry_that_says_so_is_dropped(
    gdpr: GdprClient, client: Client, database: Database, as_superuser: Connection
) -> None:
    trail, held = [Trail(gdpr.audit, await client.new_tenant()) for _ in range(2)]
    subject, receipt = uuid.uuid4(), uuid.uuid4()
    await write_entries(as_superuser, held.id, 1, start=OLDER)
    await write_entries(as_superuser, trail.id, 2, start=OLDER, subject_id=subject)
    await write_entries(as_superuser, trail.id, 1, start=OLD, subject_id=subject)
    async with bound(as_superuser, held.id):
        await as_superuser.execute("INSERT INTO legal_holds (user_id, reason) VALUES ($1, 'file 17')", held.id)
    async with bound(as_superuser, trail.id):
        emptied = await as_superuser.fetchval("SELECT app.erase_audit_payloads($1, $2, '{}')", receipt, [subject])
        await as_superuser.fetchval("SELECT app.audit_erasure($1, $2, $3)", subject, receipt, emptied)
    assert len(emptied) == 3
    aged = "UPDATE audit_logs SET at = $2 WHERE user_id = $1 AND action = 'ERASE'"
    assert await as_superuser.execute(aged, trail.id, OLD + timedelta(seconds=1)) == "UPDATE 1"
    await seal_and_archive(database)
    assert await drop(database, 8) == (names(OLD), names(OLDER))
    found = await trail.verify()
    assert (found.valid, found.problem_detail, found.dropped_entries, found.erased_entries) == (True, "", 2, 2)
    again = await as_superuser.fetchrow(
        "SELECT subject_id, row_id, new_values FROM audit_logs WHERE user_id = $1 AND action = 'ERASE'", trail.id
    )
    assert again is not None
    assert (again["subject_id"], again["row_id"]) == (subject, receipt)
    # Only of those that are still there.
    assert len(again["new_values"]["entries"]) == 2
    await as_superuser.execute("UPDATE legal_holds SET released_at = now() WHERE user_id = $1", held.id)
    assert await drop(database, 8) == (names(OLDER), [])
    for each in (trail, held):
        found = await each.verify()
        assert (found.valid, found.problem_detail) == (True, "")
