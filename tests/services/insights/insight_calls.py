"""The calls that tests of insights make most, in short."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from google.protobuf.field_mask_pb2 import FieldMask
from pmcrm.insights.v1 import insight_service_pb2 as pb
from pmcrm.insights.v1 import insight_service_pb2_grpc
from pmcrm.insights.v1.insight_pb2 import Insight, InsightStatus, InsightType
from pmcrm.insights.v1.provider_outcome_pb2 import ProviderOutcome

from tests.suite import Metadata

OVERDUE = InsightType.INSIGHT_TYPE_OVERDUE
BIRTHDAY = InsightType.INSIGHT_TYPE_BIRTHDAY
INTRODUCTION = InsightType.INSIGHT_TYPE_INTRODUCTION

PENDING = InsightStatus.INSIGHT_STATUS_PENDING
ACTIONED = InsightStatus.INSIGHT_STATUS_ACTIONED
DISMISSED = InsightStatus.INSIGHT_STATUS_DISMISSED
SUPERSEDED = InsightStatus.INSIGHT_STATUS_SUPERSEDED
ANY_STATUS = InsightStatus.INSIGHT_STATUS_UNSPECIFIED

NOT_ASKED = ProviderOutcome.PROVIDER_OUTCOME_NOT_ASKED
ANSWERED = ProviderOutcome.PROVIDER_OUTCOME_ANSWERED
UNAVAILABLE = ProviderOutcome.PROVIDER_OUTCOME_UNAVAILABLE

Counts = tuple[int, int, int, int]


class Advice:
    """One tenant's insights: `await advice.generate()`."""

    def __init__(self, channel: grpc.aio.Channel, tenant: Metadata) -> None:
        self.stub = insight_service_pb2_grpc.InsightServiceStub(channel)
        self.tenant = tenant

    async def generate(self, **arguments: Any) -> pb.GenerateInsightsResponse:
        request = pb.GenerateInsightsRequest(**arguments)
        answer: pb.GenerateInsightsResponse = await self.stub.GenerateInsights(request, metadata=self.tenant)
        return answer

    async def counts(self, **arguments: Any) -> Counts:
        """What generating came to: created, unchanged, superseded, suppressed."""
        done = await self.generate(**arguments)
        return done.created, done.unchanged, done.superseded, done.suppressed

    async def the_new(self, **arguments: Any) -> Insight:
        """The one insight that generating brings."""
        (insight,) = (await self.generate(**arguments)).insights
        return insight

    async def get(self, insight_id: str, *paths: str) -> Insight:
        request = pb.GetInsightRequest(id=insight_id, read_mask=FieldMask(paths=paths))
        answer: Insight = await self.stub.GetInsight(request, metadata=self.tenant)
        return answer

    async def action(self, insight_id: str, metadata: Metadata = (), **arguments: Any) -> Insight:
        request = pb.ActionInsightRequest(id=insight_id, **arguments)
        answer: Insight = await self.stub.ActionInsight(request, metadata=(*self.tenant, *metadata))
        return answer

    async def dismiss(self, insight_id: str, **arguments: Any) -> Insight:
        request = pb.DismissInsightRequest(id=insight_id, **arguments)
        answer: Insight = await self.stub.DismissInsight(request, metadata=self.tenant)
        return answer

    async def page(self, **arguments: Any) -> pb.ListInsightsResponse:
        request = pb.ListInsightsRequest(**arguments)
        answer: pb.ListInsightsResponse = await self.stub.ListInsights(request, metadata=self.tenant)
        return answer

    async def pages(self, **arguments: Any) -> AsyncIterator[list[Insight]]:
        """The pages of a list, one after the other to its end."""
        page = await self.page(**arguments)
        yield list(page.insights)
        while page.next_page_token:
            page = await self.page(**{**arguments, "page_token": page.next_page_token, "skip": 0})
            yield list(page.insights)

    async def titles(self, **arguments: Any) -> list[str]:
        """The titles of a whole list, page by page."""
        return [insight.title async for page in self.pages(**arguments) for insight in page]

    async def everything(self) -> list[Insight]:
        """All insights that can be listed, whatever became of them."""
        shown = {"show_deleted": True, "show_expired": True, "statuses": [ANY_STATUS]}
        return [insight async for page in self.pages(page_size=1000, **shown) for insight in page]
