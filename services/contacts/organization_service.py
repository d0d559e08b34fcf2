"""OrganizationService, put together from its parts."""

from __future__ import annotations

from services.contacts.employments import Employments
from services.contacts.organizations import Organizations
from shared.server import Runtime


class OrganizationService(Organizations, Employments):
    """The servicer of pmcrm.contacts.v1.OrganizationService."""

    def __init__(self, runtime: Runtime) -> None:
        Organizations.__init__(self, runtime)
        Employments.__init__(self, runtime)
