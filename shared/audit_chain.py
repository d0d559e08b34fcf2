"""How seals over audit entries are made and chained: each covers a batch of a tenant's entries and the seal before it.

A seal is keyed with a secret that the database does not hold. Who can write to the database can therefore neither make
one nor change what one covers without that showing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from shared.audit_entries import HASH_BYTES, MICROSECOND, counted, moment
from shared.keys import Key

DOMAIN = b"pmcrm audit seal 1\n"

# What the first seal of a tenant follows.
NOTHING = bytes(HASH_BYTES)

# Entries of one seal.
MOST = 1_000

HEAD = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Seal:
    """One seal, as audit_seals keeps it.

    horizon: no entry from before it is in a later seal. entry_hashes: 32 bytes for each of entry_ids.
    """

    seq: int
    sealed_at: datetime
    first_at: datetime
    last_at: datetime
    horizon: datetime
    entry_ids: Sequence[uuid.UUID]
    entry_hashes: bytes
    previous: bytes
    key_id: str
    hash: bytes = b""

    def hash_of(self, place: int) -> bytes:
        """The hash of the entry at a place, from 0."""
        return self.entry_hashes[place * HASH_BYTES : (place + 1) * HASH_BYTES]


class Head(NamedTuple):
    """The end of a chain. It is written `<seq>:<hash in hexadecimal>`."""

    seq: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()}"

    @classmethod
    def parse(cls, text: str) -> Head | None:
        """The head that a text spells; None when it spells none."""
        found = HEAD.fullmatch(text)
        return None if found is None else cls(int(found[1]), bytes.fromhex(found[2]))


def seal_hash(secret: bytes, tenant: uuid.UUID, seal: Seal, *, seq: int | None = None) -> bytes:
    """HMAC-SHA256 over all that a seal says, and over whose it is. seq: another number than it says."""
    return hmac.digest(
        secret,
        b"".join(
            (
                DOMAIN,
                tenant.bytes,
                (seal.seq if seq is None else seq).to_bytes(8, "big", signed=True),
                counted(seal.previous),
                *(moment(at) for at in (seal.sealed_at, seal.first_at, seal.last_at, seal.horizon)),
                counted(seal.key_id.encode()),
                counted(b"".join(entry.bytes for entry in seal.entry_ids)),
                counted(seal.entry_hashes),
            )
        ),
        hashlib.sha256,
    )


def make_seal(
    key: Key,
    tenant: uuid.UUID,
    after: Head | None,
    entries: Sequence[tuple[datetime, uuid.UUID, bytes]],
    *,
    horizon: datetime,
    sealed_at: datetime,
) -> Seal:
    """The seal over entries (time, id, hash), at least one, in their order. after: the seal before; None for none."""
    bare = Seal(
        seq=1 if after is None else after.seq + 1,
        sealed_at=sealed_at,
        first_at=entries[0][0],
        last_at=entries[-1][0],
        horizon=horizon,
        entry_ids=[entry_id for _, entry_id, _ in entries],
        entry_hashes=b"".join(digest for _, _, digest in entries),
        previous=NOTHING if after is None else after.hash,
        key_id=key.id,
    )
    return replace(bare, hash=seal_hash(key.secret, tenant, bare))


def count_for_seal(times: Sequence[datetime], most: int = MOST) -> int:
    """How many of the next entries one seal takes, whose times these are, in order, one more than `most` if there are.

    All are of one month (UTC), since months are archived and dropped whole, and none that follows has the time of the
    last one, so that a seal ends at a moment. 0 when more have to be looked at to tell.
    """
    month = (times[0].year, times[0].month)
    count = next((place for place, at in enumerate(times) if (at.year, at.month) != month), len(times))
    if count > most:
        count = most
        while count and times[count - 1] == times[count]:
            count -= 1
    return count


def end_of(last_at: datetime) -> datetime:
    """The horizon of a seal that others follow at once: just after its last entry."""
    return last_at + MICROSECOND
