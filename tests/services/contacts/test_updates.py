"""UpdateContact: what a mask writes, names that follow their parts, strengths that are pinned, and each failure."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from pmcrm.contacts.v1 import user_service_pb2 as users_pb
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.contacts.v1.user_pb2 import User

from shared.contact_record import COLUMNS_OF_FIELD, OUTPUT_ONLY_FIELDS
from tests.postgres import Connection
from tests.services.contacts.calls import NOBODY, Book
from tests.services.contacts.test_contacts import EVERYTHING
from tests.suite import Client, Metadata, failure


async def test_without_a_mask_the_populated_fields_are_written(book: Book) -> None:
    made = await book.create(given_name="Ada", family_name="Lovelace", notes="met", keep_in_touch_days=7)
    changed = await book.update(made.id, family_name="King", keep_in_touch_days=0)
    assert (changed.given_name, changed.family_name) == ("Ada", "King")
    assert (changed.notes, changed.keep_in_touch_days) == ("met", 7)


async def test_a_mask_writes_what_it_names_and_clears_what_is_empty(book: Book) -> None:
    made = await book.create(**EVERYTHING)
    changed = await book.update(
        made.id, "notes", "phones", "custom_fields", "job_title", job_title="Countess", nickname="x"
    )
    assert (changed.notes, len(changed.phones), changed.HasField("custom_fields")) == ("", 0, False)
    assert (changed.job_title, changed.nickname) == ("Countess", "Enchantress of Number")


async def test_a_star_replaces_the_whole_contact(book: Book) -> None:
    made = await book.create(**EVERYTHING)
    changed = await book.update(made.id, "*", given_name="Grace")
    plain = Contact(
        id=made.id, given_name="Grace", display_name="Grace", relationship_strength=1, etag=changed.etag,
        create_time=made.create_time, update_time=changed.update_time,
    )  # fmt: skip
    assert changed == plain


async def test_a_star_stands_alone(book: Book) -> None:
    made = await book.create(given_name="Ada")
    refused = await failure(book.update(made.id, "*", "notes", notes="x"))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", ["update_mask"])


@pytest.mark.parametrize("field", sorted(COLUMNS_OF_FIELD))
async def test_every_writable_field_is_written_and_cleared_by_its_name_alone(book: Book, field: str) -> None:
    made = await book.create(**{"given_name" if field == "nickname" else "nickname": "somebody"})
    full = Contact(**EVERYTHING)
    changed = await book.update(made.id, field, **{field: EVERYTHING[field]})
    if field not in ("phones", "addresses"):
        assert getattr(changed, field) == getattr(full, field)
    cleared = await book.update(made.id, field)
    for contact in (made, cleared):
        contact.ClearField("etag")
        contact.ClearField("update_time")
    assert cleared == made


async def test_a_path_reaches_into_a_date(book: Book) -> None:
    made = await book.create(given_name="Ada", birthday={"month": 12, "day": 10})
    changed = await book.update(made.id, "birthday.year", birthday={"year": 1815, "month": 1})
    assert changed.birthday == Contact(birthday={"year": 1815, "month": 12, "day": 10}).birthday
    changed = await book.update(made.id, "birthday.month", "birthday.day")
    assert changed.birthday == Contact(birthday={"year": 1815}).birthday


async def test_a_date_of_which_nothing_is_left_is_unset(book: Book) -> None:
    made = await book.create(given_name="Ada", birthday={"year": 1815})
    assert not (await book.update(made.id, "birthday.year", birthday={})).HasField("birthday")
    assert not (await book.update(made.id, "anniversary.day")).HasField("anniversary")


async def test_a_path_that_makes_an_impossible_date_is_refused(book: Book) -> None:
    made = await book.create(given_name="Ada", birthday={"month": 2, "day": 29})
    refused = await failure(book.update(made.id, "birthday.year", birthday={"year": 2023}))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", ["contact.birthday"])


async def test_a_path_reaches_into_custom_fields(book: Book) -> None:
    made = await book.create(given_name="Ada", custom_fields={"theme": {"dark": True, "hue": 3}, "plan": "free"})
    changed = await book.update(
        made.id, "custom_fields.theme.hue", "custom_fields.cats", custom_fields={"cats": ["Puff"]}
    )
    assert (
        changed.custom_fields
        == Contact(custom_fields={"theme": {"dark": True}, "plan": "free", "cats": ["Puff"]}).custom_fields
    )
    changed = await book.update(made.id, "custom_fields.plan.name", custom_fields={"plan": {"name": "pro", "n": 1}})
    assert changed.custom_fields["plan"] == {"name": "pro"}


async def test_lists_are_replaced_not_appended_to(book: Book) -> None:
    made = await book.create(given_name="Ada", emails=[{"value": "a@example.org"}, {"value": "b@example.org"}])
    changed = await book.update(made.id, emails=[{"value": "c@example.org"}])
    assert [email.value for email in changed.emails] == ["c@example.org"]
    with_extras = await book.create(given_name="Ada", extra_properties=["X-A:1", "X-B:2"])
    assert (await book.update(with_extras.id, extra_properties=["X-C:3"])).extra_properties == ["X-C:3"]


@pytest.mark.parametrize(
    "path", ["nope", "birthday.hour", "emails.value", "emails[0]", "notes.x", "", "given_name ", "consent_state.a"]
)
async def test_an_unknown_path_is_refused_and_nothing_is_written(book: Book, path: str) -> None:
    made = await book.create(given_name="Ada")
    refused = await failure(book.update(made.id, "notes", path, notes="met"))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == ["update_mask.paths[1]"]
    assert await book.get(made.id) == made


async def test_output_only_fields_are_ignored_wherever_they_are_named(book: Book) -> None:
    made = await book.create(given_name="Ada")
    now = datetime.now(UTC)
    ignored: dict[str, Any] = {
        "tags": [{"name": "x"}], "current_organization": {"name": "x"}, "relationship_strength_pinned": True,
        "last_contact_time": now, "next_contact_time": now, "processing_restricted": True, "consent_state": {"ai": 1},
        "merged_into_id": NOBODY, "merge_id": NOBODY, "create_time": now, "update_time": now, "delete_time": now,
        "purge_time": now,
    }  # fmt: skip
    assert {"id", "etag", *ignored} == OUTPUT_ONLY_FIELDS
    assert await book.update(made.id, **ignored) == made
    assert await book.update(made.id, *sorted(OUTPUT_ONLY_FIELDS), "current_organization.name", **ignored) == made
    changed = await book.update(made.id, "notes", *sorted(OUTPUT_ONLY_FIELDS), notes="met", **ignored)
    made.notes, made.etag = "met", changed.etag
    made.update_time.CopyFrom(changed.update_time)
    assert changed == made


async def test_a_malformed_value_is_refused_and_nothing_is_written(book: Book) -> None:
    made = await book.create(given_name="Ada")
    refused = await failure(book.update(made.id, notes="met", emails=[{"value": "no address"}], nickname="n" * 201))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert sorted(refused.violations) == ["contact.emails[0].value", "contact.nickname"]
    assert await book.get(made.id) == made


async def test_clearing_all_that_a_contact_is_called_by_is_refused(book: Book) -> None:
    made = await book.create(given_name="Ada")
    refused = await failure(book.update(made.id, "given_name"))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", ["contact"])


async def test_a_source_uid_of_another_living_contact_is_refused(book: Book) -> None:
    await book.create(given_name="Ada", source_uid="card-1")
    made = await book.create(given_name="Grace", source_uid="card-2")
    refused = await failure(book.update(made.id, source_uid="card-1"))
    assert (refused.code, refused.reason) == (grpc.StatusCode.ALREADY_EXISTS, "SOURCE_UID_TAKEN")
    assert (await book.update(made.id, source_uid="card-2", notes="met")).notes == "met"


async def test_a_stale_etag_stops_an_update(book: Book) -> None:
    made = await book.create(given_name="Ada")
    changed = await book.update(made.id, notes="first", etag=made.etag)
    refused = await failure(book.update(made.id, notes="second", etag=made.etag))
    assert (refused.code, refused.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert (await book.get(made.id)).notes == "first"
    assert (await book.update(made.id, notes="second", etag=changed.etag)).notes == "second"


async def test_of_concurrent_updates_with_one_etag_one_is_made(book: Book) -> None:
    made = await book.create(given_name="Ada")
    calls = [book.update(made.id, notes=str(i), etag=made.etag) for i in range(10)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    [won] = [answer for answer in answers if isinstance(answer, Contact)]
    assert {answer.code() for answer in answers if isinstance(answer, grpc.aio.AioRpcError)} == {
        grpc.StatusCode.ABORTED
    }
    assert await book.get(made.id) == won


async def test_concurrent_updates_of_different_fields_lose_nothing(book: Book) -> None:
    made = await book.create(given_name="Ada")
    fields = ("family_name", "nickname", "job_title", "organization_name", "notes", "additional_names")
    await asyncio.gather(*(book.update(made.id, **{field: field}) for field in fields))
    read = await book.get(made.id)
    assert [getattr(read, field) for field in fields] == list(fields)


async def test_an_update_moves_update_time_and_not_create_time(book: Book) -> None:
    made = await book.create(given_name="Ada")
    changed = await book.update(made.id, notes="met")
    assert changed.update_time.ToNanoseconds() > made.update_time.ToNanoseconds()
    assert changed.create_time == made.create_time


async def test_an_update_leaves_what_it_does_not_name_as_it_was_read_then(
    book: Book, client: Client, alice: Metadata, as_superuser: Connection
) -> None:
    made = await book.create(given_name="Ada", phones=[{"value": "044 668 18 00", "region": "CH"}, {"value": "112"}])
    unread = await book.create(given_name="Grace")
    entry = [{"value": "020 7946 0123"}]
    await as_superuser.execute("UPDATE contacts SET phones = $2, revision = 1 WHERE id = $1", unread.id, entry)
    request = users_pb.UpdateUserRequest(user=User(default_region="FR"))
    await client.users.UpdateUser(request, metadata=alice)
    assert (await book.update(made.id, notes="met")).phones == made.phones
    [phone] = (await book.update(unread.id, notes="met")).phones
    assert (phone.region, phone.e164) == ("", "")


# Composed names.


async def test_a_composed_display_name_follows_its_parts(book: Book) -> None:
    made = await book.create(given_name="Ada", family_name="Lovelace")
    assert (await book.update(made.id, family_name="King")).display_name == "Ada King"
    assert (
        await book.update(made.id, "given_name", "family_name", nickname="x", family_name="Byron")
    ).display_name == "Byron"


@pytest.mark.parametrize("everything", [[], ["*"]])
async def test_a_composed_display_name_that_is_sent_back_unchanged_follows_its_parts(
    book: Book, everything: list[str]
) -> None:
    made = await book.create(given_name="Ada", family_name="Lovelace")
    made.family_name = "King"
    sent = {field.name: value for field, value in made.ListFields() if field.name not in ("id", "etag")}
    assert (await book.update(made.id, *everything, **sent)).display_name == "Ada King"


async def test_a_display_name_that_was_given_stays(book: Book) -> None:
    made = await book.create(given_name="Ada", display_name="The Countess")
    assert (await book.update(made.id, given_name="Augusta")).display_name == "The Countess"
    assert (await book.update(made.id, "display_name")).display_name == "Augusta"
    assert (await book.update(made.id, given_name="Ada")).display_name == "Ada"


async def test_a_display_name_that_the_mask_names_is_taken_as_it_is(book: Book) -> None:
    made = await book.create(given_name="Ada")
    changed = await book.update(made.id, "given_name", "display_name", given_name="Augusta", display_name="Ada")
    assert (changed.given_name, changed.display_name) == ("Augusta", "Ada")


async def test_a_contact_is_sorted_by_its_new_name(book: Book) -> None:
    first = await book.create(given_name="Ada")
    await book.create(given_name="Bob")
    await book.update(first.id, given_name="Zoe")
    assert await book.names() == ["Bob", "Zoe"]


# Strength.


async def compute_strength(conn: Connection, contact: Contact, strength: int) -> None:
    """What the interactions service will do: the computed strength and the last contact change."""
    await conn.execute(
        "UPDATE contact_strengths SET computed = $2, last_contact_at = now() WHERE contact_id = $1",
        contact.id,
        strength,
    )


async def test_a_strength_that_is_written_is_pinned_until_it_is_released(book: Book, as_superuser: Connection) -> None:
    made = await book.create(given_name="Ada")
    pinned = await book.update(made.id, relationship_strength=8)
    assert (pinned.relationship_strength, pinned.relationship_strength_pinned) == (8, True)
    await compute_strength(as_superuser, made, 4)
    assert (await book.get(made.id)).relationship_strength == 8
    released = await book.update(made.id, "relationship_strength")
    assert (released.relationship_strength, released.relationship_strength_pinned) == (4, False)


async def test_a_new_contact_may_have_its_strength_pinned(book: Book) -> None:
    made = await book.create_many({"given_name": "A", "relationship_strength": 9}, {"given_name": "B"})
    assert [(c.relationship_strength, c.relationship_strength_pinned) for c in made] == [(9, True), (1, False)]


@pytest.mark.parametrize("everything", [[], ["*"]])
async def test_sending_back_a_whole_contact_does_not_pin_its_computed_strength(
    book: Book, as_superuser: Connection, everything: list[str]
) -> None:
    made = await book.create(given_name="Ada")
    await compute_strength(as_superuser, made, 6)
    read = await book.get(made.id)
    read.notes = "met"
    sent = {field.name: value for field, value in read.ListFields() if field.name not in ("id", "etag")}
    changed = await book.update(read.id, *everything, etag=read.etag, **sent)
    assert (changed.notes, changed.relationship_strength) == ("met", 6)
    assert not changed.relationship_strength_pinned


async def test_a_mask_that_names_the_strength_pins_the_value_that_it_has(book: Book) -> None:
    made = await book.create(given_name="Ada")
    assert (await book.update(made.id, "relationship_strength", relationship_strength=1)).relationship_strength_pinned


async def test_a_star_without_strength_releases_it(book: Book) -> None:
    made = await book.create(given_name="Ada", relationship_strength=8)
    assert not (await book.update(made.id, "*", given_name="Ada")).relationship_strength_pinned


@pytest.mark.parametrize("strength", [-1, 11, 2**31 - 1, -(2**31)])
async def test_a_strength_out_of_range_is_refused(book: Book, strength: int) -> None:
    made = await book.create(given_name="Ada")
    for call in (
        book.update(made.id, relationship_strength=strength),
        book.create(nickname="B", relationship_strength=strength),
    ):
        assert list((await failure(call)).violations) == ["contact.relationship_strength"]


async def test_what_is_derived_changes_neither_etag_nor_update_time(book: Book, as_superuser: Connection) -> None:
    made = await book.create(given_name="Ada", keep_in_touch_days=7)
    await compute_strength(as_superuser, made, 6)
    read = await book.get(made.id)
    assert read.relationship_strength == 6
    assert read.HasField("last_contact_time")
    assert (read.etag, read.update_time) == (made.etag, made.update_time)
    await book.update(made.id, notes="met", etag=made.etag)


async def test_a_changed_cadence_moves_the_next_contact(book: Book) -> None:
    made = await book.create(given_name="Ada", keep_in_touch_days=7)
    changed = await book.update(made.id, keep_in_touch_days=30)
    assert (changed.next_contact_time.ToDatetime() - made.create_time.ToDatetime()).days == 30
    assert not (await book.update(made.id, "keep_in_touch_days")).HasField("next_contact_time")
