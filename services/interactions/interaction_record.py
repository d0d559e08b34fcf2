"""The interaction record: an Interaction message as the columns of table interactions, checked, and back."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Any

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.timestamp_pb2 import Timestamp
from pmcrm.interactions.v1.interaction_pb2 import (
    AnalysisSource,
    Interaction,
    InteractionDirection,
    InteractionType,
    Sentiment,
    SentimentLabel,
)

from services.interactions import interaction_limits as limits
from shared.caller import parse_uuid
from shared.custom_fields import custom_fields_json
from shared.fields import UUID_WANTED
from shared.text import checked_line, checked_text
from shared.violations import Violations

TYPE = "INTERACTION_TYPE_"
DIRECTION = "INTERACTION_DIRECTION_"
LABEL = "SENTIMENT_LABEL_"

# From here on an interaction feels good; from its negative down, bad.
LEAST_FEELING = 0.05

WRITABLE = frozenset(
    {
        *("type", "direction", "occur_time", "duration", "subject", "body", "location", "channel", "participants"),
        *("sentiment", "topics", "language", "custom_fields", "source_uid", "thread_uid", "integration_id"),
    }
)

# What is computed where it is not given.
ANALYSED = ("sentiment", "topics", "language")

# Columns of interaction_rows that the answer shows under other names, or not at all.
_BESIDES = frozenset(
    {
        *("user_id", "id_key", "participants", "sentiment_score", "sentiment_label", "computed_sentiment"),
        *("given_topics", "computed_topics", "given_language", "computed_language", "matched_fields"),
    }
)

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)


def to_record(interaction: Interaction, path: str, violations: Violations) -> dict[str, Any]:
    """The columns of an interaction but for its participants; None for what it does not have.

    What is analysed (sentiment, topics, language) is taken as given.
    path: how the request names the interaction (`requests[3].interaction`).
    """
    sentiment = _sentiment(interaction, f"{path}.sentiment", violations)
    record = {
        "type": named(InteractionType, TYPE, interaction.type, f"{path}.type", violations),
        "direction": named(InteractionDirection, DIRECTION, interaction.direction, f"{path}.direction", violations),
        "occurred_at": _time(interaction, f"{path}.occur_time", violations),
        "duration": _duration(interaction, f"{path}.duration", violations),
        "body": checked_text(interaction.body, f"{path}.body", limits.BODY, violations) or None,
        "sentiment_score": sentiment[0],
        "sentiment_label": sentiment[1],
        "topics": _topics(interaction, f"{path}.topics", violations),
        "language": _language(interaction.language, f"{path}.language", violations),
        "custom_fields": custom_fields_json(interaction.custom_fields, f"{path}.custom_fields", violations),
        "integration_id": None,
    }
    for field, limit in (
        ("subject", limits.SUBJECT),
        ("location", limits.LOCATION),
        ("channel", limits.CHANNEL),
        ("source_uid", limits.SOURCE_UID),
        ("thread_uid", limits.THREAD_UID),
    ):
        record[field] = checked_line(getattr(interaction, field), f"{path}.{field}", limit, violations) or None
    if record["type"] is None and not interaction.type:
        violations.add(f"{path}.type", "must be given")
    if interaction.integration_id:
        record["integration_id"] = parse_uuid(interaction.integration_id)
        if record["integration_id"] is None:
            violations.add(f"{path}.integration_id", UUID_WANTED)
    return record


def to_interaction(row: Mapping[str, Any], grace_days: int) -> Interaction:
    """The interaction that a row of interaction_rows holds.

    grace_days: how long after its deletion an interaction is purged; the source of purge_time.
    """
    interaction = Interaction(**{key: value for key, value in row.items() if value is not None and key not in _BESIDES})
    for participant in row["participants"] or ():
        interaction.participants.add(**participant)
    if row["sentiment_score"] is not None:
        _show_sentiment(
            interaction, row["sentiment_score"], row["sentiment_label"], AnalysisSource.ANALYSIS_SOURCE_GIVEN
        )
    elif row["computed_sentiment"] is not None:
        score = row["computed_sentiment"]
        _show_sentiment(interaction, score, label_of(score), AnalysisSource.ANALYSIS_SOURCE_LOCAL)
    if row["given_topics"] is not None:
        interaction.topics.extend(row["given_topics"])
        interaction.topics_source = AnalysisSource.ANALYSIS_SOURCE_GIVEN
    elif row["computed_topics"] is not None:
        interaction.topics.extend(row["computed_topics"])
        interaction.topics_source = AnalysisSource.ANALYSIS_SOURCE_LOCAL
    interaction.language = row["given_language"] or row["computed_language"] or ""
    if row["delete_time"] is not None:
        interaction.purge_time.FromDatetime(row["delete_time"] + timedelta(days=grace_days))
    return interaction


def named(enum: EnumTypeWrapper, prefix: str, value: int, field: str, violations: Violations) -> str | None:
    """The name of an enum's value as it is stored, without its prefix; None for the unspecified one."""
    if not value:
        return None
    if value not in enum.values():
        violations.add(field, "must be one of the values of the contract")
        return None
    return enum.Name(value).removeprefix(prefix)


def label_of(score: float) -> str:
    """In a word how a score from -1 to 1 feels, as it is stored."""
    if score <= -LEAST_FEELING:
        return "NEGATIVE"
    return "POSITIVE" if score >= LEAST_FEELING else "NEUTRAL"


def _show_sentiment(interaction: Interaction, score: float, label: str, source: AnalysisSource) -> None:
    interaction.sentiment.CopyFrom(Sentiment(score=score, label=LABEL + label, source=source))


def _sentiment(interaction: Interaction, field: str, violations: Violations) -> tuple[float | None, str | None]:
    if not interaction.HasField("sentiment"):
        return None, None
    score = interaction.sentiment.score
    if not math.isfinite(score) or not -1 <= score <= 1:
        violations.add(f"{field}.score", "must be a number from -1 to 1")
        return None, None
    label = named(SentimentLabel, LABEL, interaction.sentiment.label, f"{field}.label", violations)
    return score, label or label_of(score)


def _topics(interaction: Interaction, field: str, violations: Violations) -> list[str] | None:
    if len(interaction.topics) > limits.TOPICS:
        violations.add(field, f"must have at most {limits.TOPICS} topics")
        return None
    topics = []
    for i, topic in enumerate(interaction.topics):
        checked = checked_line(topic, f"{field}[{i}]", limits.TOPIC, violations)
        if not topic.strip():
            violations.add(f"{field}[{i}]", "must not be empty")
        topics.append(checked)
    return list(dict.fromkeys(topics)) or None


def _language(tag: str, field: str, violations: Violations) -> str | None:
    if tag and (len(tag) > limits.LANGUAGE or not _LANGUAGE.fullmatch(tag)):
        violations.add(field, "must be a BCP 47 tag such as en or pt-BR")
        return None
    return tag or None


def _time(interaction: Interaction, field: str, violations: Violations) -> Any:
    if not interaction.HasField("occur_time"):
        return None
    time: Timestamp = interaction.occur_time
    try:
        return time.ToDatetime(UTC)
    except (ValueError, OverflowError):
        violations.add(field, "must be a time in the years 1 to 9999")
        return None


def _duration(interaction: Interaction, field: str, violations: Violations) -> str | None:
    """The duration as PostgreSQL reads it, to the microsecond."""
    if not interaction.HasField("duration"):
        return None
    seconds, nanos = interaction.duration.seconds, interaction.duration.nanos
    longest = int(limits.LONGEST.total_seconds())
    if seconds < 0 or not 0 <= nanos < 1_000_000_000 or seconds > longest or (seconds == longest and nanos):
        violations.add(field, f"must be 0 to {limits.LONGEST.days} days")
        return None
    return f"{seconds * 1_000_000 + nanos // 1000} microseconds"
