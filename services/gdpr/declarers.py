"""Who declares something about the processing of its data: the user, or a contact, whose id may be a merged one's."""

from __future__ import annotations

import uuid
from pathlib import Path

from shared import queries
from shared.database import Transaction
from shared.living_contacts import contact_not_found

QUERIES = queries.load(Path(__file__).parent / "queries")


async def hold_living(tx: Transaction, contact_id: uuid.UUID | None) -> uuid.UUID | None:
    """Holds the user (None) or a living contact until the transaction ends; returns the contact that an id stands for.

    One declaration follows the other while it is held, and nobody merges or deletes the contact. A contact whose
    processing is restricted may declare. Raises CONTACT_NOT_FOUND.
    """
    if contact_id is None:
        return await _hold_alone(tx, None)
    row = await tx.fetchrow(QUERIES["hold_contact"], contact_id)
    if row is None:
        raise contact_not_found(contact_id)
    held: uuid.UUID = row["contact_id"]
    return held


async def hold_existing(tx: Transaction, contact_id: uuid.UUID | None) -> uuid.UUID | None:
    """The same for a contact that may be deleted: it may still withdraw. Raises CONTACT_NOT_FOUND."""
    if contact_id is None:
        return await _hold_alone(tx, None)
    await tx.fetch(QUERIES["hold_contact"], contact_id)
    return await standing_contact(tx, contact_id)


async def hold_anyone(tx: Transaction, contact_id: uuid.UUID | None) -> uuid.UUID | None:
    """The same for a contact of which nothing may be left but its declarations, which then keep its id."""
    if contact_id is not None:
        await tx.fetch(QUERIES["hold_contact"], contact_id)
        row = await tx.fetchrow(QUERIES["standing_contact"], contact_id)
        if row is not None:
            held: uuid.UUID = row["id"]
            return held
    return await _hold_alone(tx, contact_id)


async def standing_contact(tx: Transaction, contact_id: uuid.UUID) -> uuid.UUID:
    """The contact that an id stands for, deleted or not. Raises CONTACT_NOT_FOUND."""
    row = await tx.fetchrow(QUERIES["standing_contact"], contact_id)
    if row is None:
        raise contact_not_found(contact_id)
    found: uuid.UUID = row["id"]
    return found


async def persons_of(tx: Transaction, contact_id: uuid.UUID | None) -> list[uuid.UUID]:
    """Under which ids the user or a contact has declared: a contact's own, and those merged into it."""
    if contact_id is None:
        return [tenant_of(tx)]
    return [row["id"] for row in await tx.fetch(QUERIES["persons_of_contact"], contact_id)]


def tenant_of(tx: Transaction) -> uuid.UUID:
    """The tenant of a transaction, by whose id the user's own declarations are found."""
    if tx.tenant is None:
        raise RuntimeError("the transaction is bound to no tenant")
    return tx.tenant


async def _hold_alone(tx: Transaction, contact_id: uuid.UUID | None) -> uuid.UUID | None:
    await tx.fetch(QUERIES["lock_declarer"], contact_id or tenant_of(tx))
    return contact_id
