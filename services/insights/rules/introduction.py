"""Contacts worth introducing to each other, as RelationshipService.SuggestIntroductions scores them."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from services.insights.findings import Asked, Evidence, Finding, Rule
from services.insights.introductions.suggesting import Suggestion, suggest
from services.insights.rules.days import day_of, end_of, next_step
from services.insights.rules.words import name_of, shortened
from shared import queries
from shared.database import Transaction
from shared.time_zones import time_zone

QUERIES = queries.load(Path(__file__).parents[1] / "queries")

# What an introduction must score to be told of unasked.
WORTH_IT = 0.12

# Introductions of one contact, and of a tenant, that are told of at a time.
MOST_OF_ONE = 3
MOST = 50

# A good match has no end of its own: it is looked at anew every 30 days from here.
COUNTED_FROM = date(2000, 1, 1)

# Characters of what they have in common.
LONGEST_DETAIL = 120

IN_COMMON = {
    "SHARED_TAGS": "tags",
    "SHARED_TOPICS": "topics",
    "SHARED_ORGANIZATION": "organization",
    "SIMILAR_TEXT": "similar descriptions",
}


async def find(tx: Transaction, asked: Asked) -> list[Finding]:
    """The best introductions over a common acquaintance, at most three of each contact.

    Whoever is asked about, all are looked for: what is told of one contact depends on what is told of the others.
    """
    best = _best(await suggest(tx, None))
    if asked.contact_ids is not None:
        wanted = set(asked.contact_ids)
        best = [each for each in best if not wanted.isdisjoint((each.first, each.second))]
    ids = {key for each in best for step in each.path.steps for key in (step.origin, step.target)}
    rows = await tx.fetch(QUERIES["introduction_summaries"], list(ids))
    names = {row["contact_id"]: name_of(row["summary"]["display_name"]) for row in rows}
    return [_finding(each, names, asked) for each in best]


def _best(suggestions: Sequence[Suggestion]) -> list[Suggestion]:
    told: Counter[uuid.UUID] = Counter()
    best: list[Suggestion] = []
    for each in suggestions:
        if each.score < WORTH_IT or len(best) == MOST:
            break
        acquainted = len(each.path.steps) > 1
        if acquainted and max(told[each.first], told[each.second]) < MOST_OF_ONE:
            told.update((each.first, each.second))
            best.append(each)
    return best


def _finding(each: Suggestion, names: dict[uuid.UUID, str], asked: Asked) -> Finding:
    zone = time_zone(asked.time_zone)
    one, other = names[each.first], names[each.second]
    shared = [reason for reason in each.reasons if reason.type != "COMMON_ACQUAINTANCE"]
    details = ", ".join(shortened(reason.detail, LONGEST_DETAIL) for reason in shared)
    evidence = [
        *(Evidence("CONTACT", step.target, "knows both") for step in each.path.steps[:-1]),
        *(
            Evidence(kind, key, shortened(said, LONGEST_DETAIL))
            for reason in each.reasons
            for kind, key, said in reason.evidence
        ),
        *(Evidence(step.tie.kind, step.tie.id, "what connects them") for step in each.path.steps),
        *(Evidence("CONTACT", key, f"in common: {details}") for key in (each.first, each.second)),
    ]
    # A tag or an organization may both be in common and connect them.
    once = {(item.type, item.id): item for item in reversed(evidence)}
    # Which of several interactions connects two is nothing new about them.
    basis = sorted(f"{kind} {key}" for kind, key in once if kind != "INTERACTION")
    between = " and ".join(names[step.target] for step in each.path.steps[:-1])
    return Finding(
        type="INTRODUCTION",
        contact_ids=(each.first, each.second),
        evidence=tuple(reversed(once.values())),
        key=(str(each.first), str(each.second), *basis),
        confidence=round(each.score, 2),
        title=f"{one} and {other} would do well to know each other",
        body=f"{one} and {other} have this in common: {details}. {between} could introduce them.",
        expires_at=end_of(next_step(COUNTED_FROM, day_of(asked.as_of, zone)), zone),
        facts={
            "in_common": ", ".join(IN_COMMON[reason.type] for reason in shared),
            "steps_between": len(each.path.steps),
        },
    )


RULE = Rule(name="introduction", version="1", type="INTRODUCTION", find=find)
