"""InsightService: what rules have found, and what its user did about it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from pmcrm.insights.v1 import insight_service_pb2 as pb
from pmcrm.insights.v1.insight_pb2 import Insight

from services.insights import insight_listing as listing
from services.insights.findings import Rule
from services.insights.generating import Wish, Wording, generate
from services.insights.insight_record import NOTE_LIMIT, named_types, to_insight
from services.insights.provider.patience import providers_time
from services.insights.provider.writer import ProviderWriter
from services.insights.rules.registry import registered
from services.insights.wording import Outcome
from services.insights.wording_ahead import word_ahead
from shared import queries
from shared.caller import caller, parse_uuid
from shared.database import Row, Transaction, bound_tenant
from shared.errors import FailedPrecondition, NotFound
from shared.etags import check_etag
from shared.fields import UUID_WANTED, uuid_field
from shared.idempotency import claim_of
from shared.layers import Context
from shared.masks import check_mask, masked
from shared.server import Runtime
from shared.text import checked_text
from shared.violations import Violations

QUERIES = queries.load(Path(__file__).parent / "queries")

CONTACTS_LIMIT = 1_000

# New insights in an answer; ListInsights has all.
SHOWN = 100


class Insights:
    """The servicer of pmcrm.insights.v1.InsightService.

    rules: that find insights. writer: the provider's model that words them; None when there is none.
    """

    def __init__(
        self, runtime: Runtime, writer: ProviderWriter | None = None, rules: Sequence[Rule] | None = None
    ) -> None:
        self._database = runtime.database
        self._page_tokens = runtime.page_tokens
        self._grace = timedelta(days=runtime.settings.delete_grace_days)
        self._writer = writer
        self._rules = registered() if rules is None else rules

    async def GenerateInsights(
        self, request: pb.GenerateInsightsRequest, context: Context
    ) -> pb.GenerateInsightsResponse:
        """Applies the rules and tells what came of it; CONTACT_NOT_FOUND, PROCESSING_RESTRICTED,
        PROVIDER_NOT_CONFIGURED."""
        wish = _wish(request, self._rules)
        claim = claim_of(request, bound_tenant(caller.get()))
        wording: Wording | None = None
        outcome: Outcome = "NOT_ASKED"
        if request.use_provider:
            if self._writer is None:
                raise FailedPrecondition("PROVIDER_NOT_CONFIGURED", "the server has no provider that words insights")
            wording, outcome = await word_ahead(self._database, self._writer, wish, claim, providers_time(context))

        async def effect(tx: Transaction) -> pb.GenerateInsightsResponse:
            done = await generate(tx, wish, wording)
            response = pb.GenerateInsightsResponse(
                created=len(done.created),
                unchanged=done.unchanged,
                superseded=done.superseded,
                suppressed=done.suppressed,
                insights=await self._several(tx, done.created[:SHOWN]),
                provider_outcome=f"PROVIDER_OUTCOME_{outcome}",
            )
            response.as_of_time.FromDatetime(done.as_of)
            return response

        return await self._database.claim(claim, pb.GenerateInsightsResponse, effect)

    async def GetInsight(self, request: pb.GetInsightRequest, context: Context) -> Insight:
        """Returns one insight, whatever became of it; INSIGHT_NOT_FOUND."""
        insight_id = uuid_field(request, "id")
        check_mask(Insight, request.read_mask)
        async with self._database.reading() as tx:
            return masked(await self._get(tx, insight_id), request.read_mask)

    async def ListInsights(self, request: pb.ListInsightsRequest, context: Context) -> pb.ListInsightsResponse:
        """Lists insights, a page at a time, pending ones unless asked otherwise; CONTACT_NOT_FOUND,
        PROCESSING_RESTRICTED."""
        wanted = listing.read(request, self._page_tokens)
        async with self._database.reading() as tx:
            return await listing.fetch(tx, request, wanted, self._page_tokens, self._grace)

    async def ActionInsight(self, request: pb.ActionInsightRequest, context: Context) -> Insight:
        """Records that the user acted on it; INSIGHT_NOT_FOUND, INSIGHT_NOT_PENDING, ETAG_MISMATCH."""
        return await self._resolve(request, "ACTIONED", "note")

    async def DismissInsight(self, request: pb.DismissInsightRequest, context: Context) -> Insight:
        """Records that the user does not want it; INSIGHT_NOT_FOUND, INSIGHT_NOT_PENDING, ETAG_MISMATCH."""
        return await self._resolve(request, "DISMISSED", "reason")

    async def _resolve(
        self, request: pb.ActionInsightRequest | pb.DismissInsightRequest, status: str, field: str
    ) -> Insight:
        insight_id = uuid_field(request, "id")
        violations = Violations()
        note = checked_text(getattr(request, field), field, NOTE_LIMIT, violations)
        violations.raise_if_any()
        actor = caller.get().actor

        async def effect(tx: Transaction) -> Insight:
            row = await tx.fetchrow(QUERIES["lock_insight"], insight_id)
            if row is None:
                raise insight_not_found(insight_id)
            check_etag(request.etag, row["etag"])
            if not row["open"]:
                raise insight_not_pending(insight_id)
            await tx.fetch(QUERIES["resolve_insight"], insight_id, status, note or None, actor or None)
            return await self._get(tx, insight_id)

        return await self._database.mutate(request, Insight, effect)

    async def _get(self, tx: Transaction, insight_id: uuid.UUID) -> Insight:
        row = await tx.fetchrow(QUERIES["get_insight"], insight_id)
        if row is None:
            raise insight_not_found(insight_id)
        return to_insight(row, self._grace)

    async def _several(self, tx: Transaction, ids: Sequence[uuid.UUID]) -> list[Insight]:
        """Insights in the order of their ids given."""
        rows: Sequence[Row] = await tx.fetch(QUERIES["get_insights"], list(ids)) if ids else []
        found = {row["id_key"]: row for row in rows}
        return [to_insight(found[insight_id], self._grace) for insight_id in ids if insight_id in found]


def _wish(request: pb.GenerateInsightsRequest, rules: Sequence[Rule]) -> Wish:
    """What a request asks for. Raises InvalidArgument."""
    violations = Violations()
    types = named_types(request.types, violations) or ()
    if len(request.contact_ids) > CONTACTS_LIMIT:
        violations.add("contact_ids", f"must hold at most {CONTACTS_LIMIT} ids")
        violations.raise_if_any()
    ids = [parse_uuid(text) for text in request.contact_ids]
    for i, contact_id in enumerate(ids):
        if contact_id is None:
            violations.add(f"contact_ids[{i}]", UUID_WANTED)
    violations.raise_if_any()
    return Wish(
        rules,
        tuple(types),
        tuple(contact_id for contact_id in ids if contact_id is not None),
    )


def insight_not_found(insight_id: uuid.UUID) -> NotFound:
    """What a caller hears about an insight that its tenant does not have, or that is hidden."""
    return NotFound("INSIGHT_NOT_FOUND", f"no insight {insight_id}", id=str(insight_id))


def insight_not_pending(insight_id: uuid.UUID) -> FailedPrecondition:
    """What a caller hears who would resolve an insight that is settled, or of no use any more."""
    return FailedPrecondition(
        "INSIGHT_NOT_PENDING",
        f"insight {insight_id} was actioned, dismissed or superseded, or has expired",
        id=str(insight_id),
    )
