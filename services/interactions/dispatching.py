"""ClaimDueReminders: hands out what is due, of any tenants, and keeps it from other claimers until the lease ends.

Tenants with something due are found without locks; what is due is then taken in one transaction for each, passing over
what another claimer holds. The answer is remembered without the reminders: they are the tenants' data, and what is
remembered for operators outlives what is erased.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import structlog
from google.protobuf.empty_pb2 import Empty
from pmcrm.interactions.v1 import reminder_service_pb2 as pb

from services.interactions.reminder_record import to_reminder
from services.interactions.schedules import Change, derive, store_notifications
from shared import queries
from shared.database import Database, Transaction
from shared.errors import RpcError
from shared.idempotency import Claim, claim_of
from shared.ids import new_ids
from shared.reminder_scheduling import Notification, Plan, Schedule
from shared.text import checked_line
from shared.time_zones import write_local
from shared.violations import Violations

log = structlog.get_logger()

QUERIES = queries.load(Path(__file__).parent / "queries")

BATCH = 100
LARGEST_BATCH = 1_000
LEASE = 60
LONGEST_LEASE = 3_600
CLAIMER_LIMIT = 200

# Changed reminders that a claim derives anew before it looks for what is due.
MOST_CHANGED = 1_000
# How often a claim looks further when others have just taken what it found.
MOST_LOOKS = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """A checked request."""

    size: int
    lease: timedelta
    claimer: str | None


def read(request: pb.ClaimDueRemindersRequest) -> Wanted:
    """Checks a request. Raises InvalidArgument."""
    violations = Violations()
    if not 0 <= request.batch_size <= LARGEST_BATCH:
        violations.add("batch_size", f"must be 0 to {LARGEST_BATCH}")
    if not 0 <= request.lease_seconds <= LONGEST_LEASE:
        violations.add("lease_seconds", f"must be 0 to {LONGEST_LEASE}")
    claimer = checked_line(request.claimer, "claimer", CLAIMER_LIMIT, violations)
    violations.raise_if_any()
    return Wanted(request.batch_size or BATCH, timedelta(seconds=request.lease_seconds or LEASE), claimer or None)


async def run(
    request: pb.ClaimDueRemindersRequest, database: Database, grace: timedelta
) -> pb.ClaimDueRemindersResponse:
    """Hands out what is due; the same leases again for the same request_id."""
    wanted = read(request)
    claim = claim_of(request, None)
    if claim is not None and (kept := await first_answer(database, claim)) is not None:
        return await _filled(pb.ClaimDueRemindersResponse.FromString(kept), database, grace)
    await _derive_changed(database)
    taken = await _take(database, wanted)
    answer = pb.ClaimDueRemindersResponse(due_reminders=taken)

    async def keep(_: Transaction) -> pb.ClaimDueRemindersResponse:
        return answer

    if claim is not None:
        answer = await database.claim_operating(claim, pb.ClaimDueRemindersResponse, keep)
        known = {due.lease_id for due in answer.due_reminders}
        # Another call with this id was faster; its leases are the answer, and ours go back.
        await _give_back(database, [due for due in taken if due.lease_id not in known])
    return await _filled(answer, database, grace)


async def first_answer(database: Database, claim: Claim) -> bytes | None:
    """What an operator's call with this request_id was answered before; None when there was none."""
    async with database.operating() as tx:
        return await claim.kept(tx)


async def _derive_changed(database: Database) -> None:
    async with database.operating() as tx:
        rows = await tx.fetch(QUERIES["changed_reminders"], MOST_CHANGED)
    for tenant, ids in _by_tenant((row["user_id"], row["id"]) for row in rows).items():

        async def effect(tx: Transaction, ids: Sequence[uuid.UUID] = ids) -> Empty:
            held = await tx.fetch(QUERIES["hold_free_reminders"], ids)
            await derive(tx, [row["id"] for row in held])
            return Empty()

        await database.claim_operating(None, Empty, effect, about=tenant)


async def _take(database: Database, wanted: Wanted) -> list[pb.DueReminder]:
    """Leases for the longest due, in that order."""
    taken: list[pb.DueReminder] = []
    after: tuple[datetime, uuid.UUID] | None = None
    for _ in range(MOST_LOOKS):
        missing = wanted.size - len(taken)
        async with database.operating() as tx:
            rows = await tx.fetch(QUERIES["due_notifications"], *(after or (None, None)), missing)
        # A reminder that was found may have further notifications, which others of other tenants come before.
        last = rows[-1]["notify_at"] if len(rows) == missing else None
        for tenant, ids in _by_tenant((row["user_id"], row["reminder_id"]) for row in rows).items():
            left = wanted.size - len(taken)
            if not left:
                break
            try:
                taken += await _take_of_tenant(database, wanted, tenant, ids, left, last)
            except (RpcError, asyncpg.PostgresError) as error:
                if not taken:
                    raise
                # What has been taken already must reach the claimer.
                log.warning("claim_cut_short", tenant_id=str(tenant), error=type(error).__name__)
                return _in_order(taken)
        if len(rows) < missing or len(taken) >= wanted.size:
            break
        after = (rows[-1]["notify_at"], rows[-1]["reminder_id"])
    return _in_order(taken)


def _in_order(taken: Iterable[pb.DueReminder]) -> list[pb.DueReminder]:
    return sorted(taken, key=lambda due: (due.notify_time.ToNanoseconds(), due.lease_id))


async def _take_of_tenant(
    database: Database, wanted: Wanted, tenant: uuid.UUID, ids: Sequence[uuid.UUID], most: int, last: datetime | None
) -> list[pb.DueReminder]:
    async def effect(tx: Transaction) -> pb.ClaimDueRemindersResponse:
        held = await tx.fetch(QUERIES["hold_free_reminders"], ids)
        if not held:
            return pb.ClaimDueRemindersResponse()
        now = held[0]["now"]
        schedules = await derive(tx, [row["id"] for row in held])
        due = _due(schedules, now, last or now)[:most]
        leased = [
            (
                reminder_id,
                replace(
                    row,
                    lease_id=str(lease_id),
                    attempt=row.attempt + 1,
                    available=now + wanted.lease,
                    first_claimed=row.first_claimed or now,
                ),
            )
            for (reminder_id, row), lease_id in zip(due, new_ids(len(due)), strict=True)
        ]
        await store_notifications(tx, leased)
        await tx.fetch(QUERIES["add_leases"], [_lease(reminder_id, row) for reminder_id, row in leased], wanted.claimer)
        return pb.ClaimDueRemindersResponse(
            due_reminders=[_due_reminder(tenant, reminder_id, row) for reminder_id, row in leased]
        )

    answer = await database.claim_operating(None, pb.ClaimDueRemindersResponse, effect, about=tenant)
    return list(answer.due_reminders)


def _due(
    schedules: Mapping[uuid.UUID, Schedule], now: datetime, last: datetime
) -> list[tuple[uuid.UUID, Notification]]:
    """The notifications that are due and in nobody's hands, the longest due first, up to those of a time."""
    found = [
        (row.notify, reminder_id, row)
        for reminder_id, made in schedules.items()
        for row in made.notifications
        if row.notify is not None and row.available is not None and row.notify <= last and row.available <= now
    ]
    return [(reminder_id, row) for _, reminder_id, row in sorted(found, key=lambda due: due[:2])]


def _lease(reminder_id: uuid.UUID, row: Notification) -> dict[str, object]:
    return {
        "id": row.lease_id,
        "reminder_id": reminder_id,
        "lead_seconds": row.lead,
        "occurrence_local": row.local and write_local(row.local),
        "occurrence_at": row.occurs,
        "notify_at": row.notify,
        "expires_at": row.available,
        "attempt": row.attempt,
    }


def _due_reminder(tenant: uuid.UUID, reminder_id: uuid.UUID, row: Notification) -> pb.DueReminder:
    due = pb.DueReminder(lease_id=row.lease_id, user_id=str(tenant), attempt=row.attempt)
    due.reminder.id = str(reminder_id)
    for field, moment in (("occurrence_time", row.occurs), ("notify_time", row.notify)):
        getattr(due, field).FromDatetime(moment)
    due.lease_expire_time.FromDatetime(row.available or datetime.now(UTC))
    return due


async def _filled(
    answer: pb.ClaimDueRemindersResponse, database: Database, grace: timedelta
) -> pb.ClaimDueRemindersResponse:
    """The answer with the reminders in it, as they are now; one that is gone or withheld has its id alone."""
    wanted = _by_tenant((uuid.UUID(due.user_id), uuid.UUID(due.reminder.id)) for due in answer.due_reminders)
    found = {}
    for tenant, ids in wanted.items():
        async with database.operating(tenant) as tx:
            for row in await tx.fetch(QUERIES["get_reminders"], ids):
                if not row["withheld"]:
                    found[row["id"]] = to_reminder(row, grace)
    for due in answer.due_reminders:
        if due.reminder.id in found:
            due.reminder.CopyFrom(found[due.reminder.id])
    return answer


async def _give_back(database: Database, unheard: Sequence[pb.DueReminder]) -> None:
    """Ends leases that nobody has heard of, so that what they are for need not wait."""
    for tenant, leases in _by_tenant((uuid.UUID(due.user_id), uuid.UUID(due.lease_id)) for due in unheard).items():
        reminders = [uuid.UUID(due.reminder.id) for due in unheard if due.user_id == str(tenant)]
        ended = {str(lease_id) for lease_id in leases}

        def give_back(_: uuid.UUID, plan: Plan, now: datetime, ended: set[str] = ended) -> Plan:
            rows = (
                replace(row, available=now, lease_id=None) if row.lease_id in ended else row
                for row in plan.notifications
            )
            return replace(plan, notifications=tuple(rows))

        async def effect(
            tx: Transaction,
            reminders: Sequence[uuid.UUID] = reminders,
            leases: Sequence[uuid.UUID] = leases,
            change: Change = give_back,
        ) -> Empty:
            held = await tx.fetch(QUERIES["hold_reminders"], reminders)
            await tx.fetch(QUERIES["remove_leases"], leases)
            await derive(tx, [row["id"] for row in held], change)
            return Empty()

        await database.claim_operating(None, Empty, effect, about=tenant)


def _by_tenant(pairs: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> dict[uuid.UUID, list[uuid.UUID]]:
    """Ids by tenant, each once, in the order in which they come."""
    found: dict[uuid.UUID, dict[uuid.UUID, None]] = defaultdict(dict)
    for tenant, value in pairs:
        found[tenant][value] = None
    return {tenant: list(values) for tenant, values in found.items()}
