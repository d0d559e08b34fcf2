"""CreateContact, GetContact, DeleteContact, UndeleteContact: what they do, and each failure that they promise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest

from tests.postgres import Connection
from tests.services.contacts.calls import NOBODY, Book
from tests.suite import failure

EVERYTHING: dict[str, Any] = {
    "given_name": "Ada",
    "family_name": "Lovelace",
    "additional_names": "Augusta",
    "honorific_prefixes": "Lady",
    "honorific_suffixes": "FRS",
    "phonetic_given_name": "eɪdə",
    "phonetic_family_name": "lʌvleɪs",
    "nickname": "Enchantress of Number",
    "display_name": "Ada, Countess of Lovelace",
    "emails": [{"value": "ada@example.org", "label": "work", "primary": True}, {"value": "a@example.com"}],
    "phones": [{"value": "020 7946 0123", "label": "home", "region": "GB"}],
    "addresses": [{"street": "12 St James's Square", "locality": "London", "country_code": "GB", "label": "home"}],
    "urls": [{"value": "https://example.org/ada", "label": "homepage"}],
    "im_handles": [{"value": "xmpp:ada@example.org", "label": "xmpp"}],
    "birthday": {"year": 1815, "month": 12, "day": 10},
    "anniversary": {"month": 7, "day": 8},
    "organization_name": "Analytical Engines",
    "job_title": "Analyst",
    "notes": "Wrote the first program.\nDined with Babbage.",
    "custom_fields": {"house": {"rooms": 12, "cold": True}, "cats": ["Puff", None, 1.5]},
    "keep_in_touch_days": 30,
    "source_uid": "card-1",
    "source_create_time": datetime(1843, 9, 1, tzinfo=UTC),
    "source_update_time": datetime(1843, 10, 1, 12, 30, tzinfo=UTC),
    "photo_uri": "https://example.org/ada.jpg",
    "extra_properties": ["X-ENGINE:difference"],
    "relationship_strength": 7,
}


async def test_a_contact_is_kept_with_every_field_that_was_given(book: Book) -> None:
    made = await book.create(**EVERYTHING)
    assert await book.get(made.id) == made
    for field, value in EVERYTHING.items():
        if field not in ("phones", "addresses"):
            assert getattr(made, field) == getattr(type(made)(**{field: value}), field), field
    [phone] = made.phones
    assert (phone.value, phone.region, phone.e164) == ("020 7946 0123", "GB", "+442079460123")
    assert made.addresses[0].value == "12 St James's Square\nLondon\nGB"
    assert made.relationship_strength_pinned


async def test_a_new_contact_lives_and_has_times_a_mark_and_a_weak_relationship(book: Book) -> None:
    made = await book.create(given_name="Ada")
    assert made.create_time == made.update_time
    assert abs(datetime.now(UTC) - made.create_time.ToDatetime(UTC)) < timedelta(minutes=1)
    assert not made.HasField("delete_time")
    assert not made.HasField("purge_time")
    assert not made.HasField("last_contact_time")
    assert (made.etag != "", made.relationship_strength, made.relationship_strength_pinned) == (True, 1, False)


async def test_a_cadence_counts_from_creation_until_there_was_a_contact(book: Book) -> None:
    made = await book.create(given_name="Ada", keep_in_touch_days=14)
    assert made.next_contact_time.ToDatetime() - made.create_time.ToDatetime() == timedelta(days=14)
    assert not (await book.create(given_name="Grace")).HasField("next_contact_time")


async def test_output_only_fields_of_a_new_contact_are_ignored(book: Book) -> None:
    made = await book.create(
        given_name="Ada",
        id=NOBODY,
        etag="77",
        tags=[{"name": "friend"}],
        relationship_strength_pinned=True,
        last_contact_time=datetime(2020, 1, 1, tzinfo=UTC),
        delete_time=datetime(2020, 1, 1, tzinfo=UTC),
        create_time=datetime(2020, 1, 1, tzinfo=UTC),
        processing_restricted=True,
        merged_into_id=NOBODY,
    )
    assert made.id != NOBODY
    assert made == await book.get(made.id)
    bare = await book.create(given_name="Ada")
    for field in ("id", "create_time", "update_time"):
        made.ClearField(field)
        bare.ClearField(field)
    assert made == bare


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"given_name": "Ada", "family_name": "Lovelace", "honorific_prefixes": "Dr."}, "Dr. Ada Lovelace"),
        ({"family_name": "Lovelace"}, "Lovelace"),
        ({"given_name": "太郎", "family_name": "山田"}, "山田太郎"),
        ({"nickname": "Countess"}, "Countess"),
        ({"organization_name": "Engines"}, "Engines"),
        ({"emails": [{"value": "ada@Example.ORG"}]}, "ada@example.org"),
        ({"phones": [{"value": "12345"}]}, "12345"),
    ],
)
async def test_a_display_name_is_composed_of_what_there_is(book: Book, fields: dict[str, Any], shown: str) -> None:
    assert (await book.create(**fields)).display_name == shown


async def test_phones_without_country_code_are_read_in_the_tenants_region(book: Book, bobs: Book) -> None:
    """Alice's region is GB, Bob has none."""
    number: dict[str, Any] = {"phones": [{"value": "020 7946 0123"}]}
    assert (await book.create(**number)).phones[0].e164 == "+442079460123"
    assert (await bobs.create(**number)).phones[0].e164 == ""


@pytest.mark.parametrize(
    ("fields", "bad"),
    [
        ({}, ["contact"]),
        ({"given_name": "A" * 201, "notes": "n" * 100_001}, ["contact.given_name", "contact.notes"]),
        ({"given_name": "A\nB"}, ["contact.given_name"]),
        ({"emails": [{"value": "ada@example.org"}, {"value": "no address"}]}, ["contact.emails[1].value"]),
        ({"emails": [{"value": f"{i}@example.org", "primary": True} for i in range(2)]}, ["contact.emails"]),
        ({"phones": [{"value": str(i)} for i in range(101)]}, ["contact.phones"]),
        ({"phones": [{"value": "1", "region": "XX"}]}, ["contact.phones[0].region"]),
        ({"urls": [{"value": " "}]}, ["contact.urls[0].value"]),
        ({"birthday": {"year": 2023, "month": 2, "day": 29}}, ["contact.birthday"]),
        ({"birthday": {}}, ["contact.birthday"]),
        ({"given_name": "A", "photo_uri": "no uri"}, ["contact.photo_uri"]),
        ({"extra_properties": ["BEGIN:VCARD"]}, ["contact.extra_properties[0]"]),
    ],
)
async def test_a_malformed_contact_is_refused_with_the_field_named(
    book: Book, fields: dict[str, Any], bad: list[str]
) -> None:
    refused = await failure(book.create(**fields))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == bad


async def test_a_source_uid_is_taken_while_its_contact_lives(book: Book) -> None:
    first = await book.create(given_name="Ada", source_uid="card-1")
    refused = await failure(book.create(given_name="Grace", source_uid="card-1"))
    assert (refused.code, refused.reason) == (grpc.StatusCode.ALREADY_EXISTS, "SOURCE_UID_TAKEN")
    await book.delete(first.id)
    assert (await book.create(given_name="Grace", source_uid="card-1")).source_uid == "card-1"


async def test_contacts_without_source_uid_do_not_clash(book: Book) -> None:
    assert (await book.create(given_name="Ada")).id != (await book.create(given_name="Ada")).id


@pytest.mark.parametrize("call", ["get", "update", "delete", "undelete"])
async def test_an_id_that_is_no_uuid_is_refused(book: Book, call: str) -> None:
    for malformed in ("", "42", "{0190a5d2-7c3e-7b1f-9d52-3f7c8e21ab04}", "0190a5d27c3e7b1f9d523f7c8e21ab04"):
        refused = await failure(getattr(book, call)(malformed))
        assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
        assert list(refused.violations) == ["contact.id" if call == "update" else "id"]


@pytest.mark.parametrize("call", ["get", "update", "delete", "undelete"])
async def test_an_unknown_id_is_not_found(book: Book, call: str) -> None:
    refused = await failure(getattr(book, call)(NOBODY))
    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")
    assert refused.metadata == {"id": NOBODY}


async def test_ids_may_be_written_in_upper_case(book: Book) -> None:
    made = await book.create(given_name="Ada")
    assert await book.get(made.id.upper()) == made


async def test_a_read_mask_shows_the_id_and_what_it_names(book: Book) -> None:
    made = await book.create(**EVERYTHING)
    shown = await book.get(made.id, "notes", "birthday.year", "emails", "custom_fields.house.rooms")
    assert [field.name for field, _ in shown.ListFields()] == ["id", "emails", "birthday", "notes", "custom_fields"]
    assert (shown.birthday.year, shown.birthday.month) == (1815, 0)
    assert shown.emails == made.emails
    assert shown.custom_fields == type(made)(custom_fields={"house": {"rooms": 12}}).custom_fields


async def test_a_read_mask_of_what_a_contact_does_not_have_shows_nothing(book: Book) -> None:
    made = await book.create(given_name="Ada", custom_fields={"plan": "free"})
    shown = await book.get(
        made.id, "birthday.year", "custom_fields.theme", "custom_fields.plan.name", "notes", "phones"
    )
    assert shown == type(made)(id=made.id)


@pytest.mark.parametrize("everything", [[], ["*"]])
async def test_no_read_mask_and_a_star_show_all(book: Book, everything: list[str]) -> None:
    made = await book.create(**EVERYTHING)
    assert await book.get(made.id, *everything) == made


@pytest.mark.parametrize(
    "path", ["nope", "birthday.hour", "id.x", "emails.value", "consent_state.ai", "", "notes.", "a b"]
)
async def test_a_read_mask_of_unknown_fields_is_refused(book: Book, path: str) -> None:
    made = await book.create(given_name="Ada")
    for call in (book.get(made.id, "notes", path), book.get_many(made.id, read_mask={"paths": ["notes", path]})):
        refused = await failure(call)
        assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", ["read_mask.paths[1]"])
    refused = await failure(book.page(read_mask={"paths": [path]}))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", ["read_mask.paths[0]"])


async def test_a_deleted_contact_is_still_read_by_id_and_says_when_it_will_be_purged(book: Book) -> None:
    made = await book.create(given_name="Ada")
    deleted = await book.delete(made.id)
    assert await book.get(made.id) == deleted
    assert deleted.purge_time.ToDatetime() - deleted.delete_time.ToDatetime() == timedelta(days=90)
    assert deleted.etag != made.etag


async def test_deleting_twice_is_not_found_unless_missing_is_allowed(book: Book) -> None:
    made = await book.create(given_name="Ada")
    deleted = await book.delete(made.id)
    refused = await failure(book.delete(made.id))
    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")
    assert await book.delete(made.id, allow_missing=True) == deleted
    assert await book.delete(NOBODY, allow_missing=True) == type(made)()


async def test_a_deleted_contact_cannot_be_updated(book: Book) -> None:
    made = await book.create(given_name="Ada")
    await book.delete(made.id)
    assert (await failure(book.update(made.id, given_name="Grace"))).reason == "CONTACT_NOT_FOUND"


async def test_a_restricted_contact_can_be_corrected_and_not_deleted(book: Book, as_superuser: Connection) -> None:
    made = await book.create(given_name="Ada")
    await as_superuser.execute("UPDATE contacts SET processing_restricted = true WHERE id = $1", made.id)
    refused = await failure(book.delete(made.id))
    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PROCESSING_RESTRICTED")
    assert refused.metadata == {"id": made.id}
    assert (await book.update(made.id, given_name="Augusta")).processing_restricted


async def test_undelete_brings_back_what_was_deleted(book: Book) -> None:
    made = await book.create(**EVERYTHING)
    deleted = await book.delete(made.id)
    restored = await book.undelete(made.id)
    assert restored == await book.get(made.id)
    assert restored.etag not in (made.etag, deleted.etag)
    for contact in (made, restored):
        contact.ClearField("etag")
        contact.ClearField("update_time")
    assert restored == made


async def test_a_living_contact_cannot_be_undeleted(book: Book) -> None:
    made = await book.create(given_name="Ada")
    refused = await failure(book.undelete(made.id))
    assert (refused.code, refused.reason) == (grpc.StatusCode.ALREADY_EXISTS, "CONTACT_NOT_DELETED")
    assert refused.metadata == {"id": made.id}


async def test_undelete_reports_a_source_uid_that_was_taken_meanwhile(book: Book) -> None:
    made = await book.create(given_name="Ada", source_uid="card-1")
    await book.delete(made.id)
    await book.create(given_name="Grace", source_uid="card-1")
    refused = await failure(book.undelete(made.id))
    assert (refused.code, refused.reason) == (grpc.StatusCode.ALREADY_EXISTS, "SOURCE_UID_TAKEN")


FOREIGN_ETAGS = ["7", "01", "+1", "1.0", "١", "-1", "nonsense", "9" * 10, "9" * 18, "9" * 400]


@pytest.mark.parametrize("etag", FOREIGN_ETAGS)
async def test_an_etag_that_is_not_the_contacts_stops_update_delete_and_undelete(book: Book, etag: str) -> None:
    made = await book.create(given_name="Ada")
    stale = [book.update(made.id, given_name="Grace", etag=etag), book.delete(made.id, etag=etag)]
    for call in stale:
        refused = await failure(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert await book.get(made.id) == made
    deleted = await book.delete(made.id)
    assert (await failure(book.undelete(made.id, etag=etag))).reason == "ETAG_MISMATCH"
    assert await book.get(made.id) == deleted


async def test_the_etag_of_any_answer_is_valid_at_once(book: Book) -> None:
    made = await book.create(given_name="Ada")
    read = await book.get(made.id)
    changed = await book.update(made.id, notes="met", etag=read.etag)
    [listed] = (await book.page()).contacts
    changed = await book.update(made.id, relationship_strength=5, etag=listed.etag)
    deleted = await book.delete(made.id, etag=changed.etag)
    restored = await book.undelete(made.id, etag=deleted.etag)
    [batched] = (await book.get_many(made.id)).contacts
    assert batched == restored
    await book.delete(made.id, etag=restored.etag)
