"""Checks a tenant's audit log against its seals: a walk over both, in their order, that ends at the first fault.

The seals are the measure: each says which entries stand between the one before and its own horizon. Nothing is held in
memory but a few seals and what they cover, and what takes time is done beside the event loop.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from pmcrm.gdpr.v1 import audit_service_pb2 as pb

from services.gdpr.audit_faults import (
    Fault,
    Found,
    Window,
    inserted,
    intruder,
    metadata_fault,
    misplaced,
    payload_fault,
)
from shared import queries
from shared.audit_chain import NOTHING, Head, Seal, seal_hash
from shared.database import Transaction
from shared.keys import KeyRing

QUERIES = queries.load(Path(__file__).parent / "queries")

Row = Mapping[str, Any]

# Entries, and seals, that are read at once.
AT_ONCE = 2_000
MOST_SEALS = 100
FIRST = -(2**63)

# How many numbers further a seal is looked for that was given another one.
RENUMBERED_BY = 100


class Dropped(NamedTuple):
    """A month that was dropped at the end of its time, as an entry says: `2019-04`, and the seals that covered it."""

    month: str
    first_seq: int
    last_seq: int


class Verification:
    """One check of one tenant's log.

    tx: a snapshot, as pmcrm_gdpr or pmcrm_service. expected: a head that was kept elsewhere.
    progress: told how many entries were checked since it was told before.
    """

    def __init__(
        self,
        tx: Transaction,
        tenant: uuid.UUID,
        keys: KeyRing,
        expected: Head | None = None,
        *,
        progress: Callable[[int], None] = lambda checked: None,
        at_once: int = AT_ONCE,
    ) -> None:
        self._tx = tx
        self._tenant = tenant
        self._keys = keys
        self._expected = expected
        self._progress = progress
        self._at_once = at_once
        self._head: Head | None = None
        self._horizon: datetime | None = None
        self._dropped: list[Dropped] = []
        self._unjust: uuid.UUID | None = None
        self._found = pb.VerifyAuditLogResponse()

    async def run(self) -> pb.VerifyAuditLogResponse:
        """What the check found. Tampering is an answer, not an error."""
        found = self._found
        try:
            await self._look_around()
            await self._check_seals()
            self._check_expected()
            await self._check_unsealed()
            found.valid = True
        except Found as end:
            told = pb.VerifyAuditLogResponse(
                problem=f"AUDIT_PROBLEM_{end.fault.problem}",
                problem_detail=end.fault.detail,
                first_invalid_entry_id=str(end.fault.entry_id or ""),
                first_invalid_seal=end.fault.seal,
            )
            found.MergeFrom(told)
        newest = await self._tx.fetchrow(QUERIES["last_seal"])
        if newest is not None:
            found.head = str(Head(newest["seq"], newest["hash"]))
            if newest["last_at"] is not None:
                found.sealed_until_time.FromDatetime(newest["last_at"])
        horizon = None if newest is None else newest["horizon"]
        found.unsealed_entries = await self._tx.fetchval(QUERIES["count_entries_from"], horizon)
        return found

    async def _look_around(self) -> None:
        """What has to be known before the walk begins."""
        beyond = await self._tx.fetchval(QUERIES["entry_beyond_time"])
        if beyond is not None:
            raise Found(Fault("ENTRY_INSERTED", "the entry has a time that no clock tells", beyond))
        seq = await self._tx.fetchval(QUERIES["seal_beyond_time"])
        if seq is not None:
            raise Found(Fault("SEAL_INVALID", "the seal has a time that no clock tells", None, seq))
        rows = await self._tx.fetch(QUERIES["dropped_months"])
        self._dropped = [month for row in rows if (month := _dropped_month(row["dropped"])) is not None]
        unjust = await self._tx.fetchval(QUERIES["unjustly_emptied"])
        self._unjust = None if unjust is None else uuid.UUID(unjust)

    async def _check_seals(self) -> None:
        after, limit = FIRST, 2
        while rows := await self._tx.fetch(QUERIES["seals_after"], after, limit):
            seals = [Seal(**row) for row in rows]
            after = seals[-1].seq
            # Of large seals few are read at once, of small ones many.
            entries = sum(len(seal.entry_ids) for seal in seals)
            limit = max(1, min(MOST_SEALS, self._at_once * len(seals) // max(1, entries)))
            start = self._horizon
            sound, fault = await asyncio.to_thread(self._sound, seals)
            for group in self._groups(sound):
                await self._check_covered(group, start)
                start = group[-1].horizon
            if fault is not None:
                raise Found(fault)

    def _groups(self, seals: Sequence[Seal]) -> Iterator[list[Seal]]:
        """Seals by so many as cover what is read at once, or one that covers more."""
        group: list[Seal] = []
        entries = 0
        for seal in seals:
            if group and entries + len(seal.entry_ids) > self._at_once:
                yield group
                group, entries = [], 0
            group.append(seal)
            entries += len(seal.entry_ids)
        if group:
            yield group

    def _sound(self, seals: Sequence[Seal]) -> tuple[list[Seal], Fault | None]:
        """The seals that follow from those before, up to the first that does not, and what is wrong with that."""
        sound: list[Seal] = []
        for seal in seals:
            fault = self._seal_fault(seal)
            if fault is not None:
                return sound, fault
            self._head, self._horizon = Head(seal.seq, seal.hash), seal.horizon
            sound.append(seal)
        return sound, None

    def _seal_fault(self, seal: Seal) -> Fault | None:
        following = 1 if self._head is None else self._head.seq + 1
        if seal.seq != following:
            return Fault("SEAL_MISSING", f"seal {following} is not there", None, following)
        secret = self._keys.find(seal.key_id)
        if secret is None:
            return Fault("KEY_UNKNOWN", "the seal was made with a key that the server does not have", None, seal.seq)
        if not _is_made_of_ids(seal) or not hmac.compare_digest(seal_hash(secret, self._tenant, seal), seal.hash):
            if _is_made_of_ids(seal) and self._was_renumbered(secret, seal):
                return Fault("SEAL_MISSING", "the seal is not there, and later ones have moved up", None, seal.seq)
            return Fault("SEAL_INVALID", "the seal does not follow from its key and its content", None, seal.seq)
        if seal.previous != (NOTHING if self._head is None else self._head.hash):
            return Fault("SEAL_INVALID", "the seal does not follow from the seal before it", None, seal.seq)
        if self._expected is not None and self._expected.seq == seal.seq and self._expected.hash != seal.hash:
            return Fault("HEAD_MISSING", "the chain has another seal with the number of the head", None, seal.seq)
        return None

    def _was_renumbered(self, secret: bytes, seal: Seal) -> bool:
        return any(
            hmac.compare_digest(seal_hash(secret, self._tenant, seal, seq=seq), seal.hash)
            for seq in range(seal.seq + 1, seal.seq + RENUMBERED_BY + 1)
        )

    def _check_expected(self) -> None:
        if self._expected is not None and (self._head is None or self._head.seq < self._expected.seq):
            end = "is empty" if self._head is None else f"ends with seal {self._head.seq}"
            raise Found(Fault("HEAD_MISSING", f"the chain {end}, before the head", None, self._expected.seq))

    async def _check_covered(self, seals: Sequence[Seal], start: datetime | None) -> None:
        """Checks what seals cover that follow one another. start: the horizon of the one before."""
        there = [seal for seal in seals if not self._is_dropped(seal)]
        wanted = [entry for seal in there for entry in seal.entry_ids]
        rows = await self._between(start, seals[-1].horizon, len(wanted) + 1)
        if [row["id"] for row in rows] == wanted:
            await asyncio.to_thread(self._check_rows, there, rows)
            for seal in seals:
                if self._is_dropped(seal):
                    self._count_dropped(seal)
            return
        for seal in seals:
            await self._check_alone(seal, start)
            start = seal.horizon

    async def _check_alone(self, seal: Seal, start: datetime | None) -> None:
        rows = await self._between(start, seal.horizon, len(seal.entry_ids) + 1)
        if [row["id"] for row in rows] == list(seal.entry_ids):
            await asyncio.to_thread(self._check_rows, [seal], rows)
            return
        named = await self._tx.fetch(QUERIES["entries_named"], seal.entry_ids)
        if not named and self._is_dropped(seal):
            if rows:
                raise Found(inserted(rows[0]["id"], seal.seq))
            self._count_dropped(seal)
            return
        window = Window(self._tenant, seal, rows, named)
        fault = await asyncio.to_thread(misplaced, window)
        if isinstance(fault, uuid.UUID):
            covered_by = await self._tx.fetchval(QUERIES["seal_covering"], fault)
            fault = await asyncio.to_thread(intruder, window, fault, covered_by)
        raise Found(fault)

    def _check_rows(self, seals: Sequence[Seal], rows: Sequence[Row]) -> None:
        """Checks entries that stand where they were sealed, one after the other."""
        left = iter(rows)
        for seal in seals:
            for place in range(len(seal.entry_ids)):
                row = next(left)
                fault = metadata_fault(self._tenant, row, seal.hash_of(place), seal.seq)
                fault = fault or payload_fault(row, self._unjust, seal.seq)
                if fault is not None:
                    raise Found(fault)
                self._found.entries_checked += 1
                self._found.erased_entries += row["erased_by"] is not None
            self._found.seals_checked += 1
        self._progress(len(rows))

    def _count_dropped(self, seal: Seal) -> None:
        self._found.dropped_entries += len(seal.entry_ids)
        self._found.seals_checked += 1

    async def _check_unsealed(self) -> None:
        """Checks what no seal protects yet: it has its own digests, and cannot be older than what all tenants have."""
        sealed_until = await self._tx.fetchval(QUERIES["sealed_until"])
        at, entry_id = None, None
        while rows := await self._tx.fetch(QUERIES["entries_from"], self._horizon, at, entry_id, self._at_once):
            await asyncio.to_thread(self._check_tail, rows, sealed_until)
            at, entry_id = rows[-1]["at"], rows[-1]["id"]

    def _check_tail(self, rows: Sequence[Row], sealed_until: datetime | None) -> None:
        for row in rows:
            if sealed_until is not None and row["at"] < sealed_until:
                raise Found(inserted(row["id"]))
            fault = payload_fault(row, self._unjust, 0)
            if fault is not None:
                raise Found(fault)
        self._progress(len(rows))

    async def _between(self, start: datetime | None, end: datetime, limit: int) -> list[Row]:
        return await self._tx.fetch(QUERIES["entries_between"], start, end, limit)

    def _is_dropped(self, seal: Seal) -> bool:
        month = f"{seal.first_at:%Y-%m}"
        return any(each.month == month and each.first_seq <= seal.seq <= each.last_seq for each in self._dropped)


def _is_made_of_ids(seal: Seal) -> bool:
    return all(isinstance(entry, uuid.UUID) for entry in seal.entry_ids)


def _dropped_month(text: str | None) -> Dropped | None:
    """What an entry says of a dropped month; None when it says nothing that can be understood."""
    try:
        said = json.loads(text or "null")
        month, first, last = said["month"], said["first_seq"], said["last_seq"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(month, str) or not isinstance(first, int) or not isinstance(last, int):
        return None
    return Dropped(month, first, last)
