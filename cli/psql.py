"""`pmcrm psql`: PostgreSQL's shell on this suite's database, with psql's own arguments."""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import unquote, urlsplit

import typer

from shared.embedded import SUPERUSER, EmbeddedServer
from shared.keys import local_keys
from shared.settings import Settings, SettingsError
from shared.startup import DATABASE, prepare_embedded, role_urls

PASSES_ARGUMENTS = {"allow_extra_args": True, "ignore_unknown_options": True}


def psql(
    context: typer.Context,
    role: Annotated[
        str | None,
        typer.Option(
            help="contacts, interactions, insights, gdpr: as that service, behind row-level security; "
            "service: across tenants; owner, who under forced row-level security sees no rows; superuser (embedded "
            "only). Without it: superuser where there is one, else owner."
        ),
    ] = None,
) -> None:
    """Open psql on the database; further arguments go to psql (pmcrm psql -c 'select 1')."""
    settings = Settings.load()
    if settings.embedded:
        code = _on_embedded(settings, role or "superuser", context.args)
    else:
        program = shutil.which("psql")
        if program is None:
            raise SettingsError("DATABASE_URL is set, and PATH has no psql to reach it with. Install one.")
        code = _run(program, settings.database_url_for(role or "owner"), context.args, os.environ)
    raise typer.Exit(code)


def _on_embedded(settings: Settings, role: str, arguments: list[str]) -> int:
    keys = local_keys(settings.data_dir)
    with EmbeddedServer(settings.data_dir, keys.password(SUPERUSER), port=settings.embedded_port) as server:
        if not server.attached:
            asyncio.run(prepare_embedded(server, keys))
        urls = {**role_urls(server, keys), "superuser": server.superuser_url(DATABASE)}
        if role not in urls:
            raise typer.BadParameter(f"{role} is none of {', '.join(urls)}", param_hint="--role")
        return _run(str(server.bin_dir / "psql"), urls[role], arguments, server.client_environment())


def _run(program: str, url: str, arguments: list[str], environment: Mapping[str, str]) -> int:
    """psql's exit code. Ctrl-C is for psql, which cancels a query by it; here it would end the database."""
    address, password = apart(url)
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.run(
            [program, f"--dbname={address}", *arguments], env={**environment, **password}, check=False
        ).returncode
    finally:
        signal.signal(signal.SIGINT, previous)


def apart(url: str) -> tuple[str, dict[str, str]]:
    """A URL without its password, and the password for the environment: `ps` shows every user the arguments."""
    parts = urlsplit(url)
    login, at, hosts = parts.netloc.rpartition("@")
    name, _, password = login.partition(":")
    address = parts._replace(netloc=f"{name}{at}{hosts}").geturl()
    # geturl() leaves out the empty host of a socket's URL.
    address = address if address.startswith(f"{parts.scheme}://") else address.replace(":", "://", 1)
    return address, {"PGPASSWORD": unquote(password)} if password else {}
