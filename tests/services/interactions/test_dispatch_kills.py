"""Claimers and services that are killed: nothing that is due is lost, and each is acknowledged once.

Real processes, killed with SIGKILL at random, over PostgreSQL.
"""

from __future__ import annotations

import asyncio
import random
import re
import uuid
from contextlib import AsyncExitStack
from datetime import timedelta

from tests.postgres import Connection, Database
from tests.runtime.processes import Process, environment, started
from tests.services.interactions.conftest import InteractionsClient
from tests.services.interactions.reminder_calls import Reminding, leads
from tests.suite import Client

LISTENS = re.compile(r"interactions listens on port (\d+)")
CLAIMING = re.compile("claiming")

TENANTS = 5
REMINDERS = 30
LEADS = (timedelta(0), timedelta(hours=1))
CLAIMERS = 4
KILLS = 12
PATIENCE = 120

OUTSTANDING = "SELECT count(*) FROM reminder_notifications WHERE occurrence_local IS NOT NULL"
ACCEPTED = """
    SELECT reminder_id, lead_seconds, count(*) FILTER (WHERE outcome = 'ACCEPTED') AS accepted
    FROM reminder_leases GROUP BY reminder_id, lead_seconds
"""


async def fill(client: Client, interactions: InteractionsClient) -> set[tuple[uuid.UUID, int]]:
    """Reminders of several tenants, all due; returns each with its lead times."""
    expected = set()
    for _ in range(TENANTS):
        reminding = Reminding(interactions, await client.new_tenant())
        made = await asyncio.gather(*(reminding.due(notification=leads(*LEADS)) for _ in range(REMINDERS)))
        expected |= {(uuid.UUID(one.id), int(lead.total_seconds())) for one in made for lead in LEADS}
    return expected


async def test_killed_claimers_and_services_lose_nothing_and_double_nothing(
    database: Database, client: Client, interactions: InteractionsClient, as_superuser: Connection
) -> None:
    expected = await fill(client, interactions)
    chance = random.Random(7)
    settings = environment(database, DATABASE_URL=database.service("interactions"), PMCRM_INTERACTIONS_PORT=0)
    async with AsyncExitStack() as stack:

        async def start(*command: object) -> Process:
            return await stack.enter_async_context(started([str(part) for part in command], settings))

        services = [await start("-m", "services.interactions") for _ in range(2)]
        ports = [int((await service.line(LISTENS))[1]) for service in services]
        claimers = [await start("-m", "tests.services.interactions.claimer", n, *ports) for n in range(CLAIMERS)]
        for claimer in claimers:
            await claimer.line(CLAIMING)
        async with asyncio.timeout(PATIENCE):
            for killed in range(KILLS):
                await asyncio.sleep(chance.random() * 0.5)
                place = chance.randrange(CLAIMERS)
                claimers[place].process.kill()
                claimers[place] = await start("-m", "tests.services.interactions.claimer", CLAIMERS + killed, *ports)
                if killed == KILLS // 2:
                    services[0].process.kill()
            while await as_superuser.fetchval(OUTSTANDING):  # noqa: ASYNC110 - what others write
                await asyncio.sleep(0.2)
    rows = await as_superuser.fetch(ACCEPTED)
    assert {(row["reminder_id"], row["lead_seconds"]) for row in rows} == expected
    assert {row["accepted"] for row in rows} == {1}
    # The kills met claimers at work: some leases ran out, and were handed out again.
    assert await as_superuser.fetchval("SELECT count(*) FROM reminder_leases WHERE attempt > 1") > 0
