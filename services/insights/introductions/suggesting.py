"""Finds the introductions worth making, of a tenant or of one of its contacts."""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.insights.embedding.models import model_in_use
from services.insights.introductions.likings import Reason, alike, weighed
from services.insights.introductions.network import Network
from services.insights.introductions.pairs import Candidate, candidates
from services.insights.introductions.paths import Path
from services.insights.introductions.reading import QUERIES, people_around, people_of_tenant, read_network
from shared.database import Transaction

Pair = tuple[uuid.UUID, uuid.UUID]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two contacts who would do well to know each other, the asked one first, else the smaller id.

    score: 0 to 1, the sum of the reasons' weights.
    """

    first: uuid.UUID
    second: uuid.UUID
    score: float
    reasons: list[Reason]
    path: Path

    @property
    def id(self) -> str:
        """The same for the same two, whichever is first."""
        return ":".join(sorted((str(self.first), str(self.second))))


async def suggest(tx: Transaction, contact_id: uuid.UUID | None) -> list[Suggestion]:
    """The introductions of a contact, or of the contacts closest to the user; best first, by their ids among equals."""
    ids = await people_of_tenant(tx) if contact_id is None else await people_around(tx, contact_id)
    network = await read_network(tx, ids)
    model = await model_in_use(tx)
    found = await asyncio.to_thread(candidates, network, contact_id, with_texts=model is not None)
    cosines: dict[Pair, float] = {}
    if model is not None and found:
        rows = await tx.fetch(
            QUERIES["likeness_of_pairs"],
            [each.one for each in found],
            [each.other for each in found],
            model.name,
            model.dimensions,
        )
        cosines = {(row["one"], row["other"]): row["cosine"] for row in rows}
    met = await tx.fetch(QUERIES["people_who_met"], list({key for each in found for key in (each.one, each.other)}))
    acquainted = {frozenset((row["one"], row["other"])) for row in met}
    strangers = [each for each in found if frozenset((each.one, each.other)) not in acquainted]
    return await asyncio.to_thread(_ranked, strangers, cosines, network)


def _ranked(found: Sequence[Candidate], cosines: Mapping[Pair, float], network: Network) -> list[Suggestion]:
    suggestions = []
    for each in found:
        reasons = [*each.reasons, *alike(cosines.get((each.one, each.other)))]
        if any(reason.type != "COMMON_ACQUAINTANCE" for reason in reasons):
            told = weighed(reasons, network.people[each.one], network.people[each.other])
            score = min(1.0, math.fsum(reason.weight for reason in told))
            suggestions.append(Suggestion(each.one, each.other, score, told, each.path))
    return sorted(suggestions, key=lambda each: (-each.score, each.id))
