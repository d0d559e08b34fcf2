"""Strength, last and next contact follow from what is recorded, whichever way that came about."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from tests.database.networks import Network, ago
from tests.postgres import Connection, Database, bound

DOCUMENT = (Path(__file__).parents[2] / "docs/relationship-strength.md").read_text(encoding="utf-8")
UNTOUCHED = {"computed": 1, "pinned": None, "strength": 1, "last_contact_at": None, "next_contact_at": None}


@pytest_asyncio.fixture
async def network(as_interactions: Connection, as_superuser: Connection) -> Network:
    tenant = await as_superuser.fetchval("INSERT INTO users (display_name) VALUES ('Somebody') RETURNING id")
    return Network(as_interactions, as_superuser, tenant)


async def counted(network: Network, table: str, statement: str, *args: Any) -> int:
    """How many rows of a table the tenant's statement updates."""
    async with bound(network.conn, network.tenant):
        count = "SELECT n_tup_upd FROM pg_stat_xact_user_tables WHERE relname = $1"
        before = await network.conn.fetchval(count, table)
        await network.conn.execute(statement, network.tenant, *args)
        return int(await network.conn.fetchval(count, table)) - int(before)


def rows_of(heading: str) -> Iterator[list[str]]:
    """The cells of the first table after a heading of the document, without its head."""
    lines = DOCUMENT.partition(heading)[2].splitlines()
    table = [line for line in lines if line.startswith("|")]
    ends = next((i for i, line in enumerate(table) if i > 1 and set(line) <= set("|-")), len(table) + 1)
    for line in table[2 : ends - 1]:
        yield [cell.strip(" `*") for cell in line.strip("|").split("|")]


async def test_the_documented_weights_are_the_formulas(network):
    text = DOCUMENT.partition("Each has a **weight**")[2].partition("What a contact does")[0]
    types = dict(re.findall(r"^\| `([A-Z]+)` \| ([0-9.]+) \|$", text.partition("| direction")[0], re.MULTILINE))
    directions = dict(
        re.findall(r"^\| `?([A-Za-z ]+?)`? \| ([0-9.]+) \|$", text.partition("| direction")[2], re.MULTILINE)
    )
    assert len(types) == 7
    assert set(directions) == {"MUTUAL", "INBOUND", "OUTBOUND", "not given"}
    for type_, weight in types.items():
        for direction, times in directions.items():
            given = None if direction == "not given" else direction
            found = await network.conn.fetchval("SELECT app.interaction_weight($1, $2)", type_, given)
            assert found == Decimal(weight) * Decimal(times)
    assert await network.conn.fetchval("SELECT app.interaction_weight('NOTE', NULL)") == 0
    assert f"version **{await network.conn.fetchval('SELECT app.strength_formula_version()')}**" in DOCUMENT


async def test_the_documented_example_is_what_the_formula_gives(network):
    contact = await network.contact()
    as_of = datetime.fromisoformat(re.search(r"As of (\S+):", DOCUMENT)[1])  # type: ignore[index]
    adding = {}
    for when, type_, direction, role, *expected in rows_of("## An example"):
        interaction = await network.interaction(
            contact,
            role=role or None,
            type=type_,
            direction=direction or None,
            occurred_at=datetime.fromisoformat(when),
        )
        if expected[0]:
            adding[interaction] = tuple(map(Decimal, expected))
    assert len(adding) == 3
    async with bound(network.conn, network.tenant):
        evidence = await network.conn.fetch(
            "SELECT * FROM app.strength_evidence($1, $2, $3)", network.tenant, [contact], as_of
        )
    found = {
        row["interaction_id"]: (row["weight"], row["decay"], row["value"])
        for row in evidence
        if row["factor"] == "INTERACTIONS"
    }
    assert found == adding
    values = dict(re.findall(r"^\| \**([a-z]+)\** \| ([0-9.]+) \|", DOCUMENT.partition("| part |")[2], re.MULTILINE))
    strength = await network.from_scratch(contact, as_of)
    assert {name: strength[name] for name in ("interactions", "diversity", "reciprocity", "score")} == {
        name: Decimal(values[name]) for name in ("interactions", "diversity", "reciprocity", "score")
    }
    assert strength["computed"] == int(values["strength"])
    later = await network.from_scratch(contact, as_of + timedelta(days=2))
    assert later["interactions_count"] == 3
    assert (await network.from_scratch(contact, as_of + timedelta(days=3)))["interactions_count"] == 4, (
        "the plan counts"
    )


async def test_ninety_days_of_silence_cost_what_the_document_says(network):
    contact = await network.contact()
    for type_, direction, days in (("EMAIL", "INBOUND", 10), ("MEETING", "MUTUAL", 30), ("EMAIL", "OUTBOUND", 90)):
        await network.interaction(contact, type=type_, direction=direction, occurred_at=ago(days=days))
    assert (await network.strength(contact))["computed"] == 4
    later = await network.from_scratch(contact, datetime.now(UTC) + timedelta(days=90))
    assert f"leave {later['computed']}." in DOCUMENT


async def test_the_parts_add_up_to_the_score_and_the_evidence_to_the_parts(network):
    contact, other = await network.contact(), await network.contact()
    for n in range(40):
        type_ = ("EMAIL", "CALL", "MEETING", "EVENT")[n % 4]
        direction = ("INBOUND", "OUTBOUND", "MUTUAL", None, "OUTBOUND")[n % 5]
        await network.interaction(contact, other, type=type_, direction=direction, occurred_at=ago(days=17 * n))
    async with bound(network.conn, network.tenant):
        as_of = await network.conn.fetchval("SELECT now()")
        evidence = await network.conn.fetch(
            "SELECT * FROM app.strength_evidence($1, $2, $3)", network.tenant, [contact, other, contact], as_of
        )
    strength = await network.from_scratch(contact, as_of)
    own = [row for row in evidence if row["contact_id"] == contact]
    for factor in ("interactions", "diversity", "reciprocity"):
        of_factor = [row for row in own if row["factor"] == factor.upper()]
        assert sum(row["value"] for row in of_factor) == strength[factor] > 0
        assert len(of_factor) == strength[f"{factor}_count"] > 0
    assert strength["interactions"] + strength["diversity"] + strength["reciprocity"] == strength["score"]
    assert len(own) * 2 == len(evidence)


@pytest.mark.parametrize(
    "columns",
    [
        {"type": "NOTE"},
        {"role": "MENTIONED"},
        {"occurred_at": datetime.now(UTC) + timedelta(days=3)},
        {"deleted_at": datetime.now(UTC)},
    ],
    ids=["a note", "a mention", "a plan", "a deleted one"],
)
async def test_what_is_no_contact_does_not_count(network, columns):
    contact = await network.contact()
    await network.interaction(contact, **{"type": "MEETING", **columns})
    assert await network.strength(contact) == UNTOUCHED
    await network.interaction(contact, type="MEETING")
    assert (await network.strength(contact))["computed"] > 1, "and one that is does"


async def test_every_change_of_an_interaction_changes_what_is_derived(network):
    contact, other = await network.contact(), await network.contact()
    first, last = ago(days=40), ago(days=2)
    await network.interaction(contact, type="EMAIL", occurred_at=first)
    interaction = await network.interaction(contact, type="MEETING", occurred_at=last)

    async def now() -> tuple[int, Any]:
        found, scratch = await network.strength(contact), await network.from_scratch(contact)
        assert (found["computed"], found["last_contact_at"]) == (scratch["computed"], scratch["last_contact_at"])
        return found["computed"], found["last_contact_at"]

    met = await now()
    assert met[0] > 2
    assert met[1] == last
    await network.update(interaction, deleted_at=ago())
    assert await now() == (1, first)
    await network.update(interaction, deleted_at=None)
    assert await now() == met
    await network.update(interaction, type="NOTE")
    assert (await now())[1] == first
    await network.update(interaction, type="MEETING", direction="MUTUAL")
    assert (await now())[0] > met[0]
    await network.update(interaction, occurred_at=ago(days=400))
    assert (await now())[1] == first
    await network.update(interaction, occurred_at=last)
    taken_out = "DELETE FROM interaction_participants WHERE user_id = $1 AND interaction_id = $2 AND contact_id = $3"
    await network.execute(taken_out, interaction, contact)
    assert (await now())[1] == first
    put_in = "INSERT INTO interaction_participants (user_id, interaction_id, contact_id) VALUES ($1, $2, $3)"
    await network.execute(put_in, interaction, contact)
    assert (await now())[1] == last
    mentioned = "UPDATE interaction_participants SET role = 'MENTIONED' WHERE user_id = $1 AND interaction_id = $2"
    await network.execute(mentioned, interaction)
    assert (await now())[1] == first
    assert await network.strength(other) == UNTOUCHED


async def test_the_next_contact_is_a_cadence_after_the_last_or_after_creation(network):
    contact = await network.contact(keep_in_touch_days=30)
    created = (await network.watching.fetchrow("SELECT created_at FROM contacts WHERE id = $1", contact))["created_at"]
    assert (await network.strength(contact))["next_contact_at"] == created + timedelta(days=30)
    last = ago(days=10)
    interaction = await network.interaction(contact, occurred_at=last)
    assert (await network.strength(contact))["next_contact_at"] == last + timedelta(days=30)
    await network.update(interaction, deleted_at=ago())
    assert (await network.strength(contact))["next_contact_at"] == created + timedelta(days=30)


async def test_a_strength_set_by_hand_stays_and_the_computed_one_goes_on(network):
    contact = await network.contact(relationship_strength=9)
    await network.interaction(contact, type="MEETING")
    found = await network.strength(contact)
    assert (found["strength"], found["pinned"]) == (9, 9)
    assert 1 < found["computed"] < 9


async def test_what_is_derived_is_no_change_of_the_contact(network):
    contact = await network.contact()
    read = "SELECT revision, updated_at, xmin::text FROM contacts WHERE id = $1"
    before = await network.watching.fetchrow(read, contact)
    await network.interaction(contact)
    assert await network.watching.fetchrow(read, contact) == before
    entries = await network.watching.fetch(
        "SELECT table_name, action, new_values FROM audit_logs WHERE user_id = $1 AND subject_id = $2 ORDER BY at",
        network.tenant,
        contact,
    )
    assert [tuple(entry) for entry in entries] == [
        ("contacts", "INSERT", None),
        ("interaction_participants", "INSERT", None),
    ]


async def test_a_statement_computes_each_contact_once(network):
    contacts = [await network.contact() for _ in range(3)]
    added = """
        WITH made AS (SELECT id FROM interactions WHERE user_id = $1)
        INSERT INTO interaction_participants (user_id, interaction_id, contact_id)
        SELECT $1, made.id, contact FROM made CROSS JOIN unnest($2::uuid[]) AS contact
    """
    made = "INSERT INTO interactions (user_id, type) SELECT $1, 'EMAIL' FROM generate_series(1, 400)"
    await network.execute(made)
    assert await counted(network, "contact_strengths", added, contacts) == 3
    moved = "UPDATE interactions SET occurred_at = occurred_at - interval '400 days' WHERE user_id = $1"
    assert await counted(network, "contact_strengths", moved) == 3
    assert await counted(network, "contact_strengths", "DELETE FROM interaction_participants WHERE user_id = $1") == 3


async def test_what_did_not_change_is_not_written(network):
    contact = await network.contact()
    interaction = await network.interaction(contact)
    refresh = "SELECT app.refresh_strength($1, ARRAY[$2::uuid])"
    async with network.watching.transaction():
        await network.watching.execute(f"SET LOCAL app.current_user_id = '{network.tenant}'")
        assert await network.watching.fetchval(refresh, network.tenant, contact) == 0
    place = "UPDATE interaction_participants SET position = 7 WHERE user_id = $1 AND interaction_id = $2"
    assert await counted(network, "contact_strengths", place, interaction) == 0
    subject = "UPDATE interactions SET subject = 'Birthday' WHERE user_id = $1 AND id = $2"
    assert await counted(network, "interaction_participants", subject, interaction) == 0


async def test_derived_values_cannot_be_written_by_a_service(network, database):
    contact = await network.contact()
    for role in ("pmcrm_interactions", "pmcrm_contacts", "pmcrm_insights"):
        async with database.connect(role) as conn:
            for statement in (
                "UPDATE contact_strengths SET computed = 10 WHERE user_id = $1 AND contact_id = $2",
                "SELECT app.refresh_strength($1, ARRAY[$2::uuid])",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    async with bound(conn, network.tenant):
                        await conn.execute(statement, network.tenant, contact)


async def test_rows_of_a_tenant_that_is_not_bound_are_refused(network, as_operator):
    contact = await network.contact()
    interaction = await network.interaction(contact)
    before = await network.strength(contact)
    gone = "DELETE FROM interaction_participants WHERE interaction_id = $1"
    for tenant in (None, uuid.uuid4()):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="not bound"):
            async with bound(as_operator, tenant):
                await as_operator.execute(gone, interaction)
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="not bound"):
            async with bound(as_operator, tenant):
                await as_operator.execute("SELECT app.refresh_strength($1, ARRAY[$2::uuid])", network.tenant, contact)
        assert await network.strength(contact) == before
    async with bound(as_operator, network.tenant):
        await as_operator.execute(gone, interaction)
    assert await network.strength(contact) == UNTOUCHED


async def test_last_contact_is_known_however_long_ago(network):
    contact = await network.contact()
    long_ago = ago(days=4000)
    await network.interaction(contact, type="MEETING", occurred_at=long_ago)
    found = await network.strength(contact)
    assert (found["computed"], found["last_contact_at"]) == (1, long_ago)


async def test_purging_an_interaction_takes_away_what_it_added(network, as_operator):
    contact = await network.contact()
    interaction = await network.interaction(contact)
    async with bound(as_operator, network.tenant):
        await as_operator.execute("DELETE FROM interactions WHERE id = $1", interaction)
    assert await network.strength(contact) == UNTOUCHED


async def test_purging_a_contact_leaves_its_interactions_to_the_others(network, as_operator):
    contact, other = await network.contact(), await network.contact()
    await network.interaction(contact, other, type="MEETING")
    before = await network.strength(other)
    async with bound(as_operator, network.tenant):
        await as_operator.execute("DELETE FROM contacts WHERE id = $1", contact)
    assert await network.strength(other) == before


async def test_a_merge_and_its_undoing_compute_both_contacts_anew(network, as_contacts):
    survivor, duplicate = await network.contact(), await network.contact()
    await network.interaction(survivor, type="EMAIL", occurred_at=ago(days=30))
    await network.interaction(duplicate, type="MEETING", direction="MUTUAL", occurred_at=ago(days=3))
    await network.interaction(survivor, duplicate, type="CALL", occurred_at=ago(days=5))
    before = [await network.strength(contact) for contact in (survivor, duplicate)]
    async with bound(as_contacts, network.tenant):
        merge = await as_contacts.fetchval(
            "SELECT app.merge_contacts($1, ARRAY[$2::uuid], '{}', NULL)", survivor, duplicate
        )
    merged, scratch = await network.strength(survivor), await network.from_scratch(survivor)
    assert scratch["interactions_count"] == 3, "the call in which both took part is one"
    assert (merged["computed"], merged["last_contact_at"]) == (scratch["computed"], before[1]["last_contact_at"])
    assert merged["computed"] > before[0]["computed"]
    assert await network.strength(duplicate) == UNTOUCHED
    async with bound(as_contacts, network.tenant):
        await as_contacts.fetch("SELECT * FROM app.unmerge_contacts($1, '{}', false)", merge)
    assert [await network.strength(contact) for contact in (survivor, duplicate)] == before


async def test_transactions_that_write_at_once_leave_what_one_after_the_other_would(network, database: Database):
    contacts = [await network.contact() for _ in range(4)]

    async def write(n: int) -> None:
        async with database.connect("pmcrm_interactions") as conn:
            own = Network(conn, network.watching, network.tenant)
            for i in range(6):
                order = contacts if (n + i) % 2 else contacts[::-1]
                made = await own.interaction(*order, type=("MEETING", "EMAIL")[i % 2], occurred_at=ago(days=n + i))
                if i % 3 == 2:
                    await own.update(made, deleted_at=ago())

    await asyncio.gather(*(write(n) for n in range(6)))
    for contact in contacts:
        found, scratch = await network.strength(contact), await network.from_scratch(contact)
        assert scratch["interactions_count"] == 24
        assert (found["computed"], found["last_contact_at"]) == (scratch["computed"], scratch["last_contact_at"])
