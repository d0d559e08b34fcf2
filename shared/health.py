"""`grpc.health.v1` that follows the database: NOT_SERVING while it cannot be reached, and while the server drains."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc

from shared.layers import Context
from shared.metrics import Metrics
from shared.pool import Pool

log = structlog.get_logger()

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN

INTERVAL = 1.0

# A database that does not answer `SELECT 1` in this many seconds counts as gone.
PATIENCE = 2.0


class Health(health_pb2_grpc.HealthServicer):
    """The health of each service name, and of `""` for the whole server.

    Not grpcio-health-checking's servicer: its Watch never ends, and one open stream would hold up every drain.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(("", *names))
        self._status = NOT_SERVING
        self._draining = False
        self._changed = asyncio.Event()

    def set(self, serving: bool) -> None:
        """What every name answers from now on. Without effect while draining."""
        if not self._draining:
            self._tell(SERVING if serving else NOT_SERVING)

    def drain(self) -> None:
        """NOT_SERVING for good; streams that watch hear so and end."""
        self._draining = True
        self._tell(NOT_SERVING)

    def _tell(self, status: Any) -> None:
        self._status = status
        self._changed.set()
        self._changed = asyncio.Event()

    async def Check(self, request: health_pb2.HealthCheckRequest, context: Context) -> health_pb2.HealthCheckResponse:
        """The status of one name; NOT_FOUND for a name that is not served here."""
        if request.service not in self._names:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service here")
        return health_pb2.HealthCheckResponse(status=self._status)

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Context) -> None:
        """The status now and whenever it changes; SERVICE_UNKNOWN for a name that is not served here."""
        told = None
        while True:
            changed = self._changed
            status = self._status if request.service in self._names else SERVICE_UNKNOWN
            if status != told:
                await context.write(health_pb2.HealthCheckResponse(status=status))
                told = status
            elif self._draining:
                return
            else:
                await changed.wait()


class DatabaseWatch:
    """Looks at the database once a second, on a connection of its own, and tells health and metrics what it saw.

    A connection of its own, because one from the pool would report a busy service as one without a database.
    """

    def __init__(self, url: str, pool: Pool, health: Health, metrics: Metrics) -> None:
        self._url = url
        self._pool = pool
        self._health = health
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
        """One look: sets the health, and the gauges."""
        up = await self._ping()
        if up != self._up:
            self._up = up
            log.info("database_up" if up else "database_down", service=self._metrics.service)
            self._health.set(up)
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
        except Exception:  # noqa: BLE001 - whatever keeps the database from answering; health must not stop looking
            self._drop_connection()
            return False
        return True

    def _drop_connection(self) -> None:
        if self._conn is not None:
            self._conn.terminate()
            self._conn = None
