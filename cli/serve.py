"""`pmcrm serve`: the services, in this process or in several workers each."""

import asyncio
import os
from collections.abc import Sequence
from typing import Annotated

import typer

from cli.settings import warn_of_strays
from shared.settings import SERVICES, Settings

Started = Sequence[tuple[str, int, int | None]]


def serve(
    services: Annotated[
        list[str] | None, typer.Argument(help="contacts, interactions, insights, gdpr; all of them when none is named.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes per service; they share its port. Wins over PMCRM_WORKERS.")
    ] = None,
) -> None:
    """Start the services; on an embedded PostgreSQL when no DATABASE_URL is set. Ctrl-C drains and stops them."""
    settings = Settings.load(**({} if workers is None else {"workers": workers}))
    warn_of_strays(os.environ)
    names = list(dict.fromkeys(services or SERVICES))
    for name in names:
        if name not in SERVICES:
            raise typer.BadParameter(f"{name} is none of {', '.join(SERVICES)}", param_hint="SERVICES")
    if settings.workers == 1:
        asyncio.run(_serve_here(names, settings))
        return
    # grpc stays out of the supervising process.
    from shared.supervising import supervise

    asyncio.run(supervise(names, settings, _announce))


async def _serve_here(names: Sequence[str], settings: Settings) -> None:
    from cli.services import SUITE
    from cli.worker import working
    from shared.serving import serve as serve_in_process

    await serve_in_process(
        [SUITE[name] for name in names],
        settings,
        lambda ready, running: _announce(ready, [(at.service, at.port, at.metrics_port) for at in running]),
        # The whole suite on a database of its own, as `make run` starts it, has nobody else for the periodic tasks.
        beside=working if settings.embedded and set(names) == set(SERVICES) else None,
    )


def _announce(settings: Settings, started: Started) -> None:
    """Says where everything is and what to try, on standard output."""
    database = f"embedded, in {settings.data_dir}" if settings.embedded else "as DATABASE_URL says"
    lines = ["", f"pmcrm is running. Database: {database}", ""]
    for service, port, metrics_port in started:
        metrics = "" if metrics_port is None else f"   metrics http://{settings.host}:{metrics_port}/metrics"
        lines.append(f"  {service:<13} {settings.host}:{port}{metrics}")
    contacts = next((port for service, port, _ in started if service == "contacts"), None)
    if settings.embedded and settings.operator_key is not None:
        key = settings.operator_key.get_secret_value()
        lines += ["", f"Operator key (from {settings.data_dir / 'keys.env'}): {key}"]
        if contacts is not None:
            lines += [
                "",
                "Try the tour in another terminal:  make demo",
                "or a call of your own:",
                f'  grpcurl -plaintext -H \'x-operator-key: {key}\' -d \'{{"user": {{"display_name": "Ada"}}}}\' \\',
                f"    {settings.host}:{contacts} pmcrm.contacts.v1.UserService/CreateUser",
            ]
    lines += ["", "Ctrl-C stops it; the data stays." if settings.embedded else "Ctrl-C stops it.", ""]
    print("\n".join(lines), flush=True)
