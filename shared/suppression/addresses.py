"""By what erased people are known again: keyed hashes of their e-mail addresses and E.164 numbers.

A hash tells nothing without its key, which the database does not hold. Names are never hashed: others have the same.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.keys import Key, KeyRing

EMAIL = "EMAIL"
PHONE = "PHONE"

# A contact as columns: `emails` and `phones` are lists of objects, or None.
Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Address:
    """By what somebody is known again. kind: EMAIL or PHONE; value: normalised, so that one mailbox has one value."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What is stored of an address. hash: 32 bytes."""

    kind: str
    key_id: str
    hash: bytes


def email_address(email: str) -> Address:
    """The address of an e-mail as contacts hold it, its domain in lower case already. Look-ups ignore case."""
    return Address(EMAIL, email.casefold())


def phone_address(e164: str) -> Address:
    """The address of a number in E.164."""
    return Address(PHONE, e164)


def addresses_of(record: Columns) -> list[Address]:
    """By what the person whom a contact's columns describe is known again; numbers without E.164 are left out."""
    emails = [email_address(entry["value"]) for entry in record.get("emails") or () if entry.get("value")]
    return emails + [phone_address(entry["e164"]) for entry in record.get("phones") or () if entry.get("e164")]


def entries_of(ring: KeyRing, tenant: uuid.UUID, addresses: Iterable[Address]) -> list[Entry]:
    """What to store of addresses, each once: by the ring's writing key."""
    return [_entry(ring.writing, tenant, address) for address in dict.fromkeys(addresses)]


def hashes_of(ring: KeyRing, tenant: uuid.UUID, addresses: Iterable[Address]) -> set[bytes]:
    """Under what addresses may be stored: by every key of the ring."""
    return {_entry(key, tenant, address).hash for address in addresses for key in ring}


def _entry(key: Key, tenant: uuid.UUID, address: Address) -> Entry:
    # The tenant's id has a fixed length, and a kind no NUL: nothing else makes the same message.
    message = tenant.bytes + address.kind.encode() + b"\x00" + address.value.encode()
    return Entry(address.kind, key.id, hmac.digest(key.secret, message, hashlib.sha256))
