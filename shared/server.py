"""Builds a service's gRPC server out of its servicers, and runs it until it is told to stop.

Handlers are made from the contracts' descriptors: each RPC of each service in the contract exists from the start, and
one that has no method yet answers UNIMPLEMENTED.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import grpc
import grpc.aio
from google.protobuf import descriptor_pool, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc

from shared.answering import answering
from shared.database import Database
from shared.edge import CannotServe
from shared.errors import Unimplemented
from shared.health import DatabaseWatch, Health
from shared.layers import Context, Handler, Layer, Method, method_of, surround
from shared.metrics import Metrics
from shared.pages import PageTokens
from shared.pool import Pool
from shared.reflection import reflection_handlers
from shared.settings import Settings, SettingsError
from shared.shedding import Admission
from shared.telemetry import measuring
from shared.tenancy import Tenants, admitting
from shared.wire import speaking

# Bytes of one message; a batch of 1 000 contacts as people keep them is about a tenth of it.
MESSAGE_LIMIT = 16 * 1024 * 1024

# Seconds of a drain in which callers that do not cease are refused before the server disconnects them.
SILENCE_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a servicer is built from."""

    settings: Settings
    database: Database
    tenants: Tenants
    page_tokens: PageTokens
    metrics: Metrics


@dataclass(frozen=True, slots=True)
class Service:
    """One of the suite's services.

    name: `contacts`, `interactions`, `insights` or `gdpr`.
    servicers: makes the servicers by their full gRPC name; `None` for one that is not built yet.
    """

    name: str
    servicers: Callable[[Runtime], Mapping[str, object]]


def full_names(contracts: Sequence[ModuleType], built: Mapping[str, object]) -> dict[str, object]:
    """Every gRPC service of some contract modules by its full name, with its servicer; None where it is not built.

    Raises ValueError when something was built that the contracts do not have.
    """
    found = {
        service.full_name: built.get(service.name)
        for contract in contracts
        for service in contract.DESCRIPTOR.services_by_name.values()
    }
    if strays := built.keys() - {name.rpartition(".")[2] for name in found}:
        raise ValueError(f"not in the contracts: {sorted(strays)}")
    return found


class RunningService:
    """A service that listens. `port` is the one it got, `metrics` what it counts."""

    def __init__(self, service: Service, settings: Settings, *, share_port: bool = False) -> None:
        self.name = service.name
        self.metrics = Metrics(service.name)
        self._settings = settings
        url = settings.database_url_for(service.name)
        self.database = _database(url, service.name, settings, self.metrics)
        runtime = Runtime(
            settings,
            self.database,
            Tenants(self.database),
            PageTokens(settings.key_ring("page_token_keys")),
            self.metrics,
        )
        self._server = grpc.aio.server(
            options=[
                ("grpc.so_reuseport", int(share_port)),
                ("grpc.max_receive_message_length", MESSAGE_LIMIT),
                ("grpc.max_send_message_length", -1),
            ]
        )
        servicers = service.servicers(runtime)
        names = list(servicers)
        self._health = Health(names)
        self._admission = Admission(settings.max_in_flight, self.metrics)
        self._server.add_generic_rpc_handlers(_handlers(servicers, runtime, self._admission))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._server.add_generic_rpc_handlers(
            reflection_handlers([*names, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name])
        )
        self._watch = DatabaseWatch(url, self.database.pool, self._health, self.metrics)
        self._watching: asyncio.Task[None] | None = None
        self.port = self._bind()

    async def start(self) -> None:
        """Starts to answer; health says what the first look at the database saw."""
        await self._watch.look()
        self._watching = asyncio.create_task(self._watch.run())
        await self._server.start()

    async def stop(self) -> None:
        """Drains: health says NOT_SERVING, calls in flight may end, later ones get UNAVAILABLE; then disconnects."""
        self._health.drain()
        if self._watching is not None:
            await self._admission.drain(min(SILENCE_PATIENCE, self._settings.drain_seconds))
        await self._server.stop(self._settings.drain_seconds)
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self.database.close()

    def _bind(self) -> int:
        settings = self._settings
        wanted = settings.port(self.name)
        address = f"[{settings.host}]:{wanted}" if ":" in settings.host else f"{settings.host}:{wanted}"
        try:
            port = self._server.add_insecure_port(address)
        except RuntimeError:
            port = 0
        if port == 0:
            variable = f"PMCRM_{self.name.upper()}_PORT"
            raise CannotServe(
                f"{self.name} cannot listen on {address}: the port is in use or the address is not this machine's. "
                f"Set {variable} to another port (0 picks a free one) or PMCRM_HOST to another address."
            )
        return port


def _database(url: str, name: str, settings: Settings, metrics: Metrics) -> Database:
    pool = Pool(url, size=settings.pool_size, keeps_statements=settings.statement_cache, name=f"pmcrm_{name}")
    try:
        operator_url = settings.database_url_for("service")
    except SettingsError:
        return Database(pool, metrics)
    operator_pool = Pool(
        operator_url,
        size=settings.pool_size,
        keeps_statements=settings.statement_cache,
        name=f"pmcrm_{name}_operator",
    )
    return Database(pool, metrics, operator_pool)


def _handlers(servicers: Mapping[str, object], runtime: Runtime, admission: Admission) -> list[grpc.GenericRpcHandler]:
    key = runtime.settings.operator_key
    layers: list[Layer] = [
        answering,
        measuring(runtime.metrics),
        admission.layer,
    ]
    tenant_layers = [*layers, admitting(runtime.tenants, None if key is None else key.get_secret_value())]
    return [
        grpc.method_handlers_generic_handler(
            name,
            {
                method.name: _method_handler(method, getattr(servicer, method.name, None), layers, tenant_layers)
                for method in descriptor_pool.Default().FindServiceByName(name).methods
            },
        )
        for name, servicer in servicers.items()
    ]


def _method_handler(
    descriptor: Any, written: Callable[..., Any] | None, layers: list[Layer], tenant_layers: list[Layer]
) -> grpc.RpcMethodHandler[Any, Any]:
    name = f"/{descriptor.containing_service.full_name}/{descriptor.name}"
    streamed_in, streamed_out = descriptor.client_streaming, descriptor.server_streaming
    if written is None:
        handler = surround(_unbuilt(name), Method(name), layers)
    else:
        request_type = message_factory.GetMessageClass(descriptor.input_type)
        spoken = speaking(written, request_type, streamed_in=streamed_in, streamed_out=streamed_out)
        handler = surround(spoken, method_of(name, written), tenant_layers)
    make = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[streamed_in, streamed_out]
    # Without (de)serialisers, so that the layers surround these too: see shared.wire.
    return make(handler)


def _unbuilt(name: str) -> Handler:
    async def unbuilt(request: Any, context: Context) -> Any:
        raise Unimplemented("NOT_BUILT", f"{name} is in the contract and not built yet")

    return unbuilt
