"""Asks the rules for one tenant, and stores what came of it: in one transaction, and one at a time for a tenant."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from services.insights.findings import Asked, Rule
from services.insights.reconciling import (
    Found,
    Known,
    Reconciled,
    Redirects,
    ids_in,
    is_outdated,
    reconcile,
    successors,
)
from services.insights.rules.registry import of_types
from services.insights.wording import Words
from shared import queries
from shared.database import Row, Transaction
from shared.errors import Unauthenticated
from shared.ids import new_ids
from shared.living_contacts import QUERIES as HOLDING
from shared.living_contacts import contact_not_found, processing_restricted

QUERIES = queries.load(Path(__file__).parent / "queries")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be generated.

    rules: all that there are. types: of insights, as InsightType without prefix; none for all.
    contact_ids: only about these; none for all of the tenant's.
    """

    rules: Sequence[Rule]
    types: tuple[str, ...] = ()
    contact_ids: tuple[uuid.UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Wording:
    """Words of the provider, by key of the finding and what its rule says, and the model that made them."""

    model: str
    words: Mapping[tuple[bytes, bytes], Words]


@dataclass(frozen=True, slots=True)
class Generated:
    """What came of it. created: the new insights' ids, the surest first."""

    as_of: datetime
    created: list[uuid.UUID]
    unchanged: int
    superseded: int
    suppressed: int


async def look(tx: Transaction, wish: Wish) -> tuple[datetime, Reconciled]:
    """Asks the rules, and compares what they find with what is known; writes nothing.

    Raises CONTACT_NOT_FOUND, PROCESSING_RESTRICTED.
    """
    contacts = await _standing(tx, wish.contact_ids) if wish.contact_ids else None
    asked_for = await tx.fetchrow(QUERIES["asked_for"])
    if asked_for is None:
        raise Unauthenticated("TENANT_UNKNOWN", "no such tenant")
    as_of: datetime = asked_for["as_of"]
    asked = Asked(as_of, asked_for["time_zone"] or "UTC", contacts)
    found = [
        Found(rule, finding) for rule in of_types(wish.rules, wish.types) for finding in await rule.find(tx, asked)
    ]
    rows = await tx.fetch(QUERIES["known_insights"], list(wish.types) or None, contacts)
    known = [_known(row) for row in rows]
    return as_of, reconcile(found, known, await _merged(tx, ids_in(known, found)), as_of)


async def generate(tx: Transaction, wish: Wish, wording: Wording | None = None) -> Generated:
    """Brings the tenant's insights up to date. Doing it again changes nothing until something new is recorded.

    wording: by whom new insights are worded, where it has words; the others keep their rules'.
    Raises CONTACT_NOT_FOUND, PROCESSING_RESTRICTED.
    """
    await tx.fetch(QUERIES["lock_generating"])
    as_of, reconciled = await look(tx, wish)
    outdated = [(known, found) for known, found in reconciled.kept if is_outdated(known, found, as_of)]
    # Contacts before insights, as whoever deletes or restricts a contact takes hold of its insights afterwards.
    living = await _held(tx, [*reconciled.new, *(found for _, found in outdated)])
    outdated = [(known, found) for known, found in outdated if _named(found) <= living]
    new = [found for found in reconciled.new if _named(found) <= living]
    # In falling order, so that lists of the newest begin with the surest of those that came together.
    ids = new_ids(len(new))[::-1]
    by_id = dict(zip(ids, new, strict=True))
    superseded = await _supersede(tx, reconciled, by_id)
    await _rewrite(tx, outdated, as_of)
    created = await _create(tx, by_id, as_of, wording)
    return Generated(as_of, created, len(reconciled.kept), superseded, len(reconciled.settled))


async def _standing(tx: Transaction, ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """The living contacts that ids stand for."""
    rows = {row["asked"]: row for row in await tx.fetch(QUERIES["standing_contacts"], list(dict.fromkeys(ids)))}
    for asked in ids:
        if asked not in rows or rows[asked]["deleted"]:
            raise contact_not_found(asked)
    for asked in ids:
        if rows[asked]["processing_restricted"]:
            raise processing_restricted(asked)
    return sorted({row["contact_id"] for row in rows.values()})


async def _merged(tx: Transaction, ids: set[uuid.UUID]) -> Redirects:
    rows = await tx.fetch(QUERIES["merged_ids"], sorted(ids)) if ids else []
    return {row["contact_id"]: row["survivor_id"] for row in rows}


async def _held(tx: Transaction, found: Sequence[Found]) -> set[uuid.UUID]:
    """Those contacts named that are what the rules saw, held until the transaction ends."""
    named = sorted(set().union(*map(_named, found)))
    rows = await tx.fetch(HOLDING["lock_contacts"], named) if named else []
    return {row["asked"] for row in rows if row["asked"] == row["contact_id"] and not row["processing_restricted"]}


def _named(found: Found) -> set[uuid.UUID]:
    return {contact for contact, _ in found.contacts}


async def _supersede(tx: Transaction, reconciled: Reconciled, new: Mapping[uuid.UUID, Found]) -> int:
    over = reconciled.over
    if not over:
        return 0
    takers = successors(over, new, (known for known, _ in reconciled.kept))
    return len(await tx.fetch(QUERIES["supersede_insights"], [insight.id for insight in over], takers))


async def _rewrite(tx: Transaction, outdated: Sequence[tuple[Known, Found]], as_of: datetime) -> None:
    if not outdated:
        return
    written = [{"id": known.id, **_columns(found, as_of, None)} for known, found in outdated]
    still_pending = {row["id"] for row in await tx.fetch(QUERIES["rewrite_insights"], written)}
    gone: list[tuple[uuid.UUID, uuid.UUID]] = []
    added: list[tuple[uuid.UUID, uuid.UUID, int | None]] = []
    for known, found in outdated:
        if known.id in still_pending:
            before: dict[uuid.UUID, int | None] = {one: place for place, one in enumerate(known.about, start=1)}
            before |= dict.fromkeys(known.others)
            now = dict(found.contacts)
            gone += [(known.id, one) for one, place in before.items() if one not in now or now[one] != place]
            added += [(known.id, one, place) for one, place in now.items() if one not in before or before[one] != place]
    if gone:
        await tx.fetch(QUERIES["remove_insight_contacts"], *_columns_of(gone, 2))
    if added:
        await tx.fetch(QUERIES["add_insight_contacts"], *_columns_of(added, 3))


async def _create(
    tx: Transaction, new: Mapping[uuid.UUID, Found], as_of: datetime, wording: Wording | None
) -> list[uuid.UUID]:
    if not new:
        return []
    written = [{"id": insight_id, **_columns(found, as_of, wording)} for insight_id, found in new.items()]
    created = {row["id"] for row in await tx.fetch(QUERIES["create_insights"], written)}
    ties = [(i, contact, place) for i, found in new.items() if i in created for contact, place in found.contacts]
    if ties:
        await tx.fetch(QUERIES["add_insight_contacts"], *_columns_of(ties, 3))
    return [insight_id for insight_id in new if insight_id in created]


def _columns(found: Found, as_of: datetime, wording: Wording | None) -> dict[str, object]:
    """What is stored of a finding, for jsonb_to_recordset."""
    finding = found.finding
    words = wording.words.get((found.key, found.said)) if wording is not None else None
    by_provider = wording is not None and words is not None and words.by_provider
    return {
        "as_of": as_of,
        "expires_at": finding.expires_at,
        "confidence": finding.confidence,
        "type": finding.type,
        "rule": found.rule.name,
        "rule_version": found.rule.version,
        "title": words.title if words is not None else finding.title,
        "body": words.body if words is not None else finding.body,
        "wording": "PROVIDER" if by_provider else "RULE",
        "model": wording.model if wording is not None and by_provider else None,
        "said": f"\\x{found.said.hex()}",
        "finding": list(finding.key),
        "finding_key": f"\\x{found.key.hex()}",
        "evidence": [{"type": each.type, "id": each.id, "detail": each.detail} for each in finding.evidence],
    }


def _columns_of(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Rows as arrays, one for each column, for unnest."""
    return [[row[i] for row in rows] for i in range(width)]


def _known(row: Row) -> Known:
    named, about = tuple(row["named"] or ()), row["about"]
    return Known(
        id=row["id"],
        type=row["type"],
        status=row["status"],
        finding=tuple(row["finding"]),
        key=row["finding_key"],
        said=row["said"],
        confidence=row["confidence"],
        expires_at=row["expires_at"],
        withdrawn=row["withdrawn"],
        about=named[:about],
        others=named[about:],
    )
