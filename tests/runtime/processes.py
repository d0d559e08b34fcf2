"""Services as processes of their own, started as people start them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.postgres import Database
from tests.runtime.acting import PATIENCE
from tests.suite import OPERATOR_KEY, PAGE_KEYS

PROJECT = Path(__file__).parents[2]
LISTENS = re.compile(r"contacts listens on port (\d+)")


@dataclass
class Process:
    """A process whose output is read line by line as it comes."""

    process: asyncio.subprocess.Process
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    _readers: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        for stream, lines in ((self.process.stdout, self.out), (self.process.stderr, self.err)):
            self._readers.append(asyncio.create_task(_read(stream, lines)))

    @property
    def pid(self) -> int:
        return self.process.pid

    async def line(self, pattern: re.Pattern[str]) -> re.Match[str]:
        """The first line on either output that holds the pattern; fails when the process ends without one."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for text in (*self.out, *self.err):
                    if found := pattern.search(text):
                        return found
                if self.process.returncode is not None and all(reader.done() for reader in self._readers):
                    raise AssertionError(f"ended with {self.process.returncode}: {self.out} {self.err}")
                await asyncio.sleep(0.02)

    async def port(self) -> int:
        return int((await self.line(LISTENS))[1])

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    async def ended(self) -> int:
        """Its exit status, once it has ended and all of its output was read."""
        async with asyncio.timeout(PATIENCE):
            await self.process.wait()
            await asyncio.gather(*self._readers)
        assert self.process.returncode is not None
        return self.process.returncode


async def _read(stream: asyncio.StreamReader, lines: list[str]) -> None:
    async for line in stream:
        lines.append(line.decode().rstrip("\n"))  # noqa: PERF401 - read while it grows


def environment(database: Database | None, **settings: object) -> dict[str, str]:
    """A process's environment: none of this one's settings, the database by its URLs, keys, and free ports."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PMCRM_", "DATABASE_URL", "PROMETHEUS_")) and name != "FORCE_COLOR"
    }
    given: dict[str, object] = {
        "PMCRM_OPERATOR_KEY": OPERATOR_KEY,
        "PMCRM_PAGE_TOKEN_KEYS": PAGE_KEYS,
        "PMCRM_CONTACTS_PORT": 0,
        "PMCRM_DRAIN_SECONDS": 15,
    }
    if database is not None:
        given |= {"DATABASE_URL": database.service("contacts"), "DATABASE_URL_SERVICE": database.operator}
    chosen = {name: str(value) for name, value in (given | settings).items() if value is not None}
    return kept | chosen


@contextlib.asynccontextmanager
async def started(command: list[str], variables: Mapping[str, str]) -> AsyncIterator[Process]:
    """The command, run with this Python in the project's folder; killed when it outlives the block."""
    process = Process(
        await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            cwd=PROJECT,
            env=dict(variables),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    )
    try:
        yield process
    finally:
        if process.process.returncode is None:
            process.terminate()
            try:
                await process.ended()
            except TimeoutError:
                process.process.kill()
                await process.process.wait()


def contacts(database: Database | None, **settings: object) -> contextlib.AbstractAsyncContextManager[Process]:
    """`python -m services.contacts` on a database."""
    return started(["-m", "services.contacts"], environment(database, **settings))
