"""Which requests are repeated, and after how long."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.insights.provider.failures import ProviderRefused, ProviderUnavailable
from services.insights.provider.retrying import LONGEST_WAIT, retry_after, wait_before
from tests.services.insights.provider.asking import ask
from tests.services.insights.provider_server import Fault, babbles, breaks_off, resets, status


@pytest.mark.parametrize("fault", [*map(status, (408, 425, 429, 500, 502, 503, 504, 529)), resets, breaks_off, babbles])
async def test_what_may_pass_is_tried_again(provider, connect, waits, fault: Fault):
    provider.fail_with(fault, times=2)
    assert await ask(connect())
    assert len(provider.requests) == 3
    assert len(waits) == 2
    assert provider.requests[0].content == provider.requests[2].content


@pytest.mark.parametrize("fault", [status(429), status(503), resets, breaks_off, babbles])
async def test_what_does_not_pass_is_given_up_after_the_attempts_that_there_are(provider, connect, waits, fault: Fault):
    provider.fail_with(fault, times=None)
    with pytest.raises(ProviderUnavailable):
        await ask(connect(attempts=4))
    assert len(provider.requests) == 4
    assert len(waits) == 3


@pytest.mark.parametrize("code", [401, 402, 403, 404, 405, 410])
async def test_what_will_not_pass_is_not_tried_again(provider, connect, code: int):
    provider.fail_with(status(code), times=None)
    with pytest.raises(ProviderUnavailable, match=f"HTTP status {code}$"):
        await ask(connect())
    assert len(provider.requests) == 1


@pytest.mark.parametrize("code", [400, 413, 422])
async def test_a_request_that_is_refused_for_what_it_is_is_an_error_of_its_own(provider, connect, code: int):
    provider.fail_with(status(code), times=None)
    with pytest.raises(ProviderRefused, match=f"HTTP status {code}$"):
        await ask(connect())
    assert len(provider.requests) == 1


async def test_retry_after_is_waited_for_and_never_undercut(provider, connect, waits):
    provider.fail_with(status(429, retry_after="7"), status(503, retry_after="0"))
    assert await ask(connect())
    assert waits[0] == 7
    assert 0 < waits[1] <= LONGEST_WAIT


async def test_a_retry_after_beyond_the_time_that_there_is_ends_the_request_at_once(provider, connect, waits):
    provider.fail_with(status(429, retry_after="3600"), times=None)
    with pytest.raises(ProviderUnavailable, match="HTTP status 429"):
        await ask(connect())
    assert len(provider.requests) == 1
    assert waits == []


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        (" 12 ", 12),
        ("1.5", 1.5),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30),
        ("Sun, 22 Nov 2026 11:59:30 GMT", 0),
        ("Sun, 22 Nov 2026 12:00:30", 30),
        ("Sun, 22 Nov 9999 12:00:30 -2359", pytest.approx(251_608_000_000, rel=0.01)),
        ("", 0),
        ("-5", 0),
        ("nan", 0),
        ("inf", 0),
        ("1e9", 0),
        ("9" * 400, 0),
        ("soon", 0),
        ("٣", 0),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date_and_nonsense_as_nothing(value: str, seconds: float):
    assert retry_after(value, datetime(2026, 11, 22, 12, tzinfo=UTC)) == seconds


def test_waits_double_and_are_drawn_from_their_upper_half():
    for attempt, longest in ((1, 0.25), (2, 0.5), (3, 1.0), (6, 8.0), (10, 8.0)):
        drawn = {wait_before(attempt, None) for _ in range(200)}
        assert longest / 2 <= min(drawn) < max(drawn) <= longest
