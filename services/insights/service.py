"""The insights service as the server runs it: its contract, of which no RPC is built yet."""

from __future__ import annotations

from collections.abc import Mapping

# Imported for their descriptors, from which the server makes its handlers.
from pmcrm.insights.v1 import insight_service_pb2, relationship_service_pb2, semantic_service_pb2

from shared.server import Runtime, Service, full_names


def servicers(runtime: Runtime) -> Mapping[str, object]:
    """None for each gRPC service: every RPC answers UNIMPLEMENTED."""
    return full_names([insight_service_pb2, relationship_service_pb2, semantic_service_pb2], {})


SERVICE = Service("insights", servicers)
