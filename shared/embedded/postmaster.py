"""PostgreSQL's own note about the server that runs on a data directory, read without believing a stale one."""

import contextlib
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A running server: its process, and where it listens."""

    pid: int
    port: int
    socket_dir: Path


def running_postmaster(data: Path) -> Postmaster | None:
    """The server that runs on this data directory; None when there is none, whatever its pid file says."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        pid, port, socket_dir = int(lines[0]), int(lines[3]), Path(lines[4])
    except (OSError, ValueError, IndexError):
        return None
    return Postmaster(pid, port, socket_dir) if _serves(pid, data) else None


def is_served_from_elsewhere(data: Path) -> bool:
    """Whether a server answers on the socket though no process of this machine is it: another container's.

    Only to be asked when running_postmaster() is None.
    """
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            probe.connect(f"{lines[4]}/.s.PGSQL.{lines[3]}")
            return True
    except (OSError, IndexError):
        return False


def remove_stale_notes(data: Path, sockets: Path) -> None:
    """Removes what a killed server left, where it names a process that lives and is another program's by now.

    PostgreSQL would believe it; the rest it sees through, and it looks for a server's shared memory in any case.
    Only to be called when no server runs on `data`, and `sockets` is its alone.
    """
    for stale in (data / "postmaster.pid", *sockets.glob(".s.PGSQL.*.lock")):
        with contextlib.suppress(OSError, ValueError, IndexError):
            os.kill(int(stale.read_text(encoding="utf-8").splitlines()[0]), 0)
            stale.unlink()


def _serves(pid: int, data: Path) -> bool:
    """Whether the process is a PostgreSQL server on this data directory: a server works inside it."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cwd").samefile(data)
        except OSError:
            return False
    shown = subprocess.run(["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return str(data) in shown.stdout
