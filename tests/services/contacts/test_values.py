"""What callers may send as texts, numbers and JSON: kept as the contract says, or refused by name; never INTERNAL."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pmcrm.contacts.v1.contact_pb2 import Contact

from tests.services.contacts.calls import Book
from tests.suite import failure


@pytest.mark.parametrize(
    "name",
    [
        "👩‍👩‍👧‍👦",
        "שלום עולם",
        "مريم",
        "山田太郎",
        "각하",
        "Ångström",
        "O'Brien",
        'a"b\\c',
        "%_*",
        "$1",
        "NULL",
        "\u202eadA",
        "a\u200bb",
        "\U0010ffff",
        "ﬁ",
        "İ",
    ],
)
async def test_texts_of_every_script_are_kept_and_found(book: Book, name: str) -> None:
    made = await book.create(given_name=name, notes=f"{name}\n{name}", custom_fields={name: name}, job_title=name)
    assert (made.given_name, made.display_name, made.notes) == (name, name, f"{name}\n{name}")
    assert dict(made.custom_fields) == {name: name}
    assert [contact.id for contact in (await book.page(text=name)).contacts] == [made.id]


async def test_texts_are_kept_in_normal_form(book: Book) -> None:
    made = await book.create(given_name="Jose\u0301", notes="e\u0301", nickname="\u1100\u1161")
    assert (made.given_name, made.notes, made.nickname) == ("José", "é", "가")


async def test_names_are_trimmed_and_a_blank_one_is_none(book: Book) -> None:
    made = await book.create(given_name="  Ada \t", family_name=" ", notes="  kept ")
    assert (made.given_name, made.family_name, made.notes) == ("Ada", "", "  kept ")


@pytest.mark.parametrize("field", ["given_name", "display_name", "notes", "job_title", "source_uid", "photo_uri"])
async def test_a_nul_character_is_refused(book: Book, field: str) -> None:
    refused = await failure(book.create(**{"nickname": "x", field: "a\0b"}))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert f"contact.{field}" in refused.violations


LIMITS = {"given_name": 200, "display_name": 500, "notes": 100_000, "organization_name": 200, "source_uid": 500}


@pytest.mark.parametrize(("field", "limit"), LIMITS.items())
@pytest.mark.parametrize("character", ["a", "é", "𠀋"])
async def test_limits_count_characters_whatever_their_bytes(book: Book, field: str, limit: int, character: str) -> None:
    made = await book.create(**{"nickname": "x", field: character * limit})
    assert getattr(made, field) == character * limit
    refused = await failure(book.create(**{"nickname": "x", field: character * (limit + 1)}))
    assert list(refused.violations) == [f"contact.{field}"]


async def test_the_longest_names_page_and_sort(book: Book) -> None:
    """500 characters of four bytes each, none of which compress: as long as an index entry ever gets."""
    names = ["".join(chr(0x20000 + (first + i * 97) % 40_000) for i in range(500)) for first in (0, 1, 2)]
    await book.create_many(*({"display_name": name} for name in names))
    assert await book.names(page_size=1) == names
    assert await book.names(page_size=1, order_by="name desc") == names[::-1]


@pytest.mark.parametrize("character", ["\uffff", "\U0010ffff", "\u0301", "\u200b"])
async def test_names_of_the_last_characters_and_of_none_that_count_are_listed(book: Book, character: str) -> None:
    names = {character * 500 if character != "\u0301" else character, "Ada"}
    await book.create_many(*({"display_name": name} for name in names))
    for order in ("name", "name desc"):
        assert set(await book.names(page_size=1, order_by=order)) == names


@pytest.mark.parametrize(
    ("fields", "bad"),
    [
        ({"keep_in_touch_days": 3651}, "keep_in_touch_days"),
        ({"keep_in_touch_days": 40_000}, "keep_in_touch_days"),
        ({"keep_in_touch_days": 2**31 - 1}, "keep_in_touch_days"),
        ({"keep_in_touch_days": -1}, "keep_in_touch_days"),
        ({"birthday": {"year": 10_000}}, "birthday"),
        ({"birthday": {"year": -(2**31)}}, "birthday"),
        ({"birthday": {"month": 13}}, "birthday"),
        ({"anniversary": {"month": 1, "day": 40_000}}, "anniversary"),
        ({"anniversary": {"year": 2000, "day": 1}}, "anniversary"),
        ({"source_create_time": Timestamp(seconds=2**62)}, "source_create_time"),
        ({"source_create_time": Timestamp(seconds=-(2**63))}, "source_create_time"),
        ({"source_update_time": Timestamp(nanos=-1)}, "source_update_time"),
        ({"source_update_time": Timestamp(nanos=2**31 - 1)}, "source_update_time"),
    ],
)
async def test_numbers_and_times_out_of_range_are_refused(book: Book, fields: dict[str, Any], bad: str) -> None:
    made = await book.create(given_name="Ada")
    for call in (book.create(given_name="Ada", **fields), book.update(made.id, **fields)):
        refused = await failure(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
        assert list(refused.violations) == [f"contact.{bad}"]


@pytest.mark.parametrize(
    "time", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)]
)
async def test_the_first_and_the_last_time_are_kept(book: Book, time: datetime) -> None:
    made = await book.create(given_name="Ada", source_create_time=time)
    assert made.source_create_time.ToDatetime(UTC) == time


async def test_the_longest_cadence_is_kept(book: Book) -> None:
    assert (await book.create(given_name="Ada", keep_in_touch_days=3650)).keep_in_touch_days == 3650


def struct(**values: Any) -> Struct:
    made = Struct()
    made.update(values)
    return made


def nested(levels: int) -> Struct:
    made = struct(end=True)
    for _ in range(levels - 1):
        outer = Struct()
        outer.fields["deeper"].struct_value.CopyFrom(made)
        made = outer
    return made


JSON = st.recursive(
    st.none() | st.booleans() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number or 0.0),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text("abc\u00e9\"\\.", max_size=3), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@given(value=JSON)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
async def test_custom_fields_keep_any_json(book: Book, value: Any) -> None:
    made = await book.create(given_name="Ada", custom_fields={"it": value})
    assert made.custom_fields == Contact(custom_fields={"it": value}).custom_fields


@pytest.mark.parametrize("number", [0, -1, 1.5, 2**53, -(2**53), 2**53 + 2, 1e21, 1e308, 5e-324, -1e-10])
async def test_custom_fields_keep_numbers_exactly(book: Book, number: float) -> None:
    made = await book.create(given_name="Ada", custom_fields={"it": number})
    assert made.custom_fields["it"] == number


@pytest.mark.parametrize(
    "fields",
    [
        struct(it=math.nan),
        struct(it=[math.inf]),
        struct(it={"deep": -math.inf}),
        struct(it="a\0b"),
        struct(**{"a\0b": 1}),
        nested(11),
        nested(25),
        struct(it="x" * 65_536),
        struct(it=["é" * 100] * 400),
    ],
)
async def test_custom_fields_that_cannot_be_kept_are_refused(book: Book, fields: Struct) -> None:
    refused = await failure(book.create(given_name="Ada", custom_fields=fields))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", ["contact.custom_fields"])


async def test_custom_fields_may_be_ten_levels_deep(book: Book) -> None:
    assert (await book.create(given_name="Ada", custom_fields=nested(10))).custom_fields == nested(10)


async def send(book: Book, data: bytes) -> bytes:
    call: Any = book.channel.unary_unary("/pmcrm.contacts.v1.ContactService/CreateContact")
    answer: bytes = await call(data, metadata=book.tenant)
    return answer


def bytes_field(number: int, value: bytes) -> bytes:
    """A length-delimited field on the wire."""

    def varint(n: int) -> bytes:
        return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)

    return varint(number << 3 | 2) + varint(len(value)) + value


def deeper_than_protobuf_reads() -> bytes:
    value = b""
    for _ in range(200):
        value = bytes_field(5, bytes_field(1, bytes_field(1, b"a") + bytes_field(2, value)))
    return bytes_field(1, bytes_field(21, bytes_field(1, bytes_field(1, b"a") + bytes_field(2, value))))


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff",
        bytes_field(1, bytes_field(2, b"\xff\xfe")),
        bytes_field(1, bytes_field(2, b"\xed\xa0\x80")),  # a lone surrogate
        bytes_field(1, b"\x0a\x7f"),
        deeper_than_protobuf_reads(),
    ],
    ids=["no message", "not UTF-8", "lone surrogate", "cut short", "too deep"],
)
async def test_bytes_that_are_no_request_are_refused(book: Book, data: bytes) -> None:
    refused = await failure(send(book, data))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert "Error parsing" not in refused.message


async def test_an_empty_request_is_refused_by_what_it_lacks(book: Book) -> None:
    refused = await failure(send(book, b""))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", ["contact"])


async def test_unknown_fields_of_a_newer_contract_are_passed_over(book: Book) -> None:
    data = bytes_field(1, bytes_field(2, b"Ada") + bytes_field(9999, b"new")) + bytes_field(999, b"new")
    made = Contact.FromString(await send(book, data))
    assert made.given_name == "Ada"
