"""ImportContacts of records whose contacts have been merged: they stand for the survivor."""

from __future__ import annotations

import pytest
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import contact_transfer_pb2 as transfer_pb
from pmcrm.contacts.v1.contact_pb2 import Contact

from tests.postgres import Connection
from tests.services.contacts.calls import Book
from tests.services.contacts.merge_calls import merge, unmerge
from tests.services.contacts.transfers import all_contacts, card, exported, imported
from tests.suite import Client, tenant_of

ADA = ("FN:Ada", "EMAIL:ada@example.org", "TITLE:Analyst", "BDAY:1815-12-10")
COUNTESS = ("FN:The Countess", "EMAIL:countess@example.org", "NOTE:hers")


async def merged(client: Client, book: Book, content: bytes) -> Contact:
    """Imports two records and merges the second contact into the first."""
    await imported(client, book.tenant, content)
    survivor, duplicate = await all_contacts(client, book.tenant)
    return (await merge(book, survivor.id, duplicate.id)).contact


@pytest.mark.parametrize("uids", [("UID:1", "UID:2"), ("X-A:1", "X-A:2"), ("UID:1", "X-A:2"), ("X-A:1", "UID:2")])
async def test_the_same_file_again_changes_nothing(client: Client, book: Book, uids: tuple[str, str]) -> None:
    content = card(uids[0], *ADA) + card(uids[1], *COUNTESS)
    survivor = await merged(client, book, content)
    assert (await imported(client, book.tenant, content, dry_run=True)).counts == (0, 0, 2, 0)
    assert (await imported(client, book.tenant, content)).counts == (0, 0, 2, 0)
    assert await book.get(survivor.id) == survivor


@pytest.mark.parametrize("kind", ["UID", "X-A"])
async def test_what_a_merged_contacts_record_says_anew_is_the_survivors_and_then_known(
    client: Client, book: Book, kind: str
) -> None:
    survivor = await merged(client, book, card("UID:1", *ADA) + card("UID:2", *COUNTESS))
    changed = card("UID:1", *ADA) + card("UID:2", *COUNTESS, "EMAIL:new@example.org", "TITLE:Countess", "CATEGORIES:a")
    assert (await imported(client, book.tenant, changed, dry_run=True)).counts == (0, 1, 1, 0)
    assert (await imported(client, book.tenant, changed)).counts == (0, 1, 1, 0)
    [now] = await all_contacts(client, book.tenant)
    assert (now.id, now.display_name, now.source_uid) == (survivor.id, "Ada", "1")
    assert [email.value for email in now.emails] == ["ada@example.org", "countess@example.org", "new@example.org"]
    assert (now.job_title, now.birthday.year, [tag.name for tag in now.tags]) == ("Countess", 1815, ["a"])
    assert (await imported(client, book.tenant, changed)).counts == (0, 0, 2, 0)
    assert await book.get(survivor.id) == now


async def test_both_records_of_a_merged_contact_may_change_at_once(client: Client, book: Book) -> None:
    await merged(client, book, card("UID:1", *ADA) + card("UID:2", *COUNTESS))
    changed = card("UID:1", *ADA, "NICKNAME:A", "ORG:One") + card(
        "UID:2", *COUNTESS, "ROLE:x", "ORG:Two", "CATEGORIES:a"
    )
    assert (await imported(client, book.tenant, changed)).counts == (0, 2, 0, 0)
    [now] = await all_contacts(client, book.tenant)
    assert (now.nickname, list(now.extra_properties), now.tags[0].name) == ("A", ["ROLE:x"], "a")
    before = await exported(client, book.tenant)
    assert (await imported(client, book.tenant, changed)).counts == (0, 0, 2, 0)
    assert (await exported(client, book.tenant)).content == before.content


@pytest.mark.parametrize("form", [transfer_pb.EXPORT_FORMAT_VCARD_3, transfer_pb.EXPORT_FORMAT_CSV])
async def test_an_export_from_before_the_merge_brings_nothing_back(
    client: Client, book: Book, form: transfer_pb.ExportFormat
) -> None:
    one = await book.create(given_name="Ada", notes="hers")
    two = await book.create(given_name="Countess", nickname="C")
    file = await exported(client, book.tenant, format=form)
    await merge(book, one.id, two.id)
    before = await book.get(one.id)
    assert (await imported(client, book.tenant, file.content)).summary.created == 0
    assert (await book.get(one.id)).nickname == before.nickname == "C"
    assert (await imported(client, book.tenant, file.content)).counts == (0, 0, 2, 0)


async def test_when_the_merge_is_undone_each_record_has_its_own_contact_again(client: Client, book: Book) -> None:
    content = card("UID:1", *ADA) + card("UID:2", *COUNTESS)
    survivor = await merged(client, book, content)
    deleted = (await book.stub.ListContacts(pb.ListContactsRequest(show_deleted=True), metadata=book.tenant)).contacts
    [gone] = [contact for contact in deleted if contact.merged_into_id]
    assert gone.merged_into_id == survivor.id
    await unmerge(book, gone.merge_id)
    assert (await imported(client, book.tenant, content)).counts == (0, 0, 2, 0)
    assert len(await all_contacts(client, book.tenant)) == 2


async def test_a_tie_to_a_merged_contact_is_one_to_the_survivor(client: Client, book: Book) -> None:
    await merged(client, book, card("UID:urn:x:1", *ADA) + card("UID:urn:x:2", *COUNTESS))
    await imported(client, book.tenant, card("FN:Eve", "RELATED;TYPE=friend:urn:x:2", "RELATED;TYPE=friend:urn:x:1"))
    [eve] = [contact for contact in await all_contacts(client, book.tenant) if contact.display_name == "Eve"]
    request = pb.ListContactLinksRequest(contact_id=eve.id)
    links = (await client.contacts.ListContactLinks(request, metadata=book.tenant)).links
    assert [link.related_contact.display_name for link in links] == ["Ada"]


async def test_a_record_of_a_contact_that_was_merged_and_purged_stands_for_the_survivor_by_its_id(
    client: Client, book: Book, as_superuser: Connection
) -> None:
    one, two = await book.create(given_name="Ada"), await book.create(given_name="Countess")
    file = await exported(client, book.tenant, ids=[two.id])
    await merge(book, one.id, two.id)
    await as_superuser.execute("DELETE FROM contacts WHERE user_id = $1 AND id = $2", tenant_of(book.tenant), two.id)
    before = await book.get(one.id)
    assert (await imported(client, book.tenant, file.content)).counts == (0, 0, 1, 0)
    assert await book.get(one.id) == before
