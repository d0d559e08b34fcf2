"""DataSubjectService, put together from its parts."""

from __future__ import annotations

from services.gdpr.account_erasures import AccountErasures
from services.gdpr.contact_erasures import ContactErasures
from services.gdpr.exports import Exports
from services.gdpr.restrictions import Restrictions
from services.gdpr.suppressing import Suppressions
from shared.server import Runtime


class DataSubjectService(AccountErasures, ContactErasures, Exports, Restrictions, Suppressions):
    """The servicer of pmcrm.gdpr.v1.DataSubjectService."""

    def __init__(self, runtime: Runtime) -> None:
        AccountErasures.__init__(self, runtime)
        ContactErasures.__init__(self, runtime)
        Exports.__init__(self, runtime)
        Restrictions.__init__(self, runtime)
        Suppressions.__init__(self, runtime)
