"""Generates the insights of every active tenant, one after the other: a periodic task.

It can be stopped at any time; what is done stays done, and doing it again changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import asyncpg
import structlog
from pmcrm.insights.v1 import insight_service_pb2 as pb

from services.insights.findings import Rule
from services.insights.generating import Wish, generate
from services.insights.rules.registry import registered
from shared import queries
from shared.caller import Caller, caller
from shared.database import Database, Transaction
from shared.errors import Unavailable, UnknownOutcome
from shared.metrics import Metrics
from shared.migrations import SQL
from shared.pool import Pool
from shared.settings import Settings, SettingsError
from shared.telemetry import where

log = structlog.get_logger()

STATEMENTS = queries.load(SQL / "maintenance")

TENANTS_AT_ONCE = 500
FIRST = uuid.UUID(int=0)

ROLE = "pmcrm_insights"

# Who did it, in the audit log.
ACTOR = "pmcrm maintenance generate-insights"

Connection: TypeAlias = "asyncpg.Connection[Any]"


class TenantsFailed(Exception):
    """Insights of some tenants were not generated; the log says whose and why. Those of the others were."""


@dataclass(slots=True)
class Totals:
    """What came of it, over all tenants. failed: tenants whose insights are as they were."""

    tenants: int = 0
    created: int = 0
    superseded: int = 0
    failed: int = 0


async def generate_for_all(
    conn: Connection,
    settings: Settings,
    progress: Callable[[int, int], None] = lambda done, total: None,
    rules: Sequence[Rule] | None = None,
) -> Totals:
    """Generates the insights of all active tenants, in a transaction for each.

    conn: as pmcrm_service, which knows the tenants. The rules are asked as pmcrm_insights, from whom contacts are
    hidden whose processing is restricted. progress: told how many tenants are done, and of how many about.
    Raises ConnectionError when the database is gone, SettingsError when DATABASE_URL is not set or is somebody else's.
    """
    wish = Wish(registered() if rules is None else rules)
    database = await _as_insights(settings)
    totals = Totals()
    try:
        total: int = await conn.fetchval(STATEMENTS["active_tenants"].sql)
        after = FIRST
        while tenants := await conn.fetch(STATEMENTS["active_tenants_after"].sql, after, TENANTS_AT_ONCE):
            for (tenant,) in tenants:
                await _generate_for(database, tenant, wish, totals)
                totals.tenants += 1
                progress(totals.tenants, max(totals.tenants, total))
            after = tenants[-1]["id"]
    finally:
        await database.close()
    return totals


async def generate_where_possible(conn: Connection, settings: Settings) -> str:
    """`generate_for_all` for the worker: what it did, for the log. Does nothing without DATABASE_URL.

    Raises TenantsFailed when some tenants' insights were not generated.
    """
    try:
        settings.database_url_for("insights")
    except SettingsError:
        return "nothing, as DATABASE_URL is not set"
    totals = await generate_for_all(conn, settings)
    if totals.failed:
        raise TenantsFailed(f"insights of {totals.failed} of {totals.tenants} tenants were not generated")
    return f"{totals.created} created, {totals.superseded} superseded"


async def _generate_for(database: Database, tenant: uuid.UUID, wish: Wish, totals: Totals) -> None:
    async def effect(tx: Transaction) -> pb.GenerateInsightsResponse:
        done = await generate(tx, wish)
        return pb.GenerateInsightsResponse(created=len(done.created), superseded=done.superseded)

    set_before = caller.set(Caller(request_id=str(uuid.uuid4()), tenant=tenant, actor=ACTOR))
    try:
        answer = await database.claim(None, pb.GenerateInsightsResponse, effect)
    except (Unavailable, UnknownOutcome) as error:
        raise ConnectionError("the connection was lost") from error
    except Exception as error:  # noqa: BLE001 - whatever fails for one tenant, the others have theirs
        totals.failed += 1
        log.error("insights_not_generated", tenant=str(tenant), **where(error))
    else:
        totals.created += answer.created
        totals.superseded += answer.superseded
    finally:
        caller.reset(set_before)


async def _as_insights(settings: Settings) -> Database:
    url = settings.database_url_for("insights")
    conn = await asyncpg.connect(url, timeout=10, statement_cache_size=0)
    try:
        role: str = await conn.fetchval(STATEMENTS["login_role"].sql)
    finally:
        await conn.close()
    if role != ROLE:
        # Any other sees too little, or what it must not see.
        raise SettingsError(f"DATABASE_URL logs in as {role}, and insights are generated as {ROLE}.")
    pool = Pool(url, size=1, keeps_statements=settings.statement_cache, name="pmcrm_generate_insights")
    return Database(pool, Metrics("insights"))
