"""UnmergeContacts: everything is as before the merge, what was edited since is kept and reported."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from pmcrm.contacts.v1 import contact_merge_pb2 as pb

from tests.postgres import Connection, bound
from tests.services.contacts.calls import NOBODY, Book
from tests.services.contacts.merge_calls import Shelf, exports, merge, unmerge
from tests.services.contacts.test_merges import FULL, create
from tests.suite import Client, failure, new_request_id

GONE, EDITED, REFERENCE_GONE, TAKEN = (
    pb.UNMERGE_PROBLEM_KIND_GONE,
    pb.UNMERGE_PROBLEM_KIND_EDITED,
    pb.UNMERGE_PROBLEM_KIND_REFERENCE_GONE,
    pb.UNMERGE_PROBLEM_KIND_TAKEN,
)


@pytest.fixture
def shelf(as_superuser: Connection, book: Book) -> Shelf:
    return Shelf(as_superuser, book)


@pytest.fixture
def bobs_shelf(as_superuser: Connection, bobs: Book) -> Shelf:
    return Shelf(as_superuser, bobs)


def told(answer: pb.UnmergeContactsResponse) -> list[tuple[Any, ...]]:
    return [(p.kind, p.entity, p.entity_id, p.contact_id) for p in answer.problems]


async def same_name(book: Book, *names: str) -> list[str]:
    return [contact.id for contact in await book.create_many(*({"given_name": name} for name in names))]


async def tangle(book: Book, shelf: Shelf) -> list[str]:
    """A survivor, two duplicates and two others that share all sorts of things; returns their ids."""
    s = (await create(book, {"emails": [{"value": "ada@example.org"}], "notes": "one"})).id
    a = (await create(book, FULL)).id
    b = (await create(book, {"given_name": "Ada", "notes": "two", "emails": [{"value": "ADA@example.org"}]})).id
    x, y = await same_name(book, "X", "Y")
    await shelf.tag("shared", s, a, b, x)
    await shelf.tag("theirs", a, b)
    acme, globex = await shelf.organization("acme"), await shelf.organization("globex")
    for contact in (s, a, b):
        await shelf.employ(contact, acme, job_title="Programmer", start_year=1840, is_current=True)
    await shelf.employ(b, globex, notes="as a guest")
    await shelf.link(s, a, "SIBLING")
    await shelf.link(a, b, "FRIEND")
    await shelf.link(s, x, "FRIEND", notes="kept")
    await shelf.link(x, a, "FRIEND", notes="dropped")
    await shelf.link(b, y, "PARENT", label="mother")
    await shelf.link(y, b, "MANAGER")
    return [s, a, b, x, y]


async def test_all_is_as_before(client: Client, book: Book, shelf: Shelf) -> None:
    s, a, b, *_ = await tangle(book, shelf)
    before, files = await shelf.everything(), await exports(client, book)
    contacts = [await book.get(contact_id) for contact_id in (s, a, b)]
    merged = await merge(book, s, a, b)
    assert await exports(client, book) != files
    answer = await unmerge(book, merged.merge_id)
    assert told(answer) == []
    assert await shelf.everything() == before
    assert await exports(client, book) == files
    assert [answer.contact, *answer.restored_contacts] == [await book.get(contact_id) for contact_id in (s, a, b)]
    for old, new in zip(contacts, (answer.contact, *answer.restored_contacts), strict=True):
        assert int(new.etag) > int(merged.contact.etag) or new.id == s
        for contact in (old, new):
            contact.ClearField("etag")
        assert old == new


async def test_interactions_move_and_one_with_both_is_the_survivors_once(
    book: Book, shelf: Shelf, as_superuser: Connection
) -> None:
    survivor, duplicate = await same_name(book, "A", "B")
    async with bound(as_superuser, shelf.tenant):
        shared, lone, own = [await shelf.insert("interactions", type="CALL", subject=text) for text in "slo"]
        for interaction, contact in ((shared, survivor), (shared, duplicate), (lone, duplicate), (own, survivor)):
            await shelf.add(
                "INSERT INTO interaction_participants (user_id, interaction_id, contact_id) VALUES ($1, $2, $3)",
                interaction,
                contact,
            )
    before = await shelf.everything(), await shelf.rows("interaction_participants", "interaction_participants")
    answer = await merge(book, survivor, duplicate)
    assert (dict(answer.moved_counts), dict(answer.dropped_counts)) == ({"interactions": 1}, {"interactions": 1})
    took_part = await shelf.rows("interaction_participants", "interaction_id", "contact_id")
    assert took_part == sorted((interaction, survivor) for interaction in (shared, lone, own))
    assert told(await unmerge(book, answer.merge_id)) == []
    assert (
        await shelf.everything(),
        await shelf.rows("interaction_participants", "interaction_participants"),
    ) == before


async def test_merges_are_undone_in_reverse_order(client: Client, book: Book, shelf: Shelf) -> None:
    s, a, b, x, y = await tangle(book, shelf)
    states, merges = [], []
    for survivor, duplicate in ((a, b), (s, a), (y, x), (y, s)):
        states.append((await shelf.everything(), await exports(client, book)))
        merges.append((await merge(book, survivor, duplicate)).merge_id)
    for contact_id in (s, a, b, x, y):
        assert (await book.get(contact_id)).id == y
    for merge_id, state in zip(reversed(merges), reversed(states), strict=True):
        assert told(await unmerge(book, merge_id)) == []
        assert (await shelf.everything(), await exports(client, book)) == state


async def test_the_same_two_can_be_merged_and_parted_again_and_again(book: Book, shelf: Shelf) -> None:
    s, a, *_ = await tangle(book, shelf)
    before = await shelf.everything()
    for pair in ((s, a), (a, s)) * 2:
        await unmerge(book, (await merge(book, *pair)).merge_id)
        assert await shelf.everything() == before


async def test_an_edit_since_is_kept_and_reported(book: Book) -> None:
    survivor = await create(book, {"given_name": "Ada", "emails": [{"value": "a@example.org"}]})
    duplicate = await create(book, FULL)
    merge_id = (await merge(book, survivor.id, duplicate.id)).merge_id
    edited = await book.update(
        survivor.id, notes="edited", emails=[], birthday={"year": 1816, "month": 12, "day": 10}, relationship_strength=4
    )
    await book.update(survivor.id, "job_title", "emails", job_title="", emails=[])
    answer = await unmerge(book, merge_id)
    contact = answer.contact
    assert {problem[1:] for problem in told(answer)} == {
        (field, "", survivor.id) for field in ("birthday", "emails", "job_title", "notes", "relationship_strength")
    }
    assert {problem[0] for problem in told(answer)} == {EDITED}
    assert (contact.notes, contact.birthday, list(contact.emails)) == ("edited", edited.birthday, [])
    assert (contact.relationship_strength, contact.job_title) == (4, "")
    assert (contact.family_name, contact.display_name, contact.photo_uri) == ("", "Ada", "")
    assert contact.update_time.ToDatetime() > edited.update_time.ToDatetime()
    assert list(answer.restored_contacts) == [await book.get(duplicate.id)]


async def test_a_composed_name_follows_edits_and_a_given_one_is_reported(book: Book) -> None:
    for edit, name, problems in (
        ({"honorific_prefixes": "Dr."}, "Dr. Ada", []),
        ({"display_name": "The Countess"}, "The Countess", ["display_name"]),
        ({"family_name": "Byron"}, "Ada Byron", ["family_name"]),
        ({"notes": "x"}, "Ada", []),
    ):
        survivor = await create(book, {"given_name": "Ada"})
        duplicate = await create(book, {"given_name": "A", "family_name": "Lovelace"})
        answer = await merge(book, survivor.id, duplicate.id)
        assert answer.contact.display_name == "Ada Lovelace"
        await book.update(survivor.id, *edit, **edit)
        undone = await unmerge(book, answer.merge_id)
        assert undone.contact.display_name == name
        assert [problem[1] for problem in told(undone)] == problems


async def test_a_given_name_that_looks_composed_for_a_while_stays(client: Client, book: Book) -> None:
    survivor = await create(book, {"given_name": "Ada", "display_name": "Ada Lovelace"})
    duplicate = await create(book, {"given_name": "A", "family_name": "Lovelace"})
    before = await exports(client, book)
    assert told(await unmerge(book, (await merge(book, survivor.id, duplicate.id)).merge_id)) == []
    assert await exports(client, book) == before


async def test_a_contact_does_not_lose_its_last_name(book: Book) -> None:
    survivor = await create(book, {"emails": [{"value": "ada@example.org"}]})
    duplicate = await create(book, {"given_name": "Ada"})
    merge_id = (await merge(book, survivor.id, duplicate.id)).merge_id
    await book.update(survivor.id, "emails", emails=[])
    undone = await unmerge(book, merge_id)
    assert (undone.contact.display_name, undone.contact.given_name) == ("Ada", "")


async def test_what_was_added_since_stays_with_the_survivor(book: Book, shelf: Shelf) -> None:
    survivor, duplicate, friend = await same_name(book, "A", "B", "F")
    merge_id = (await merge(book, survivor, duplicate)).merge_id
    tag = await shelf.tag("new", survivor)
    link = await shelf.link(friend, survivor, "FRIEND")
    employment = await shelf.employ(survivor, await shelf.organization("acme"))
    answer = await unmerge(book, merge_id)
    assert told(answer) == []
    assert [t.id for t in answer.contact.tags] == [tag]
    assert await shelf.rows("contact_links", "id", "related_contact_id") == [(link, survivor)]
    assert await shelf.rows("contact_employments", "id", "contact_id") == [(employment, survivor)]


async def test_a_row_that_was_edited_since_goes_back_with_its_edit(
    book: Book, shelf: Shelf, as_superuser: Connection
) -> None:
    survivor, duplicate = await same_name(book, "A", "B")
    employment = await shelf.employ(duplicate, await shelf.organization("acme"))
    merge_id = (await merge(book, survivor, duplicate)).merge_id
    await as_superuser.execute(
        "UPDATE contact_employments SET job_title = 'Boss' WHERE id = $1 RETURNING updated_at", uuid.UUID(employment)
    )
    [(edited,)] = await shelf.rows("contact_employments", "updated_at")
    assert told(await unmerge(book, merge_id)) == []
    [(contact_id, title, updated)] = await shelf.rows("contact_employments", "contact_id", "job_title", "updated_at")
    assert (contact_id, title) == (duplicate, "Boss")
    assert updated > edited


async def test_what_was_removed_since_stays_so_and_is_reported(
    book: Book, shelf: Shelf, as_superuser: Connection
) -> None:
    survivor, duplicate, friend = await same_name(book, "A", "B", "F")
    tag, again = await shelf.tag("t", duplicate), await shelf.tag("again", duplicate)
    link = await shelf.link(friend, duplicate, "FRIEND")
    employment = await shelf.employ(duplicate, await shelf.organization("acme"))
    purged = await shelf.employ(duplicate, await shelf.organization("globex"))
    before = await shelf.employ(duplicate, await shelf.organization("initech"))
    for row in (employment, before):
        if row == before:
            await as_superuser.execute(
                "UPDATE contact_employments SET deleted_at = now() WHERE id = $1", uuid.UUID(before)
            )
    merge_id = (await merge(book, survivor, duplicate)).merge_id
    for statement, row in (
        ("DELETE FROM contact_tags WHERE tag_id = $1", tag),
        ("DELETE FROM contact_tags WHERE tag_id = $1", again),
        ("UPDATE contact_links SET deleted_at = now() WHERE id = $1", link),
        ("UPDATE contact_employments SET deleted_at = now() WHERE id = $1", employment),
        ("DELETE FROM contact_employments WHERE id = $1", purged),
    ):
        await as_superuser.execute(statement, uuid.UUID(row))
    await shelf.put(again, survivor)
    answer = await unmerge(book, merge_id)
    assert sorted(told(answer)) == sorted(
        [
            (GONE, "tags", tag, duplicate),
            (GONE, "tags", again, duplicate),
            (GONE, "contact_links", link, duplicate),
            (GONE, "employments", employment, duplicate),
            (GONE, "employments", purged, duplicate),
        ]
    )
    # What was put on again since is the survivor's own; what was removed and not purged is removed where it was.
    assert await shelf.rows("contact_tags", "contact_id", "tag_id") == [(survivor, again)]
    assert await shelf.rows("contact_links", "related_contact_id", "deleted_at IS NULL") == [(duplicate, "false")]
    employments = await shelf.rows("contact_employments", "id", "contact_id", "deleted_at IS NULL")
    assert employments == sorted([(employment, duplicate, "false"), (before, duplicate, "false")])


async def test_what_refers_to_something_that_was_purged_since_is_reported(
    book: Book, shelf: Shelf, as_operator: Connection
) -> None:
    survivor, duplicate, friend = await same_name(book, "A", "B", "F")
    tag = await shelf.tag("t", survivor, duplicate)
    acme = await shelf.organization("acme")
    await shelf.employ(survivor, acme)
    employment = await shelf.employ(duplicate, acme)
    await shelf.link(survivor, friend, "FRIEND")
    link = await shelf.link(friend, duplicate, "FRIEND")
    tie = await shelf.link(survivor, duplicate, "SIBLING")
    merge_id = (await merge(book, survivor, duplicate)).merge_id
    for table, row in (("tags", tag), ("organizations", acme), ("contacts", friend)):
        assert await as_operator.execute(f"DELETE FROM {table} WHERE id = $1", uuid.UUID(row)) == "DELETE 1"
    answer = await unmerge(book, merge_id)
    assert sorted(told(answer)) == sorted(
        [
            (REFERENCE_GONE, "tags", tag, duplicate),
            (REFERENCE_GONE, "employments", employment, duplicate),
            (REFERENCE_GONE, "contact_links", link, duplicate),
        ]
    )
    assert await shelf.rows("contact_links", "id") == [(tie,)]


async def test_what_refers_to_something_that_was_deleted_since_is_put_back(
    book: Book, shelf: Shelf, as_superuser: Connection
) -> None:
    survivor, duplicate, friend = await same_name(book, "A", "B", "F")
    await shelf.tag("t", survivor, duplicate)
    for contact in (survivor, duplicate):
        await shelf.link(contact, friend, "FRIEND")
    before = (await shelf.rows("contact_tags", "contact_id"), await shelf.rows("contact_links", "id", "contact_id"))
    merge_id = (await merge(book, survivor, duplicate)).merge_id
    await as_superuser.execute("UPDATE tags SET deleted_at = now() WHERE user_id = $1", shelf.tenant)
    await book.delete(friend)
    assert told(await unmerge(book, merge_id)) == []
    after = (await shelf.rows("contact_tags", "contact_id"), await shelf.rows("contact_links", "id", "contact_id"))
    assert after == before


async def test_a_source_uid_that_was_taken_since_is_reported(book: Book) -> None:
    survivor = await create(book, {"given_name": "A", "source_uid": "card-a"})
    duplicate = await create(book, {"given_name": "B", "source_uid": "card-b"})
    other = await create(book, {"given_name": "C", "source_uid": "card-c"})
    merge_id = (await merge(book, survivor.id, duplicate.id, other.id)).merge_id
    taker = await create(book, {"given_name": "D", "source_uid": "card-b"})
    answer = await unmerge(book, merge_id)
    assert told(answer) == [(TAKEN, "source_uid", "", duplicate.id)]
    assert [contact.source_uid for contact in answer.restored_contacts] == ["", "card-c"]
    assert (await book.get(taker.id)) == taker
    assert (await book.get(survivor.id)).source_uid == "card-a"


async def test_a_merge_whose_survivor_was_deleted_is_undone(book: Book) -> None:
    survivor, duplicate = await same_name(book, "A", "B")
    merge_id = (await merge(book, survivor, duplicate)).merge_id
    await book.delete(survivor)
    answer = await unmerge(book, merge_id)
    assert answer.contact.HasField("delete_time")
    assert await book.names() == ["B"]
    assert (await book.undelete(survivor)).id == survivor


async def test_there_is_no_such_merge(book: Book, bobs: Book) -> None:
    survivor, duplicate = await same_name(book, "A", "B")
    merge_id = (await merge(book, survivor, duplicate)).merge_id
    for owner, asked in ((book, NOBODY), (bobs, merge_id), (book, survivor)):
        refused = await failure(unmerge(owner, asked))
        assert (refused.code.name, refused.reason) == ("NOT_FOUND", "MERGE_NOT_FOUND")
        assert refused.metadata == {"merge_id": asked}
    refused = await failure(unmerge(book, "x"))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", ["merge_id"])
    assert told(await unmerge(book, merge_id)) == []


@pytest.mark.parametrize("purged", ["duplicate", "survivor"])
async def test_a_merge_whose_contacts_were_purged_cannot_be_undone(
    book: Book, as_operator: Connection, shelf: Shelf, purged: str
) -> None:
    survivor, duplicate = await same_name(book, "A", "B")
    await shelf.tag("t", survivor, duplicate)
    merge_id = (await merge(book, survivor, duplicate)).merge_id
    gone = {"duplicate": duplicate, "survivor": survivor}[purged]
    await as_operator.execute("DELETE FROM contacts WHERE id = $1", uuid.UUID(gone))
    assert (await failure(unmerge(book, merge_id))).reason == "MERGE_NOT_FOUND"
    assert await shelf.rows("contact_merge_rows", "kept") == []
    if purged == "duplicate":
        assert (await book.get(duplicate)).id == survivor


async def test_a_merge_is_undone_once(book: Book, shelf: Shelf) -> None:
    survivor, duplicate = await same_name(book, "A", "B")
    merge_id = (await merge(book, survivor, duplicate)).merge_id
    request_id = new_request_id()
    answer = await unmerge(book, merge_id, request_id=request_id)
    assert await unmerge(book, merge_id, request_id=request_id) == answer
    refused = await failure(unmerge(book, merge_id))
    assert (refused.code.name, refused.reason) == ("FAILED_PRECONDITION", "MERGE_ALREADY_UNDONE")
    other = (await merge(book, survivor, duplicate)).merge_id
    reused = await failure(unmerge(book, other, request_id=request_id))
    assert (reused.code.name, reused.reason) == ("INVALID_ARGUMENT", "REQUEST_ID_REUSED")
    assert (await failure(unmerge(book, merge_id))).reason == "MERGE_ALREADY_UNDONE"
    # Nothing that was written down of an undone merge is kept.
    kept = await shelf.rows("contact_merges", "id", "columns_before", "columns_after")
    assert (merge_id, "{}", "{}") in kept


async def test_a_merge_on_which_a_later_one_rests_waits_for_it(book: Book) -> None:
    a, b, c, d, x, y = await same_name(book, *"ABCDXY")
    first = (await merge(book, a, b)).merge_id
    second = (await merge(book, a, c)).merge_id
    third = (await merge(book, d, a)).merge_id
    unrelated = (await merge(book, x, y)).merge_id
    for merge_id, by in ((first, third), (second, third)):
        refused = await failure(unmerge(book, merge_id))
        assert (refused.code.name, refused.reason) == ("FAILED_PRECONDITION", "MERGE_SUPERSEDED")
        assert refused.metadata == {"merge_id": by}
    await unmerge(book, third)
    assert (await failure(unmerge(book, first))).metadata == {"merge_id": second}
    for merge_id in (second, first, unrelated):
        await unmerge(book, merge_id)
    assert await book.names() == ["A", "B", "C", "D", "X", "Y"]


async def test_a_merge_that_dropped_a_tie_of_the_survivor_is_undone_first(book: Book, shelf: Shelf) -> None:
    s, a, x, y = await same_name(book, "S", "A", "X", "Y")
    await shelf.link(a, x, "FRIEND")
    await shelf.link(a, y, "FRIEND")
    before = await shelf.everything()
    first = (await merge(book, s, a)).merge_id
    second = (await merge(book, y, x)).merge_id
    refused = await failure(unmerge(book, first))
    assert (refused.reason, refused.metadata) == ("MERGE_SUPERSEDED", {"merge_id": second})
    for merge_id in (second, first):
        assert told(await unmerge(book, merge_id)) == []
    assert await shelf.everything() == before


async def test_a_merge_that_dropped_a_tie_to_what_was_merged_since_is_undone_last(book: Book, shelf: Shelf) -> None:
    s, a, x, y = await same_name(book, "S", "A", "X", "Y")
    await shelf.link(s, x, "FRIEND")
    await shelf.link(a, x, "FRIEND")
    before = await shelf.everything()
    first = (await merge(book, s, a)).merge_id
    second = (await merge(book, y, x)).merge_id
    refused = await failure(unmerge(book, first))
    assert (refused.reason, refused.metadata) == ("MERGE_SUPERSEDED", {"merge_id": second})
    for merge_id in (second, first):
        assert told(await unmerge(book, merge_id)) == []
    assert await shelf.everything() == before


async def test_merges_at_both_ends_of_a_tie_are_undone_in_any_order(book: Book, shelf: Shelf) -> None:
    s, a, x, y = await same_name(book, "S", "A", "X", "Y")
    await shelf.link(a, x, "FRIEND", notes="old")
    ends = await shelf.rows("contact_links", "id", "contact_id", "related_contact_id")
    for later_first in (False, True):
        merges = [(await merge(book, s, a)).merge_id, (await merge(book, y, x)).merge_id]
        for merge_id in reversed(merges) if later_first else merges:
            assert told(await unmerge(book, merge_id)) == []
        assert await shelf.rows("contact_links", "id", "contact_id", "related_contact_id") == ends


@pytest.mark.parametrize("restricted", [0, 1])
async def test_a_merge_of_a_restricted_contact_is_not_undone(
    book: Book, as_superuser: Connection, restricted: int
) -> None:
    ids = await same_name(book, "A", "B")
    merge_id = (await merge(book, *ids)).merge_id
    restrict = "UPDATE contacts SET processing_restricted = $2 WHERE id = $1"
    await as_superuser.execute(restrict, uuid.UUID(ids[restricted]), True)
    refused = await failure(unmerge(book, merge_id))
    assert (refused.code.name, refused.reason) == ("FAILED_PRECONDITION", "PROCESSING_RESTRICTED")
    assert refused.metadata == {"id": ids[restricted]}
    await as_superuser.execute(restrict, uuid.UUID(ids[restricted]), False)
    await unmerge(book, merge_id)


async def test_undoing_is_in_the_audit_log(book: Book, shelf: Shelf, as_superuser: Connection) -> None:
    survivor, duplicate = await same_name(book, "A", "B")
    await book.update(duplicate, notes="n")
    link = await shelf.link(survivor, duplicate, "FRIEND")
    tag = await shelf.tag("t", duplicate)
    merge_id = (await merge(book, survivor, duplicate)).merge_id
    await as_superuser.execute("DELETE FROM audit_logs WHERE user_id = $1", shelf.tenant)
    await unmerge(book, merge_id)
    found = await as_superuser.fetch(
        "SELECT table_name, action, subject_id::text, row_id::text, new_values FROM audit_logs WHERE user_id = $1"
        " ORDER BY at",
        shelf.tenant,
    )
    *others, undone = [tuple(entry) for entry in found]
    assert others == [
        ("contacts", "UPDATE", duplicate, None, {"deleted_at": None}),
        ("contact_redirects", "DELETE", duplicate, None, None),
        ("contact_links", "INSERT", survivor, link, None),
        ("contact_tags", "UPDATE", duplicate, tag, {"contact_id": duplicate}),
        ("contacts", "UPDATE", survivor, None, {"notes": None}),
    ]
    assert (undone[:4], list(undone[4])) == (("contact_merges", "UPDATE", merge_id, None), ["undone_at"])


async def test_two_tenants_with_the_same_data_do_not_affect_each_other(
    client: Client, book: Book, bobs: Book, shelf: Shelf, bobs_shelf: Shelf
) -> None:
    hers, his = await tangle(book, shelf), await tangle(bobs, bobs_shelf)
    before, files = await bobs_shelf.everything(), await exports(client, bobs)
    merge_id = (await merge(book, *hers[:3])).merge_id
    assert await bobs_shelf.everything() == before
    his_merge = (await merge(bobs, *his[:3])).merge_id
    merged = await bobs_shelf.everything()
    await unmerge(book, merge_id)
    assert await bobs_shelf.everything() == merged
    await unmerge(bobs, his_merge)
    assert await bobs_shelf.everything() == before
    assert await exports(client, bobs) == files
