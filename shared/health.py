"""`grpc.health.v1` that follows the database: NOT_SERVING while it cannot be reached, and while the server drains."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import structlog
from grpc_health.v1 import health, health_pb2

from shared.metrics import Metrics
from shared.pool import Pool

log = structlog.get_logger()

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING

INTERVAL = 1.0

# A database that does not answer `SELECT 1` in this many seconds counts as gone.
PATIENCE = 2.0


class DatabaseWatch:
    """Looks at the database once a second, on a connection of its own, and tells health and metrics what it saw.

    A connection of its own, because one from the pool would report a busy service as one without a database.
    """

    def __init__(
        self, url: str, pool: Pool, servicer: health.aio.HealthServicer, names: list[str], metrics: Metrics
    ) -> None:
        self._url = url
        self._pool = pool
        self._servicer = servicer
        self._names = ["", *names]
        self._metrics = metrics
        self._conn: asyncpg.Connection[Any] | None = None
        self._up: bool | None = None

    async def run(self) -> None:
        """Looks until it is cancelled."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(INTERVAL)
        finally:
            self._drop_connection()

    async def look(self) -> None:
        """One look: sets the health of every name, and the gauges."""
        up = await self._ping()
        if up != self._up:
            self._up = up
            log.info("database_up" if up else "database_down", service=self._metrics.service)
            for name in self._names:
                await self._servicer.set(name, SERVING if up else NOT_SERVING)
        self._metrics.database_up.set(int(up))
        self._metrics.pool_size.set(self._pool.size)
        self._metrics.pool_in_use.set(self._pool.in_use)
        self._metrics.pool_waiting.set(self._pool.waiting)

    async def _ping(self) -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                if self._conn is None or self._conn.is_closed():
                    self._conn = await asyncpg.connect(self._url, statement_cache_size=0)
                await self._conn.execute("SELECT 1")
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            self._drop_connection()
            return False
        return True

    def _drop_connection(self) -> None:
        if self._conn is not None:
            self._conn.terminate()
            self._conn = None
