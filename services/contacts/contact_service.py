"""ContactService, put together from its parts."""

from __future__ import annotations

from services.contacts.contacts import Contacts
from services.contacts.duplicates import Duplicates
from services.contacts.links import ContactLinks
from services.contacts.merges import ContactMerges
from shared.server import Runtime


class ContactService(Contacts, ContactLinks, ContactMerges, Duplicates):
    """The servicer of pmcrm.contacts.v1.ContactService."""

    def __init__(self, runtime: Runtime) -> None:
        Contacts.__init__(self, runtime)
        ContactLinks.__init__(self, runtime)
        ContactMerges.__init__(self, runtime)
        Duplicates.__init__(self, runtime)
