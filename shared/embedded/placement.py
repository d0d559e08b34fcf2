"""Where the embedded database lies: in the data directory, unless the user who runs it could not get in there."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from shared.embedded.account import Account, account_for
from shared.embedded.failures import EmbeddedError, explain
from shared.keys import DATABASE_FOLDER

SYSTEM_PLACES = Path("/var/lib/pmcrm")

# A socket's address holds 108 bytes on Linux and 104 on macOS; `/.s.PGSQL.65535` is PostgreSQL's part of it.
_LONGEST_SOCKET_FOLDER = 103 - len("/.s.PGSQL.65535")


@dataclass(frozen=True, slots=True)
class Placement:
    """A folder of the database's own (0700), and the user whose it is. note: what the caller should be told."""

    folder: Path
    account: Account
    note: str | None = None

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory. It exists only when it is whole: it is made elsewhere and renamed."""
        return self.folder / "data"


def placement(data_dir: Path) -> Placement:
    """Finds the place of a data directory's database, or makes one. Raises EmbeddedError when it is out of reach.

    The data directory exists. Only one start may be here at a time.
    """
    folder = data_dir / DATABASE_FOLDER  # a folder, or a link to one under SYSTEM_PLACES
    try:
        if folder.exists():
            return _existing(folder.resolve())
        if folder.is_symlink():
            raise EmbeddedError(
                f"The embedded database was in {folder.readlink()}, which is gone. Put it back, or remove the link "
                f"{folder} to begin with an empty one."
            )
        account = account_for(data_dir)
        _make_private(folder, account)
        if account.can_reach(folder):
            return Placement(folder.resolve(), account)
        folder.rmdir()
        elsewhere = SYSTEM_PLACES / hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]
        SYSTEM_PLACES.mkdir(parents=True, exist_ok=True)
        SYSTEM_PLACES.chmod(0o755)
        if not elsewhere.exists():
            _make_private(elsewhere, account)
        folder.symlink_to(elsewhere)
        return Placement(
            elsewhere,
            account_for(elsewhere),
            f"The database is in {elsewhere}: PostgreSQL runs as {account.name} here, who cannot enter {data_dir}.",
        )
    except OSError as error:
        raise EmbeddedError(explain("created", str(error), folder)) from None


def socket_folder(place: Placement) -> Path:
    """A folder for the socket that only the database's user (and root) can enter, with a path short enough for one."""
    inside = place.folder / "socket"
    if len(os.fsencode(inside)) <= _LONGEST_SOCKET_FOLDER:
        folder = inside
    else:
        digest = hashlib.sha256(os.fsencode(place.folder)).hexdigest()[:12]
        folder = Path("/tmp") / f"pmcrm-{digest}"  # noqa: S108 (checked below to be ours alone)
    try:
        _make_private(folder, place.account)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != place.account.uid or found.st_mode & 0o077:
            raise EmbeddedError(
                f"{folder} should be a private folder of {place.account.name} for the database's socket, and is not. "
                "Look at whose it is, and remove it."
            ) from None
    return folder


def _existing(folder: Path) -> Placement:
    account = account_for(folder)
    owner = folder.stat().st_uid
    if owner != account.uid:
        raise EmbeddedError(
            f"The embedded database in {folder} belongs to another user ({owner}). Start pmcrm as that user or as "
            "root, or set PMCRM_DATA_DIR to a folder of your own."
        )
    if not account.can_reach(folder):
        raise EmbeddedError(
            f"The embedded database in {folder} belongs to {account.name}, who cannot enter it any more. "
            "Give that user the x permission on the folders above it again."
        )
    return Placement(folder, account)


def _make_private(folder: Path, account: Account) -> None:
    folder.mkdir(mode=0o700)
    account.own(folder)
