"""The gdpr service as the server runs it: its contract, of which no RPC is built yet."""

from __future__ import annotations

from collections.abc import Mapping

# Imported for their descriptors, from which the server makes its handlers.
from pmcrm.gdpr.v1 import audit_service_pb2, consent_service_pb2, data_subject_service_pb2, retention_service_pb2

from shared.server import Runtime, Service, full_names


def servicers(runtime: Runtime) -> Mapping[str, object]:
    """None for each gRPC service: every RPC answers UNIMPLEMENTED."""
    return full_names([audit_service_pb2, consent_service_pb2, data_subject_service_pb2, retention_service_pb2], {})


SERVICE = Service("gdpr", servicers)
