"""The lists of a contact: e-mails, phones, addresses, URLs and handles, checked and as the JSON that is stored.

An entry is a JSON object keyed as its message's fields, without the empty ones. Entries stay in their order; one that
is equal to an earlier one in everything is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pmcrm.contacts.v1.contact_pb2 import Address, Contact, Email, ImHandle, Phone, Url

from shared import contact_limits as limits
from shared.emails import normal_email
from shared.phones import is_region, read_phone
from shared.text import checked_line, checked_text
from shared.violations import Violations

Entry = dict[str, Any]
Entries = list[Entry] | None

# The parts of an address, and whether they may have several lines (`Main Street 5\nback yard`).
_ADDRESS_PARTS = {
    "street": True,
    "extended_address": True,
    "po_box": False,
    "locality": False,
    "region": False,
    "postal_code": False,
    "country": False,
}


def checked_lists(contact: Contact, default_region: str, path: str, violations: Violations) -> dict[str, Entries]:
    """All lists of a contact by column, None for an empty one."""

    def phone(entry: Phone, where: str, violations: Violations) -> Entry:
        return _phone(entry, default_region, where, violations)

    return {
        "emails": _entries(contact.emails, _email, f"{path}.emails", violations),
        "phones": _entries(contact.phones, phone, f"{path}.phones", violations),
        "addresses": _entries(contact.addresses, _address, f"{path}.addresses", violations),
        "urls": _entries(contact.urls, _url, f"{path}.urls", violations),
        "im_handles": _entries(contact.im_handles, _im_handle, f"{path}.im_handles", violations),
    }


def _entries(
    given: Sequence[Any], check: Callable[[Any, str, Violations], Entry], path: str, violations: Violations
) -> Entries:
    if not given:
        return None
    if len(given) > limits.LIST:
        violations.add(path, f"must have at most {limits.LIST} entries")
        return None
    entries: list[Entry] = []
    for index, message in enumerate(given):
        where = f"{path}[{index}]"
        entry = check(message, where, violations)
        if message.label:
            entry["label"] = checked_line(message.label, f"{where}.label", limits.LABEL, violations)
        if message.primary:
            entry["primary"] = True
        entry = {key: value for key, value in entry.items() if value}
        if entry not in entries:
            entries.append(entry)
    if sum("primary" in entry for entry in entries) > 1:
        violations.add(path, "must have at most one primary entry")
    return entries


def _required_line(value: str, path: str, limit: int, violations: Violations) -> str:
    if not value or value.isspace():
        violations.add(f"{path}.value", "must not be empty")
        return ""
    return checked_line(value, f"{path}.value", limit, violations)


def _email(email: Email, path: str, violations: Violations) -> Entry:
    value = _required_line(email.value, path, limits.EMAIL, violations)
    normal = normal_email(value) if value else ""
    if normal is None:
        violations.add(f"{path}.value", "must be an e-mail address such as ada@example.org")
    return {"value": normal}


def _phone(phone: Phone, default_region: str, path: str, violations: Violations) -> Entry:
    value = _required_line(phone.value, path, limits.PHONE, violations)
    region = checked_region(phone.region, f"{path}.region", violations)
    known = read_phone(value, region, default_region)
    return {"value": value, "region": known.region, "e164": known.e164, "extension": known.extension}


def _address(address: Address, path: str, violations: Violations) -> Entry:
    found_before = len(violations.found)
    entry: Entry = {"value": checked_text(address.value, f"{path}.value", limits.ADDRESS, violations).strip()}
    for part, has_lines in _ADDRESS_PARTS.items():
        value: str = getattr(address, part)
        if value:
            check = checked_text if has_lines else checked_line
            entry[part] = check(value, f"{path}.{part}", limits.ADDRESS_PART, violations).strip()
    entry["country_code"] = checked_region(address.country_code, f"{path}.country_code", violations)
    entry["value"] = entry["value"] or envelope(entry)
    if not entry["value"] and len(violations.found) == found_before:
        violations.add(path, "must have a value or a part of an address")
    return entry


def envelope(parts: Entry) -> str:
    """An address as its parts stand on an envelope, a line each, the town's on one."""
    town = " ".join(filter(None, (parts.get("postal_code"), parts.get("locality"))))
    lines = (
        parts.get("extended_address"),
        parts.get("street"),
        parts.get("po_box"),
        ", ".join(filter(None, (town, parts.get("region")))),
        parts.get("country") or parts.get("country_code"),
    )
    return "\n".join(filter(None, lines))


def _url(url: Url, path: str, violations: Violations) -> Entry:
    return {"value": _required_line(url.value, path, limits.URI, violations)}


def _im_handle(handle: ImHandle, path: str, violations: Violations) -> Entry:
    return {"value": _required_line(handle.value, path, limits.IM_HANDLE, violations)}


def checked_region(code: str, path: str, violations: Violations) -> str:
    """A country code in upper case; '' for none."""
    code = code.strip().upper()
    if code and not is_region(code):
        violations.add(path, "must be a country as two letters of ISO 3166-1, such as GB")
        return ""
    return code
