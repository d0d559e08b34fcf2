"""An HTTP client of an OpenAI-compatible provider: a JSON body goes out, a JSON body comes back, or it says why not."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import httpx
import structlog

from services.insights.provider.breaker import CircuitBreaker, CircuitOpen
from services.insights.provider.failures import (
    ProviderAnswerInvalid,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
)
from services.insights.provider.patience import deadline
from services.insights.provider.retrying import is_repeated, wait_before
from shared.settings import Settings

log = structlog.get_logger()

LONGEST_CONNECT = 5.0
# An attempt that a hurried caller gave up before so many seconds says nothing about the provider.
SILENCE = 1.0
# The request itself is at fault: its size or what it holds.
REFUSALS = frozenset({400, 413, 422})
# It is there, and wants to be asked more slowly.
PATIENCE_ASKED_FOR = frozenset({425, 429})

Sleep = Callable[[float], Awaitable[object]]


class _Again(Exception):
    """An attempt failed in a way that another may not.

    headers: those of its answer, if there was one. down: it says that the provider is.
    """

    def __init__(self, problem: str, headers: Mapping[str, str] | None = None, *, down: bool) -> None:
        super().__init__(problem)
        self.headers = headers
        self.down = down


class ProviderClient:
    """Asks one provider, from one process: its connections, its circuit breakers and its bound of requests at once.

    base_url: without a slash at its end. key: sent as a bearer token. timeout: seconds for a request with all its
    repetitions. attempts: how often it is sent at most. concurrency: requests at once.
    The system's certificate authorities are believed, and those that SSL_CERT_FILE or SSL_CERT_DIR name. Proxies are
    those of HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY; there is none to this machine itself.
    """

    def __init__(
        self,
        base_url: str,
        key: str | None = None,
        *,
        timeout: float = 30,
        attempts: int = 3,
        concurrency: int = 4,
        sleep: Sleep = asyncio.sleep,
        breaker: Callable[[], CircuitBreaker] = CircuitBreaker,
    ) -> None:
        self._base_url = base_url
        self._timeout = timeout
        self._attempts = attempts
        self._sleep = sleep
        self._new_breaker = breaker
        # A provider that cannot word may well embed.
        self._breakers: dict[str, CircuitBreaker] = {}
        self._turn = asyncio.Semaphore(concurrency)
        # What is not compressed cannot burst: the bound on an answer's size is one on what arrives.
        headers = {"User-Agent": "pmcrm", "Accept": "application/json", "Accept-Encoding": "identity"}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        self._http = httpx.AsyncClient(
            headers=headers,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            verify=_certificates(),
            timeout=httpx.Timeout(timeout, connect=min(LONGEST_CONNECT, timeout)),
            limits=httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency),
            follow_redirects=False,
            trust_env=not _is_loopback(base_url),
        )

    @classmethod
    def of(cls, settings: Settings) -> ProviderClient | None:
        """A client as the settings say; None when they name no provider."""
        if settings.ai_base_url is None:
            return None
        return cls(
            settings.ai_base_url,
            settings.ai_key.get_secret_value() if settings.ai_key else None,
            timeout=settings.ai_timeout_seconds,
            attempts=settings.ai_attempts,
            concurrency=settings.ai_concurrency,
        )

    async def aclose(self) -> None:
        """Closes its connections."""
        await self._http.aclose()

    async def post(self, path: str, body: Mapping[str, Any], *, limit: int) -> bytes:
        """The body of the provider's answer to a JSON body.

        path: below the base URL, such as `/embeddings`. limit: bytes that the answer may have.
        Raises ProviderUnavailable, ProviderAnswerInvalid.
        """
        content = json.dumps(body, allow_nan=False).encode()
        try:
            return await self._persist(path, content, limit)
        except CircuitOpen:
            raise  # what opened it was logged
        except ProviderError as error:
            log.warning("provider_failed", path=path, problem=str(error))
            raise

    async def _persist(self, path: str, content: bytes, limit: int) -> bytes:
        """The answer to one attempt or another, within the time that there is."""
        until = deadline(self._timeout)
        breaker = self._breakers.setdefault(path, self._new_breaker())
        attempts = 1 if breaker.admit() == "TRIAL" else self._attempts
        down = False
        for attempt in range(1, attempts + 1):
            try:
                answer = await self._attempt(path, content, limit, until)
            except ProviderAnswerInvalid:
                breaker.succeeded()
                raise
            except _Again as failure:
                problem, wait = str(failure), wait_before(attempt, failure.headers)
                down = down or failure.down
            else:
                breaker.succeeded()
                return answer
            if attempt == attempts or asyncio.get_running_loop().time() + wait >= until:
                break
            await self._sleep(wait)
        if down:
            breaker.failed()
        raise ProviderUnavailable(f"the provider is unavailable: {problem}")

    async def _attempt(self, path: str, content: bytes, limit: int, until: float) -> bytes:
        """One attempt's answer. Raises _Again where another may help."""
        loop = asyncio.get_running_loop()
        begun = None
        try:
            async with asyncio.timeout_at(until), self._turn:
                begun = loop.time()
                return await self._exchange(path, content, limit)
        except TimeoutError:
            silent = begun is not None and loop.time() - begun >= min(SILENCE, self._timeout / 2)
            raise _Again("it did not answer in time", down=silent) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            # UnicodeError: a host name that cannot be looked up.
            raise _Again(type(error).__name__, down=True) from None

    async def _exchange(self, path: str, content: bytes, limit: int) -> bytes:
        headers = {"Content-Type": "application/json"}
        async with self._http.stream("POST", self._base_url + path, content=content, headers=headers) as answer:
            status = answer.status_code
            if is_repeated(status):
                raise _Again(f"HTTP status {status}", answer.headers, down=status not in PATIENCE_ASKED_FOR)
            if status in REFUSALS:
                raise ProviderRefused(f"the provider refuses the request: HTTP status {status}")
            if status >= 400:
                raise ProviderUnavailable(f"the provider refuses to answer: HTTP status {status}")
            if not 200 <= status < 300:
                raise ProviderAnswerInvalid(f"the provider answered with HTTP status {status}")
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise ProviderAnswerInvalid("the provider compressed its answer, which it was not asked to")
            read = bytearray()
            async for part in answer.aiter_raw():
                read += part
                if len(read) > limit:
                    raise ProviderAnswerInvalid(f"the provider's answer is larger than {limit} bytes")
            return bytes(read)


@cache
def _certificates() -> ssl.SSLContext:
    """The authorities that the system believes; reading them takes tens of milliseconds."""
    return ssl.create_default_context()


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
