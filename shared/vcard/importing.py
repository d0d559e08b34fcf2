"""From the bytes of an address book to the records to store: the whole of reading, for an import to feed.

Everything here only computes, about half a millisecond a card: call it in a thread, not in the event loop.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from shared.errors import InvalidArgument
from shared.imported_record import LeftOut, imported_record
from shared.vcard.card import ParsedCard, parse_card
from shared.vcard.lines import BadCardError
from shared.vcard.splitting import CardSplitter, Failure, RawCard

# Some programs give all their cards the same UID. Beyond so many cards repeated UIDs are no longer looked for, so that
# memory stays bounded (about 20 MB).
MOST_REMEMBERED_UIDS = 100_000


class ImportedCard(NamedTuple):
    """A card as it is to be stored.

    line: the line of the file on which it begins, from 1.
    record: the columns of contacts, `source_uid` and `source_hash` among them; None for what the card does not hold.
    version: `2.1`, `3.0` or `4.0`.
    categories: names of tags.
    left_out: what the card holds and the record does not.
    """

    line: int
    record: dict[str, Any]
    version: str
    categories: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


class CardImporter:
    """Reads an address book chunk by chunk. `feed` and `close` give what was completed, in the order of the file.

    default_region: where phone numbers without a country code are read; '' for nowhere.
    charset: what the caller says that the file is in (a name that `known_charset` gave); '' to find out.
    """

    def __init__(self, default_region: str = "", charset: str = "") -> None:
        self._splitter = CardSplitter(charset)
        self._default_region = default_region
        self._hash_of_uid: dict[bytes, bytes] = {}

    @property
    def charset(self) -> str:
        """The character set that is being read."""
        return self._splitter.charset

    def feed(self, chunk: bytes) -> list[ImportedCard | Failure]:
        """The cards and failures that this chunk of the file completes."""
        return self._imported(self._splitter.feed(chunk))

    def close(self) -> list[ImportedCard | Failure]:
        """The cards and failures that the end of the file completes."""
        return self._imported(self._splitter.close())

    def _imported(self, found: Iterable[RawCard | Failure]) -> list[ImportedCard | Failure]:
        return [part if isinstance(part, Failure) else self._import(part) for part in found]

    def _import(self, raw: RawCard) -> ImportedCard | Failure:
        try:
            card = parse_card(raw)
        except BadCardError as bad:
            return Failure(raw.line, bad.code, str(bad))
        left_out = list(card.left_out)
        if self._is_another_cards_uid(card):
            card.contact.source_uid = ""
            left_out.append(LeftOut("UID", "IMPORT_VALUE_LEFT_OUT", "another card of the file has the same UID"))
        try:
            record, bad_values = imported_record(card.contact, self._default_region)
        except InvalidArgument:
            return Failure(
                raw.line, "IMPORT_RECORD_EMPTY", "the card holds nothing by which its contact could be called"
            )
        record["source_hash"] = card.hash
        return ImportedCard(raw.line, record, card.version, card.categories, (*left_out, *bad_values))

    def _is_another_cards_uid(self, card: ParsedCard) -> bool:
        """Whether an earlier card that says something else has this UID: each import would then undo the other card."""
        if not card.contact.source_uid:
            return False
        key = hashlib.blake2b(card.contact.source_uid.encode(), digest_size=8).digest()
        if len(self._hash_of_uid) >= MOST_REMEMBERED_UIDS and key not in self._hash_of_uid:
            return False
        return self._hash_of_uid.setdefault(key, card.hash) != card.hash
