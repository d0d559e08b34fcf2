"""What `python -m services.<service>` does: this service alone, in this process or in several workers."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from shared.edge import CannotServe
from shared.embedded import EmbeddedError
from shared.floor import UnfitServerError
from shared.keys import KeysError
from shared.migrations import MigrationError
from shared.settings import Settings, SettingsError
from shared.startup import DatabaseNotReady
from shared.workers import PortTaken, WorkersKeepDying

# What ends a start with a sentence for the person who called it instead of a traceback.
EXPLAINED = (
    CannotServe,
    DatabaseNotReady,
    EmbeddedError,
    KeysError,
    MigrationError,
    PortTaken,
    SettingsError,
    UnfitServerError,
    WorkersKeepDying,
)


def run(service: str, load: Callable[[], Any]) -> None:
    """Runs one service until it is told to stop. load: imports the service's `shared.server.Service`."""
    worker = sys.argv[1:] == ["--worker"]
    if sys.argv[1:] and not worker:
        sys.exit(f"usage: python -m services.{service} (settings come from the environment)")
    explained(lambda: _run(service, load, Settings.load(), worker))


def explained(start: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs to the end; a failure that a person can do something about becomes its sentence and exit status 1 or 2."""
    try:
        asyncio.run(start())
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except EXPLAINED as error:
        print(error, file=sys.stderr)
        sys.exit(1)


async def _run(service: str, load: Callable[[], Any], settings: Settings, worker: bool) -> None:
    if settings.workers > 1:
        # Late imports: the supervising process must not import grpc, and a worker needs no supervising.
        from shared.supervising import supervise

        await supervise([service], settings, lambda _, started: _say([(name, port) for name, port, _ in started]))
        return
    from shared.serving import serve

    await serve([load()], settings, lambda _, ready: _say([(at.service, at.port) for at in ready]), worker=worker)


def _say(started: Sequence[tuple[str, int]]) -> None:
    for name, port in started:
        print(f"{name} listens on port {port}", flush=True)
