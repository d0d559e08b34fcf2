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
        while self._idle:
            # The last one released: its caches are warm, and idle ones can be closed by the server.
            session = self._idle.pop()
            if not session.conn.is_closed():
                return session
            self._open -= 1
        if self._closing:
            raise _shutting_down()
        if self._open < self.size:
            self._open += 1
            return await self._connect()
        return await self._wait_for_one() or await self._connect()

    def release(self, session: Session) -> None:
        """Gives back a connection whose transaction has ended."""
        if session.conn.is_closed() or self._closing:
            self.discard(session)
        elif not self._hand_over(session):
            self._idle.append(session)

    def discard(self, session: Session) -> None:
        """Closes a connection whose state is not known; who has waited longest may open another in its place."""
        session.conn.terminate()
        self._give_up_place()

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
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(_shutting_down())
        self._waiting.clear()

    async def _connect(self) -> Session:
        """Opens a connection in a place that is counted already."""
        conn: asyncpg.Connection[Any] | None = None
        try:
            conn = await asyncpg.connect(
                self._url,
                timeout=CONNECT_SECONDS,
                statement_cache_size=0,
                server_settings={"application_name": self._name},
            )
            await conn.set_type_codec("jsonb", encoder=_to_json, decoder=json.loads, schema="pg_catalog")
        except BaseException as error:
            if conn is not None:
                conn.terminate()
            self._give_up_place()
            if isinstance(error, OSError | TimeoutError | asyncpg.PostgresError | asyncpg.InterfaceError):
                raise Unavailable("DATABASE_UNAVAILABLE", "the database cannot be reached") from error
            raise
        return Session(conn, self._keeps_statements)

    async def _wait_for_one(self) -> Session | None:
        """A connection that came back; None for the place of one that did not, in which to open another."""
        waiter: asyncio.Future[Session | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(self._wait):
                return await waiter
        except BaseException as error:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            elif not waiter.cancelled() and waiter.exception() is None:
                # What was handed over in the moment in which the wait ended must not be lost.
                session = waiter.result()
                if session is None:
                    self._give_up_place()
                else:
                    self.release(session)
            if isinstance(error, TimeoutError):
                raise Unavailable("DATABASE_BUSY", "no database connection became free in time") from None
            raise

    def _give_up_place(self) -> None:
        if not self._hand_over(None):
            self._open -= 1

    def _hand_over(self, session: Session | None) -> bool:
        """Gives a connection, or the place of one, to who has waited longest. False when nobody waits."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(session)
                return True
        return False


def _shutting_down() -> Unavailable:
    return Unavailable("DATABASE_UNAVAILABLE", "the service is shutting down")


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_as_text)


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(f"a parameter holds a {type(value).__name__}, which JSON does not have")
