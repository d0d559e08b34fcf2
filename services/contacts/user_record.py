"""A User message as columns, checked and normalised."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import phonenumbers
from google.protobuf.struct_pb2 import Struct
from pmcrm.contacts.v1.user_pb2 import SubscriptionTier, User

from shared import time_zones
from shared.custom_fields import custom_fields_json
from shared.emails import LONGEST_EMAIL, normal_email
from shared.text import checked_line
from shared.violations import Violations

WRITABLE = frozenset(
    {
        "login_email",
        "display_name",
        "subscription_tier",
        "settings",
        "preferences",
        "time_zone",
        "locale",
        "default_region",
    }
)

NAME_LIMIT = 200

# Well-formed, not registered: language, script, region, variants and extensions as BCP 47 spells them.
LOCALE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,7}", re.ASCII)


@dataclass(frozen=True, slots=True)
class UserRecord:
    """The columns of a user that a caller may write; None where nothing is kept."""

    login_email: str | None
    display_name: str | None
    subscription_tier: str
    settings: dict[str, Any]
    preferences: dict[str, Any]
    time_zone: str
    locale: str
    default_region: str | None


def to_record(user: User, path: str) -> UserRecord:
    """Checks a user. Raises InvalidArgument with every bad field, as `{path}.time_zone`."""
    violations = Violations()
    record = UserRecord(
        login_email=_email(user.login_email, f"{path}.login_email", violations),
        display_name=checked_line(user.display_name, f"{path}.display_name", NAME_LIMIT, violations) or None,
        subscription_tier=_tier(user.subscription_tier, f"{path}.subscription_tier", violations),
        settings=_object(user.settings, f"{path}.settings", violations),
        preferences=_object(user.preferences, f"{path}.preferences", violations),
        time_zone=user.time_zone or "UTC",
        locale=user.locale or "en",
        default_region=user.default_region or None,
    )
    if record.time_zone not in time_zones.names():
        violations.add(f"{path}.time_zone", "must be an IANA time zone such as Europe/Berlin")
    if not LOCALE.fullmatch(record.locale):
        violations.add(f"{path}.locale", "must be a BCP 47 language tag such as de-AT")
    if record.default_region and record.default_region not in phonenumbers.SUPPORTED_REGIONS:
        violations.add(f"{path}.default_region", "must be two letters of ISO 3166-1 such as AT")
    violations.raise_if_any()
    return record


def _tier(value: int, field: str, violations: Violations) -> str:
    if value not in SubscriptionTier.values():
        violations.add(field, "must be one of the tiers")
        return ""
    return SubscriptionTier.Name(value or SubscriptionTier.SUBSCRIPTION_TIER_FREE).removeprefix("SUBSCRIPTION_TIER_")


def _object(value: Struct, field: str, violations: Violations) -> dict[str, Any]:
    return custom_fields_json(value, field, violations) or {}


def _email(value: str, field: str, violations: Violations) -> str | None:
    line = checked_line(value, field, LONGEST_EMAIL, violations)
    if not line:
        return None
    email = normal_email(line)
    if email is None:
        violations.add(field, "must be an e-mail address")
    return email
