"""A tenant's calls touch as many pages in a full database as in an empty one, and a contact takes few bytes there.

Pages and bytes are measured, never time.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from shared import queries
from shared.queries import Query
from tests.database.address_books import fill, hang
from tests.postgres import Connection, Database, Server, bound

ROOT = Path(__file__).parents[2]
QUERIES = {**queries.load(ROOT / "services/contacts/queries"), **queries.load(ROOT / "shared/statements")}

TENANTS, EACH, AUDITED = 200, 500, 10_000
PAGE = 21  # rows that a page of 20 reads, to know whether there are more

# One request of each user, with the user's id as its own.
REQUESTS = """
    INSERT INTO idempotency_keys (user_id, request_id, method, body_hash) SELECT id, id, 'm', '' FROM users
    ON CONFLICT DO NOTHING
"""

# By statement: its arguments as SQL after the tenant, and the index that it has to go through.
FIRST_PAGE = f"NULL, NULL, {PAGE}, 0, false, false, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL"
HOT = {
    "get_contact": ("'{contact}'", "contacts_pkey"),
    "list_contacts_by_name": (FIRST_PAGE, "contacts_name_idx"),
    "list_contacts_by_name_desc": (FIRST_PAGE, "contacts_name_idx"),
    "list_contacts_by_create_time": (FIRST_PAGE, "contacts_created_idx"),
    "list_contacts_by_create_time_desc": (FIRST_PAGE, "contacts_created_idx"),
    "list_contacts_by_last_contact_time": (FIRST_PAGE, "contact_strengths_last_contact_idx"),
    "list_contacts_by_last_contact_time_desc": (FIRST_PAGE, "contact_strengths_last_contact_idx"),
    "list_contacts_by_strength": (FIRST_PAGE, "contact_strengths_strength_idx"),
    "list_contacts_by_strength_desc": (FIRST_PAGE, "contact_strengths_strength_idx"),
    "claimed_request": ("'{tenant}'", "idempotency_keys_pkey"),
    "tenant_state": ("", "users_pkey"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a statement did: pages touched, nodes of its plan, and how often it went down an index."""

    pages: int
    nodes: tuple[dict[str, Any], ...]

    @property
    def indexes(self) -> set[str]:
        return {node["Index Name"] for node in self.nodes if "Index Name" in node}

    @property
    def types(self) -> set[str]:
        """Of the nodes that were run."""
        return {node["Node Type"] for node in self.nodes if node["Actual Loops"]}

    @property
    def descents(self) -> int:
        return sum(int(node["Actual Loops"]) for node in self.nodes if "Index Name" in node)


@dataclass(frozen=True, slots=True)
class Grown:
    """The same tenant's plans with 1 000 contacts in the database, and with all."""

    database: Database
    tenant: uuid.UUID
    small: dict[str, Plan]
    large: dict[str, Plan]


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        # What hangs on a contact is put in order when it has been found, and is little.
        if plan.get("Parent Relationship") == "SubPlan" and child["Node Type"] in ("Sort", "Incremental Sort"):
            [child] = child["Plans"]
        yield from nodes_of(child)


async def explain(conn: Connection, statement: str) -> Plan:
    for _ in range(2):  # the first run also reads the catalog
        found = await conn.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}")
    top = json.loads(found)[0]["Plan"]
    return Plan(top["Shared Hit Blocks"] + top["Shared Read Blocks"], tuple(nodes_of(top)))


async def plans(conn: Connection, tenant: uuid.UUID, *, scans: bool = True) -> dict[str, Plan]:
    """Each hot statement as the contacts service runs it, so often that PostgreSQL has settled on a plan.

    scans: False where tables are so small that reading and sorting all of one is as good as going through its index.
    """
    found = {}
    async with bound(conn, tenant):
        for setting in ("enable_seqscan", "enable_sort"):
            await conn.execute(f"SET LOCAL {setting} = {'on' if scans else 'off'}")
        contact = await conn.fetchval(
            "SELECT id FROM contacts WHERE user_id = $1 ORDER BY id OFFSET 250 LIMIT 1", tenant
        )
        for name, (arguments, _) in HOT.items():
            query: Query = QUERIES[name]
            given = ", ".join(filter(None, [f"'{tenant}'", arguments.format(contact=contact, tenant=tenant)]))
            await conn.execute(f"PREPARE {name} ({', '.join(query.types)}) AS {query.sql}")
            for _ in range(4):
                found[name] = await explain(conn, f"EXECUTE {name} ({given})")
            await conn.execute(f"DEALLOCATE {name}")
        keys = await conn.fetchrow(
            "SELECT emails->0->>'value' AS email, phones->0->>'e164' AS phone FROM contacts "
            "WHERE user_id = $1 AND id = $2",
            tenant,
            contact,
        )
        assert keys is not None
        found["find_contacts"] = await explain(
            conn, f"SELECT * FROM app.find_contacts('{{{keys['email']}}}', '{{{keys['phone']}}}', '{{uid-10}}')"
        )
        found["search_word"] = await explain(conn, search("falconer"))
        found["search_misspelt"] = await explain(conn, search("papadopuolos", "papadopuolos"))
        found["search_employer"] = await explain(conn, search('"company 7"'))
        found["search_phone"] = await explain(conn, search("", digits=f"{keys['phone'][:0:-1]}:*"))
    return found


def search(words: str, misspelt: str = "", digits: str = "") -> str:
    """A search as search.sql makes it: by words, by similar spelling, by the digits of a number backwards."""
    query = f"websearch_to_tsquery('simple', '{words}') || to_tsquery('simple', '{digits}')"
    names = f"websearch_to_tsquery('simple', app.marked_words('{words}'))"
    return f"SELECT * FROM app.search_contacts({query}, {names}, '{misspelt}', NULL, NULL, NULL, NULL, NULL, NULL, 40)"


@pytest_asyncio.fixture(scope="module")
async def grown(server: Server, template: Database) -> AsyncIterator[Grown]:
    database = await server.create(template)
    async with database.connect() as superuser, database.connect("pmcrm_contacts") as contacts:
        await superuser.execute("ALTER TABLE contacts DISABLE TRIGGER audit")
        tenant, _ = await fill(superuser, contacts, 2, EACH)
        await superuser.execute(
            "UPDATE contacts SET job_title = 'Falconer' WHERE user_id = $1 AND id IN (SELECT id FROM ("
            "SELECT id, row_number() OVER (ORDER BY id) AS n FROM contacts WHERE user_id = $1) AS c WHERE n % 50 = 0)",
            tenant,
        )  # 2 % of them
        await superuser.execute(REQUESTS)
        await hang(superuser)
        await superuser.execute("VACUUM ANALYZE")
        small = await plans(contacts, tenant, scans=False)
        await fill(superuser, contacts, TENANTS - 2 - AUDITED // EACH, EACH)
        # Audit rows are measured over fewer: they are the slowest part, and each takes the same room.
        await superuser.execute("ALTER TABLE contacts ENABLE TRIGGER audit")
        await fill(superuser, contacts, AUDITED // EACH, EACH)
        await superuser.execute("INSERT INTO users (display_name) SELECT 'No contacts' FROM generate_series(1, 2000)")
        await superuser.execute(REQUESTS)
        await hang(superuser)
        await superuser.execute("VACUUM ANALYZE")
        large = await plans(contacts, tenant)
        yield Grown(database, tenant, small, large)
    await server.drop(database)


@pytest.mark.parametrize("name", HOT)
async def test_a_hot_statement_goes_through_its_index(grown, name):
    plan = grown.large[name]
    assert HOT[name][1] in plan.indexes
    assert not plan.types & {"Seq Scan", "Sort", "Hash Join", "Merge Join"}


@pytest.mark.parametrize("name", HOT)
async def test_a_hot_statement_touches_few_pages(grown, name):
    rows = PAGE if name.startswith("list") else 1
    # For each row: its contact, and in the other table a descent of three levels and its page; seven such descents more
    # for what hangs on it: two tags by way of their ties, an employment and its organization, a consent.
    assert grown.large[name].pages <= (6 + 7 * 4) * rows + 6


@pytest.mark.parametrize("name", HOT)
async def test_other_tenants_contacts_add_at_most_two_pages_to_a_descent(grown, name):
    plan = grown.large[name]
    assert plan.pages - grown.small[name].pages <= 2 * max(plan.descents, 1)


@pytest.mark.parametrize("name", [name for name in HOT if name.startswith("list")])
async def test_a_page_begins_in_the_index_where_the_last_one_ended(grown, name):
    """Also with a plan that knows no arguments, in which a condition that may betray rows is no index condition."""
    query: Query = QUERIES[name]
    arguments = FIRST_PAGE.split(", ")
    async with grown.database.connect("pmcrm_contacts") as conn, bound(conn, grown.tenant):
        await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await conn.execute(f"PREPARE {name} ({', '.join(query.types)}) AS {query.sql}")
        late = [*arguments[:3], "400", *arguments[4:]]
        [last, *_] = await conn.fetch(f"EXECUTE {name} ('{grown.tenant}', {', '.join(late)})")
        after = [f"'{last['position']}'", f"'{last['id']}'", *arguments[2:]]
        page = await explain(conn, f"EXECUTE {name} ('{grown.tenant}', {', '.join(after)})")
    removed = sum(node.get("Rows Removed by Filter", 0) for node in page.nodes)
    assert removed == 0
    assert page.pages <= grown.large[name].pages + 10


async def test_a_search_in_a_tenant_of_500_touches_few_pages_whatever_others_have(grown):
    # Descents: a word's is one, and one for the tenant, three times (names first, organizations last); a misspelt word
    # has one for each trigram.
    descents = {"search_word": 6, "search_misspelt": 6 + len("papadopuolos") + 2, "search_phone": 6}
    for name, count in descents.items():
        assert grown.large[name].pages - grown.small[name].pages <= 2 * count, name
    assert grown.large["search_word"].pages < 40
    assert grown.large["search_phone"].pages < 40


async def test_a_search_by_employer_reads_the_people_who_work_there_and_no_others(grown):
    # 25 of the 500. For each: its employment, its contact, and whether an earlier employment counts, each by a descent.
    assert grown.large["search_employer"].pages <= 25 * 3 * 4 + 30


DELETED = """
    UPDATE contacts SET deleted_at = now() WHERE id = (SELECT id FROM contacts ORDER BY id LIMIT 1);
    WITH gone AS (
        INSERT INTO organizations (user_id, name, name_key, sort_name, deleted_at)
        VALUES ('{tenant}', 'Gone', 'gone', 'gone', now())
        RETURNING id
    )
    INSERT INTO contact_employments (user_id, contact_id, organization_id, is_current, deleted_at)
    SELECT c.user_id, c.id, gone.id, false, now() FROM gone CROSS JOIN (SELECT * FROM contacts ORDER BY id LIMIT 1) AS c
"""


async def test_a_search_in_a_tenant_of_20000_touches_under_a_twentieth_of_its_pages(fresh_database):
    async with fresh_database.connect() as superuser, fresh_database.connect("pmcrm_contacts") as contacts:
        await superuser.execute("ALTER TABLE contacts DISABLE TRIGGER audit")
        [tenant] = await fill(superuser, contacts, 1, 20_000)
        numbered = "SELECT id, row_number() OVER (ORDER BY id) AS n FROM contacts"
        await superuser.execute(
            "UPDATE contacts SET notes = 'plays the theremin' "
            f"WHERE id IN (SELECT id FROM ({numbered}) AS numbered WHERE n % 100 = 0)"
        )
        # Of an index without any entry, planning reads a page each time; somebody has always deleted something.
        await superuser.execute(DELETED.format(tenant=tenant))
        await superuser.execute("VACUUM FULL contacts")
        await superuser.execute("ANALYZE contacts")
        pages = await superuser.fetchval("SELECT pg_relation_size('contacts') / 8192")
        async with bound(contacts, tenant):
            assert await contacts.fetchval(f"SELECT count(*) FROM ({search('theremin')}) AS found") == 40
            plan = await explain(contacts, search("theremin"))
    assert plan.pages < 0.05 * pages


async def test_looking_a_contact_up_by_its_keys_does_not_read_the_tenants_contacts(grown):
    # Two descents of a GIN that holds the tenant and the key, one of a btree.
    assert grown.large["find_contacts"].pages <= 40
    assert grown.large["find_contacts"].pages - grown.small["find_contacts"].pages <= 2 * 6


async def test_taking_hold_of_contacts_does_not_read_the_others_that_an_import_has_made_meanwhile(fresh_database):
    held = "SELECT * FROM app.lock_contacts(ARRAY(SELECT id FROM contacts WHERE user_id = '{}' LIMIT 10))"
    async with fresh_database.connect() as superuser, fresh_database.connect("pmcrm_contacts") as contacts:
        # Statistics, and the function's plans, are as old as the import.
        await superuser.execute("ALTER TABLE contacts DISABLE TRIGGER audit, SET (autovacuum_enabled = false)")
        [tenant] = await fill(superuser, contacts, 1, 20)
        for _ in range(8):
            async with bound(contacts, tenant):
                await contacts.execute(
                    "INSERT INTO contacts (user_id, display_name, sort_name) "
                    "SELECT $1, 'Anna ' || n, 'anna ' || n FROM generate_series(1, 500) AS n",
                    tenant,
                )
                plan = await explain(contacts, held.format(tenant))
    # For each: two descents for its redirect, two for itself, and its row.
    assert plan.pages < 10 * 5 * 4


async def bytes_each(conn: Connection, table: str) -> float:
    """A row's bytes with every index, partitions included."""
    size = await conn.fetchval(
        "SELECT pg_total_relation_size($1::regclass) + coalesce(sum(pg_total_relation_size(inhrelid)), 0)::bigint "
        "FROM pg_inherits WHERE inhparent = $1::regclass",
        table,
    )
    count = await conn.fetchval(f"SELECT count(*) FROM {table}")
    return float(size / count)


async def test_a_contact_takes_at_most_900_bytes_with_every_index(grown):
    async with grown.database.connect() as conn:
        assert await conn.fetchval("SELECT count(*) FROM contacts") == TENANTS * EACH
        assert await bytes_each(conn, "contacts") <= 900


async def test_a_contact_with_its_audit_row_takes_at_most_1300_bytes(grown):
    async with grown.database.connect() as conn:
        assert await conn.fetchval("SELECT count(*) FROM audit_logs WHERE table_name = 'contacts'") == AUDITED
        assert await bytes_each(conn, "contacts") + await bytes_each(conn, "audit_logs") <= 1300


async def test_what_is_computed_of_a_contact_takes_at_most_250_bytes(grown):
    async with grown.database.connect() as conn:
        assert await bytes_each(conn, "contact_strengths") <= 250
