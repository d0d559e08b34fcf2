import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import timestamp_pb2
from hypothesis import given
from hypothesis import strategies as st
from pmcrm.contacts.v1.contact_pb2 import Contact

from shared import contact_limits as limits
from shared.contact_record import (
    COLUMNS_OF_FIELD,
    OUTPUT_ONLY_FIELDS,
    columns_of,
    has_composed_name,
    to_contact,
    to_record,
)
from shared.errors import InvalidArgument


def violations(contact: Contact, **options: str) -> dict[str, str]:
    with pytest.raises(InvalidArgument) as refused:
        to_record(contact, **options)
    return {violation.field: violation.description for violation in refused.value.violations}


def row_of(record: dict[str, Any]) -> dict[str, Any]:
    """The record as a query answers it, its columns named as the proto names its fields."""
    names = {"source_created_at": "source_create_time", "source_updated_at": "source_update_time"}
    return {names.get(column, column): value for column, value in record.items() if column != "sort_name"}


def test_every_field_of_a_contact_is_either_writable_or_output_only():
    fields = {field.name for field in Contact.DESCRIPTOR.fields}
    assert set(COLUMNS_OF_FIELD) | OUTPUT_ONLY_FIELDS == fields
    assert not set(COLUMNS_OF_FIELD) & OUTPUT_ONLY_FIELDS


def test_every_writable_field_has_its_columns_in_the_table():
    migration = (Path(__file__).parents[2] / "sql" / "0004_contacts.sql").read_text()
    table = migration.partition("CREATE TABLE contacts (")[2].partition("\n);")[0]
    columns = set(re.findall(r"^    (\w+) ", table, re.MULTILINE))
    record = to_record(Contact(given_name="Ada"))
    assert set(record) - {"relationship_strength"} <= columns
    assert columns_of(COLUMNS_OF_FIELD) == set(record) - {"relationship_strength"}


def test_the_limits_are_those_that_the_contract_states():
    contract = (Path(__file__).parents[2] / "protos/pmcrm/contacts/v1/contact.proto").read_text()
    rows = re.findall(r"^// \| (.*?) +\| (.*?) +\|$", contract, re.MULTILINE)
    stated = {what: [int(number.replace(" ", "")) for number in re.findall(r"\d[\d ]*", limit)] for what, limit in rows}
    assert stated["given_name and every other name part, nickname"] == [limits.NAME_PART]
    assert stated["organization_name, job_title"] == [limits.ORGANIZATION]
    assert stated["display_name"] == [limits.DISPLAY_NAME]
    assert stated["notes"] == [limits.NOTES]
    assert stated["emails, phones, addresses, urls, im_handles"] == [limits.LIST]
    assert stated["Email.value"] == [limits.EMAIL]
    assert stated["Phone.value"] == [limits.PHONE]
    assert stated["Address.value, parts of an address"] == [limits.ADDRESS, limits.ADDRESS_PART]
    assert stated["Url.value, photo_uri"] == [limits.URI]
    assert stated["ImHandle.value"] == [limits.IM_HANDLE]
    assert stated["label of any of them"] == [limits.LABEL]
    assert stated["custom_fields"] == [limits.CUSTOM_FIELDS_BYTES // 1024, limits.CUSTOM_FIELDS_DEPTH]
    assert stated["relationship_strength"][-1] == limits.STRONGEST_RELATIONSHIP
    assert limits.KEEP_IN_TOUCH_DAYS in stated["keep_in_touch_days"]
    assert stated["source_uid"] == [limits.SOURCE_UID]
    assert stated["extra_properties"] == [limits.EXTRA_PROPERTIES, limits.EXTRA_PROPERTIES_BYTES // 1024]


def test_names_are_trimmed_and_composed_and_what_is_absent_is_none():
    record = to_record(Contact(given_name=" Zoe\u0308 ", family_name="  "))
    assert record["given_name"] == record["display_name"] == "Zo\u00eb"
    assert record["family_name"] is record["notes"] is record["emails"] is record["birthday_year"] is None


def test_a_contact_needs_something_to_be_called_by():
    for unnamed in (
        Contact(),
        Contact(notes="x"),
        Contact(given_name="   "),
        Contact(urls=[{"value": "https://example.com"}]),
    ):
        assert "must have a name" in violations(unnamed)["contact"]
    for known in (
        {"nickname": "Addie"},
        {"organization_name": "Example"},
        {"phones": [{"value": "112"}]},
        {"family_name": "L"},
    ):
        assert to_record(Contact(**known))["display_name"]


def test_every_bad_field_is_named_at_once_and_no_value_is_repeated():
    contact = Contact(
        given_name="secret\n",
        family_name="a\nsecret",
        notes="secret\0",
        emails=[{"value": "ada@example.com"}, {"value": "secret", "label": "x" * 101}],
        phones=[{"value": ""}, {"value": "+1", "region": "UK"}],
        birthday={"month": 2, "day": 30},
        anniversary={},
        keep_in_touch_days=-1,
        relationship_strength=11,
        photo_uri="secret",
        custom_fields={"a": float("nan")},
        extra_properties=["END:VCARD"],
    )
    found = violations(contact, path="requests[3].contact")
    assert set(found) == {
        f"requests[3].contact.{field}"
        for field in (
            *("family_name", "notes", "emails[1].value", "emails[1].label", "phones[0].value", "phones[1].region"),
            *("birthday", "anniversary", "keep_in_touch_days", "relationship_strength", "photo_uri", "custom_fields"),
            "extra_properties[0]",
        )
    }
    assert "secret" not in repr(found)


def test_emails_are_normalised_and_exact_repetitions_are_left_out():
    ada = {"value": "Ada@EXAMPLE.com", "label": "work"}
    record = to_record(Contact(emails=[ada, ada, {"value": "ada@example.com", "label": "work"}]))
    assert record["emails"] == [
        {"value": "Ada@example.com", "label": "work"},
        {"value": "ada@example.com", "label": "work"},
    ]


def test_at_most_one_entry_of_a_list_is_primary_and_none_becomes_so_by_itself():
    two = [{"value": "https://a.example", "primary": True}, {"value": "https://b.example", "primary": True}]
    assert violations(Contact(given_name="A", urls=two)) == {"contact.urls": "must have at most one primary entry"}
    assert to_record(Contact(given_name="A", urls=[{"value": "https://a.example"}]))["urls"] == [
        {"value": "https://a.example"}
    ]


def test_phones_keep_what_was_typed_beside_what_it_means():
    record = to_record(
        Contact(phones=[{"value": "06 698 12345 ext. 7", "e164": "+1", "extension": "9"}]), default_region="IT"
    )
    assert record["phones"] == [
        {"value": "06 698 12345 ext. 7", "region": "IT", "e164": "+390669812345", "extension": "7"}
    ]


def test_an_address_without_text_gets_one_of_its_parts():
    parts = {
        "street": "1 Test Street\nback yard",
        "locality": "Sampletown",
        "postal_code": "12345",
        "country_code": "de",
    }
    (entry,) = to_record(Contact(given_name="A", addresses=[parts]))["addresses"]
    assert entry["value"] == "1 Test Street\nback yard\n12345 Sampletown\nDE"
    assert entry["country_code"] == "DE"
    assert violations(Contact(given_name="A", addresses=[{"label": "home"}])) == {
        "contact.addresses[0]": "must have a value or a part of an address"
    }


def test_dates_keep_the_parts_that_are_known():
    record = to_record(Contact(given_name="A", birthday={"month": 2, "day": 29}, anniversary={"year": 1999}))
    assert [record[f"birthday_{part}"] for part in ("year", "month", "day")] == [None, 2, 29]
    assert [record[f"anniversary_{part}"] for part in ("year", "month", "day")] == [1999, None, None]


def test_lists_are_limited():
    many = [{"value": f"a{number}@example.com"} for number in range(101)]
    assert violations(Contact(emails=many)) == {"contact.emails": "must have at most 100 entries"}


def test_times_of_the_source_are_kept():
    record = to_record(Contact(given_name="A", source_create_time=datetime(2001, 2, 3, tzinfo=UTC)))
    assert record["source_created_at"] == datetime(2001, 2, 3, tzinfo=UTC)
    late = Contact(given_name="A", source_update_time=timestamp_pb2.Timestamp(seconds=2**62))
    assert set(violations(late)) == {"contact.source_update_time"}


def test_extra_properties_are_content_lines_of_bounded_size():
    kept = ["X-FOO;TYPE=a:b", "item1.X-ABRELATEDNAMES:Bo"]
    assert to_record(Contact(given_name="A", extra_properties=kept))["extra_properties"] == kept
    for bad in ("no colon", "BEGIN:VCARD", "item1.END:VCARD", "a\nEND:VCARD", ""):
        assert violations(Contact(given_name="A", extra_properties=[bad]))
    big = Contact(given_name="A", extra_properties=["X:" + "x" * 40_000] * 2)
    assert violations(big) == {"contact.extra_properties": "must have at most 65536 bytes together"}


def test_a_strength_of_zero_is_none():
    assert to_record(Contact(given_name="A"))["relationship_strength"] is None
    assert to_record(Contact(given_name="A", relationship_strength=7))["relationship_strength"] == 7


def test_columns_of_a_change_include_the_names_made_from_it():
    assert columns_of(["birthday.year", "emails"]) == {
        *("birthday_year", "birthday_month", "birthday_day", "emails", "display_name", "sort_name"),
    }
    assert columns_of(["relationship_strength"]) == set()
    with pytest.raises(KeyError):
        columns_of(["etag"])


def test_a_composed_name_is_told_from_one_that_was_given():
    assert has_composed_name(to_record(Contact(given_name="Ada", family_name="Lovelace", display_name="Ada Lovelace")))
    assert not has_composed_name(to_record(Contact(given_name="Ada", display_name="Countess")))


def test_an_unknown_column_of_a_row_is_an_error():
    with pytest.raises(ValueError):
        to_contact({"shoe_size": 44})


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20)
ENTRY = {"label": TEXT, "primary": st.just(False)}
CONTACTS = st.builds(
    Contact,
    **dict.fromkeys(("given_name", "family_name", "honorific_suffixes", "nickname", "display_name", "notes"), TEXT),
    emails=st.lists(st.fixed_dictionaries({"value": st.emails(), **ENTRY}), max_size=3),
    phones=st.lists(
        st.fixed_dictionaries(
            {"value": TEXT | st.from_regex(r"\+[0-9 ]{5,14}"), **ENTRY, "region": st.sampled_from(["", "GB"])}
        ),
        max_size=3,
    ),
    addresses=st.lists(st.fixed_dictionaries({"street": TEXT, "locality": TEXT, "country": TEXT, **ENTRY}), max_size=2),
    im_handles=st.lists(st.fixed_dictionaries({"value": TEXT, **ENTRY}), max_size=2),
    birthday=st.none() | st.fixed_dictionaries({"month": st.integers(1, 12), "day": st.integers(1, 31)}),
    custom_fields=st.none() | st.dictionaries(TEXT, TEXT | st.integers(-9, 9) | st.booleans(), max_size=3),
    keep_in_touch_days=st.integers(0, 3650),
    source_create_time=st.none() | st.datetimes(timezones=st.just(UTC)),
)


@given(CONTACTS)
def test_a_stored_contact_is_stored_again_as_it_is(contact: Contact):
    try:
        record = to_record(contact, default_region="DE")
    except InvalidArgument:
        pass
    else:
        stored = to_contact(row_of(record))
        assert to_record(stored, default_region="DE") == record
        assert to_contact(row_of(to_record(stored, default_region="DE"))) == stored
