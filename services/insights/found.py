"""What searches have found, read for the answer behind row-level security."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pmcrm.type.v1.contact_summary_pb2 import ContactSummary

from shared import queries
from shared.database import Row, Transaction

QUERIES = queries.load(Path(__file__).parent / "queries")


@dataclass(frozen=True, slots=True)
class Found:
    """Contacts by their ids, and by the ids of interactions those who took part."""

    contacts: dict[uuid.UUID, ContactSummary]
    interactions: dict[uuid.UUID, list[ContactSummary]]


async def read_found(tx: Transaction, matches: Sequence[Row]) -> Found:
    """What these matches are: rows with `id` and `is_contact`. What is gone meanwhile is missing."""
    contacts = [match["id"] for match in matches if match["is_contact"]]
    interactions = [match["id"] for match in matches if not match["is_contact"]]
    return Found(
        {
            row["id"]: ContactSummary(**row["summary"])
            for row in (await tx.fetch(QUERIES["searched_contacts"], contacts) if contacts else ())
        },
        {
            row["id"]: [ContactSummary(**summary) for summary in row["participants"] or ()]
            for row in (await tx.fetch(QUERIES["searched_interactions"], interactions) if interactions else ())
        },
    )
