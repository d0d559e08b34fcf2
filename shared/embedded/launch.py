"""Starting and stopping the server of a whole data directory."""

import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from shlex import quote

from shared.data_dir import give_to_owner
from shared.embedded.distribution import Distribution
from shared.embedded.failures import EmbeddedError, explain, leftover_processes, port_was_taken
from shared.embedded.placement import Placement, socket_folder
from shared.embedded.postmaster import Postmaster, is_served_from_elsewhere, remove_stale_notes, running_postmaster

# Below the range from which Linux and macOS give ports to outgoing connections.
_PICKED_PORTS = range(20_000, 30_000)
_LARGEST_LOG = 10_000_000  # bytes; a larger one is set aside
_START_SECONDS = 300  # recovery after a crash in the middle of an import may take a while
_STOP_SECONDS = 60
_LEFTOVER_SECONDS = 20  # for the children of a server that was killed to notice

TIME_ZONES = Path("/usr/share/zoneinfo")

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    # Details and statement texts quote values, and values are people.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}
_NOT_DURABLE = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


@dataclass(frozen=True, slots=True)
class Launcher:
    """What a start needs to know. port_file: where a picked port is kept; wanted_port: 0 to pick one."""

    place: Placement
    programs: Distribution
    log: Path
    port_file: Path
    wanted_port: int
    durable: bool

    def start(self) -> tuple[Postmaster, str | None]:
        """The started server, ready for connections, and what the caller should be told. Raises EmbeddedError."""
        if is_served_from_elsewhere(self.place.data):
            raise EmbeddedError(
                f"A PostgreSQL server in another container runs on {self.place.data}. Stop that one, or set "
                "PMCRM_DATA_DIR to a folder that is not shared with it."
            )
        sockets = socket_folder(self.place)
        remove_stale_notes(self.place.data, sockets)
        port, note = self._port()
        until = time.monotonic() + _LEFTOVER_SECONDS
        while True:
            code, output = self._pg_ctl_start(port, sockets)
            started = running_postmaster(self.place.data)
            if code == 0 and started is not None:
                return started, note
            if leftover_processes(output) and time.monotonic() < until:
                time.sleep(0.5)
            elif port_was_taken(output):
                # Somebody took it between our look and the server's.
                port, note = self._port()
            else:
                if started is not None:
                    self.stop()
                raise EmbeddedError(explain("started", output, self.place.folder))

    def stop(self) -> None:
        """Shuts the server down and waits for it; at once, without waiting for its clients to go."""
        for mode in ("fast", "immediate"):
            code, output = self.place.account.run(
                [
                    self.programs.bin_dir / "pg_ctl",
                    "stop",
                    f"--pgdata={self.place.data}",
                    f"--mode={mode}",
                    f"--timeout={_STOP_SECONDS}",
                ],
                self.programs.environment(),
                timeout=2 * _STOP_SECONDS,
            )
            if code == 0 or running_postmaster(self.place.data) is None:
                return
        raise EmbeddedError(f"The embedded database in {self.place.folder} does not stop: {output.strip()}")

    def _pg_ctl_start(self, port: int, sockets: Path) -> tuple[int, str]:
        """Exit code, and what it added to the log."""
        settings = {**_SETTINGS, "port": str(port), "unix_socket_directories": str(sockets)}
        if not self.durable:
            settings |= _NOT_DURABLE
        if self.programs.has_library("pg_stat_statements"):
            settings["shared_preload_libraries"] = "pg_stat_statements"
        options = " ".join(quote(f"--{name}={value}") for name, value in settings.items())
        if self.log.exists() and self.log.stat().st_size > _LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        command: list[str | Path] = [
            self.programs.bin_dir / "pg_ctl",
            "start",
            "--silent",
            f"--pgdata={self.place.data}",
            f"--options={options}",
            f"--timeout={_START_SECONDS}",
        ]
        try:
            with self.log.open("ab") as log:
                give_to_owner(log.fileno(), self.log.parent)
                before = log.tell()
                process = self.place.account.spawn(command, self.programs.environment(), output=log)
                try:
                    code = process.wait(_START_SECONDS + 10)
                except BaseException:
                    # Interrupted: the server that is on its way must not stay behind.
                    process.kill()
                    process.wait()
                    self.stop()
                    raise
            with self.log.open("rb") as log:
                log.seek(before)
                return code, log.read().decode(errors="replace")
        except subprocess.TimeoutExpired as error:
            return 1, str(error)
        except OSError as error:
            raise EmbeddedError(explain("started", str(error), self.place.folder)) from None

    def _port(self) -> tuple[int, str | None]:
        if self.wanted_port:
            if not _free(self.wanted_port):
                raise EmbeddedError(
                    f"Port {self.wanted_port} on 127.0.0.1, which the embedded database should listen on "
                    "(PMCRM_EMBEDDED_PORT), is taken by another program. End that one, set another port, or 0 to have "
                    "one picked."
                )
            return self.wanted_port, None
        note = None
        try:
            kept = int(self.port_file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            kept = 0
        if kept and _free(kept):
            return kept, None
        port = next(port for port in SystemRandom().sample(_PICKED_PORTS, len(_PICKED_PORTS)) if _free(port))
        if kept:
            note = f"The database's port {kept} is taken by another program: it listens on {port} from now on."
        try:
            with self.port_file.open("w", encoding="ascii") as file:
                give_to_owner(file.fileno(), self.port_file.parent)
                file.write(f"{port}\n")
        except OSError as error:
            raise EmbeddedError(explain("started", str(error), self.port_file.parent)) from None
        return port, note


def require_time_zones() -> None:
    """Raises EmbeddedError where the machine has no time zones: this PostgreSQL brings none, not even UTC."""
    if not (TIME_ZONES / "Europe" / "Berlin").exists():
        raise EmbeddedError(
            f"The embedded PostgreSQL takes time zones from {TIME_ZONES}, and this machine has none there. Install "
            "them (on Debian and Ubuntu: apt-get install tzdata), or set DATABASE_URL to a PostgreSQL server."
        )


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
