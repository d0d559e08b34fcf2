"""The interactions service as the server runs it."""

from __future__ import annotations

from collections.abc import Mapping

# Imported for their descriptors, from which the server makes its handlers.
from pmcrm.interactions.v1 import integration_service_pb2, interaction_service_pb2, reminder_service_pb2

from services.interactions.integrations import Integrations
from services.interactions.interactions import Interactions
from services.interactions.reminder_service import ReminderService
from shared.server import Runtime, Service, full_names


def servicers(runtime: Runtime) -> Mapping[str, object]:
    """The servicer of each gRPC service; None for those that are not built yet."""
    built = {
        "InteractionService": Interactions(runtime),
        "IntegrationService": Integrations(runtime),
        "ReminderService": ReminderService(runtime),
    }
    return full_names([integration_service_pb2, interaction_service_pb2, reminder_service_pb2], built)


SERVICE = Service("interactions", servicers)
