"""The ids of merged contacts go on working: in every call they stand for the contact that survived."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import pytest_asyncio
from pmcrm.contacts.v1.contact_pb2 import Contact

from tests.postgres import Connection
from tests.services.contacts.calls import NOBODY, Book, mask
from tests.services.contacts.merge_calls import FORMATS, merge, unmerge
from tests.services.contacts.transfers import exported
from tests.suite import Client, failure


@dataclass(frozen=True)
class Chain:
    """c was merged into b, and then b into a. undo: the second merge. survivor: a, as it is now."""

    a: str
    b: str
    c: str
    undo: str
    survivor: Contact


@pytest_asyncio.fixture
async def chain(book: Book) -> Chain:
    a, b, c = [contact.id for contact in await book.create_many(*({"given_name": name} for name in "ABC"))]
    await merge(book, b, c)
    answer = await merge(book, a, b)
    return Chain(a, b, c, answer.merge_id, answer.contact)


async def test_get_answers_with_the_survivor(book: Book, chain: Chain) -> None:
    for asked in (chain.a, chain.b, chain.c):
        assert await book.get(asked) == chain.survivor
        shown = await book.get(asked, "given_name")
        assert (shown.id, shown.given_name, shown.etag) == (chain.a, "A", "")


async def test_a_merged_contacts_id_outlives_its_purge(book: Book, chain: Chain, as_operator: Connection) -> None:
    for gone in (chain.b, chain.c):
        await as_operator.execute("DELETE FROM contacts WHERE id = $1", uuid.UUID(gone))
    for asked in (chain.b, chain.c):
        assert await book.get(asked) == chain.survivor
    assert list((await book.get_many(chain.c, chain.b)).contacts) == [chain.survivor] * 2
    assert (await book.update(chain.c, notes="x")).id == chain.a


async def test_after_undoing_each_id_stands_for_itself_again(book: Book, chain: Chain) -> None:
    await unmerge(book, chain.undo)
    assert [(await book.get(asked)).id for asked in (chain.a, chain.b, chain.c)] == [chain.a, chain.b, chain.b]


async def test_a_batch_answers_in_order_and_as_often_as_asked(book: Book, chain: Chain) -> None:
    other = await book.create(given_name="D")
    asked = [chain.c, other.id, chain.a, chain.b, chain.c]
    answer = await book.get_many(*asked)
    assert [contact.id for contact in answer.contacts] == [chain.a, other.id, chain.a, chain.a, chain.a]
    answer = await book.get_many(chain.c, NOBODY, chain.b, allow_missing=True, read_mask=mask("given_name"))
    assert [contact.given_name for contact in answer.contacts] == ["A", "A"]
    assert list(answer.missing_ids) == [NOBODY]
    assert (await failure(book.get_many(chain.c, NOBODY))).metadata == {"id": NOBODY}


async def test_an_update_changes_the_survivor(book: Book, chain: Chain) -> None:
    updated = await book.update(chain.c, "notes", "relationship_strength", notes="x", relationship_strength=7)
    assert (updated.id, updated.notes, updated.relationship_strength) == (chain.a, "x", 7)
    assert await book.get(chain.a) == updated
    assert (await book.update(chain.b, notes="y", etag=updated.etag)).notes == "y"
    refused = await failure(book.update(chain.b, notes="z", etag=updated.etag))
    assert refused.reason == "ETAG_MISMATCH"


async def test_an_etag_that_a_merged_contact_had_is_not_the_survivors(book: Book) -> None:
    """Versions are counted: another contact's count must not pass for this one's."""
    for changes in range(4):
        survivor, duplicate = await book.create_many({"given_name": "A"}, {"given_name": "B"})
        updated = [await book.update(duplicate.id, notes=str(i)) for i in range(changes)]
        etags = [duplicate.etag, *(contact.etag for contact in updated)]
        answer = await merge(book, survivor.id, duplicate.id)
        for etag in etags:
            for call in (book.update(duplicate.id, notes="x", etag=etag), book.delete(duplicate.id, etag=etag)):
                assert (await failure(call)).reason == "ETAG_MISMATCH"
        while_merged = [answer.contact.etag, (await book.update(duplicate.id, notes="x")).etag]
        restored = (await unmerge(book, answer.merge_id)).restored_contacts[0]
        for etag in (*etags, *while_merged):
            assert etag != restored.etag
            assert (await failure(book.update(duplicate.id, notes="x", etag=etag))).reason == "ETAG_MISMATCH"


async def test_a_delete_deletes_the_survivor_and_an_undelete_brings_it_back(book: Book, chain: Chain) -> None:
    refused = await failure(book.undelete(chain.c))
    assert (refused.code.name, refused.reason) == ("ALREADY_EXISTS", "CONTACT_NOT_DELETED")
    deleted = await book.delete(chain.c)
    assert (deleted.id, deleted.HasField("delete_time")) == (chain.a, True)
    assert await book.names() == []
    for asked in (chain.a, chain.b, chain.c):
        assert await book.get(asked) == deleted
        assert (await failure(book.delete(asked))).metadata == {"id": asked}
        assert await book.delete(asked, allow_missing=True) == deleted
        assert (await failure(book.update(asked, notes="x"))).reason == "CONTACT_NOT_FOUND"
    assert (await failure(book.undelete(chain.b, etag="1"))).reason == "ETAG_MISMATCH"
    restored = await book.undelete(chain.b, etag=deleted.etag)
    assert (restored.id, restored.HasField("delete_time")) == (chain.a, False)
    assert await book.names() == ["A"]


async def test_a_restricted_survivor_is_not_deleted_by_any_of_its_ids(
    book: Book, chain: Chain, as_superuser: Connection
) -> None:
    await as_superuser.execute("UPDATE contacts SET processing_restricted = true WHERE id = $1", uuid.UUID(chain.a))
    for asked in (chain.a, chain.c):
        assert (await failure(book.delete(asked))).reason == "PROCESSING_RESTRICTED"
    assert (await book.update(chain.c, notes="corrected")).notes == "corrected"


async def test_an_export_of_a_merged_id_holds_the_survivor_once(client: Client, book: Book, chain: Chain) -> None:
    for form in FORMATS:
        of_survivor = await exported(client, book.tenant, ids=[chain.a], format=form)
        for ids in ([chain.c], [chain.b, chain.a, chain.c]):
            assert (await exported(client, book.tenant, ids=ids, format=form)).content == of_survivor.content
    assert of_survivor.counts[0] == 1
    refused = await failure(exported(client, book.tenant, ids=[chain.c, NOBODY]))
    assert refused.metadata == {"id": NOBODY}


async def test_an_export_of_deleted_ones_too_holds_the_merged(client: Client, book: Book) -> None:
    a, b = await book.create_many({"given_name": "A"}, {"given_name": "B"})
    await merge(book, a.id, b.id)
    assert (await exported(client, book.tenant)).counts[0] == 1
    assert (await exported(client, book.tenant, show_deleted=True)).counts[0] == 2


async def test_what_hangs_something_on_a_merged_contact_gets_the_survivor(
    as_contacts: Connection, book: Book, chain: Chain
) -> None:
    tenant = dict(book.tenant)["x-tenant-id"]
    async with as_contacts.transaction():
        await as_contacts.execute(f"SET LOCAL app.current_user_id = '{uuid.UUID(tenant)}'")
        ids = [uuid.UUID(contact_id) for contact_id in (chain.a, chain.b, chain.c)]
        rows = await as_contacts.fetch("SELECT asked, contact_id FROM app.lock_contacts($1)", ids)
    assert {row["asked"]: row["contact_id"] for row in rows} == dict.fromkeys(ids, ids[0])
