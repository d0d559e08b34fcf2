"""BatchCreateContacts and BatchGetContacts: all or none, in order, and each failure that they promise."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_pb2 import Contact

from services.contacts.contacts import BATCH_LIMIT, THREAD_FROM
from tests.services.contacts.calls import NOBODY, Book, mask, random_id
from tests.suite import failure, new_request_id

SIZES = [1, THREAD_FROM - 1, THREAD_FROM, BATCH_LIMIT]


def people(count: int) -> list[dict[str, str]]:
    return [{"given_name": f"Person {i:04}"} for i in range(count)]


@pytest.mark.parametrize("size", SIZES)
async def test_a_batch_is_made_and_read_in_the_order_of_its_requests(book: Book, size: int) -> None:
    made = await book.create_many(*people(size))
    assert [contact.given_name for contact in made] == [person["given_name"] for person in people(size)]
    backwards = [contact.id for contact in reversed(made)]
    assert list((await book.get_many(*backwards)).contacts) == made[::-1]


async def test_contacts_of_a_batch_are_listed_by_creation_in_their_order(book: Book) -> None:
    await book.create_many(*people(30))
    assert await book.names(order_by="create_time") == [person["given_name"] for person in people(30)]


@pytest.mark.parametrize("size", [0, BATCH_LIMIT + 1])
async def test_a_batch_of_none_or_too_many_is_refused(book: Book, size: int) -> None:
    refused = await failure(book.create_many(*people(size)))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == ["requests"]
    refused = await failure(book.get_many(*[NOBODY] * size))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", ["ids"])


@pytest.mark.parametrize("size", [3, THREAD_FROM])
async def test_one_bad_contact_stops_the_batch_and_is_named(book: Book, size: int) -> None:
    batch = people(size)
    batch[1] = {"given_name": "A" * 201, "notes": "\0"}
    batch[2] = {}
    refused = await failure(book.create_many(*batch))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == [
        "requests[1].contact.given_name",
        "requests[1].contact.notes",
        "requests[2].contact",
    ]
    assert await book.names() == []


async def test_as_many_bad_contacts_as_an_error_can_carry_are_named(book: Book) -> None:
    refused = await failure(book.create_many(*[{"given_name": "A" * 201}] * BATCH_LIMIT))
    assert refused.reason == "FIELD_INVALID"
    assert list(refused.violations)[:2] == ["requests[0].contact.given_name", "requests[1].contact.given_name"]
    refused = await failure(book.get_many(*["42"] * BATCH_LIMIT))
    assert (refused.reason, list(refused.violations)[:2]) == ("FIELD_INVALID", ["ids[0]", "ids[1]"])
    refused = await failure(book.get(NOBODY, *["nope"] * BATCH_LIMIT))
    assert (refused.reason, next(iter(refused.violations))) == ("FIELD_INVALID", "read_mask.paths[0]")


async def test_a_request_id_within_a_batch_is_refused(book: Book) -> None:
    within = pb.CreateContactRequest(contact=Contact(given_name="Ada"), request_id=new_request_id())
    request = pb.BatchCreateContactsRequest(requests=[within])
    refused = await failure(book.stub.BatchCreateContacts(request, metadata=book.tenant))
    assert list(refused.violations) == ["requests[0].request_id"]


async def test_a_source_uid_that_is_taken_stops_the_batch(book: Book) -> None:
    await book.create(given_name="Ada", source_uid="card-1")
    for uids in (("card-2", "card-1"), ("card-2", "card-2")):
        refused = await failure(book.create_many(*({"given_name": "Grace", "source_uid": uid} for uid in uids)))
        assert (refused.code, refused.reason) == (grpc.StatusCode.ALREADY_EXISTS, "SOURCE_UID_TAKEN")
    assert await book.names() == ["Ada"]


async def test_phones_of_a_large_batch_are_read_in_the_tenants_region(book: Book) -> None:
    """The thread that reads them knows whose they are."""
    made = await book.create_many(*[{"phones": [{"value": "020 7946 0123"}]}] * THREAD_FROM)
    assert {contact.phones[0].e164 for contact in made} == {"+442079460123"}


async def test_a_large_batch_does_not_hold_up_other_calls(book: Book) -> None:
    ada = await book.create(given_name="Ada")
    batch = asyncio.create_task(book.create_many(*[{**EVERYDAY, "notes": str(i)} for i in range(BATCH_LIMIT)]))
    answered = 0
    while not batch.done():
        await book.get(ada.id)
        answered += 1
    await batch
    assert answered > 5


EVERYDAY = {
    "given_name": "Åsa",
    "family_name": "Lovelace",
    "emails": [{"value": "asa@example.org", "label": "work"}],
    "phones": [{"value": "020 7946 0123"}],
    "addresses": [{"street": "12 St James's Square", "locality": "London"}],
}


async def test_an_id_that_is_named_twice_is_answered_twice(book: Book) -> None:
    made = await book.create(given_name="Ada")
    assert list((await book.get_many(made.id, made.id.upper())).contacts) == [made, made]


async def test_deleted_contacts_are_in_a_batch(book: Book) -> None:
    made = await book.create(given_name="Ada")
    deleted = await book.delete(made.id)
    assert list((await book.get_many(made.id)).contacts) == [deleted]


async def test_a_missing_id_fails_the_batch_and_the_first_is_named(book: Book) -> None:
    made = await book.create(given_name="Ada")
    missing = random_id()
    refused = await failure(book.get_many(made.id, missing, NOBODY))
    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")
    assert refused.metadata == {"id": missing}


async def test_missing_ids_are_listed_as_given_where_they_are_allowed(book: Book) -> None:
    made = await book.create(given_name="Ada")
    missing = [random_id().upper(), NOBODY, NOBODY]
    answer = await book.get_many(missing[0], made.id, *missing[1:], allow_missing=True)
    assert list(answer.contacts) == [made]
    assert list(answer.missing_ids) == missing


async def test_malformed_ids_are_refused_even_where_missing_ones_are_allowed(book: Book) -> None:
    refused = await failure(book.get_many(NOBODY, "42", "", allow_missing=True))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == ["ids[1]", "ids[2]"]


async def test_a_read_mask_shows_the_id_and_what_it_names(book: Book) -> None:
    made = await book.create(given_name="Ada", notes="met")
    answer = await book.get_many(made.id, read_mask=mask("notes"))
    assert list(answer.contacts) == [Contact(id=made.id, notes="met")]
