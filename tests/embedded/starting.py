"""What the tests of the embedded server do with it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from shared.embedded import EmbeddedServer

PROJECT = Path(__file__).parents[2]
PASSWORD = "a password: 'quoted' & spaced"

# Starts a server and tells its process id and port, then waits to be ended.
STARTER = """
import sys, time
from pathlib import Path
from shared.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]), sys.argv[2], durable=sys.argv[3] == "durable").start()
print(server.pid, server.port, server.attached, flush=True)
sys.stdin.readline()
server.stop()
"""


def embedded(data_dir: Path, *, durable: bool = False, port: int = 0) -> EmbeddedServer:
    return EmbeddedServer(data_dir, PASSWORD, durable=durable, port=port)


def starter(data_dir: Path, *, durable: bool = False) -> "subprocess.Popen[str]":
    """Another process that starts the server; a line on its input makes it stop."""
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, str(data_dir), PASSWORD, "durable" if durable else ""],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def answer(suite: "subprocess.Popen[str]") -> tuple[int, int, bool]:
    """Process id and port of the server that it has started, and whether it found it running."""
    assert suite.stdout is not None
    pid, port, attached = suite.stdout.readline().split()
    return int(pid), int(port), attached == "True"


def query(server: EmbeddedServer, sql: str, *, tcp: bool = False, password: str = PASSWORD) -> str:
    """psql's answer; or, when it fails, what it says."""
    url = server.url("postgres", password, "postgres", tcp=tcp)
    result = subprocess.run(
        [server.bin_dir / "psql", "--no-psqlrc", "--no-password", "-qtAX", "-c", sql, url],
        env=server.client_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return (result.stdout if result.returncode == 0 else result.stderr).strip()


def wait_until(what: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it has not come true in time"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A killed process stays as a zombie until its parent has asked for its exit code.
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
