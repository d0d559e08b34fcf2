from datetime import UTC, datetime
from typing import Any

import pytest
import vobject
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from shared.imported_record import imported_record
from shared.vcard.card import ParsedCard, parse_card
from shared.vcard.lines import BadCardError
from shared.vcard.splitting import RawCard, read_cards


def parsed(*lines: str, version: str = "3.0") -> ParsedCard:
    return parse_card(RawCard(1, "\n".join([f"VERSION:{version}", *lines]).encode()))


def fields(*lines: str, version: str = "3.0") -> dict[str, Any]:
    contact = parsed(*lines, version=version).contact
    found = json_format.MessageToDict(contact, preserving_proto_field_name=True)
    return {name: value for name, value in found.items() if value != []}


@pytest.mark.parametrize(
    ("line", "version", "expected"),
    [
        (
            "N:Lovelace;Ada;Augusta,Byron;Dr.,Prof.;MSc,PhD",
            "4.0",
            ("Lovelace", "Ada", "Augusta Byron", "Dr. Prof.", "MSc, PhD"),
        ),
        ("N:Love\\;lace;A\\,da;;;", "3.0", ("Love;lace", "A,da", "", "", "")),
        ("N:Lovelace, Lady;Ada", "2.1", ("Lovelace, Lady", "Ada", "", "", "")),
        ("N:山田;太郎", "3.0", ("山田", "太郎", "", "", "")),
        (
            "N;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:=D0=9B=D0=B0=D0=B2;=D0=90=D0=B4=D0=B0;;;",
            "2.1",
            ("Лав", "Ада", "", "", ""),
        ),
    ],
)
def test_names_are_read_part_by_part(line, version, expected):
    contact = parsed(line, version=version).contact
    assert expected == (
        *(contact.family_name, contact.given_name, contact.additional_names),
        *(contact.honorific_prefixes, contact.honorific_suffixes),
    )


def test_simple_properties_fill_their_fields():
    assert fields(
        *("FN:Ada Lovelace", "NICKNAME:Addie,Countess", "ORG:Example Analytics", "TITLE:Analyst", "UID:urn:uuid:1"),
        *(
            "NOTE:First line\\nSecond\\, with \\\\ and \\; and \\x",
            "NOTE:More",
            "URL:https\\://example.com/",
            "X-FOO;A=b:c",
        ),
        *(
            "X-PHONETIC-FIRST-NAME:Ay-da",
            "X-PHONETIC-LAST-NAME:Luv",
            "KIND:individual",
            "PRODID:-//x//EN",
            "ROLE:Countess",
        ),
    ) == {
        "display_name": "Ada Lovelace",
        "nickname": "Addie, Countess",
        "organization_name": "Example Analytics",
        "job_title": "Analyst",
        "source_uid": "urn:uuid:1",
        "notes": "First line\nSecond, with \\ and ; and \\x\n\nMore",
        "urls": [{"value": "https://example.com/"}],
        "phonetic_given_name": "Ay-da",
        "phonetic_family_name": "Luv",
        "extra_properties": ["X-FOO;A=b:c", "ROLE:Countess"],
    }


def test_departments_keep_the_organization_as_it_came():
    assert fields("ORG:Example;Research;Lab 2") == {
        "organization_name": "Example",
        "extra_properties": ["ORG:Example;Research;Lab 2"],
    }


def test_labels_come_from_types_and_from_apples_groups():
    found = fields(
        *("EMAIL;TYPE=INTERNET,WORK:a@example.com", "item1.EMAIL:b@example.com", "item1.X-ABLabel:_$!<Other>!$_"),
        *("item2.TEL;TYPE=CELL:1", "item2.X-ABLabel:Summer house", "TEL;WORK;FAX:2", "TEL;TYPE=cell;TYPE=voice:3"),
    )
    assert [entry["label"] for entry in found["emails"]] == ["work", "other"]
    assert [entry["label"] for entry in found["phones"]] == ["Summer house", "work fax", "mobile"]


@pytest.mark.parametrize(
    ("version", "lines"),
    [
        ("2.1", ["TEL;HOME:1", "TEL;WORK;PREF:2"]),
        ("3.0", ["TEL;TYPE=home:1", "TEL;TYPE=work,pref:2", "TEL;TYPE=pref:3"]),
        ("4.0", ["TEL;PREF=50:1", "TEL;PREF=1:2", "TEL:3"]),
    ],
)
def test_the_preferred_value_is_primary_and_only_one(version, lines):
    phones = parsed(*lines, version=version).contact.phones
    assert [phone.value for phone in phones if phone.primary] == ["2"]


def test_telephone_uris_are_read_as_numbers():
    found = parsed(
        *("TEL;VALUE=uri;TYPE=cell:tel:+44-20-7946-0018;ext=12", "TEL;VALUE=uri:tel:7946-0018;phone-context=+4420"),
        version="4.0",
    )
    assert [phone.value for phone in found.contact.phones] == ["+44-20-7946-0018 ext. 12", "+44207946-0018"]


def test_addresses_are_read_with_their_parts_text_and_country():
    found = parsed(
        *(
            "item1.ADR;TYPE=HOME,pref:PO 1;Flat 2;1 Test\\nStreet;Sampletown;Shire;12345;United Kingdom",
            "item1.X-ABADR:gb",
        ),
        *(
            'ADR;TYPE=work;LABEL="2 Test Street\\nOther";CC=DE:;;2 Test Street;;;;',
            "LABEL;TYPE=HOME:1 Test Street\\nSampletown",
        ),
        *("LABEL;TYPE=parcel,school:Somewhere", "ADR;TYPE=other:;;;;;;"),
    ).contact.addresses
    home, work, school = found
    assert (home.po_box, home.extended_address, home.street) == ("PO 1", "Flat 2", "1 Test\nStreet")
    assert (home.locality, home.region, home.postal_code) == ("Sampletown", "Shire", "12345")
    assert (home.country, home.country_code, home.primary) == ("United Kingdom", "gb", True)
    assert home.value == "1 Test Street\nSampletown"
    assert (work.value, work.country_code, work.label) == ("2 Test Street\nOther", "DE", "work")
    assert (school.value, school.label) == ("Somewhere", "school")


def test_handles_of_messaging_services_are_kept_with_their_service():
    found = parsed(
        *(
            "IMPP;X-SERVICE-TYPE=Skype;TYPE=HOME:skype:ada",
            "IMPP;TYPE=work:xmpp:ada@example.org",
            "X-JABBER:ada@example.org",
        ),
        *("X-SOCIALPROFILE;TYPE=mastodon:https://social.example/@ada", "X-SOCIALPROFILE;TYPE=game:x-apple:ada"),
    ).contact
    assert [(handle.value, handle.label) for handle in found.im_handles] == [
        *(
            ("skype:ada", "skype"),
            ("xmpp:ada@example.org", "work"),
            ("ada@example.org", "jabber"),
            ("x-apple:ada", "game"),
        ),
    ]
    assert [(url.value, url.label) for url in found.urls] == [("https://social.example/@ada", "mastodon")]


@pytest.mark.parametrize(
    ("line", "birthday"),
    [
        ("BDAY:--0412", {"month": 4, "day": 12}),
        ("BDAY:1985-04", {"year": 1985, "month": 4}),
        ("BDAY:1985", {"year": 1985}),
        ("BDAY:---12", {"day": 12}),
        ("BDAY;VALUE=text:1985-04-12", {"year": 1985, "month": 4, "day": 12}),
        ("BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-12", {"month": 4, "day": 12}),
        ("BDAY:1604-04-12", {"month": 4, "day": 12}),
        ("BDAY;X-APPLE-OMIT-YEAR=1900:1900-04-12", {"month": 4, "day": 12}),
        ("BDAY;VALUE=date-and-or-time:19850412T000000", {"year": 1985, "month": 4, "day": 12}),
    ],
)
def test_birthdays_keep_what_is_known(line, birthday):
    assert fields(line) == {"birthday": birthday}


def test_a_birthday_in_words_is_kept_as_it_came():
    assert fields("BDAY;VALUE=text:circa 1800") == {"extra_properties": ["BDAY;VALUE=text:circa 1800"]}


def test_anniversaries_are_read_in_all_their_spellings():
    for lines in (
        ["ANNIVERSARY:20010203"],
        ["X-ANNIVERSARY:2001-02-03"],
        ["item1.X-ABDATE;type=pref:2001-02-03", "item1.X-ABLabel:_$!<Anniversary>!$_"],
    ):
        assert fields(*lines) == {"anniversary": {"year": 2001, "month": 2, "day": 3}}
    assert fields("item1.X-ABDATE:2001-02-03", "item1.X-ABLabel:Graduation") == {
        "extra_properties": ["item1.X-ABDATE:2001-02-03", "item1.X-ABLabel:Graduation"]
    }


def test_original_dates_survive():
    contact = parsed("CREATED:20010203T040506Z", "REV:2008-04-24T19:52:43+02:00").contact
    assert contact.source_create_time.ToDatetime(UTC) == datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert contact.source_update_time.ToDatetime(UTC) == datetime(2008, 4, 24, 17, 52, 43, tzinfo=UTC)
    assert fields("REV:yesterday") == {"extra_properties": ["REV:yesterday"]}


def test_categories_are_given_apart_once_each():
    assert parsed("CATEGORIES:friends,ma\\,ths", "CATEGORIES:friends,work").categories == ("friends", "ma,ths", "work")


def test_second_values_of_what_a_contact_holds_once_are_kept_as_they_came():
    assert fields("TITLE:Analyst", "TITLE;PREF=1:Countess", "FN:Ada", "FN:Lady Ada") == {
        "job_title": "Countess",
        "display_name": "Ada",
        "extra_properties": ["TITLE:Analyst", "FN:Lady Ada"],
    }


def test_pictures_are_left_out_and_named_and_addresses_of_pictures_are_kept():
    found = parsed("FN:A", "PHOTO;ENCODING=b:QUJD", "LOGO:data:image/png;base64,QUJD", "KEY;ENCODING=b:QUJD", "AGENT:")
    assert [(left.field, left.code) for left in found.left_out] == [
        ("PHOTO", "IMPORT_PHOTO_LEFT_OUT"),
        ("LOGO", "IMPORT_PHOTO_LEFT_OUT"),
        ("KEY", "IMPORT_VALUE_LEFT_OUT"),
    ]
    assert fields("PHOTO;VALUE=uri:https://example.com/a.png", "SOUND;VALUE=uri:https://example.com/a.ogg") == {
        "photo_uri": "https://example.com/a.png",
        "extra_properties": ["SOUND;VALUE=uri:https://example.com/a.ogg"],
    }


def test_the_reading_of_a_japanese_phones_name_is_kept():
    assert fields("SOUND;X-IRMC-N:ヤマダ;タロウ;;;", version="2.1") == {
        "phonetic_family_name": "ヤマダ",
        "phonetic_given_name": "タロウ",
    }


def test_extra_properties_beyond_the_limit_are_left_out_and_named():
    found = parsed(*(f"X-A{number}:b" for number in range(120)))
    assert len(found.contact.extra_properties) == 100
    assert [left.field for left in found.left_out] == [f"X-A{number}" for number in range(100, 120)]


def test_a_group_is_not_a_contact():
    for line in ("KIND:group", "X-ADDRESSBOOKSERVER-KIND:group"):
        with pytest.raises(BadCardError):
            parsed("FN:Friends", line)


def test_a_bad_value_is_left_out_of_the_record_and_the_rest_is_kept():
    card = parsed(
        *(
            "FN:Ada",
            "EMAIL:not an address",
            "EMAIL:ada@example.com",
            f"TEL;TYPE={'x' * 101}:1",
            "NOTE:a\0b",
            "TEL:" + "1" * 101,
        ),
        *(f"URL:https://example.com/{number}" for number in range(101)),
    )
    record, left_out = imported_record(card.contact)
    assert record["emails"] == [{"value": "ada@example.com"}]
    assert record["phones"] == [{"value": "1"}]
    assert record["notes"] is None
    assert len(record["urls"]) == 100
    assert {left.field for left in left_out} == {
        "emails[0].value",
        "phones[0].label",
        "notes",
        "phones[1].value",
        "urls",
    }


def test_the_hash_is_of_what_a_card_says_and_not_how_it_is_written():
    plain = parsed("FN:Zoë", "item1.TEL;TYPE=HOME,WORK:1", "item1.X-ABLabel:Mine").hash
    other = parsed(
        *("FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Zo=C3=AB", "g7.TEL;TYPE=work,home:", " 1", "g7.X-ABLabel:Mine"),
        *("REV:2020-01-01", "PRODID:x", "PHOTO;ENCODING=b:QUJD"),
    ).hash
    assert plain == other
    assert (
        len({plain, parsed("FN:Zoë").hash, parsed("FN:Zoë", "TEL:1").hash, parsed("FN:Zoë", "TEL:1", "TEL:2").hash})
        == 4
    )


def test_the_hash_of_a_card_without_uid_is_the_same_in_every_release():
    # Contacts were imported under it: with another hash their cards would be imported a second time.
    assert parsed("FN:Ada", "item1.TEL;TYPE=CELL:+44 20 7946 0018", "item1.X-ABLabel:Mine").hash.hex() == (
        "d5c032ce8ac5c232f0d2130a31bdb606c75b954728885cb83d8b23410d5818c1"
    )


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1, max_size=20).map(
    str.strip
)


@given(
    family=NAMES.filter(bool),
    given_name=NAMES.filter(bool),
    note=st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])),
)
def test_what_vobject_writes_is_read_as_it_was_meant(family: str, given_name: str, note: str):
    card = vobject.vCard()
    card.add("n").value = vobject.vcard.Name(family=family, given=given_name)
    card.add("fn").value = f"{given_name} {family}"
    card.add("note").value = note + "\nend"
    (raw,) = read_cards([card.serialize().encode()])
    assert isinstance(raw, RawCard)
    contact = parse_card(raw).contact
    assert (contact.family_name, contact.given_name, contact.notes) == (family, given_name, note + "\nend")


LINES = st.sampled_from(
    [
        *(
            "N:a;b",
            "FN:x",
            "BDAY:--0412",
            "EMAIL:a@example.com",
            "TEL:+1",
            "ADR:;;x",
            "LABEL:y",
            "ORG:a;b",
            "REV:2020",
            "PHOTO:x",
        ),
        *(
            "item1.X-ABLabel:_$!<a>!$_",
            "item1.X-ABADR:de",
            "item1.URL:x",
            "IMPP:a:b",
            "KIND:org",
            "X-ABDATE:1",
            "NOTE;QUOTED-PRINTABLE:=\n",
        ),
        *("VERSION:2.1", "UID:", "CATEGORIES:,a", "SOUND;X-IRMC-N:a;b", "X-SOCIALPROFILE:a", "NICKNAME:\\n,", "AGENT:"),
    ]
).map(str.encode)


@given(st.lists(LINES | st.binary(max_size=30), max_size=12).map(b"\n".join))
def test_any_bytes_end_in_a_contact_or_a_reason(content: bytes):
    for raw in read_cards([b"BEGIN:VCARD\n", content, b"\nEND:VCARD\n"]):
        if isinstance(raw, RawCard):
            try:
                card = parse_card(raw)
            except BadCardError:
                continue
            assert len(card.hash) == 32
            card.contact.SerializeToString()
