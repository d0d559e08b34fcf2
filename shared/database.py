"""The one way into the database: a transaction bound to the calling tenant.

A reading transaction takes three round trips: `BEGIN READ ONLY; SET LOCAL app.current_user_id = …` as one simple
message, the statement, `COMMIT`. A mutation takes the same, and one more when the caller sent a `request_id`.
Row-level security reads the setting; without a tenant no transaction begins.
"""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, TypeVar, cast

import asyncpg
from google.protobuf.message import Message

from shared import idempotency
from shared.binding import begin_operating, begin_reading, begin_snapshot, begin_writing, bound_tenant
from shared.breakage import OUTDATED, is_lost, names_tenant
from shared.caller import caller
from shared.errors import (
    UNDONE_BY_CONCURRENCY,
    FailedPrecondition,
    Unauthenticated,
    Unavailable,
    UnknownOutcome,
)
from shared.metrics import Metrics
from shared.pool import Pool, Session
from shared.queries import Query

Answer = TypeVar("Answer", bound=Message)

# A row by column name. asyncpg's Record is one in all but its type.
Row = Mapping[str, Any]

# Attempts at a mutation that the database undid because of another one.
ATTEMPTS = 4

# Seconds for the ROLLBACK of an abandoned transaction; a connection that takes longer is closed.
ROLLBACK_SECONDS = 5.0


class Transaction:
    """A transaction that has begun. Every statement gets the tenant as `$1`; operator transactions have none."""

    __slots__ = ("_bound", "_session", "tenant")

    def __init__(self, session: Session, tenant: uuid.UUID | None) -> None:
        self._session = session
        self._bound: tuple[uuid.UUID, ...] = () if tenant is None else (tenant,)
        self.tenant = tenant

    async def fetch(self, query: Query, *args: object) -> list[Row]:
        """All rows of a statement."""
        rows: list[Row] = cast("Any", await self._session.fetch(query, (*self._bound, *args)))
        return rows

    async def fetchrow(self, query: Query, *args: object) -> Row | None:
        """The first row of a statement; None when it has none."""
        row: Row | None = cast("Any", await self._session.fetchrow(query, (*self._bound, *args)))
        return row

    async def fetchval(self, query: Query, *args: object) -> Any:
        """The first column of the first row; None when there is no row."""
        row = await self.fetchrow(query, *args)
        return None if row is None else next(iter(row.values()))


Effect = Callable[[Transaction], Awaitable[Answer]]


class Database:
    """The database as one service's role, and as the service role for operator RPCs where that is configured."""

    def __init__(self, pool: Pool, metrics: Metrics, operator_pool: Pool | None = None) -> None:
        self.pool = pool
        self.operator_pool = operator_pool
        self.metrics = metrics
        self._background: set[asyncio.Task[None]] = set()

    def reading(self) -> Reading:
        """`async with database.reading() as tx`: a READ ONLY transaction of the calling tenant."""
        return self.reading_as(bound_tenant(caller.get()))

    def snapshot(self) -> Reading:
        """`reading()` for several statements that must see the tenant at one moment, such as an export's pages."""
        tenant = bound_tenant(caller.get())
        return Reading(self, tenant, self.pool, begin_snapshot(tenant))

    def reading_as(self, tenant: uuid.UUID) -> Reading:
        """The same for a tenant that is not accepted yet: how its state is looked up."""
        return Reading(self, tenant, self.pool, begin_reading(tenant))

    async def mutate(self, request: Message, answer: type[Answer], effect: Effect[Answer]) -> Answer:
        """Runs `effect` in a transaction of the calling tenant and returns its answer, once per `request_id`.

        request: the RPC's request; its `request_id` field names the mutation, empty means that repeats are not known.
        Raises UNKNOWN_OUTCOME when the connection was lost while committing, CONCURRENT_CHANGE (ABORTED) when other
        transactions undid this one several times.
        """
        return await self.claim(idempotency.claim_of(request, bound_tenant(caller.get())), answer, effect)

    async def claim(self, claim: idempotency.Claim | None, answer: type[Answer], effect: Effect[Answer]) -> Answer:
        """`mutate` for a call whose claim is not made of one request: a stream that was read to its end."""
        who = caller.get()
        tenant = bound_tenant(who)
        begin = begin_writing(tenant, who)
        return await self._with_retries(lambda: self._once(self.pool, begin, tenant, claim, answer, effect))

    async def operate(
        self, request: Message, answer: type[Answer], effect: Effect[Answer], *, about: uuid.UUID | None = None
    ) -> Answer:
        """The same as the service role, which no policy holds back. The caller's operator scope was checked before.

        about: the tenant whose rows the statements name as `$1`; None for statements that name none.
        """
        return await self.claim_operating(idempotency.claim_of(request, None), answer, effect, about=about)

    async def claim_operating(
        self,
        claim: idempotency.Claim | None,
        answer: type[Answer],
        effect: Effect[Answer],
        *,
        about: uuid.UUID | None = None,
    ) -> Answer:
        """`operate` for one of the several transactions that an operator's call takes, a tenant each."""
        pool = self._operators_pool()
        # Bound where it is about one tenant, because triggers derive for a bound tenant alone.
        begin = begin_operating(caller.get()) if about is None else begin_writing(about, caller.get())
        return await self._with_retries(lambda: self._once(pool, begin, about, claim, answer, effect))

    def operating(self, about: uuid.UUID | None = None) -> Reading:
        """A READ ONLY transaction as the service role, whose statements name the tenant `about`, if any, as `$1`."""
        return Reading(self, about, self._operators_pool(), "BEGIN READ ONLY")

    def operating_snapshot(self, about: uuid.UUID) -> Reading:
        """`snapshot()` of the tenant `about`, as the service role."""
        return Reading(self, about, self._operators_pool(), begin_snapshot(about))

    def _operators_pool(self) -> Pool:
        if self.operator_pool is None:
            raise FailedPrecondition("OPERATOR_NOT_CONFIGURED", "DATABASE_URL_SERVICE is not set for this service")
        return self.operator_pool

    async def close(self) -> None:
        """Waits for the transactions that are being ended, then closes the pools."""
        if self._background:
            await asyncio.wait(self._background, timeout=ROLLBACK_SECONDS)
        await self.pool.close()
        if self.operator_pool is not None:
            await self.operator_pool.close()

    async def _with_retries(self, attempt: Callable[[], Awaitable[Answer]]) -> Answer:
        for number in range(1, ATTEMPTS + 1):
            try:
                return await attempt()
            except UNDONE_BY_CONCURRENCY:
                if number == ATTEMPTS:
                    raise
                # Random, so that two that undid each other do not meet again.
                await asyncio.sleep(random.uniform(0.005, 0.02) * number)  # noqa: S311 - not a secret
        raise AssertionError("unreachable")

    async def _once(
        self,
        pool: Pool,
        begin: str,
        tenant: uuid.UUID | None,
        claim: idempotency.Claim | None,
        answer_type: type[Answer],
        effect: Effect[Answer],
    ) -> Answer:
        session = await pool.acquire()
        started = time.perf_counter()
        commit = "COMMIT"
        try:
            await session.conn.execute(begin)
            tx = Transaction(session, tenant)
            first_answer = None if claim is None else await claim.make(Transaction(session, claim.tenant))
            if first_answer is not None:
                answer = answer_type.FromString(first_answer)
            else:
                answer = await effect(tx)
                if claim is not None:
                    commit = f"{claim.keeping(answer)}; COMMIT"
        except BaseException as error:
            await self.undo(pool, session, error, writing=True)
            raise
        # Shielded: a caller that goes away must not leave the connection in the middle of a COMMIT.
        await asyncio.shield(self._in_background(self._commit(pool, session, commit)))
        self.metrics.observe_transaction("write", time.perf_counter() - started)
        return answer

    async def _commit(self, pool: Pool, session: Session, commit: str) -> None:
        try:
            status = await session.conn.execute(commit)
        except BaseException as error:
            if is_lost(session, error):
                pool.discard(session)
                raise UnknownOutcome from error
            await self._roll_back(pool, session)
            raise
        pool.release(session)
        if status != "COMMIT":
            # PostgreSQL answers COMMIT with ROLLBACK when a statement had failed before.
            raise RuntimeError("a failed statement was swallowed inside a mutation")

    async def undo(self, pool: Pool, session: Session, error: BaseException, *, writing: bool = False) -> None:
        """Ends a transaction that failed. Raises the error in our terms when there is a better one than `error`."""
        if is_lost(session, error):
            pool.discard(session)
            raise Unavailable("DATABASE_UNAVAILABLE", "the connection to the database was lost") from error
        if isinstance(error, OUTDATED):
            pool.discard(session)
            raise Unavailable("DATABASE_UNAVAILABLE", "the database was migrated meanwhile") from error
        if writing and isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            # What was the primary when the connection was opened may be a standby now.
            pool.discard(session)
            raise Unavailable("DATABASE_UNAVAILABLE", "the database takes no writes") from error
        rollback = self._in_background(self._roll_back(pool, session))
        if not isinstance(error, asyncio.CancelledError | GeneratorExit):
            await asyncio.shield(rollback)
        if isinstance(error, asyncpg.ForeignKeyViolationError) and names_tenant(error):
            # The tenant was erased while this process still remembered it as active.
            raise Unauthenticated("TENANT_UNKNOWN", "no such tenant") from error

    async def _roll_back(self, pool: Pool, session: Session) -> None:
        try:
            async with asyncio.timeout(ROLLBACK_SECONDS):
                await session.conn.execute("ROLLBACK")
        except BaseException as error:
            pool.discard(session)
            if isinstance(error, asyncio.CancelledError):
                raise
        else:
            pool.release(session)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled():
            # Read, so that asyncio does not report it: when the caller is still there, it hears the error itself.
            task.exception()


class Reading:
    """A READ ONLY transaction as an `async with` block. A class, because a generator costs more on the hot path."""

    __slots__ = ("_begin", "_database", "_pool", "_session", "_started", "_tenant")

    def __init__(self, database: Database, tenant: uuid.UUID | None, pool: Pool, begin: str) -> None:
        self._database = database
        self._tenant = tenant
        self._pool = pool
        self._begin = begin

    async def __aenter__(self) -> Transaction:
        self._session = session = await self._pool.acquire()
        self._started = time.perf_counter()
        try:
            await session.conn.execute(self._begin)
        except BaseException as error:
            await self._database.undo(self._pool, session, error)
            raise
        return Transaction(session, self._tenant)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        database, session = self._database, self._session
        if error is not None:
            await database.undo(self._pool, session, error)
            return
        try:
            await session.conn.execute("COMMIT")
        except BaseException as failure:
            await database.undo(self._pool, session, failure)
            raise
        self._pool.release(session)
        database.metrics.observe_transaction("read", time.perf_counter() - self._started)


__all__ = ["Database", "Effect", "Reading", "Transaction", "bound_tenant"]
