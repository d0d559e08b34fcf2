"""From the bytes of an address book to the records to store: the whole of reading vCards, for an import to feed."""

from __future__ import annotations

from collections.abc import Iterable

from shared.caller import parse_uuid
from shared.errors import InvalidArgument
from shared.imported_record import Failure, ImportedRecord, LeftOut, RepeatedIds, imported_record
from shared.imported_ties import with_checked_ties
from shared.vcard.card import ParsedCard, parse_card
from shared.vcard.lines import BadCardError
from shared.vcard.splitting import CardSplitter, RawCard


class CardImporter:
    """Reads an address book chunk by chunk: a FileImporter.

    default_region: where phone numbers without a country code are read; '' for nowhere.
    charset: what the caller says that the file is in (a name that `known_charset` gave); '' to find out.
    """

    left_out: tuple[LeftOut, ...] = ()

    def __init__(self, default_region: str = "", charset: str = "") -> None:
        self._splitter = CardSplitter(charset)
        self._default_region = default_region
        self._ids = RepeatedIds()
        self._versions: set[str] = set()

    @property
    def charset(self) -> str:
        """The character set that is being read."""
        return self._splitter.charset

    @property
    def dialect(self) -> str:
        """The versions of the cards that were read."""
        return " and ".join(f"vCard {version}" for version in sorted(self._versions))

    def feed(self, chunk: bytes) -> list[ImportedRecord | Failure]:
        """The cards and failures that this chunk of the file completes."""
        return self._imported(self._splitter.feed(chunk))

    def close(self) -> list[ImportedRecord | Failure]:
        """The cards and failures that the end of the file completes."""
        return self._imported(self._splitter.close())

    def _imported(self, found: Iterable[RawCard | Failure]) -> list[ImportedRecord | Failure]:
        return [part if isinstance(part, Failure) else self._import(part) for part in found]

    def _import(self, raw: RawCard) -> ImportedRecord | Failure:
        try:
            card = parse_card(raw)
        except BadCardError as bad:
            return Failure(raw.line, bad.code, str(bad))
        contact = card.contact
        left_out = [*card.left_out, *self._leave_out_another_cards_id(card)]
        contact_id = parse_uuid(contact.id)
        try:
            record, bad_values = imported_record(contact, self._default_region)
        except InvalidArgument:
            return Failure(
                raw.line, "IMPORT_RECORD_EMPTY", "the card holds nothing by which its contact could be called"
            )
        record["source_hash"] = card.hash
        self._versions.add(card.version)
        found = ImportedRecord(raw.line, record, card.categories, (*left_out, *bad_values), contact_id, card.ties)
        return with_checked_ties(found)

    def _leave_out_another_cards_id(self, card: ParsedCard) -> list[LeftOut]:
        contact = card.contact
        if contact.id and self._ids.is_taken(f"X-PMCRM-ID:{contact.id}", card.hash):
            contact.id = ""
        if contact.source_uid and self._ids.is_taken(contact.source_uid, card.hash):
            contact.source_uid = ""
            return [LeftOut("UID", "IMPORT_VALUE_LEFT_OUT", "another card of the file has the same UID")]
        return []
