"""A provider that is down is left alone, and one that is not is not."""

from __future__ import annotations

import pytest

from services.insights.provider.breaker import CircuitBreaker, CircuitOpen
from services.insights.provider.failures import ProviderAnswerInvalid, ProviderUnavailable
from services.insights.provider.patience import patience
from tests.services.insights.provider.asking import ask
from tests.services.insights.provider_server import Fault, drips, hangs, status


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_provider_that_is_down_is_left_alone_for_a_while_and_then_tried_once(provider, connect):
    clock = Clock()
    client = connect(attempts=2, breaker=lambda: CircuitBreaker(failures=3, pause=30, clock=clock))
    provider.fail_with(status(500), times=None)
    for _ in range(5):
        with pytest.raises(ProviderUnavailable):
            await ask(client)
    assert len(provider.requests) == 6, "two attempts of each of three requests"

    clock.now = 29.9
    with pytest.raises(CircuitOpen):
        await ask(client)
    clock.now = 30.1
    with pytest.raises(ProviderUnavailable, match="500"):
        await ask(client)
    with pytest.raises(CircuitOpen):
        await ask(client)
    assert len(provider.requests) == 7, "one attempt, which failed"

    clock.now = 61
    provider.recover()
    assert await ask(client)
    assert await ask(client)
    assert len(provider.requests) == 9


async def test_a_passing_fault_does_not_shut_the_provider_out(provider, connect):
    client = connect(attempts=2, breaker=lambda: CircuitBreaker(failures=1))
    for _ in range(5):
        provider.fail_with(status(502))
        assert await ask(client)


async def test_a_provider_that_wants_to_be_asked_more_slowly_is_not_shut_out(provider, connect):
    client = connect(breaker=lambda: CircuitBreaker(failures=1))
    provider.fail_with(status(429), times=3)
    with pytest.raises(ProviderUnavailable, match="429"):
        await ask(client)
    assert await ask(client)


async def test_a_trial_that_vanished_does_not_keep_the_provider_shut_out(provider, connect):
    clock = Clock()
    breaker = CircuitBreaker(failures=1, pause=30, clock=clock)
    breaker.failed()
    clock.now = 31
    breaker.admit()
    with pytest.raises(CircuitOpen):
        breaker.admit()
    clock.now = 62
    breaker.admit()


async def test_embeddings_go_on_while_texts_are_left_alone(provider, connect):
    client = connect(attempts=1, breaker=lambda: CircuitBreaker(failures=1))
    provider.fail_with(status(500))
    with pytest.raises(ProviderUnavailable):
        await ask(client, "/chat/completions")
    with pytest.raises(CircuitOpen):
        await ask(client, "/chat/completions")
    assert await ask(client)


@pytest.mark.parametrize("fault", [hangs, drips])
async def test_a_provider_that_hangs_is_left_alone_too(provider, connect, fault: Fault):
    client = connect(timeout=0.1, breaker=lambda: CircuitBreaker(failures=1))
    provider.fail_with(fault, times=None)
    with pytest.raises(ProviderUnavailable, match="in time"):
        await ask(client)
    with pytest.raises(CircuitOpen):
        await ask(client)


async def test_a_hurried_caller_does_not_shut_the_provider_out_for_others(provider, connect):
    client = connect(breaker=lambda: CircuitBreaker(failures=1))
    provider.fail_with(hangs)
    with patience(0.05), pytest.raises(ProviderUnavailable):
        await ask(client)
    assert await ask(client)


async def test_a_refused_key_and_nonsense_do_not_shut_the_provider_out(provider, connect):
    client = connect(breaker=lambda: CircuitBreaker(failures=1))
    provider.fail_with(status(401), status(302), status(400))
    for _ in range(3):
        with pytest.raises((ProviderUnavailable, ProviderAnswerInvalid)):
            await ask(client)
    assert await ask(client)
