"""Runs several worker processes for each service, and their common metrics. Imports neither grpc nor any service."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, multiprocess, start_http_server

from shared.edge import check_edge
from shared.settings import FILE_SUFFIX, Settings
from shared.startup import ready_database
from shared.workers import Fleet, PortTaken, reserve_port, worker_command

# Beyond a worker's own drain: the time to close its connections and end.
KILL_MARGIN = 5.0
LOOK_SECONDS = 0.5

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

Announce = Callable[[Settings, Sequence[tuple[str, int, int | None]]], None]


async def supervise(services: Sequence[str], settings: Settings, announce: Announce) -> None:
    """Starts `settings.workers` processes for each service and keeps them up until SIGTERM or Ctrl-C.

    announce: called with (service, port, metrics port) of each once its workers are starting.
    Raises CannotServe, PortTaken, SettingsError, WorkersKeepDying.
    """
    check_edge(settings)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with ready_database(settings, list(services)) as ready:
        # What every worker needs, and would say that it misses over and over again.
        ready.key_ring("page_token_keys")
        with tempfile.TemporaryDirectory(prefix="pmcrm-metrics-") as folder:
            held = [reserve_port(service, ready.host, ready.port(service)) for service in services]
            ports = [socket.getsockname()[1] for socket in held]
            fleets = [
                _fleet(service, port, ready, Path(folder) / service)
                for service, port in zip(services, ports, strict=True)
            ]
            try:
                metrics = [_expose_metrics(fleet.name, ready, Path(folder) / fleet.name) for fleet in fleets]
                for fleet in fleets:
                    for _ in range(fleet.size):
                        fleet.start_one()
                announce(ready, list(zip(services, ports, metrics, strict=True)))
                await _keep_up(fleets, stopping)
            finally:
                seconds = ready.drain_seconds + KILL_MARGIN
                await asyncio.gather(*(asyncio.to_thread(fleet.end, seconds) for fleet in fleets))
                for socket in held:
                    socket.close()


async def _keep_up(fleets: Sequence[Fleet], stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        for fleet in fleets:
            for process_id in await asyncio.to_thread(fleet.replace_dead):
                # Its gauges would be summed for ever.
                multiprocess.mark_process_dead(process_id, fleet.environment[METRICS_FOLDER])  # type: ignore[no-untyped-call]
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await stopping.wait()
        except TimeoutError:
            continue


def _fleet(service: str, port: int, settings: Settings, metrics: Path) -> Fleet:
    metrics.mkdir()
    environment = {
        # Workers find an embedded database by its URLs, and the keys made for it in their environment.
        **settings.secrets_of_embedded(),
        "DATABASE_URL": settings.database_url_for(service),
        # Read by this process already; both a URL and a file that holds one would be refused.
        f"DATABASE_URL{FILE_SUFFIX}": "",
        f"PMCRM_{service.upper()}_PORT": str(port),
        "PMCRM_WORKERS": "1",
        METRICS_FOLDER: str(metrics),
    }
    return Fleet(service, worker_command(service), environment, settings.workers)


def _expose_metrics(service: str, settings: Settings, folder: Path) -> int | None:
    wanted = settings.metrics_port_of(service)
    if wanted is None:
        return None
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
    try:
        server, _ = start_http_server(wanted, settings.host, registry)
    except OSError as error:
        raise PortTaken(
            f"Metrics of {service} cannot be served on {settings.host}:{wanted} ({error.strerror}). "
            "Set PMCRM_METRICS_PORT to another port; 0 picks free ones."
        ) from None
    return int(server.server_port)
