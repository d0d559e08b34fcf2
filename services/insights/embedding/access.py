"""How embedding reaches the database: as a call of a tenant, or as the worker for one tenant after the other.

No transaction is open while a provider is asked, so both are asked for one again and again.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol, TypeAlias, TypeVar

import asyncpg
from google.protobuf.empty_pb2 import Empty

from shared.binding import bind
from shared.database import ATTEMPTS, Database, Transaction
from shared.errors import UNDONE_BY_CONCURRENCY
from shared.pool import Session

Result = TypeVar("Result")
Connection: TypeAlias = "asyncpg.Connection[Any]"


class Access(Protocol):
    """Transactions of one tenant."""

    def reading(self) -> AbstractAsyncContextManager[Transaction]:
        """One that reads."""

    async def writing(self, effect: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """What `effect` returns, in one that writes; it is tried again when another transaction undid it."""


class CallAccess:
    """Transactions of the tenant that calls, as the service's role."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """One that reads."""
        async with self._database.reading() as tx:
            yield tx

    async def writing(self, effect: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """What `effect` returns, in one that writes."""
        results: list[Result] = []

        async def keep(tx: Transaction) -> Empty:
            results.append(await effect(tx))
            return Empty()

        await self._database.claim(None, Empty, keep)
        return results[-1]


class WorkerAccess:
    """Transactions of one tenant on a connection as pmcrm_service."""

    def __init__(self, conn: Connection, tenant: uuid.UUID) -> None:
        self._conn = conn
        self._tenant = tenant

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """One that reads."""
        async with self._conn.transaction(readonly=True):
            await self._conn.execute(bind(self._tenant))
            yield Transaction(Session(self._conn, keeps_statements=False), self._tenant)

    async def writing(self, effect: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """What `effect` returns, in one that writes."""
        for number in range(1, ATTEMPTS + 1):
            try:
                async with self._conn.transaction():
                    await self._conn.execute(bind(self._tenant))
                    return await effect(Transaction(Session(self._conn, keeps_statements=False), self._tenant))
            except UNDONE_BY_CONCURRENCY:
                if number == ATTEMPTS:
                    raise
                # Random, so that two that undid each other do not meet again.
                await asyncio.sleep(random.uniform(0.005, 0.02) * number)  # noqa: S311 - not a secret
        raise AssertionError("unreachable")
