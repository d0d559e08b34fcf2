"""A `Database` without a server around it, for tests of what happens inside of a transaction."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_pb2 import Contact

from shared import database as runtime
from shared.caller import Caller, caller
from shared.metrics import Metrics
from shared.pool import Pool
from shared.queries import Query
from tests.postgres import Connection

# A safety net of tests that wait for something to happen; it decides nothing.
PATIENCE = 20.0


def query(sql: str) -> Query:
    """A statement; `$1` is the tenant."""
    return Query("of_a_test", (), sql, Path(__file__))


@contextlib.asynccontextmanager
async def acting(url: str, **pool: Any) -> AsyncIterator[runtime.Database]:
    """The runtime's database as the role that a URL names."""
    opened = runtime.Database(Pool(url, **({"size": 2} | pool)), Metrics("contacts"))
    try:
        yield opened
    finally:
        await opened.close()


async def new_user(conn: Connection) -> uuid.UUID:
    """A tenant, made by the superuser."""
    made: uuid.UUID = await conn.fetchval("INSERT INTO users (display_name) VALUES ('Test') RETURNING id")
    return made


def act_as(tenant: uuid.UUID | None, **facts: Any) -> None:
    """Makes this task's calls those of a tenant."""
    caller.set(Caller(request_id=str(uuid.uuid4()), tenant=tenant, **facts))


def request() -> pb.CreateContactRequest:
    """A mutation without a request_id."""
    return pb.CreateContactRequest()


async def mutate(database: runtime.Database, effect: Callable[[runtime.Transaction], Awaitable[object]]) -> Contact:
    async def answer(tx: runtime.Transaction) -> Contact:
        await effect(tx)
        return Contact()

    return await database.mutate(request(), Contact, answer)


async def until(condition: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    """Waits until something is so; fails when it never is."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = condition()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.01)


OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = 'pmcrm_contacts' AND {condition}
"""


async def count_of(conn: Connection, condition: str) -> int:
    """How many of the service role's connections are in some state, as the server sees them."""
    count: int = await conn.fetchval(OTHERS.format(condition=condition))
    return count


async def nothing_is_left(database: runtime.Database, conn: Connection) -> None:
    """Waits until every connection is back in the pool and none of them is in a transaction."""
    await until(lambda: database.pool.in_use == 0 and not database._background)
    assert await count_of(conn, "state <> 'idle'") == 0
    assert database.pool.waiting == 0


async def reached(event: asyncio.Event) -> None:
    """Waits for something that must happen."""
    async with asyncio.timeout(PATIENCE):
        await event.wait()
