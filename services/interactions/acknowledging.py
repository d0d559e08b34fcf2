"""AckReminders: what became of claimed notifications, each lease on its own, in one transaction for each tenant."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from google.protobuf.empty_pb2 import Empty
from pmcrm.interactions.v1 import reminder_service_pb2 as pb
from pmcrm.interactions.v1.reminder_service_pb2 import ReminderAckOutcome, ReminderDelivery

from services.interactions.dispatching import first_answer
from services.interactions.reminder_record import checked_enum
from services.interactions.schedules import derive
from shared import queries
from shared.caller import parse_uuid
from shared.database import Database, Row, Transaction
from shared.errors import InvalidArgument, Violation
from shared.fields import UUID_WANTED
from shared.idempotency import claim_of
from shared.reminder_scheduling import Notification, Plan
from shared.violations import Violations

QUERIES = queries.load(Path(__file__).parent / "queries")

ACKS_LIMIT = 1_000

# The pause before the next attempt; it doubles from one to the next. Nothing is attempted again after a day.
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=2)
GIVEN_UP_AFTER = timedelta(days=1)

RETRY = ReminderDelivery.REMINDER_DELIVERY_RETRY
ACCEPTED, LOST = "ACCEPTED", "LEASE_LOST"
BEFORE, UNKNOWN = "ALREADY_ACKNOWLEDGED", "LEASE_UNKNOWN"

Deliveries = Mapping[uuid.UUID, int]


@dataclass(frozen=True, slots=True)
class Leases:
    """Leases of one tenant, and the reminders that they are for."""

    ids: list[uuid.UUID]
    reminders: list[uuid.UUID]


async def run(request: pb.AckRemindersRequest, database: Database) -> pb.AckRemindersResponse:
    """Acknowledges leases; the same outcomes again for the same request_id."""
    deliveries = read(request)
    claim = claim_of(request, None)
    request_id = None if claim is None else claim.request_id
    if claim is not None and (kept := await first_answer(database, claim)) is not None:
        return pb.AckRemindersResponse.FromString(kept)
    async with database.operating() as tx:
        rows = await tx.fetch(QUERIES["lease_tenants"], list(deliveries))
    outcomes: dict[uuid.UUID, str] = {}
    for tenant, leases in _by_tenant(rows).items():
        found: dict[uuid.UUID, str] = {}

        async def effect(tx: Transaction, leases: Leases = leases, found: dict[uuid.UUID, str] = found) -> Empty:
            found.update(await _acknowledge(tx, leases, deliveries, request_id))
            return Empty()

        await database.claim_operating(None, Empty, effect, about=tenant)
        outcomes |= found
    answer = pb.AckRemindersResponse()
    for lease_id in deliveries:
        outcome = ReminderAckOutcome.Value(f"REMINDER_ACK_OUTCOME_{outcomes.get(lease_id, UNKNOWN)}")
        answer.results.add(lease_id=str(lease_id), outcome=outcome)

    async def keep(_: Transaction) -> pb.AckRemindersResponse:
        return answer

    return answer if claim is None else await database.claim_operating(claim, pb.AckRemindersResponse, keep)


def read(request: pb.AckRemindersRequest) -> dict[uuid.UUID, int]:
    """What is said to have become of each lease, in the order of the request. Raises InvalidArgument."""
    if not 1 <= len(request.acks) <= ACKS_LIMIT:
        raise InvalidArgument([Violation("acks", f"must hold 1 to {ACKS_LIMIT} acknowledgements")])
    violations = Violations()
    deliveries: dict[uuid.UUID, int] = {}
    for i, ack in enumerate(request.acks):
        lease_id = parse_uuid(ack.lease_id)
        if lease_id is None:
            violations.add(f"acks[{i}].lease_id", UUID_WANTED)
        elif lease_id in deliveries:
            violations.add(f"acks[{i}].lease_id", "stands twice")
        else:
            deliveries[lease_id] = ack.delivery
        checked_enum(ReminderDelivery, ack.delivery, f"acks[{i}].delivery", violations)
    violations.raise_if_any()
    return deliveries


async def _acknowledge(
    tx: Transaction, leases: Leases, deliveries: Deliveries, request_id: uuid.UUID | None
) -> dict[uuid.UUID, str]:
    held = {row["id"] for row in await tx.fetch(QUERIES["hold_reminders"], leases.reminders)}
    rows = [row for row in await tx.fetch(QUERIES["leases"], leases.ids) if row["reminder_id"] in held]
    outcomes = {row["id"]: _outcome(row, request_id) for row in rows}
    new = {row["id"] for row in rows if row["acknowledged_at"] is None}
    if new:
        effective = {str(lease_id): deliveries[lease_id] for lease_id in new if outcomes[lease_id] == ACCEPTED}
        await tx.fetch(QUERIES["acknowledge_leases"], list(new), [outcomes[lease_id] for lease_id in new], request_id)
        reminders = {row["reminder_id"] for row in rows if row["id"] in new}
        await derive(tx, sorted(reminders), lambda _, plan, now: delivered(plan, effective, now))
    return outcomes


def _outcome(lease: Row, request_id: uuid.UUID | None) -> str:
    if lease["acknowledged_at"] is not None:
        same = request_id is not None and lease["acknowledged_by"] == request_id
        return str(lease["outcome"]) if same else BEFORE
    return LOST if lease["superseded"] else ACCEPTED


def delivered(plan: Plan, deliveries: Mapping[str, int], now: datetime) -> Plan:
    """The plan once deliveries, by lease, are known. A lease that none of its notifications has changes nothing."""
    rows = [
        row if row.lease_id is None or row.lease_id not in deliveries else _after(row, deliveries[row.lease_id], now)
        for row in plan.notifications
    ]
    return replace(plan, notifications=tuple(rows))


def _after(row: Notification, delivery: int, now: datetime) -> Notification:
    if delivery != RETRY or (row.first_claimed is not None and now - row.first_claimed >= GIVEN_UP_AFTER):
        return row.settle()
    pause = min(FIRST_PAUSE * 2 ** min(row.attempt - 1, 20), LONGEST_PAUSE)
    return replace(row, available=now + pause, lease_id=None)


def _by_tenant(rows: Sequence[Row]) -> dict[uuid.UUID, Leases]:
    found: dict[uuid.UUID, Leases] = defaultdict(lambda: Leases([], []))
    for row in rows:
        found[row["user_id"]].ids.append(row["id"])
        found[row["user_id"]].reminders.append(row["reminder_id"])
    return found
