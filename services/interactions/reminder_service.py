"""ReminderService, put together from its parts."""

from __future__ import annotations

from services.interactions.reminder_dispatch import ReminderDispatch
from services.interactions.reminders import Reminders
from shared.server import Runtime


class ReminderService(Reminders, ReminderDispatch):
    """The servicer of pmcrm.interactions.v1.ReminderService."""

    def __init__(self, runtime: Runtime) -> None:
        Reminders.__init__(self, runtime)
        ReminderDispatch.__init__(self, runtime)
