"""Interactions of the past, in short, and contacts out of reach."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.interactions.v1 import interaction_pb2 as kinds
from pmcrm.interactions.v1.interaction_pb2 import Interaction, Participant

from tests.postgres import Connection, bound
from tests.services.interactions.interaction_calls import Log

EMAIL, MEETING, NOTE = kinds.INTERACTION_TYPE_EMAIL, kinds.INTERACTION_TYPE_MEETING, kinds.INTERACTION_TYPE_NOTE
MENTIONED = kinds.PARTICIPANT_ROLE_MENTIONED

# Noon of today in UTC, so that days before and after it are days of the calendar.
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


def ago(days: float) -> datetime:
    """So many days before noon of today; negative for later."""
    return NOON - timedelta(days=days)


def utc(text: str) -> datetime:
    """A moment, as in `2024-03-11T04:00:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def past(contact: Contact, days: float, **fields: Any) -> Interaction:
    """An e-mail with a contact so many days before noon of today, unless fields say otherwise."""
    role = fields.pop("role", kinds.PARTICIPANT_ROLE_UNSPECIFIED)
    values: dict[str, Any] = {"type": EMAIL, "occur_time": ago(days)} | fields
    return Interaction(**values, participants=[Participant(contact_id=contact.id, role=role)])


async def history(log: Log, contact: Contact, *days: float, **fields: Any) -> list[Interaction]:
    """E-mails with a contact, each so many days before noon of today."""
    return await log.create_many(*(past(contact, each, **fields) for each in days))


async def restrict(superuser: Connection, tenant: uuid.UUID, contact: Contact) -> None:
    """Restricts the processing of a contact."""
    async with bound(superuser, tenant):
        await superuser.execute("UPDATE contacts SET processing_restricted = true WHERE id = $1", uuid.UUID(contact.id))
