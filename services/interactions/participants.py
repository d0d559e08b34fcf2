"""Who took part in interactions: read from requests, held while the call lasts, created where they are new."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from pmcrm.interactions.v1.interaction_pb2 import Interaction, ParticipantRole

from services.interactions import interaction_limits as limits
from services.interactions.interaction_record import named
from shared import contact_record, queries
from shared.caller import caller, parse_uuid
from shared.database import Transaction
from shared.errors import AlreadyExists, InvalidArgument, Violation
from shared.fields import UUID_WANTED
from shared.ids import new_ids
from shared.keys import KeyRing
from shared.living_contacts import hold_contacts
from shared.suppression.checking import refuse_suppressed
from shared.violations import Violations

QUERIES = queries.load(Path(__file__).parent / "queries")

ROLE = "PARTICIPANT_ROLE_"
TWICE = "names a contact that another participant names already"


@dataclass(frozen=True, slots=True)
class Participant:
    """A participant as a request has it: the id of a contact, or the record of a new one.

    field: its path in the request.
    """

    field: str
    role: str | None
    contact_id: uuid.UUID | None
    new_contact: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Attendance:
    """A participant as it is stored: a contact of the tenant and its role."""

    contact_id: uuid.UUID
    role: str | None


def read_participants(interaction: Interaction, path: str, violations: Violations) -> list[Participant]:
    """The participants of an interaction. path: how the request names the interaction."""
    field = f"{path}.participants"
    if len(interaction.participants) > limits.PARTICIPANTS:
        violations.add(field, f"must have at most {limits.PARTICIPANTS} participants")
        return []
    region = caller.get().default_region or ""
    participants: list[Participant] = []
    named_ids: set[uuid.UUID] = set()
    for i, given in enumerate(interaction.participants):
        place = f"{field}[{i}]"
        role = named(ParticipantRole, ROLE, given.role, f"{place}.role", violations)
        contact_id = new_contact = None
        match given.WhichOneof("who"):
            case "contact_id":
                contact_id = parse_uuid(given.contact_id)
                if contact_id is None:
                    violations.add(f"{place}.contact_id", UUID_WANTED)
                elif contact_id in named_ids:
                    violations.add(f"{place}.contact_id", TWICE)
                else:
                    named_ids.add(contact_id)
            case "new_contact":
                try:
                    new_contact = contact_record.to_record(
                        given.new_contact, default_region=region, path=f"{place}.new_contact"
                    )
                except InvalidArgument as error:
                    violations.found.extend(error.violations)
            case _:
                violations.add(place, "must name a contact or hold a new one")
        participants.append(Participant(place, role, contact_id, new_contact))
    return participants


async def settle(
    tx: Transaction, groups: Sequence[Sequence[Participant]], suppression_keys: KeyRing | None
) -> list[list[Attendance]]:
    """Takes hold of the contacts that interactions name, creates the new ones, and says who takes part in each.

    Raises CONTACT_NOT_FOUND, PROCESSING_RESTRICTED, SOURCE_UID_TAKEN, CONTACT_SUPPRESSED; InvalidArgument when two ids
    of one interaction stand for the same contact since they were merged.
    """
    asked = [given.contact_id for group in groups for given in group if given.contact_id is not None]
    held = await hold_contacts(tx, asked) if asked else {}
    new = [given for group in groups for given in group if given.new_contact is not None]
    created = dict(zip(map(id, new), new_ids(len(new)), strict=True))
    if new:
        await refuse_suppressed(tx, suppression_keys, [given.new_contact or {} for given in new], of_many=False)
        await _create(tx, [{**(given.new_contact or {}), "id": created[id(given)]} for given in new])
    settled = []
    for group in groups:
        attendances: dict[uuid.UUID, Attendance] = {}
        for given in group:
            contact_id = created[id(given)] if given.contact_id is None else held[given.contact_id]
            if contact_id in attendances:
                raise InvalidArgument([Violation(f"{given.field}.contact_id", TWICE)])
            attendances[contact_id] = Attendance(contact_id, given.role)
        settled.append(list(attendances.values()))
    return settled


async def add(tx: Transaction, interactions: Sequence[uuid.UUID], groups: Sequence[Sequence[Attendance]]) -> None:
    """Writes down who takes part in which interaction; all of them in one statement, so that strengths follow once."""
    rows = [
        (interaction, attendance.contact_id, place, attendance.role)
        for interaction, group in zip(interactions, groups, strict=True)
        for place, attendance in enumerate(group)
    ]
    if rows:
        await tx.fetch(QUERIES["add_participants"], *(list(column) for column in zip(*rows, strict=True)))


async def hold_present(tx: Transaction, interaction: uuid.UUID, others: Sequence[Participant]) -> None:
    """Takes hold of all contacts that take part in an interaction together with those that others name, whose strengths
    a change of its participants computes anew: in the order of their ids, so that nobody waits for anybody else."""
    asked = [given.contact_id for given in others if given.contact_id is not None]
    await tx.fetch(QUERIES["hold_participants"], interaction, asked)


async def _create(tx: Transaction, records: list[dict[str, Any]]) -> None:
    try:
        await tx.fetch(QUERIES["create_contacts"], records)
    except asyncpg.UniqueViolationError as error:
        # The only key beside the ids, which are ours, is the source_uid among living contacts.
        raise AlreadyExists("SOURCE_UID_TAKEN", "a living contact has this source_uid") from error
