"""ContactService, put together from its parts."""

from __future__ import annotations

from services.contacts.contacts import Contacts
from shared.server import Runtime


class ContactService(Contacts):
    """The servicer of pmcrm.contacts.v1.ContactService."""

    def __init__(self, runtime: Runtime) -> None:
        Contacts.__init__(self, runtime)
