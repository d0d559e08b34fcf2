"""A circuit breaker: a provider that is down is not asked for a while, so that not every call waits for it in vain."""

from __future__ import annotations

import time
from collections.abc import Callable

from services.insights.provider.failures import ProviderUnavailable

# So many attempts that failed one after another open it, for so many seconds.
FAILURES = 5
PAUSE = 30.0


class CircuitOpen(ProviderUnavailable):
    """The provider was not even asked."""


class CircuitBreaker:
    """Open after `failures` failures in a row; then one attempt goes through every `pause` seconds, until one succeeds.

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

    def admit(self) -> None:
        """Lets an attempt through, or raises CircuitOpen at once."""
        if self._failures < self._limit:
            return
        now = self._clock()
        if now < self._next_try:
            raise CircuitOpen("the provider has failed repeatedly and is not asked for a while")
        # One attempt alone goes through; should it vanish without an outcome, the next does after another pause.
        self._next_try = now + self._pause

    def succeeded(self) -> None:
        """The provider answered."""
        self._failures = 0

    def failed(self) -> None:
        """The provider could not be reached, was overloaded or did not answer in time."""
        self._failures += 1
        self._next_try = self._clock() + self._pause
