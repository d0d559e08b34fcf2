"""Integrations and their credentials as they are stored: checked, normalised, mapped back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from pmcrm.interactions.v1.integration_pb2 import Credentials, Integration, IntegrationStatus, SyncState

from shared.custom_fields import custom_fields_json
from shared.name_keys import name_key
from shared.text import checked_line, checked_text, text_problem
from shared.violations import Violations

PROVIDER_LIMIT = 100
ACCOUNT_LIMIT = 320
SCOPES = 100
SCOPE_LIMIT = 500
TOKEN_LIMIT = 16_384
TOKEN_TYPE_LIMIT = 100
EXTRAS = 20
EXTRA_NAME_LIMIT = 100
CURSOR_LIMIT = 16_384
DETAIL_LIMIT = 1_000

STATUS_PREFIX = "INTEGRATION_STATUS_"

# Columns of integration_rows that statements need and answers do not have, and those of its sync state.
BESIDES = frozenset({"user_id", "id_key", "position"})
SYNC_STATE = ("cursor", "last_sync_time", "last_success_time", "failure_count", "version")


@dataclass(frozen=True, slots=True)
class IntegrationRecord:
    """The columns of an integration that a caller chooses; None where nothing is kept.

    account_key: by which a tenant's account with a provider is known again, whatever its case.
    """

    provider: str
    account: str
    account_key: str
    display_name: str | None
    scopes: list[str] | None
    settings: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class SyncRecord:
    """The columns of a sync state."""

    cursor: str | None
    last_sync_at: datetime | None
    last_success_at: datetime | None
    failures: int


def to_record(integration: Integration, path: str, violations: Violations) -> IntegrationRecord:
    """An integration as columns; what is wrong with it is added to the violations."""
    provider = checked_line(integration.provider, f"{path}.provider", PROVIDER_LIMIT, violations)
    account = checked_line(integration.account, f"{path}.account", ACCOUNT_LIMIT, violations)
    for value, name in ((integration.provider, "provider"), (integration.account, "account")):
        if not value.strip():
            violations.add(f"{path}.{name}", "must be given")
    return IntegrationRecord(
        provider=provider.lower(),
        account=account,
        account_key=name_key(account),
        display_name=checked_line(integration.display_name, f"{path}.display_name", ACCOUNT_LIMIT, violations) or None,
        scopes=checked_scopes(integration.scopes, f"{path}.scopes", violations),
        settings=custom_fields_json(integration.settings, f"{path}.settings", violations),
    )


def checked_scopes(scopes: Sequence[str], path: str, violations: Violations) -> list[str] | None:
    """Scopes as the provider words them; None when there are none."""
    if len(scopes) > SCOPES:
        violations.add(path, f"must hold at most {SCOPES}")
        return None
    checked = [checked_line(scope, f"{path}[{i}]", SCOPE_LIMIT, violations) for i, scope in enumerate(scopes)]
    for i, scope in enumerate(scopes):
        if not scope.strip():
            violations.add(f"{path}[{i}]", "must not be empty")
    return checked or None


def check_credentials(credentials: Credentials, path: str, violations: Violations) -> datetime | None:
    """Checks tokens, which are kept as they are, and returns when the access token expires."""
    if not credentials.access_token:
        violations.add(f"{path}.access_token", "must be given")
    for name, limit in (
        ("access_token", TOKEN_LIMIT), ("refresh_token", TOKEN_LIMIT), ("token_type", TOKEN_TYPE_LIMIT),
    ):  # fmt: skip
        _check(getattr(credentials, name), f"{path}.{name}", limit, violations)
    if len(credentials.extra) > EXTRAS:
        violations.add(f"{path}.extra", f"must hold at most {EXTRAS} entries")
    for name, value in credentials.extra.items():
        # Not named by its key: where one secret is, the other may have been put by mistake.
        _check(name, f"{path}.extra", EXTRA_NAME_LIMIT, violations, of="each key ")
        _check(value, f"{path}.extra", TOKEN_LIMIT, violations, of="each value ")
    return checked_time(credentials, "expire_time", f"{path}.expire_time", violations)


def to_sync_record(state: SyncState, path: str, violations: Violations) -> SyncRecord:
    """A sync state as columns; its version is ignored."""
    _check(state.cursor, f"{path}.cursor", CURSOR_LIMIT, violations)
    if state.failure_count < 0:
        violations.add(f"{path}.failure_count", "must not be negative")
    return SyncRecord(
        cursor=state.cursor or None,
        last_sync_at=checked_time(state, "last_sync_time", f"{path}.last_sync_time", violations),
        last_success_at=checked_time(state, "last_success_time", f"{path}.last_success_time", violations),
        failures=state.failure_count,
    )


def checked_status(status: int, path: str, violations: Violations) -> str | None:
    """A status as its column; None when it is not said."""
    if status not in IntegrationStatus.values():
        violations.add(path, "must be one of the statuses")
        return None
    return IntegrationStatus.Name(status).removeprefix(STATUS_PREFIX) if status else None


def checked_detail(detail: str, path: str, violations: Violations) -> str | None:
    """What is wrong, for people; None when it is not said."""
    return checked_text(detail, path, DETAIL_LIMIT, violations) or None


def checked_time(message: Message, name: str, path: str, violations: Violations) -> datetime | None:
    """An optional time; None when it is unset."""
    if not message.HasField(name):
        return None
    time: Timestamp = getattr(message, name)
    try:
        return time.ToDatetime(UTC)
    except (ValueError, OverflowError):
        violations.add(path, "must be a time in the years 1 to 9999")
        return None


def to_integration(row: Mapping[str, Any], grace: timedelta) -> Integration:
    """The integration that a row of integration_rows holds. grace: from its deletion to its purge."""
    values = {name: value for name, value in row.items() if name not in BESIDES}
    state = {name: values.pop(name) for name in SYNC_STATE}
    integration = Integration(**values, sync_state=SyncState(**state))
    if row["delete_time"] is not None:
        integration.purge_time.FromDatetime(row["delete_time"] + grace)
    return integration


def _check(value: str, path: str, limit: int, violations: Violations, of: str = "") -> None:
    problem = text_problem(value, limit)
    if problem is not None:
        violations.add(path, of + problem)
