"""No call of ConsentService shows, changes or betrays what another tenant's people have declared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from pmcrm.gdpr.v1 import consent_service_pb2 as pb
from pmcrm.gdpr.v1.consent_pb2 import Consent

from services.gdpr.consents import Consents
from tests.postgres import Connection
from tests.services.contacts.calls import NOBODY, Book
from tests.services.contacts.test_isolation import built, everything_of, outcome, without
from tests.services.gdpr.consent_calls import GRANTED, OBJECTED, OBJECTION, PURPOSE, Declarations
from tests.suite import failure, new_request_id, tenant_of

# Each call that names a contact, and each that names a declaration, by its id.
ON_A_CONTACT: dict[str, Callable[[str], Message]] = {
    "RecordConsent": lambda key: pb.RecordConsentRequest(
        consent=Consent(contact_id=key, purpose=PURPOSE, text_version="1")
    ),
    "RecordConsent by request_id": lambda key: pb.RecordConsentRequest(
        consent=Consent(contact_id=key, purpose=PURPOSE, type=OBJECTION), request_id=new_request_id()
    ),
    "WithdrawConsent": lambda key: pb.WithdrawConsentRequest(contact_id=key, purpose=PURPOSE),
    "WithdrawConsent of nothing": lambda key: pb.WithdrawConsentRequest(contact_id=key, purpose="nothing"),
    "ListConsents": lambda key: pb.ListConsentsRequest(contact_id=key),
    "ListConsents with a total": lambda key: pb.ListConsentsRequest(contact_id=key, include_total_size=True),
    "CheckConsent": lambda key: pb.CheckConsentRequest(contact_id=key, purpose=PURPOSE),
    "CheckConsent at a moment": lambda key: pb.CheckConsentRequest(
        contact_id=key, purpose=PURPOSE, at_time={"seconds": 1}
    ),
}
ON_A_CONSENT: dict[str, Callable[[str], Message]] = {
    "WithdrawConsent": lambda key: pb.WithdrawConsentRequest(id=key),
    "WithdrawConsent by request_id": lambda key: pb.WithdrawConsentRequest(id=key, request_id=new_request_id()),
}


def test_every_call_that_is_built_is_tried_here() -> None:
    tried = {name.split()[0] for name in (*ON_A_CONTACT, *ON_A_CONSENT)}
    assert built(pb, "ConsentService", Consents) == tried


async def send(declarations: Declarations, request: Message) -> Any:
    name = type(request).__name__.removesuffix("Request")
    return await getattr(declarations.stub, name)(request, metadata=declarations.tenant)


@pytest.mark.parametrize("call", ON_A_CONTACT)
async def test_another_tenants_contact_is_answered_like_none_at_all(
    declarations: Declarations, bobs_declarations: Declarations, book: Book, as_superuser: Connection, call: str
) -> None:
    contact = await book.create(given_name="Ada")
    await declarations.record(contact.id)
    before = await everything_of(as_superuser, tenant_of(book.tenant))
    request = ON_A_CONTACT[call]

    foreign = await failure(send(bobs_declarations, request(contact.id)))
    missing = await failure(send(bobs_declarations, request(NOBODY)))
    assert (foreign.code, foreign.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")
    assert without(foreign, contact.id) == without(missing, NOBODY)
    assert await everything_of(as_superuser, tenant_of(book.tenant)) == before

    assert await outcome(send(declarations, request(contact.id))) in ("", "CONSENT_NOT_FOUND")


@pytest.mark.parametrize("call", ON_A_CONSENT)
@pytest.mark.parametrize("of_contact", [False, True])
async def test_another_tenants_declaration_is_answered_like_none_at_all(
    declarations: Declarations,
    bobs_declarations: Declarations,
    book: Book,
    as_superuser: Connection,
    call: str,
    of_contact: bool,
) -> None:
    made = await declarations.record((await book.create(given_name="Ada")).id if of_contact else "")
    before = await everything_of(as_superuser, tenant_of(book.tenant))
    request = ON_A_CONSENT[call]

    foreign = await failure(send(bobs_declarations, request(made.id)))
    missing = await failure(send(bobs_declarations, request(NOBODY)))
    assert (foreign.code, foreign.reason) == (grpc.StatusCode.NOT_FOUND, "CONSENT_NOT_FOUND")
    assert without(foreign, made.id) == without(missing, NOBODY)
    assert await everything_of(as_superuser, tenant_of(book.tenant)) == before

    assert await outcome(send(declarations, request(made.id))) == ""


async def test_another_tenants_own_id_names_none_of_its_declarations(
    declarations: Declarations, bobs_declarations: Declarations
) -> None:
    await declarations.record()
    owner = tenant_of(declarations.tenant)
    for call in (bobs_declarations.check(owner), bobs_declarations.page(contact_id=owner)):
        assert (await failure(call)).reason == "CONTACT_NOT_FOUND"
    assert await bobs_declarations.status() == 0
    assert (await bobs_declarations.page(user_only=True)).consents == []


async def test_lists_and_totals_hold_the_tenants_own(
    declarations: Declarations, bobs_declarations: Declarations
) -> None:
    for owner, count in ((declarations, 3), (bobs_declarations, 2)):
        for _ in range(count):
            await owner.record()
    for owner, count in ((declarations, 3), (bobs_declarations, 2)):
        for arguments in ({}, {"user_only": True}, {"order_by": "create_time", "purpose": PURPOSE}):
            page = await owner.page(include_total_size=True, **arguments)
            assert (len(page.consents), page.total_size) == (count, count)


async def test_a_page_token_opens_no_other_tenants_list(
    declarations: Declarations, bobs_declarations: Declarations
) -> None:
    for owner in (declarations, bobs_declarations):
        for _ in range(2):
            await owner.record()
    token = (await declarations.page(page_size=1)).next_page_token
    foreign = await failure(bobs_declarations.page(page_token=token))
    nonsense = await failure(bobs_declarations.page(page_token=token[::-1]))
    assert foreign.status == nonsense.status
    assert len((await declarations.page(page_token=token)).consents) == 1


async def test_tenants_with_identical_declarations_do_not_affect_each_other(
    declarations: Declarations, bobs_declarations: Declarations, book: Book, bobs: Book, as_superuser: Connection
) -> None:
    request_id = new_request_id()
    ids = []
    for owner, contacts in ((declarations, book), (bobs_declarations, bobs)):
        contact = await contacts.create(given_name="Ada")
        ids.append(contact.id)
        await owner.record(request_id=request_id, note="the same")
        await owner.record(contact.id, note="the same")
    before = await everything_of(as_superuser, tenant_of(bobs.tenant))
    await declarations.withdraw(purpose=PURPOSE)
    await declarations.record(ids[0], type=OBJECTION)
    await book.delete(ids[0])
    assert await everything_of(as_superuser, tenant_of(bobs.tenant)) == before
    assert [await bobs_declarations.status(key) for key in ("", ids[1])] == [GRANTED, GRANTED]
    assert await declarations.status(ids[0]) == OBJECTED
    assert dict((await bobs.get(ids[1])).consent_state) == {PURPOSE: GRANTED}
