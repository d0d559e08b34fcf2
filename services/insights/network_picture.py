"""What a picture of a tenant's network shows: its closest contacts, and what ties them to each other."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared import queries
from shared.database import Transaction

QUERIES = queries.load(Path(__file__).parent / "queries")


@dataclass(frozen=True, slots=True)
class PicturedContact:
    """A contact: its display name, which may be empty, and its strength, 1 to 10."""

    id: uuid.UUID
    name: str
    strength: int


@dataclass(frozen=True, slots=True)
class PicturedLink:
    """A link between two of the contacts. type: as it is stored, such as FRIEND or INTRODUCED_BY."""

    contact_id: uuid.UUID
    related_contact_id: uuid.UUID
    type: str


@dataclass(frozen=True, slots=True)
class Network:
    """contacts: the closest first. links: those between them. total: how many living contacts there are in all."""

    contacts: Sequence[PicturedContact]
    links: Sequence[PicturedLink]
    total: int


async def read_network(tx: Transaction, most: int) -> Network | None:
    """The network of the transaction's tenant, at most so many contacts; None when the user is not there or closed.

    tx: as the insights service, from which restricted contacts are hidden.
    """
    user = await tx.fetchrow(QUERIES["pictured_user"])
    if user is None or user["closed"]:
        return None
    rows = await tx.fetch(QUERIES["pictured_contacts"], most)
    links = await tx.fetch(QUERIES["pictured_links"], [row["id"] for row in rows])
    return Network(
        contacts=[PicturedContact(row["id"], row["display_name"], row["strength"]) for row in rows],
        links=[PicturedLink(row["contact_id"], row["related_contact_id"], row["type"]) for row in links],
        total=rows[0]["total"] if rows else 0,
    )
