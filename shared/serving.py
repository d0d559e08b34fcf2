"""Runs services in this process until SIGTERM or Ctrl-C, then drains them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from prometheus_client import start_http_server

from shared.edge import CannotServe, check_edge
from shared.server import RunningService, Service
from shared.settings import Settings
from shared.startup import ready_database
from shared.telemetry import configure_logging


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a service can be reached. metrics_port: HTTP, None when metrics are off."""

    service: str
    host: str
    port: int
    metrics_port: int | None


Announce = Callable[[Settings, Sequence[Listening]], None]
Beside = Callable[[Settings], AbstractAsyncContextManager[None]]


async def serve(
    services: Sequence[Service],
    settings: Settings,
    announce: Announce,
    *,
    worker: bool = False,
    beside: Beside | None = None,
) -> None:
    """Starts the services, announces their addresses, and returns when a signal came and all have drained.

    worker: one of several processes that share each port; metrics are then the supervising process's to serve.
    beside: what else runs in this process while they do, with the settings that reach the database.
    Raises CannotServe when a port or address cannot be used.
    """
    check_edge(settings)
    configure_logging(settings.log_level, settings.log_format)
    stopping = _stop_signal()
    async with (
        ready_database(settings, [service.name for service in services]) as ready,
        nullcontext() if beside is None else beside(ready),
    ):
        running: list[RunningService] = []
        try:
            running.extend(RunningService(service, ready, share_port=worker) for service in services)
            listening = [_expose_metrics(service, ready, worker) for service in running]
            for started in running:
                await started.start()
            announce(ready, listening)
            await stopping.wait()
        finally:
            await asyncio.gather(*(service.stop() for service in running))


def _stop_signal() -> asyncio.Event:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop(number: signal.Signals) -> None:
        # A second one is not caught: whoever cannot wait for the drain can end the process.
        loop.remove_signal_handler(number)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    return stopping


def _expose_metrics(service: RunningService, settings: Settings, worker: bool) -> Listening:
    wanted = None if worker else settings.metrics_port_of(service.name)
    got = None
    if wanted is not None:
        try:
            server, _ = start_http_server(wanted, settings.host, service.metrics.registry)
        except OSError as error:
            raise CannotServe(
                f"Metrics of {service.name} cannot be served on {settings.host}:{wanted} ({error.strerror}). "
                "Set PMCRM_METRICS_PORT to another port; 0 picks free ones."
            ) from None
        got = server.server_port
    return Listening(service.name, settings.host, service.port, got)
