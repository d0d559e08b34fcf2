"""`pmcrm maintenance`: what is periodic, one task at a time, for cron."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar

import asyncpg
import typer
from rich.console import Console
from rich.progress import Progress

from shared import audit_sealing, queries
from shared.embedded import EmbeddedError
from shared.floor import UnfitServerError
from shared.key_rotation import rotate
from shared.keys import KeysError
from shared.migrations import SQL, MigrationError
from shared.periodic import TaskHeld, TaskLost, run_now
from shared.settings import Settings, SettingsError
from shared.startup import ready_database
from shared.vector_indexes import refresh_vector_indexes

Connection: TypeAlias = "asyncpg.Connection[Any]"
Result = TypeVar("Result")

STATEMENTS = queries.load(SQL / "maintenance")

# A slice of request ids is deleted by one statement, so that none holds its locks for long.
SLICE = timedelta(hours=1)

MONTHS_AHEAD = 3

app = typer.Typer(
    help="Periodic tasks, for cron. Each works across tenants, as DATABASE_URL_SERVICE.", no_args_is_help=True
)


@app.command()
def partitions(
    months: Annotated[
        int, typer.Option(help="Months to come that shall have a partition.", min=0, max=120)
    ] = MONTHS_AHEAD,
) -> None:
    """Make the audit log's partitions ahead. Daily or weekly; rows that came too early are moved into theirs."""
    made = run_as_service(
        lambda conn, _: create_partitions(conn, months), "partitions", recorded=months >= MONTHS_AHEAD
    )
    typer.echo(f"{made} partition{'' if made == 1 else 's'} made.")


@app.command()
def expire_requests() -> None:
    """Forget request ids older than PMCRM_REQUEST_ID_HOURS. Hourly."""
    forgotten = run_as_service(forget_expired_requests, "expire-requests")
    typer.echo(f"{forgotten} request id{'' if forgotten == 1 else 's'} forgotten.")


@app.command()
def rotate_keys() -> None:
    """Put integrations' tokens under the first key of PMCRM_ENCRYPTION_KEYS, after a new one has come."""
    done = run_as_service(lambda conn, settings: rotate(conn, settings.key_ring("encryption_keys")))
    typer.echo(f"{done.replaced} integration{'' if done.replaced == 1 else 's'} put under the new key.")
    for key_id, tokens in done.by_key.items():
        typer.echo(f"{key_id}: {tokens}")
    if done.unreadable:
        typer.echo(f"{done.unreadable} cannot be read: their key is not in the ring, or they are damaged.", err=True)
        raise typer.Exit(1)


@app.command()
def refresh_strengths() -> None:
    """Compute relationship strengths, last and next contacts anew: they decay, and plans come true. Daily."""
    # Imported here: it comes with grpc, which the process that supervises workers must not import.
    from shared import strength_refresh

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Contacts", total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        changed = run_as_service(lambda conn, _: strength_refresh.refresh_strengths(conn, show), "refresh-strengths")
    typer.echo(f"{changed} contact{'' if changed == 1 else 's'} changed.")


@app.command()
def refresh_reminders() -> None:
    """Find anew when reminders are due, after the time zones were upgraded; forget old leases. Daily."""
    refreshed = run_as_service(lambda conn, _: refresh_due_times(conn), "refresh-reminders")
    typer.echo(f"{refreshed} reminder{'' if refreshed == 1 else 's'} found anew.")


@app.command()
def vector_indexes() -> None:
    """Index the embeddings of tenants with more than PMCRM_VECTOR_INDEX_THRESHOLD, as DATABASE_URL_OWNER. Daily."""
    changed = run_as_service(refresh_vector_indexes, "vector-indexes")
    typer.echo(f"{changed.made} index{'' if changed.made == 1 else 'es'} made, {changed.dropped} dropped.")


@app.command()
def embeddings() -> None:
    """Embed what has changed or come to be permitted; take over another model. Every few seconds."""
    done = run_as_service(embed_changes, "embeddings")
    typer.echo(f"{done} change{'' if done == 1 else 's'} followed.")


@app.command()
def seal_audit() -> None:
    """Seal what is new in the audit log, with the first key of PMCRM_SEAL_KEYS. Every minute."""
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Tenants", total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        sealed = run_as_service(
            lambda conn, settings: audit_sealing.seal_audit(conn, settings.key_ring("seal_keys"), show),
            "seal-audit",
        )
    typer.echo(f"{sealed.entries} entr{'y' if sealed.entries == 1 else 'ies'} sealed.")


@app.command()
def generate_insights() -> None:
    """Ask the rules for what is worth doing, for every active tenant, as pmcrm_insights in DATABASE_URL. Daily."""
    # Imported here: it comes with grpc, which the process that supervises workers must not import.
    from services.insights import generating_for_all

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Tenants", total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        totals = run_as_service(
            lambda conn, settings: generating_for_all.generate_for_all(conn, settings, show), "generate-insights"
        )
    typer.echo(f"{totals.tenants} tenant{'' if totals.tenants == 1 else 's'}:", nl=False)
    typer.echo(f" {totals.created} insights created, {totals.superseded} superseded.")
    if totals.failed:
        typer.echo(f"Those of {totals.failed} were not generated; the log says why.", err=True)
        raise typer.Exit(1)


@app.command()
def reapply_erasures(
    journal: Annotated[Path, typer.Option(help="What `pmcrm export-erasures` has written.", dir_okay=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Carry out erasures again that a restored backup predates. After every restore, before services start."""
    # Imported here: it comes with grpc, which the process that supervises workers must not import.
    from cli import erasures

    erasures.reapply_erasures(journal, dry_run)


async def refresh_due_times(conn: Connection) -> int:
    """Derives reminders with the time zones of this release; returns how many were derived with another one."""
    # Imported here: it comes with grpc, which the process that supervises workers must not import.
    from services.interactions import refreshing

    return await refreshing.refresh_reminders(conn)


async def generate_daily_insights(conn: Connection, settings: Settings) -> str:
    """Generates the insights of every active tenant, where DATABASE_URL is set; returns what came of it."""
    # Imported here: it comes with grpc, which the process that supervises workers must not import.
    from services.insights import generating_for_all

    return await generating_for_all.generate_where_possible(conn, settings)


async def embed_changes(conn: Connection, settings: Settings) -> int:
    """Embeds what is queued, of all tenants; returns how many contacts and interactions that was."""
    # Imported here: it comes with grpc, which the process that supervises workers must not import.
    from services.insights.embedding import queue

    return await queue.embed_changes(conn, settings)


async def create_partitions(conn: Connection, months_ahead: int) -> int:
    """Makes the audit log's partitions of this month and so many to come; returns how many were missing."""
    made: int = await conn.fetchval(STATEMENTS["create_audit_partitions"].sql, months_ahead)
    return made


async def forget_expired_requests(conn: Connection, settings: Settings) -> int:
    """Deletes the requests that need not be remembered any more; returns how many."""
    return await forget_requests(conn, datetime.now(UTC) - timedelta(hours=settings.request_id_hours))


async def forget_requests(conn: Connection, before: datetime) -> int:
    """Deletes the remembered requests, tenants' and operators', from before a time; returns how many."""
    return await _delete_in_slices(conn, before, "oldest_request", "expire_requests") + await _delete_in_slices(
        conn, before, "oldest_operator_request", "expire_operator_requests"
    )


async def _delete_in_slices(conn: Connection, before: datetime, oldest: str, expire: str) -> int:
    count = 0
    while (reached := await conn.fetchval(STATEMENTS[oldest].sql)) is not None and reached < before:
        status = await conn.execute(STATEMENTS[expire].sql, min(reached + SLICE, before))
        count += int(status.rpartition(" ")[2])
    return count


def run_as_service(
    work: Callable[[Connection, Settings], Awaitable[Result]], task: str | None = None, *, recorded: bool = True
) -> Result:
    """Runs a command's work as pmcrm_service; says what is wrong and exits with 1 where the database cannot do it.

    task: the periodic task that it is, which no other process runs meanwhile; noted as a run of it if `recorded`.
    """

    async def connected() -> Result:
        async with ready_database(Settings.load(), []) as settings:
            if task is not None:
                return await run_now(task, settings, lambda conn: work(conn, settings), recorded=recorded)
            conn = await asyncpg.connect(settings.database_url_for("service"), timeout=10)
            try:
                return await work(conn, settings)
            finally:
                await conn.close()

    return run(connected)


def run(work: Callable[[], Awaitable[Result]]) -> Result:
    """Runs what a command does; says what is wrong and exits with 1 where it cannot be done."""

    async def done() -> Result:
        return await work()

    try:
        return asyncio.run(done())
    except (SettingsError, EmbeddedError, KeysError, MigrationError, UnfitServerError) as error:
        typer.echo(str(error), err=True)
    except TaskHeld as held:
        typer.echo(f"{held} is being run by another process, a worker perhaps.", err=True)
    except TaskLost as error:
        typer.echo(f"Stopped: {error}.", err=True)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        typer.echo(f"The database in DATABASE_URL_SERVICE cannot do this: {error}", err=True)
    raise typer.Exit(1)
