"""The command `pmcrm`: one module per sub-command, put together here."""

import importlib.metadata
import sys
import uuid
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cli import audit, maintenance, migrate, psql, retention, serve, settings, upkeep
from shared.settings import SettingsError

SINCE_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]

# A traceback that shows local variables would print keys and people.
app = typer.Typer(
    name="pmcrm",
    help="A personal network CRM's backend: four gRPC services over one PostgreSQL.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.add_typer(migrate.app, name="migrate")
app.add_typer(maintenance.app, name="maintenance")
maintenance.app.command("purge")(retention.purge)
maintenance.app.command("archive-audit")(retention.archive_audit)
maintenance.app.command("drop-audit")(retention.drop_audit)
maintenance.app.command("audit-months")(retention.move_audit_months)
maintenance.app.command("vacuum")(upkeep.vacuum)
maintenance.app.command("reindex")(upkeep.reindex)
maintenance.app.command("all")(upkeep.run_all)
app.add_typer(audit.app, name="audit")
app.command("psql", context_settings=psql.PASSES_ARGUMENTS)(psql.psql)
app.command("settings")(settings.settings)


@app.command("demo")
def _demo() -> None:
    """Take the tour: tenants, import and export, pages, search, etags, undelete, repeats, isolation."""
    # Imported only now, as worker and seed below: they import grpc, which a supervising process must not.
    from cli.demo import demo

    demo()


@app.command("worker")
def _worker(
    once: Annotated[bool, typer.Option("--once", help="Run what is due now, and exit; 1 when any of it failed.")] = (
        False
    ),
) -> None:
    """Run the periodic tasks when they are due, one replica at a time. Ctrl-C stops it after what it is doing."""
    from cli.worker import worker

    worker(once)


@app.command("export-erasures")
def _export_erasures(
    out: Annotated[Path, typer.Option(help="The journal, which gets the erasures it lacks; `-`: print them.")],
    since: Annotated[
        datetime | None, typer.Option(help="Only those completed from then on, in UTC.", formats=SINCE_FORMATS)
    ] = None,
) -> None:
    """Write completed erasures into a journal outside of the database: a restored backup predates them. Hourly."""
    from cli.erasures import export_erasures

    export_erasures(out, since)


@app.command("export")
def _export(
    tenant: Annotated[uuid.UUID, typer.Option(help="The user whose data it is.")],
    out: Annotated[Path, typer.Option(help="The zip file to write, replaced if it is there.")],
    scope: Annotated[
        str, typer.Option(help="access: everything; portability: without what was inferred, to be imported elsewhere.")
    ] = "access",
    contact: Annotated[uuid.UUID | None, typer.Option(help="Only what is held about this contact.")] = None,
) -> None:
    """Write everything held about a user, or one of its contacts, as a zip of JSON, CSV, vCard and iCalendar."""
    from cli.export import export

    export(tenant, out, scope, contact)


@app.command("import")
def _import(
    file: Annotated[Path, typer.Argument(help="An archive of `pmcrm export --scope portability`.")],
    tenant: Annotated[uuid.UUID, typer.Option(help="The user to import into, which must have no data yet.")],
) -> None:
    """Import an archive into an empty user: all of it, with its ids and times, or nothing."""
    from cli.import_archive import import_file

    import_file(tenant, file)


@app.command("seed")
def _seed(
    tenants: Annotated[int, typer.Option(min=1, help="How many users to make.")] = 3,
    contacts: Annotated[int, typer.Option(min=0, help="How many contacts each of them gets.")] = 500,
    random_seed: Annotated[int, typer.Option("--seed", help="The same number gives the same contacts.")] = 1,
) -> None:
    """Fill a development database with made-up tenants and contacts. Prints the tenants' ids."""
    from cli.seed import seed

    seed(tenants, contacts, random_seed)


@app.command("network")
def _network(
    tenant: Annotated[uuid.UUID, typer.Option(help="The user whose network it is.")],
    out: Annotated[Path, typer.Option(help="The file to write, replaced if it is there; - for standard output.")] = (
        Path("network.svg")
    ),
    most: Annotated[int, typer.Option(min=1, max=1000, help="How many contacts to draw, the closest ones.")] = 150,
) -> None:
    """Draw a tenant's network as SVG: contacts, how close they are, and what ties them to each other."""
    from cli.network import network

    network(tenant, out, most)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pmcrm {importlib.metadata.version('pmcrm')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = (
        False
    ),
) -> None:
    pass


def main() -> None:
    """Runs the command; what an operator can mend is a sentence on stderr. Exit codes: 2 for a setting, else 1."""
    try:
        app()
    except SettingsError as error:
        sys.exit(_say(error, code=2))
    except Exception as error:
        # Imported only now: it imports grpc, which workers must be spawned without.
        from cli.failures import OPERATIONAL

        if isinstance(error, OPERATIONAL):
            sys.exit(_say(error, code=1))
        raise


def _say(error: Exception, code: int) -> int:
    print(f"pmcrm: {error}", file=sys.stderr)
    return code
