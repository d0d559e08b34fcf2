"""RelationshipService: contacts worth introducing to each other."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from pmcrm.insights.v1 import relationship_service_pb2 as pb

from services.insights.explaining import named_contact
from services.insights.introductions.paths import Step
from services.insights.introductions.reading import QUERIES
from services.insights.introductions.suggesting import Suggestion, suggest
from shared.caller import caller, parse_uuid
from shared.database import Row, Transaction, bound_tenant
from shared.fields import UUID_WANTED
from shared.layers import Context
from shared.ranked_pages import check_skip, ranked_page
from shared.server import Runtime
from shared.violations import Violations

VIA = {"LINK": "link_id", "ORGANIZATION": "organization_id", "INTERACTION": "interaction_id"}

Summaries = Mapping[uuid.UUID, Any]


class Introductions:
    """The call of pmcrm.insights.v1.RelationshipService that suggests introductions."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database
        self._page_tokens = runtime.page_tokens

    async def SuggestIntroductions(
        self, request: pb.SuggestIntroductionsRequest, context: Context
    ) -> pb.SuggestIntroductionsResponse:
        """Suggests introductions, the best first; CONTACT_NOT_FOUND, PROCESSING_RESTRICTED."""
        contact_id = _check(request)
        tenant = bound_tenant(caller.get())
        page = self._page_tokens.read(request, tenant)
        check_skip(page)
        async with self._database.snapshot() as tx:
            if contact_id is not None:
                contact_id, _ = await named_contact(tx, contact_id, None)
            found = {each.id: each for each in await suggest(tx, contact_id) if each.score >= request.min_score}
            ranked: list[Row] = [{"id": each.id, "score": each.score} for each in found.values()]

            async def rank(most: int) -> list[Row]:
                return ranked[:most]

            shown = await ranked_page(page, rank)
            suggestions = [found[match["id"]] for match in shown.matches]
            summaries = await _summaries(tx, suggestions)
        response = pb.SuggestIntroductionsResponse(
            introductions=[_introduction(suggestion, summaries) for suggestion in suggestions]
        )
        if shown.next_position is not None:
            response.next_page_token = self._page_tokens.seal(request, tenant, shown.next_position)
        return response


def _check(request: pb.SuggestIntroductionsRequest) -> uuid.UUID | None:
    """The contact that is asked about, if any. Raises InvalidArgument."""
    violations = Violations()
    contact_id = parse_uuid(request.contact_id)
    if request.contact_id and contact_id is None:
        violations.add("contact_id", UUID_WANTED)
    # Not a number is in no range.
    if not 0 <= request.min_score <= 1:
        violations.add("min_score", "must be 0 to 1")
    violations.raise_if_any()
    return contact_id


async def _summaries(tx: Transaction, suggestions: Sequence[Suggestion]) -> Summaries:
    ids = {key for each in suggestions for step in each.path.steps for key in (step.origin, step.target)}
    rows = await tx.fetch(QUERIES["introduction_summaries"], list(ids))
    return {row["contact_id"]: row["summary"] for row in rows}


def _introduction(suggestion: Suggestion, summaries: Summaries) -> pb.Introduction:
    return pb.Introduction(
        first=summaries[suggestion.first],
        second=summaries[suggestion.second],
        score=suggestion.score,
        reasons=[
            pb.IntroductionReason(
                type=f"INTRODUCTION_REASON_TYPE_{each.type}",
                weight=each.weight,
                detail=each.detail,
            )
            for each in suggestion.reasons
        ],
        path=[_step(step, summaries) for step in suggestion.path.steps],
    )


def _step(step: Step, summaries: Summaries) -> pb.PathStep:
    made = pb.PathStep(from_contact=summaries[step.origin], to_contact=summaries[step.target])
    setattr(made, VIA[step.tie.kind], str(step.tie.id))
    return made
