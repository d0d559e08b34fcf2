"""Insights between the contract and the database: what a request says of them, and the message that a row holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from pmcrm.insights.v1.insight_pb2 import Insight, InsightStatus, InsightType

from shared.violations import Violations

NOTE_LIMIT = 1_000

TYPE = "INSIGHT_TYPE_"
STATUS = "INSIGHT_STATUS_"
EVIDENCE = "EVIDENCE_TYPE_"

# What is purged a while after it is over. What was actioned or dismissed stays, so that it does not come back.
ENDING = {InsightStatus.INSIGHT_STATUS_PENDING: "expire_time", InsightStatus.INSIGHT_STATUS_SUPERSEDED: "resolve_time"}

# Columns of insight_rows, and of a list's page, that are no fields.
_BESIDES = frozenset({"user_id", "id_key", "type_key", "status_key", "evidence", "position"})


def to_insight(row: Mapping[str, Any], grace: timedelta) -> Insight:
    """The message that a row of insight_rows holds. grace: from when it is over until it is purged."""
    insight = Insight(**{name: value for name, value in row.items() if name not in _BESIDES})
    for each in row["evidence"]:
        insight.evidence.add(type=EVIDENCE + each["type"], id=each["id"], detail=each["detail"])
    over = row["delete_time"]
    if over is None and insight.status in ENDING:
        over = row[ENDING[insight.status]]
    if over is not None and over <= datetime.now(UTC):
        insight.purge_time.FromDatetime(over + grace)
    return insight


def named_types(values: Iterable[int], violations: Violations) -> list[str] | None:
    """The types that a request lists, without their prefix; None for any."""
    return _named(InsightType, TYPE, values, "types", violations)


def named_statuses(values: Iterable[int], violations: Violations) -> list[str] | None:
    """The statuses that a request lists, without their prefix; None for any."""
    return _named(InsightStatus, STATUS, values, "statuses", violations)


def _named(
    enum: EnumTypeWrapper, prefix: str, values: Iterable[int], field: str, violations: Violations
) -> list[str] | None:
    given = list(values)
    for i, value in enumerate(given):
        if value not in enum.values():
            violations.add(f"{field}[{i}]", "must be one of the values that the contract names")
    if violations or 0 in given or not given:
        return None
    return sorted({enum.Name(value).removeprefix(prefix) for value in given})
