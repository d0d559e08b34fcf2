"""A provider on 127.0.0.1 that speaks OpenAI's protocol over HTTP, well or, when told so, badly.

async with provider_server() as provider:
    provider.embed = lambda text: [1.0, float(len(text))]
    settings = provider.settings_values()           # for Settings.load or settings_for
    provider.fail_with(status(500), times=2)        # the next two requests; then it answers well again
    ...
    assert provider.requests[0].body["input"] == ["Ada likes chess"]
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

EMBEDDING_MODEL = "test-embedding"
TEXT_MODEL = "test-text"


@dataclass(frozen=True)
class Request:
    """What arrived. headers: by lower-case names. body: from JSON, None when it is none."""

    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes
    body: Any


# Answers a request in some bad way, by writing to its connection; True keeps the connection.
Fault = Callable[["Connection", Request], Awaitable[bool]]


@dataclass
class Connection:
    """One client's connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def answer(self, status: int, content: bytes, headers: Mapping[str, str] | None = None) -> bool:
        """Sends a whole answer."""
        lines = {"Content-Type": "application/json", "Content-Length": str(len(content)), **(headers or {})}
        await self.send(status, lines, content)
        return True

    async def send(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        """Sends a head with these headers alone, and content whatever the headers say of it."""
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.writer.write(f"HTTP/1.1 {status} Scripted\r\n{head}\r\n".encode() + content)
        await self.writer.drain()


def status(code: int, content: bytes | None = None, **headers: str) -> Fault:
    """An answer with this status; `retry_after="1"` becomes a header Retry-After."""
    error = json.dumps({"error": {"message": "scripted", "type": "scripted", "code": None}}).encode()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}

    async def fault(connection: Connection, request: Request) -> bool:
        return await connection.answer(code, error if content is None else content, sent)

    return fault


def says(content: object, **headers: str) -> Fault:
    """Status 200 with this content: bytes as they are, anything else in JSON."""
    return status(200, content if isinstance(content, bytes) else json.dumps(content).encode(), **headers)


def writes(content: object) -> Fault:
    """A chat completion whose message is this: a text as it is, anything else in JSON."""
    return says(chat_completion(content if isinstance(content, str) else json.dumps(content)))


async def hangs(connection: Connection, request: Request) -> bool:
    """Nothing, until the client goes away."""
    await connection.reader.read()
    return False


async def drips(connection: Connection, request: Request) -> bool:
    """An answer of which a byte comes every hundredth of a second, for ever."""
    await connection.send(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}, b"")
    while True:
        connection.writer.write(b"1\r\n \r\n")
        await connection.writer.drain()
        await asyncio.sleep(0.01)


async def resets(connection: Connection, request: Request) -> bool:
    """The connection is reset."""
    connection.writer.transport.abort()
    return False


async def breaks_off(connection: Connection, request: Request) -> bool:
    """Half an answer, of which the whole length was announced."""
    await connection.send(200, {"Content-Type": "application/json", "Content-Length": "1000"}, b'{"data": [')
    return False


async def breaks_off_unannounced(connection: Connection, request: Request) -> bool:
    """Half an answer that ends with the connection, as HTTP allows."""
    await connection.send(200, {"Content-Type": "application/json", "Connection": "close"}, b'{"data": [')
    return False


async def babbles(connection: Connection, request: Request) -> bool:
    """Something that is not HTTP."""
    connection.writer.write(b"hello, who is there?\r\n\r\n")
    await connection.writer.drain()
    return False


async def gushes(connection: Connection, request: Request) -> bool:
    """An answer without an end, as fast as it is read."""
    await connection.send(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}, b"")
    while True:
        connection.writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await connection.writer.drain()


def letters(text: str) -> list[float]:
    """How often each letter is in a text, and 1: texts with the same letters are alike."""
    lower = text.lower()
    return [1.0, *(float(lower.count(chr(letter))) for letter in range(ord("a"), ord("z") + 1))]


def embeddings(*vectors: object, indexes: list[Any] | None = None) -> dict[str, Any]:
    """The body of an answer with these vectors, numbered from 0 or as said."""
    places = range(len(vectors)) if indexes is None else indexes
    data = [
        {"object": "embedding", "index": place, "embedding": vector}
        for place, vector in zip(places, vectors, strict=True)
    ]
    return {"object": "list", "data": data, "model": EMBEDDING_MODEL, "usage": {"prompt_tokens": 1, "total_tokens": 1}}


def chat_completion(content: str | None) -> dict[str, Any]:
    """The body of an answer with this message."""
    message = {"role": "assistant", "content": content}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": TEXT_MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }


def plain_words(data: Any) -> object:
    """A title and a body that name everybody whom the data name."""
    people = " and ".join(data["contacts"])
    return {"title": f"Write to {people}", "body": f"It is time to write to {people}."}


@dataclass
class ProviderServer:
    """A provider that answers.

    url: the base URL. key: what it demands as a bearer token; None: nothing. requests: all that arrived, in order.
    embed: makes the vector of a text. write: makes the message of a chat completion out of the user's message (from
    JSON where it is JSON); what is no text is sent in JSON.
    """

    url: str = ""
    key: str | None = None
    embed: Callable[[str], list[float]] = letters
    write: Callable[[Any], object] = plain_words
    requests: list[Request] = field(default_factory=list)
    _faults: list[Fault] = field(default_factory=list)
    _for_ever: Fault | None = None
    _arrivals: asyncio.Condition = field(default_factory=asyncio.Condition)

    def fail_with(self, *faults: Fault, times: int | None = 1) -> None:
        """Answers the next requests by these faults in turn, each `times` times; None: the last for ever."""
        if times is None:
            self._faults += faults[:-1]
            self._for_ever = faults[-1]
        else:
            self._faults += [fault for fault in faults for _ in range(times)]

    def recover(self) -> None:
        """Answers well from now on."""
        self._faults.clear()
        self._for_ever = None

    def settings_values(self, *, words: bool = False, **changes: Any) -> dict[str, Any]:
        """Settings, by field name, of a service that asks this provider for embeddings, and for words too."""
        values = {"ai_base_url": self.url, "ai_embedding_model": EMBEDDING_MODEL, "ai_key": self.key}
        return values | ({"ai_text_model": TEXT_MODEL} if words else {}) | changes

    async def asked(self, times: int) -> None:
        """Returns when that many requests have arrived since the server started."""
        async with asyncio.timeout(10), self._arrivals:
            await self._arrivals.wait_for(lambda: len(self.requests) >= times)

    def sent(self) -> str:
        """Everything that arrived, for assertions on what must not have."""
        return "\n".join(f"{r.method} {r.path} {dict(r.headers)} {r.content.decode()} {r.body}" for r in self.requests)

    async def serve(self, connection: Connection) -> None:
        """Answers the requests of a connection until it ends."""
        while (request := await _read(connection.reader)) is not None:
            async with self._arrivals:
                self.requests.append(request)
                self._arrivals.notify_all()
            fault = self._faults.pop(0) if self._faults else self._for_ever
            if not await (fault(connection, request) if fault else self._answer(connection, request)):
                return

    async def _answer(self, connection: Connection, request: Request) -> bool:
        code, body = self._well(request)
        return await connection.answer(code, json.dumps(body).encode())

    def _well(self, request: Request) -> tuple[int, object]:
        if self.key is not None and request.headers.get("authorization") != f"Bearer {self.key}":
            return 401, _error("invalid api key")
        body = request.body
        if request.method != "POST" or not isinstance(body, dict):
            return 400, _error("no JSON object was posted")
        models = {"/v1/embeddings": EMBEDDING_MODEL, "/v1/chat/completions": TEXT_MODEL}
        if body.get("model") != models.get(request.path, object()):
            return 404, _error("no such model or path")
        if request.path == "/v1/embeddings":
            return self._embeddings(body)
        user = body["messages"][-1]["content"]
        with suppress(ValueError):
            user = json.loads(user)
        message = self.write(user)
        return 200, chat_completion(message if isinstance(message, str) else json.dumps(message))

    def _embeddings(self, body: dict[str, Any]) -> tuple[int, object]:
        texts = body["input"]
        if not texts or "" in texts or body.get("encoding_format") != "float":
            return 400, _error("input is empty, or not asked for as numbers")
        return 200, embeddings(*(self.embed(text)[: body.get("dimensions")] for text in texts))


@asynccontextmanager
async def provider_server(*, tls: ssl.SSLContext | None = None, **fields: Any) -> AsyncIterator[ProviderServer]:
    """A provider that listens on a free port; `fields` are ProviderServer's."""
    provider = ProviderServer(**fields)
    tasks: set[asyncio.Task[Any]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await provider.serve(Connection(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, or the test is over
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=64 * 1024 * 1024, ssl=tls)
    provider.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield provider
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection; None when there is none."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    method, path, _ = head[0].split(" ", 2)
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    content = await reader.readexactly(int(headers.get("content-length", "0")))
    body = None
    with suppress(ValueError):
        body = json.loads(content)
    return Request(method, path, headers, content, body)
