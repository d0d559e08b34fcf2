"""Insights in the database: lists go through indexes, triggers keep to the bound tenant, a task serves every tenant."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
import structlog
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from cli import maintenance
from services.insights import generating_for_all
from services.insights.generating_for_all import TenantsFailed, generate_for_all, generate_where_possible
from shared import queries
from shared.settings import Settings, SettingsError
from tests.database.networks import Network, ago
from tests.database.rows import Tenant, add_tenant
from tests.postgres import Connection, Database, bound
from tests.suite import settings_for

QUERIES = queries.load(Path(__file__).parents[2] / "services/insights/queries")

ORDERS = {"create_time": "created", "confidence": "confidence", "expire_time": "expiry"}

FILL = """
    INSERT INTO ai_insights (
        user_id, created_at, as_of, expires_at, confidence, type, rule, rule_version, title, body, said, finding,
        finding_key, evidence
    )
    SELECT
        $1, now() - n * interval '1 minute', now(), now() + (1 + n * 7 % 4000) * interval '1 hour',
        n * 13 % 4001 / 4001.0, 'OVERDUE', 'overdue', '1', 'Write', 'Soon.', sha256('said'), ARRAY[n::text],
        sha256(n::text::bytea), '[]'
    FROM generate_series(1, $2) AS n
"""


@pytest_asyncio.fixture(scope="module")
async def crowd(database: Database) -> AsyncIterator[uuid.UUID]:
    """A tenant with 4 000 pending insights, among others."""
    async with database.connect() as conn:
        tenants = [await conn.fetchval("INSERT INTO users DEFAULT VALUES RETURNING id") for _ in range(3)]
        for tenant in tenants:
            async with bound(conn, tenant):
                await conn.execute(FILL, tenant, 4000)
        await conn.execute("VACUUM ANALYZE ai_insights")
        yield tenants[1]


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        if child.get("Parent Relationship") != "SubPlan":  # whom an insight is about
            yield from nodes_of(child)


@pytest.mark.parametrize("descending", [False, True], ids=["ascending", "descending"])
@pytest.mark.parametrize("order", ORDERS)
async def test_a_page_begins_where_the_index_says(
    database: Database, crowd: uuid.UUID, order: str, descending: bool
) -> None:
    query = QUERIES[f"list_insights_by_{order}{'_desc' if descending else ''}"]
    rest = "21, 0, false, false, NULL, ARRAY['PENDING'], NULL, NULL"
    async with database.connect("pmcrm_insights") as conn, bound(conn, crowd):
        await conn.execute(f"PREPARE page ({', '.join(query.types)}) AS {query.sql}")
        middle = await conn.fetchrow(
            f"SELECT {order}::text AS place, id FROM insight_rows WHERE user_id = $1 ORDER BY {order} OFFSET 2000",
            crowd,
        )
        assert middle is not None
        for place in ("NULL, NULL", f"'{middle['place']}', '{middle['id']}'"):
            statement = f"EXECUTE page ('{crowd}', {place}, {rest})"
            for _ in range(7):  # PostgreSQL has settled on a plan by then
                found = await conn.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}")
            top = json.loads(found)[0]["Plan"]
            nodes = list(nodes_of(top))
            scans = [node for node in nodes if node.get("Index Name") == f"ai_insights_{ORDERS[order]}_idx"]
            assert len(scans) == 1, nodes
            assert "ROW(" in scans[0]["Index Cond"]
            assert not [node for node in nodes if node["Node Type"] in ("Sort", "Seq Scan")]
            assert top["Shared Hit Blocks"] + top["Shared Read Blocks"] < 150


async def test_what_insights_name_is_written_for_the_bound_tenant_alone(database: Database) -> None:
    async with database.connect() as conn:
        tenant = await add_tenant(conn)
        await conn.execute("DELETE FROM ai_insight_contacts WHERE user_id = $1", tenant.id)
        tie = "INSERT INTO ai_insight_contacts (user_id, insight_id, contact_id) VALUES ($1, $2, $2)"
        for somebody in (None, uuid.uuid4()):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="is not bound"):
                async with bound(conn, somebody):
                    await conn.execute(tie, tenant.id, tenant.contact)
        restrict = "UPDATE contacts SET processing_restricted = true WHERE id = $1"
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="is not bound"):
            async with bound(conn, uuid.uuid4()):
                await conn.execute(restrict, tenant.contact)


async def test_a_hidden_insight_cannot_be_written_over(database: Database) -> None:
    async with database.connect() as conn:
        tenant: Tenant = await add_tenant(conn)
        async with bound(conn, tenant.id):
            await conn.execute("UPDATE contacts SET processing_restricted = true WHERE id = $1", tenant.contact)
    dismiss = "UPDATE ai_insights SET status = 'DISMISSED', resolved_at = now() WHERE user_id = $1"
    async with database.connect("pmcrm_insights") as insights, bound(insights, tenant.id):
        assert await insights.fetch("SELECT FROM ai_insights") == []
        assert await insights.execute(dismiss, tenant.id) == "UPDATE 0"


async def test_standing_contacts_are_those_of_the_bound_tenant(database: Database) -> None:
    async with database.connect() as conn:
        mine, other = await add_tenant(conn), await add_tenant(conn)
    statement = "SELECT asked FROM app.standing_contacts($1)"
    async with database.connect("pmcrm_insights") as insights:
        async with bound(insights, mine.id):
            assert await insights.fetch(statement, [mine.contact, other.contact, uuid.uuid4()]) == [(mine.contact,)]
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await insights.fetch(statement, [mine.contact])


@pytest_asyncio.fixture
async def networks(fresh_database: Database) -> AsyncIterator[list[Network]]:
    """All tenants of a database: four with an overdue contact and a restricted one, the third of which is closed."""
    made = []
    async with fresh_database.connect("pmcrm_interactions") as conn, fresh_database.connect() as superuser:
        for closed in (None, None, ago(days=1), None):
            tenant = await superuser.fetchval("INSERT INTO users (deleted_at) VALUES ($1) RETURNING id", closed)
            network = Network(conn, superuser, tenant)
            for restricted in (False, True):
                contact = await network.contact(keep_in_touch_days=7)
                await network.interaction(contact, type="MEETING", direction="MUTUAL", occurred_at=ago(days=100))
                async with bound(superuser, tenant):
                    await superuser.execute(
                        "UPDATE contacts SET processing_restricted = $2 WHERE id = $1", contact, restricted
                    )
            made.append(network)
        yield made


async def insights_of(networks: list[Network]) -> list[int]:
    """How many pending insights each of the tenants has."""
    count = "SELECT count(*) FROM ai_insights WHERE user_id = $1 AND type = 'OVERDUE' AND status = 'PENDING'"
    return [await network.watching.fetchval(count, network.tenant) for network in networks]


async def command(database: Database, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setenv("DATABASE_URL_SERVICE", database.operator)
    monkeypatch.setenv("DATABASE_URL", database.service("insights"))
    return await asyncio.to_thread(lambda: CliRunner().invoke(maintenance.app, ["generate-insights"]))


async def test_every_active_tenant_gets_its_insights_once(
    networks: list[Network], fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = await command(fresh_database, monkeypatch)
    assert result.exit_code == 0, result.output
    assert "3 tenants: 3 insights created, 0 superseded." in result.output
    assert await insights_of(networks) == [1, 1, 0, 1]
    result = await command(fresh_database, monkeypatch)
    assert "3 tenants: 0 insights created, 0 superseded." in result.output
    assert await insights_of(networks) == [1, 1, 0, 1]
    actors = await networks[0].watching.fetch(
        "SELECT DISTINCT convert_from(actor::bytea, 'UTF8') FROM audit_logs WHERE table_name = 'ai_insights'"
    )
    assert actors == [("pmcrm maintenance generate-insights",)]


async def test_a_tenant_that_fails_is_named_and_keeps_nobody_from_theirs(
    networks: list[Network], fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One that has written already in this process goes on writing to where it did then.
    monkeypatch.setattr(generating_for_all, "log", structlog.get_logger())
    failing = networks[1]
    await failing.watching.execute("UPDATE users SET time_zone = 'Atlantis/Capital' WHERE id = $1", failing.tenant)
    with capture_logs() as logged:
        result = await command(fresh_database, monkeypatch)
    assert result.exit_code == 1
    assert "3 tenants: 2 insights created" in result.output
    assert [str(entry["tenant"]) for entry in logged if "tenant" in entry] == [str(failing.tenant)]
    assert await insights_of(networks) == [1, 0, 0, 1]
    async with fresh_database.connect("pmcrm_service") as conn:
        with pytest.raises(TenantsFailed):
            await generate_where_possible(conn, settings_for(fresh_database))


async def test_it_tells_how_far_it_is(networks: list[Network], fresh_database: Database) -> None:
    seen = []
    async with fresh_database.connect("pmcrm_service") as conn:
        await generate_for_all(conn, settings_for(fresh_database), lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


async def test_rules_are_asked_as_nobody_who_sees_more(networks: list[Network], fresh_database: Database) -> None:
    settings = settings_for(fresh_database).with_role_urls({**fresh_database.urls, "insights": fresh_database.operator})
    async with fresh_database.connect("pmcrm_service") as conn:
        with pytest.raises(SettingsError, match="pmcrm_service"):
            await generate_for_all(conn, settings)
        worker = Settings.load(database_url_service=fresh_database.operator)
        assert "nothing" in await generate_where_possible(conn, worker)
    assert await insights_of(networks) == [0, 0, 0, 0]


async def test_worker_and_command_do_the_same(networks: list[Network], fresh_database: Database) -> None:
    async with fresh_database.connect("pmcrm_service") as conn:
        did = await generate_where_possible(conn, settings_for(fresh_database))
    assert did == "3 created, 0 superseded"
    assert await insights_of(networks) == [1, 1, 0, 1]


async def test_a_connection_that_is_no_superusers_sees_no_other_tenants(
    networks: list[Network], fresh_database: Database
) -> None:
    conn: Connection
    async with fresh_database.connect("pmcrm_service") as service:
        await generate_for_all(service, settings_for(fresh_database))
    async with fresh_database.connect("pmcrm_insights") as conn, bound(conn, networks[0].tenant):
        assert await conn.fetch("SELECT DISTINCT user_id FROM insight_rows") == [(networks[0].tenant,)]
