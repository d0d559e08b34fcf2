"""MergeContacts: what the survivor becomes, and what becomes of all that hung on the duplicates."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from pmcrm.contacts.v1.contact_pb2 import Contact

from services.contacts.merging import FILLED, JOINED, KEPT
from shared import contact_limits as limits
from shared.contact_record import COLUMNS_OF_FIELD
from tests.postgres import Connection
from tests.services.contacts.calls import NOBODY, Book, random_id
from tests.services.contacts.merge_calls import Shelf, merge
from tests.suite import failure, new_request_id

FULL: dict[str, Any] = {
    "given_name": "Augusta",
    "family_name": "King",
    "additional_names": "Ada",
    "honorific_prefixes": "Lady",
    "honorific_suffixes": "FRS",
    "phonetic_given_name": "Ogasta",
    "phonetic_family_name": "Kingu",
    "nickname": "Ada",
    "display_name": "The Countess",
    "emails": [{"value": "ada@example.org", "label": "work", "primary": True}],
    "phones": [{"value": "020 7946 0018", "label": "home"}],
    "addresses": [{"value": "Ockham Park", "locality": "Ockham"}],
    "urls": [{"value": "https://example.org/ada"}],
    "im_handles": [{"value": "@ada", "label": "matrix"}],
    "birthday": {"year": 1815, "month": 12, "day": 10},
    "anniversary": {"month": 7, "day": 8},
    "organization_name": "Analytical Engines",
    "job_title": "Programmer",
    "notes": "Met at Babbage's.",
    "custom_fields": {"theme": {"dark": True}},
    "relationship_strength": 9,
    "keep_in_touch_days": 30,
    "source_uid": "card-1",
    "photo_uri": "https://example.org/ada.jpg",
    "extra_properties": ["X-ENGINE:1"],
}


@pytest.fixture
def shelf(as_superuser: Connection, book: Book) -> Shelf:
    return Shelf(as_superuser, book)


async def create(book: Book, fields: dict[str, Any]) -> Contact:
    contact = ParseDict(fields, Contact())
    return await book.create(**{field.name: value for field, value in contact.ListFields()})


async def test_an_empty_survivor_takes_over_all_that_the_duplicate_has(book: Book) -> None:
    survivor = await create(book, {"nickname": "x"})
    duplicate = await create(book, FULL)
    answer = await merge(book, survivor.id, duplicate.id)
    merged = answer.contact
    assert merged == await book.get(survivor.id)
    for field in (*FILLED, *JOINED, "relationship_strength"):
        if field != "nickname":
            assert getattr(merged, field) == getattr(duplicate, field), field
    assert (merged.nickname, merged.display_name) == ("x", "Lady Augusta Ada King FRS")
    assert merged.relationship_strength_pinned
    assert (merged.source_uid, merged.HasField("source_create_time")) == ("", False)
    assert merged.next_contact_time.seconds > 0
    assert int(merged.etag) > max(int(survivor.etag), int(duplicate.etag))


def test_every_field_that_callers_write_is_filled_joined_or_kept() -> None:
    assert sorted((*FILLED, *JOINED, *KEPT, "display_name")) == sorted(COLUMNS_OF_FIELD)
    full = ParseDict(FULL, Contact())
    assert {field.name for field, _ in full.ListFields()} >= {*FILLED, *JOINED, "relationship_strength"}


async def test_what_the_survivor_has_stays(book: Book) -> None:
    survivor = await create(book, FULL)
    other = {
        field: f"{value} too" if isinstance(value, str) else value
        for field, value in FULL.items()
        if field not in ("photo_uri", "notes", "source_uid", *JOINED)
    }
    other |= {"birthday": {"year": 1900}, "keep_in_touch_days": 5, "relationship_strength": 2}
    duplicate = await create(book, other)
    merged = (await merge(book, survivor.id, duplicate.id)).contact
    for changed in ("etag", "update_time"):
        for contact in (survivor, merged):
            contact.ClearField(changed)
    assert merged == survivor


async def test_lists_are_joined_and_what_is_in_both_is_there_once(book: Book) -> None:
    survivor = await create(
        book,
        {
            "emails": [{"value": "ada@example.org"}, {"value": "a@example.org", "label": "work", "primary": True}],
            "phones": [{"value": "+44 20 7946 0018", "label": "work"}],
            "extra_properties": ["X-A:1"],
        },
    )
    first = await create(
        book,
        {
            "emails": [{"value": "ADA@example.org", "label": "home", "primary": True}],
            "phones": [{"value": "020 7946 0018"}, {"value": "020 7946 0019", "primary": True}],
            "addresses": [{"locality": "Ockham"}],
            "extra_properties": ["X-A:1", "X-B:2"],
        },
    )
    second = await create(
        book,
        {
            "emails": [{"value": "a@example.org", "label": "home"}, {"value": "ada@example.org"}],
            "phones": [{"value": "020 7946 0019", "label": "home"}, {"value": "112"}],
            "addresses": [{"locality": "Ockham", "label": "home"}, {"locality": "Ockham", "country_code": "GB"}],
        },
    )
    merged = (await merge(book, survivor.id, first.id, second.id)).contact
    assert [(e.value, e.label, e.primary) for e in merged.emails] == [
        ("ada@example.org", "home", False),
        ("a@example.org", "work", True),
        ("a@example.org", "home", False),
    ]
    assert [(p.value, p.label, p.primary) for p in merged.phones] == [
        ("+44 20 7946 0018", "work", False),
        ("020 7946 0019", "home", True),
        ("112", "", False),
    ]
    assert [(a.locality, a.label, a.country_code) for a in merged.addresses] == [
        ("Ockham", "home", ""),
        ("Ockham", "", "GB"),
    ]
    assert list(merged.extra_properties) == ["X-A:1", "X-B:2"]


async def test_notes_and_custom_fields_are_joined(book: Book) -> None:
    survivor = await create(book, {"given_name": "A", "notes": "one", "custom_fields": {"a": 1, "deep": {"x": 1}}})
    others = [
        {"given_name": "A", "notes": "two\nlines", "custom_fields": {"a": 2, "b": [2], "deep": {"x": 2, "y": 2}}},
        {"given_name": "A", "notes": "one", "custom_fields": {"b": 3, "deep": "none"}},
        {"given_name": "A", "custom_fields": {"c": None}},
    ]
    duplicates = [await create(book, fields) for fields in others]
    merged = (await merge(book, survivor.id, *(d.id for d in duplicates))).contact
    assert merged.notes == "one\n\ntwo\nlines"
    assert MessageToDict(merged.custom_fields) == {"a": 1, "b": [2], "c": None, "deep": {"x": 1, "y": 2}}


async def test_a_composed_name_follows_its_parts_and_a_given_one_stays(book: Book) -> None:
    named = await create(book, {"given_name": "Ada", "family_name": "Lovelace", "nickname": "Addie"})
    for fields, expected in (
        ({"given_name": "Augusta"}, "Augusta Lovelace"),
        ({"given_name": "Ada", "display_name": "A."}, "A."),
        ({"emails": [{"value": "ada@example.org"}]}, "Ada Lovelace"),
    ):
        survivor = await create(book, fields)
        named = await create(book, {"given_name": "Ada", "family_name": "Lovelace", "nickname": "Addie"})
        assert (await merge(book, survivor.id, named.id)).contact.display_name == expected
    called = await create(book, {"display_name": "The Countess"})
    survivor = await create(book, {"emails": [{"value": "ada@example.org"}]})
    assert (await merge(book, survivor.id, called.id)).contact.display_name == "The Countess"
    assert await book.names() == ["A.", "Ada Lovelace", "Ada Lovelace", "Augusta Lovelace", "The Countess"]


async def test_what_hangs_on_the_duplicates_moves_and_what_the_survivor_has_is_dropped(
    book: Book, shelf: Shelf
) -> None:
    survivor, first, second, friend = await book.create_many(*({"given_name": name} for name in "SABF"))
    shared, lone = await shelf.tag("shared", survivor.id, first.id, second.id), await shelf.tag("lone", second.id)
    acme = await shelf.organization("acme")
    for contact in (survivor, first, second):
        await shelf.employ(contact.id, acme, job_title="Programmer", is_current=True)
    kept = await shelf.employ(first.id, acme, job_title="Programmer", notes="from her own lips", is_current=True)
    removed = await shelf.employ(second.id, acme, job_title="Programmer", deleted_at=None)
    answer = await merge(book, survivor.id, first.id, second.id)
    assert dict(answer.moved_counts) == {"tags": 1, "employments": 2}
    assert dict(answer.dropped_counts) == {"tags": 2, "employments": 2}
    assert {tag.id for tag in answer.contact.tags} == {shared, lone}
    assert answer.contact.current_organization.name == "acme"
    employments = await shelf.rows("contact_employments", "contact_id", "id")
    assert {contact_id for contact_id, _ in employments} == {survivor.id}
    assert {kept, removed} < {employment_id for _, employment_id in employments}
    assert len(employments) == 3
    assert not (await book.get(friend.id)).tags


async def test_links_move_from_both_sides_and_none_is_doubled_or_tied_to_itself(book: Book, shelf: Shelf) -> None:
    s, a, b, x, y = [c.id for c in await book.create_many(*({"given_name": name} for name in "SABXY"))]
    await shelf.link(s, a, "SIBLING")
    await shelf.link(b, a, "FRIEND")
    await shelf.link(b, s, "MANAGER")
    kept = [await shelf.link(s, x, "FRIEND"), await shelf.link(s, y, "PARENT")]
    await shelf.link(x, a, "FRIEND")  # the same tie, from the other side
    await shelf.link(b, x, "FRIEND")
    await shelf.link(b, y, "PARENT")
    moved = {
        await shelf.link(y, a, "PARENT"): (y, s),  # a directed one is another from the other side
        await shelf.link(a, x, "SPOUSE", label="wife"): (s, x),
        await shelf.link(y, b, "COLLEAGUE"): (y, s),
    }
    await shelf.link(y, x, "FRIEND")
    await shelf.link(s, b, "NEIGHBOR", deleted_at=None)
    answer = await merge(book, s, a, b)
    assert dict(answer.moved_counts) == {"contact_links": 3}
    assert dict(answer.dropped_counts) == {"contact_links": 7}
    links = {
        link_id: ends for link_id, *ends in await shelf.rows("contact_links", "id", "contact_id", "related_contact_id")
    }
    assert links.keys() > {*kept, *moved}
    assert len(links) == 6
    assert {link_id: tuple(links[link_id]) for link_id in moved} == moved


async def test_a_link_that_was_removed_moves_too_and_is_not_told_of(
    book: Book, shelf: Shelf, as_superuser: Connection
) -> None:
    s, a, x = [c.id for c in await book.create_many(*({"given_name": name} for name in "SAX"))]
    for ends in ((s, x), (a, x), (s, a)):
        link = await shelf.link(*ends, "FRIEND")
        await as_superuser.execute("UPDATE contact_links SET deleted_at = now() WHERE id = $1", uuid.UUID(link))
    answer = await merge(book, s, a)
    assert (dict(answer.moved_counts), dict(answer.dropped_counts)) == ({}, {})
    assert await shelf.rows("contact_links", "contact_id", "related_contact_id") == [(s, x)] * 2


async def test_the_merged_are_deleted_and_name_survivor_and_merge(book: Book) -> None:
    survivor, duplicate = await book.create_many({"given_name": "A"}, {"given_name": "B"})
    answer = await merge(book, survivor.id, duplicate.id)
    assert await book.names() == ["A"]
    listed = {c.id: c for c in (await book.page(show_deleted=True)).contacts}
    shown = listed[duplicate.id]
    assert (shown.merged_into_id, shown.merge_id) == (survivor.id, answer.merge_id)
    assert shown.HasField("delete_time")
    assert shown.HasField("purge_time")
    assert not listed[survivor.id].merged_into_id


async def test_a_hundred_duplicates_are_merged_at_once(book: Book) -> None:
    survivor, *duplicates = await book.create_many(
        *({"given_name": "A", "urls": [{"value": f"https://example.org/{i % 50}"}]} for i in range(101))
    )
    answer = await merge(book, survivor.id, *(d.id for d in duplicates))
    assert [url.value for url in answer.contact.urls] == [f"https://example.org/{i}" for i in range(50)]
    assert {c.id for c in (await book.get_many(*(d.id for d in duplicates))).contacts} == {survivor.id}


@pytest.mark.parametrize(
    ("of", "each"),
    [
        ("emails", [{"emails": [{"value": f"{who}{i}@example.org"} for i in range(51)]} for who in "ab"]),
        ("notes", [{"notes": who * 50_000} for who in "ab"]),
        ("custom_fields", [{"custom_fields": {who: "x" * 40_000}} for who in "ab"]),
        ("extra_properties", [{"extra_properties": [f"X-{who}:{i}" for i in range(51)]} for who in "AB"]),
        ("extra_properties", [{"extra_properties": [f"X-{who}:{'x' * 40_000}"]} for who in "AB"]),
    ],
)
async def test_more_than_a_contact_may_have_is_refused(book: Book, of: str, each: list[dict[str, Any]]) -> None:
    survivor, duplicate = [await create(book, {"given_name": "A", **fields}) for fields in each]
    refused = await failure(merge(book, survivor.id, duplicate.id))
    assert (refused.code.name, refused.reason) == ("FAILED_PRECONDITION", "LIMIT_REACHED")
    assert refused.metadata == {"limit": f"{of} of a contact", "id": survivor.id}
    assert [await book.get(c.id) for c in (survivor, duplicate)] == [survivor, duplicate]


async def test_as_much_as_a_contact_may_have_is_merged(book: Book) -> None:
    half = limits.LIST // 2
    survivor, duplicate = [
        await create(book, {"given_name": "A", "urls": [{"value": f"https://{who}/{i}"} for i in range(half)]})
        for who in "ab"
    ]
    assert len((await merge(book, survivor.id, duplicate.id)).contact.urls) == limits.LIST


@pytest.mark.parametrize(("kind", "most"), [("tags", 100), ("employments", 200), ("contact_links", 1000)])
async def test_more_than_may_hang_on_a_contact_is_refused(
    book: Book, shelf: Shelf, as_superuser: Connection, kind: str, most: int
) -> None:
    survivor, duplicate, other = await book.create_many(*({"given_name": name} for name in "ABC"))
    statement = {
        "tags": """
            WITH made AS (
                INSERT INTO tags (user_id, name, name_key, sort_name)
                SELECT $1, i::text, i::text, i::text FROM generate_series($2::int, $3) AS i RETURNING id
            ) INSERT INTO contact_tags (user_id, contact_id, tag_id) SELECT $1, $4, id FROM made
        """,
        "employments": """
            WITH made AS (
                INSERT INTO organizations (user_id, name, name_key, sort_name)
                SELECT $1, i::text, i::text, i::text FROM generate_series($2::int, $3) AS i RETURNING id
            ) INSERT INTO contact_employments (user_id, contact_id, organization_id) SELECT $1, $4, id FROM made
        """,
        "contact_links": """
            WITH made AS (
                INSERT INTO contacts (user_id, display_name, sort_name)
                SELECT $1, i::text, i::text FROM generate_series($2::int, $3) AS i RETURNING id
            )
            INSERT INTO contact_links (user_id, contact_id, related_contact_id, type)
            SELECT $1, id, $4, 'OTHER' FROM made
        """,
    }[kind]
    await as_superuser.execute(statement, shelf.tenant, 1, most - 1, uuid.UUID(survivor.id))
    await as_superuser.execute(statement, shelf.tenant, most, most, uuid.UUID(other.id))
    await as_superuser.execute(statement, shelf.tenant, most + 1, most + 1, uuid.UUID(duplicate.id))
    assert dict((await merge(book, survivor.id, other.id)).moved_counts) == {kind: 1}
    before = await shelf.everything()
    refused = await failure(merge(book, survivor.id, duplicate.id))
    limit = f"{kind.removeprefix('contact_')} of a contact"
    assert (refused.reason, refused.metadata["limit"]) == ("LIMIT_REACHED", limit)
    assert await shelf.everything() == before


async def test_malformed_requests_are_refused(book: Book) -> None:
    survivor, duplicate = await book.create_many({"given_name": "A"}, {"given_name": "B"})
    for ids, field in (
        (("x", duplicate.id), "id"),
        ((survivor.id,), "duplicate_ids"),
        ((survivor.id, *(random_id() for _ in range(101))), "duplicate_ids"),
        ((survivor.id, duplicate.id, "x"), "duplicate_ids[1]"),
        ((survivor.id, survivor.id), "duplicate_ids[0]"),
        ((survivor.id, duplicate.id, duplicate.id.upper()), "duplicate_ids[1]"),
    ):
        refused = await failure(merge(book, *ids))
        assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", [field])


async def test_who_does_not_live_is_not_merged(book: Book) -> None:
    a, b, gone, merged = [c.id for c in await book.create_many(*({"given_name": name} for name in "ABGM"))]
    await book.delete(gone)
    await merge(book, a, merged)
    for ids, missing in (
        ((NOBODY, a), NOBODY),
        ((a, NOBODY), NOBODY),
        ((gone, a), gone),
        ((a, b, gone), gone),
        ((merged, b), merged),
        ((b, merged), merged),
    ):
        refused = await failure(merge(book, *ids))
        assert (refused.code.name, refused.reason, refused.metadata) == (
            "NOT_FOUND",
            "CONTACT_NOT_FOUND",
            {"id": missing},
        )
    assert await book.names() == ["A", "B"]


async def test_a_restricted_contact_is_not_merged(book: Book, as_superuser: Connection) -> None:
    free, restricted = [c.id for c in await book.create_many({"given_name": "A"}, {"given_name": "B"})]
    await as_superuser.execute("UPDATE contacts SET processing_restricted = true WHERE id = $1", uuid.UUID(restricted))
    for ids in ((free, restricted), (restricted, free)):
        refused = await failure(merge(book, *ids))
        assert (refused.code.name, refused.reason) == ("FAILED_PRECONDITION", "PROCESSING_RESTRICTED")
        assert refused.metadata == {"id": restricted}


async def test_a_stale_etag_is_refused(book: Book) -> None:
    survivor, duplicate = await book.create_many({"given_name": "A"}, {"given_name": "B"})
    changed = await book.update(survivor.id, notes="x")
    refused = await failure(merge(book, survivor.id, duplicate.id, etag=survivor.etag))
    assert (refused.code.name, refused.reason) == ("ABORTED", "ETAG_MISMATCH")
    answer = await merge(book, survivor.id, duplicate.id, etag=changed.etag)
    assert int(answer.contact.etag) > int(changed.etag)


async def test_a_merge_happens_once_per_request_id(book: Book) -> None:
    survivor, first, second = [c.id for c in await book.create_many(*({"given_name": name} for name in "ABC"))]
    request_id = new_request_id()
    answer = await merge(book, survivor, first, request_id=request_id)
    assert await merge(book, survivor, first, request_id=request_id) == answer
    refused = await failure(merge(book, survivor, second, request_id=request_id))
    assert (refused.code.name, refused.reason) == ("INVALID_ARGUMENT", "REQUEST_ID_REUSED")
    assert await book.names() == ["A", "C"]


async def test_a_merge_is_in_the_audit_log_with_what_it_changed(
    book: Book, shelf: Shelf, as_superuser: Connection
) -> None:
    survivor = await create(book, {"given_name": "A"})
    duplicate = await create(book, {"given_name": "A", "notes": "n", "relationship_strength": 3})
    tag = await shelf.tag("t", duplicate.id)
    link = await shelf.link(survivor.id, duplicate.id, "FRIEND")
    await as_superuser.execute("DELETE FROM audit_logs WHERE user_id = $1", shelf.tenant)
    merge_id = (await merge(book, survivor.id, duplicate.id)).merge_id
    found = await as_superuser.fetch(
        "SELECT table_name, action, subject_id::text, old_values, new_values FROM audit_logs WHERE user_id = $1"
        " ORDER BY at",
        shelf.tenant,
    )
    deleted = next(
        entry for entry in found if entry["subject_id"] == duplicate.id and entry["table_name"] == "contacts"
    )
    assert list(deleted["new_values"]) == ["deleted_at"]
    assert [tuple(entry) for entry in found if entry is not deleted] == [
        ("contact_merges", "INSERT", merge_id, None, None),
        ("contacts", "UPDATE", survivor.id, {"notes": None}, {"notes": "n"}),
        ("contact_strengths", "UPDATE", survivor.id, {"pinned": None}, {"pinned": 3}),
        ("contact_links", "DELETE", survivor.id, None, None),
        ("contact_tags", "UPDATE", survivor.id, {"contact_id": duplicate.id}, {"contact_id": survivor.id}),
        ("contact_redirects", "INSERT", duplicate.id, None, None),
    ]
    assert (tag, link) != ("", "")
