"""`pmcrm worker`: the periodic tasks, and how often each runs. Of several replicas, one at a time runs each.

Each is also a command, `pmcrm maintenance <task>`, for those who prefer cron.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import typer
from prometheus_client import start_http_server

from cli.maintenance import (
    MONTHS_AHEAD,
    create_partitions,
    embed_changes,
    forget_expired_requests,
    generate_daily_insights,
    refresh_due_times,
)
from cli.retention import move_months, purge_what_is_due
from cli.settings import warn_of_strays
from shared.audit_sealing import seal_audit_where_possible
from shared.edge import CannotServe
from shared.periodic import Task
from shared.settings import Settings
from shared.startup import ready_database
from shared.strength_refresh import refresh_strengths
from shared.task_metrics import TaskMetrics
from shared.task_worker import Worker
from shared.telemetry import configure_logging
from shared.upkeep import reindex_where_possible, vacuum_where_possible
from shared.vector_indexes import refresh_where_possible

# The schedule: name, how often, what.
TASKS = (
    Task("partitions", timedelta(days=1), lambda conn, _: create_partitions(conn, MONTHS_AHEAD)),
    Task("expire-requests", timedelta(hours=1), forget_expired_requests),
    Task("seal-audit", timedelta(minutes=1), seal_audit_where_possible),
    Task("refresh-strengths", timedelta(days=1), lambda conn, _: refresh_strengths(conn, lambda done, total: None)),
    Task("refresh-reminders", timedelta(days=1), lambda conn, _: refresh_due_times(conn)),
    Task("embeddings", timedelta(seconds=5), embed_changes),
    Task("generate-insights", timedelta(days=1), generate_daily_insights),
    Task("vector-indexes", timedelta(days=1), refresh_where_possible),
    Task("purge", timedelta(days=1), purge_what_is_due),
    Task("audit-months", timedelta(days=91), move_months),
    Task("vacuum", timedelta(days=7), vacuum_where_possible),
    Task("reindex", timedelta(days=30), reindex_where_possible),
)


def worker(once: bool) -> None:
    """Runs the tasks until SIGTERM or Ctrl-C; with `once`, those that are due now."""
    settings = Settings.load()
    warn_of_strays(os.environ)
    configure_logging(settings.log_level, settings.log_format)
    if not asyncio.run(_once(settings) if once else _until_stopped(settings)):
        raise typer.Exit(1)


async def _once(settings: Settings) -> bool:
    async with ready_database(settings, []) as ready:
        ready.database_url_for("service")
        return await Worker(TASKS, ready, TaskMetrics(TASKS)).run_once()


async def _until_stopped(settings: Settings) -> bool:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with ready_database(settings, []) as ready:
        ready.database_url_for("service")
        metrics = TaskMetrics(TASKS)
        _announce(ready, _expose_metrics(metrics, ready))
        await Worker(TASKS, ready, metrics).run(stopping)
    return True


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[None]:
    """Runs the tasks beside the block, for a suite in one process, and stops when it ends.

    Raises CannotServe when the port of the metrics is in use, SettingsError when DATABASE_URL_SERVICE is not set.
    """
    settings.database_url_for("service")
    metrics = TaskMetrics(TASKS)
    _expose_metrics(metrics, settings)
    stopping = asyncio.Event()
    running = asyncio.create_task(Worker(TASKS, settings, metrics).run(stopping))
    try:
        yield
    finally:
        stopping.set()
        await running


def _expose_metrics(metrics: TaskMetrics, settings: Settings) -> int | None:
    wanted = settings.metrics_port_of("worker")
    if wanted is None:
        return None
    try:
        server, _ = start_http_server(wanted, settings.host, metrics.registry)
    except OSError as error:
        raise CannotServe(
            f"Metrics of the worker cannot be served on {settings.host}:{wanted} ({error.strerror}). "
            "Set PMCRM_METRICS_PORT to another port; 0 picks free ones."
        ) from None
    return int(server.server_port)


def _announce(settings: Settings, metrics_port: int | None) -> None:
    print("pmcrm worker is running:", flush=True)
    for task in TASKS:
        print(f"  {task.name:<18} every {_spoken(task.every)}", flush=True)
    if metrics_port is not None:
        print(f"  metrics http://{settings.host}:{metrics_port}/metrics", flush=True)


def _spoken(every: timedelta) -> str:
    for unit in ("day", "hour", "minute", "second"):
        count = every // timedelta(**{f"{unit}s": 1})
        if count:
            return unit if count == 1 else f"{count} {unit}s"
    return str(every)
