"""ReminderService, put together from its parts."""

from __future__ import annotations

from services.interactions.reminders import Reminders
from shared.server import Runtime


class ReminderService(Reminders):
    """The servicer of pmcrm.interactions.v1.ReminderService."""

    def __init__(self, runtime: Runtime) -> None:
        Reminders.__init__(self, runtime)
