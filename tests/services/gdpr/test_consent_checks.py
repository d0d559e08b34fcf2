"""CheckConsent: what holds by declarations, and what held at any moment that has passed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from pmcrm.gdpr.v1.consent_pb2 import Consent, ConsentType

from tests.postgres import Connection
from tests.services.contacts.calls import NOBODY, Book
from tests.services.gdpr.consent_calls import (
    EXPIRED,
    GRANTED,
    OBJECTED,
    OBJECTION,
    PURPOSE,
    UNSAID,
    WITHDRAWN,
    Declarations,
    a_time,
)
from tests.suite import failure

TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


async def expire(conn: Connection, consent: Consent) -> None:
    """Lets a consent have expired a moment after it was given."""
    for table, key in (("consent_records", "id"), ("consent_states", "consent_id")):
        await conn.execute(
            f"UPDATE {table} SET expires_at = $2 WHERE {key} = $1",
            consent.id,
            consent.create_time.ToDatetime(UTC) + timedelta(microseconds=1),
        )


async def test_declarations_at_once_are_kept_in_the_order_that_decides(declarations: Declarations, book: Book) -> None:
    for contact_id in ("", (await book.create(given_name="Ada")).id):
        types = [OBJECTION, ConsentType.CONSENT_TYPE_CONSENT] * 6
        await asyncio.gather(*(declarations.record(contact_id, type=kind) for kind in types))
        newest = (await declarations.page(contact_id=contact_id, user_only=not contact_id)).consents[0]
        checked = await declarations.check(contact_id)
        assert (checked.status, checked.consent.id) == (newest.status, newest.id)
        if contact_id:
            assert dict((await book.get(contact_id)).consent_state) == {PURPOSE: newest.status}


async def test_an_objection_stands_until_it_is_withdrawn_or_a_permission_follows(declarations: Declarations) -> None:
    first = await declarations.record()
    objection = await declarations.record(type=OBJECTION)
    assert (await declarations.check()).consent == objection
    # The permission before it is withdrawn: it does not stand for less.
    await declarations.withdraw(id=first.id)
    assert await declarations.status() == OBJECTED
    end = await declarations.withdraw(id=objection.id)
    assert (end.status, end.withdrawn_consent_id) == (UNSAID, objection.id)
    assert await declarations.status() == WITHDRAWN
    await declarations.record()
    await declarations.record(type=OBJECTION)
    assert await declarations.status() == OBJECTED
    await declarations.withdraw(purpose=PURPOSE)
    assert await declarations.status() == GRANTED
    await declarations.record(type=OBJECTION)
    await declarations.record()
    assert await declarations.status() == GRANTED
    await declarations.withdraw(purpose=PURPOSE)
    assert await declarations.status() == WITHDRAWN


async def test_what_has_expired_can_be_withdrawn(declarations: Declarations, as_superuser: Connection) -> None:
    made = await declarations.record(expire_time=a_time(TOMORROW))
    await expire(as_superuser, made)
    assert (await declarations.check()).status == EXPIRED
    assert (await declarations.page()).consents[0].status == EXPIRED
    # It held when it was given.
    assert (await declarations.check(at=made.create_time)).consent.status == GRANTED
    await declarations.withdraw(purpose=PURPOSE)
    assert await declarations.status() == WITHDRAWN


async def test_any_past_moment_is_answered_as_it_was(declarations: Declarations, book: Book) -> None:
    contact = await book.create(given_name="Ada")
    other = await book.create(given_name="Grace")
    await declarations.record(other.id)
    await declarations.record()
    before = (await declarations.check(contact.id)).at_time
    answers = [(before, UNSAID)]
    first = await declarations.record(contact.id)
    steps = [
        lambda: declarations.record(contact.id, type=OBJECTION),
        lambda: declarations.withdraw(contact_id=contact.id, purpose=PURPOSE),
        lambda: declarations.withdraw(id=first.id),
        lambda: declarations.record(contact.id, expire_time=a_time(TOMORROW)),
    ]
    answers.append((first.create_time, GRANTED))
    for step, status in zip(steps, (OBJECTED, GRANTED, WITHDRAWN, GRANTED), strict=True):
        answers.append(((await step()).create_time, status))
        answers.append(((await declarations.check(contact.id)).at_time, status))
    assert await declarations.status(contact.id, at=Timestamp()) == UNSAID
    for at, status in answers:
        checked = await declarations.check(contact.id, at=at)
        assert (checked.status, checked.at_time) == (status, at)
        assert checked.HasField("consent") == (status != UNSAID)


@pytest.mark.parametrize(
    ("arguments", "bad"),
    [
        ({"purpose": ""}, "purpose"),
        ({"purpose": "No!"}, "purpose"),
        ({"contact_id": "Ada"}, "contact_id"),
        ({"at": a_time(TOMORROW)}, "at_time"),
        ({"at": Timestamp(seconds=10**12)}, "at_time"),
    ],
)
async def test_a_question_that_cannot_be_answered_is_refused(
    declarations: Declarations, arguments: dict[str, Any], bad: str
) -> None:
    refused = await failure(declarations.check(**arguments))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert set(refused.violations) == {bad}
    assert (await failure(declarations.check(NOBODY))).reason == "CONTACT_NOT_FOUND"
