"""VACUUM and REINDEX, as pmcrm_owner: table by table and index by index, while everything else goes on.

Either can be stopped at any time. An index that was being made is removed by the next run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import asyncpg
import structlog

from shared import queries
from shared.migrations import SQL
from shared.settings import Settings, SettingsError

log = structlog.get_logger()

STATEMENTS = queries.load(SQL / "maintenance")

VACUUM = "vacuum"
REINDEX = "reindex"

# Rather than be in the way of those who write: what could not be done is done by the next run.
PATIENCE = {"lock_timeout": "10s", "statement_timeout": "0"}

Connection: TypeAlias = "asyncpg.Connection[Any]"
Progress: TypeAlias = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """Tells nobody of the progress."""


async def vacuum(settings: Settings, *, dry_run: bool = False, progress: Progress = silent) -> list[str]:
    """Vacuums and analyses all tables of ours; returns their names.

    progress: told how many are done, and of how many.
    Raises SettingsError when DATABASE_URL_OWNER is not set.
    """
    return await _run(settings, VACUUM, dry_run, progress)


async def reindex(settings: Settings, *, dry_run: bool = False, progress: Progress = silent) -> list[str]:
    """Makes every index of ours anew, and removes what interrupted runs left; returns the names; as `vacuum`."""
    return await _run(settings, REINDEX, dry_run, progress)


async def vacuum_where_possible(_: Connection, settings: Settings) -> str | None:
    """`vacuum` where DATABASE_URL_OWNER is known, for the worker; elsewhere nothing. Returns what was done."""
    return f"{len(await vacuum(settings))} tables" if _is_possible(settings) else None


async def reindex_where_possible(conn: Connection, settings: Settings) -> str | None:
    """`reindex` where DATABASE_URL_OWNER is known, for the worker; elsewhere nothing. Returns what was done.

    The first run of all does nothing: a new database has nothing to make anew, and one that starts has other work.
    """
    [last] = await conn.fetch(STATEMENTS["task_runs"].sql, [REINDEX])
    if last["succeeded_at"] is None or not _is_possible(settings):
        return None
    return f"{len(await reindex(settings))} indexes"


def _is_possible(settings: Settings) -> bool:
    try:
        settings.database_url_for("owner")
    except SettingsError:
        return False
    return True


async def _run(settings: Settings, what: str, dry_run: bool, progress: Progress) -> list[str]:
    url = settings.database_url_for("owner")
    owner = await asyncpg.connect(url, timeout=10, statement_cache_size=0, server_settings=PATIENCE)
    done: list[str] = []
    try:
        if not dry_run and not await owner.fetchval(STATEMENTS["claim_upkeep"].sql, what):
            return done
        commands = await owner.fetch(STATEMENTS[f"{what}_commands"].sql)
        for number, row in enumerate(commands):
            progress(number, len(commands))
            try:
                if not dry_run:
                    await owner.execute(row["command"])
            except asyncpg.LockNotAvailableError:
                log.info("upkeep_passed_over", what=what, name=row["name"])
            else:
                done.append(row["name"])
        progress(len(commands), len(commands))
    finally:
        await owner.close(timeout=5)
    return done
