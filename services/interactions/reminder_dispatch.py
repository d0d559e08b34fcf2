"""ReminderService: the hand-over of due reminders to the services that notify people. For operators."""

from __future__ import annotations

from datetime import timedelta

from pmcrm.interactions.v1 import reminder_service_pb2 as pb

from services.interactions import acknowledging, dispatching
from shared.layers import Access, Context, callable_by
from shared.server import Runtime


class ReminderDispatch:
    """The operators' calls of pmcrm.interactions.v1.ReminderService."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database
        self._grace = timedelta(days=runtime.settings.delete_grace_days)

    @callable_by(Access.OPERATOR)
    async def ClaimDueReminders(
        self, request: pb.ClaimDueRemindersRequest, context: Context
    ) -> pb.ClaimDueRemindersResponse:
        """Hands out notifications that are due, of any tenants, under leases."""
        return await dispatching.run(request, self._database, self._grace)

    @callable_by(Access.OPERATOR)
    async def AckReminders(self, request: pb.AckRemindersRequest, context: Context) -> pb.AckRemindersResponse:
        """Says what became of claimed notifications, with an outcome for each."""
        return await acknowledging.run(request, self._database)
