"""One data directory's PostgreSQL server."""

import os
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from shared.data_dir import make_data_dir
from shared.embedded.cluster import create_cluster
from shared.embedded.distribution import distribution
from shared.embedded.failures import EmbeddedError, explain
from shared.embedded.launch import Launcher, require_time_zones
from shared.embedded.placement import placement
from shared.embedded.postmaster import Postmaster, running_postmaster
from shared.embedded.sharing import Sharing

SUPERUSER = "postgres"


class EmbeddedServer:
    """Starts, shares and stops the server; blocking, for a thread when called from asyncio.

    data_dir: the suite's folder. superuser_password: of the role SUPERUSER, set when the database is created.
    durable: False gives up surviving a power cut, for tests. port: on 127.0.0.1; 0 picks one and keeps it.
    """

    def __init__(self, data_dir: Path, superuser_password: str, *, durable: bool = True, port: int = 0) -> None:
        self.data_dir = data_dir.absolute()
        self.attached = False
        """Whether start() found the server running. Then it has the port and durability it was started with."""
        self.notes: list[str] = []
        """Sentences from start() that the person who called it should read."""
        self._password = superuser_password
        self._durable = durable
        self._wanted_port = port
        self._sharing = Sharing(self.data_dir)
        self._launcher: Launcher | None = None
        self._postmaster: Postmaster | None = None

    def start(self) -> Self:
        """Creates the database on the first call, starts its server, or attaches to it where it runs already.

        Raises EmbeddedError with a paragraph that says what to do. Data that is there is never removed.
        """
        if self._postmaster is not None:
            return self
        require_time_zones()
        self._make_folder()
        with self._sharing.one_at_a_time():
            place = placement(self.data_dir)
            programs = distribution(place.account, self.data_dir)
            launcher = self._launcher = Launcher(
                place, programs, self._log, self.data_dir / "embedded.port", self._wanted_port, self._durable
            )
            notes = [place.note]
            self._sharing.enter()
            try:
                self._postmaster = running_postmaster(place.data)
                self.attached = self._postmaster is not None
                if self._postmaster is None:
                    notes.append(create_cluster(place, programs, SUPERUSER, self._password, durable=self._durable))
                    self._postmaster, note = launcher.start()
                    notes.append(note)
                self._prove_password()
            except BaseException:
                self._leave()
                raise
        self.notes = [note for note in notes if note]
        return self

    def stop(self) -> None:
        """Leaves the server; the last to leave shuts it down, and waits until it has written everything."""
        if self._postmaster is not None:
            with self._sharing.one_at_a_time():
                self._leave()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether the server's process is alive now."""
        return self._launcher is not None and running_postmaster(self._launcher.place.data) is not None

    @property
    def pid(self) -> int:
        return self._started().pid

    @property
    def port(self) -> int:
        """On 127.0.0.1."""
        return self._started().port

    @property
    def socket_dir(self) -> Path:
        """The private folder of the server's socket."""
        return self._started().socket_dir

    @property
    def place(self) -> Path:
        """The folder that holds PostgreSQL's data directory; it belongs to the user that the server runs as."""
        return self._prepared().place.folder

    @property
    def bin_dir(self) -> Path:
        """psql, pg_dump, pgbench, …; they need client_environment()."""
        return self._prepared().programs.bin_dir

    def client_environment(self) -> dict[str, str]:
        """The caller's environment, made fit for the programs in bin_dir."""
        return {**os.environ, **self._prepared().programs.library_path()}

    def superuser_url(self, database: str = "postgres") -> str:
        return self.url(SUPERUSER, self._password, database)

    def url(self, role: str, password: str, database: str = "pmcrm", *, tcp: bool = False) -> str:
        """A URL for asyncpg, psql and the like; through the socket, or with tcp for programs that know no sockets."""
        login = f"{quote(role, safe='')}:{quote(password, safe='')}"
        if tcp:
            return f"postgresql://{login}@127.0.0.1:{self.port}/{quote(database, safe='')}"
        query = f"host={quote(str(self.socket_dir), safe='')}&port={self.port}"
        return f"postgresql://{login}@/{quote(database, safe='')}?{query}"

    def logs(self, last: int = 20_000) -> str:
        """The end of the server's log: `last` bytes."""
        try:
            with self._log.open("rb") as file:
                file.seek(max(0, self._log.stat().st_size - last))
                return file.read().decode(errors="replace")
        except FileNotFoundError:
            return ""

    @property
    def _log(self) -> Path:
        return self.data_dir / "postgres.log"

    def _started(self) -> Postmaster:
        if self._postmaster is None:
            raise RuntimeError("the embedded server has not been started")
        return self._postmaster

    def _prepared(self) -> Launcher:
        if self._launcher is None:
            raise RuntimeError("the embedded server has not been started")
        return self._launcher

    def _make_folder(self) -> None:
        try:
            make_data_dir(self.data_dir)
        except OSError as error:
            raise EmbeddedError(explain("created", str(error), self.data_dir)) from None

    def _leave(self) -> None:
        """Counts this process out, and shuts the server down if it was the last. Needs the right to stop it."""
        try:
            if self._sharing.alone() and self.running:
                self._prepared().stop()
        finally:
            self._postmaster = None
            self._sharing.leave()

    def _prove_password(self) -> None:
        """A database whose keys were replaced refuses everybody: better said here than by each service."""
        launcher = self._prepared()
        code, output = launcher.place.account.run(
            [self.bin_dir / "psql", "--no-psqlrc", "--no-password", "--quiet", "--command=SELECT"],
            {
                **launcher.programs.environment(),
                "PGHOST": str(self.socket_dir),
                "PGPORT": str(self.port),
                "PGUSER": SUPERUSER,
                "PGPASSWORD": self._password,
                "PGDATABASE": "postgres",
            },
        )
        if code != 0 and "authentication failed" in output:
            raise EmbeddedError(
                f"The embedded database of {self.data_dir} was made with other keys than those that are there now. "
                "Put back the keys.env that belongs to it, or move the folder away to begin with an empty database."
            )
        if code != 0:
            raise EmbeddedError(explain("reached", output, launcher.place.folder))
