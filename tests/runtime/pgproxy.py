"""A proxy between a service and PostgreSQL that counts round trips, holds messages back, and loses connections."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from shared.settings import Settings
from tests.postgres import Database
from tests.suite import settings_for

# Frontend messages that the server answers at once: a simple query, and the Sync that ends an extended one.
ROUND_TRIPS = b"QS"
SSL_REQUEST = 80877103
CANCEL_REQUEST = 80877102
LENGTH = 4

Matches = Callable[[bytes], bool]


@dataclass
class Proxy:
    """Listens on 127.0.0.1:`port` in front of the server that `target` (a URL) names."""

    target: str
    port: int = 0
    round_trips: int = 0
    sent: list[bytes] = field(default_factory=list)
    """Bodies of the messages that made round trips, as the service sent them."""
    cancels: int = 0
    """Cancel requests; the answer to one is that the server closes its connection."""
    _held: tuple[Matches, asyncio.Event, asyncio.Event] | None = None
    _lose: tuple[Matches, bool] | None = None
    _server: asyncio.Server | None = None
    _connections: set[asyncio.Task[None]] = field(default_factory=set)

    def in_front_of(self, url: str) -> str:
        """The URL by which a role reaches the database through the proxy."""
        parts = urlsplit(url)
        login = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{self.port}", query="sslmode=disable"))

    def reset(self) -> None:
        self.round_trips = 0
        self.sent.clear()

    def hold(self, matches: Matches) -> tuple[asyncio.Event, asyncio.Event]:
        """Holds back the next message that matches: (set when it is there, to be set to let it go)."""
        self._held = (matches, asyncio.Event(), asyncio.Event())
        return self._held[1:]

    def lose(self, matches: Matches, *, after: bool) -> None:
        """Closes the connection at the next message that matches: before the server gets it, or after it was obeyed."""
        self._lose = (matches, after)

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuses new connections and closes those that are there; `open` listens on the same port again."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._connect(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream = await _open(self.target)
        muted = asyncio.Event()
        back = asyncio.create_task(_pump(upstream_reader, writer, muted))
        forth = asyncio.create_task(self._forward(reader, upstream, upstream_reader, muted))
        try:
            _, pending = await asyncio.wait((back, forth), return_when=asyncio.FIRST_COMPLETED)
            if forth in pending or not muted.is_set():
                return
            await back  # the server's answer to a lost message: read, and not passed on
        finally:
            for task in (back, forth):
                task.cancel()
            await asyncio.gather(back, forth, return_exceptions=True)
            upstream.close()

    async def _forward(
        self, reader: asyncio.StreamReader, upstream: asyncio.StreamWriter, answers: Any, muted: asyncio.Event
    ) -> None:
        while True:  # the start-up packets have no type byte
            packet = await _packet(reader)
            code = int.from_bytes(packet[LENGTH : 2 * LENGTH])
            upstream.write(packet)
            await upstream.drain()
            if code == CANCEL_REQUEST:
                self.cancels += 1
                await asyncio.Event().wait()
            if code != SSL_REQUEST:
                break
        while True:
            kind = await reader.readexactly(1)
            packet = await _packet(reader)
            body = packet[LENGTH:]
            if kind in ROUND_TRIPS:
                self.round_trips += 1
                self.sent.append(body)
            await self._pass_hold(body)
            if self._lose and self._lose[0](body):
                _, after = self._lose
                self._lose = None
                if not after:
                    return
                muted.set()
                upstream.write(kind + packet)
                await upstream.drain()
                return
            upstream.write(kind + packet)
            await upstream.drain()

    async def _pass_hold(self, body: bytes) -> None:
        if self._held and self._held[0](body):
            _, there, go = self._held
            self._held = None
            there.set()
            await go.wait()


async def _packet(reader: asyncio.StreamReader) -> bytes:
    length = await reader.readexactly(LENGTH)
    return length + await reader.readexactly(int.from_bytes(length) - LENGTH)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, muted: asyncio.Event) -> None:
    while data := await source.read(65536):
        if muted.is_set():
            return
        sink.write(data)
        await sink.drain()


async def _open(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    host = unquote(query["host"][0]) if "host" in query else parts.hostname or "127.0.0.1"
    port = int(query["port"][0]) if "port" in query else parts.port or 5432
    if host.startswith("/"):
        return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
    return await asyncio.open_connection(host, port)


@contextlib.asynccontextmanager
async def proxying(database: Database) -> AsyncIterator[Proxy]:
    """A proxy in front of a test's database."""
    proxy = Proxy(database.superuser)
    await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.close()


def through(proxy: Proxy, database: Database, **changes: object) -> Settings:
    """Settings of a service whose connections all go through the proxy."""
    urls = {role: proxy.in_front_of(url) for role, url in database.urls.items()}
    return settings_for(database, **changes).with_role_urls(urls)


def commit(body: bytes) -> bool:
    """The message that commits, with or without what is sent before it in the same message."""
    return body.rstrip(b"\0").endswith(b"COMMIT")


def begin(body: bytes) -> bool:
    return body.startswith(b"BEGIN")
