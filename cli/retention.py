"""`pmcrm maintenance purge`, `archive-audit`, `drop-audit`, `audit-months`: what is kept, and how long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import asyncpg
import typer
from rich.console import Console
from rich.progress import Progress

from cli.maintenance import run_as_service
from shared.settings import Settings

if TYPE_CHECKING:
    from services.gdpr.audit_months import Months
    from services.gdpr.purging import Purged

Connection: TypeAlias = "asyncpg.Connection[Any]"

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
Years = typer.Option(help="How many years old a month must be.", min=1, max=100)


@contextmanager
def bar(what: str) -> Iterator[Any]:
    """A progress bar on stderr for the block; yields what is told (done, total)."""
    with Progress(console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=None)

        def show(done: int, total: int) -> None:
            shown.update(task, completed=done, total=total)

        yield show


def purge(
    days: Annotated[
        int | None,
        typer.Option(help="How many days ago it was deleted; PMCRM_DELETE_GRACE_DAYS by default.", min=0, max=36_500),
    ] = None,
    max_rows: Annotated[int, typer.Option(help="Stop after about this many rows; 0: all.", min=0)] = 0,
    dry_run: DryRun = False,
) -> None:
    """Remove for good what was deleted long enough ago; erase the accounts that are due. Daily."""
    # Imported here: it comes with grpc, which the process that supervises workers must not import.
    from services.gdpr import purging

    async def work(conn: Connection, settings: Settings) -> Purged:
        usual = settings.delete_grace_days
        wanted = purging.Wanted(
            days=usual if days is None else days,
            grace=timedelta(days=usual),
            dry_run=dry_run,
            max_rows=max_rows,
        )
        return await purging.purge(conn, wanted, show)

    # A run that does less than the worker's is none of the schedule.
    whole = not dry_run and not max_rows and days is None
    with bar("Tenants") as show:
        done = run_as_service(work, purging.PURGE, recorded=whole)
    for table, rows in sorted(done.row_counts.items()):
        typer.echo(f"{table}: {rows}")
    verb = "would be purged" if dry_run else "purged"
    typer.echo(f"{done.rows} rows {verb}, {done.users_erased} accounts {'would be ' if dry_run else ''}erased.")
    if done.held:
        typer.echo(f"{done.held} are kept by a legal hold.")
    if done.more:
        typer.echo("There are more.")


def archive_audit(years: Annotated[int, Years] = 3, dry_run: DryRun = False) -> None:
    """Move months of the audit log that are old enough to the archive. Quarterly."""
    from services.gdpr import audit_months

    with bar("Months") as show:
        done = run_as_service(
            lambda conn, _: audit_months.archive(conn, years, dry_run=dry_run, progress=show),
            audit_months.AUDIT_MONTHS,
            recorded=False,
        )
    _tell(done, "would be archived" if dry_run else "archived")


def drop_audit(years: Annotated[int, Years] = 7, dry_run: DryRun = False) -> None:
    """Drop archived months of the audit log whose time is over. Quarterly."""
    from services.gdpr import audit_months

    with bar("Months") as show:
        done = run_as_service(
            lambda conn, _: audit_months.drop(conn, years, dry_run=dry_run, progress=show),
            audit_months.AUDIT_MONTHS,
            recorded=False,
        )
    _tell(done, "would be dropped" if dry_run else "dropped")


def move_audit_months(dry_run: DryRun = False) -> None:
    """Archive what is 3 years old, and drop what is 7: both of the above. Quarterly."""
    from services.gdpr import audit_months

    async def work(conn: Connection, _: Settings) -> tuple[Months, Months]:
        archived = await audit_months.archive(conn, audit_months.ARCHIVE_YEARS, dry_run=dry_run, progress=show)
        return archived, await audit_months.drop(conn, audit_months.DROP_YEARS, dry_run=dry_run, progress=show)

    with bar("Months") as show:
        archived, dropped = run_as_service(work, audit_months.AUDIT_MONTHS, recorded=not dry_run)
    _tell(archived, "would be archived" if dry_run else "archived")
    _tell(dropped, "would be dropped" if dry_run else "dropped")


def _tell(months: Months, verb: str) -> None:
    typer.echo(f"{len(months.moved)} months {verb}, with {months.entries} entries.")
    for month in months.moved:
        typer.echo(f"  {month}")
    for month in months.held:
        typer.echo(f"  {month} is kept by a legal hold")
    for month in months.unsealed:
        typer.echo(f"  {month} stays, because seals do not cover all of it", err=True)


async def purge_what_is_due(conn: Connection, settings: Settings) -> str | None:
    """The worker's purge; what it did, for the log."""
    from services.gdpr import purging

    days = settings.delete_grace_days
    done = await purging.purge(conn, purging.Wanted(days=days, grace=timedelta(days=days)))
    return str(done) if done.rows or done.users_erased or done.held else None


async def move_months(conn: Connection, _: Settings) -> str:
    """The worker's archiving and dropping; what it did, for the log."""
    from services.gdpr import audit_months

    archived = await audit_months.archive(conn, audit_months.ARCHIVE_YEARS)
    dropped = await audit_months.drop(conn, audit_months.DROP_YEARS)
    return f"archived {archived}; dropped {dropped}"
