"""Whether contacts that are about to be made describe people who were erased."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shared import queries
from shared.database import Transaction
from shared.errors import FailedPrecondition
from shared.keys import KeyRing
from shared.suppression.addresses import Columns, addresses_of, hashes_of

QUERIES = queries.load(Path(__file__).parent / "queries")


async def find_suppressed(tx: Transaction, ring: KeyRing | None, records: Sequence[Columns]) -> set[int]:
    """Which of some contacts, by their places, describe somebody who was erased and is not to come back.

    One statement for all of them; none when there are no keys or nothing to look for.
    """
    if ring is None or tx.tenant is None:
        return set()
    asked = [hashes_of(ring, tx.tenant, addresses_of(record)) for record in records]
    everything: set[bytes] = set().union(*asked)
    if not everything:
        return set()
    found = {row["hash"] for row in await tx.fetch(QUERIES["suppressed_hashes"], list(everything))}
    return {place for place, hashes in enumerate(asked) if hashes & found}


async def refuse_suppressed(
    tx: Transaction, ring: KeyRing | None, records: Sequence[Columns], *, of_many: bool
) -> None:
    """Refuses to create contacts that come from somewhere and describe somebody who was erased.

    of_many: whether the error says in `index` which one it is. Raises CONTACT_SUPPRESSED.
    """
    synchronised = [place for place, record in enumerate(records) if record["source_uid"]]
    if not synchronised:
        return
    suppressed = await find_suppressed(tx, ring, [records[place] for place in synchronised])
    if suppressed:
        index = {"index": str(synchronised[min(suppressed)])} if of_many else {}
        raise FailedPrecondition(
            "CONTACT_SUPPRESSED", "the person was erased; RemoveSuppression lets them come back", **index
        )
