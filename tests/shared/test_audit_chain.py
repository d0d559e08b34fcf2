"""Seals and hashes of audit entries: what they cover cannot change without them, and batches end where they must."""

from __future__ import annotations

import dataclasses
import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.audit_chain import NOTHING, Head, Seal, count_for_seal, end_of, make_seal, seal_hash
from shared.audit_entries import entry_hash, is_emptied, payload_digest, payload_text
from shared.keys import Key
from tests.postgres import Connection, bound

KEY = Key("k1", b"s" * 32)
TENANT = uuid.UUID(int=1)
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def an_entry(**changes: Any) -> dict[str, Any]:
    return {
        "id": uuid.UUID(int=10),
        "at": NOON,
        "subject_id": uuid.UUID(int=11),
        "row_id": None,
        "request_id": None,
        "table_name": "contacts",
        "action": "UPDATE",
        "role_name": "pmcrm_contacts",
        "digest": b"d" * 32,
    } | changes


@pytest.mark.parametrize(
    "changes",
    [
        {"id": uuid.UUID(int=12)},
        {"at": NOON + timedelta(microseconds=1)},
        {"subject_id": uuid.UUID(int=12)},
        {"row_id": uuid.UUID(int=12)},
        {"request_id": uuid.UUID(int=12)},
        {"row_id": uuid.UUID(int=0)},
        {"table_name": "tags"},
        {"action": "DELETE"},
        {"role_name": "postgres"},
        {"digest": b"e" * 32},
        # What runs from one column into the next.
        {"table_name": "contactsU", "action": "PDATE"},
        {"action": "UPDATEpmcrm", "role_name": "_contacts"},
    ],
    ids=str,
)
def test_an_entrys_hash_covers_each_column(changes: dict[str, Any]) -> None:
    assert entry_hash(TENANT, an_entry(**changes)) != entry_hash(TENANT, an_entry())
    assert entry_hash(TENANT, an_entry()) != entry_hash(uuid.UUID(int=2), an_entry())


def test_ids_do_not_change_places_unseen() -> None:
    one, other = an_entry(row_id=uuid.UUID(int=5)), an_entry(request_id=uuid.UUID(int=5))
    assert entry_hash(TENANT, one) != entry_hash(TENANT, other)


def a_seal(**changes: Any) -> Seal:
    entries = [(NOON + timedelta(seconds=n), uuid.UUID(int=n), bytes([n]) * 32) for n in range(3)]
    made = make_seal(KEY, TENANT, Head(6, b"p" * 32), entries, horizon=NOON + timedelta(hours=1), sealed_at=NOON)
    return dataclasses.replace(made, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"seq": 8},
        {"sealed_at": NOON + timedelta(1)},
        {"first_at": NOON - timedelta(1)},
        {"last_at": NOON},
        {"horizon": NOON + timedelta(hours=2)},
        {"entry_ids": [uuid.UUID(int=n) for n in (1, 0, 2)]},
        {"entry_ids": [uuid.UUID(int=0)]},
        {"entry_hashes": bytes(96)},
        {"previous": b"q" * 32},
        {"key_id": "k2"},
    ],
    ids=str,
)
def test_a_seals_hash_covers_each_column(changes: dict[str, Any]) -> None:
    assert seal_hash(KEY.secret, TENANT, a_seal()) == a_seal().hash
    assert seal_hash(KEY.secret, TENANT, a_seal(**changes)) != a_seal().hash
    assert seal_hash(KEY.secret, uuid.UUID(int=2), a_seal()) != a_seal().hash
    assert seal_hash(b"t" * 32, TENANT, a_seal()) != a_seal().hash


def test_a_seal_follows_the_one_before_and_the_first_one_nothing() -> None:
    assert (a_seal().seq, a_seal().previous) == (7, b"p" * 32)
    first = make_seal(KEY, TENANT, None, [(NOON, uuid.UUID(int=0), bytes(32))], horizon=end_of(NOON), sealed_at=NOON)
    assert (first.seq, first.previous) == (1, NOTHING)
    assert a_seal().hash_of(2) == bytes([2]) * 32


def test_a_head_is_read_as_it_is_written() -> None:
    head = Head(7, a_seal().hash)
    assert Head.parse(str(head)) == head


@pytest.mark.parametrize(
    "text", ["", "7", "7:", "0:" + "a" * 64, "7:" + "a" * 63, "7:" + "A" * 64, "-7:" + "a" * 64, "7:" + "a" * 64 + "\n"]
)
def test_what_is_no_head_is_told_from_one(text: str) -> None:
    assert Head.parse(text) is None


def times(*seconds: float) -> list[datetime]:
    return [NOON + timedelta(seconds=each) for each in seconds]


@pytest.mark.parametrize(
    ("given", "most", "count"),
    [
        (times(1), 3, 1),
        (times(1, 2, 3), 3, 3),
        (times(1, 2, 3, 4), 3, 3),
        # Whatever has the time of the one that follows is left to the next seal.
        (times(1, 3, 3, 3), 3, 1),
        (times(1, 2, 3, 3), 3, 2),
        (times(3, 3, 3), 3, 3),
        (times(3, 3, 3, 3), 3, 0),
        # A month ends in the midst, in UTC.
        ([datetime(2026, 3, 31, 23, 59, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)], 3, 1),
        ([datetime(2026, 3, 31, tzinfo=UTC), datetime(2027, 3, 31, tzinfo=UTC)], 3, 1),
    ],
    ids=str,
)
def test_a_batch_ends_with_its_month_its_size_and_a_moment(given: list[datetime], most: int, count: int) -> None:
    assert count_for_seal(given, most) == count


ODD = ["", "a", 'say "no"', "back\\slash", "\b\f\n\r\t", "\x01\x1f\x7f", "Zoë", "😀", "\u2028", "/", "\ud7ff", "null"]


def odd_text(random_: random.Random) -> str:
    return "".join(random_.choices(ODD, k=random_.randint(0, 4)))


def odd_values(random_: random.Random, depth: int = 0) -> Any:
    kind = random_.randrange(7 if depth < 3 else 5)
    if kind < 2:
        return odd_text(random_)
    if kind < 5:
        return [None, True, random_.choice([0, -1, 1e300, 1.5, 10**25])][kind - 2]
    if kind == 5:
        return [odd_values(random_, depth + 1) for _ in range(3)]
    return {odd_text(random_): odd_values(random_, depth + 1) for _ in range(3)}


ADDRESSES = [None, "203.0.113.7", "2001:db8::1", "::ffff:203.0.113.7", "::", "::1", "::203.0.113.7", "fe80::1:0:0:1"]


async def test_a_payload_is_digested_as_the_database_does_it(as_superuser: Connection) -> None:
    drawn = random.Random(36)
    for number in range(200):
        old, new = (drawn.choice([None, {odd_text(drawn): odd_values(drawn)}]) for _ in range(2))
        actor, agent = (drawn.choice([None, odd_text(drawn)]) for _ in range(2))
        row = await as_superuser.fetchrow(
            "SELECT $1::jsonb::text AS old_values, $2::jsonb::text AS new_values, $3::text AS actor, "
            "host($4::text::inet) AS client_ip, $5::text AS user_agent, '\\x01'::bytea AS salt, "
            "app.audit_digest('\\x01', $1, $2, $3, $4::text::inet, $5) AS digest",
            old,
            new,
            actor,
            ADDRESSES[number % len(ADDRESSES)],
            agent,
        )
        assert row is not None
        assert payload_digest(row) == row["digest"], payload_text(row)
        assert is_emptied(row) == all(value is None for value in (old, new, actor, row["client_ip"], agent))


async def test_what_an_entry_of_an_insert_holds_is_digested_too(as_superuser: Connection) -> None:
    tenant = uuid.uuid4()
    async with bound(as_superuser, tenant):
        await as_superuser.execute("INSERT INTO users (id) VALUES ($1)", tenant)
        row = await as_superuser.fetchrow(
            "SELECT old_values::text, new_values::text, actor, host(client_ip) AS client_ip, user_agent, salt, digest "
            "FROM audit_logs WHERE user_id = $1",
            tenant,
        )
    assert row is not None
    assert is_emptied(row)
    assert payload_digest(row) == row["digest"]
