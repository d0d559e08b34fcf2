"""UpdateInteraction: what its request makes of the interaction that is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pmcrm.interactions.v1 import interaction_service_pb2 as pb
from pmcrm.interactions.v1.interaction_pb2 import (
    AnalysisSource,
    Interaction,
    ParticipantRole,
    Sentiment,
    SentimentLabel,
)

from services.interactions.interaction_record import ANALYSED, LABEL, label_of, to_record
from services.interactions.participants import Participant, read_participants
from shared.masks import replace
from shared.violations import Violations

OUTPUT_ONLY_PATHS = frozenset({"sentiment.source"})

# Columns that hold what is given of the fields that are computed otherwise, and what interaction_rows calls them.
GIVEN_COLUMNS = {
    "sentiment": {"sentiment_score": "sentiment_score", "sentiment_label": "sentiment_label"},
    "topics": {"topics": "given_topics"},
    "language": {"language": "given_language"},
}


@dataclass(frozen=True, slots=True)
class Change:
    """What an update leaves.

    record: the columns.
    participants: where it replaces them, else None.
    text: whether what is analysed has changed, so that what was found in it has to be found anew.
    """

    record: dict[str, Any]
    participants: list[Participant] | None
    text: bool


def change_of(
    request: pb.UpdateInteractionRequest, row: Mapping[str, Any], current: Interaction, paths: Sequence[str]
) -> Change:
    """The interaction as the update leaves it. Raises InvalidArgument.

    row, current: the stored interaction, as a row of interaction_rows and as a message.
    paths: what the update writes.
    """
    paths = [path for path in paths if path not in OUTPUT_ONLY_PATHS]
    changed = Interaction()
    changed.CopyFrom(current)
    replace(changed, request.interaction, paths)
    if "sentiment.label" not in paths and "sentiment.score" in paths and _is_derived(current.sentiment):
        # A derived label follows the score.
        changed.sentiment.label = SentimentLabel.SENTIMENT_LABEL_UNSPECIFIED
    violations = Violations()
    record = to_record(changed, "interaction", violations)
    for field in ANALYSED:
        if not _gives(field, request, current, row, paths):
            record.update({column: row[shown] for column, shown in GIVEN_COLUMNS[field].items()})
    participants = None
    if "participants" in paths and _attendance(changed) != _attendance(current):
        participants = read_participants(changed, "interaction", violations)
    violations.raise_if_any()
    for column in ("computed_language", "computed_sentiment", "computed_topics"):
        record[column] = row[column]
    before = (row["subject"], row["body"], row["given_language"])
    text = (record["subject"], record["body"], record["language"]) != before
    return Change(record, participants, text)


def _gives(
    field: str,
    request: pb.UpdateInteractionRequest,
    current: Interaction,
    row: Mapping[str, Any],
    paths: Sequence[str],
) -> bool:
    """Whether the update gives a field that is computed otherwise, or clears what was given.

    A caller that sends back a whole interaction without naming the field does not mean to give the computed one.
    """
    if not any(path.partition(".")[0] == field for path in paths):
        return False
    if any(path.partition(".")[0] == field for path in request.update_mask.paths):
        return True
    computed = all(row[shown] is None for shown in GIVEN_COLUMNS[field].values())
    return not computed or _shown(field, request.interaction) != _shown(field, current)


def _shown(field: str, interaction: Interaction) -> Any:
    if field == "sentiment":
        sentiment = interaction.sentiment
        return interaction.HasField("sentiment"), sentiment.score, sentiment.label
    return list(interaction.topics) if field == "topics" else interaction.language


def _is_derived(sentiment: Sentiment) -> bool:
    return sentiment.source != AnalysisSource.ANALYSIS_SOURCE_GIVEN or SentimentLabel.Name(
        sentiment.label
    ) == LABEL + label_of(sentiment.score)


def _attendance(interaction: Interaction) -> list[tuple[str, str, ParticipantRole]]:
    """Who takes part and how. Those who do already may go on, whatever has become of them meanwhile."""
    return [(given.WhichOneof("who") or "", given.contact_id.lower(), given.role) for given in interaction.participants]
