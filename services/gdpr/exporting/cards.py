"""The contacts as vCards, which every address book reads."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from services.gdpr.exporting.archive import Entry
from services.gdpr.exporting.reading import QUERIES, Subject
from services.gdpr.exporting.threads import in_thread
from shared.contact_record import to_contact
from shared.database import Row, Transaction
from shared.exported_ties import ExportedTies
from shared.vcard.writing import CardWriter

# Columns that a Contact does not have.
_BESIDES = frozenset({"user_id", "id_key", "strengths_key", "sort_name", "last_contact_order"})


async def write_cards(tx: Transaction, subject: Subject, entry: Entry) -> None:
    """Writes a card for each living contact, or for the one that is exported."""
    writer = CardWriter("4.0")
    after = uuid.UUID(int=0)

    def write(rows: Sequence[Row], ties: ExportedTies) -> None:
        entry.write(b"".join(writer.written(to_contact(row, _BESIDES), ties.of(row["id_key"])) for row in rows))

    while rows := await tx.fetch(QUERIES["export_cards"], subject.survivor, after):
        ties = await ExportedTies().read(tx, [row["id_key"] for row in rows], show_deleted=False)
        await in_thread(write, rows, ties)
        after = rows[-1]["id_key"]
