"""Has the provider word what GenerateInsights will find: before the transaction that stores it, none open meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from services.insights.generating import Wish, Wording, look
from services.insights.provider.patience import patience
from services.insights.provider.writer import ProviderWriter
from services.insights.reconciling import Found
from services.insights.wording import Outcome, worded
from shared import queries
from shared.database import Database, Transaction
from shared.idempotency import Claim

QUERIES = queries.load(Path(__file__).parent / "queries")

# As many as the answer shows; further ones keep their rules' words.
MOST = 100


async def word_ahead(
    database: Database, writer: ProviderWriter, wish: Wish, claim: Claim | None, seconds: float | None
) -> tuple[Wording | None, Outcome]:
    """The provider's words for the surest of what is new, and what the provider had to do with it.

    claim: of a request that may have been answered already; the provider is not asked again for it.
    seconds: for how long the provider is asked at most; None: no bound.
    Raises CONTACT_NOT_FOUND, PROCESSING_RESTRICTED, REQUEST_ID_REUSED.
    """
    async with database.reading() as tx:
        if claim is not None and await claim.kept(tx) is not None:
            return None, "NOT_ASKED"
        _, reconciled = await look(tx, wish)
        sendable = await _sendable(tx, reconciled.new[:MOST])
        about = sorted({contact for found in sendable for contact in found.finding.contact_ids})
        rows = await tx.fetch(QUERIES["names_of_contacts"], about) if about else []
    findings = [found.finding for found in sendable]
    with patience(seconds):
        answer = await worded(writer, findings, {row["id"]: row["display_name"] for row in rows}, about)
    words = {(found.key, found.said): said for found, said in zip(sendable, answer.words, strict=True)}
    return Wording(writer.name, words), answer.outcome


async def _sendable(tx: Transaction, new: Sequence[Found]) -> list[Found]:
    """Those findings of which something may be sent: every contact that they name has consented, and everybody who
    took part in the interactions that they rest on."""
    meetings = {each.id for found in new for each in found.finding.evidence if each.type == "INTERACTION"}
    there: dict[object, set[object]] = {}
    for row in await tx.fetch(QUERIES["who_took_part"], sorted(meetings)) if meetings else []:
        there.setdefault(row["interaction_id"], set()).add(row["contact_id"])
    concerned = [
        {contact for contact, _ in found.contacts}.union(*(there.get(each.id, ()) for each in found.finding.evidence))
        for found in new
    ]
    everybody = list(set().union(*concerned))
    rows = await tx.fetch(QUERIES["sendable_contacts"], everybody) if everybody else []
    permitted = {row["contact_id"] for row in rows}
    return [found for found, contacts in zip(new, concerned, strict=True) if contacts <= permitted]
