"""Any sequence of merges, undone in reverse, leaves everything as it was: files to the byte, rows to the column."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from typing import Any

import grpc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_pb2 import Contact

from tests.postgres import Connection
from tests.services.contacts.calls import Book
from tests.services.contacts.merge_calls import Shelf, exports, merge, unmerge
from tests.shared.any_contact import contacts
from tests.suite import Client, Failure

PEOPLE = 5
PERSON = st.integers(0, PEOPLE - 1)

# Few values, so that they meet: each in two contacts out of three.
ALIKE = st.builds(
    Contact,
    given_name=st.sampled_from(["", "Ada"]),
    family_name=st.sampled_from(["", "Lovelace"]),
    display_name=st.sampled_from(["", "", "Ada Lovelace"]),
    notes=st.sampled_from(["", "one", "two"]),
    emails=st.lists(
        st.sampled_from([{"value": "ada@example.org"}, {"value": "ADA@example.org", "label": "work", "primary": True}]),
        min_size=1,
        max_size=1,
    ),
    phones=st.lists(st.sampled_from([{"value": "020 7946 0018"}, {"value": "112", "primary": True}]), max_size=1),
    relationship_strength=st.integers(0, 2),
    keep_in_touch_days=st.integers(0, 2),
)


@dataclass(frozen=True)
class Ties:
    """What hangs on people, each named by their place in the list."""

    tags: set[tuple[int, int]]
    employments: list[tuple[int, int, dict[str, Any]]]
    links: list[tuple[int, int, str, bool]]


TIES = st.builds(
    Ties,
    tags=st.sets(st.tuples(PERSON, st.integers(0, 2)), max_size=8),
    employments=st.lists(
        st.tuples(
            PERSON,
            st.integers(0, 1),
            st.fixed_dictionaries({"job_title": st.sampled_from([None, "Boss"]), "is_current": st.booleans()}),
        ),
        max_size=6,
    ),
    links=st.lists(
        st.tuples(PERSON, PERSON, st.sampled_from(["FRIEND", "PARENT"]), st.booleans()).filter(
            lambda tie: tie[0] != tie[1]
        ),
        max_size=10,
        # The same tie twice is refused; a symmetric one is the same from either side.
        unique_by=lambda tie: (frozenset(tie[:2]) if tie[2] == "FRIEND" else tie[:2], tie[2]),
    ),
)

# Who survives and who is merged, as places in the list of those who are left.
MERGES = st.lists(
    st.tuples(st.integers(0, 9), st.lists(st.integers(0, 9), min_size=1, max_size=2)), min_size=1, max_size=4
)


async def furnish(book: Book, shelf: Shelf, conn: Connection, people: list[Contact], ties: Ties) -> list[str]:
    """Makes the contacts with what hangs on them; returns their ids."""
    known: set[str] = set()
    for contact in people:
        if contact.source_uid in known:
            contact.source_uid = ""
        known.add(contact.source_uid)
    request = pb.BatchCreateContactsRequest(requests=[pb.CreateContactRequest(contact=contact) for contact in people])
    made = await book.stub.BatchCreateContacts(request, metadata=book.tenant)
    ids = [contact.id for contact in made.contacts]
    tags = [await shelf.tag(name) for name in "abc"]
    organizations = [await shelf.organization(name) for name in "ab"]
    for person, tag in ties.tags:
        await shelf.put(tags[tag], ids[person])
    for person, organization, columns in ties.employments:
        await shelf.employ(ids[person], organizations[organization], **columns)
    for one, other, link_type, living in ties.links:
        link = await shelf.link(ids[one], ids[other], link_type)
        if not living:
            await conn.execute("UPDATE contact_links SET deleted_at = now() WHERE id = $1", uuid.UUID(link))
    return ids


async def merged(
    client: Client, book: Book, shelf: Shelf, ids: list[str], merges: list[tuple[int, list[int]]]
) -> list[tuple[str, list[str], list[bytes]]]:
    """Merges those who are left as the plan says; returns each merge with all rows and files before it."""
    living, made = list(ids), []
    for survivor_place, places in merges:
        if len(living) == 1:
            break
        survivor = living[survivor_place % len(living)]
        others = [contact for contact in living if contact != survivor]
        duplicates = list(dict.fromkeys(others[place % len(others)] for place in places))
        rows, files = await shelf.everything(), await exports(client, book)
        made.append(((await merge(book, survivor, *duplicates)).merge_id, rows, files))
        living = [contact for contact in living if contact not in duplicates]
        assert {contact.id for contact in (await book.get_many(*ids)).contacts} == set(living)
    return made


def some(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


@some(25)
@given(people=st.lists(contacts() | ALIKE, min_size=PEOPLE, max_size=PEOPLE), ties=TIES, merges=MERGES)
async def test_any_merges_undone_in_reverse_leave_everything_as_it_was(
    client: Client, as_superuser: Connection, people: list[Contact], ties: Ties, merges: list[tuple[int, list[int]]]
) -> None:
    book = Book(client, await client.new_tenant(default_region="GB"))
    shelf = Shelf(as_superuser, book)
    ids = await furnish(book, shelf, as_superuser, people, ties)
    for merge_id, rows, files in reversed(await merged(client, book, shelf, ids, merges)):
        assert not (await unmerge(book, merge_id)).problems
        assert await shelf.everything() == rows
        assert await exports(client, book) == files


@some(15)
@given(
    people=st.lists(ALIKE, min_size=PEOPLE, max_size=PEOPLE),
    ties=TIES,
    merges=MERGES,
    order=st.randoms(use_true_random=False),
)
async def test_merges_undone_in_any_order_that_is_allowed_leave_everything_as_it_was(
    client: Client,
    as_superuser: Connection,
    people: list[Contact],
    ties: Ties,
    merges: list[tuple[int, list[int]]],
    order: random.Random,
) -> None:
    book = Book(client, await client.new_tenant(default_region="GB"))
    shelf = Shelf(as_superuser, book)
    ids = await furnish(book, shelf, as_superuser, people, ties)
    # When a row was last touched depends on the order.
    before, files = await shelf.everything("updated_at"), await exports(client, book)
    standing = [merge_id for merge_id, *_ in await merged(client, book, shelf, ids, merges)]
    while standing:
        merge_id = order.choice(standing)
        try:
            undone = await unmerge(book, merge_id)
        except grpc.aio.AioRpcError as error:
            by = Failure(error).metadata["merge_id"]
            assert standing.index(by) > standing.index(merge_id)
        else:
            assert not undone.problems
            standing.remove(merge_id)
    assert await shelf.everything("updated_at") == before
    assert await exports(client, book) == files
