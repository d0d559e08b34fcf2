"""Takes hold of the contacts that a call names before it hangs anything on them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

from shared import queries
from shared.database import Transaction
from shared.errors import FailedPrecondition, NotFound

QUERIES = queries.load(Path(__file__).parent / "statements")


async def hold_contacts(tx: Transaction, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """Locks living contacts until the transaction ends: the id as asked → the contact that it stands for.

    The id of a merged contact stands for the one that survived. Nobody merges, deletes or changes the contacts while
    they are held, and what counts against a limit of theirs can be counted.
    Raises CONTACT_NOT_FOUND for the first id that stands for no living contact, else PROCESSING_RESTRICTED for the
    first whose contact's processing is restricted.
    """
    rows = {row["asked"]: row for row in await tx.fetch(QUERIES["lock_contacts"], list(set(ids)))}
    for asked in ids:
        if asked not in rows:
            raise contact_not_found(asked)
    for asked in ids:
        if rows[asked]["processing_restricted"]:
            raise processing_restricted(asked)
    return {asked: row["contact_id"] for asked, row in rows.items()}


def contact_not_found(contact_id: uuid.UUID) -> NotFound:
    """What a caller hears about a contact that its tenant does not have, whoever else may have it."""
    return NotFound("CONTACT_NOT_FOUND", f"no contact {contact_id}", id=str(contact_id))


def processing_restricted(contact_id: uuid.UUID) -> FailedPrecondition:
    """What a caller hears whose call a restriction of processing (GDPR Art. 18) forbids."""
    return FailedPrecondition(
        "PROCESSING_RESTRICTED", f"the processing of contact {contact_id} is restricted", id=str(contact_id)
    )
