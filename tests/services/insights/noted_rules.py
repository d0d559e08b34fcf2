"""Rules for tests of what becomes of findings: they find what contacts' notes say, in the way of any rule."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

from services.insights.findings import Asked, Evidence, Finding, Rule
from shared.database import Transaction
from shared.queries import Query

NOTED = Query(
    "noted_contacts",
    ("uuid", "uuid[]"),
    """
    SELECT id, display_name, notes FROM contacts
    WHERE user_id = $1 AND deleted_at IS NULL AND notes LIKE '[{%' AND ($2::uuid[] IS NULL OR id = ANY ($2))
    """,
    Path(__file__),
)


def note(*findings: dict[str, Any]) -> str:
    """The notes of a contact about whom these are found: see `finding`."""
    return json.dumps(findings)


def finding(kind: str = "OVERDUE", key: str = "1", **more: Any) -> dict[str, Any]:
    """One finding about the contact in whose notes it stands.

    kind: an InsightType without its prefix.
    more: confidence, title, body, days (until it expires), others (further contacts that it is about), evidence (lists
    of type, id and detail; the contact itself when there is none), facts, of (what its key holds beside `key`: the
    contact's id unless it is given).
    """
    return {"type": kind, "key": key, **more}


async def _find(tx: Transaction, asked: Asked, kind: str) -> list[Finding]:
    return [
        _finding(row, said, asked)
        for row in await tx.fetch(NOTED, asked.contact_ids)
        for said in json.loads(row["notes"])
        if said["type"] == kind
    ]


def _finding(row: Any, said: dict[str, Any], asked: Asked) -> Finding:
    evidence = said.get("evidence") or [["CONTACT", str(row["id"]), "says so"]]
    return Finding(
        type=said["type"],
        contact_ids=(row["id"], *map(uuid.UUID, said.get("others", ()))),
        evidence=tuple(Evidence(sort, uuid.UUID(key), detail) for sort, key, detail in evidence),
        key=(said.get("of", str(row["id"])), said["key"]),
        confidence=said.get("confidence", 0.5),
        title=said.get("title", f"Think of {row['display_name']}"),
        body=said.get("body", "It is worth it."),
        expires_at=asked.as_of + timedelta(days=said.get("days", 7)),
        facts=said.get("facts", {}),
    )


def _rule(kind: str) -> Rule:
    async def find(tx: Transaction, asked: Asked) -> list[Finding]:
        return await _find(tx, asked, kind)

    return Rule(name=f"noted_{kind.lower()}", version="1", type=kind, find=find)


RULES = tuple(map(_rule, ("OVERDUE", "BIRTHDAY", "INTRODUCTION")))
