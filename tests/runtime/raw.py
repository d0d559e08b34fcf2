"""Calls without a generated stub: bytes as they are, health, and reflection of either version."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from tests.runtime.acting import PATIENCE


def unary(channel: grpc.aio.Channel, method: str) -> Any:
    """A unary RPC that takes and gives bytes."""
    return channel.unary_unary(method)


def streams(channel: grpc.aio.Channel, method: str) -> Any:
    """An RPC with a stream each way that takes and gives bytes."""
    return channel.stream_stream(method)


def check(channel: grpc.aio.Channel, name: str = "") -> Any:
    """The call of grpc.health.v1.Health/Check."""
    request = health_pb2.HealthCheckRequest(service=name).SerializeToString()
    rpc: Any = channel.unary_unary(
        "/grpc.health.v1.Health/Check", response_deserializer=health_pb2.HealthCheckResponse.FromString
    )
    return rpc(request, timeout=PATIENCE)


def watch(channel: grpc.aio.Channel, name: str = "") -> Any:
    """The call of grpc.health.v1.Health/Watch, which never ends by itself."""
    request = health_pb2.HealthCheckRequest(service=name).SerializeToString()
    rpc: Any = channel.unary_stream(
        "/grpc.health.v1.Health/Watch", response_deserializer=health_pb2.HealthCheckResponse.FromString
    )
    return rpc(request)


async def reflect(
    channel: grpc.aio.Channel, version: str, *requests: reflection_pb2.ServerReflectionRequest
) -> list[reflection_pb2.ServerReflectionResponse]:
    """What reflection of a version (`v1`, `v1alpha`) answers to some requests on one stream."""
    rpc: Any = channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )

    async def sent() -> AsyncIterator[bytes]:
        for request in requests:
            yield request.SerializeToString()

    return [response async for response in rpc(sent(), timeout=PATIENCE)]
