"""RelationshipService: a strength taken apart into the interactions behind it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pmcrm.insights.v1 import relationship_service_pb2 as pb

from services.insights.strength_parts import to_contribution, to_parts
from shared import queries
from shared.caller import caller
from shared.database import Transaction, bound_tenant
from shared.errors import InvalidArgument, Violation
from shared.fields import time_value, uuid_field
from shared.layers import Context
from shared.living_contacts import contact_not_found, processing_restricted
from shared.pages import Position
from shared.server import Runtime

QUERIES = queries.load(Path(__file__).parent / "queries")

DAYS_AHEAD = 366


class StrengthExplaining:
    """The call of pmcrm.insights.v1.RelationshipService that explains strengths."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database
        self._page_tokens = runtime.page_tokens

    async def ExplainRelationshipStrength(
        self, request: pb.ExplainRelationshipStrengthRequest, context: Context
    ) -> pb.ExplainRelationshipStrengthResponse:
        """Takes a contact's strength apart at a moment; CONTACT_NOT_FOUND, PROCESSING_RESTRICTED."""
        contact_id = uuid_field(request, "contact_id")
        moment = _moment(request)
        page = self._page_tokens.read(request, bound_tenant(caller.get()))
        if page.after is not None:
            # What the first page was for: the parts of a later one would otherwise be those of another moment.
            moment = datetime.fromisoformat(str(page.after[0]))
        last = (None, None, None) if page.after is None else _last_shown(page.after)
        async with self._database.snapshot() as tx:
            named = await named_contact(tx, contact_id, moment)
            # One row more than the page holds tells whether there is another page.
            found = await tx.fetch(QUERIES["strength_contributions"], *named, *last, page.size + 1, page.skip)
            row = await tx.fetchrow(QUERIES["explain_strength"], *named)
        if row is None:
            raise contact_not_found(contact_id)
        shown, as_of = found[: page.size], named[1]
        response = pb.ExplainRelationshipStrengthResponse(
            contact=row["contact"],
            strength=row["computed"] if row["pinned"] is None else row["pinned"],
            pinned=row["pinned"] is not None,
            computed_strength=row["computed"],
            score=float(row["score"]),
            parts=to_parts(row),
            formula_version=row["formula_version"],
            as_of_time=as_of,
            contributions=[to_contribution(each) for each in shown],
            contribution_count=row["interactions_count"] + row["diversity_count"] + row["reciprocity_count"],
        )
        if len(found) > page.size:
            end = shown[-1]
            position = [as_of.isoformat(), end["occurred_at"].isoformat(), str(end["interaction_id"]), end["place"]]
            response.next_page_token = self._page_tokens.seal(request, bound_tenant(caller.get()), position)
        return response


async def named_contact(tx: Transaction, contact_id: uuid.UUID, moment: datetime | None) -> tuple[uuid.UUID, datetime]:
    """The living contact that an id stands for, and the moment: the transaction's when none is given.

    Raises CONTACT_NOT_FOUND when there is none, PROCESSING_RESTRICTED when its processing is restricted.
    """
    row = await tx.fetchrow(QUERIES["named_contact"], contact_id, moment)
    if row is None:
        raise contact_not_found(contact_id)
    if row["processing_restricted"]:
        raise processing_restricted(contact_id)
    return row["contact_id"], row["as_of"]


def _moment(request: pb.ExplainRelationshipStrengthRequest) -> datetime | None:
    moment = time_value(request, "as_of_time")
    if moment is not None and moment > datetime.now(UTC) + timedelta(days=DAYS_AHEAD):
        raise InvalidArgument([Violation("as_of_time", f"must be at most {DAYS_AHEAD} days ahead")])
    return moment


def _last_shown(position: Position) -> tuple[datetime, uuid.UUID, int]:
    _, occurred_at, interaction_id, place = position
    return datetime.fromisoformat(str(occurred_at)), uuid.UUID(str(interaction_id)), int(place)
