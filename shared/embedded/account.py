"""The user that PostgreSQL's programs run as: the caller, or, as they refuse to run as root, one without privileges."""

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from shared.embedded.failures import EmbeddedError


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine. `dropped`: the caller is root, and this is whom it becomes for the database."""

    name: str
    uid: int
    gid: int
    dropped: bool

    def spawn(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        output: int | IO[bytes] = subprocess.PIPE,
    ) -> subprocess.Popen[bytes]:
        """Starts a program as this user, in a session of its own: a Ctrl-C at the terminal does not reach it.

        Its output and errors go to `output`.
        """
        try:
            return subprocess.Popen(
                [str(part) for part in command],
                env=dict(environment),
                cwd="/",  # the caller's folder may be closed to this user
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o022,
                user=self.uid if self.dropped else None,
                group=self.gid if self.dropped else None,
                extra_groups=[] if self.dropped else None,
            )
        except (PermissionError, subprocess.SubprocessError) as error:
            if not self.dropped:
                raise
            raise EmbeddedError(
                f"PostgreSQL refuses to run as root, and this root may not become the user {self.name} ({error}). "
                "Run pmcrm as an ordinary user, or set DATABASE_URL to a PostgreSQL server."
            ) from None

    def run(
        self, command: Sequence[str | Path], environment: Mapping[str, str], timeout: float = 120
    ) -> tuple[int, str]:
        """Runs a program as this user to its end; its exit code, and what it wrote. timeout: seconds."""
        process = self.spawn(command, environment)
        try:
            output, _ = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        return process.returncode, output.decode(errors="replace")

    def own(self, path: Path) -> None:
        """Hands a file or folder (not what is in it) to this user."""
        if self.dropped:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def can_reach(self, path: Path) -> bool:
        """Whether this user may enter the folder."""
        if not self.dropped:
            return os.access(path, os.X_OK)
        return self.run(["/bin/sh", "-c", 'cd -- "$1"', "sh", path], {"PATH": "/bin:/usr/bin"})[0] == 0


def account_for(place: Path) -> Account:
    """Who runs the database that is, or will be, in this folder.

    For root: the folder's owner if it exists; else the user who called sudo, else postgres, else nobody.
    """
    uid = os.geteuid()
    if uid != 0:
        return Account(_name(uid), uid, os.getegid(), dropped=False)
    if place.exists() and (owner := place.stat()).st_uid != 0:
        return Account(_name(owner.st_uid), owner.st_uid, owner.st_gid, dropped=True)
    for candidate in (os.environ.get("SUDO_UID", ""), "postgres", "nobody"):
        try:
            entry = pwd.getpwuid(int(candidate)) if candidate.isdecimal() else pwd.getpwnam(candidate)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, dropped=True)
    raise EmbeddedError(
        "PostgreSQL refuses to run as root, and this machine has neither a user postgres nor a user nobody to run it "
        "as. Run pmcrm as an ordinary user, or set DATABASE_URL to a PostgreSQL server."
    )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
