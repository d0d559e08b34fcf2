"""Reaches a running suite as a client does, or starts one for as long as it is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pmcrm.contacts.v1 import contact_service_pb2_grpc, user_service_pb2_grpc

from cli.services import SUITE
from shared.keys import FILE_NAME, local_keys
from shared.server import RunningService
from shared.settings import Settings, SettingsError
from shared.startup import ready_database
from shared.telemetry import configure_logging

Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Suite:
    """Stubs of the contacts service, and the metadata with which an operator calls.

    address: host and port. started: whether this process runs it.
    """

    address: str
    started: bool
    operator: Metadata
    users: user_service_pb2_grpc.UserServiceStub
    contacts: contact_service_pb2_grpc.ContactServiceStub


@asynccontextmanager
async def reached_suite(settings: Settings) -> AsyncIterator[Suite]:
    """The suite that listens where the settings say; one of this process's own, on a free port, when none does.

    Raises SettingsError when a suite runs and its operator key is not known.
    """
    address = f"{settings.host}:{settings.port('contacts')}"
    if settings.port("contacts") and await _answers(address):
        key = _operator_key(settings)
        if key is None:
            raise SettingsError(f"A suite runs on {address}. Set PMCRM_OPERATOR_KEY to its operator key.")
        async with _stubs(address, key, started=False) as suite:
            yield suite
        return
    configure_logging("error", settings.log_format)
    async with ready_database(settings, ["contacts"]) as ready:
        service = RunningService(SUITE["contacts"], ready.model_copy(update={"contacts_port": 0}))
        await service.start()
        try:
            key = _operator_key(ready)
            if key is None:
                raise SettingsError("PMCRM_OPERATOR_KEY is not set, and creating users needs it.")
            async with _stubs(f"{settings.host}:{service.port}", key, started=True) as suite:
                yield suite
        finally:
            await service.stop()


@asynccontextmanager
async def _stubs(address: str, operator_key: str, *, started: bool) -> AsyncIterator[Suite]:
    async with grpc.aio.insecure_channel(address) as channel:
        yield Suite(
            address=address,
            started=started,
            operator=(("x-operator-key", operator_key),),
            users=user_service_pb2_grpc.UserServiceStub(channel),
            contacts=contact_service_pb2_grpc.ContactServiceStub(channel),
        )


async def _answers(address: str) -> bool:
    async with grpc.aio.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            health = await stub.Check(  # type: ignore[attr-defined]  # made in its __init__
                health_pb2.HealthCheckRequest(), timeout=2
            )
        except grpc.aio.AioRpcError:
            return False
        return bool(health.status == health_pb2.HealthCheckResponse.SERVING)


def _operator_key(settings: Settings) -> str | None:
    if settings.operator_key is not None:
        return settings.operator_key.get_secret_value()
    if settings.embedded and (settings.data_dir / FILE_NAME).exists():
        return local_keys(settings.data_dir).operator_key
    return None
