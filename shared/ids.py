"""UUIDs of version 7 (RFC 9562) for rows whose id must be known before the statement runs."""

from __future__ import annotations

import os
import time
import uuid


def new_ids(count: int) -> list[uuid.UUID]:
    """So many new ids in rising order: rows of one batch keep its order.

    48 bits of milliseconds, 12 bits of the millisecond's fraction counting up within the batch, 62 random bits; the
    same layout as the database's app.uuid_v7().
    """
    start = time.time_ns() * 4096 // 1_000_000
    return [_from(start + i) for i in range(count)]


def _from(ticks: int) -> uuid.UUID:
    milliseconds, fraction = divmod(ticks, 4096)
    random_bits = int.from_bytes(os.urandom(8)) >> 2
    return uuid.UUID(int=(milliseconds << 80) | (0x7 << 76) | (fraction << 64) | (0b10 << 62) | random_bits)
