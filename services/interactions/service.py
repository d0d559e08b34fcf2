"""The interactions service as the server runs it: its contract, of which no RPC is built yet."""

from __future__ import annotations

from collections.abc import Mapping

# Imported for their descriptors, from which the server makes its handlers.
from pmcrm.interactions.v1 import integration_service_pb2, interaction_service_pb2, reminder_service_pb2

from shared.server import Runtime, Service, full_names


def servicers(runtime: Runtime) -> Mapping[str, object]:
    """None for each gRPC service: every RPC answers UNIMPLEMENTED."""
    return full_names([integration_service_pb2, interaction_service_pb2, reminder_service_pb2], {})


SERVICE = Service("interactions", servicers)
