"""Where a search looks: contacts or interactions or both, those of one contact, interactions of some time."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pmcrm.insights.v1 import semantic_service_pb2 as pb

from shared import queries
from shared.database import Transaction
from shared.errors import InvalidArgument, Violation
from shared.fields import time_value, uuid_value
from shared.living_contacts import contact_not_found, processing_restricted

QUERIES = queries.load(Path(__file__).parent / "queries")

KINDS = {
    pb.SEARCH_TARGET_UNSPECIFIED: None,
    pb.SEARCH_TARGET_CONTACTS: "CONTACT",
    pb.SEARCH_TARGET_INTERACTIONS: "INTERACTION",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """kind: CONTACT, INTERACTION, None for both. contact: only that one and interactions in which it took part.

    after, before: interactions at or after, and before.
    """

    kind: str | None
    contact: uuid.UUID | None
    after: datetime | None
    before: datetime | None

    @property
    def contacts(self) -> bool:
        return self.kind != "INTERACTION"

    @property
    def interactions(self) -> bool:
        return self.kind != "CONTACT"


def read_scope(request: pb.SemanticSearchRequest | pb.HybridSearchRequest) -> Scope:
    """A request's filters. Raises InvalidArgument."""
    if request.target not in KINDS:
        raise InvalidArgument([Violation("target", "must be one of the targets")])
    contact = uuid_value(request.contact_id, "contact_id") if request.contact_id else None
    return Scope(
        KINDS[request.target], contact, time_value(request, "occur_after"), time_value(request, "occur_before")
    )


async def settle(tx: Transaction, scope: Scope) -> Scope:
    """The scope with the contact for which the id stands; see `find_contact`. A deleted one may be named."""
    if scope.contact is None:
        return scope
    return replace(scope, contact=await find_contact(tx, scope.contact, living=False))


async def find_contact(tx: Transaction, asked: uuid.UUID, *, living: bool) -> uuid.UUID:
    """The contact for which an id stands, which for a merged one is the survivor.

    Raises CONTACT_NOT_FOUND when there is none, or it is deleted and a living one is asked for; PROCESSING_RESTRICTED.
    """
    row = await tx.fetchrow(QUERIES["contact_standing"], asked)
    if row is None or (living and row["deleted"]):
        raise contact_not_found(asked)
    if row["processing_restricted"]:
        raise processing_restricted(asked)
    found: uuid.UUID = row["contact_id"]
    return found
