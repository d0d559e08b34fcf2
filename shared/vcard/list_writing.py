"""Writes the lists of a contact as properties: their labels, preferences, countries and formatted texts."""

from __future__ import annotations

from pmcrm.contacts.v1.contact_pb2 import Address, Contact, Phone

from shared.contact_lists import envelope
from shared.phones import read_phone
from shared.vcard.content_lines import CardLines, parameter
from shared.vcard.labels import APPLES_OWN
from shared.vcard.properties import SERVICES
from shared.vcard.values import escaped

# Labels that TYPEs say, as they are read: in lower case, in this order.
_TYPES: dict[str, tuple[str, ...]] = {"work": ("WORK",), "home": ("HOME",)}
_PHONE_TYPES: dict[str, tuple[str, ...]] = _TYPES | {
    "mobile": ("CELL",),
    "fax": ("FAX",),
    "work fax": ("WORK", "FAX"),
    "home fax": ("HOME", "FAX"),
    "pager": ("PAGER",),
    "main": ("MAIN",),
}
_APPLES_LABELS = {"homepage": "_$!<HomePage>!$_", "other": "_$!<Other>!$_", "mobile": "_$!<Mobile>!$_"}
_SERVICES = frozenset(SERVICES.values())
_ADDRESS_PARTS = ("po_box", "extended_address", "street", "locality", "region", "postal_code", "country")


def add_lists(card: CardLines, contact: Contact, version: str) -> None:
    """Adds a line for each entry, and the lines of its group."""
    internet = ("INTERNET",) if version == "3.0" else ()
    for email in contact.emails:
        parameters, group = _labelled(card, email.label, email.primary, version, always=internet)
        card.add_text("EMAIL", email.value, parameters, group)
    for phone in contact.phones:
        parameters, group = _labelled(card, phone.label, phone.primary, version, _PHONE_TYPES)
        card.add_text("TEL", phone.value, parameters + _of_phone(phone), group)
    for address in contact.addresses:
        _add_address(card, address, version)
    for url in contact.urls:
        parameters, group = _labelled(card, url.label, url.primary, version)
        card.add_uri("URL", url.value, parameters, group)
    for handle in contact.im_handles:
        is_service = handle.label in _SERVICES
        parameters, group = _labelled(card, "" if is_service else handle.label, handle.primary, version)
        if is_service:
            parameters += parameter("X-SERVICE-TYPE" if version == "3.0" else "SERVICE-TYPE", handle.label)
        card.add_uri("IMPP", handle.value, parameters, group)


def _labelled(
    card: CardLines,
    label: str,
    primary: bool,
    version: str,
    known: dict[str, tuple[str, ...]] = _TYPES,
    always: tuple[str, ...] = (),
    group: str = "",
) -> tuple[str, str]:
    """The parameters that say a value's label and preference, and the group whose X-ABLabel says a free label."""
    types = [*always, *known.get(label, ())]
    parameters = ""
    if primary and version == "3.0":
        types.append("PREF")
    if types:
        parameters = ";TYPE=" + ",".join(types if version == "3.0" else [kind.lower() for kind in types])
    if primary and version == "4.0":
        parameters += ";PREF=1"
    if not label or label in known:
        return parameters, group
    group = group or card.new_group()
    if APPLES_OWN.fullmatch(label):
        card.add_text("X-PMCRM-LABEL", label, group=group)
    else:
        card.add("X-ABLabel", _APPLES_LABELS.get(label) or escaped(label), group=group)
    return parameters, group


def _of_phone(phone: Phone) -> str:
    parameters = ";VALUE=text" if phone.value.lower().startswith("tel:") else ""
    if phone.region and not (phone.value.startswith("+") and read_phone(phone.value, "", "").region == phone.region):
        parameters += parameter("X-PMCRM-REGION", phone.region)
    return parameters


def _add_address(card: CardLines, address: Address, version: str) -> None:
    parts = {part: str(getattr(address, part)) for part in _ADDRESS_PARTS}
    is_whole = not any(parts.values())
    text = address.value
    if is_whole:
        parts["street"], text = text, ""
    elif text == envelope({**parts, "country_code": address.country_code}):
        text = ""
    # A parameter's value has no way to write a backslash before an n.
    as_parameter = version == "4.0" and "\\n" not in text
    grouped = (text and not as_parameter) or (address.country_code and version == "3.0")
    group = card.new_group() if grouped else ""
    parameters, group = _labelled(card, address.label, address.primary, version, group=group)
    if is_whole:
        parameters += ";X-PMCRM-WHOLE=TRUE"
    if text and as_parameter:
        parameters += parameter("LABEL", text)
    if address.country_code and version == "4.0":
        parameters += parameter("CC", address.country_code)
    card.add("ADR", ";".join(map(escaped, parts.values())), parameters, group)
    if text and not as_parameter:
        card.add_text("LABEL", text, group=group)
    if address.country_code and version == "3.0":
        card.add("X-ABADR", address.country_code.lower(), group=group)
