"""RetentionService: removes what need not be kept any longer, and keeps what must be. For operators.

A purge, and moving months of the audit log, take many transactions: they run on connections of their own, hold the
lock of their periodic task, and keep what they did when the caller goes away.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeAlias, TypeVar

import asyncpg
from google.protobuf.message import Message
from pmcrm.gdpr.v1 import retention_service_pb2 as pb

from services.gdpr import audit_months, purging
from services.gdpr.legal_holds import LegalHolds
from shared.breakage import CONNECTION_LOST
from shared.database import Transaction
from shared.errors import Aborted, InvalidArgument, Unavailable, Violation
from shared.idempotency import claim_of
from shared.layers import Access, Context, callable_by
from shared.periodic import TaskHeld, TaskLost, run_now
from shared.server import Runtime
from shared.violations import Violations

Connection: TypeAlias = "asyncpg.Connection[Any]"
Answer = TypeVar("Answer", bound=Message)


class RetentionService(LegalHolds):
    """The servicer of pmcrm.gdpr.v1.RetentionService."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime)
        self._settings = runtime.settings

    @callable_by(Access.OPERATOR)
    async def PurgeDeleted(self, request: pb.PurgeDeletedRequest, context: Context) -> pb.PurgeDeletedResponse:
        """Purges what was deleted long enough ago, or counts it."""
        violations = Violations()
        days = request.days if request.HasField("days") else self._settings.delete_grace_days
        if not 0 <= days <= purging.MOST_DAYS:
            violations.add("days", f"must be 0 to {purging.MOST_DAYS}")
        if request.max_rows < 0:
            violations.add("max_rows", "must not be negative")
        violations.raise_if_any()
        wanted = purging.Wanted(
            days=days,
            grace=timedelta(days=self._settings.delete_grace_days),
            dry_run=request.dry_run,
            max_rows=request.max_rows,
        )

        async def work(conn: Connection) -> pb.PurgeDeletedResponse:
            done = await purging.purge(conn, wanted)
            return pb.PurgeDeletedResponse(
                row_counts=done.row_counts, users_erased=done.users_erased, held=done.held, more=done.more
            )

        return await self._run(request, pb.PurgeDeletedResponse, purging.PURGE, work)

    @callable_by(Access.OPERATOR)
    async def ArchiveAuditLogs(
        self, request: pb.ArchiveAuditLogsRequest, context: Context
    ) -> pb.ArchiveAuditLogsResponse:
        """Archives old months of the audit log, or tells which it would."""
        years = _years(request.years, audit_months.ARCHIVE_YEARS)

        async def work(conn: Connection) -> pb.ArchiveAuditLogsResponse:
            done = await audit_months.archive(conn, years, dry_run=request.dry_run)
            return pb.ArchiveAuditLogsResponse(months=done.moved, entry_count=done.entries)

        return await self._run(request, pb.ArchiveAuditLogsResponse, audit_months.AUDIT_MONTHS, work)

    @callable_by(Access.OPERATOR)
    async def PurgeExpiredAuditLogs(
        self, request: pb.PurgeExpiredAuditLogsRequest, context: Context
    ) -> pb.PurgeExpiredAuditLogsResponse:
        """Drops months of the archive whose time is over, or tells which it would."""
        years = _years(request.years, audit_months.DROP_YEARS)

        async def work(conn: Connection) -> pb.PurgeExpiredAuditLogsResponse:
            done = await audit_months.drop(conn, years, dry_run=request.dry_run)
            return pb.PurgeExpiredAuditLogsResponse(months=done.moved, entry_count=done.entries, held_months=done.held)

        return await self._run(request, pb.PurgeExpiredAuditLogsResponse, audit_months.AUDIT_MONTHS, work)

    async def _run(
        self,
        request: Any,
        answer_type: type[Answer],
        task: str,
        work: Callable[[Connection], Awaitable[Answer]],
    ) -> Answer:
        """Does the work under the task's lock and remembers its answer; a repeat gets the first one."""
        claim = claim_of(request, None)
        # Also without a claim: it tells whether this server has operators at all.
        async with self._database.operating() as tx:
            kept = None if claim is None else await claim.kept(tx)
        if kept is not None:
            return answer_type.FromString(kept)
        try:
            # Only the worker's own schedule is noted: what an operator asks for may be less than that.
            done = await run_now(task, self._settings, work, recorded=False)
        except TaskHeld:
            raise Aborted("TASK_ALREADY_RUNNING", f"{task} is running") from None
        except (TaskLost, OSError, asyncpg.InterfaceError, *CONNECTION_LOST) as error:
            raise Unavailable("DATABASE_UNAVAILABLE", "the connection to the database was lost") from error
        if claim is None:
            return done

        async def keep(_: Transaction) -> Answer:
            return done

        return await self._database.claim_operating(claim, answer_type, keep)


def _years(asked: int, usual: int) -> int:
    if not 0 <= asked <= audit_months.MOST_YEARS:
        raise InvalidArgument([Violation("years", f"must be 0 to {audit_months.MOST_YEARS}")])
    return asked or usual
