"""How long a caller can wait for the provider, which may be less than the provider is given by the settings."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import cast

from shared.layers import Context

# How much of its caller's time a call lets the provider take.
SHARE = 0.5

_patience: ContextVar[float | None] = ContextVar("provider_patience", default=None)


@contextmanager
def patience(seconds: float | None) -> Iterator[None]:
    """Requests to the provider inside are given up `seconds` from now, where that is before their own time-out.

    A call that goes on without the provider gives it less than what it has itself: `providers_time(context)`. None: no
    bound of this caller's.
    """
    outer = _patience.get()
    until = None if seconds is None else asyncio.get_running_loop().time() + seconds
    token = _patience.set(outer if until is None else until if outer is None else min(outer, until))
    try:
        yield
    finally:
        _patience.reset(token)


def providers_time(context: Context) -> float | None:
    """Seconds that the provider may take of what a call has left; None when its caller set no deadline."""
    # None, too, is what the types of grpc do not say.
    left = cast("float | None", context.time_remaining())
    return None if left is None else left * SHARE


def deadline(seconds: float) -> float:
    """When, in the loop's time, a request that may take so many seconds is given up by a caller of this patience."""
    until = asyncio.get_running_loop().time() + seconds
    outer = _patience.get()
    return until if outer is None else min(outer, until)
