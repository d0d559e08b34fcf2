"""`pmcrm export-erasures` and `pmcrm maintenance reapply-erasures`: what a restored backup must not bring back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress

from cli.maintenance import Connection, run_as_service
from services.gdpr import erasure_journal, reapplying

STANDARD_OUTPUT = Path("-")


def export_erasures(out: Path, since: datetime | None) -> None:
    """Appends the completed erasures that a journal lacks, or prints them. since: in UTC, when it says no zone."""
    if since is not None and since.tzinfo is None:
        since = since.replace(tzinfo=UTC)

    async def write(conn: Connection) -> int:
        if out != STANDARD_OUTPUT:
            return await erasure_journal.append(conn, out, since)
        written = 0
        async for erasure in erasure_journal.completed(conn, since):
            typer.echo(erasure.line())
            written += 1
        return written

    try:
        added = run_as_service(lambda conn, _: write(conn))
    except erasure_journal.JournalError as error:
        typer.echo(f"{out}: {error}. Nothing was added to it.", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{added} erasure{'' if added == 1 else 's'} written.", err=out == STANDARD_OUTPUT)


def reapply_erasures(journal: Path, dry_run: bool) -> None:
    """Carries out the erasures of a journal again where they are missing; exits with 1 when some cannot be."""
    try:
        with journal.open(encoding="utf-8") as lines:
            erasures = erasure_journal.read(lines)
    except (OSError, UnicodeDecodeError, erasure_journal.JournalError) as error:
        reason = str(error) if isinstance(error, erasure_journal.JournalError) else type(error).__name__
        typer.echo(f"{journal} cannot be read: {reason}. Nothing was done.", err=True)
        raise typer.Exit(1) from None
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Erasures", total=len(erasures))

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        outcomes = run_as_service(lambda conn, _: reapplying.reapply(conn, erasures, dry_run=dry_run, progress=show))
    typer.echo(f"{len(erasures)} erasure{'' if len(erasures) == 1 else 's'} in the journal:")
    for outcome, count in reapplying.summary(outcomes).items():
        typer.echo(
            f"  {count} {'would be ' if dry_run and outcome is reapplying.Outcome.ERASED else ''}{outcome.value}"
        )
    undone = [receipt for outcome in reapplying.UNDONE for receipt in outcomes[outcome]]
    if undone:
        typer.echo("Not carried out: " + ", ".join(str(receipt) for receipt in undone), err=True)
        raise typer.Exit(1)
