"""Several processes for one service, which share its port by SO_REUSEPORT.

The supervising process never imports grpc: grpc's threads and a fork or a late option do not mix, and each worker is a
fresh interpreter anyway. It holds the port while workers come and go, starts a worker again that died, and hands
SIGTERM on so that every one of them drains.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# A worker that dies sooner than this after its start is started again only after RESTART_PAUSE.
YOUNG_SECONDS = 5.0
RESTART_PAUSE = 1.0

# So many deaths in a row of workers that never grew old, and the service gives up: something is wrong for good.
MOST_YOUNG_DEATHS = 5


@dataclass(slots=True)
class Fleet:
    """The workers of one service.

    command: what starts one worker; environment: what it gets beside this process's own.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    size: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    born: dict[int, float] = field(default_factory=dict)
    young_deaths: int = 0

    def start_one(self) -> None:
        """Starts one worker in a session of its own, so that the terminal's Ctrl-C reaches only the supervisor."""
        process = subprocess.Popen(self.command, env={**os.environ, **self.environment}, start_new_session=True)
        self.processes.append(process)
        self.born[process.pid] = time.monotonic()

    def replace_dead(self) -> list[int]:
        """Starts a new worker for each that died, and returns the process ids of these.

        Raises WorkersKeepDying when they all die young.
        """
        dead = [process for process in self.processes if process.poll() is not None]
        for process in dead:
            self.processes.remove(process)
            young = time.monotonic() - self.born.pop(process.pid) < YOUNG_SECONDS
            self.young_deaths = self.young_deaths + 1 if young else 0
            if self.young_deaths >= MOST_YOUNG_DEATHS:
                raise WorkersKeepDying(
                    f"Workers of {self.name} end as soon as they start (exit status {process.returncode}); "
                    "their own messages above say why."
                )
            if young:
                time.sleep(RESTART_PAUSE)
            self.start_one()
        return [process.pid for process in dead]

    def end(self, seconds: float) -> None:
        """Tells every worker to drain, waits so long, and kills those that are left."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + seconds
        for process in self.processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class WorkersKeepDying(Exception):
    """A service cannot be kept up; the text says which."""


class PortTaken(Exception):
    """A port that workers would share is in use by something else."""


def reserve_port(service: str, host: str, port: int) -> socket.socket:
    """Binds a port that workers then share; 0 picks a free one. Held open, not listened on, until the fleet ends.

    Raises PortTaken when something that does not share it has it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if port:
        # Without SO_REUSEPORT first: with it, two suites would quietly share the callers between them.
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise PortTaken(
                    f"{service} cannot listen on {host}:{port} ({error.strerror}). Set PMCRM_{service.upper()}_PORT to "
                    "another port (0 picks a free one) or PMCRM_HOST to another address."
                ) from None
    held = socket.socket(family, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind((host, port))
    return held


def worker_command(service: str) -> list[str]:
    """The command that runs one worker of a service."""
    return [sys.executable, "-m", f"services.{service}", "--worker"]
