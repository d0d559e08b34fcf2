"""A contact out of a file, checked: what breaks a rule is left out and named, and the rest is kept.

A caller of the API can correct a request that is refused; whoever imports an address book wants the contact even where
one of its values is bad.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from pmcrm.contacts.v1.contact_pb2 import Contact

from shared import contact_limits as limits
from shared.contact_record import to_record
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
