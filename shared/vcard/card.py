"""Makes a contact of one card of vCard 2.1, 3.0 or 4.0.

What a field of Contact can hold goes there; a property that none can hold is kept as it came, in extra_properties; what
cannot be kept is named in `left_out`. Nothing of a card disappears in silence but its VERSION, PRODID and empty values.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

from pmcrm.contacts.v1.contact_pb2 import Contact

from shared import contact_limits as limits
from shared.contact_ties import Ties
from shared.imported_record import LeftOut
from shared.vcard.draft import Draft
from shared.vcard.labels import NOT_PREFERRED, labels_of_groups, preference
from shared.vcard.lines import Property, read_properties
from shared.vcard.properties import READERS
from shared.vcard.splitting import RawCard
from shared.vcard.ties import KEPT, stands_beside, ties_of, unmarked
from shared.vcard.values import one_line, unescaped

# Properties of which a contact holds one: the preferred, else the first. The others are kept as extra properties.
_SINGLE = frozenset({"N", "FN", "ORG", "TITLE", "BDAY", "ANNIVERSARY", "UID", "REV", "CREATED", "KIND", "PHOTO"})
_NOT_OF_THE_PERSON = frozenset({"VERSION", "PRODID", "X-PRODID", "PROFILE", "X-ABLABEL", "X-ABADR", "X-PMCRM-LABEL"})
_OF_THE_FILE = frozenset(
    {"VERSION", "PRODID", "X-PRODID", "REV", "X-ABLABEL", "X-PMCRM-LABEL", "PHOTO", "LOGO", "SOUND", "KEY"}
)
_OF_THE_ENCODING = frozenset({"ENCODING", "CHARSET", "VALUE"})
_MEDIA = frozenset({"PHOTO", "LOGO", "SOUND", "KEY"})


class ParsedCard(NamedTuple):
    """What one card holds.

    contact: not yet checked (`to_record` does, or `imported_record`); its source_create_time and source_update_time are
        the card's CREATED and REV, its id that of the contact from which pmcrm wrote the card.
    line: the line of the file on which the card begins, from 1.
    version: `2.1`, `3.0` or `4.0`.
    categories: names of tags, in the order given, without repetitions.
    ties: what it says of organizations and other contacts, not yet checked.
    hash: SHA-256 of what the card says, whatever its folding, encoding, REV and photos; the same in every release,
        because it is how a card without UID is known again.
    """

    contact: Contact
    line: int
    version: str
    categories: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    ties: Ties
    hash: bytes


def parse_card(card: RawCard) -> ParsedCard:
    """Reads one card. Raises BadCardError when a line of it is no property, or when it describes a group."""
    properties = [found for found in read_properties(card.content) if _says_something(found)]
    version = next((found.value.strip() for found in properties if found.name == "VERSION"), "3.0")
    labels = labels_of_groups(properties)
    draft = Draft(version, labels)
    extra: list[Property] = []
    left_out: list[LeftOut] = []
    names = {found.name for found in properties}
    spoken = [found for found in _preferred_first(properties) if not stands_beside(found, names)]
    for found in spoken:
        if found.name in _NOT_OF_THE_PERSON:
            _read_address_country(found, draft)
        elif found.name in READERS and READERS[found.name](draft, found):
            pass
        elif found.name in _MEDIA and not _is_address(found):
            left_out.append(_left_out_media(found.name))
        elif found.name == "AGENT" or found.is_binary:
            left_out.append(
                LeftOut(found.name, "IMPORT_VALUE_LEFT_OUT", "a card or file inside a card is not imported")
            )
        else:
            extra.append(found)
    fields = draft.finished()
    fields["extra_properties"] = _extra_lines(extra, spoken, left_out)
    categories = tuple(dict.fromkeys(draft.categories))
    ties = ties_of(spoken, labels)
    hash_ = _hash(properties, labels)
    return ParsedCard(Contact(**fields), card.line, version, categories, tuple(left_out), ties, hash_)


def _says_something(found: Property) -> bool:
    blank = not found.value or found.value.isspace()
    return not blank or ("X-PMCRM-BLANK" in found.parameters and bool(found.value))


def _preferred_first(properties: list[Property]) -> list[Property]:
    """The properties in their order, those of which a contact holds one with the preferred before the others."""
    if len({found.name for found in properties}) == len(properties):
        return properties
    return sorted(properties, key=lambda found: preference(found) if found.name in _SINGLE else NOT_PREFERRED)


def _read_address_country(found: Property, draft: Draft) -> None:
    if found.name == "X-ABADR" and found.group:
        draft.countries[found.group] = one_line(found.value)


def _is_address(found: Property) -> bool:
    """Whether a photo or the like is somewhere else, and the card holds only its address."""
    scheme, colon, _ = found.value.partition(":")
    is_uri = bool(colon) and scheme.isascii() and scheme.replace("+", "").isalnum() and scheme.lower() != "data"
    return is_uri and not found.is_binary and len(found.value) <= limits.URI


def _left_out_media(name: str) -> LeftOut:
    if name in ("PHOTO", "LOGO"):
        return LeftOut(name, "IMPORT_PHOTO_LEFT_OUT", "a picture inside a card is not imported")
    return LeftOut(name, "IMPORT_VALUE_LEFT_OUT", "a sound or key inside a card is not imported")


def _extra_lines(extra: list[Property], properties: list[Property], left_out: list[LeftOut]) -> list[str]:
    """The lines to keep, with the labels of their groups, in their order and as far as a contact may hold them."""
    groups = {found.group for found in extra if found.group}
    kept = set(map(id, extra))
    kept |= {id(found) for found in properties if found.name == "X-ABLABEL" and found.group in groups}
    lines: list[str] = []
    room = limits.EXTRA_PROPERTIES_BYTES
    for found in (found for found in properties if id(found) in kept):
        line = one_line(unescaped(found.value) if found.name == KEPT else unmarked(found).as_line())
        size = len(line.encode())
        if len(lines) < limits.EXTRA_PROPERTIES and size <= room:
            lines.append(line)
            room -= size
        else:
            reason = "the contact has more extra properties than it may have"
            left_out.append(LeftOut(found.name, "IMPORT_VALUE_LEFT_OUT", reason))
    return lines


def _hash(properties: list[Property], labels: dict[str, str]) -> bytes:
    # Of the lines and not of the contact, so that a later release which understands more of a card gives the same.
    said: list[list[Any]] = []
    for found in properties:
        if found.name not in _OF_THE_FILE:
            parameters = {
                name: sorted(value.lower() for value in values)
                for name, values in found.parameters.items()
                if name not in _OF_THE_ENCODING
            }
            said.append([found.name, labels.get(found.group, ""), parameters, found.value])
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).digest()
