"""Puts the tags that records name on their contacts. Imports add tags and take none off."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

from services.contacts.import_records import Outcome, Rehearsal, Stored
from services.contacts.tags import TAGS_OF_A_CONTACT, TAGS_OF_A_TENANT
from shared import queries
from shared.database import Transaction
from shared.errors import ChangedMeanwhile
from shared.ids import new_ids
from shared.imported_record import LeftOut
from shared.name_keys import name_key

QUERIES = queries.load(Path(__file__).parent / "queries")

_TENANT_FULL = LeftOut("tags", "IMPORT_VALUE_LEFT_OUT", f"the tenant has {TAGS_OF_A_TENANT} tags already")
_CONTACT_FULL = LeftOut("tags", "IMPORT_VALUE_LEFT_OUT", f"a contact has at most {TAGS_OF_A_CONTACT} tags")


class TagPlan:
    """Which tags the records of a batch add to which contacts, and which of them are still to be made.

    made: key → name of the tags to make, in the order in which the file names them.
    added: (contact, key of the tag).
    """

    def __init__(self) -> None:
        self.made: dict[str, str] = {}
        self.added: list[tuple[uuid.UUID, str]] = []
        self._ids: dict[str, uuid.UUID] = {}
        self._room = 0
        self._carried: dict[uuid.UUID, set[str]] = {}

    async def make(
        self, tx: Transaction, found: Sequence[tuple[Stored, uuid.UUID]], rehearsal: Rehearsal | None
    ) -> None:
        """Finds out what to do; marks what is changed or cannot be. found: with the contact of each record."""
        named = [(stored, contact_id) for stored, contact_id in found if stored.record.found.categories]
        keys = {name_key(name) for stored, _ in named for name in stored.record.found.categories}
        if not keys:
            return
        self._ids = {row["name_key"]: row["id"] for row in await tx.fetch(QUERIES["imported_tags"], list(keys))}
        rehearsed = rehearsal.tags if rehearsal else set()
        if keys - self._ids.keys() - rehearsed:
            if rehearsal is None:
                await tx.fetch(QUERIES["hold_tenant"])
            self._room = TAGS_OF_A_TENANT - await tx.fetchval(QUERIES["count_living_tags"]) - len(rehearsed)
        existing = [contact_id for stored, contact_id in named if stored.outcome is not Outcome.CREATED]
        if existing:
            for row in await tx.fetch(QUERIES["tags_of_imported"], existing):
                self._carried.setdefault(row["contact_id"], set()).add(row["name_key"])
        for stored, contact_id in named:
            self._plan(stored, contact_id, rehearsed)
        rehearsed |= self.made.keys()

    def _plan(self, stored: Stored, contact_id: uuid.UUID, rehearsed: set[str]) -> None:
        carried = self._carried.setdefault(contact_id, set())
        for name in stored.record.found.categories:
            key = name_key(name)
            if key in carried:
                continue
            if len(carried) >= TAGS_OF_A_CONTACT:
                stored.left_out.append(_CONTACT_FULL)
                return
            if key not in self._ids and key not in rehearsed and key not in self.made:
                if len(self.made) >= self._room:
                    stored.left_out.append(_TENANT_FULL)
                    continue
                self.made[key] = name
            carried.add(key)
            self.added.append((contact_id, key))
            if stored.outcome is Outcome.UNCHANGED:
                stored.outcome = Outcome.UPDATED

    async def write(self, tx: Transaction) -> None:
        """Makes the tags and puts them on the contacts, which are held or new."""
        if self.made:
            ids = new_ids(len(self.made))
            await tx.fetch(QUERIES["import_tags"], ids, list(self.made.values()), list(self.made))
            rows = await tx.fetch(QUERIES["imported_tags"], list(self.made))
            self._ids |= {row["name_key"]: row["id"] for row in rows}
        if not self.added:
            return
        if any(key not in self._ids for _, key in self.added):
            raise ChangedMeanwhile  # another call made a tag that another one deleted
        tags = [self._ids[key] for _, key in self.added]
        if len(await tx.fetch(QUERIES["hold_tags"], list(set(tags)))) < len(set(tags)):
            raise ChangedMeanwhile  # deleted since the look-up
        await tx.fetch(QUERIES["tag_imported"], [contact_id for contact_id, _ in self.added], tags)
