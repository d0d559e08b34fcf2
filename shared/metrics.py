"""What a service counts: RPCs by method and code, their duration, the pool, the database's share.

One registry for each service, so that one process that runs four shows each on its own port. With several workers
`PROMETHEUS_MULTIPROC_DIR` is set before this module is imported; the workers then write files, and the supervising
process serves their sum.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

RPC_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
TRANSACTION_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class Metrics:
    """The metrics of one service in one process.

    service: `contacts`, `interactions`, `insights` or `gdpr`; a label of every sample.
    """

    def __init__(self, service: str) -> None:
        self.service = service
        self.registry = CollectorRegistry()
        self._rpcs = Counter(
            "pmcrm_rpcs_total", "RPCs that ended.", ("service", "method", "code"), registry=self.registry
        )
        self._rpc_seconds = Histogram(
            "pmcrm_rpc_seconds",
            "Seconds from an RPC's arrival to its answer.",
            ("service", "method"),
            buckets=RPC_SECONDS,
            registry=self.registry,
        )
        self._transaction_seconds = Histogram(
            "pmcrm_transaction_seconds",
            "Seconds that a transaction held its connection, from BEGIN to the acknowledged COMMIT.",
            ("service", "kind"),
            buckets=TRANSACTION_SECONDS,
            registry=self.registry,
        )
        self.in_flight = self._gauge("pmcrm_rpcs_in_flight", "RPCs being worked on.")
        self.pool_size = self._gauge("pmcrm_pool_size", "Connections that may be open.")
        self.pool_in_use = self._gauge("pmcrm_pool_in_use", "Connections that an RPC holds.")
        self.pool_waiting = self._gauge("pmcrm_pool_waiting", "RPCs waiting for a connection.")
        self.database_up = self._gauge(
            "pmcrm_database_up", "1 when the last look at the database succeeded; how many workers saw it up."
        )
        self._methods: dict[str, Histogram] = {}
        self._codes: dict[tuple[str, str], Counter] = {}
        self._kinds: dict[str, Histogram] = {}

    def observe_rpc(self, method: str, code: str, seconds: float) -> None:
        """Counts one RPC. method: `/pmcrm.contacts.v1.ContactService/GetContact`; code: `OK`, `NOT_FOUND` …"""
        # labels() takes a lock and builds a key; the children are kept here because this runs for every RPC.
        child = self._methods.get(method)
        if child is None:
            child = self._methods[method] = self._rpc_seconds.labels(self.service, method)
        child.observe(seconds)
        counter = self._codes.get((method, code))
        if counter is None:
            counter = self._codes[method, code] = self._rpcs.labels(self.service, method, code)
        counter.inc()

    def observe_transaction(self, kind: str, seconds: float) -> None:
        """Counts one transaction. kind: `read` or `write`."""
        child = self._kinds.get(kind)
        if child is None:
            child = self._kinds[kind] = self._transaction_seconds.labels(self.service, kind)
        child.observe(seconds)

    def _gauge(self, name: str, documentation: str) -> Gauge:
        gauge = Gauge(name, documentation, ("service",), registry=self.registry, multiprocess_mode="livesum")
        return gauge.labels(self.service)
