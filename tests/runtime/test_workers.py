"""Several processes for one service: one port, one sum of metrics, and none of them missing for long."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
import urllib.request
from pathlib import Path

import grpc
import psutil
import pytest
from pmcrm.contacts.v1 import contact_service_pb2 as pb

from shared import workers as runtime
from tests.postgres import Connection, Database
from tests.runtime.acting import PATIENCE, count_of, until
from tests.runtime.processes import Process, contacts, environment, started
from tests.suite import OPERATOR_KEY, PAGE_KEYS, Client, Metadata

OWN_CONNECTION = (("grpc.use_local_subchannel_pool", 1),)


def workers_of(process: Process) -> list[psutil.Process]:
    """The supervising process's children."""
    return psutil.Process(process.pid).children()


async def spread_calls(port: int, tenant: Metadata, connections: int = 24) -> int:
    """Calls over many connections, which the kernel spreads over the workers; how many succeeded."""

    async def one() -> bool:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=OWN_CONNECTION) as channel:
            call = Client(channel).contacts.ListContacts(pb.ListContactsRequest(), metadata=tenant, timeout=PATIENCE)
            code: grpc.StatusCode = await call.code()
            return code is grpc.StatusCode.OK

    return sum(await asyncio.gather(*(one() for _ in range(connections))))


async def new_tenant(port: int) -> Metadata:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=OWN_CONNECTION) as channel:
        await channel.channel_ready()
        return await Client(channel).new_tenant()


def scraped(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
        text: str = answer.read().decode()
        return text


def sum_of(text: str, sample: str) -> float:
    """The sum of all samples of a name, whatever their labels."""
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(sample))


def counting(process: Process) -> set[str]:
    """The workers, by their process ids, that have counted anything: each writes files of its own."""
    folder = Path(workers_of(process)[0].environ()["PROMETHEUS_MULTIPROC_DIR"])
    return {file.stem.rpartition("_")[2] for file in folder.glob("counter_*.db")}


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_two_workers_share_a_port_and_their_metrics_and_are_replaced(database: Database) -> None:
    metrics_port = a_free_port()
    async with contacts(database, PMCRM_WORKERS=2, PMCRM_METRICS_PORT=metrics_port) as service:
        port = await service.port()
        tenant = await new_tenant(port)
        await until(lambda: sum_of(scraped(metrics_port), "pmcrm_database_up") == 2)
        assert await spread_calls(port, tenant) == 24
        assert len(counting(service)) == 2
        text = scraped(metrics_port)
        assert sum_of(text, 'pmcrm_rpcs_total{code="OK",method="/pmcrm.contacts.v1.ContactService/ListContacts"') == 24
        assert sum_of(text, "pmcrm_pool_size") == 20

        victim = workers_of(service)[0]
        victim.kill()
        await until(lambda: victim.pid not in {w.pid for w in workers_of(service)} and len(workers_of(service)) == 2)
        await until(lambda: sum_of(scraped(metrics_port), "pmcrm_database_up") == 2)
        assert sum_of(scraped(metrics_port), "pmcrm_pool_size") == 20, "the dead one's gauges are gone"
        assert await spread_calls(port, tenant) == 24

        workers = workers_of(service)
        service.terminate()
        assert await service.ended() == 0, service.err
        assert not any(worker.is_running() for worker in workers)
        assert not [line for line in service.err if "Traceback" in line]


async def test_settings_reach_the_workers_and_no_secret_stands_in_a_command_line(database: Database) -> None:
    async with contacts(database, PMCRM_WORKERS=2, PMCRM_POOL_SIZE=3, PMCRM_OPERATOR_KEY=OPERATOR_KEY) as service:
        port = await service.port()
        tenant = await new_tenant(port)
        assert await spread_calls(port, tenant, 8) == 8
        lines = [" ".join(process.cmdline()) for process in [psutil.Process(service.pid), *workers_of(service)]]
        assert len(lines) == 3
        secrets = [OPERATOR_KEY, PAGE_KEYS, database.service("contacts"), *database.server.passwords.values()]
        for line in lines:
            assert not any(secret in line for secret in secrets)


async def test_sigterm_lets_calls_in_every_worker_end(database: Database, as_superuser: Connection) -> None:
    async with contacts(database, PMCRM_WORKERS=2) as service, database.connect() as locker:
        port = await service.port()
        tenant = await new_tenant(port)
        async with locker.transaction():
            await locker.execute("LOCK TABLE contacts IN ACCESS EXCLUSIVE MODE")
            calls = asyncio.create_task(spread_calls(port, tenant, 8))
            await until(lambda: _eight_wait(as_superuser))
            service.terminate()
            await until(lambda: _refuses(port))
        assert await calls == 8
        assert await service.ended() == 0, service.err


async def _eight_wait(conn: Connection) -> bool:
    return await count_of(conn, "wait_event_type = 'Lock'") == 8


def _refuses(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


async def test_a_used_port_is_told_in_a_sentence(database: Database) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for settings in (
            {"PMCRM_CONTACTS_PORT": port},
            {"PMCRM_CONTACTS_PORT": port, "PMCRM_WORKERS": 2},
            {"PMCRM_METRICS_PORT": port},
            {"PMCRM_METRICS_PORT": port, "PMCRM_WORKERS": 2},
        ):
            async with contacts(database, **settings) as service:
                assert await service.ended() == 1
                text = "\n".join(service.err)
                assert "Traceback" not in text
                assert str(port) in text
                assert next(iter(settings)) in text


async def test_two_suites_do_not_share_a_port_by_accident(database: Database) -> None:
    async with contacts(database, PMCRM_WORKERS=2) as first:
        port = await first.port()
        for workers in (1, 2):
            async with contacts(database, PMCRM_WORKERS=workers, PMCRM_CONTACTS_PORT=port) as second:
                assert await second.ended() == 1
                assert str(port) in "\n".join(second.err)


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_missing_key_is_told_in_a_sentence_before_anything_starts(database: Database, workers: int) -> None:
    async with contacts(database, PMCRM_WORKERS=workers, PMCRM_PAGE_TOKEN_KEYS=None) as service:
        assert await service.ended() == 2
        [line] = service.err
        assert line.startswith("PMCRM_PAGE_TOKEN_KEYS is not set.")


def test_workers_that_end_as_soon_as_they_start_are_given_up(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runtime, "RESTART_PAUSE", 0.0)
    command = [sys.executable, "-c", "import sys; sys.exit('no database')"]
    fleet = runtime.Fleet("contacts", command, {}, size=2)
    fleet.start_one()
    for _ in range(runtime.MOST_YOUNG_DEATHS - 1):
        [worker] = fleet.processes
        worker.wait()
        assert fleet.replace_dead() == [worker.pid]
    fleet.processes[0].wait()
    with pytest.raises(runtime.WorkersKeepDying, match=r"contacts end as soon as they start \(exit status 1\)"):
        fleet.replace_dead()
    fleet.end(PATIENCE)
    assert capfd.readouterr().err.count("no database") == runtime.MOST_YOUNG_DEATHS


@pytest.mark.parametrize("command", [["-m", "services.contacts"], ["-m", "cli", "serve", "contacts"]], ids=" ".join)
async def test_the_supervising_process_never_imports_grpc(database: Database, command: list[str]) -> None:
    """Seen from outside: grpc's library is not mapped into it, and into its workers it is."""
    async with started(command, environment(database, PMCRM_WORKERS=2, PMCRM_CONTACTS_PORT=0)) as service:
        await service.line(re.compile(r"listens on port|contacts +127"))
        await until(lambda: len(workers_of(service)) == 2)
        await until(lambda: all(_has_grpc(worker.pid) for worker in workers_of(service)))
        assert not _has_grpc(service.pid)


def _has_grpc(process_id: int) -> bool:
    return "cygrpc" in Path(f"/proc/{process_id}/maps").read_text()


async def test_a_terminals_ctrl_c_reaches_the_supervisor_alone(database: Database) -> None:
    async with contacts(database, PMCRM_WORKERS=2) as service:
        await service.port()
        groups = {os.getpgid(worker.pid) for worker in workers_of(service)}
        assert os.getpgid(service.pid) not in groups
        service.process.send_signal(signal.SIGINT)
        assert await service.ended() == 0, service.err
