"""The worker of the embedding queue: what has changed is embedded anew, tenant by tenant.

It can be killed at any point. What it had claimed is due again when its lease ends, and what it wrote is found right.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from pathlib import Path
from weakref import WeakKeyDictionary

import asyncpg
import structlog

from services.insights.embedding.access import Connection, WorkerAccess
from services.insights.embedding.making import BATCH, make
from services.insights.embedding.models import Embedders
from services.insights.embedding.subjects import Subject
from services.insights.embedding.switching import aim, finish
from services.insights.embedding.writing import ModelChanged
from services.insights.provider.failures import ProviderUnavailable
from shared import queries
from shared.database import Transaction
from shared.migrations import SQL
from shared.settings import Settings
from shared.telemetry import where

log = structlog.get_logger()

QUERIES = queries.load(Path(__file__).parent.parent / "queries")
STATEMENTS = queries.load(SQL / "maintenance")

# Longer than a batch takes, with a provider that is slow.
LEASE = timedelta(minutes=5)

# Those of a process's event loop, so that a run knows what the one before it has learned of the provider.
_embedders: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Settings, Embedders]] = WeakKeyDictionary()


async def embed_changes(conn: Connection, settings: Settings, *, lease: timedelta = LEASE) -> int:
    """Embeds what is queued, of all tenants, until nothing is due; returns how many contacts and interactions that was.

    Takes over configured models, and removes embeddings whose permission has ended. Stops early when the provider
    cannot be reached: a later run goes on.
    conn: as pmcrm_service, outside of a transaction. lease: how long claimed subjects are left alone by others.
    """
    embedders = _of_this_loop(settings)
    await conn.execute(STATEMENTS["remove_expired_embeddings"].sql)
    done = 0
    while tenants := await conn.fetch(STATEMENTS["tenants_to_embed"].sql, embedders.configured.name):
        before = done
        # A batch of each in turn, so that none waits for another's thousands.
        for (tenant,) in tenants:
            try:
                done += await _embed_some(conn, tenant, embedders, lease)
            except ProviderUnavailable:
                return done
            except asyncpg.PostgresError as error:
                if conn.is_closed():
                    raise
                log.warning("embedding_failed", tenant=str(tenant), **where(error))
        if done == before:
            break
    return done


async def _embed_some(conn: Connection, tenant: uuid.UUID, embedders: Embedders, lease: timedelta) -> int:
    """One batch of a tenant: how much of the queue it took, or that a change of models has come further."""
    access = WorkerAccess(conn, tenant)
    try:
        towards = await aim(access, embedders)

        async def claim(tx: Transaction) -> dict[Subject, int]:
            rows = await tx.fetch(QUERIES["claim_embeddings"], lease, BATCH)
            return {Subject(row["kind"], row["subject_id"]): row["attempts"] for row in rows}

        claimed = await access.writing(claim)
        if not claimed:
            return int(await finish(access, embedders))
        outcomes = await make(access, towards, list(claimed), failures=claimed)
    except ModelChanged:
        return 0  # another process has begun or ended a change of models; what was claimed is due at the lease's end
    return len(outcomes)


def _of_this_loop(settings: Settings) -> Embedders:
    loop = asyncio.get_running_loop()
    known = _embedders.get(loop)
    if known is None or known[0] is not settings:
        known = _embedders[loop] = (settings, Embedders(settings))
    return known[1]
