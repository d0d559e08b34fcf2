"""No call of the contacts service shows, changes or betrays another tenant's rows.

Beside each denial stands the same call by the owner, so that a call that always fails proves nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from pmcrm.contacts.v1 import contact_merge_pb2 as merge_pb
from pmcrm.contacts.v1 import contact_service_pb2, user_service_pb2
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import contact_transfer_pb2 as transfer_pb
from pmcrm.contacts.v1 import user_service_pb2 as users_pb
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.contacts.v1.user_pb2 import User

from services.contacts.contact_service import ContactService
from services.contacts.users import Users
from tests.postgres import Connection
from tests.services.contacts.calls import Book, mask, random_id
from tests.suite import Client, Failure, Metadata, failure, new_request_id, tenant_of

# Each call that names a contact by its id; those on a deleted contact are marked by name.
ON_A_CONTACT: dict[str, Callable[[str], Message]] = {
    "GetContact": lambda contact_id: pb.GetContactRequest(id=contact_id),
    "GetContact with a mask": lambda contact_id: pb.GetContactRequest(id=contact_id, read_mask=mask("id")),
    "BatchGetContacts": lambda contact_id: pb.BatchGetContactsRequest(ids=[contact_id]),
    "UpdateContact": lambda contact_id: pb.UpdateContactRequest(contact=Contact(id=contact_id, notes="mine")),
    "UpdateContact with an etag": lambda contact_id: pb.UpdateContactRequest(
        contact=Contact(id=contact_id, notes="mine", etag="1")
    ),
    "UpdateContact with a stale etag": lambda contact_id: pb.UpdateContactRequest(
        contact=Contact(id=contact_id, notes="mine", etag="77")
    ),
    "UpdateContact of nothing": lambda contact_id: pb.UpdateContactRequest(contact=Contact(id=contact_id)),
    "UpdateContact by request_id": lambda contact_id: pb.UpdateContactRequest(
        contact=Contact(id=contact_id, relationship_strength=3), request_id=new_request_id()
    ),
    "DeleteContact": lambda contact_id: pb.DeleteContactRequest(id=contact_id),
    "DeleteContact with a stale etag": lambda contact_id: pb.DeleteContactRequest(id=contact_id, etag="77"),
    "UndeleteContact": lambda contact_id: pb.UndeleteContactRequest(id=contact_id),
    "FindDuplicateContacts": lambda contact_id: merge_pb.FindDuplicateContactsRequest(contact_id=contact_id),
    "ListContactLinks": lambda contact_id: pb.ListContactLinksRequest(contact_id=contact_id),
    "ListContactLinks with removed ones": lambda contact_id: pb.ListContactLinksRequest(
        contact_id=contact_id, show_deleted=True, include_total_size=True
    ),
    "ExportContacts": lambda contact_id: transfer_pb.ExportContactsRequest(ids=[contact_id]),
    "UndeleteContact of a deleted one": lambda contact_id: pb.UndeleteContactRequest(id=contact_id),
}

ON_A_USER: dict[str, Callable[[str], Message]] = {
    "GetUser": lambda user_id: users_pb.GetUserRequest(id=user_id),
    "UpdateUser": lambda user_id: users_pb.UpdateUserRequest(user=User(id=user_id, display_name="mine")),
    "UpdateUser of what operators set": lambda user_id: users_pb.UpdateUserRequest(
        user=User(id=user_id, login_email="mine@example.org")
    ),
    "DeleteUser": lambda user_id: users_pb.DeleteUserRequest(id=user_id),
    "DeleteUser of a missing one": lambda user_id: users_pb.DeleteUserRequest(id=user_id, allow_missing=True),
    "UndeleteUser": lambda user_id: users_pb.UndeleteUserRequest(id=user_id),
}

# Calls that name no row of a tenant. Their tests are further below, and in test_import.py and test_search.py.
BY_NO_ID = {"CreateContact", "BatchCreateContacts", "ListContacts", "SearchContacts", "ImportContacts", "CreateUser"}

# Calls on links, which are tried in test_isolation_links.py.
ON_LINKS = {"LinkContacts", "UnlinkContacts"}

# Calls on several contacts or on a merge, which are tried in test_isolation_merges.py.
ON_MERGES = {"MergeContacts", "UnmergeContacts"}


def built(contract: Any, service: str, servicer: type) -> set[str]:
    methods = contract.DESCRIPTOR.services_by_name[service].methods_by_name
    return {name for name in methods if hasattr(servicer, name)}


def test_every_call_that_is_built_is_tried_here() -> None:
    tried = {name.split()[0] for name in (*ON_A_CONTACT, *ON_A_USER)} | BY_NO_ID | ON_LINKS | ON_MERGES
    calls = built(contact_service_pb2, "ContactService", ContactService) | built(user_service_pb2, "UserService", Users)
    assert calls <= tried


async def send(client: Client, request: Message, metadata: Metadata) -> Any:
    name = type(request).__name__.removesuffix("Request")
    if isinstance(request, transfer_pb.ExportContactsRequest | merge_pb.FindDuplicateContactsRequest):
        return [part async for part in getattr(client.contacts, name)(request, metadata=metadata)]
    return await getattr(client.users if hasattr(client.users, name) else client.contacts, name)(
        request, metadata=metadata
    )


async def outcome(call: Any) -> str:
    """The reason for which a call failed; '' when it succeeded."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return Failure(error).reason
    return ""


def without(refused: Failure, asked_for: str) -> bytes:
    """The whole status as it was sent, but for the id that was asked for."""
    assert refused.status is not None
    sent: bytes = refused.status.SerializeToString()
    assert asked_for.encode() in sent
    return sent.replace(asked_for.encode(), b"?" * 36)


async def everything_of(conn: Connection, tenant: str) -> list[Any]:
    """All that is kept of a tenant, in every table."""
    tables = await conn.fetch(
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'user_id'"
        " AND table_name NOT LIKE 'audit_logs%' UNION SELECT 'users' ORDER BY 1"
    )
    kept = []
    for (table,) in tables:
        key = "id" if table == "users" else "user_id"
        kept += await conn.fetch(
            f"SELECT '{table}' AS kept_in, row.* FROM {table} AS row WHERE {key} = $1::uuid ORDER BY row", tenant
        )
    kept += await conn.fetch("SELECT * FROM audit_logs WHERE user_id = $1::uuid ORDER BY at", tenant)
    return kept


@pytest.mark.parametrize("call", ON_A_CONTACT)
async def test_another_tenants_contact_is_answered_like_none_at_all(
    client: Client, book: Book, bobs: Book, as_superuser: Connection, call: str
) -> None:
    made = await book.create(given_name="Ada", source_uid="card-1")
    if call.endswith("deleted one"):
        await book.delete(made.id)
    before = await everything_of(as_superuser, tenant_of(book.tenant))
    request, nobody = ON_A_CONTACT[call], random_id()

    foreign = await failure(send(client, request(made.id), bobs.tenant))
    missing = await failure(send(client, request(nobody), bobs.tenant))
    assert foreign.reason == "CONTACT_NOT_FOUND"
    assert foreign.code == missing.code
    assert foreign.message.replace(made.id, nobody) == missing.message
    assert without(foreign, made.id) == without(missing, nobody)
    assert await everything_of(as_superuser, tenant_of(book.tenant)) == before

    assert await outcome(send(client, request(made.id), book.tenant)) in ("", "ETAG_MISMATCH", "CONTACT_NOT_DELETED")


@pytest.mark.parametrize("call", ON_A_USER)
async def test_another_user_is_answered_like_none_at_all(
    client: Client, alice: Metadata, bob: Metadata, as_superuser: Connection, call: str
) -> None:
    before = await everything_of(as_superuser, tenant_of(alice))
    request, nobody = ON_A_USER[call], random_id()
    foreign = await failure(send(client, request(tenant_of(alice)), bob))
    missing = await failure(send(client, request(nobody), bob))
    assert foreign.reason == "USER_NOT_FOUND"
    assert (foreign.code, without(foreign, tenant_of(alice))) == (missing.code, without(missing, nobody))
    assert await everything_of(as_superuser, tenant_of(alice)) == before

    own = await outcome(send(client, request(tenant_of(alice)), alice))
    assert own in ("", "OPERATOR_REQUIRED", "USER_NOT_DELETED")


async def test_a_missing_contact_that_may_be_missing_is_answered_alike(book: Book, bobs: Book) -> None:
    made = await book.create(given_name="Ada")
    assert (
        await bobs.delete(made.id, allow_missing=True)
        == await bobs.delete(random_id(), allow_missing=True)
        == Contact()
    )
    assert await book.get(made.id) == made


async def test_a_batch_holds_no_contact_of_another_tenant(book: Book, bobs: Book) -> None:
    hers, his = await book.create(given_name="Ada"), await bobs.create(given_name="Grace")
    answer = await bobs.get_many(hers.id, his.id, allow_missing=True)
    assert (list(answer.contacts), list(answer.missing_ids)) == ([his], [hers.id])
    nobody = random_id()
    foreign, missing = await failure(bobs.get_many(his.id, hers.id)), await failure(bobs.get_many(his.id, nobody))
    assert without(foreign, hers.id) == without(missing, nobody)
    assert list((await book.get_many(hers.id)).contacts) == [hers]


@pytest.mark.parametrize("order", ["name", "create_time", "last_contact_time", "relationship_strength"])
async def test_lists_and_totals_hold_the_tenants_own(book: Book, bobs: Book, order: str) -> None:
    hers = await book.create_many(*({"given_name": f"Ada {i}"} for i in range(5)))
    his = await bobs.create_many(*({"given_name": f"Ada {i}"} for i in range(3)))
    for direction in ("", " desc"):
        for owner, own in ((book, hers), (bobs, his)):
            arguments: dict[str, Any] = {"order_by": order + direction, "text": "ada", "show_deleted": True}
            shown = {contact.id async for page in owner.pages(page_size=2, **arguments) for contact in page}
            assert shown == {contact.id for contact in own}
            assert (await owner.page(include_total_size=True, **arguments)).total_size == len(own)


async def test_a_page_token_opens_no_other_tenants_list(book: Book, bobs: Book) -> None:
    for owner in (book, bobs):
        await owner.create_many(*({"given_name": name} for name in "AB"))
    hers = (await book.page(page_size=1)).next_page_token
    foreign = await failure(bobs.page(page_token=hers))
    nonsense = await failure(bobs.page(page_token=hers[::-1]))
    assert foreign.status == nonsense.status
    assert len((await book.page(page_token=hers)).contacts) == 1


async def test_a_request_id_tells_nothing_of_another_tenants_requests(book: Book, bobs: Book) -> None:
    request_id = new_request_id()
    hers = await book.create(given_name="Ada", request_id=request_id)
    his = await bobs.create(given_name="Grace", request_id=request_id)
    assert (his.given_name, await bobs.names()) == ("Grace", ["Grace"])
    assert await book.create(given_name="Ada", request_id=request_id) == hers
    assert (await failure(book.create(given_name="Grace", request_id=request_id))).reason == "REQUEST_ID_REUSED"


async def test_a_source_uid_may_be_the_same_in_two_tenants(book: Book, bobs: Book) -> None:
    hers = await book.create(given_name="Ada", source_uid="card-1")
    his = await bobs.create(given_name="Ada", source_uid="card-1")
    assert (await failure(bobs.create(given_name="Ada", source_uid="card-1"))).reason == "SOURCE_UID_TAKEN"
    await bobs.delete(his.id)
    await bobs.undelete(his.id)
    assert await book.get(hers.id) == hers


async def test_interleaved_calls_of_many_tenants_keep_to_their_own(client: Client) -> None:
    """Connections go from tenant to tenant; what one bound, the next must not see."""
    books = [Book(client, await client.new_tenant()) for _ in range(12)]

    async def live(book: Book, name: str) -> None:
        for i in range(10):
            made = await book.create(given_name=name, source_uid=str(i))
            await book.update(made.id, notes=name)
            assert await book.names(page_size=3) == [name] * (i + 1)

    await asyncio.gather(*(live(book, f"Tenant {i}") for i, book in enumerate(books)))


async def test_an_export_holds_the_tenants_own_contacts_alone(client: Client, book: Book, bobs: Book) -> None:
    await book.create(given_name="Ada")
    await bobs.create(given_name="Bert")
    for owner, own, foreign in ((book, b"Ada", b"Bert"), (bobs, b"Bert", b"Ada")):
        parts = await send(client, transfer_pb.ExportContactsRequest(show_deleted=True), owner.tenant)
        file = b"".join(part.chunk for part in parts)
        assert own in file
        assert foreign not in file
