"""Who is calling: what a request's metadata says, read once and kept in one ContextVar for the whole call."""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field

# The canonical form alone: uuid.UUID would also take braces, a urn: prefix and digits without hyphens.
UUID_FORM = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

# Actor and user agent are kept in the audit log; longer ones are cut there, not refused.
TEXT_LIMIT = 300


@dataclass(slots=True)
class Caller:
    """One RPC's caller.

    request_id: echoed, logged and audited; the caller's own when it sent a UUID, else made here.
    tenants: every value of `x-tenant-id`, unchecked; `shared.tenancy` decides what they mean.
    operator_keys: every value of `x-operator-key`.
    tenant: set once the tenant was accepted.
    default_region: the tenant's, ISO 3166-1; how its phone numbers without a country code are read.
    operator: the call may do what works across tenants.
    client_ip, user_agent, actor: the person behind the calling backend, as far as it says so.
    """

    request_id: str
    tenants: list[str] = field(default_factory=list)
    operator_keys: list[str] = field(default_factory=list)
    tenant: uuid.UUID | None = None
    default_region: str | None = None
    operator: bool = False
    client_ip: str | None = None
    user_agent: str | None = None
    actor: str | None = None


caller: ContextVar[Caller] = ContextVar("caller")


def parse_uuid(text: str) -> uuid.UUID | None:
    """The UUID that a text spells in its canonical form (either case), else None."""
    return uuid.UUID(text) if UUID_FORM.fullmatch(text) else None


def read_metadata(metadata: Iterable[tuple[str, str | bytes]]) -> Caller:
    """The caller that a call's metadata describe. Nothing here fails: an unusable value counts as absent."""
    found = Caller(request_id="")
    for key, value in metadata:
        if not key.startswith("x-") or isinstance(value, bytes):
            continue
        if key == "x-tenant-id":
            found.tenants.append(value)
        elif key == "x-request-id":
            if UUID_FORM.fullmatch(value):
                found.request_id = value.lower()
        elif key == "x-operator-key":
            found.operator_keys.append(value)
        elif key == "x-client-ip":
            found.client_ip = _ip_address(value)
        elif key == "x-client-user-agent":
            found.user_agent = _text(value)
        elif key == "x-actor":
            found.actor = _text(value)
    if not found.request_id:
        found.request_id = str(uuid.uuid4())
    return found


def _text(text: str) -> str | None:
    # Control characters are dropped: PostgreSQL's text cannot hold a NUL, and the others only confuse who reads it.
    return "".join(character for character in text if character.isprintable())[:TEXT_LIMIT] or None


def _ip_address(text: str) -> str | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    # A scope id (fe80::1%eth0) is free text, and inet cannot hold one.
    return None if "%" in str(address) else str(address)
