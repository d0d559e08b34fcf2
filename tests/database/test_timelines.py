"""A page of a timeline reads as little of the database for a contact with 100 000 interactions as for one with few."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shared import queries
from tests.postgres import Connection, Database, Server, bound

QUERIES = queries.load(Path(__file__).parents[2] / "services/interactions/queries")
MANY, FEW = 100_000, 600
PAGE = 50

FILL = """
    INSERT INTO interactions (user_id, id, type, direction, occurred_at, created_at, subject)
    SELECT $1, md5($2::uuid::text || n)::uuid, (ARRAY['EMAIL', 'CALL', 'MEETING'])[1 + n % 3], 'OUTBOUND',
        now() - n * interval '20 minutes', now() - n * interval '1 second',
        'Number ' || n || CASE WHEN n % 1000 = 7 THEN ' falconer' ELSE '' END
    FROM generate_series(1, $3) AS n;
"""
FILL_PARTICIPANTS = """
    INSERT INTO interaction_participants (user_id, interaction_id, contact_id, occurred_at, deleted, type, direction)
    SELECT $1, i.id, $2, i.occurred_at, false, i.type, i.direction
    FROM generate_series(1, $3) AS n
    JOIN interactions AS i ON i.user_id = $1 AND i.id = md5($2::uuid::text || n)::uuid
"""


@pytest_asyncio.fixture(scope="module")
async def timelines(
    server: Server, template: Database
) -> AsyncIterator[tuple[Database, uuid.UUID, dict[int, uuid.UUID]]]:
    """A tenant with a contact of many interactions and one of few."""
    database = await server.create(template)
    tenant, contacts = uuid.uuid4(), {MANY: uuid.uuid4(), FEW: uuid.uuid4()}
    async with database.connect() as conn:
        await conn.execute("INSERT INTO users (id) VALUES ($1)", tenant)
        for count, contact in contacts.items():
            await conn.execute(
                "INSERT INTO contacts (user_id, id, display_name, sort_name) VALUES ($1, $2, 'Ada', 'ada')",
                tenant,
                contact,
            )
            async with conn.transaction():
                # Without triggers, which are measured below by themselves.
                await conn.execute("SET LOCAL session_replication_role = replica")
                await conn.execute(FILL, tenant, contact, count)
                await conn.execute(FILL_PARTICIPANTS, tenant, contact, count)
        await conn.execute("VACUUM ANALYZE")
    yield database, tenant, contacts
    await server.drop(database)


async def pages(conn: Connection, tenant: uuid.UUID, statement: str) -> int:
    """How many pages a tenant's statement touches, when the catalog has been read."""
    for _ in range(3):
        async with bound(conn, tenant):
            found = await conn.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}")
    top = json.loads(found)[0]["Plan"]
    return int(top["Shared Hit Blocks"]) + int(top["Shared Read Blocks"])


def listed(
    contacts: str = "NULL", *, types: str = "NULL", creation: bool = False, skip: int = 0, after: str = "NULL"
) -> str:
    return (
        f"SELECT * FROM app.list_interactions({contacts}, NULL, NULL, {types}, NULL, NULL, NULL, NULL, NULL, false, "
        f"{creation}, true, {after}, NULL, {PAGE + 1}, {skip})"
    )


@pytest.mark.parametrize("after", ["NULL", "now() - interval '5 days'"], ids=["the first", "one further on"])
async def test_a_page_of_a_contacts_timeline(timelines, after):
    database, tenant, contacts = timelines
    async with database.connect("pmcrm_interactions") as conn:
        found = {
            count: await pages(conn, tenant, listed(f"ARRAY['{contact}'::uuid]", after=after))
            for count, contact in contacts.items()
        }
    # The rows lie where they fell: each may be on a page of its own.
    assert found[MANY] <= 2 * PAGE
    assert found[MANY] - found[FEW] <= PAGE


async def test_a_page_of_what_was_one_type_among_several(timelines):
    database, tenant, contacts = timelines
    async with database.connect("pmcrm_interactions") as conn:
        found = await pages(conn, tenant, listed(f"ARRAY['{contacts[MANY]}'::uuid]", types="'{MEETING}'"))
    assert found <= 3 * 2 * PAGE


@pytest.mark.parametrize("creation", [False, True], ids=["by occurrence", "by creation"])
async def test_a_page_of_the_whole_network(timelines, creation):
    database, tenant, _ = timelines
    async with database.connect("pmcrm_interactions") as conn:
        # Each row's participants and contacts are looked up, to leave out those of restricted contacts alone.
        assert await pages(conn, tenant, listed(creation=creation)) <= (2 + 4 + 3) * (PAGE + 1)


async def test_the_rows_of_a_page(timelines):
    database, tenant, contacts = timelines
    query = QUERIES["get_interactions"]
    async with database.connect("pmcrm_interactions") as conn:
        async with bound(conn, tenant):
            ids = [row[0] for row in await conn.fetch(listed(f"ARRAY['{contacts[MANY]}'::uuid]"))]
        assert len(ids) == PAGE + 1
        given = ", ".join(f"'{interaction}'" for interaction in ids)
        statement = query.sql.replace("$1", f"'{tenant}'").replace("$2", f"ARRAY[{given}]::uuid[]")
        # An interaction, its participant, the participant's contact and employments: a descent each.
        assert await pages(conn, tenant, statement) <= 4 * 4 * (PAGE + 1)


async def test_what_is_written_to_a_contact_with_many(timelines):
    """One more interaction computes the contact's strength anew, out of so many as count and no more."""
    database, tenant, contacts = timelines
    found = {}
    for count, contact in contacts.items():
        statement = f"SELECT * FROM app.strength('{tenant}', ARRAY['{contact}'::uuid], now())"
        async with database.connect("pmcrm_interactions") as conn:
            found[count] = await pages(conn, tenant, statement)
    assert found[MANY] - found[FEW] <= 500, "beyond 500, each on a page of its own, nothing is read"
    assert found[MANY] <= 2 * 500


async def test_a_search_reads_its_matches_and_little_else(timelines):
    database, tenant, _ = timelines
    found = {}
    async with database.connect("pmcrm_interactions") as conn:
        for word in ("falconer", "number"):
            given = f"to_tsquery('simple', '{word}'), '', NULL, NULL, NULL, NULL, NULL, NULL, 40"
            found[word] = await pages(conn, tenant, f"SELECT * FROM app.search_interactions({given})")
        all_of_them = await pages(conn, tenant, "SELECT count(subject) FROM interactions")
    # A match is a page; its participants and their contacts a descent each.
    assert found["falconer"] <= 40 * (1 + 2 * 4) + 40
    # Of a word that stands in all of them the index is read, and so many matches as are ranked.
    assert found["number"] <= 40 * (1 + 2 * 4) + 0.2 * all_of_them
