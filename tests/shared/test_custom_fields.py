import json
import math
from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from shared import contact_limits
from shared.custom_fields import custom_fields_json
from shared.violations import Violations


def stored(value: dict[str, Any]) -> tuple[dict[str, Any] | None, list[str]]:
    struct = struct_pb2.Struct()
    struct.update(value)
    violations = Violations()
    return custom_fields_json(struct, "f", violations), [found.description for found in violations.found]


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"end": 1}
    for _ in range(levels - 1):
        value = {"next": value}
    return value


def test_empty_fields_are_absent():
    assert stored({}) == (None, [])


def test_whole_numbers_are_stored_as_such():
    assert json.dumps(stored({"a": 3, "b": 2.5, "c": 1e300})[0], sort_keys=True) == '{"a": 3, "b": 2.5, "c": 1e+300}'


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(number):
    assert stored({"a": [number]}) == (None, ["must not contain numbers that are not finite"])


def test_nul_is_refused_in_keys_and_values():
    assert stored({"a\0": 1})[1] == stored({"a": ["\0"]})[1] == ["must not contain NUL characters"]


def test_nesting_is_limited():
    assert stored(nested(contact_limits.CUSTOM_FIELDS_DEPTH))[1] == []
    assert stored(nested(contact_limits.CUSTOM_FIELDS_DEPTH + 1))[1] == ["must not be nested more than 10 levels deep"]


def test_size_is_limited_in_bytes():
    fits = contact_limits.CUSTOM_FIELDS_BYTES - len('{"a": ""}')
    assert stored({"a": "x" * fits})[1] == []
    assert stored({"a": "é" * fits})[1] == ["must have at most 65536 bytes as JSON"]


def test_a_value_of_no_kind_is_null():
    violations = Violations()
    struct = struct_pb2.Struct(fields={"a": struct_pb2.Value()})
    assert custom_fields_json(struct, "f", violations) == {"a": None}


# jsonb has no negative zero.
NUMBERS = st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=5)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), TREES, max_size=4))
def test_what_is_stored_means_what_was_given(value: dict[str, Any]):
    struct = struct_pb2.Struct()
    struct.update(value)
    result, problems = stored(value)
    if not problems:
        assert json.loads(json.dumps(result)) == result
        assert struct_pb2.Struct(fields=struct.fields) == json_format.ParseDict(result or {}, struct_pb2.Struct())
