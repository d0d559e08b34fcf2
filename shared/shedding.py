"""Load shedding: a bounded number of RPCs in flight; what comes beyond hears so at once instead of waiting in line."""

from __future__ import annotations

import asyncio
from typing import Any

from shared.errors import ResourceExhausted, Unavailable
from shared.layers import Context, Handler, Method
from shared.metrics import Metrics

RETRY_AFTER = 1.0

# While draining: so many looks in a row, so many seconds apart, at which no call had come.
QUIET_LOOKS = 3
LOOK_SECONDS = 0.01


class Admission:
    """Counts the calls of one service in one process, and refuses those beyond `limit` in flight.

    Once it drains it refuses all new ones. grpcio ends calls that it has received and not yet handed over with
    CANCELLED when its server stops (grpc/grpc#41785); so that there are none, callers hear UNAVAILABLE until no more
    come, and the server stops in that silence.
    """

    def __init__(self, limit: int, metrics: Metrics) -> None:
        self._limit = limit
        self._metrics = metrics
        self._in_flight = 0
        self._arrived = 0
        self._draining = False

    def layer(self, handler: Handler, method: Method) -> Handler:
        """The layer that counts and refuses."""

        async def admit(request: Any, context: Context) -> Any:
            self._arrived += 1
            if self._draining:
                raise Unavailable("SHUTTING_DOWN", "this server is shutting down")
            if self._in_flight >= self._limit:
                raise ResourceExhausted("OVERLOADED", "too many calls in flight", retry_after=RETRY_AFTER)
            self._in_flight += 1
            self._metrics.in_flight.inc()
            try:
                return await handler(request, context)
            finally:
                self._in_flight -= 1
                self._metrics.in_flight.dec()

        return admit

    async def drain(self, patience: float) -> None:
        """Refuses new calls, and returns when no more come, or after `patience` seconds."""
        self._draining = True
        quiet = 0
        try:
            async with asyncio.timeout(patience):
                while quiet < QUIET_LOOKS:
                    before = self._arrived
                    await asyncio.sleep(LOOK_SECONDS)
                    quiet = quiet + 1 if self._arrived == before else 0
        except TimeoutError:
            return
