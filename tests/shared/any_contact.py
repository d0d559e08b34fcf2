"""Any contact that the API accepts: a strategy over all fields that callers may write, nasty texts among them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from google.protobuf import json_format
from hypothesis import strategies as st
from pmcrm.contacts.v1.contact_pb2 import Contact

from shared.contact_record import to_contact
from shared.imported_record import imported_record

NASTY = [
    *("\\", "\\n", "\\,", ";", ",", ":", '"', "'", "^n", "^'", "=", "= ", "_$!<Home>!$_", "\u2028", "\u00a0", "\ufeff"),
    *(
        "e\u0301",
        "李",
        "👩‍👩‍👧",
        "نمو",
        "ß",
        "İ",
        " ::: ",
        "* ",
        "BEGIN:VCARD",
        "END:VCARD",
        "QUOTED-PRINTABLE",
        "CHARSET=koi8-r",
    ),
    *("tel:", "mailto:", "pref", "Work", "work", "cell", "internet", "item1.", "--0412", "x" * 80, "é" * 70, "<a@b>"),
]
_LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])


def line(most: int) -> st.SearchStrategy[str]:
    """Texts of one line."""
    pieces = st.lists(st.sampled_from(NASTY) | st.text(_LETTERS, max_size=5), max_size=5).map("".join)
    return pieces.map(lambda text: text[:most].strip())


def text(most: int) -> st.SearchStrategy[str]:
    """Texts of any number of lines, with control characters, or of nothing but white space."""
    anything = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
    pieces = st.lists(
        st.sampled_from([*NASTY, "\n", "\n\n ", "\r\n", "\t", "\x0b", "\x1b", "\x85", "  "]) | anything, max_size=8
    )
    return pieces.map(lambda parts: "".join(parts)[:most])


LABELS = line(100) | st.sampled_from(
    ["", "work", "home", "mobile", "work fax", "other", "homepage", "skype", "google talk", "Home Page", "anniversary"]
)


def _required(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return strategy.filter(bool)


def entries(value: st.SearchStrategy[str], **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """A list of a contact, with at most one primary entry."""
    entry = st.fixed_dictionaries({"value": value, "label": LABELS}, optional=parts)

    def with_primary(found: list[dict[str, Any]], primary: int) -> list[dict[str, Any]]:
        return [{**entry, "primary": True} if index == primary else entry for index, entry in enumerate(found)]

    return st.builds(with_primary, st.lists(entry, max_size=3), st.integers(0, 5))


REGIONS = st.sampled_from(["GB", "DE", "US", "IT", "AQ"])
EMAILS = (
    st.sampled_from(
        [
            "ada@example.org",
            "o'neil+x@bücher.example",
            '"a b"@example.com',
            '"<a>"@example.com',
            "Ümlaut@example.com",
            "a..b@x.org",
        ]
    )
    | st.emails()
)
PHONES = st.sampled_from(
    [
        "+44 20 7946 0123",
        "020 7946 0123 ext. 5",
        "+39 06 1234 5678",
        "112",
        "tel:123",
        "TEL:+1-202-555-0101",
        "0800 FLOWERS",
    ]
) | _required(line(100))
URLS = st.sampled_from(["https://example.com/a,b;c?d=\\e", "http://x", "urn:x"]) | _required(line(300))
DATES = st.one_of(
    st.dates().map(lambda date: {"year": date.year, "month": date.month, "day": date.day}),
    st.dates().map(lambda date: {"month": date.month, "day": date.day}),
    st.builds(lambda year, month: {"year": year, "month": month}, st.integers(1, 9999), st.integers(1, 12)),
    st.sampled_from(
        [
            *({"year": 1604}, {"year": 1604, "month": 2}, {"year": 1604, "month": 2, "day": 29}, {"day": 31}),
            *({"month": 12}, {"year": 1}, {"month": 2, "day": 29}, {"year": 1900, "month": 1, "day": 1}),
        ]
    ),
)
TIMES = st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)).map(  # noqa: DTZ001 - UTC is added
    lambda time: time.replace(tzinfo=UTC)
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | text(40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text(10), inner, max_size=3),
    max_leaves=6,
)
EXTRA = st.sampled_from(
    [
        *(
            "X-FOO:bar",
            "X-FOO;TYPE=work:bar",
            "item1.X-ABDATE:2001-02-03",
            "item1.X-ABLabel:Graduation",
            "EMAIL:second@example.com",
        ),
        *(
            "ORG:Example;Research",
            "TITLE;PREF=1:Countess",
            "FN:Another",
            "CATEGORIES:a,b",
            "CATEGORIES:a , b;c",
            "PRODID:-//x",
            "X-FOO;abc",
        ),
        *(
            "X-FOO;ENCODING=QUOTED-PRINTABLE:a=",
            "X-FOO:",
            "PHOTO:x",
            "PHOTO;VALUE=uri:https://example.com/2.png",
            "AGENT:",
            "N:a;b;;;",
        ),
        *(
            "UID:other",
            "REV:2020-01-01",
            "X-PMCRM-RELATIONSHIP-STRENGTH:3",
            "X-PMCRM-EXTRA:FN:x",
            "X-PMCRM-ID:1",
            "NOTE:more",
            "ROLE:Countess",
        ),
        *(
            "ADR:;;1 Street;;;;",
            "LABEL:text",
            "X-FOO;CHARSET=koi8-r:é",
            "BDAY:circa 1800",
            "KIND:group",
            "SOUND;X-IRMC-N:a;b",
            "x-foo: a",
        ),
    ]
) | _required(line(200)).map(lambda value: f"X-ANY:{value}".strip())

PARTS = ("street", "extended_address", "po_box", "locality", "region", "postal_code", "country")
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    **{
        field: line(200)
        for field in (
            *("given_name", "family_name", "additional_names", "honorific_prefixes", "honorific_suffixes", "nickname"),
            *("phonetic_given_name", "phonetic_family_name", "organization_name", "job_title"),
        )
    },
    "display_name": line(500),
    "emails": entries(EMAILS),
    "phones": entries(PHONES, region=REGIONS),
    "addresses": entries(
        text(300),
        country_code=REGIONS,
        **{part: text(200) if part in ("street", "extended_address") else line(200) for part in PARTS},
    ),
    "urls": entries(URLS),
    "im_handles": entries(URLS),
    "birthday": DATES,
    "anniversary": DATES,
    "notes": text(300),
    "custom_fields": st.dictionaries(text(20), JSON, max_size=4),
    "relationship_strength": st.integers(1, 10),
    "keep_in_touch_days": st.integers(1, 3650),
    "source_uid": line(200),
    "source_create_time": TIMES,
    "source_update_time": TIMES,
    "photo_uri": st.sampled_from(
        [
            *(
                "https://example.com/a,b;c\\d.png",
                "HTTP://example.com/é",
                "ftp://example.com/a.png",
                "data:image/png;base64,QUJD",
            ),
            *("https://example.com/" + "é" * 2000, "urn:uuid:1"),
        ]
    ),
    "extra_properties": st.lists(EXTRA, max_size=4),
}


def accepted(fields: dict[str, Any]) -> Contact:
    """The contact of these fields as it is stored and answered, without what the API would refuse."""
    record, _ = imported_record(Contact(**fields), "GB")
    return stored(record)


def stored(record: dict[str, Any]) -> Contact:
    """The contact that a record becomes, without what the server chooses."""
    columns = {
        "source_created_at": "source_create_time",
        "source_updated_at": "source_update_time",
    }
    besides = frozenset({"sort_name", "source_hash"})
    row = {columns.get(name, name): value for name, value in record.items()}
    row["relationship_strength_pinned"] = True if record["relationship_strength"] else None
    return to_contact(row, besides)


def contacts() -> st.SearchStrategy[Contact]:
    """Contacts that the API accepts, as it answers them."""
    optional = {field: strategy for field, strategy in FIELDS.items() if field != "given_name"}
    named = st.fixed_dictionaries({"given_name": line(50).map(lambda name: name or "A")}, optional=optional)
    return named.map(accepted)


def differences(one: Contact, other: Contact) -> dict[str, tuple[Any, Any]]:
    """The fields in which two contacts differ, with both values."""
    first, second = (json_format.MessageToDict(contact, preserving_proto_field_name=True) for contact in (one, other))
    return {
        name: (first.get(name), second.get(name))
        for name in first.keys() | second.keys()
        if first.get(name) != second.get(name)
    }
