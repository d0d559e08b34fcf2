"""Requests to the provider: what is sent, what is no answer, and when they are given up."""

from __future__ import annotations

import asyncio
import json

import pytest
from structlog.testing import capture_logs

from services.insights.provider.client import ProviderClient
from services.insights.provider.failures import ProviderAnswerInvalid, ProviderUnavailable
from services.insights.provider.patience import patience
from shared.settings import Settings
from tests.services.insights.provider.asking import BODY, KEY, LIMIT, ask
from tests.services.insights.provider_server import (
    TEXT_MODEL,
    Fault,
    babbles,
    breaks_off_unannounced,
    drips,
    gushes,
    hangs,
    provider_server,
    resets,
    says,
    status,
)


async def test_a_request_holds_what_it_must_and_nothing_else(provider, connect):
    answer = json.loads(await ask(connect()))
    assert len(answer["data"]) == 1
    [request] = provider.requests
    assert (request.method, request.path, request.body) == ("POST", "/v1/embeddings", BODY)
    assert dict(request.headers) == {
        "host": provider.url.removeprefix("http://").removesuffix("/v1"),
        "authorization": f"Bearer {KEY}",
        "content-type": "application/json",
        "content-length": str(len(request.content)),
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": "pmcrm",
        "connection": "keep-alive",
    }


async def test_without_a_key_no_authorization_is_sent(provider):
    provider.key = None
    client = ProviderClient(provider.url)
    await ask(client)
    await client.aclose()
    assert "authorization" not in provider.requests[0].headers


async def test_a_provider_sets_no_cookies(provider, connect):
    provider.fail_with(says({}, set_cookie="session=1; Path=/"))
    client = connect()
    await ask(client)
    await ask(client)
    assert "cookie" not in provider.requests[1].headers


@pytest.mark.parametrize("code", [301, 302, 307, 308])
async def test_a_redirect_is_no_answer_and_is_not_followed(provider, connect, code: int):
    async with provider_server() as other:
        provider.fail_with(status(code, location=f"{other.url}/embeddings"), times=None)
        with pytest.raises(ProviderAnswerInvalid, match=f"HTTP status {code}$"):
            await ask(connect())
        assert other.requests == []
    assert len(provider.requests) == 1


async def test_an_answer_without_an_end_is_cut_off(provider, connect):
    provider.fail_with(gushes)
    with pytest.raises(ProviderAnswerInvalid, match=f"larger than {LIMIT} bytes"):
        await ask(connect())
    assert await ask(connect())


async def test_a_compressed_answer_is_not_unpacked(provider, connect):
    provider.fail_with(says(b"\x1f\x8b", content_encoding="gzip"))
    with pytest.raises(ProviderAnswerInvalid, match="compressed"):
        await ask(connect())


async def test_an_answer_that_ends_with_the_connection_is_handed_on(provider, connect):
    provider.fail_with(breaks_off_unannounced)
    assert await ask(connect()) == b'{"data": ['


@pytest.mark.parametrize("fault", [hangs, drips])
async def test_a_provider_that_does_not_come_to_an_end_is_given_up_in_time(provider, connect, fault: Fault):
    provider.fail_with(fault, times=None)
    with pytest.raises(ProviderUnavailable, match="did not answer in time"):
        await ask(connect(timeout=0.1))
    assert len(provider.requests) == 1


async def test_nobody_listening_is_unavailable(provider, waits):
    client = ProviderClient("http://127.0.0.1:1/v1", KEY, sleep=waits)
    with pytest.raises(ProviderUnavailable, match="ConnectError"):
        await ask(client)
    assert len(waits) == 2
    await client.aclose()


async def test_a_host_name_that_cannot_be_looked_up_is_unavailable(waits):
    client = ProviderClient(f"http://{'a' * 70}.invalid/v1", sleep=waits)
    with pytest.raises(ProviderUnavailable):
        await ask(client)
    await client.aclose()


async def test_a_hurried_caller_waits_no_longer_than_it_can(provider, connect):
    provider.fail_with(hangs, times=None)
    with patience(0.05), patience(60), pytest.raises(ProviderUnavailable):
        await ask(connect())
    provider.recover()
    with patience(None):
        assert await ask(connect())


async def test_patience_ends_with_its_block(provider, connect):
    with patience(-1), pytest.raises(ProviderUnavailable):
        await ask(connect())
    assert provider.requests == []
    assert await ask(connect())


async def test_a_cancelled_request_ends_at_once_and_leaves_the_connections_usable(provider, connect):
    client = connect(concurrency=1)
    provider.fail_with(hangs)
    task = asyncio.create_task(ask(client))
    await provider.asked(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await ask(client)


async def test_no_more_requests_are_under_way_than_are_allowed(provider, connect):
    provider.fail_with(hangs, times=None)
    client = connect(concurrency=2)
    tasks = [asyncio.create_task(ask(client)) for _ in range(5)]
    await provider.asked(2)
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(provider.requests) == 2
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("fault", [status(401), status(400), status(500), status(302), resets, babbles, gushes])
async def test_logs_and_errors_hold_neither_key_nor_address_nor_text(provider, connect, caplog, fault: Fault):
    provider.fail_with(fault, times=None)
    failures = (ProviderUnavailable, ProviderAnswerInvalid)
    with capture_logs() as lines, caplog.at_level("DEBUG"), pytest.raises(failures) as caught:
        await ask(connect())
    [line] = lines
    assert line["event"] == "provider_failed"
    said = f"{lines} {caught.value!r}"
    for secret in ("hunter2", "Ada", "chess", "127.0.0.1"):
        assert secret not in said
    for secret in ("hunter2", "Ada", "chess"):
        assert secret not in caplog.text
    assert caught.value.__cause__ is None


def test_settings_without_an_address_make_no_client(monkeypatch):
    monkeypatch.delenv("PMCRM_AI_BASE_URL", raising=False)
    assert ProviderClient.of(Settings.load()) is None


async def test_settings_make_the_client(provider):
    settings = Settings.load(**provider.settings_values(ai_attempts=2, ai_text_model=TEXT_MODEL))
    client = ProviderClient.of(settings)
    assert client is not None
    assert await ask(client)
    await client.aclose()
