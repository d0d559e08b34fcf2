"""Bytes to messages and back, inside the layers.

grpcio would do it outside of them: it answers bytes that are no message with INTERNAL, and an answer that cannot be
written with the exception's text. Here both are failures like any other.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

import grpc.aio
from google.protobuf.message import DecodeError, Message

from shared.errors import InvalidArgument, Violation
from shared.layers import Context, Handler, Servicing


def speaking(written: Servicing, request_type: type[Message], *, streamed_in: bool, streamed_out: bool) -> Handler:
    """A servicer's method as a coroutine `(bytes or stream of bytes, context) -> bytes or None`."""
    parse = _every(request_type) if streamed_in else _one(request_type)

    async def answer(data: Any, context: Context) -> bytes:
        message: Message = await written(parse(data), context)
        return _written(message)

    async def write_all(data: Any, context: Context) -> None:
        async for message in written(parse(data), context):
            octets = _written(message)
            try:
                await context.write(octets)
            except grpc.aio.InternalError:
                return  # the caller is gone; that grpcio cancels the task comes only a moment later

    return write_all if streamed_out else answer


def _written(message: Message) -> bytes:
    # Map entries in one order: the answer to a repeated request_id is the first one to the byte.
    return message.SerializeToString(deterministic=True)


def _one(request_type: type[Message]) -> Any:
    read = request_type.FromString

    def parse(data: bytes) -> Message:
        try:
            return read(data)
        except DecodeError:
            name = request_type.DESCRIPTOR.full_name
            raise InvalidArgument([Violation("request", f"its bytes are no {name}")]) from None

    return parse


def _every(request_type: type[Message]) -> Any:
    parse = _one(request_type)

    async def parse_all(stream: AsyncIterable[bytes]) -> AsyncIterator[Message]:
        async for data in stream:
            yield parse(data)

    return parse_all
