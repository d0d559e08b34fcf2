"""Seals the audit entries of all tenants that nobody can add to any more.

It can be killed at any moment and run again, and two may run at once: a tenant's chain grows by whole seals, one sealer
of it at a time, and how far all tenants are sealed is noted when they are.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import asyncpg
import structlog

from shared import queries
from shared.audit_chain import MOST, Head, count_for_seal, end_of, make_seal
from shared.audit_entries import entry_hash
from shared.keys import KeyRing
from shared.migrations import SQL
from shared.settings import Settings

log = structlog.get_logger()

STATEMENTS = queries.load(SQL / "maintenance")

Connection: TypeAlias = "asyncpg.Connection[Any]"

# What this process has said once and need not say every minute.
_said: set[str] = set()


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a run has sealed."""

    tenants: int
    entries: int


@dataclass(frozen=True, slots=True)
class _Run:
    """What is the same for all tenants of a run: entries of [start, horizon) are to be sealed."""

    keys: KeyRing
    start: datetime
    horizon: datetime
    now: datetime
    most: int


async def seal_audit_where_possible(conn: Connection, settings: Settings) -> str | None:
    """`seal_audit` for the worker: what it did, for the log. Does nothing without PMCRM_SEAL_KEYS, and says so once."""
    if settings.seal_keys is None:
        if "no keys" not in _said:
            _said.add("no keys")
            log.warning("audit_log_not_sealed", reason="PMCRM_SEAL_KEYS is not set")
        return None
    done = await seal_audit(conn, settings.seal_keys)
    return f"{done.entries} entries of {done.tenants} tenants sealed" if done.entries else None


async def seal_audit(
    conn: Connection,
    keys: KeyRing,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    most: int = MOST,
) -> Sealed:
    """Seals all entries from before the moment before which no further one can appear.

    conn: as pmcrm_service, outside of a transaction.
    progress: told how many tenants are done, and of how many.
    most: entries of one seal.
    """
    asked = await conn.fetchrow(STATEMENTS["audit_horizon"].sql)
    if asked is None:
        raise RuntimeError("app.audit_sealing has no row")
    run = _Run(keys, asked["start"], asked["horizon"], asked["now"], most)
    if run.start >= run.horizon:
        return Sealed(0, 0)
    tenants = await conn.fetch(STATEMENTS["tenants_to_seal"].sql, run.start, run.horizon)
    entries = 0
    for done, (tenant,) in enumerate(tenants, start=1):
        while sealed := await _seal_next(conn, run, tenant):
            entries += sealed
        progress(done, len(tenants))
    await conn.execute(STATEMENTS["sealed_until"].sql, run.horizon)
    return Sealed(len(tenants), entries)


async def _seal_next(conn: Connection, run: _Run, tenant: uuid.UUID) -> int:
    """Adds one seal to a tenant's chain; returns how many entries it covers, 0 when none is left for one."""
    async with conn.transaction():
        await conn.execute(STATEMENTS["lock_seals"].sql, tenant)
        newest = await conn.fetchrow(STATEMENTS["newest_seal"].sql, tenant)
        # What lies before either, and in no seal, was put there later. It stays so, to be found.
        start = run.start if newest is None else max(run.start, newest["horizon"])
        limit = run.most + 1
        while True:
            rows = await conn.fetch(STATEMENTS["entries_to_seal"].sql, tenant, start, run.horizon, limit)
            if not rows:
                return 0
            count = count_for_seal([row["at"] for row in rows], limit - 1)
            if count:
                break
            limit *= 2
        seal = make_seal(
            run.keys.writing,
            tenant,
            None if newest is None else Head(newest["seq"], newest["hash"]),
            [(row["at"], row["id"], entry_hash(tenant, row)) for row in rows[:count]],
            horizon=run.horizon if count == len(rows) else end_of(rows[count - 1]["at"]),
            sealed_at=run.now,
        )
        await conn.execute(
            STATEMENTS["add_seal"].sql,
            tenant,
            seal.seq,
            seal.sealed_at,
            seal.first_at,
            seal.last_at,
            seal.horizon,
            seal.entry_ids,
            seal.entry_hashes,
            seal.previous,
            seal.key_id,
            seal.hash,
        )
    return count
