"""The contacts service as the server runs it."""

from __future__ import annotations

from collections.abc import Mapping

# Imported for their descriptors, from which the server makes its handlers.
from pmcrm.contacts.v1 import contact_service_pb2, organization_service_pb2, tag_service_pb2, user_service_pb2

from services.contacts.contact_service import ContactService
from services.contacts.organization_service import OrganizationService
from services.contacts.tags import Tags
from services.contacts.users import Users
from shared.server import Runtime, Service, full_names


def servicers(runtime: Runtime) -> Mapping[str, object]:
    """The servicer of each gRPC service; None for those that are not built yet."""
    built = {
        "UserService": Users(runtime),
        "ContactService": ContactService(runtime),
        "OrganizationService": OrganizationService(runtime),
        "TagService": Tags(runtime),
    }
    return full_names([user_service_pb2, contact_service_pb2, organization_service_pb2, tag_service_pb2], built)


SERVICE = Service("contacts", servicers)
