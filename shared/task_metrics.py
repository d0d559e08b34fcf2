"""What a worker shows of the periodic tasks: when each last succeeded, whoever ran it, and what this process does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge

from shared.periodic import LastRun, Task


class TaskMetrics:
    """The metrics of one worker. A task that never ran shows 0 as its times."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.registry = CollectorRegistry()
        self._last_success = self._gauge("last_success_timestamp_seconds", "When it last succeeded, in any replica.")
        self._last_failure = self._gauge("last_failure_timestamp_seconds", "When it last failed, in any replica.")
        self._last_seconds = self._gauge("last_duration_seconds", "How long its last run took, in any replica.")
        self._failures = self._gauge("failures_in_a_row", "Runs that have failed since the last one that succeeded.")
        self._running = self._gauge("running", "1 while this process runs it.")
        interval = self._gauge("interval_seconds", "How often it is to run.")
        self._runs = Counter(
            "pmcrm_worker_task_runs", "Runs of this process that ended.", ("task", "outcome"), registry=self.registry
        )
        self.database_up = Gauge(
            "pmcrm_worker_database_up", "1 when the last look at the database succeeded.", registry=self.registry
        )
        for task in tasks:
            interval.labels(task.name).set(task.every.total_seconds())
            self._running.labels(task.name).set(0)

    def show(self, last_runs: Mapping[str, LastRun]) -> None:
        """Takes over what the database knows of each task."""
        self.database_up.set(1)
        for name, last in last_runs.items():
            self._last_success.labels(name).set(last.succeeded_at.timestamp() if last.succeeded_at else 0)
            self._last_failure.labels(name).set(last.failed_at.timestamp() if last.failed_at else 0)
            self._last_seconds.labels(name).set(last.seconds or 0)
            self._failures.labels(name).set(last.failures)

    def running(self, task: Task, now: bool) -> None:
        """Whether this process runs the task."""
        self._running.labels(task.name).set(now)

    def ended(self, task: Task, outcome: str) -> None:
        """Counts a run. outcome: `succeeded`, `failed` or `stopped`."""
        self._runs.labels(task.name, outcome).inc()

    def _gauge(self, name: str, documentation: str) -> Gauge:
        return Gauge(f"pmcrm_worker_task_{name}", documentation, ("task",), registry=self.registry)
