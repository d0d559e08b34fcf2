"""`pmcrm maintenance vacuum`, `reindex` and `all`."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import asyncpg
import typer

from cli.maintenance import run, run_as_service
from cli.retention import DryRun, bar
from shared import upkeep
from shared.periodic import (
    Outcome,
    Task,
    TaskHeld,
    attempt,
    connected,
    last_runs,
    run_now,
    seconds_until_due,
)
from shared.settings import Settings
from shared.startup import ready_database

Connection: TypeAlias = "asyncpg.Connection[Any]"

FAILED = "failed"


def vacuum(dry_run: DryRun = False) -> None:
    """Vacuum and analyse all tables, as DATABASE_URL_OWNER, while everything goes on. Weekly."""
    with bar("Tables") as show:
        done = run_as_service(
            lambda _, settings: upkeep.vacuum(settings, dry_run=dry_run, progress=show),
            upkeep.VACUUM,
            recorded=not dry_run,
        )
    typer.echo(f"{len(done)} tables {'would be ' if dry_run else ''}vacuumed.")


def reindex(dry_run: DryRun = False) -> None:
    """Make all indexes anew, one by one, as DATABASE_URL_OWNER, while everything goes on. Monthly."""
    with bar("Indexes") as show:
        done = run_as_service(
            lambda _, settings: upkeep.reindex(settings, dry_run=dry_run, progress=show),
            upkeep.REINDEX,
            recorded=not dry_run,
        )
    typer.echo(f"{len(done)} indexes {'would be ' if dry_run else ''}made anew.")


def run_all(
    now: Annotated[bool, typer.Option("--now", help="Also what is not due yet.")] = False, dry_run: DryRun = False
) -> None:
    """Run every task of the worker's schedule that is due, one after the other. Hourly, where no worker runs."""
    with bar("Tasks") as show:
        told, failed = run(lambda: _run_tasks(now, dry_run, show))
    for line in told:
        typer.echo(line)
    if failed:
        raise typer.Exit(1)


async def _run_tasks(now: bool, dry_run: bool, show: upkeep.Progress) -> tuple[list[str], bool]:
    # Imported here: the schedule is made of what commands are made of.
    from cli.worker import TASKS

    told: list[str] = []
    failed = False
    async with ready_database(Settings.load(), []) as settings:
        async with connected(settings) as conn:
            known = await last_runs(conn, TASKS)
        for number, task in enumerate(TASKS):
            show(number, len(TASKS))
            due = now or not seconds_until_due(task, known[task.name])
            if dry_run or not due:
                told.append(f"{task.name}: {'due' if due else 'not due'}")
                continue
            outcome = await _try_task(task, settings, now)
            told.append(f"{task.name}: {outcome}")
            failed = failed or outcome.startswith(FAILED)
    return told, failed


async def _try_task(task: Task, settings: Settings, now: bool) -> str:
    """What became of a task: one that fails keeps no other from running."""

    async def work(conn: Connection) -> object:
        return await task.run(conn, settings)

    try:
        if now:
            outcome, did = Outcome.SUCCEEDED, await run_now(task.name, settings, work)
        else:
            outcome, did = await attempt(task, settings, 0.0, lambda: None)
    except TaskHeld:
        return Outcome.HELD_ELSEWHERE.value
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told, and the others are run
        return f"{FAILED}, {getattr(error, 'sqlstate', None) or type(error).__name__}"
    return outcome.value if did is None else f"{outcome.value}, {did}"
