"""A service starts where it may, or says in a sentence what keeps it from it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

import grpc
import pytest
from pmcrm.contacts.v1 import contact_service_pb2 as pb

from services.contacts.service import SERVICE as CONTACTS
from shared.edge import CannotServe, check_edge
from shared.server import RunningService, Service, full_names
from shared.serving import Listening, serve
from shared.settings import Settings, SettingsError
from tests.postgres import Database
from tests.runtime.acting import PATIENCE
from tests.runtime.processes import contacts, environment, started
from tests.suite import Client, connected, failure, settings_for


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "db.internal"])  # noqa: S104 - refused, which is the test
async def test_beyond_loopback_the_tenant_header_is_not_believed_unasked(
    database: Database, host: str, workers: int
) -> None:
    async with contacts(database, PMCRM_HOST=host, PMCRM_WORKERS=workers) as service:
        assert await service.ended() == 1
        [line] = service.err
        assert line.startswith(f"PMCRM_HOST is {host}, which other machines can reach")
        assert "PMCRM_TRUST_TENANT_HEADER=true" in line
        assert not service.out


async def test_where_every_caller_is_trusted_it_starts(database: Database) -> None:
    anywhere = "0.0.0.0"  # noqa: S104 - for a moment, on a port of the kernel's choice
    async with contacts(database, PMCRM_HOST=anywhere, PMCRM_TRUST_TENANT_HEADER="true") as service:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{await service.port()}") as channel:
            client = Client(channel)
            tenant = await client.new_tenant()
            await client.contacts.ListContacts(pb.ListContactsRequest(), metadata=tenant)
        service.terminate()
        assert await service.ended() == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_loopback_needs_no_trust(database: Database, host: str) -> None:
    check_edge(settings_for(database, host=host))


async def test_a_service_listens_on_ipv6_too(database: Database) -> None:
    try:
        service = RunningService(CONTACTS, settings_for(database, host="::1"))
    except CannotServe:
        pytest.skip("this machine has no IPv6 loopback")
    await service.start()
    async with grpc.aio.insecure_channel(f"[::1]:{service.port}") as channel:
        await Client(channel).new_tenant()
    await service.stop()


async def test_a_port_that_is_used_is_told_and_what_had_started_is_stopped(database: Database) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        other = Service("interactions", lambda runtime: {})
        settings = settings_for(database, interactions_port=port)
        announced: list[Sequence[Listening]] = []
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(
                CannotServe, match=f"interactions cannot listen on 127.0.0.1:{port}.*PMCRM_INTERACTIONS"
            ):
                await serve([CONTACTS, other], settings, lambda _, listening: announced.append(listening))
        assert not announced


async def test_without_a_service_url_operator_calls_say_so(database: Database) -> None:
    urls = {name: url for name, url in database.urls.items() if name != "service"}
    service = RunningService(CONTACTS, settings_for(database).with_role_urls(urls))
    await service.start()
    async with connected(service) as client:
        told = await failure(client.new_tenant())
        assert (told.code, told.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "OPERATOR_NOT_CONFIGURED")
    await service.stop()


async def test_without_keys_a_service_is_not_built(database: Database) -> None:
    settings = Settings.load(contacts_port=0).with_role_urls(database.urls)
    with pytest.raises(SettingsError, match=r"PMCRM_PAGE_TOKEN_KEYS is not set. Make a key with `openssl"):
        RunningService(CONTACTS, settings)


async def test_a_database_that_cannot_be_reached_is_told_without_its_password() -> None:
    url = "postgresql://pmcrm_contacts:very-secret@127.0.0.1:1/pmcrm"
    async with contacts(None, DATABASE_URL=url) as service:
        assert await service.ended() == 1
        [line] = service.err
        assert line.startswith("The database in DATABASE_URL cannot be reached")
        assert "very-secret" not in line


async def test_arguments_are_refused(database: Database) -> None:
    async with started(["-m", "services.contacts", "--port", "1"], environment(database)) as service:
        assert await service.ended() == 1
        assert service.err == ["usage: python -m services.contacts (settings come from the environment)"]


async def test_a_signal_during_the_start_ends_it(database: Database) -> None:
    """Whatever it was doing: it neither hangs nor prints a traceback."""
    async with contacts(database) as service:
        await asyncio.sleep(0.6)
        service.terminate()
        assert await service.ended() in {0, -15}
        assert not [line for line in service.err if "Traceback" in line]


def test_a_servicer_that_no_contract_has_is_a_mistake() -> None:
    from pmcrm.contacts.v1 import contact_service_pb2

    with pytest.raises(ValueError, match="ContactsService"):
        full_names([contact_service_pb2], {"ContactsService": object()})
