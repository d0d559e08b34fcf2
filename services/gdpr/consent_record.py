"""Declarations about the processing of data as they are stored: checked, and mapped back."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pmcrm.gdpr.v1.consent_pb2 import Consent, ConsentType, LegalBasis
from pmcrm.type.v1 import consent_status_pb2 as statuses

from shared.caller import Caller
from shared.text import checked_line, checked_text
from shared.violations import Violations

WORD_LIMIT = 100
IP_ADDRESS_LIMIT = 45
USER_AGENT_LIMIT = 1_000
NOTE_LIMIT = 1_000

TYPE_PREFIX = "CONSENT_TYPE_"
BASIS_PREFIX = "LEGAL_BASIS_"
STATUS_PREFIX = "CONSENT_STATUS_"
PERMISSIONS = frozenset({"CONSENT", "EXPLICIT_CONSENT", "PARENTAL_CONSENT"})

PURPOSE = re.compile(r"[a-z0-9_.-]{1,100}")
TEXT_HASH = re.compile(r"[0-9a-fA-F]{64}")

# Columns of consent_rows that statements need and answers do not have.
BESIDES = frozenset({"user_id", "id_key", "subject_id", "withdrawn_type", "withdrawn", "position"})

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """The columns of a declaration that a caller chooses; None where nothing is kept.

    type, legal_basis: without the prefixes of their enums. text_hash: 32 bytes.
    """

    type: str
    purpose: str
    legal_basis: str
    text_version: str | None
    text_hash: bytes | None
    source: str | None
    ip_address: IpAddress | None
    user_agent: str | None
    note: str | None
    expires_at: datetime | None


def to_record(consent: Consent, path: str, who: Caller, now: datetime) -> ConsentRecord:
    """A declaration as columns. What it does not say of the person's address and program, the caller's metadata may.

    Raises InvalidArgument with every field that breaks a rule.
    """
    violations = Violations()
    kind = checked_type(consent.type, f"{path}.type", violations) or "CONSENT"
    if kind == "WITHDRAWAL":
        violations.add(f"{path}.type", "is recorded by WithdrawConsent alone")
    version = checked_line(consent.text_version, f"{path}.text_version", WORD_LIMIT, violations)
    if kind in PERMISSIONS and not consent.text_version.strip():
        violations.add(f"{path}.text_version", "must be given for a consent")
    agent = checked_line(consent.user_agent, f"{path}.user_agent", USER_AGENT_LIMIT, violations)
    record = ConsentRecord(
        type=kind,
        purpose=checked_purpose(consent.purpose, f"{path}.purpose", violations),
        legal_basis=_checked_basis(consent.legal_basis, f"{path}.legal_basis", violations),
        text_version=version or None,
        text_hash=_checked_hash(consent.text_hash, f"{path}.text_hash", violations),
        source=checked_source(consent.source, f"{path}.source", violations),
        ip_address=_checked_ip_address(consent.ip_address, f"{path}.ip_address", violations) or client_ip(who),
        user_agent=agent or who.user_agent,
        note=checked_note(consent.note, f"{path}.note", violations),
        expires_at=_checked_expiry(consent, f"{path}.expire_time", kind, now, violations),
    )
    violations.raise_if_any()
    return record


def withdrawal_of(row: Mapping[str, Any], source: str | None, note: str | None, who: Caller) -> ConsentRecord:
    """The columns of a declaration that withdraws the one that a row of consent_rows holds."""
    return ConsentRecord(
        type="WITHDRAWAL",
        purpose=row["purpose"],
        legal_basis=row["legal_basis"].removeprefix(BASIS_PREFIX),
        text_version=None,
        text_hash=None,
        source=source,
        ip_address=client_ip(who),
        user_agent=who.user_agent,
        note=note,
        expires_at=None,
    )


def to_consent(row: Mapping[str, Any], at: datetime) -> Consent:
    """The declaration that a row of consent_rows holds. at: the moment for which its status is told."""
    consent = Consent(**{name: value for name, value in row.items() if name not in BESIDES})
    consent.status = status_of(row, at)
    return consent


def status_of(row: Mapping[str, Any], at: datetime) -> statuses.ConsentStatus:
    """What a declaration brings about by itself: nothing, when it withdraws an objection."""
    kind = row["type"].removeprefix(TYPE_PREFIX)
    if kind == "OBJECTION":
        return statuses.CONSENT_STATUS_OBJECTED
    if kind == "WITHDRAWAL":
        of_objection = row["withdrawn_type"] == TYPE_PREFIX + "OBJECTION"
        return statuses.CONSENT_STATUS_UNSPECIFIED if of_objection else statuses.CONSENT_STATUS_WITHDRAWN
    if row["expire_time"] is not None and row["expire_time"] <= at:
        return statuses.CONSENT_STATUS_EXPIRED
    return statuses.CONSENT_STATUS_GRANTED


def purpose_value(text: str, field: str) -> str:
    """A required purpose. Raises InvalidArgument."""
    violations = Violations()
    purpose = checked_purpose(text, field, violations)
    violations.raise_if_any()
    return purpose


def checked_purpose(text: str, path: str, violations: Violations) -> str:
    """A required purpose."""
    if not text:
        violations.add(path, "must be given")
    elif not PURPOSE.fullmatch(text):
        violations.add(path, f"must be 1 to {WORD_LIMIT} lower-case letters, digits, `_`, `-` and `.`")
    return text


def checked_type(value: int, path: str, violations: Violations) -> str | None:
    """A type as its column; None when it is not said."""
    if value not in ConsentType.values():
        violations.add(path, "must be one of the types")
        return None
    return ConsentType.Name(value).removeprefix(TYPE_PREFIX) if value else None


def checked_source(text: str, path: str, violations: Violations) -> str | None:
    """How a declaration was made; None when it is not said."""
    return checked_line(text, path, WORD_LIMIT, violations) or None


def checked_note(text: str, path: str, violations: Violations) -> str | None:
    """More about a declaration; None when there is nothing."""
    return checked_text(text, path, NOTE_LIMIT, violations) or None


def client_ip(who: Caller) -> IpAddress | None:
    """The address of the person behind the calling backend, as far as it says so."""
    return None if who.client_ip is None else ipaddress.ip_address(who.client_ip)


def _checked_basis(value: int, path: str, violations: Violations) -> str:
    if value not in LegalBasis.values():
        violations.add(path, "must be one of the legal bases")
    return LegalBasis.Name(value).removeprefix(BASIS_PREFIX) if value in LegalBasis.values() and value else "CONSENT"


def _checked_hash(text: str, path: str, violations: Violations) -> bytes | None:
    if not text:
        return None
    if not TEXT_HASH.fullmatch(text):
        violations.add(path, "must be a SHA-256 as 64 hexadecimal digits")
        return None
    return bytes.fromhex(text)


def _checked_ip_address(text: str, path: str, violations: Violations) -> IpAddress | None:
    if not text:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        address = None
    # A scope id (fe80::1%eth0) names an interface of one machine, and inet cannot hold one.
    if address is None or "%" in text or len(text) > IP_ADDRESS_LIMIT:
        violations.add(path, "must be an IPv4 or IPv6 address without a scope")
        return None
    return address


def _checked_expiry(consent: Consent, path: str, kind: str, now: datetime, violations: Violations) -> datetime | None:
    if not consent.HasField("expire_time"):
        return None
    if kind not in PERMISSIONS:
        violations.add(path, "is only for a consent")
        return None
    try:
        expires_at = consent.expire_time.ToDatetime(UTC)
    except (ValueError, OverflowError):
        violations.add(path, "must be a time in the years 1 to 9999")
        return None
    if expires_at <= now:
        violations.add(path, "must be in the future")
    return expires_at
