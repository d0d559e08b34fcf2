"""The parts of a relationship strength, and the interactions behind them, as callers read them."""

from __future__ import annotations

from collections.abc import Sequence

from pmcrm.insights.v1 import relationship_service_pb2 as pb

from shared.database import Row

FACTOR = "STRENGTH_FACTOR_"


def to_parts(row: Row) -> Sequence[pb.StrengthPart]:
    """All three parts of a row of explain_strength, also those that add nothing."""
    interactions, diversity, reciprocity = (
        row["interactions_count"],
        row["diversity_count"],
        row["reciprocity_count"],
    )
    return (
        pb.StrengthPart(
            factor=pb.STRENGTH_FACTOR_INTERACTIONS,
            value=float(row["interactions"]),
            interaction_count=interactions,
            description=(
                f"{_counted(interactions, 'interaction')}, each by its type and direction, the less the longer ago"
                if interactions
                else "Nothing in the last two years"
            ),
        ),
        pb.StrengthPart(
            factor=pb.STRENGTH_FACTOR_DIVERSITY,
            value=float(row["diversity"]),
            interaction_count=diversity,
            description=(
                f"{_counted(diversity, 'more way')} of being in touch than one"
                if diversity
                else "Not in touch in more than one way"
            ),
        ),
        pb.StrengthPart(
            factor=pb.STRENGTH_FACTOR_RECIPROCITY,
            value=float(row["reciprocity"]),
            interaction_count=reciprocity,
            description=("Both sides write, call or invite" if reciprocity else "Nothing that came from both sides"),
        ),
    )


def to_contribution(row: Row) -> pb.StrengthContribution:
    """A row of strength_contributions."""
    return pb.StrengthContribution(
        interaction_id=str(row["interaction_id"]),
        factor=FACTOR + row["factor"],
        value=float(row["value"]),
        weight=float(row["weight"]),
        decay=float(row["decay"]),
        occur_time=row["occurred_at"],
    )


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
