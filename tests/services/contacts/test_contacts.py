from __future__ import annotations
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_pb2 import Contact
from tests.suite import Client, Metadata


async def test_a_created_contact_is_read_back(client: Client, alice: Metadata) -> None:
    made = await client.contacts.CreateContact(
        pb.CreateContactRequest(contact=Contact(given_name="Ada", phones=[{"value": "020 7946 0123"}])), metadata=alice
    )
    read = await client.contacts.GetContact(pb.GetContactRequest(id=made.id), metadata=alice)
    print(made)
    assert made == read
    l = await client.contacts.ListContacts(pb.ListContactsRequest(), metadata=alice)
    assert list(l.contacts) == [made]
