"""Reads and checks single request fields; each failure names the field and never repeats its value."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from shared.caller import parse_uuid
from shared.errors import InvalidArgument, Violation

UUID_WANTED = "must be a UUID such as 0190a5d2-7c3e-7b1f-9d52-3f7c8e21ab04"


def uuid_field(request: Message, field: str) -> uuid.UUID:
    """A required id. Raises InvalidArgument when it is missing or not a UUID."""
    return uuid_value(getattr(request, field), field)


def uuid_value(text: str, field: str) -> uuid.UUID:
    """The UUID that a text spells. Raises InvalidArgument naming the field when it spells none."""
    value = parse_uuid(text)
    if value is None:
        raise InvalidArgument([Violation(field, UUID_WANTED)])
    return value


def request_id_field(request: Message) -> uuid.UUID | None:
    """The request's `request_id`, None when it is empty. Raises InvalidArgument when it is not a UUID."""
    text: str = request.request_id  # type: ignore[attr-defined]  # every mutation's request has it; a test checks
    if not text:
        return None
    value = parse_uuid(text)
    if value is None:
        raise InvalidArgument([Violation("request_id", UUID_WANTED)])
    return value


def uuid_list(values: Sequence[str], field: str, limit: int) -> list[uuid.UUID]:
    """A repeated id field of 1 to `limit` values. Raises InvalidArgument naming each bad one (`ids[3]`)."""
    if not 1 <= len(values) <= limit:
        raise InvalidArgument([Violation(field, f"must hold 1 to {limit} ids")])
    parsed = [parse_uuid(value) for value in values]
    bad = [Violation(f"{field}[{i}]", UUID_WANTED) for i, value in enumerate(parsed) if value is None]
    if bad:
        raise InvalidArgument(bad)
    return [value for value in parsed if value is not None]


def time_value(message: Message, field: str) -> datetime | None:
    """An optional Timestamp field; None when it is unset. Raises InvalidArgument outside of the years 1 to 9999."""
    if not message.HasField(field):
        return None
    time: Timestamp = getattr(message, field)
    try:
        return time.ToDatetime(UTC)
    except (ValueError, OverflowError):
        raise InvalidArgument([Violation(field, "must be a time in the years 1 to 9999")]) from None
