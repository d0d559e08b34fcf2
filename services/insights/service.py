"""The insights service as the server runs it."""

from __future__ import annotations

from collections.abc import Mapping

# Imported for their descriptors, from which the server makes its handlers.
from pmcrm.insights.v1 import insight_service_pb2, relationship_service_pb2, semantic_service_pb2

from services.insights.insights import Insights
from services.insights.provider.client import ProviderClient
from services.insights.provider.writer import ProviderWriter
from services.insights.relationship_service import RelationshipService
from services.insights.semantic_service import SemanticService
from shared.server import Runtime, Service, full_names


def servicers(runtime: Runtime) -> Mapping[str, object]:
    """The servicer of each gRPC service; None for those that are not built yet."""
    provider = ProviderClient.of(runtime.settings)
    built = {
        "InsightService": Insights(runtime, ProviderWriter.of(runtime.settings, provider)),
        "RelationshipService": RelationshipService(runtime),
        "SemanticService": SemanticService(runtime, provider),
    }
    return full_names([insight_service_pb2, relationship_service_pb2, semantic_service_pb2], built)


SERVICE = Service("insights", servicers)
