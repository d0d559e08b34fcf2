"""The gdpr service as the server runs it."""

from __future__ import annotations

from collections.abc import Mapping

# Imported for their descriptors, from which the server makes its handlers.
from pmcrm.gdpr.v1 import audit_service_pb2, consent_service_pb2, data_subject_service_pb2, retention_service_pb2

from services.gdpr.audit_service import AuditService
from services.gdpr.consents import Consents
from services.gdpr.data_subject_service import DataSubjectService
from services.gdpr.retention import RetentionService
from shared.server import Runtime, Service, full_names


def servicers(runtime: Runtime) -> Mapping[str, object]:
    """The servicer of each gRPC service; None for those that are not built yet."""
    built = {
        "AuditService": AuditService(runtime),
        "ConsentService": Consents(runtime),
        "DataSubjectService": DataSubjectService(runtime),
        "RetentionService": RetentionService(runtime),
    }
    return full_names([audit_service_pb2, consent_service_pb2, data_subject_service_pb2, retention_service_pb2], built)


SERVICE = Service("gdpr", servicers)
