"""A contact's custom fields: a protobuf Struct as the JSON that is stored."""

from __future__ import annotations

import json
import math
from typing import Any

from google.protobuf import struct_pb2

from shared import contact_limits
from shared.violations import Violations

# Beyond this a double does not hold every integer.
_LARGEST_EXACT = 2**53


class _UnstorableError(Exception):
    """A value that JSON or PostgreSQL's jsonb cannot hold; the message is the rule it breaks."""


def custom_fields_json(fields: struct_pb2.Struct, path: str, violations: Violations) -> dict[str, Any] | None:
    """The Struct as JSON, None when it is empty. Texts are kept as they are: nothing interprets them."""
    if not fields.fields:
        return None
    try:
        value = _object(fields, contact_limits.CUSTOM_FIELDS_DEPTH)
    except _UnstorableError as problem:
        violations.add(path, str(problem))
        return None
    if len(json.dumps(value, ensure_ascii=False).encode()) > contact_limits.CUSTOM_FIELDS_BYTES:
        violations.add(path, f"must have at most {contact_limits.CUSTOM_FIELDS_BYTES} bytes as JSON")
        return None
    return value


def _object(struct: struct_pb2.Struct, levels: int) -> dict[str, Any]:
    if levels == 0:
        raise _UnstorableError(f"must not be nested more than {contact_limits.CUSTOM_FIELDS_DEPTH} levels deep")
    return {_text(key): _value(value, levels - 1) for key, value in struct.fields.items()}


def _list(values: struct_pb2.ListValue, levels: int) -> list[Any]:
    if levels == 0:
        raise _UnstorableError(f"must not be nested more than {contact_limits.CUSTOM_FIELDS_DEPTH} levels deep")
    return [_value(value, levels - 1) for value in values.values]


def _value(value: struct_pb2.Value, levels: int) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return _text(value.string_value)
        case "number_value":
            return _number(value.number_value)
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return _object(value.struct_value, levels)
        case "list_value":
            return _list(value.list_value, levels)
        case _:
            return None


def _text(text: str) -> str:
    if "\0" in text:
        raise _UnstorableError("must not contain NUL characters")
    return text


def _number(number: float) -> float | int:
    if not math.isfinite(number):
        raise _UnstorableError("must not contain numbers that are not finite")
    return int(number) if number.is_integer() and abs(number) <= _LARGEST_EXACT else number
