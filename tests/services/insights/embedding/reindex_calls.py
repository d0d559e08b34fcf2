"""ReindexEmbeddings in short."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pmcrm.insights.v1 import semantic_service_pb2 as pb

from tests.services.insights.conftest import InsightsClient
from tests.suite import Metadata


@dataclass
class Reindexed:
    """What a stream said."""

    progress: list[tuple[int, int]] = field(default_factory=list)
    failures: list[pb.ReindexFailure] = field(default_factory=list)
    summary: pb.ReindexSummary | None = None

    @property
    def counts(self) -> dict[str, int]:
        """What the summary counts, without what is 0."""
        assert self.summary is not None
        names = ("embedded", "unchanged", "empty", "not_permitted", "failed")
        return {name: getattr(self.summary, name) for name in names if getattr(self.summary, name)}


async def reindex(client: InsightsClient, tenant: Metadata, **arguments: Any) -> Reindexed:
    """The whole stream. A summary comes last, and once."""
    told = Reindexed()
    async for response in client.semantic.ReindexEmbeddings(pb.ReindexEmbeddingsRequest(**arguments), metadata=tenant):
        assert told.summary is None
        match response.WhichOneof("event"):
            case "progress":
                told.progress.append((response.progress.processed, response.progress.total))
            case "failure":
                told.failures.append(response.failure)
            case "summary":
                told.summary = response.summary
    assert told.summary is not None
    return told
