"""Field masks (AIP-134, AIP-157, AIP-161): which fields an update writes, and which an answer shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from shared.errors import InvalidArgument, Violation

M = TypeVar("M", bound=Message)


def update_paths(resource: Message, mask: FieldMask, writable: frozenset[str]) -> list[str]:
    """The paths that an update writes, beginning with a writable field each.

    resource: the new values; without a mask its populated fields are written, with `*` all writable ones.
    writable: names of top-level fields. Output-only ones are ignored, wherever they are named.
    Raises InvalidArgument naming each path that the message does not have.
    """
    if not mask.paths:
        return [field.name for field, _ in resource.ListFields() if field.name in writable]
    if "*" in mask.paths:
        if len(mask.paths) > 1:
            raise InvalidArgument([Violation("update_mask", "* stands for every field and must be the only path")])
        return sorted(writable)
    check_paths(resource.DESCRIPTOR, mask.paths, "update_mask")
    return [path for path in mask.paths if path.partition(".")[0] in writable]


def check_paths(descriptor: Any, paths: Iterable[str], field: str) -> None:
    """Raises InvalidArgument naming each path (`update_mask.paths[1]`) that a message of this kind does not have."""
    bad = [
        Violation(f"{field}.paths[{i}]", f"is not a field of {descriptor.name}")
        for i, path in enumerate(paths)
        if not _exists(descriptor, path)
    ]
    if bad:
        raise InvalidArgument(bad)


def replace(target: Message, source: Message, paths: Iterable[str]) -> None:
    """Gives the target the source's values at the paths. Repeated fields and messages are replaced, not merged.

    A path may reach into a Struct (`custom_fields.theme.dark`); a key that holds something else becomes an object.
    """
    for path in paths:
        _replace(target, source, path.split("."))


def check_mask(message: type[Message], mask: FieldMask, field: str = "read_mask") -> None:
    """Raises InvalidArgument when a read mask names what the message does not have."""
    if "*" not in mask.paths:
        check_paths(message.DESCRIPTOR, mask.paths, field)


def masked(message: M, mask: FieldMask) -> M:
    """The message with its id and the fields that a checked read mask names; all of it for an empty mask or `*`."""
    if not mask.paths or "*" in mask.paths:
        return message
    shown = type(message)()
    replace(shown, message, ["id", *mask.paths])
    return shown


def _exists(descriptor: Any, path: str) -> bool:
    if descriptor is Struct.DESCRIPTOR:
        return all(path.split("."))  # a Struct has whatever keys a caller gives it
    name, _, rest = path.partition(".")
    field = descriptor.fields_by_name.get(name)
    if field is None:
        return False
    if not rest:
        return "." not in path
    # A path ends at a list or a map; it cannot name one of its elements.
    if field.message_type is None or field.is_repeated:
        return False
    return _exists(field.message_type, rest)


def _replace(target: Message, source: Message, path: list[str]) -> None:
    name = path[0]
    if len(path) == 1:
        target.ClearField(name)
        _copy(target, source, target.DESCRIPTOR.fields_by_name[name])
        return
    within = getattr(target, name)
    if isinstance(within, Struct):
        _replace_key(within, getattr(source, name), path[1:])
    else:
        _replace(within, getattr(source, name), path[1:])
    if not within.ByteSize():
        # A message of which nothing is left is unset: a birthday without year, month and day is none.
        target.ClearField(name)


def _replace_key(target: Struct, source: Struct, path: list[str]) -> None:
    key = path[0]
    given = source.fields.get(key)
    if len(path) == 1:
        target.fields.pop(key, None)
        if given is not None:
            target.fields[key].CopyFrom(given)
        return
    within = target.fields[key].struct_value
    _replace_key(within, given.struct_value if given is not None else Struct(), path[1:])
    if not within.fields:
        target.fields.pop(key)


def _copy(target: Message, source: Message, field: Any) -> None:
    value = getattr(source, field.name)
    if field.is_repeated:
        getattr(target, field.name).MergeFrom(value)
    elif field.message_type is not None:
        if source.HasField(field.name):
            getattr(target, field.name).CopyFrom(value)
    elif not field.has_presence or source.HasField(field.name):
        setattr(target, field.name, value)
