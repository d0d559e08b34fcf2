"""Writes contacts as vCard 3.0 and 4.0, so that reading the card again gives an equal contact.

What vCard has a place for goes there, as the programs that people use write it: free labels as Apple's X-ABLabel, the
country of an address as its X-ABADR, phonetic names as X-PHONETIC-…. What vCard has no place for goes into properties
and parameters that begin with X-PMCRM-, which other programs pass over.

vobject does not write them: it takes a millisecond and a half for each card, folds inside of characters, and knows
neither groups of 4.0 nor RFC 6868.
"""

from __future__ import annotations

import json
from datetime import UTC

from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.type.v1.partial_date_pb2 import PartialDate

from shared.contact_ties import NO_TIES, Ties, fitting
from shared.partial_date import YEAR_OF_THE_UNKNOWN
from shared.vcard.categories import categories_line
from shared.vcard.content_lines import CardLines, folded
from shared.vcard.extra_writing import groups_of, writable
from shared.vcard.list_writing import add_lists
from shared.vcard.tie_writing import add_shown_organization, add_ties
from shared.vcard.values import escaped

_NAME_PARTS = ("family_name", "given_name", "additional_names", "honorific_prefixes", "honorific_suffixes")
_WEB_SCHEMES = ("http://", "https://")
_LONGEST_PHOTO = 2_000


class CardWriter:
    """Writes a file of vCards, a contact at a time.

    version: `3.0` or `4.0`.
    left_out: `employments` or `links` → how many contacts have more of them than a card may hold.
    """

    def __init__(self, version: str) -> None:
        self.left_out: dict[str, int] = {}
        self._version = version

    def header(self) -> bytes:
        """What stands before the first card."""
        return b""

    def written(self, contact: Contact, ties: Ties = NO_TIES) -> bytes:
        """A contact's card.

        ties: all that its contact has.
        """
        kept, lost = fitting(ties)
        for what in lost:
            self.left_out[what] = self.left_out.get(what, 0) + 1
        return write_card(contact, self._version, kept)


def write_card(contact: Contact, version: str, ties: Ties = NO_TIES) -> bytes:
    """The card of a contact as the API answers it. A contact without source_uid gets no UID but an X-PMCRM-ID, by which
    the same tenant knows it again and which makes no two contacts the same record.

    version: `3.0` or `4.0`.
    """
    extra = list(contact.extra_properties)
    card = _content(contact, version, groups_of(extra), ties)
    if contact.tags:
        card.append(categories_line(tag.name for tag in contact.tags))
    if extra:
        card += writable(extra, card)
    return b"".join(map(folded, ["BEGIN:VCARD", *card, "END:VCARD"]))


def _content(contact: Contact, version: str, taken: frozenset[str], ties: Ties) -> list[str]:
    card = CardLines(taken)
    card.add("VERSION", version)
    card.add("N", ";".join(escaped(getattr(contact, part)) for part in _NAME_PARTS))
    card.add_text("FN", contact.display_name)
    card.add_text("NICKNAME", contact.nickname)
    card.add_text("X-PHONETIC-FIRST-NAME", contact.phonetic_given_name)
    card.add_text("X-PHONETIC-LAST-NAME", contact.phonetic_family_name)
    card.add_text("ORG", contact.organization_name)
    card.add_text("TITLE", contact.job_title)
    add_shown_organization(card, contact, ties)
    add_lists(card, contact, version)
    if contact.HasField("birthday"):
        _add_date(card, "BDAY", contact.birthday, version)
    if contact.HasField("anniversary"):
        _add_anniversary(card, contact.anniversary, version)
    card.add_text("NOTE", contact.notes, ";X-PMCRM-BLANK=TRUE" if contact.notes.isspace() else "")
    # Of a PHOTO the reader keeps the beginning, and takes addresses in the web alone: others are pictures, or files.
    if contact.photo_uri.lower().startswith(_WEB_SCHEMES) and len(contact.photo_uri.encode()) < _LONGEST_PHOTO:
        card.add_uri("PHOTO", contact.photo_uri, ";VALUE=uri")
    else:
        card.add_text("X-PMCRM-PHOTO-URI", contact.photo_uri)
    if contact.source_uid:
        card.add_text("UID", contact.source_uid)
    elif contact.id:
        card.add("X-PMCRM-ID", contact.id)
    if contact.HasField("source_create_time"):
        card.add("CREATED", _time(contact.source_create_time, version))
    if contact.HasField("source_update_time"):
        card.add("REV", _time(contact.source_update_time, version))
    _add_own(card, contact)
    add_ties(card, contact, ties)
    return card.lines


def _add_own(card: CardLines, contact: Contact) -> None:
    if contact.keep_in_touch_days:
        card.add("X-PMCRM-KEEP-IN-TOUCH-DAYS", str(contact.keep_in_touch_days))
    if contact.relationship_strength_pinned:
        card.add("X-PMCRM-RELATIONSHIP-STRENGTH", str(contact.relationship_strength))
    if contact.custom_fields.fields:
        fields = json_format.MessageToDict(contact.custom_fields)
        written = json.dumps(fields, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        card.add_text("X-PMCRM-CUSTOM-FIELDS", written)


def _add_date(card: CardLines, name: str, date: PartialDate, version: str, group: str = "") -> None:
    year, month, day = date.year, date.month, date.day
    parameters = ""
    if year == YEAR_OF_THE_UNKNOWN:
        parameters = f";X-PMCRM-YEAR={year}"  # else it would be read as none
    if month and day and version == "4.0":
        written = f"{year:04}{month:02}{day:02}" if year else f"--{month:02}{day:02}"
    elif month and day and year:
        written = f"{year:04}-{month:02}-{day:02}"
    elif month and day:
        # As Apple writes it; to a reader that does not know the parameter it is still a date of 3.0.
        parameters = f";X-APPLE-OMIT-YEAR={YEAR_OF_THE_UNKNOWN}"
        written = f"{YEAR_OF_THE_UNKNOWN}-{month:02}-{day:02}"
    elif year:
        written = f"{year:04}-{month:02}" if month else f"{year:04}"
    else:
        written = f"--{month:02}" if month else f"---{day:02}"
    card.add(name, written, parameters, group)


def _add_anniversary(card: CardLines, date: PartialDate, version: str) -> None:
    if version == "4.0":
        _add_date(card, "ANNIVERSARY", date, version)
        return
    group = card.new_group()
    _add_date(card, "X-ABDATE", date, version, group)
    card.add("X-ABLabel", "_$!<Anniversary>!$_", group=group)


def _time(time: Timestamp, version: str) -> str:
    moment = time.ToDatetime(UTC).replace(tzinfo=None).isoformat()
    return (moment if version == "3.0" else moment.replace("-", "").replace(":", "")) + "Z"
