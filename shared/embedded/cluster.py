"""A data directory: made whole or not at all, and refused when it is not what this PostgreSQL can serve."""

import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from shared.embedded.distribution import Distribution
from shared.embedded.failures import EmbeddedError, explain
from shared.embedded.placement import Placement

_UNFINISHED = "unfinished-"

# The provider gives casing and ordering by Unicode on every machine; LC_CTYPE is what pg_trgm asks what a letter is,
# and in "C" it finds none beyond ASCII.
_LOCALE = (
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    f"--locale={'en_US.UTF-8' if sys.platform == 'darwin' else 'C.UTF-8'}",
)


def create_cluster(
    place: Placement, programs: Distribution, superuser: str, password: str, *, durable: bool
) -> str | None:
    """Makes the data directory if there is none, else checks it. Raises EmbeddedError.

    Returns what the caller should be told.
    """
    interrupted = _sweep(place.folder)
    if place.data.exists() and not _is_empty(place.data):
        _check(place.data, programs)
        return None
    note = "An earlier first start was interrupted before it had made a database; this one began anew."
    try:
        folder = place.folder / f"{_UNFINISHED}{secrets.token_hex(4)}"
        folder.mkdir(mode=0o700)
        place.account.own(folder)
        _initdb(folder, place, programs, superuser, password, durable=durable)
        if place.data.exists():
            place.data.rmdir()
        (folder / "data").rename(place.data)
        shutil.rmtree(folder)
        _sync(place.folder)
    except OSError as error:
        raise EmbeddedError(explain("created", str(error), place.folder)) from None
    return note if interrupted else None


def _sweep(folder: Path) -> bool:
    """Removes what first starts that were killed have left, and says whether there was anything.

    No server has ever run on it: only initdb writes there, and what it finishes is renamed. The initdb of a start that
    was killed may still be at it, which is why each has a folder of its own; what it adds now goes at the next start.
    """
    interrupted = list(folder.glob(f"{_UNFINISHED}*"))
    for unfinished in interrupted:
        shutil.rmtree(unfinished, ignore_errors=True)
    return bool(interrupted)


def _initdb(
    folder: Path, place: Placement, programs: Distribution, superuser: str, password: str, *, durable: bool
) -> None:
    """Makes folder/data."""
    password_file = folder / "password"
    try:
        descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(password)
        place.account.own(password_file)
        code, output = place.account.run(
            [
                programs.bin_dir / "initdb",
                f"--pgdata={folder / 'data'}",
                f"--username={superuser}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                *_LOCALE,
                *([] if durable else ["--no-sync"]),
            ],
            programs.environment(),
        )
    except subprocess.TimeoutExpired as error:
        code, output = 1, str(error)
    if code != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise EmbeddedError(explain("created", output, place.folder))


def _check(data: Path, programs: Distribution) -> None:
    try:
        version = (data / "PG_VERSION").read_text(encoding="ascii").strip()
        whole = (data / "global" / "pg_control").exists()
    except FileNotFoundError:
        version, whole = "", False
    if not whole:
        raise EmbeddedError(
            f"{data} is not a whole PostgreSQL data directory: something has removed a part of it. It has been left "
            f"as it is. Put back a copy, or move {data} away to begin with an empty database."
        )
    if version != str(programs.major):
        raise EmbeddedError(
            f"The database in {data} was made by PostgreSQL {version}, and this pmcrm brings PostgreSQL "
            f"{programs.major}. It has been left as it is. Dump it with the version of pmcrm that made it "
            "(pg_dumpall) and load the dump into a new one, or set PMCRM_DATA_DIR to another folder to begin with an "
            "empty database."
        )


def _is_empty(folder: Path) -> bool:
    return next(folder.iterdir(), None) is None


def _sync(folder: Path) -> None:
    """Makes a rename in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
