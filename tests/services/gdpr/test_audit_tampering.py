"""Whoever tampers with the audit log as superuser, with everything but the seal key, is found and named."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from pmcrm.gdpr.v1 import audit_service_pb2 as pb

from shared.audit_chain import NOTHING, Head, Seal, seal_hash
from shared.keys import Key
from tests.postgres import Connection, Database
from tests.services.gdpr.audit_calls import (
    Trail,
    archive,
    chain_of,
    seal_from_the_start,
    write_entries,
)
from tests.services.gdpr.conftest import GdprClient
from tests.suite import Client

# Twelve entries in three seals of four.
COUNT, EACH = 12, 4

DIGEST = "app.audit_digest(salt, old_values, new_values, actor, client_ip, user_agent)"


@dataclasses.dataclass(frozen=True)
class Victim:
    """A sealed log, and who attacks it."""

    conn: Connection
    tenant: uuid.UUID
    ids: list[uuid.UUID]
    table: str
    head: str

    async def run(self, statement: str, *arguments: object) -> None:
        """`{log}` is the table, `{of}` the tenant's condition; $1 the tenant, $2 its ids, counted from 1."""
        sql = statement.format(log=self.table, of="user_id = $1 AND cardinality($2::uuid[]) > 0", digest=DIGEST)
        await self.conn.execute(sql, self.tenant, self.ids, *arguments)


async def a_victim(database: Database, conn: Connection, trail: Trail) -> Victim:
    ids = await write_entries(conn, trail.id, COUNT)
    await seal_from_the_start(database, most=EACH)
    before = await trail.verify()
    assert (before.valid, before.problem, before.problem_detail) == (True, 0, "")
    assert before.entries_checked >= COUNT
    return Victim(conn, trail.id, ids, "audit_logs", before.head)


@pytest_asyncio.fixture(scope="module")
async def trail(client: Client, gdpr: GdprClient) -> Trail:
    """The log that is tampered with, always the same one."""
    return Trail(gdpr.audit, await client.new_tenant())


KEPT = ("audit_logs", "audit_seals", "app.audit_sealing")


@pytest_asyncio.fixture(scope="module")
async def sealed(database: Database, trail: Trail) -> AsyncIterator[Victim]:
    async with database.connect() as conn:
        victim = await a_victim(database, conn, trail)
        for number, table in enumerate(KEPT):
            await conn.execute(f"CREATE TABLE kept_{number} AS TABLE {table}")
        yield victim


@pytest.fixture
async def live(sealed: Victim) -> AsyncIterator[Victim]:
    """As it was sealed; and put back afterwards."""
    yield sealed
    for table in (*KEPT, "audit_logs_archive"):
        await sealed.conn.execute(f"DELETE FROM {table}")
    for number, table in enumerate(KEPT):
        await sealed.conn.execute(f"INSERT INTO {table} TABLE kept_{number}")


@pytest.fixture(params=["audit_logs", "audit_logs_archive"])
async def victim(request: pytest.FixtureRequest, live: Victim) -> Victim:
    if request.param == "audit_logs_archive":
        await archive(live.conn, live.tenant)
    return dataclasses.replace(live, table=request.param)


def assert_found(answer: pb.VerifyAuditLogResponse, name: str, entry: uuid.UUID | None, seal: int | None) -> None:
    assert not answer.valid
    assert pb.AuditProblem.Name(answer.problem) == f"AUDIT_PROBLEM_{name}", answer.problem_detail
    assert answer.first_invalid_entry_id == ("" if entry is None else str(entry))
    assert seal is None or answer.first_invalid_seal == seal
    assert answer.problem_detail


# Of one entry, the sixth: what is done to it, as the SET of an UPDATE.
CHANGES = {
    "subject_id": "subject_id = gen_random_uuid()",
    "row_id": "row_id = gen_random_uuid()",
    "request_id": "request_id = gen_random_uuid()",
    "table_name": "table_name = 'tags'",
    "action": "action = 'INSERT'",
    "role_name": "role_name = 'pmcrm_service'",
    "digest": "digest = sha256('')",
    "at by a little": "at = at + interval '1 microsecond'",
    "at past the next": "at = at + interval '1500 microseconds'",
    "at into another seal": "at = at + interval '4500 microseconds'",
    "at into what is not sealed": "at = clock_timestamp()",
    "id": "id = gen_random_uuid()",
    "old_values": """old_values = '{{"notes": "bold", "n": 5}}'""",
    "old_values gone": "old_values = NULL",
    "new_values": """new_values = '{{"notes": "bold"}}'""",
    "actor": "actor = 'mallory'",
    "client_ip": "client_ip = '198.51.100.1'",
    "client_ip gone": "client_ip = NULL",
    "user_agent": "user_agent = 'curl'",
    "salt": "salt = sha256('salt')",
    "erased_by": "erased_by = gen_random_uuid()",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_changed_entry_is_named(trail: Trail, victim: Victim, change: str) -> None:
    await victim.run(f"UPDATE {{log}} SET {CHANGES[change]} WHERE {{of}} AND id = $2[6]")
    assert_found(await trail.verify(), "ENTRY_CHANGED", victim.ids[5], 2)


async def test_a_changed_entry_is_named_with_its_digest_computed_anew(trail: Trail, victim: Victim) -> None:
    await victim.run("UPDATE {log} SET actor = 'mallory' WHERE {of} AND id = $2[6]")
    await victim.run("UPDATE {log} SET digest = {digest} WHERE {of} AND id = $2[6]")
    assert_found(await trail.verify(), "ENTRY_CHANGED", victim.ids[5], 2)


async def test_an_entry_that_went_into_an_earlier_seal_is_named(trail: Trail, live: Victim) -> None:
    await live.run("UPDATE {log} SET at = at - interval '7500 microseconds' WHERE {of} AND id = $2[10]")
    assert_found(await trail.verify(), "ENTRY_CHANGED", live.ids[9], 3)


GONE = {
    "all of it": "old_values = NULL, new_values = NULL, actor = NULL, client_ip = NULL, user_agent = NULL, salt = NULL",
    "all but the salt": "old_values = NULL, new_values = NULL, actor = NULL, client_ip = NULL, user_agent = NULL",
    "the values": "old_values = NULL, new_values = NULL",
    "the salt": "salt = NULL",
    "with a receipt": "old_values = NULL, new_values = NULL, actor = NULL, client_ip = NULL, user_agent = NULL, "
    "salt = NULL, erased_by = gen_random_uuid()",
}


@pytest.mark.parametrize("what", GONE)
async def test_values_that_no_erasure_took_are_missed(trail: Trail, victim: Victim, what: str) -> None:
    await victim.run(f"UPDATE {{log}} SET {GONE[what]} WHERE {{of}} AND id = $2[6]")
    assert_found(await trail.verify(), "PAYLOAD_MISSING", victim.ids[5], 2)


@pytest.mark.parametrize(
    ("gone", "entry", "seal"),
    [([6], 5, 2), ([1], 0, 1), ([12], 11, 3), ([5, 6, 7, 8], 4, 2), ([*range(1, 13)], 0, 1), ([5, 10], 4, 2)],
    ids=str,
)
async def test_a_deleted_entry_is_named(trail: Trail, live: Victim, gone: list[int], entry: int, seal: int) -> None:
    await live.run("DELETE FROM {log} WHERE {of} AND id = ANY (ARRAY(SELECT $2[n] FROM unnest($3::int[]) AS n))", gone)
    assert_found(await trail.verify(), "ENTRY_MISSING", live.ids[entry], seal)


async def test_a_deleted_entry_is_named_in_the_archive_too(trail: Trail, victim: Victim) -> None:
    await victim.run("DELETE FROM {log} WHERE {of} AND id = $2[6]")
    assert_found(await trail.verify(), "ENTRY_MISSING", victim.ids[5], 2)


COPY = """
    INSERT INTO audit_logs
    SELECT (jsonb_populate_record(e, jsonb_build_object('id', $3::uuid, 'at', {at}))).*
    FROM audit_logs AS e WHERE {of} AND id = $2[6]
"""


@pytest.mark.parametrize(
    ("at", "seal"),
    [
        ("e.at", 2),
        ("e.at - interval '4 milliseconds'", 1),
        ("e.at - interval '10 years'", 1),
        ("e.at + interval '7 milliseconds'", None),
        ("'-infinity'::timestamptz", 0),
        ("'infinity'::timestamptz", 0),
        ("'20260-01-01'::timestamptz", 0),
        # After the newest seal, but before what is sealed of all tenants.
        ("(SELECT max(horizon) FROM audit_seals WHERE {of}) - interval '1 microsecond'", None),
    ],
)
async def test_an_inserted_entry_is_named(trail: Trail, live: Victim, at: str, seal: int | None) -> None:
    forged = uuid.uuid4()
    await live.run(COPY.replace("{at}", at), forged)
    assert_found(await trail.verify(), "ENTRY_INSERTED", forged, seal)


@pytest.mark.parametrize("count", [1, 3_000])
async def test_of_many_inserted_entries_the_first_is_named(trail: Trail, live: Victim, count: int) -> None:
    first = await live.conn.fetchval(
        "SELECT at FROM audit_logs WHERE user_id = $1 AND id = $2", live.tenant, live.ids[5]
    )
    forged = await write_entries(
        live.conn, live.tenant, count, start=first + timedelta(microseconds=1), step=timedelta(0)
    )
    assert_found(await trail.verify(), "ENTRY_INSERTED", min(forged), 2)


async def test_an_entry_that_stands_twice_is_named(trail: Trail, live: Victim) -> None:
    await live.conn.execute(
        "CREATE TABLE IF NOT EXISTS audit_logs_archive_rest PARTITION OF audit_logs_archive DEFAULT"
    )
    await live.run("INSERT INTO audit_logs_archive SELECT * FROM audit_logs WHERE {of} AND id = $2[6]")
    assert_found(await trail.verify(), "ENTRY_INSERTED", live.ids[5], 2)


SWAP_TIMES = """
    UPDATE {log} AS a SET at = b.at
    FROM {log} AS b, (VALUES ($3::integer, $4::integer), ($4, $3)) AS pair (one, other)
    WHERE a.user_id = $1 AND b.user_id = $1 AND a.id = ($2::uuid[])[pair.one] AND b.id = ($2::uuid[])[pair.other]
"""
SWAP_IDS = SWAP_TIMES.replace("SET at = b.at", "SET id = b.id")
SWAP_VALUES = SWAP_TIMES.replace(
    "SET at = b.at", "SET old_values = b.old_values, new_values = b.new_values, salt = b.salt, digest = b.digest"
)


@pytest.mark.parametrize("pair", [(5, 6), (5, 8), (6, 8), (4, 5), (2, 10), (9, 12)], ids=str)
@pytest.mark.parametrize("swap", [SWAP_TIMES, SWAP_IDS], ids=["times", "ids"])
async def test_entries_that_changed_places_are_named(
    trail: Trail, live: Victim, swap: str, pair: tuple[int, int]
) -> None:
    await live.run(swap, *pair)
    assert_found(await trail.verify(), "ENTRIES_REORDERED", live.ids[pair[0] - 1], (pair[0] - 1) // EACH + 1)


async def test_entries_that_changed_places_are_named_in_the_archive_too(trail: Trail, victim: Victim) -> None:
    await victim.run(SWAP_TIMES, 6, 7)
    assert_found(await trail.verify(), "ENTRIES_REORDERED", victim.ids[5], 2)


async def test_entries_whose_values_changed_places_are_named(trail: Trail, live: Victim) -> None:
    await live.run(SWAP_VALUES, 6, 10)
    assert_found(await trail.verify(), "ENTRY_CHANGED", live.ids[5], 2)


async def test_entries_of_two_tenants_that_changed_places_are_named(
    database: Database, as_superuser: Connection, trail: Trail, bobs_trail: Trail, live: Victim
) -> None:
    hers, his = live, await a_victim(database, as_superuser, bobs_trail)
    await as_superuser.execute(
        "UPDATE audit_logs SET user_id = CASE user_id WHEN $1 THEN $2 ELSE $1 END WHERE id = ANY ($3::uuid[])",
        hers.tenant,
        his.tenant,
        [hers.ids[5], his.ids[5]],
    )
    assert_found(await trail.verify(), "ENTRY_MISSING", hers.ids[5], 2)
    # Hers is older than all of his.
    assert_found(await bobs_trail.verify(), "ENTRY_INSERTED", hers.ids[5], 1)


# Of the second seal: what is done to it, what is found, and in which seal.
SEALS = {
    "seal_at": ("sealed_at = sealed_at - interval '1 day'", "SEAL_INVALID"),
    "first_at": ("first_at = first_at - interval '1 microsecond'", "SEAL_INVALID"),
    "last_at": ("last_at = last_at - interval '1 microsecond'", "SEAL_INVALID"),
    "horizon": ("horizon = horizon + interval '1 microsecond'", "SEAL_INVALID"),
    "endless horizon": ("horizon = 'infinity'", "SEAL_INVALID"),
    "entry_ids": ("entry_ids = entry_ids[2:4] || entry_ids[1]", "SEAL_INVALID"),
    "fewer entries": ("entry_ids = entry_ids[:3], entry_hashes = substring(entry_hashes, 1, 96)", "SEAL_INVALID"),
    "no id": ("entry_ids = entry_ids[:3] || NULL::uuid", "SEAL_INVALID"),
    "entry_hashes": ("entry_hashes = sha256('') || substring(entry_hashes, 33)", "SEAL_INVALID"),
    "previous": ("previous = sha256('')", "SEAL_INVALID"),
    "hash": ("hash = sha256('')", "SEAL_INVALID"),
    "another key": ("key_id = 's1'", "SEAL_INVALID"),
    "no key": ("key_id = 's0'", "KEY_UNKNOWN"),
}


@pytest.mark.parametrize("change", SEALS)
async def test_a_changed_seal_is_named(trail: Trail, live: Victim, change: str) -> None:
    changes, expected = SEALS[change]
    await live.run(f"UPDATE audit_seals SET {changes} WHERE {{of}} AND seq = 2")
    assert_found(await trail.verify(), expected, None, 2)


@pytest.mark.parametrize("seq", [1, 2])
@pytest.mark.parametrize("renumbered", [False, True])
@pytest.mark.parametrize("with_entries", [False, True])
async def test_a_seal_that_was_taken_out_is_named(
    trail: Trail, live: Victim, seq: int, renumbered: bool, with_entries: bool
) -> None:
    if with_entries:
        await live.run(
            "DELETE FROM audit_logs WHERE {of} "
            "AND id = ANY ((SELECT entry_ids FROM audit_seals WHERE {of} AND seq = $3)::uuid[])",
            seq,
        )
    await live.run("DELETE FROM audit_seals WHERE {of} AND seq = $3", seq)
    if renumbered:
        for later in range(seq + 1, COUNT // EACH + 1):
            await live.run("UPDATE audit_seals SET seq = seq - 1 WHERE {of} AND seq = $3", later)
    assert_found(await trail.verify(), "SEAL_MISSING", None, seq)


async def test_a_seal_that_is_there_once_more_is_named(trail: Trail, live: Victim) -> None:
    await live.run(
        "INSERT INTO audit_seals SELECT (jsonb_populate_record(s, '{{\"seq\": 4}}')).* FROM audit_seals AS s "
        "WHERE {of} AND seq = 1"
    )
    assert_found(await trail.verify(), "SEAL_INVALID", None, 4)


async def test_seals_of_another_tenant_are_none(
    database: Database, as_superuser: Connection, trail: Trail, bobs_trail: Trail, live: Victim
) -> None:
    hers, his = live, await a_victim(database, as_superuser, bobs_trail)
    for table in ("audit_seals", "audit_logs"):
        await hers.run(f"DELETE FROM {table} WHERE {{of}}")
        await as_superuser.execute(f"UPDATE {table} SET user_id = $1 WHERE user_id = $2", hers.tenant, his.tenant)
    assert_found(await trail.verify(), "SEAL_INVALID", None, 1)


@pytest.mark.parametrize(("key", "expected"), [("s2", "SEAL_INVALID"), ("mine", "KEY_UNKNOWN")])
async def test_a_chain_that_was_built_anew_with_another_key_is_found(
    trail: Trail, live: Victim, key: str, expected: str
) -> None:
    previous = NOTHING
    await live.run("UPDATE audit_logs SET actor = 'somebody else' WHERE {of} AND id = $2[6]")
    for row in await chain_of(live.conn, live.tenant):
        found = Seal(**{name: row[name] for name in Seal.__dataclass_fields__})
        forged = dataclasses.replace(found, previous=previous, key_id=key)
        previous = seal_hash(Key("mine", b"m" * 32).secret, live.tenant, forged)
        await live.run(
            "UPDATE audit_seals SET previous = $3, key_id = $4, hash = $5 WHERE {of} AND seq = $6",
            forged.previous,
            key,
            previous,
            forged.seq,
        )
    for head in ("", live.head):
        assert_found(await trail.verify(head), expected, None, 1)


async def cut(victim: Victim, after: int) -> None:
    """Takes away the newest seals and what they cover, and what is not sealed."""
    await victim.run(
        "DELETE FROM audit_logs WHERE {of} "
        "AND id <> ALL (ARRAY(SELECT unnest(entry_ids) FROM audit_seals WHERE {of} AND seq <= $3))",
        after,
    )
    await victim.run("DELETE FROM audit_seals WHERE {of} AND seq > $3", after)


async def test_a_chain_whose_end_was_cut_off_is_found_by_a_head_that_was_kept(trail: Trail, live: Victim) -> None:
    await cut(live, 2)
    assert (await trail.verify()).valid
    assert_found(await trail.verify(live.head), "HEAD_MISSING", None, 3)


async def test_a_chain_that_grew_on_after_it_was_cut_is_found_too(
    database: Database, trail: Trail, live: Victim
) -> None:
    await cut(live, 2)
    await write_entries(live.conn, live.tenant, 9)
    await seal_from_the_start(database, most=3)
    assert (await trail.verify()).valid
    assert (await trail.verify()).seals_checked > 3
    assert_found(await trail.verify(live.head), "HEAD_MISSING", None, 3)


async def test_a_log_without_any_seal_left_is_found(trail: Trail, live: Victim) -> None:
    await live.run("DELETE FROM audit_seals WHERE {of}")
    assert_found(await trail.verify(), "ENTRY_INSERTED", live.ids[0], 0)
    assert (await trail.verify()).head == ""


async def test_an_empty_log_is_valid_but_for_a_head_that_was_kept(trail: Trail, live: Victim) -> None:
    await cut(live, 0)
    answer = await trail.verify()
    assert (answer.valid, answer.head, answer.entries_checked) == (True, "", 0)
    seq = Head.parse(live.head)
    assert seq is not None
    assert_found(await trail.verify(live.head), "HEAD_MISSING", None, seq.seq)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("actor = 'mallory'", "ENTRY_CHANGED"),
        ("salt = NULL", "PAYLOAD_MISSING"),
        (GONE["all of it"], "PAYLOAD_MISSING"),
    ],
)
async def test_what_is_not_sealed_is_checked_against_its_digest(
    trail: Trail, live: Victim, change: str, expected: str
) -> None:
    [unsealed] = await write_entries(
        live.conn, live.tenant, 1, start=await live.conn.fetchval("SELECT clock_timestamp()")
    )
    assert (await trail.verify()).valid
    await live.conn.execute(f"UPDATE audit_logs SET {change} WHERE user_id = $1 AND id = $2", live.tenant, unsealed)
    answer = await trail.verify()
    assert_found(answer, expected, unsealed, 0)
    assert "no seal covers it yet" in answer.problem_detail


async def test_dropped_constraints_do_not_hide_anything(trail: Trail, live: Victim) -> None:
    await live.conn.execute(
        "ALTER TABLE audit_logs ALTER COLUMN table_name DROP NOT NULL, ALTER COLUMN digest DROP NOT NULL"
    )
    try:
        for column in ("table_name", "digest"):
            await live.run(f"UPDATE {{log}} SET {column} = NULL WHERE {{of}} AND id = $2[6]")
            assert_found(await trail.verify(), "ENTRY_CHANGED", live.ids[5], 2)
    finally:
        await live.run("DELETE FROM audit_logs WHERE {of}")
        await live.conn.execute(
            "ALTER TABLE audit_logs ALTER COLUMN table_name SET NOT NULL, ALTER COLUMN digest SET NOT NULL"
        )


def test_each_problem_is_found_by_some_attack() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    for name in list(pb.AuditProblem.keys())[1:]:
        assert f'"{name.removeprefix("AUDIT_PROBLEM_")}"' in source
