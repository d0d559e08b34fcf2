"""Links between contacts: made once, seen from both sides, whoever the contacts have become meanwhile."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_link_pb2 import ContactLink, ContactLinkType
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.type.v1.partial_date_pb2 import PartialDate

from services.contacts.link_record import LINKS_OF_A_CONTACT
from tests.postgres import Connection, bound
from tests.services.contacts.calls import Book, mask, random_id
from tests.suite import failure, new_request_id, tenant_of

REVERSES = {
    "PARENT": "CHILD",
    "CHILD": "PARENT",
    "MANAGER": "REPORT",
    "REPORT": "MANAGER",
    "INTRODUCED_BY": "INTRODUCED",
    "INTRODUCED": "INTRODUCED_BY",
    "ASSISTANT": "ASSISTED",
    "ASSISTED": "ASSISTANT",
}
TYPES = [name.removeprefix("CONTACT_LINK_TYPE_") for name in ContactLinkType.keys()[1:]]


def number(name: str) -> Any:
    return ContactLinkType.Value(f"CONTACT_LINK_TYPE_{name}")


async def link(
    book: Book, contact: str, related: str, kind: str = "FRIEND", request_id: str = "", **fields: Any
) -> ContactLink:
    """Says that `related` is a `kind` of `contact`."""
    made = ContactLink(contact_id=contact, related_contact_id=related, type=number(kind), **fields)
    answer: ContactLink = await book.stub.LinkContacts(
        pb.LinkContactsRequest(link=made, request_id=request_id), metadata=book.tenant
    )
    return answer


async def unlink(book: Book, link_id: str, **arguments: Any) -> ContactLink:
    request = pb.UnlinkContactsRequest(id=link_id, **arguments)
    answer: ContactLink = await book.stub.UnlinkContacts(request, metadata=book.tenant)
    return answer


async def page(book: Book, contact_id: str, **arguments: Any) -> pb.ListContactLinksResponse:
    request = pb.ListContactLinksRequest(contact_id=contact_id, **arguments)
    answer: pb.ListContactLinksResponse = await book.stub.ListContactLinks(request, metadata=book.tenant)
    return answer


async def listed(book: Book, contact_id: str, **arguments: Any) -> list[ContactLink]:
    """All links of a contact, page by page."""
    found = await page(book, contact_id, **arguments)
    links = list(found.links)
    while found.next_page_token:
        found = await page(book, contact_id, **{**arguments, "page_token": found.next_page_token, "skip": 0})
        links += found.links
    return links


async def two(book: Book) -> tuple[Contact, Contact]:
    ada, byron = await book.create_many(
        {"given_name": "Ada", "organization_name": "Analytical Engines"}, {"given_name": "Byron"}
    )
    return ada, byron


async def restrict(conn: Connection, contact_id: str) -> None:
    await conn.execute("UPDATE contacts SET processing_restricted = true WHERE id = $1::uuid", contact_id)


async def merge(conn: Connection, book: Book, merged: str, survivor: str) -> None:
    """Lets an id stand for another contact, as merging does; nothing hangs on the merged one."""
    async with bound(conn, uuid.UUID(tenant_of(book.tenant))):
        await conn.execute("UPDATE contacts SET deleted_at = now() WHERE id = $1::uuid", merged)
        await conn.execute(
            "INSERT INTO contact_redirects (user_id, contact_id, survivor_id, merge_id) VALUES ($1, $2, $3, $4)",
            *(uuid.UUID(value) for value in (tenant_of(book.tenant), merged, survivor, random_id())),
        )


@pytest.mark.parametrize("kind", TYPES)
async def test_a_link_is_seen_from_both_sides_and_a_directed_one_turns_round(book: Book, kind: str) -> None:
    ada, byron = await two(book)
    made = await link(
        book, ada.id, byron.id, kind, label="as told", start_date=PartialDate(year=1815, month=12), notes="a\nb"
    )
    assert (made.contact_id, made.related_contact_id, made.type) == (ada.id, byron.id, number(kind))
    assert (made.related_contact.id, made.related_contact.display_name) == (byron.id, "Byron")
    assert (made.label, made.notes, made.start_date) == ("as told", "a\nb", PartialDate(year=1815, month=12))
    assert made.id
    assert made.etag
    assert made.create_time == made.update_time
    assert not made.HasField("delete_time")

    assert await listed(book, ada.id) == [made]
    [seen] = await listed(book, byron.id)
    assert (seen.contact_id, seen.related_contact_id) == (byron.id, ada.id)
    assert seen.type == number(REVERSES.get(kind, kind))
    assert seen.related_contact.display_name == "Ada"
    assert seen.related_contact.organization == "Analytical Engines"
    assert (seen.id, seen.etag, seen.label, seen.start_date, seen.notes) == (
        made.id, made.etag, made.label, made.start_date, made.notes,
    )  # fmt: skip


def test_every_type_is_tried_above() -> None:
    assert {REVERSES.get(REVERSES.get(kind, kind), kind) for kind in TYPES} == set(TYPES)
    assert len(TYPES) == 17


@pytest.mark.parametrize("kind", TYPES)
async def test_the_same_tie_is_there_already_from_whichever_side_it_is_made(book: Book, kind: str) -> None:
    ada, byron = await two(book)
    await link(book, ada.id, byron.id, kind)
    again = [
        (await failure(link(book, ada.id, byron.id, kind, label="again"))).reason,
        (await failure(link(book, byron.id, ada.id, REVERSES.get(kind, kind)))).reason,
    ]
    assert again == ["LINK_ALREADY_EXISTS"] * 2
    assert len(await listed(book, ada.id)) == 1


async def test_other_ties_of_the_same_two_are_other_links(book: Book) -> None:
    ada, byron = await two(book)
    for kind in ("FRIEND", "COLLEAGUE", "MANAGER", "REPORT", "PARENT"):
        await link(book, ada.id, byron.id, kind)
    assert [each.type for each in await listed(book, ada.id)] == [
        number(kind) for kind in ("FRIEND", "COLLEAGUE", "MANAGER", "REPORT", "PARENT")
    ]


@pytest.mark.parametrize("kind", ["SPOUSE", "PARENT"])
async def test_of_many_that_make_the_same_tie_at_once_one_succeeds(book: Book, kind: str) -> None:
    ada, byron = await two(book)
    calls = [link(book, ada.id, byron.id, kind) for _ in range(4)]
    calls += [link(book, byron.id, ada.id, REVERSES.get(kind, kind)) for _ in range(4)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(answer, ContactLink) for answer in answers) == 1
    assert len(await listed(book, ada.id)) == 1


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"contact_id": ""}, "link.contact_id"),
        ({"related_contact_id": "Byron"}, "link.related_contact_id"),
        ({"type": 0}, "link.type"),
        ({"type": 99}, "link.type"),
        ({"label": "x" * 101}, "link.label"),
        ({"label": "two\nlines"}, "link.label"),
        ({"notes": "x" * 10_001}, "link.notes"),
        ({"notes": "\0"}, "link.notes"),
        ({"start_date": PartialDate()}, "link.start_date"),
        ({"start_date": PartialDate(month=4, day=31)}, "link.start_date"),
    ],
)
async def test_what_cannot_be_stored_is_named(book: Book, fields: dict[str, Any], path: str) -> None:
    ada, byron = await two(book)
    made = ContactLink(**{"contact_id": ada.id, "related_contact_id": byron.id, "type": number("FRIEND"), **fields})
    refused = await failure(book.stub.LinkContacts(pb.LinkContactsRequest(link=made), metadata=book.tenant))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", [path])


async def test_everything_that_is_wrong_is_named_at_once(book: Book) -> None:
    refused = await failure(book.stub.LinkContacts(pb.LinkContactsRequest(), metadata=book.tenant))
    assert list(refused.violations) == ["link.contact_id", "link.related_contact_id", "link.type"]


async def test_texts_at_their_limits_are_kept(book: Book) -> None:
    ada, byron = await two(book)
    made = await link(book, ada.id, byron.id, label="é" * 100, notes="ü" * 10_000)
    assert (len(made.label), len(made.notes)) == (100, 10_000)


async def test_nobody_is_tied_to_oneself(book: Book, as_superuser: Connection) -> None:
    ada, byron = await two(book)
    for same in (ada.id, ada.id.upper()):
        refused = await failure(link(book, ada.id, same))
        assert list(refused.violations) == ["link.related_contact_id"]
    # Nor to the one that one was merged into.
    await merge(as_superuser, book, byron.id, ada.id)
    for pair in ((ada.id, byron.id), (byron.id, ada.id)):
        refused = await failure(link(book, *pair))
        assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", ["link.related_contact_id"])


async def test_the_id_of_a_merged_contact_stands_for_the_survivor(book: Book, as_superuser: Connection) -> None:
    ada, byron = await two(book)
    twin = await book.create(given_name="Ada Augusta")
    await merge(as_superuser, book, twin.id, ada.id)
    made = await link(book, twin.id, byron.id, "CHILD")
    assert (made.contact_id, made.related_contact_id) == (ada.id, byron.id)
    assert (await failure(link(book, ada.id, byron.id, "CHILD"))).reason == "LINK_ALREADY_EXISTS"
    assert await listed(book, twin.id) == await listed(book, ada.id) == [made]


@pytest.mark.parametrize("place", [0, 1])
async def test_only_living_contacts_are_tied(book: Book, place: int) -> None:
    ada, byron = await two(book)
    for missing in (random_id(), byron.id):
        await book.delete(byron.id, allow_missing=True)
        pair = [ada.id, missing] if place else [missing, ada.id]
        refused = await failure(link(book, *pair))
        assert (refused.reason, refused.metadata["id"]) == ("CONTACT_NOT_FOUND", missing)


@pytest.mark.parametrize("place", [0, 1])
async def test_a_restricted_contact_is_not_tied(book: Book, as_superuser: Connection, place: int) -> None:
    ada, byron = await two(book)
    await restrict(as_superuser, byron.id)
    pair = [ada.id, byron.id] if place else [byron.id, ada.id]
    assert (await failure(link(book, *pair))).reason == "PROCESSING_RESTRICTED"


@pytest.mark.parametrize("full", [0, 1])
async def test_a_contact_has_so_many_links_and_no_more(book: Book, as_superuser: Connection, full: int) -> None:
    ada, byron = await two(book)
    pair = (ada, byron)
    await as_superuser.execute(
        """
        WITH others AS (
            INSERT INTO contacts (user_id, display_name, sort_name)
            SELECT $1::uuid, 'Other', 'other' FROM generate_series(1, $3) RETURNING id
        )
        INSERT INTO contact_links (user_id, contact_id, related_contact_id, type)
        SELECT $1, CASE WHEN n % 2 = 0 THEN id ELSE $2::uuid END, CASE WHEN n % 2 = 0 THEN $2 ELSE id END, 'FRIEND'
        FROM (SELECT id, row_number() OVER () AS n FROM others) AS numbered
        """,
        tenant_of(book.tenant),
        pair[full].id,
        LINKS_OF_A_CONTACT - 1,
    )
    made = await link(book, ada.id, byron.id)
    refused = await failure(link(book, ada.id, byron.id, "COLLEAGUE"))
    assert (refused.reason, refused.metadata["id"]) == ("LIMIT_REACHED", pair[full].id)
    assert (await page(book, pair[full].id, include_total_size=True)).total_size == LINKS_OF_A_CONTACT
    # A removed one makes room.
    await unlink(book, made.id)
    await link(book, ada.id, byron.id, "COLLEAGUE")


async def test_a_removed_link_is_gone_from_both_sides_and_can_be_made_again(book: Book) -> None:
    ada, byron = await two(book)
    made = await link(book, ada.id, byron.id, "CHILD")
    removed = await unlink(book, made.id)
    # As it is stored: of the two names the one that is kept.
    assert (removed.contact_id, removed.related_contact_id, removed.type) == (byron.id, ada.id, number("PARENT"))
    assert (removed.id, removed.create_time) == (made.id, made.create_time)
    days = (removed.purge_time.ToDatetime() - removed.delete_time.ToDatetime()).days
    assert days == 90
    assert removed.etag != made.etag
    for contact in (ada, byron):
        assert await listed(book, contact.id) == []
        [shown] = await listed(book, contact.id, show_deleted=True)
        assert (shown.id, shown.delete_time, shown.purge_time) == (made.id, removed.delete_time, removed.purge_time)
    again = await link(book, byron.id, ada.id, "PARENT")
    assert again.id != made.id
    assert len(await listed(book, ada.id, show_deleted=True)) == 2


async def test_removing_twice_is_not_found_unless_it_may_be_missing(book: Book) -> None:
    ada, byron = await two(book)
    made = await link(book, ada.id, byron.id)
    removed = await unlink(book, made.id)
    for missing in (made.id, random_id()):
        refused = await failure(unlink(book, missing))
        assert (refused.reason, refused.metadata["id"]) == ("LINK_NOT_FOUND", missing)
    assert await unlink(book, made.id, allow_missing=True) == removed
    assert await unlink(book, random_id(), allow_missing=True) == ContactLink()
    assert list((await failure(unlink(book, "x"))).violations) == ["id"]


async def test_an_etag_removes_only_the_version_that_it_marks(book: Book) -> None:
    ada, byron = await two(book)
    made = await link(book, ada.id, byron.id)
    for stale in ("77", "nonsense"):
        assert (await failure(unlink(book, made.id, etag=stale))).reason == "ETAG_MISMATCH"
    assert len(await listed(book, ada.id)) == 1
    assert (await unlink(book, made.id, etag=made.etag)).HasField("delete_time")


async def test_a_tie_to_a_restricted_contact_is_shown_to_nobody_and_not_removed(
    book: Book, as_superuser: Connection
) -> None:
    ada, byron = await two(book)
    made = await link(book, ada.id, byron.id)
    kept = await link(book, ada.id, (await book.create(given_name="Grace")).id)
    await restrict(as_superuser, byron.id)
    for show_deleted in (False, True):
        found = await page(book, ada.id, show_deleted=show_deleted, include_total_size=True)
        assert (list(found.links), found.total_size) == ([kept], 1)
    assert (await failure(listed(book, byron.id))).reason == "PROCESSING_RESTRICTED"
    for allow_missing in (False, True):
        assert (await failure(unlink(book, made.id, allow_missing=allow_missing))).reason == "PROCESSING_RESTRICTED"


async def test_ties_to_deleted_contacts_are_left_out_unless_asked_for_and_come_back(book: Book) -> None:
    ada, byron = await two(book)
    made = await link(book, ada.id, byron.id)
    await book.delete(byron.id)
    assert await listed(book, ada.id) == []
    [shown] = await listed(book, ada.id, show_deleted=True)
    assert (shown.id, shown.HasField("delete_time")) == (made.id, False)
    # A deleted contact's own are listed still.
    assert [each.related_contact_id for each in await listed(book, byron.id)] == [ada.id]
    await book.undelete(byron.id)
    assert await listed(book, ada.id) == [made]


@pytest.mark.parametrize("order_by", ["", "create_time", "create_time desc", "type", "type desc"])
@pytest.mark.parametrize("page_size", [1, 3, 20])
async def test_pages_hold_every_link_once_in_order(book: Book, order_by: str, page_size: int) -> None:
    ada = await book.create(given_name="Ada")
    others = await book.create_many(*({"given_name": name} for name in "ABCDEFG"))
    kinds = ["SPOUSE", "CHILD", "FRIEND", "PARENT", "FRIEND", "ASSISTED", "SPOUSE"]
    made = [await link(book, ada.id, other.id, kind) for other, kind in zip(others, kinds, strict=True)]
    expected = sorted(made, key=lambda each: (each.type if "type" in order_by else 0, each.create_time.ToNanoseconds()))
    if order_by.endswith("desc"):
        expected.reverse()
    assert await listed(book, ada.id, order_by=order_by, page_size=page_size) == expected
    assert await listed(book, ada.id, order_by=order_by, page_size=page_size, skip=2) == expected[2:]
    assert (await page(book, ada.id, page_size=page_size, include_total_size=True)).total_size == len(made)


async def test_a_type_is_filtered_as_it_is_seen_from_the_contact(book: Book) -> None:
    ada, byron = await two(book)
    grace = await book.create(given_name="Grace")
    await link(book, ada.id, byron.id, "PARENT")
    await link(book, grace.id, ada.id, "PARENT")
    await link(book, byron.id, ada.id, "FRIEND")
    seen = {
        kind: [each.related_contact_id for each in await listed(book, ada.id, type=number(kind))]
        for kind in ("PARENT", "CHILD", "FRIEND", "SPOUSE")
    }
    assert seen == {"PARENT": [byron.id], "CHILD": [grace.id], "FRIEND": [byron.id], "SPOUSE": []}
    assert (await page(book, ada.id, type=number("CHILD"), include_total_size=True)).total_size == 1


async def test_a_mask_shows_what_it_names(book: Book) -> None:
    ada, byron = await two(book)
    made = await link(book, ada.id, byron.id, label="l", start_date=PartialDate(year=1815, month=12))
    [shown] = (await page(book, ada.id, read_mask=mask("label", "start_date.year"))).links
    assert shown == ContactLink(id=made.id, label="l", start_date=PartialDate(year=1815))
    assert list((await page(book, ada.id, read_mask=mask("*"))).links) == [made]


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"contact_id": "x"}, "contact_id"),
        ({"page_size": -1}, "page_size"),
        ({"skip": -1}, "skip"),
        ({"order_by": "label"}, "order_by"),
        ({"type": 99}, "type"),
        ({"read_mask": mask("nonsense")}, "read_mask.paths[0]"),
    ],
)
async def test_what_cannot_be_listed_is_named(book: Book, arguments: dict[str, Any], path: str) -> None:
    ada = await book.create(given_name="Ada")
    refused = await failure(page(book, **{"contact_id": ada.id, **arguments}))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", [path])


async def test_a_page_token_is_for_the_same_list(book: Book) -> None:
    ada, byron = await two(book)
    for kind in ("FRIEND", "COLLEAGUE"):
        await link(book, ada.id, byron.id, kind)
    token = (await page(book, ada.id, page_size=1)).next_page_token
    assert len((await page(book, ada.id, page_size=5, page_token=token)).links) == 1
    others: list[dict[str, Any]] = [
        {"contact_id": byron.id},
        {"order_by": "type"},
        {"show_deleted": True},
        {"page_token": token[::-1]},
    ]
    for other in others:
        refused = await failure(page(book, **{"contact_id": ada.id, "page_token": token, **other}))
        assert refused.reason == "PAGE_TOKEN_INVALID"


async def test_links_of_nobody_are_not_found(book: Book) -> None:
    nobody = random_id()
    refused = await failure(page(book, nobody))
    assert (refused.reason, refused.metadata["id"]) == ("CONTACT_NOT_FOUND", nobody)


async def test_a_repeated_request_is_answered_as_the_first_one_was(book: Book) -> None:
    ada, byron = await two(book)
    making, removing = new_request_id(), new_request_id()
    made = await link(book, ada.id, byron.id, request_id=making)
    assert await link(book, ada.id, byron.id, request_id=making) == made
    assert (await failure(link(book, ada.id, byron.id, label="x", request_id=making))).reason == "REQUEST_ID_REUSED"
    removed = await unlink(book, made.id, request_id=removing)
    assert await unlink(book, made.id, request_id=removing) == removed
    refused = await failure(unlink(book, made.id, allow_missing=True, request_id=removing))
    assert refused.reason == "REQUEST_ID_REUSED"
    assert await link(book, ada.id, byron.id, request_id=making) == made


async def test_making_and_removing_leave_entries_in_the_audit_log(book: Book, as_superuser: Connection) -> None:
    ada, byron = await two(book)
    made = await link(book, ada.id, byron.id, "CHILD", label="son")
    await unlink(book, made.id)
    await failure(unlink(book, made.id))
    entries = await as_superuser.fetch(
        "SELECT * FROM audit_logs WHERE table_name = 'contact_links' AND row_id = $1::uuid ORDER BY at", made.id
    )
    assert [(entry["action"], str(entry["subject_id"])) for entry in entries] == [
        ("INSERT", byron.id), ("UPDATE", byron.id),
    ]  # fmt: skip
    assert (list(entries[1]["new_values"]), entries[1]["old_values"]) == (["deleted_at"], {"deleted_at": None})


async def test_a_link_does_not_change_its_contacts(book: Book) -> None:
    ada, byron = await two(book)
    await link(book, ada.id, byron.id)
    assert [await book.get(each.id) for each in (ada, byron)] == [ada, byron]
