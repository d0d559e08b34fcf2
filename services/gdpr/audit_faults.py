"""What is wrong with an audit log, by the first thing at fault: an entry, a seal, or what a whole seal covers."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from shared.audit_chain import Seal
from shared.audit_entries import entry_hash, is_emptied, payload_digest

Row = Mapping[str, Any]

# Their inserting and deleting are told without values.
WITHOUT_VALUES = frozenset({"INSERT", "DELETE"})


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """The first thing at fault.

    problem: a value of AuditProblem without its prefix. detail: the same in words, without any value of an entry.
    seal: the number of the seal at fault, or that covers the entry; 0 where there is none.
    """

    problem: str
    detail: str
    entry_id: uuid.UUID | None = None
    seal: int = 0


class Found(Exception):
    """Ends a verification at its first fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.detail)
        self.fault = fault


@dataclasses.dataclass(frozen=True, slots=True)
class Window:
    """What a seal covers, and what stands there now.

    rows: entries from after the seal before until this one's horizon, at most one more than the seal covers.
    named: all that the seal covers, wherever it stands now.
    """

    tenant: uuid.UUID
    seal: Seal
    rows: Sequence[Row]
    named: Sequence[Row]


def payload_fault(row: Row, unjust: uuid.UUID | None, seal: int) -> Fault | None:
    """What is wrong with the values of an entry whose metadata are right.

    unjust: the first entry that is said to be erased, and that no erasure names. seal: which covers it; 0 for none.
    """
    unsealed = "" if seal else ", and no seal covers it yet"
    changed = Fault(
        "ENTRY_CHANGED", f"the entry's values are not those that it was written with{unsealed}", row["id"], seal
    )
    missing = Fault(
        "PAYLOAD_MISSING", f"the entry's values are gone, and no erasure names it{unsealed}", row["id"], seal
    )
    if row["salt"] is None:
        if row["erased_by"] is None or row["id"] == unjust:
            return missing
        return None if is_emptied(row) else changed
    if row["erased_by"] is None and payload_digest(row) == row["digest"]:
        return None
    gone = row["old_values"] is None and row["new_values"] is None and row["action"] not in WITHOUT_VALUES
    return missing if gone else changed


def metadata_fault(tenant: uuid.UUID, row: Row, sealed_hash: bytes, seal: int) -> Fault | None:
    """What is wrong with everything else of an entry that stands where it was sealed."""
    if entry_hash(tenant, row) == sealed_hash:
        return None
    return Fault("ENTRY_CHANGED", "the entry is not as it was when it was sealed", row["id"], seal)


def misplaced(window: Window) -> Fault | uuid.UUID:
    """What is wrong where other entries stand than a seal covers; an entry's id when that depends on who covers it.

    Then `intruder` decides.
    """
    seal = window.seal
    place = next(
        (n for n, (row, sealed) in enumerate(zip(window.rows, seal.entry_ids, strict=False)) if row["id"] != sealed),
        min(len(window.rows), len(seal.entry_ids)),
    )
    found = window.rows[place]["id"] if place < len(window.rows) else None
    if place == len(seal.entry_ids):
        # All that is covered is there, and something after it.
        return _duplicate(window, place) if found in seal.entry_ids else window.rows[place]["id"]
    wanted = seal.entry_ids[place]
    if wanted not in {row["id"] for row in window.named}:
        if found is not None and _renamed(window, place):
            return Fault("ENTRY_CHANGED", f"the entry has another id now, {found}", wanted, seal.seq)
        return Fault("ENTRY_MISSING", "the entry was sealed, and is not there", wanted, seal.seq)
    if found is None:
        return _moved(wanted, seal.seq)
    if found not in seal.entry_ids:
        return uuid.UUID(int=found.int)
    if found in {row["id"] for row in window.rows[:place]}:
        return _duplicate(window, place)
    changed = _changed(window)
    # Of two that have changed places neither is what it was; of one that was moved, the others are.
    return _moved(changed[0], seal.seq) if len(changed) == 1 else reordered(wanted, seal.seq)


def intruder(window: Window, entry_id: uuid.UUID, covered_by: int | None) -> Fault:
    """What is wrong where an entry stands that this seal does not cover. covered_by: which seal does; None for none."""
    if covered_by is None:
        return inserted(entry_id, window.seal.seq)
    out = [entry for entry in _changed(window) if entry not in {row["id"] for row in window.rows}]
    # Another one went where it came from.
    return reordered(out[0], window.seal.seq) if out else _moved(entry_id, covered_by)


def inserted(entry_id: uuid.UUID, seal: int = 0) -> Fault:
    """An entry too many. seal: the number of the seal that covers the entries around it; 0 after the newest one."""
    return Fault("ENTRY_INSERTED", "the entry lies before what is sealed, and no seal covers it", entry_id, seal)


def reordered(entry_id: uuid.UUID, seal: int) -> Fault:
    """An entry in whose place another sealed one stands."""
    return Fault("ENTRIES_REORDERED", "entries do not stand in the order in which they were sealed", entry_id, seal)


def _moved(entry_id: uuid.UUID, seal: int) -> Fault:
    return Fault("ENTRY_CHANGED", "the entry has another time than when it was sealed", entry_id, seal)


def _duplicate(window: Window, place: int) -> Fault:
    return inserted(window.rows[place]["id"], window.seal.seq)


def _renamed(window: Window, place: int) -> bool:
    as_sealed = dict(window.rows[place]) | {"id": window.seal.entry_ids[place]}
    return entry_hash(window.tenant, as_sealed) == window.seal.hash_of(place)


def _changed(window: Window) -> list[uuid.UUID]:
    """The entries of a seal that are not what they were, in its order."""
    sealed = {entry: window.seal.hash_of(place) for place, entry in enumerate(window.seal.entry_ids)}
    now = {row["id"]: entry_hash(window.tenant, row) for row in window.named}
    return [entry for entry in window.seal.entry_ids if now.get(entry) not in (None, sealed[entry])]
