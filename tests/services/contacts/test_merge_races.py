"""Merging while others write the same contacts: one consistent outcome or ABORTED, and never a lost row."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import organization_service_pb2 as organizations_pb
from pmcrm.contacts.v1 import tag_service_pb2 as tags_pb
from pmcrm.contacts.v1.contact_link_pb2 import CONTACT_LINK_TYPE_FRIEND, ContactLink
from pmcrm.contacts.v1.employment_pb2 import Employment

from tests.postgres import Connection, Database, bound
from tests.services.contacts.calls import Book
from tests.services.contacts.merge_calls import Shelf, merge, unmerge
from tests.suite import Client, Failure, failure

ROUNDS = 10


class Hands:
    """One tenant's calls on what hangs on contacts."""

    def __init__(self, client: Client, book: Book) -> None:
        self._client = client
        self._tenant = book.tenant

    def put(self, tag: str, contact: str) -> Awaitable[Any]:
        request = tags_pb.ModifyContactTagsRequest(contact_ids=[contact], add_tag_ids=[tag])
        return self._client.tags.ModifyContactTags(request, metadata=self._tenant)

    def take(self, tag: str, contact: str) -> Awaitable[Any]:
        request = tags_pb.ModifyContactTagsRequest(contact_ids=[contact], remove_tag_ids=[tag])
        return self._client.tags.ModifyContactTags(request, metadata=self._tenant)

    def employ(self, contact: str, organization: str, title: str = "") -> Awaitable[Any]:
        employment = Employment(contact_id=contact, organization_id=organization, job_title=title)
        request = organizations_pb.AddEmploymentRequest(employment=employment)
        return self._client.organizations.AddEmployment(request, metadata=self._tenant)

    def dismiss(self, employment: str) -> Awaitable[Any]:
        request = organizations_pb.RemoveEmploymentRequest(id=employment)
        return self._client.organizations.RemoveEmployment(request, metadata=self._tenant)

    def tie(self, one: str, other: str) -> Awaitable[Any]:
        link = ContactLink(contact_id=one, related_contact_id=other, type=CONTACT_LINK_TYPE_FRIEND)
        return self._client.contacts.LinkContacts(pb.LinkContactsRequest(link=link), metadata=self._tenant)

    def untie(self, link: str) -> Awaitable[Any]:
        return self._client.contacts.UnlinkContacts(pb.UnlinkContactsRequest(id=link), metadata=self._tenant)


@pytest.fixture
def shelf(as_superuser: Connection, book: Book) -> Shelf:
    return Shelf(as_superuser, book)


@pytest.fixture
def hands(client: Client, book: Book) -> Hands:
    return Hands(client, book)


async def tried(call: Awaitable[Any]) -> str:
    """Why a call failed, begun at some moment of the next few milliseconds; '' when it succeeded."""
    await asyncio.sleep(random.uniform(0, 0.01))
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return Failure(error).reason
    return ""


async def at_once(*calls: Awaitable[Any]) -> list[str]:
    return list(await asyncio.gather(*(tried(call) for call in calls)))


async def contacts(book: Book, count: int = 2) -> list[str]:
    return [contact.id for contact in await book.create_many(*({"given_name": name} for name in "ABCDEF"[:count]))]


async def merge_of(book: Book, contact_id: str) -> str:
    """The merge by which a contact went; '' when it was not merged."""
    listed = (await book.page(show_deleted=True, page_size=1000)).contacts
    return next(contact.merge_id for contact in listed if contact.id == contact_id)


async def astray(conn: Connection, shelf: Shelf) -> list[Any]:
    """What hangs on a merged contact instead of on its survivor, and merged contacts that live."""
    places = {
        "contact_tags": ["contact_id"],
        "contact_employments": ["contact_id"],
        "contact_links": ["contact_id", "related_contact_id"],
        "contact_redirects": ["survivor_id"],
    }
    statements = [
        f"SELECT t.* FROM {table} AS t JOIN contact_redirects AS r"
        f" ON r.user_id = t.user_id AND r.contact_id = t.{column} WHERE t.user_id = $1"
        for table, columns in places.items()
        for column in columns
    ]
    statements.append(
        "SELECT c.id FROM contact_redirects AS r JOIN contacts AS c ON c.user_id = r.user_id AND c.id = r.contact_id"
        " WHERE r.user_id = $1 AND c.deleted_at IS NULL"
    )
    return [row for statement in statements for row in await conn.fetch(statement, shelf.tenant)]


async def test_what_is_hung_on_a_duplicate_meanwhile_is_not_lost(
    book: Book, hands: Hands, shelf: Shelf, as_superuser: Connection
) -> None:
    acme = await shelf.organization("acme")
    for n in range(ROUNDS):
        survivor, duplicate, friend = await contacts(book, 3)
        tags = [await shelf.tag(f"{n}-{i}") for i in range(3)]
        calls = [hands.put(tag, duplicate) for tag in tags]
        calls += [hands.employ(duplicate, acme), hands.tie(friend, duplicate), merge(book, survivor, duplicate)]
        assert set(await at_once(*calls)) == {""}
        assert {tag.id for tag in (await book.get(survivor)).tags} == set(tags)
        assert (survivor,) in await shelf.rows("contact_employments", "contact_id")
        assert (friend, survivor) in await shelf.rows("contact_links", "contact_id", "related_contact_id")
        assert await astray(as_superuser, shelf) == []
        # What came before the merge goes back with the contact, what came after stays.
        await unmerge(book, await merge_of(book, duplicate))
        back = [tag.id for contact in (survivor, duplicate) for tag in (await book.get(contact)).tags]
        assert sorted(back) == sorted(tags)


async def test_what_is_taken_off_meanwhile_does_not_come_back(
    book: Book, hands: Hands, shelf: Shelf, as_superuser: Connection
) -> None:
    acme = await shelf.organization("acme")
    for n in range(ROUNDS):
        survivor, duplicate, friend = await contacts(book, 3)
        lone, shared = await shelf.tag(f"{n}-lone", duplicate), await shelf.tag(f"{n}-shared", survivor, duplicate)
        employment = await shelf.employ(duplicate, acme)
        kept, dropped = [await shelf.link(contact, friend, "FRIEND") for contact in (survivor, duplicate)]
        took, took_shared, dismissed, untied, merged = await at_once(
            hands.take(lone, duplicate),
            hands.take(shared, duplicate),
            hands.dismiss(employment),
            hands.untie(dropped),
            merge(book, survivor, duplicate),
        )
        assert (took, took_shared, dismissed, merged) == ("", "", "", "")
        assert untied in ("", "LINK_NOT_FOUND")
        assert lone not in {tag.id for tag in (await book.get(survivor)).tags}
        assert await astray(as_superuser, shelf) == []
        await unmerge(book, await merge_of(book, duplicate))
        back = [tag.id for contact in (survivor, duplicate) for tag in (await book.get(contact)).tags]
        assert back == [shared], "taken off one of the two, whichever came first"
        employments = await shelf.rows("contact_employments", "id", "contact_id", "deleted_at IS NULL")
        assert (employment, duplicate, "false") in employments
        links = await shelf.rows("contact_links", "id", "contact_id", "deleted_at IS NULL")
        assert (kept, survivor, "true") in links
        assert (dropped, duplicate, "false" if untied == "" else "true") in links


async def test_an_edit_meanwhile_is_kept_or_aborted(book: Book) -> None:
    for _ in range(ROUNDS):
        survivor, duplicate = await contacts(book)
        etags = [(await book.get(contact)).etag for contact in (survivor, duplicate)]
        by_etag, by_other_etag, plain, merged = await at_once(
            book.update(survivor, job_title="by etag", etag=etags[0]),
            book.update(duplicate, nickname="by etag", etag=etags[1]),
            book.update(duplicate, notes="plain"),
            merge(book, survivor, duplicate),
        )
        assert (plain, merged) == ("", "")
        assert {by_etag, by_other_etag} <= {"", "ETAG_MISMATCH"}
        answer = await book.get(survivor)
        assert answer.notes == "plain"
        assert answer.job_title == ("by etag" if by_etag == "" else "")
        assert answer.nickname == ("by etag" if by_other_etag == "" else "")


async def test_a_deletion_meanwhile_comes_before_or_after(book: Book) -> None:
    for n in range(ROUNDS):
        ids = await contacts(book)
        deleted = ids[n % 2]
        removed, merged = await at_once(book.delete(deleted), merge(book, *ids))
        assert removed == ""
        assert merged in ("", "CONTACT_NOT_FOUND")
        living = [contact.id for contact in (await book.get_many(*ids)).contacts if not contact.HasField("delete_time")]
        assert living == ([] if merged == "" else [contact for contact in ids if contact != deleted])


async def test_merges_of_the_same_contacts_meet(book: Book, shelf: Shelf, as_superuser: Connection) -> None:
    for n in range(ROUNDS):
        a, b, c, d = await contacts(book, 4)
        tags = [await shelf.tag(f"{n}-{i}", contact) for i, contact in enumerate((a, b, c, d))]
        pairs = [(a, b), (b, c), (c, a), (d, a), (a, b)]
        outcomes = await at_once(*(merge(book, *pair) for pair in pairs))
        assert set(outcomes) <= {"", "CONTACT_NOT_FOUND", "CONCURRENT_CHANGE"}
        assert await astray(as_superuser, shelf) == []
        stand_for = {contact.id: contact for contact in (await book.get_many(a, b, c, d)).contacts}
        assert outcomes.count("") == 4 - len(stand_for)
        assert sorted(tag.id for contact in stand_for.values() for tag in contact.tags) == sorted(tags)


async def test_merges_at_both_ends_of_ties_meet_and_are_undone_at_once(
    book: Book, shelf: Shelf, as_superuser: Connection
) -> None:
    s, a, x, y = await contacts(book, 4)
    for ends in ((a, x), (s, x), (y, a)):
        await shelf.link(*ends, "FRIEND")
    before = await shelf.everything()
    for _ in range(ROUNDS):
        assert await at_once(merge(book, s, a), merge(book, y, x)) == ["", ""]
        [ends] = await shelf.rows("contact_links", "contact_id", "related_contact_id")
        assert set(ends) == {s, y}
        assert await astray(as_superuser, shelf) == []
        merges = [await merge_of(book, contact) for contact in (a, x)]
        outcomes = await at_once(*(unmerge(book, merge_id) for merge_id in (*merges, *merges)))
        assert outcomes.count("") in (1, 2)
        assert set(outcomes) <= {"", "MERGE_ALREADY_UNDONE", "MERGE_SUPERSEDED"}
        if outcomes.count("") == 1:
            left = [merge_id for contact in (a, x) if (merge_id := await merge_of(book, contact))]
            await unmerge(book, *left)
        assert await shelf.everything() == before


async def test_writes_while_a_merge_is_undone_are_not_lost(
    book: Book, hands: Hands, shelf: Shelf, as_superuser: Connection
) -> None:
    for n in range(ROUNDS):
        survivor, duplicate, friend = await contacts(book, 3)
        old, new = await shelf.tag(f"{n}-old", duplicate), await shelf.tag(f"{n}-new")
        merge_id = (await merge(book, survivor, duplicate)).merge_id
        outcomes = await at_once(
            unmerge(book, merge_id),
            hands.put(new, duplicate),
            hands.tie(duplicate, friend),
            book.update(duplicate, notes="edited"),
        )
        assert set(outcomes) == {""}
        one, other = (await book.get_many(survivor, duplicate)).contacts
        assert sorted(tag.id for tag in (*one.tags, *other.tags)) == sorted([old, new])
        assert old in {tag.id for tag in other.tags}
        assert sorted([one.notes, other.notes]) == ["", "edited"]
        [(tied,)] = [
            ends[:1]
            for ends in await shelf.rows("contact_links", "contact_id", "related_contact_id")
            if ends[1] == friend
        ]
        assert tied in (survivor, duplicate)
        assert await astray(as_superuser, shelf) == []


@asynccontextmanager
async def merging(database: Database, shelf: Shelf, survivor: str, duplicate: str) -> AsyncIterator[None]:
    """A merge that commits when the block ends."""
    async with database.connect("pmcrm_contacts") as conn, bound(conn, shelf.tenant):
        await conn.execute("SELECT app.merge_contacts($1, $2, '{}', NULL)", survivor, [duplicate])
        yield


async def waiting(conn: Connection, count: int) -> None:
    """Returns when so many statements wait for a lock."""
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    for _ in range(500):
        if await conn.fetchval(blocked) >= count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{count} statements do not wait")


async def test_a_call_that_waited_for_a_merge_goes_to_the_survivor(
    database: Database, book: Book, hands: Hands, shelf: Shelf, as_superuser: Connection
) -> None:
    survivor, duplicate, friend = await contacts(book, 3)
    tag, acme = await shelf.tag("t"), await shelf.organization("acme")
    async with merging(database, shelf, survivor, duplicate):
        calls = [
            asyncio.ensure_future(call)
            for call in (
                book.update(duplicate, notes="x"),
                hands.put(tag, duplicate),
                hands.employ(duplicate, acme),
                hands.tie(duplicate, friend),
            )
        ]
        await waiting(as_superuser, len(calls))
    updated, _, employment, link = await asyncio.gather(*calls)
    assert (updated.id, employment.contact_id, link.contact_id) == (survivor, survivor, survivor)
    shown = await book.get(duplicate)
    assert (shown.id, shown.notes, [t.id for t in shown.tags]) == (survivor, "x", [tag])
    assert await astray(as_superuser, shelf) == []


async def test_a_deletion_that_waited_for_a_merge_deletes_the_survivor_unless_it_has_an_etag(
    database: Database, book: Book, shelf: Shelf, as_superuser: Connection
) -> None:
    survivor, duplicate = await contacts(book)
    etag = (await book.get(duplicate)).etag
    async with merging(database, shelf, survivor, duplicate):
        careful = [
            asyncio.ensure_future(failure(call))
            for call in (book.delete(duplicate, etag=etag), book.update(duplicate, notes="x", etag=etag))
        ]
        await waiting(as_superuser, 2)
    assert [(await call).reason for call in careful] == ["ETAG_MISMATCH"] * 2
    survivor, duplicate = await contacts(book)
    async with merging(database, shelf, survivor, duplicate):
        careless = asyncio.ensure_future(book.delete(duplicate))
        await waiting(as_superuser, 1)
    assert (await careless).id == survivor


async def test_a_row_that_was_not_committed_when_the_merge_began_is_moved(
    database: Database, book: Book, shelf: Shelf, as_superuser: Connection
) -> None:
    """Also where nobody has taken hold of the contact: its foreign key does."""
    survivor, duplicate = await contacts(book)
    tag = await shelf.tag("t")
    async with database.connect("pmcrm_contacts") as conn, bound(conn, shelf.tenant):
        await conn.execute(
            "INSERT INTO contact_tags (user_id, contact_id, tag_id) VALUES ($1, $2, $3)", shelf.tenant, duplicate, tag
        )
        call = asyncio.ensure_future(merge(book, survivor, duplicate))
        await waiting(as_superuser, 1)
    answer = await call
    assert dict(answer.moved_counts) == {"tags": 1}
    assert [t.id for t in answer.contact.tags] == [tag]


async def test_of_two_that_want_the_same_source_uid_back_one_gets_it(book: Book) -> None:
    for n in range(ROUNDS):
        survivor = await book.create(given_name="A")
        duplicate = await book.create(given_name="B", source_uid=f"card-{n}")
        merge_id = (await merge(book, survivor.id, duplicate.id)).merge_id
        created, undone = await at_once(book.create(given_name="C", source_uid=f"card-{n}"), unmerge(book, merge_id))
        assert undone == ""
        restored = await book.get(duplicate.id)
        assert (created, restored.source_uid) in [("", ""), ("SOURCE_UID_TAKEN", f"card-{n}")]
