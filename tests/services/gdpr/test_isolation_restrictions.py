"""No call that restricts or releases a contact shows, changes or betrays another tenant's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb

from tests.postgres import Connection
from tests.services.contacts.calls import NOBODY, Book
from tests.services.contacts.test_isolation import everything_of, outcome, without
from tests.services.gdpr.conftest import GdprClient
from tests.services.gdpr.restriction_calls import CLAIMS, Restricting
from tests.suite import Metadata, failure, new_request_id, tenant_of

ON_A_CONTACT: dict[str, Callable[[str], Message]] = {
    "RestrictProcessing": lambda key: pb.RestrictProcessingRequest(contact_id=key),
    "RestrictProcessing by request_id": lambda key: pb.RestrictProcessingRequest(
        contact_id=key, reason=CLAIMS, note="x", request_id=new_request_id()
    ),
    "LiftRestriction": lambda key: pb.LiftRestrictionRequest(contact_id=key),
    "LiftRestriction by request_id": lambda key: pb.LiftRestrictionRequest(
        contact_id=key, note="x", request_id=new_request_id()
    ),
}


async def send(gdpr: GdprClient, tenant: Metadata, request: Message) -> Any:
    name = type(request).__name__.removesuffix("Request")
    return await getattr(gdpr.subjects, name)(request, metadata=tenant)


@pytest.mark.parametrize("call", ON_A_CONTACT)
@pytest.mark.parametrize("restricted", [False, True])
async def test_another_tenants_contact_is_answered_like_none_at_all(
    gdpr: GdprClient, book: Book, bob: Metadata, as_superuser: Connection, call: str, restricted: bool
) -> None:
    contact = await book.create(given_name="Ada")
    if restricted:
        await Restricting(gdpr.subjects, book.tenant).restrict(contact.id)
    before = await everything_of(as_superuser, tenant_of(book.tenant))
    request = ON_A_CONTACT[call]

    foreign = await failure(send(gdpr, bob, request(contact.id)))
    missing = await failure(send(gdpr, bob, request(NOBODY)))
    assert (foreign.code, foreign.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")
    assert without(foreign, contact.id) == without(missing, NOBODY)
    assert await everything_of(as_superuser, tenant_of(book.tenant)) == before

    assert await outcome(send(gdpr, book.tenant, request(contact.id))) == ""


async def test_tenants_with_identical_contacts_do_not_affect_each_other(
    gdpr: GdprClient, book: Book, bobs: Book, as_superuser: Connection
) -> None:
    ids, request_id = [], new_request_id()
    for owner in (book, bobs):
        contact = await owner.create(given_name="Ada", source_uid="the same")
        await Restricting(gdpr.subjects, owner.tenant).restrict(contact.id, note="the same", request_id=request_id)
        ids.append(contact.id)
    before = await everything_of(as_superuser, tenant_of(bobs.tenant))
    await Restricting(gdpr.subjects, book.tenant).lift(ids[0])
    assert await everything_of(as_superuser, tenant_of(bobs.tenant)) == before
    assert [(await owner.get(key)).processing_restricted for owner, key in zip((book, bobs), ids, strict=True)] == [
        False,
        True,
    ]
