"""The typed filters that lists and searches of interactions have in common."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pmcrm.interactions.v1 import interaction_service_pb2 as pb
from pmcrm.interactions.v1.interaction_pb2 import InteractionDirection, InteractionType

from services.interactions.interaction_record import DIRECTION, TYPE, named
from shared import queries
from shared.database import Transaction
from shared.errors import InvalidArgument, Violation
from shared.fields import time_value, uuid_list, uuid_value
from shared.living_contacts import contact_not_found, processing_restricted
from shared.violations import Violations

QUERIES = queries.load(Path(__file__).parent / "queries")

CONTACTS = 100


@dataclass(frozen=True, slots=True)
class Filters:
    """What an interaction must satisfy; None filters nothing. Occurred: from `after` on, before `before`.

    everyone, anyone: contacts all of whom, at least one of whom took part, as the request names them.
    """

    everyone: list[uuid.UUID] | None
    anyone: list[uuid.UUID] | None
    types: list[str] | None
    direction: str | None
    after: datetime | None
    before: datetime | None


@dataclass(frozen=True, slots=True)
class NamedContacts:
    """The contacts for which the filters' ids stand."""

    everyone: list[uuid.UUID] | None
    anyone: list[uuid.UUID] | None


def read_filters(request: pb.ListInteractionsRequest | pb.SearchInteractionsRequest) -> Filters:
    """Checks a request's filters. Raises InvalidArgument."""
    violations = Violations()
    types = [named(InteractionType, TYPE, value, f"types[{i}]", violations) for i, value in enumerate(request.types)]
    for i, name in enumerate(types):
        if name is None and not request.types[i]:
            violations.add(f"types[{i}]", "must be one of the types")
    direction = named(InteractionDirection, DIRECTION, request.direction, "direction", violations)
    violations.raise_if_any()
    everyone = _ids(request.contact_ids_all, "contact_ids_all")
    if isinstance(request, pb.ListInteractionsRequest) and request.contact_id:
        everyone = [uuid_value(request.contact_id, "contact_id"), *everyone]
    after, before = time_value(request, "occur_after"), time_value(request, "occur_before")
    return Filters(
        everyone=everyone or None,
        anyone=_ids(request.contact_ids_any, "contact_ids_any") or None,
        types=[name for name in types if name is not None] or None,
        direction=direction,
        after=after,
        before=before,
    )


async def find_named(tx: Transaction, filters: Filters) -> NamedContacts:
    """Looks up the contacts that filters name. Raises CONTACT_NOT_FOUND or PROCESSING_RESTRICTED for a bad one."""
    asked = [*(filters.everyone or ()), *(filters.anyone or ())]
    if not asked:
        return NamedContacts(None, None)
    rows = {row["asked"]: row for row in await tx.fetch(QUERIES["named_contacts"], list(set(asked)))}
    for contact_id in asked:
        if contact_id not in rows:
            raise contact_not_found(contact_id)
    for contact_id in asked:
        if rows[contact_id]["processing_restricted"]:
            raise processing_restricted(contact_id)

    def stand_for(ids: Iterable[uuid.UUID] | None) -> list[uuid.UUID] | None:
        return None if ids is None else list(dict.fromkeys(rows[contact_id]["contact_id"] for contact_id in ids))

    return NamedContacts(stand_for(filters.everyone), stand_for(filters.anyone))


def _ids(values: Sequence[str], field: str) -> list[uuid.UUID]:
    if len(values) > CONTACTS:
        raise InvalidArgument([Violation(field, f"must hold at most {CONTACTS} ids")])
    return uuid_list(values, field, CONTACTS) if values else []
