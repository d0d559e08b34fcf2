"""How often an RPC goes to the database and back, counted between the two, once connections and caches are warm."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import user_service_pb2 as users_pb
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.contacts.v1.user_pb2 import User

from shared import health
from tests.runtime.pgproxy import Proxy, begin, commit
from tests.suite import Client, Metadata, as_operator, get, new_request_id, tenant_of


@pytest.fixture(autouse=True)
def quiet_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The health watch looks once, at the start: its own round trips are not an RPC's."""
    monkeypatch.setattr(health, "INTERVAL", 3600.0)


async def counted(proxy: Proxy, call: Callable[[], Awaitable[Any]]) -> int:
    """Round trips of a call, the third time that it is made."""
    await call()
    await call()
    proxy.reset()
    await call()
    return proxy.round_trips


async def new_contact(client: Client, tenant: Metadata, **fields: Any) -> Contact:
    contact = Contact(given_name="Ada", **fields)
    made: Contact = await client.contacts.CreateContact(pb.CreateContactRequest(contact=contact), metadata=tenant)
    return made


async def test_get_contact_makes_three_round_trips(proxied: Client, proxy: Proxy) -> None:
    tenant = await proxied.new_tenant()
    contact = await new_contact(proxied, tenant)
    assert await counted(proxy, lambda: proxied.contacts.GetContact(get(contact.id), metadata=tenant)) == 3
    opening, _, closing = proxy.sent
    assert opening == f"BEGIN READ ONLY; SET LOCAL app.current_user_id = '{tenant_of(tenant)}'\0".encode()
    assert closing == b"COMMIT\0"


async def test_looking_for_a_contact_that_is_not_there_asks_once_more_whether_it_was_merged(
    proxied: Client, proxy: Proxy
) -> None:
    tenant = await proxied.new_tenant()

    async def miss() -> None:
        call = proxied.contacts.GetContact(get("0190a5d2-7c3e-7b1f-9d52-3f7c8e21ab04"), metadata=tenant)
        assert (await call.code()).name == "NOT_FOUND"

    assert await counted(proxy, miss) == 4


@pytest.mark.parametrize("order", ["", "create_time desc", "last_contact_time", "relationship_strength desc"])
async def test_list_contacts_makes_three_round_trips(proxied: Client, proxy: Proxy, order: str) -> None:
    tenant = await proxied.new_tenant()
    await new_contact(proxied, tenant)
    request = pb.ListContactsRequest(order_by=order, page_size=10)
    assert await counted(proxy, lambda: proxied.contacts.ListContacts(request, metadata=tenant)) == 3


async def test_a_total_costs_one_more_round_trip(proxied: Client, proxy: Proxy) -> None:
    tenant = await proxied.new_tenant()
    request = pb.ListContactsRequest(include_total_size=True)
    assert await counted(proxy, lambda: proxied.contacts.ListContacts(request, metadata=tenant)) == 4


async def test_a_tenants_state_is_looked_up_once(proxied: Client, proxy: Proxy) -> None:
    tenant = await proxied.new_tenant()
    proxy.reset()
    await proxied.contacts.ListContacts(pb.ListContactsRequest(), metadata=tenant)
    lookups = [body for body in proxy.sent if begin(body)]
    await proxied.contacts.ListContacts(pb.ListContactsRequest(), metadata=tenant)
    assert len(lookups) == 2, "one transaction looks the tenant up, one lists"
    assert sum(begin(body) for body in proxy.sent) == 3


Write = Callable[[Client, Metadata, str, dict[str, Any]], Awaitable[object]]


async def create(client: Client, tenant: Metadata, contact_id: str, given: dict[str, Any]) -> None:
    await client.contacts.CreateContact(
        pb.CreateContactRequest(contact=Contact(given_name="Ada"), **given), metadata=tenant
    )


async def create_pinned(client: Client, tenant: Metadata, contact_id: str, given: dict[str, Any]) -> None:
    pinned = Contact(given_name="Ada", relationship_strength=5)
    await client.contacts.CreateContact(pb.CreateContactRequest(contact=pinned, **given), metadata=tenant)


async def create_fifty(client: Client, tenant: Metadata, contact_id: str, given: dict[str, Any]) -> None:
    requests = [pb.CreateContactRequest(contact=Contact(given_name="Ada"))] * 50
    await client.contacts.BatchCreateContacts(
        pb.BatchCreateContactsRequest(requests=requests, **given), metadata=tenant
    )


async def update(client: Client, tenant: Metadata, contact_id: str, given: dict[str, Any]) -> None:
    request = pb.UpdateContactRequest(contact=Contact(id=contact_id, notes="seen"), **given)
    request.update_mask.paths.append("notes")
    await client.contacts.UpdateContact(request, metadata=tenant)


async def delete(client: Client, tenant: Metadata, contact_id: str, given: dict[str, Any]) -> None:
    # Also when it is deleted already, so that it can be repeated.
    request = pb.DeleteContactRequest(id=contact_id, allow_missing=True, **given)
    await client.contacts.DeleteContact(request, metadata=tenant)


async def undelete(client: Client, tenant: Metadata, contact_id: str, given: dict[str, Any]) -> None:
    call = client.contacts.UndeleteContact(pb.UndeleteContactRequest(id=contact_id, **given), metadata=tenant)
    assert (await call.code()).name in {"OK", "ALREADY_EXISTS"}


async def update_user(client: Client, tenant: Metadata, contact_id: str, given: dict[str, Any]) -> None:
    request = users_pb.UpdateUserRequest(user=User(id=tenant_of(tenant), locale="de"), **given)
    request.update_mask.paths.append("locale")
    await client.users.UpdateUser(request, metadata=tenant)


# BEGIN and COMMIT are two of each.
WRITES: dict[Write, int] = {
    create: 4,  # insert, read back
    create_pinned: 5,  # insert, pin, read back
    create_fifty: 4,  # insert, read back
    update: 5,  # lock and read, update, read back
    delete: 5,  # of one that is deleted already: look for a living one, ask whether it was merged, read it
    undelete: 4,  # undelete, read back
    update_user: 6,  # lock, read, update, read back
}


@pytest.mark.parametrize("with_request_id", [False, True], ids=["without_request_id", "with_request_id"])
@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__name__)
async def test_a_write_makes_so_many_round_trips_and_one_more_for_a_request_id(
    proxied: Client, proxy: Proxy, write: Write, with_request_id: bool
) -> None:
    tenant = await proxied.new_tenant()
    contact = await new_contact(proxied, tenant)

    async def call() -> None:
        given: dict[str, Any] = {"request_id": new_request_id()} if with_request_id else {}
        await write(proxied, tenant, contact.id, given)

    # A tenant that has changed itself is looked up anew at its next call, here at the same call's repetition.
    lookup = 3 if write is update_user else 0
    claim = 1 if with_request_id else 0
    assert await counted(proxy, call) - lookup == WRITES[write] + claim


async def test_an_answer_is_kept_in_the_message_that_commits(proxied: Client, proxy: Proxy) -> None:
    tenant = await proxied.new_tenant()
    proxy.reset()
    await create(proxied, tenant, "", {"request_id": new_request_id()})
    assert proxy.sent[-1].startswith(b"UPDATE idempotency_keys SET answer = ")
    assert commit(proxy.sent[-1])


async def test_a_repeated_request_is_answered_in_four_round_trips(proxied: Client, proxy: Proxy) -> None:
    tenant = await proxied.new_tenant()
    request = pb.CreateContactRequest(contact=Contact(given_name="Ada"), request_id=new_request_id())
    assert await counted(proxy, lambda: proxied.contacts.CreateContact(request, metadata=tenant)) == 4


async def test_an_operators_writes_are_counted_too(proxied: Client, proxy: Proxy) -> None:
    """CreateUser: BEGIN, insert, read back, COMMIT; a login e-mail is one more, a request_id too."""

    async def create() -> None:
        await proxied.users.CreateUser(users_pb.CreateUserRequest(user=User()), metadata=as_operator())

    async def create_with_everything() -> None:
        await proxied.users.CreateUser(
            users_pb.CreateUserRequest(
                user=User(login_email=f"{new_request_id()}@example.org"), request_id=new_request_id()
            ),
            metadata=as_operator(),
        )

    assert await counted(proxy, create) == 4
    assert await counted(proxy, create_with_everything) == 6
