"""SIGTERM under load: what was accepted is answered, what comes later is UNAVAILABLE and has not happened."""

from __future__ import annotations

import asyncio
import signal
import uuid
from collections import Counter

import grpc
import pytest
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import contact_transfer_pb2 as pb_transfer
from pmcrm.contacts.v1.contact_pb2 import Contact

from tests.postgres import Connection, Database, bound
from tests.runtime.acting import PATIENCE, count_of, until
from tests.runtime.processes import contacts
from tests.runtime.raw import watch
from tests.suite import Client, Metadata, tenant_of

# Without the channel's own repetitions, so that a test sees what the server answered.
PLAIN = (("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1))


async def create_until_refused(client: Client, tenant: Metadata, codes: Counter[grpc.StatusCode]) -> None:
    """Creates contacts one after the other until a call fails."""
    request = pb.CreateContactRequest(contact=Contact(given_name="Ada"))
    while True:
        code = await client.contacts.CreateContact(request, metadata=tenant, timeout=PATIENCE).code()
        codes[code] += 1
        if code is not grpc.StatusCode.OK:
            return


@pytest.mark.parametrize("repetition", range(4))
async def test_under_load_every_accepted_call_is_answered(
    database: Database, as_superuser: Connection, repetition: int
) -> None:
    """As many contacts are there as callers heard of, so no refused call had begun."""
    codes: Counter[grpc.StatusCode] = Counter()
    async with contacts(database) as service:
        address = f"127.0.0.1:{await service.port()}"
        channels = [grpc.aio.insecure_channel(address, options=PLAIN) for _ in range(4)]
        clients = [Client(channel) for channel in channels]
        tenant = await clients[0].new_tenant()
        load = [
            asyncio.create_task(create_until_refused(client, tenant, codes)) for client in clients for _ in range(8)
        ]
        await until(lambda: codes[grpc.StatusCode.OK] > 50 * (repetition + 1))
        service.terminate()
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*load)
        assert await service.ended() == 0, service.err
        for channel in channels:
            await channel.close()
    assert set(codes) == {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}
    made = await as_superuser.fetchval("SELECT count(*) FROM contacts WHERE user_id = $1", uuid.UUID(tenant_of(tenant)))
    assert made == codes[grpc.StatusCode.OK]


async def test_a_call_and_a_stream_that_have_begun_end_well_and_health_says_not_serving(
    database: Database, as_superuser: Connection
) -> None:
    async with contacts(database) as service:
        address = f"127.0.0.1:{await service.port()}"
        async with (
            grpc.aio.insecure_channel(address, options=PLAIN) as channel,
            grpc.aio.insecure_channel(address, options=PLAIN) as other,
            database.connect() as locker,
        ):
            client = Client(channel)
            tenant = await client.new_tenant()
            heard = watch(other)
            assert (await heard.read()).status == 1
            stream = client.contacts.ImportContacts(metadata=tenant, timeout=PATIENCE)
            await stream.write(pb_transfer.ImportContactsRequest(options={"format": "IMPORT_FORMAT_VCARD"}))
            async with bound(locker, uuid.UUID(tenant_of(tenant))):
                await locker.execute("LOCK TABLE contacts IN ACCESS EXCLUSIVE MODE")
                call = client.contacts.CreateContact(
                    pb.CreateContactRequest(contact=Contact(given_name="Ada")), metadata=tenant, timeout=PATIENCE
                )
                waiting = asyncio.ensure_future(call)
                await until(lambda: _locked(as_superuser))
                service.terminate()
                assert (await heard.read()).status == 2
                assert await _code_of_a_new_call(address, tenant) is grpc.StatusCode.UNAVAILABLE
            assert (await waiting).given_name == "Ada"
            card = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Grace\r\nN:;Grace;;;\r\nEND:VCARD\r\n"
            await stream.write(pb_transfer.ImportContactsRequest(chunk=card))
            await stream.done_writing()
            answers = [answer async for answer in stream]
            assert answers[-1].summary.created == 1
            assert await service.ended() == 0, service.err


async def test_a_call_longer_than_the_drain_is_ended(database: Database, as_superuser: Connection) -> None:
    """Its caller hears so, its statement ends in the database, and the process ends well."""
    async with contacts(database, PMCRM_DRAIN_SECONDS=0.3) as service:
        address = f"127.0.0.1:{await service.port()}"
        async with grpc.aio.insecure_channel(address, options=PLAIN) as channel, database.connect() as locker:
            client = Client(channel)
            tenant = await client.new_tenant()
            async with bound(locker, uuid.UUID(tenant_of(tenant))):
                await locker.execute("LOCK TABLE contacts IN ACCESS EXCLUSIVE MODE")
                call = client.contacts.CreateContact(
                    pb.CreateContactRequest(contact=Contact(given_name="Ada")), metadata=tenant, timeout=PATIENCE
                )
                waiting = asyncio.ensure_future(call.code())
                await until(lambda: _locked(as_superuser))
                service.terminate()
                assert await waiting in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
                assert await service.ended() == 0, service.err
                assert await count_of(as_superuser, "true") == 0
    made = await as_superuser.fetchval("SELECT count(*) FROM contacts WHERE user_id = $1", uuid.UUID(tenant_of(tenant)))
    assert made == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_an_idle_service_ends_well_on_either_signal(database: Database, number: signal.Signals) -> None:
    async with contacts(database) as service:
        await service.port()
        service.process.send_signal(number)
        assert await service.ended() == 0
        assert not [line for line in service.err if "Traceback" in line]


async def _locked(conn: Connection) -> bool:
    return await count_of(conn, "wait_event_type = 'Lock'") == 1


async def _code_of_a_new_call(address: str, tenant: Metadata) -> grpc.StatusCode:
    async with grpc.aio.insecure_channel(address, options=PLAIN) as channel:
        call = Client(channel).contacts.ListContacts(pb.ListContactsRequest(), metadata=tenant, timeout=PATIENCE)
        code: grpc.StatusCode = await call.code()
        return code
