"""What a rule finds: the beginning of an insight, before it is compared with those that are there already."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that a finding rests on.

    type: the name of an EvidenceType without its prefix, such as INTERACTION. detail: what it says, in a few words.
    """

    type: str
    id: uuid.UUID
    detail: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something worth knowing or doing, as a rule sees it now.

    type: the name of an InsightType without its prefix, such as LOSING_TOUCH.
    contact_ids: whom it is about, living contacts, the one to act on first.
    evidence: what it rests on, the weightiest first.
    key: what makes it the same finding when the rule is asked again: ids and dates that it rests on, never words and
        never anything that changes by time alone, such as a number of days.
    confidence: how sure the rule is, 0 to 1.
    title, body: in the rule's own words. Title: one line, at most 200 characters; body: at most 2 000.
    expires_at: when it is of no use any more.
    facts: what the body says, without anybody's name, for a provider that words it anew: a few words or numbers each.
    """

    type: str
    contact_ids: tuple[uuid.UUID, ...]
    evidence: tuple[Evidence, ...]
    key: tuple[str, ...]
    confidence: float
    title: str
    body: str
    expires_at: datetime
    facts: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """For what rules are asked.

    as_of: the moment. time_zone: IANA name of the user's zone, in which days begin.
    contact_ids: only findings about one of these living contacts; None for all of the tenant's.
    """

    as_of: datetime
    time_zone: str
    contact_ids: Sequence[uuid.UUID] | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A way to find insights of one type.

    name: as in Insight.rule, such as `losing_touch`. version: changes whenever it would find something else or say it
    otherwise. find: reads in the transaction and returns what it finds, in no order; it never writes.
    """

    name: str
    version: str
    type: str
    find: Callable[[Transaction, Asked], Awaitable[list[Finding]]]
