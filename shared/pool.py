"""A pool of connections that costs nothing on the way of a request.

asyncpg's own pool resets a connection at every release (a round trip) and wraps it in a proxy. Here a connection is
returned only after COMMIT or ROLLBACK was acknowledged, every setting is bound to a transaction, and so there is
nothing to reset. Each connection keeps the statements that it has prepared.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from shared.errors import Unavailable
from shared.queries import Query

CONNECT_SECONDS = 5.0


class Session:
    """One connection and the statements prepared on it.

    keeps_statements: false below PgBouncer 1.21, where the next transaction may run on another server connection.
    """

    __slots__ = ("_statements", "conn", "keeps_statements")

    def __init__(self, conn: asyncpg.Connection[Any], keeps_statements: bool) -> None:
        self.conn = conn
        self.keeps_statements = keeps_statements
        self._statements: dict[Query, Any] = {}

    async def fetch(self, query: Query, args: Sequence[object]) -> list[asyncpg.Record]:
        """All rows of a statement."""
        if not self.keeps_statements:
            return await self.conn.fetch(query.sql, *args)
        statement = self._statements.get(query) or await self._prepare(query)
        rows: list[asyncpg.Record] = await statement.fetch(*args)
        return rows

    async def fetchrow(self, query: Query, args: Sequence[object]) -> asyncpg.Record | None:
        """The first row of a statement, or None."""
        if not self.keeps_statements:
            return await self.conn.fetchrow(query.sql, *args)
        statement = self._statements.get(query) or await self._prepare(query)
        row: asyncpg.Record | None = await statement.fetchrow(*args)
        return row

    async def _prepare(self, query: Query) -> Any:
        statement = await self.conn.prepare(query.sql)
        self._statements[query] = statement
        return statement


class Pool:
    """At most `size` connections to one database as one role, opened when they are first needed.

    url: libpq connection URL.
    size: connections.
    wait: seconds that a call waits for a connection before it hears DATABASE_BUSY.
    keeps_statements: false below PgBouncer 1.21, which does not carry prepared statements.
    name: `application_name`, seen in pg_stat_activity.
    """

    def __init__(
        self, url: str, *, size: int, wait: float = 5.0, keeps_statements: bool = True, name: str = "pmcrm"
    ) -> None:
        self.size = size
        self._url = url
        self._wait = wait
        self._keeps_statements = keeps_statements
        self._name = name
        self._idle: list[Session] = []
        self._waiting: deque[asyncio.Future[Session | None]] = deque()
        self._open = 0
        self._closing = False

    @property
    def open(self) -> int:
        """Connections that are open or being opened."""
        return self._open

    @property
    def in_use(self) -> int:
        """Connections that a call holds."""
        return self._open - len(self._idle)

    @property
    def waiting(self) -> int:
        """Calls that wait for a connection."""
        return len(self._waiting)

    async def acquire(self) -> Session:
        """A connection that is this caller's until `release` or `discard`.

        Raises Unavailable: DATABASE_UNAVAILABLE when none can be opened, DATABASE_BUSY when none was free in time.
        """
        deadline: float | None = None
        while True:
            while self._idle:
                # The last one released: its caches are warm, and idle ones can be closed by the server.
                session = self._idle.pop()
                if not session.conn.is_closed():
                    return session
                self._open -= 1
            if self._closing:
                raise Unavailable("DATABASE_UNAVAILABLE", "the service is shutting down")
            if self._open < self.size:
                return await self._connect()
            loop = asyncio.get_running_loop()
            deadline = deadline or loop.time() + self._wait
            session_or_none = await self._wait_for_one(deadline - loop.time())
            if session_or_none is not None:
                return session_or_none

    def release(self, session: Session) -> None:
        """Gives back a connection whose transaction has ended."""
        if session.conn.is_closed() or self._closing:
            self.discard(session)
            return
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(session)
                return
        self._idle.append(session)

    def discard(self, session: Session) -> None:
        """Closes a connection whose state is not known, and lets the next waiter open another."""
        session.conn.terminate()
        self._open -= 1
        self._let_next_try()

    async def close(self) -> None:
        """Closes the idle connections; those in use are closed when they come back."""
        self._closing = True
        while self._idle:
            session = self._idle.pop()
            self._open -= 1
            try:
                await session.conn.close(timeout=1)
            except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                session.conn.terminate()
        while self._waiting:
            self._let_next_try()

    async def _connect(self) -> Session:
        self._open += 1
        try:
            conn = await asyncpg.connect(
                self._url,
                timeout=CONNECT_SECONDS,
                statement_cache_size=0,
                server_settings={"application_name": self._name},
            )
            await conn.set_type_codec("jsonb", encoder=_to_json, decoder=json.loads, schema="pg_catalog")
        except BaseException as error:
            self._open -= 1
            self._let_next_try()
            if isinstance(error, OSError | TimeoutError | asyncpg.PostgresError | asyncpg.InterfaceError):
                raise Unavailable("DATABASE_UNAVAILABLE", "the database cannot be reached") from error
            raise
        return Session(conn, self._keeps_statements)

    async def _wait_for_one(self, seconds: float) -> Session | None:
        waiter: asyncio.Future[Session | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(seconds):
                return await waiter
        except BaseException as error:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            elif waiter.done() and not waiter.cancelled():
                # What was handed over in the moment in which the wait ended must not be lost.
                session = waiter.result()
                if session is None:
                    self._let_next_try()
                else:
                    self.release(session)
            if isinstance(error, TimeoutError):
                raise Unavailable("DATABASE_BUSY", "no database connection became free in time") from None
            raise

    def _let_next_try(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_as_text)


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(f"a parameter holds a {type(value).__name__}, which JSON does not have")
