"""A contact out of a file, whatever the file's format, checked: what breaks a rule is left out and named.

A caller of the API can correct a request that is refused; whoever imports an address book wants the contact even where
one of its values is bad.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import Any, NamedTuple, Protocol

from pmcrm.contacts.v1.contact_pb2 import Contact

from shared import contact_limits as limits
from shared.contact_record import to_record
from shared.contact_ties import NO_TIES, Ties
from shared.errors import InvalidArgument, Violation

_PATH = re.compile(r"contact\.(?P<field>\w+)(?:\[(?P<index>\d+)\])?(?:\.(?P<part>\w+))?")
_LISTS = frozenset({"emails", "phones", "addresses", "urls", "im_handles", "extra_properties"})


class LeftOut(NamedTuple):
    """Something that a card or record held and its contact does not.

    field: the property, or the field of Contact that had no place for it.
    code: the error reason that programs read, such as `IMPORT_VALUE_LEFT_OUT`.
    reason: why, in words, without repeating the value.
    """

    field: str
    code: str
    reason: str


class Failure(NamedTuple):
    """A part of a file that makes no contact.

    line: where it begins (from 1).
    code: the error reason that programs read, such as `IMPORT_RECORD_MALFORMED`.
    reason: why, in words, without personal data.
    field: the property, column or field of Contact at fault, when it is one.
    """

    line: int
    code: str
    reason: str
    field: str = ""


class ImportedRecord(NamedTuple):
    """A record of a file as it is to be stored.

    line: the line of the file on which it begins, from 1.
    record: the columns of contacts, `source_uid` and `source_hash` among them; None for what the record does not hold.
    categories: names of tags.
    left_out: what the record holds and its contact does not.
    contact_id: the contact that it was exported from, when it says so; the tenant need not have it.
    ties: what it says of organizations and other contacts.
    """

    line: int
    record: dict[str, Any]
    categories: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    contact_id: uuid.UUID | None = None
    ties: Ties = NO_TIES


class FileImporter(Protocol):
    """Reads a file chunk by chunk. `feed` and `close` give what was completed, in the order of the file.

    Importers only compute, about half a millisecond a record: call them in a thread, not in the event loop.
    """

    @property
    def charset(self) -> str:
        """The character set that is being read."""

    @property
    def dialect(self) -> str:
        """What the file was taken for, for people, such as `vCard 3.0 and vCard 4.0`."""

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What no record of the file has a place for; known in full when the file has ended."""

    def feed(self, chunk: bytes) -> list[ImportedRecord | Failure]:
        """The records and failures that this chunk of the file completes."""

    def close(self) -> list[ImportedRecord | Failure]:
        """The records and failures that the end of the file completes."""


# Some programs give all their records the same id. Beyond so many records repeated ids are no longer looked for, so
# that memory stays bounded (about 20 MB).
MOST_REMEMBERED_IDS = 100_000


class RepeatedIds:
    """Finds records that say something else than an earlier one of the same id: each import would undo the other's."""

    def __init__(self) -> None:
        self._hash_of: dict[bytes, bytes] = {}

    def is_taken(self, record_id: str, record_hash: bytes) -> bool:
        """Whether another record of the file has this id; remembers the record otherwise."""
        key = hashlib.blake2b(record_id.encode(), digest_size=8).digest()
        if len(self._hash_of) >= MOST_REMEMBERED_IDS and key not in self._hash_of:
            return False
        return self._hash_of.setdefault(key, record_hash) != record_hash


def imported_record(contact: Contact, default_region: str = "") -> tuple[dict[str, Any], list[LeftOut]]:
    """The record of a contact that came in a file (the message is changed), and what of it was left out.

    Raises InvalidArgument when nothing remains by which the contact could be called.
    """
    left_out: list[LeftOut] = []
    while True:
        try:
            return to_record(contact, default_region=default_region), left_out
        except InvalidArgument as refused:
            bad = [violation for violation in refused.violations if _PATH.fullmatch(violation.field)]
            if not bad:
                raise
            _leave_out(contact, bad, left_out)


def _leave_out(contact: Contact, bad: list[Violation], left_out: list[LeftOut]) -> None:
    entries: set[tuple[str, int]] = set()
    for violation in bad:
        match = _PATH.fullmatch(violation.field)
        if match is None:
            continue
        field, index, part = match.groups()
        left_out.append(
            LeftOut(violation.field.removeprefix("contact."), "IMPORT_VALUE_LEFT_OUT", violation.description)
        )
        if index is not None and part not in (None, "value"):
            getattr(contact, field)[int(index)].ClearField(part)  # a label or a part of an address
        elif index is not None:
            entries.add((field, int(index)))
        elif field in _LISTS and len(getattr(contact, field)) > limits.LIST:
            del getattr(contact, field)[limits.LIST :]
        elif field in _LISTS and field != "extra_properties":
            for entry in getattr(contact, field):
                entry.primary = False  # more than one was
        else:
            contact.ClearField(field)
    for field, number in sorted(entries, reverse=True):
        if number < len(getattr(contact, field)):
            del getattr(contact, field)[number]
