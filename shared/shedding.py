"""Load shedding: a bounded number of RPCs in flight; what comes beyond hears so at once instead of waiting in line."""

from __future__ import annotations

from typing import Any

from shared.errors import ResourceExhausted
from shared.layers import Context, Handler, Layer, Method
from shared.metrics import Metrics

RETRY_AFTER = 1.0


def shedding(limit: int, metrics: Metrics) -> Layer:
    """The layer that refuses calls beyond `limit` in flight, counted over all methods of one service in one process."""
    in_flight = 0

    def layer(handler: Handler, method: Method) -> Handler:
        async def admit(request: Any, context: Context) -> Any:
            nonlocal in_flight
            if in_flight >= limit:
                raise ResourceExhausted("OVERLOADED", "too many calls in flight", retry_after=RETRY_AFTER)
            in_flight += 1
            metrics.in_flight.inc()
            try:
                return await handler(request, context)
            finally:
                in_flight -= 1
                metrics.in_flight.dec()

        return admit

    return layer
