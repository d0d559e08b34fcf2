"""A circuit breaker: a provider that is down is not asked for a while, so that not every call waits for it in vain."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from services.insights.provider.failures import ProviderUnavailable

# So many requests that failed one after another, with all their repetitions, open it for so many seconds.
FAILURES = 3
PAUSE = 30.0


class CircuitOpen(ProviderUnavailable):
    """The provider was not even asked."""


class CircuitBreaker:
    """Open after `failures` failures in a row; then one request goes through every `pause` seconds, until one succeeds.

    clock: seconds, from any beginning.
    """

    def __init__(
        self, failures: int = FAILURES, pause: float = PAUSE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = failures
        self._pause = pause
        self._clock = clock
        self._failures = 0
        self._next_try = 0.0

    def admit(self) -> Literal["CLOSED", "TRIAL"]:
        """Lets a request through, or raises CircuitOpen at once. A trial is to be made once, without repetitions."""
        if self._failures < self._limit:
            return "CLOSED"
        now = self._clock()
        if now < self._next_try:
            raise CircuitOpen("the provider has failed repeatedly and is not asked for a while")
        # One alone goes through; should it vanish without an outcome, the next does after another pause.
        self._next_try = now + self._pause
        return "TRIAL"

    def succeeded(self) -> None:
        """The provider answered."""
        self._failures = 0

    def failed(self) -> None:
        """The provider could not be reached, had a fault of its own or did not answer in time."""
        self._failures += 1
        self._next_try = self._clock() + self._pause
