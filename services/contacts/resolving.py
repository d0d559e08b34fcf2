"""Which contact an id stands for: the one that has it, or the survivor of a merge.

Hardly any id is a merged one's: where one is looked up, a redirect is asked for only when there is no such contact or
when it has been merged.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

from shared import queries
from shared.database import Row, Transaction

QUERIES = queries.load(Path(__file__).parent / "queries")


async def find_contact(tx: Transaction, contact_id: uuid.UUID) -> Row | None:
    """The row of contact_rows of the contact that an id stands for, deleted or not; None when there is none."""
    row = await tx.fetchrow(QUERIES["get_contact"], contact_id)
    if row is None or row["merged_into_id"] is not None:
        row = await tx.fetchrow(QUERIES["get_contacts_stood_for"], [contact_id])
    return row


async def find_contacts(tx: Transaction, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Row]:
    """The same for several ids, by the id as asked; those that stand for no contact are missing."""
    wanted = set(ids)
    rows = {row["id_key"]: row for row in await tx.fetch(QUERIES["get_contacts"], list(wanted))}
    found = {contact_id: row for contact_id, row in rows.items() if row["merged_into_id"] is None}
    others = list(wanted - found.keys())
    if others:
        found |= {row["asked"]: row for row in await tx.fetch(QUERIES["get_contacts_stood_for"], others)}
    return found


async def lock_living(tx: Transaction, contact_id: uuid.UUID) -> Row | None:
    """The row of the living contact that an id stands for, locked until the transaction ends; None when there is none.

    Whoever waits here for a merge gets the survivor.
    """
    while True:
        row = await tx.fetchrow(QUERIES["lock_contact"], contact_id)
        if row is not None:
            return row
        row = await find_contact(tx, contact_id)
        if row is None or row["delete_time"] is not None:
            return None
        contact_id = row["id_key"]


async def lock_any(tx: Transaction, contact_id: uuid.UUID) -> Row | None:
    """The same for a contact that may be deleted."""
    while True:
        await tx.fetch(QUERIES["lock_any_contact"], contact_id)
        row = await find_contact(tx, contact_id)
        if row is None or row["id_key"] == contact_id:
            return row
        contact_id = row["id_key"]
