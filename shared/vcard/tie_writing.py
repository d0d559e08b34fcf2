"""Writes what hangs on a contact: its tags, its employments, and its ties to other contacts.

Each employment and each tie has a line of ours that says all of it. What stands beside them is for other programs: the
organization where the contact works now, when its own card text names none, and a RELATED for each tie.
"""

from __future__ import annotations

from pmcrm.contacts.v1.contact_pb2 import Contact

from shared.caller import parse_uuid
from shared.contact_ties import Relation, Ties, as_text, employment_json, relation_json
from shared.vcard import ties as reading
from shared.vcard.content_lines import CardLines

_TYPES = {
    "SPOUSE": "spouse",
    "PARTNER": "sweetheart",
    "SIBLING": "sibling",
    "RELATIVE": "kin",
    "FRIEND": "friend",
    "ACQUAINTANCE": "acquaintance",
    "COLLEAGUE": "colleague",
    "NEIGHBOR": "neighbor",
    "PARENT": "parent",
    "CHILD": "child",
}
_RFC_6350_WORDS = frozenset({"contact", "muse", "crush", "me", "agent", "emergency"})


def add_shown_organization(card: CardLines, contact: Contact, ties: Ties) -> None:
    """Adds where the contact works now, for other programs, unless its card text says it."""
    if contact.organization_name or not ties.employments or not contact.current_organization.name:
        return
    shown = contact.current_organization
    card.add_text("ORG", shown.name, f";{reading.SHOWN}=TRUE")
    if not contact.job_title:
        card.add_text("TITLE", shown.job_title, f";{reading.SHOWN}=TRUE")


def add_ties(card: CardLines, contact: Contact, ties: Ties) -> None:
    """Adds a line for each employment, or one that says that there is none, and two for each tie."""
    for employment in ties.employments:
        card.add_text(reading.EMPLOYMENT, as_text(employment_json(employment)))
    if ties.has_history and not ties.employments and _shows_an_organization(contact):
        card.add(reading.EMPLOYMENT, "null")  # else it would be read as one
    for relation in ties.relations:
        card.add_uri("RELATED", _reference(relation), f";TYPE={_type(relation)};{reading.SAID_BESIDE}=TRUE")
        card.add_text(reading.LINK, as_text(relation_json(relation)))


def _shows_an_organization(contact: Contact) -> bool:
    return bool(contact.organization_name) or any("ORG" in line.upper() for line in contact.extra_properties)


def _type(relation: Relation) -> str:
    if relation.type == "OTHER":
        return relation.label if relation.label in _RFC_6350_WORDS else "x-other"
    return _TYPES.get(relation.type) or "x-" + relation.type.lower().replace("_", "-")


def _reference(relation: Relation) -> str:
    """The other card's UID as a URI, as far as it is one."""
    uid = relation.uid or str(relation.contact_id)
    return f"urn:uuid:{uid}" if parse_uuid(uid) else uid
