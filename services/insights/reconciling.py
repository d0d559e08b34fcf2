"""Compares what rules find with the insights that are known: what is new, what still holds, what holds no longer."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.insights.findings import Finding, Rule
from shared.caller import parse_uuid

PENDING = "PENDING"

# What expires before so long is prolonged at once where its rule would: rules are asked every day.
AHEAD = timedelta(days=1)

# A confidence that moves by less is not written anew: that is time passing.
CONFIDENCE_STEP = 0.1

_NUMBER = re.compile(r"\d+")

Redirects = Mapping[uuid.UUID, uuid.UUID]


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, and the rule whose it is."""

    rule: Rule
    finding: Finding

    @property
    def contacts(self) -> list[tuple[uuid.UUID, int | None]]:
        """Every contact that it names: whom it is about with their places, from 1; others, as evidence, without."""
        about = {contact: place for place, contact in reversed(list(enumerate(self.finding.contact_ids, start=1)))}
        evidence = (each.id for each in self.finding.evidence if each.type == "CONTACT")
        others = dict.fromkeys(contact for contact in evidence if contact not in about)
        return [*((contact, about[contact]) for contact in dict.fromkeys(self.finding.contact_ids)), *others.items()]

    @property
    def key(self) -> bytes:
        """SHA-256 of what makes it the same finding."""
        return _digest([self.finding.type, *self.finding.key])

    @property
    def said(self) -> bytes:
        """SHA-256 of what it says, of the words all but their numbers."""
        finding = self.finding
        evidence = [[each.type, str(each.id), _NUMBER.sub("#", each.detail)] for each in finding.evidence]
        words = [_NUMBER.sub("#", finding.title), _NUMBER.sub("#", finding.body)]
        about = [str(contact) for contact in finding.contact_ids]
        return _digest([self.rule.name, self.rule.version, about, *words, evidence])


@dataclass(frozen=True, slots=True)
class Known:
    """An insight that is stored and not superseded.

    status: PENDING, ACTIONED or DISMISSED. withdrawn: a contact that it names is deleted.
    about: whom it is about, the one to act on first. others: contacts that are evidence alone.
    """

    id: uuid.UUID
    type: str
    status: str
    finding: tuple[str, ...]
    key: bytes
    said: bytes
    confidence: float
    expires_at: datetime
    withdrawn: bool
    about: tuple[uuid.UUID, ...]
    others: tuple[uuid.UUID, ...]


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What becomes of findings and of insights.

    new: findings that are not known. kept: pending insights with what is found of them now. settled: findings that were
    actioned or dismissed. over: pending insights that no finding confirms.
    """

    new: list[Found]
    kept: list[tuple[Known, Found]]
    settled: list[Found]
    over: list[Known]


def reconcile(found: Iterable[Found], known: Sequence[Known], merged: Redirects, as_of: datetime) -> Reconciled:
    """Tells what becomes of what is found and of what is known.

    merged: contacts' ids that stand for others now; a finding about a merged contact is one about the survivor.
    What has expired and is not found any more is left as it is: it was right in its time.
    """
    by_key: dict[tuple[str, ...], list[Known]] = {}
    for insight in known:
        by_key.setdefault((insight.type, *_standing(insight.finding, merged)), []).append(insight)
    result = Reconciled([], [], [], [])
    confirmed: set[uuid.UUID] = set()
    for each in _distinct(found, merged, as_of):
        same = by_key.get((each.finding.type, *_standing(each.finding.key, merged)), [])
        if any(insight.status != PENDING for insight in same):
            result.settled.append(each)
        elif same:
            # The one with this very key first: no other could be given it.
            keeper = min(same, key=lambda insight: (insight.key != each.key, insight.id))
            result.kept.append((keeper, each))
            confirmed.add(keeper.id)
        else:
            result.new.append(each)
    result.over.extend(
        insight
        for insight in known
        if insight.status == PENDING
        and insight.id not in confirmed
        and not insight.withdrawn
        and insight.expires_at > as_of
    )
    return result


def is_outdated(insight: Known, found: Found, as_of: datetime) -> bool:
    """Whether a pending insight has to be written anew: it says something else now, or is to last longer."""
    finding = found.finding
    if (insight.said, insight.key) != (found.said, found.key):
        return True
    if abs(insight.confidence - finding.confidence) >= CONFIDENCE_STEP:
        return True
    lasts_longer = finding.expires_at > insight.expires_at
    soon = as_of + AHEAD
    return lasts_longer and (insight.expires_at <= as_of or insight.expires_at <= soon < finding.expires_at)


def successors(over: Iterable[Known], new: Mapping[uuid.UUID, Found], kept: Iterable[Known]) -> list[uuid.UUID | None]:
    """By which insight each of those that are over is superseded: one of the same type about the same contacts.

    new: by the ids that they get; kept: those that stay pending.
    """
    takers = {(insight.type, frozenset(insight.about)): insight.id for insight in kept}
    takers |= {(each.finding.type, frozenset(each.finding.contact_ids)): taker for taker, each in new.items()}
    return [takers.get((insight.type, frozenset(insight.about))) for insight in over]


def ids_in(known: Iterable[Known], found: Iterable[Found]) -> set[uuid.UUID]:
    """Whatever could be a contact's id in what makes findings the same."""
    parts = {part for insight in known for part in insight.finding}
    parts.update(part for each in found for part in each.finding.key)
    return {value for value in map(parse_uuid, parts) if value is not None}


def _distinct(found: Iterable[Found], merged: Redirects, as_of: datetime) -> list[Found]:
    """Each finding that is of use yet once, as the rule that is surest says it; in an order that is always the same."""
    best: dict[tuple[str, ...], Found] = {}
    for each in sorted(found, key=lambda each: (-each.finding.confidence, each.rule.name, each.key)):
        if each.finding.expires_at > as_of:
            best.setdefault((each.finding.type, *_standing(each.finding.key, merged)), each)
    return list(best.values())


def _standing(parts: Iterable[str], merged: Redirects) -> list[str]:
    """The parts of a key with survivors' ids in the places of merged contacts'."""
    if not merged:
        return list(parts)
    values = ((part, parse_uuid(part)) for part in parts)
    return [part if value is None else str(merged.get(value, part)) for part, value in values]


def _digest(value: object) -> bytes:
    return hashlib.sha256(json.dumps(value, ensure_ascii=True).encode()).digest()
