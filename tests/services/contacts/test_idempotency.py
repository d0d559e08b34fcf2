"""request_id: a mutation happens once, and whoever repeats it hears the first answer to the byte."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import user_service_pb2 as users_pb
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.contacts.v1.user_pb2 import SubscriptionTier, User

from tests.services.contacts.calls import NOBODY, Book
from tests.suite import Client, Metadata, as_operator, failure, new_request_id, tenant_of

MANY_KEYS = {f"key {i}": i for i in range(40)}


class Sender:
    """Sends requests and returns the bytes of their answers."""

    def __init__(self, client: Client, tenant: Metadata) -> None:
        self._channel = client.channel
        self._tenant = tenant

    async def __call__(self, request: Message) -> bytes:
        name = type(request).__name__.removesuffix("Request")
        service = "UserService" if isinstance(request, USER_REQUESTS) else "ContactService"
        call: Any = self._channel.unary_unary(f"/pmcrm.contacts.v1.{service}/{name}")
        answer: bytes = await call(request.SerializeToString(), metadata=self._tenant)
        return answer


USER_REQUESTS = (
    users_pb.CreateUserRequest,
    users_pb.UpdateUserRequest,
    users_pb.DeleteUserRequest,
    users_pb.UndeleteUserRequest,
)


@pytest.fixture
def send(client: Client, alice: Metadata) -> Sender:
    return Sender(client, alice)


@pytest.fixture
def send_as_operator(client: Client) -> Sender:
    return Sender(client, as_operator())


def create(name: str = "Ada", request_id: str = "") -> pb.CreateContactRequest:
    contact = Contact(given_name=name, custom_fields=MANY_KEYS)
    return pb.CreateContactRequest(contact=contact, request_id=request_id or new_request_id())


async def test_a_create_that_is_repeated_makes_one_contact(send: Sender, book: Book) -> None:
    request = create()
    first = await send(request)
    assert await send(request) == first
    assert await book.names() == ["Ada"]


async def test_a_request_id_is_the_same_in_either_case_of_its_letters(send: Sender, book: Book) -> None:
    request_id = new_request_id()
    first = await send(create(request_id=request_id))
    assert await send(create(request_id=request_id.upper())) == first
    assert await book.names() == ["Ada"]


async def test_the_repeat_of_a_call_that_closed_the_account_gets_its_answer(send: Sender) -> None:
    request = users_pb.DeleteUserRequest(request_id=new_request_id())
    first = await send(request)
    assert await send(request) == first


async def test_without_request_id_a_repeat_is_another_contact(book: Book) -> None:
    await book.create(given_name="Ada")
    await book.create(given_name="Ada")
    assert await book.names() == ["Ada", "Ada"]


async def test_the_first_answer_is_given_again_after_the_contact_has_changed(send: Sender, book: Book) -> None:
    request = create()
    first = await send(request)
    contact_id = Contact.FromString(first).id
    await book.update(contact_id, notes="changed")
    assert await send(request) == first
    await book.delete(contact_id)
    assert await send(request) == first


async def every_mutation(book: Book) -> list[Any]:
    living, dying, dead = await book.create_many(*({"given_name": name} for name in "ABC"))
    await book.delete(dead.id)
    return [
        create(),
        pb.BatchCreateContactsRequest(requests=[pb.CreateContactRequest(contact=Contact(given_name="Ada"))] * 2),
        pb.UpdateContactRequest(contact=Contact(id=living.id, etag=living.etag, custom_fields=MANY_KEYS)),
        pb.DeleteContactRequest(id=dying.id),
        pb.DeleteContactRequest(id=NOBODY, allow_missing=True),
        pb.UndeleteContactRequest(id=dead.id),
        users_pb.UpdateUserRequest(user=User(display_name="Alicia", settings=MANY_KEYS)),
    ]


async def test_every_mutation_happens_once_and_its_answer_repeats_to_the_byte(send: Sender, book: Book) -> None:
    for request in await every_mutation(book):
        request.request_id = new_request_id()
        first = await send(request)
        before = await book.page(show_deleted=True)
        assert await send(request) == first, type(request).__name__
        assert await book.page(show_deleted=True) == before


async def test_a_request_id_stands_for_one_body_and_one_call(send: Sender, book: Book) -> None:
    used = create()
    await send(used)
    for request in [create("Grace"), *(await every_mutation(book))[1:]]:
        request.request_id = used.request_id
        refused = await failure(send(request))
        assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")
        assert list(refused.violations) == ["request_id"]
    assert await book.names(text="ada grace") == []


@pytest.mark.parametrize("malformed", ["42", "x" * 36, "{0190a5d2-7c3e-7b1f-9d52-3f7c8e21ab04}", " "])
async def test_a_request_id_that_is_no_uuid_is_refused(send: Sender, book: Book, malformed: str) -> None:
    for request in await every_mutation(book):
        request.request_id = malformed
        refused = await failure(send(request))
        assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
        assert list(refused.violations) == ["request_id"]


async def test_a_mutation_that_failed_does_not_burn_its_request_id(send: Sender, book: Book) -> None:
    taken = await book.create(given_name="Ada", source_uid="card-1")
    request = pb.CreateContactRequest(
        contact=Contact(given_name="Grace", source_uid="card-1"), request_id=new_request_id()
    )
    assert (await failure(send(request))).reason == "SOURCE_UID_TAKEN"
    await book.delete(taken.id)
    assert Contact.FromString(await send(request)).given_name == "Grace"
    stale = pb.UpdateContactRequest(contact=Contact(id=NOBODY, notes="x"), request_id=new_request_id())
    assert (await failure(send(stale))).reason == "CONTACT_NOT_FOUND"
    stale.contact.id = (await book.create(given_name="Joan")).id
    assert Contact.FromString(await send(stale)).notes == "x"


async def test_a_request_id_of_another_tenant_is_another_one(send: Sender, client: Client, bob: Metadata) -> None:
    request = create()
    first = Contact.FromString(await send(request))
    bobs = Contact.FromString(await Sender(client, bob)(request))
    assert first.id != bobs.id
    assert Contact.FromString(await send(request)) == first


async def test_a_hundred_concurrent_creates_with_one_request_id_make_one_contact(send: Sender, book: Book) -> None:
    request = create()
    answers = await asyncio.gather(*(send(request) for _ in range(100)))
    assert len(set(answers)) == 1
    assert await book.names() == ["Ada"]


async def test_of_concurrent_requests_with_one_id_and_two_bodies_one_is_made(send: Sender, book: Book) -> None:
    request_id = new_request_id()
    calls = [send(create(name, request_id)) for name in ("Ada", "Grace") * 10]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    made = {answer for answer in answers if isinstance(answer, bytes)}
    assert len(made) == 1
    assert sum(isinstance(answer, grpc.aio.AioRpcError) for answer in answers) == 10
    assert len(await book.names()) == 1


async def test_operators_repeat_too(send_as_operator: Sender, client: Client, alice: Metadata) -> None:
    made = users_pb.CreateUserRequest(user=User(display_name="Carol", settings=MANY_KEYS), request_id=new_request_id())
    first = await send_as_operator(made)
    assert await send_as_operator(made) == first
    other = users_pb.CreateUserRequest(user=User(display_name="Dave"), request_id=made.request_id)
    assert (await failure(send_as_operator(other))).reason == "REQUEST_ID_REUSED"

    about = tenant_of(alice)
    for request in (
        users_pb.UpdateUserRequest(user=User(id=about, subscription_tier=SubscriptionTier.SUBSCRIPTION_TIER_PRO)),
        users_pb.DeleteUserRequest(id=about),
        users_pb.UndeleteUserRequest(id=about),
    ):
        request.request_id = new_request_id()
        first = await send_as_operator(request)
        assert await send_as_operator(request) == first


async def test_an_operators_request_id_is_not_a_tenants(
    send_as_operator: Sender, send: Sender, alice: Metadata
) -> None:
    request_id = new_request_id()
    update = users_pb.UpdateUserRequest(user=User(id=tenant_of(alice), display_name="Alicia"), request_id=request_id)
    by_operator = User.FromString(await send_as_operator(update))
    by_herself = User.FromString(await send(update))
    assert (by_operator.etag, by_herself.etag) == ("2", "3")


async def test_a_hundred_concurrent_users_with_one_request_id_are_one(send_as_operator: Sender) -> None:
    request = users_pb.CreateUserRequest(user=User(display_name="Carol"), request_id=new_request_id())
    assert len(set(await asyncio.gather(*(send_as_operator(request) for _ in range(100))))) == 1
