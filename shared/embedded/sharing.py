"""Who uses a data directory's database: every suite and command counts itself in, and the last to leave stops it.

Both locks are the kernel's (flock), so that a process that is killed has left.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.data_dir import give_to_owner
from shared.embedded.failures import EmbeddedError, explain

_PATIENCE = 120.0  # seconds; creating a database takes one, recovering a large one after a crash a few more


class Sharing:
    """One process's part in it."""

    def __init__(self, data_dir: Path) -> None:
        self._gate = data_dir / "embedded.lock"
        self._register = data_dir / "embedded.users"
        self._entry: int | None = None

    @contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        """Holds the only right to start or stop the database. Raises EmbeddedError naming the process that keeps it."""
        descriptor = _open(self._gate)
        try:
            _wait_for(descriptor, self._gate)
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            yield
        finally:
            os.close(descriptor)

    def enter(self) -> None:
        """Counts this process in."""
        self._entry = _open(self._register)
        fcntl.flock(self._entry, fcntl.LOCK_SH)

    def leave(self) -> None:
        """Counts this process out."""
        if self._entry is not None:
            os.close(self._entry)
            self._entry = None

    def alone(self) -> bool:
        """Whether nobody else is counted in. Only to be asked with the right to start or stop."""
        descriptor = _open(self._register)
        try:
            entry, self._entry = self._entry, descriptor
            if entry is not None:
                os.close(entry)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            return False


def _open(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        give_to_owner(descriptor, path.parent)
        return descriptor
    except PermissionError as error:
        raise EmbeddedError(
            f"{path} cannot be opened ({error.strerror}): the embedded database belongs to another user. Start "
            "pmcrm as that user, or set PMCRM_DATA_DIR to a folder of your own."
        ) from None
    except OSError as error:
        raise EmbeddedError(explain("started", str(error), path.parent)) from None


def _wait_for(descriptor: int, path: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                holder = os.pread(descriptor, 20, 0).decode(errors="replace") or "unknown"
                raise EmbeddedError(
                    f"Process {holder} has been starting or stopping the embedded database of {path.parent} for "
                    f"{_PATIENCE:.0f} seconds. Wait for it, or end it, and start again."
                ) from None
            time.sleep(0.05)
