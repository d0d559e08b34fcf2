"""WithdrawConsent: what was declared is withdrawn as easily, and once."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import grpc
import pytest
from pmcrm.gdpr.v1.consent_pb2 import Consent, LegalBasis

from tests.postgres import Connection, bound
from tests.services.contacts.calls import NOBODY, Book
from tests.services.gdpr.consent_calls import (
    OBJECTION,
    PURPOSE,
    UNSAID,
    WITHDRAWAL,
    WITHDRAWN,
    Declarations,
)
from tests.suite import failure, tenant_of


async def test_a_withdrawal_says_what_it_withdraws(declarations: Declarations, book: Book) -> None:
    contact = await book.create(given_name="Ada")
    made = await declarations.record(
        contact.id, legal_basis=LegalBasis.LEGAL_BASIS_CONTRACT, source="paper", note="then", ip_address="192.0.2.1"
    )
    withdrawn = await declarations.withdraw(id=made.id, source="phone", note="now")
    assert withdrawn == Consent(
        id=withdrawn.id,
        contact_id=contact.id,
        type=WITHDRAWAL,
        purpose=PURPOSE,
        legal_basis=LegalBasis.LEGAL_BASIS_CONTRACT,
        source="phone",
        note="now",
        withdrawn_consent_id=made.id,
        status=WITHDRAWN,
        create_time=withdrawn.create_time,
    )
    assert (await declarations.page(contact_id=contact.id)).consents == [withdrawn, made]


@pytest.mark.parametrize(
    ("arguments", "bad"),
    [
        ({}, {"id", "purpose"}),
        ({"contact_id": NOBODY}, {"id", "purpose"}),
        ({"id": NOBODY, "purpose": PURPOSE}, {"id", "purpose"}),
        ({"id": NOBODY, "contact_id": NOBODY}, {"contact_id"}),
        ({"id": "one"}, {"id"}),
        ({"purpose": "No!"}, {"purpose"}),
        ({"purpose": PURPOSE, "contact_id": "Ada"}, {"contact_id"}),
        ({"id": NOBODY, "source": "x" * 101}, {"source"}),
        ({"id": NOBODY, "source": "a\0"}, {"source"}),
        ({"id": NOBODY, "note": "x" * 1_001}, {"note"}),
        ({"id": NOBODY, "note": "a\0"}, {"note"}),
    ],
)
async def test_a_withdrawal_of_no_one_thing_is_refused(
    declarations: Declarations, arguments: dict[str, Any], bad: set[str]
) -> None:
    refused = await failure(declarations.withdraw(**arguments))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert set(refused.violations) == bad


async def test_what_was_not_declared_is_not_withdrawn(declarations: Declarations, book: Book) -> None:
    contact = await book.create(given_name="Ada")
    await declarations.record(contact.id, purpose="another")
    await declarations.record()
    refused = await failure(declarations.withdraw(id=NOBODY))
    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "CONSENT_NOT_FOUND")
    assert refused.metadata == {"id": NOBODY}
    refused = await failure(declarations.withdraw(contact_id=contact.id, purpose=PURPOSE))
    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "CONSENT_NOT_FOUND")
    refused = await failure(declarations.withdraw(contact_id=NOBODY, purpose=PURPOSE))
    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")


async def test_nothing_is_withdrawn_twice(declarations: Declarations) -> None:
    made = await declarations.record()
    withdrawal = await declarations.withdraw(id=made.id)
    again: list[dict[str, Any]] = [{"id": made.id}, {"id": withdrawal.id}, {"purpose": PURPOSE}]
    for arguments in again:
        refused = await failure(declarations.withdraw(**arguments))
        assert (refused.code, refused.reason) == (
            grpc.StatusCode.FAILED_PRECONDITION,
            "CONSENT_ALREADY_WITHDRAWN",
        )
    objection = await declarations.record(type=OBJECTION)
    await declarations.withdraw(purpose=PURPOSE)
    again = [{"id": objection.id}, {"purpose": PURPOSE}]
    for arguments in again:
        assert (await failure(declarations.withdraw(**arguments))).reason == "CONSENT_ALREADY_WITHDRAWN"
    # Nothing is left of an objection to something about which nothing else was ever said.
    await declarations.record(type=OBJECTION, purpose="profiling")
    await declarations.withdraw(purpose="profiling")
    assert await declarations.status(purpose="profiling") == UNSAID
    assert (await failure(declarations.withdraw(purpose="profiling"))).reason == "CONSENT_ALREADY_WITHDRAWN"


@pytest.mark.parametrize("of_contact", [False, True])
async def test_of_many_withdrawals_at_once_one_is_recorded(
    declarations: Declarations, book: Book, of_contact: bool
) -> None:
    contact_id = (await book.create(given_name="Ada")).id if of_contact else ""
    made = await declarations.record(contact_id)
    calls = [declarations.withdraw(id=made.id), declarations.withdraw(contact_id=contact_id, purpose=PURPOSE)]
    calls += [declarations.withdraw(id=made.id) for _ in range(4)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(outcome, Consent) for outcome in outcomes) == 1
    assert len((await declarations.page()).consents) == 2


async def test_a_deleted_contact_still_withdraws_and_is_told_of(declarations: Declarations, book: Book) -> None:
    contact = await book.create(given_name="Ada")
    made = [await declarations.record(contact.id, purpose=purpose) for purpose in ("one", "two")]
    await book.delete(contact.id)
    await declarations.withdraw(id=made[0].id)
    await declarations.withdraw(contact_id=contact.id, purpose="two")
    for purpose in ("one", "two"):
        assert await declarations.status(contact.id, purpose) == WITHDRAWN
    assert len((await declarations.page(contact_id=contact.id)).consents) == 4
    assert set((await book.get(contact.id)).consent_state.values()) == {WITHDRAWN}


async def test_what_a_purged_contact_declared_is_kept_and_can_be_withdrawn(
    declarations: Declarations, book: Book, as_superuser: Connection
) -> None:
    contact = await book.create(given_name="Ada")
    made = await declarations.record(contact.id)
    async with bound(as_superuser, uuid.UUID(tenant_of(declarations.tenant))) as conn:
        await conn.execute("DELETE FROM contacts WHERE id = $1", contact.id)
    assert (await declarations.page()).consents == [made]
    withdrawn = await declarations.withdraw(id=made.id)
    assert withdrawn.contact_id == contact.id
    assert (await declarations.page()).consents == [withdrawn, made]
    for call in (declarations.check(contact.id), declarations.page(contact_id=contact.id)):
        assert (await failure(call)).reason == "CONTACT_NOT_FOUND"
