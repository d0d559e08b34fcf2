"""Restricting the processing of a contact, and lifting that: what is answered, kept and audited."""

from __future__ import annotations

import uuid

import grpc
import pytest
from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb

from tests.postgres import Connection, bound
from tests.services.contacts.calls import NOBODY, Book
from tests.services.contacts.merge_calls import merge, unmerge
from tests.services.gdpr.conftest import GdprClient
from tests.services.gdpr.restriction_calls import CLAIMS, CONTESTED, Restricting
from tests.suite import Metadata, failure, new_request_id, tenant_of


@pytest.fixture
def restricting(gdpr: GdprClient, alice: Metadata) -> Restricting:
    """Alice's restrictions."""
    return Restricting(gdpr.subjects, alice)


async def test_a_restriction_holds_and_tells_its_ground(restricting: Restricting, book: Book) -> None:
    ada = await book.create(given_name="Ada")
    told = await restricting.restrict(ada.id, reason=CONTESTED, note="  She says that\r\nit is wrong.  ")
    assert (told.contact_id, told.restricted, told.reason) == (ada.id, True, CONTESTED)
    assert told.note == "She says that\nit is wrong."
    assert told.HasField("restrict_time")
    assert not told.HasField("lift_time")
    shown = await book.get(ada.id)
    assert shown.processing_restricted
    assert shown.etag != ada.etag


async def test_ground_and_note_may_be_left_unsaid(restricting: Restricting, book: Book) -> None:
    ada = await book.create(given_name="Ada")
    told = await restricting.restrict(ada.id, note=" \n ")
    assert (told.restricted, told.reason, told.note) == (True, 0, "")


async def test_restricting_again_changes_ground_and_note_and_nothing_else(restricting: Restricting, book: Book) -> None:
    ada = await book.create(given_name="Ada")
    first = await restricting.restrict(ada.id, reason=CONTESTED, note="first")
    etag = (await book.get(ada.id)).etag
    second = await restricting.restrict(ada.id, reason=CLAIMS)
    assert (second.reason, second.note, second.restricted) == (CLAIMS, "", True)
    assert second.restrict_time == first.restrict_time
    assert (await book.get(ada.id)).etag == etag


async def test_lifting_tells_what_the_restriction_was(restricting: Restricting, book: Book) -> None:
    ada = await book.create(given_name="Ada")
    restricted = await restricting.restrict(ada.id, reason=CONTESTED, note="contested")
    lifted = await restricting.lift(ada.id)
    assert (lifted.contact_id, lifted.restricted, lifted.reason) == (ada.id, False, CONTESTED)
    assert (lifted.note, lifted.restrict_time) == ("contested", restricted.restrict_time)
    assert lifted.lift_time.ToNanoseconds() > lifted.restrict_time.ToNanoseconds()
    assert not (await book.get(ada.id)).processing_restricted


async def test_what_is_said_when_lifting_takes_the_place_of_the_note(restricting: Restricting, book: Book) -> None:
    ada = await book.create(given_name="Ada")
    await restricting.restrict(ada.id, note="contested")
    assert (await restricting.lift(ada.id, note="put right")).note == "put right"


async def test_lifting_what_is_not_restricted_changes_nothing(restricting: Restricting, book: Book) -> None:
    ada = await book.create(given_name="Ada")
    assert await restricting.lift(ada.id, note="never") == pb.ProcessingRestriction(contact_id=ada.id)
    assert (await book.get(ada.id)).etag == ada.etag

    await restricting.restrict(ada.id, note="contested")
    lifted = await restricting.lift(ada.id)
    etag = (await book.get(ada.id)).etag
    assert await restricting.lift(ada.id, note="once more") == lifted
    assert (await book.get(ada.id)).etag == etag


async def test_a_restriction_after_a_lifted_one_is_a_new_one(restricting: Restricting, book: Book) -> None:
    ada = await book.create(given_name="Ada")
    first = await restricting.restrict(ada.id, reason=CONTESTED)
    await restricting.lift(ada.id)
    again = await restricting.restrict(ada.id)
    assert again.restrict_time.ToNanoseconds() > first.restrict_time.ToNanoseconds()
    assert (again.restricted, again.reason, again.HasField("lift_time")) == (True, 0, False)


@pytest.mark.parametrize("call", ["restrict", "lift"])
async def test_the_id_of_a_merged_contact_stands_for_the_survivor(
    restricting: Restricting, book: Book, call: str
) -> None:
    ada, double = await book.create_many({"given_name": "Ada"}, {"given_name": "Ada"})
    await merge(book, ada.id, double.id)
    if call == "lift":
        await restricting.restrict(ada.id)
    told = await getattr(restricting, call)(double.id)
    assert (told.contact_id, told.restricted) == (ada.id, call == "restrict")
    assert (await book.get(ada.id)).processing_restricted == (call == "restrict")


@pytest.mark.parametrize("call", ["restrict", "lift"])
async def test_a_deleted_contact_is_not_found(restricting: Restricting, book: Book, call: str) -> None:
    ada = await book.create(given_name="Ada")
    await book.delete(ada.id)
    for contact_id in (ada.id, NOBODY):
        refused = await failure(getattr(restricting, call)(contact_id))
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")
        assert refused.metadata == {"id": contact_id}


@pytest.mark.parametrize("call", ["restrict", "lift"])
async def test_bad_fields_are_named(restricting: Restricting, book: Book, call: str) -> None:
    ada = await book.create(given_name="Ada")
    send = getattr(restricting, call)
    assert set((await failure(send("no id"))).violations) == {"contact_id"}
    assert set((await failure(send(""))).violations) == {"contact_id"}
    assert set((await failure(send(ada.id, note="x" * 1001))).violations) == {"note"}
    assert set((await failure(send(ada.id, note="a\0b"))).violations) == {"note"}
    assert (await send(ada.id, note="x" * 1000)).contact_id == ada.id
    if call == "restrict":
        refused = await failure(send(ada.id, reason=99, note="x" * 1001))
        assert set(refused.violations) == {"reason", "note"}


@pytest.mark.parametrize("call", ["restrict", "lift"])
async def test_a_repeated_call_gets_the_first_answer(restricting: Restricting, book: Book, call: str) -> None:
    ada = await book.create(given_name="Ada")
    if call == "lift":
        await restricting.restrict(ada.id)
    send, other = (
        getattr(restricting, name) for name in ((call, "lift") if call == "restrict" else (call, "restrict"))
    )
    request_id = new_request_id()
    first = await send(ada.id, note="as asked", request_id=request_id)
    await other(ada.id)
    assert await send(ada.id, note="as asked", request_id=request_id) == first
    assert (await book.get(ada.id)).processing_restricted == (call == "lift")
    reused = await failure(send(ada.id, note="otherwise", request_id=request_id))
    assert (reused.code, reused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")


async def test_restricting_and_lifting_are_audited(
    restricting: Restricting, book: Book, as_superuser: Connection
) -> None:
    ada = await book.create(given_name="Ada")
    await restricting.restrict(ada.id, reason=CONTESTED, metadata=(("x-actor", "grace"),))
    await restricting.restrict(ada.id, reason=CLAIMS)
    await restricting.lift(ada.id)
    entries = await as_superuser.fetch(
        """
        SELECT table_name, action, old_values, new_values, actor FROM audit_logs
        WHERE user_id = $1 AND subject_id = $2 AND (table_name = 'processing_restrictions' OR action = 'UPDATE')
        ORDER BY at, id
        """,
        uuid.UUID(tenant_of(book.tenant)),
        uuid.UUID(ada.id),
    )
    told = [(entry["table_name"], entry["action"]) for entry in entries]
    assert told == [
        ("contacts", "UPDATE"),
        ("processing_restrictions", "INSERT"),
        ("processing_restrictions", "UPDATE"),
        ("contacts", "UPDATE"),
        ("processing_restrictions", "UPDATE"),
    ]
    assert [entry["actor"] for entry in entries[:2]] == ["grace", "grace"]
    assert entries[0]["new_values"] == {"processing_restricted": True}
    assert entries[2]["new_values"] == {"reason": "LEGAL_CLAIMS"}
    assert "lifted_at" in entries[4]["new_values"]


async def test_a_merge_of_a_restricted_contact_is_refused_on_either_side(restricting: Restricting, book: Book) -> None:
    ada, double = await book.create_many({"given_name": "Ada"}, {"given_name": "Ada"})
    await restricting.restrict(ada.id)
    for survivor, duplicate in ((ada.id, double.id), (double.id, ada.id)):
        assert (await failure(merge(book, survivor, duplicate))).reason == "PROCESSING_RESTRICTED"


async def test_unmerging_releases_nobody(restricting: Restricting, book: Book) -> None:
    ada, double = await book.create_many({"given_name": "Ada"}, {"given_name": "Ada", "notes": "her own"})
    done = await merge(book, ada.id, double.id)
    await restricting.restrict(double.id)
    assert (await failure(unmerge(book, done.merge_id))).reason == "PROCESSING_RESTRICTED"
    assert (await book.get(double.id)).id == ada.id

    await restricting.lift(ada.id)
    await unmerge(book, done.merge_id)
    assert not (await book.get(double.id)).processing_restricted


async def test_those_merged_into_a_restricted_contact_are_in_no_list_of_deleted_ones(
    restricting: Restricting, book: Book
) -> None:
    ada, double, eve = await book.create_many({"given_name": "Ada"}, {"given_name": "Double"}, {"given_name": "Eve"})
    await merge(book, ada.id, double.id)
    await book.delete(eve.id)
    assert await book.names(show_deleted=True) == ["Ada", "Double", "Eve"]
    await restricting.restrict(ada.id)
    assert await book.names(show_deleted=True) == ["Eve"]
    await restricting.lift(double.id)
    assert await book.names(show_deleted=True) == ["Ada", "Double", "Eve"]


async def test_unmerging_in_the_database_restricts_who_comes_back(
    restricting: Restricting, book: Book, as_superuser: Connection
) -> None:
    """Whoever calls the function without asking first, after somebody restricted the survivor alone."""
    ada, double = await book.create_many({"given_name": "Ada"}, {"given_name": "Ada", "notes": "her own"})
    done = await merge(book, ada.id, double.id)
    async with bound(as_superuser, uuid.UUID(tenant_of(book.tenant))):
        await as_superuser.execute("UPDATE contacts SET processing_restricted = true WHERE id = $1", uuid.UUID(ada.id))
        await as_superuser.fetch("SELECT * FROM app.unmerge_contacts($1, '{}', false)", uuid.UUID(done.merge_id))
    back = await book.get(double.id)
    assert (back.id, back.processing_restricted) == (double.id, True)
    told = await restricting.restrict(double.id, reason=CLAIMS)
    assert told.restricted
    assert not (await restricting.lift(double.id)).restricted
    assert (await book.get(ada.id)).processing_restricted
