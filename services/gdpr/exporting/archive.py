"""The archive as a file without a name: a zip whose bytes depend on nothing but what is in it."""

from __future__ import annotations

import errno
import hashlib
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from shared.errors import ResourceExhausted

CHUNK = 64 * 1024

# A time for all files, the first that a zip can hold: equal exports are equal bytes.
_ALWAYS = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_PRIVATE = 0o100600 << 16

# No room: on the disk, in the quota of the user, or in the limit on a file.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# Seconds after which other exports may have made room.
_ROOM_AFTER = 60.0


class Entry:
    """A file of the archive that is being written. digest: of all that was written."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """64 hexadecimal digits."""
        return self._digest.hexdigest()

    def write(self, content: bytes) -> None:
        """Adds bytes."""
        self._digest.update(content)
        self._target.write(content)


class Archive:
    """A zip that is put together, file after file. files: name → SHA-256 of those that are complete."""

    def __init__(self, spool: IO[bytes]) -> None:
        self.files: dict[str, str] = {}
        self._spool = spool
        self._zip = zipfile.ZipFile(spool, "w", zipfile.ZIP_DEFLATED)

    @contextmanager
    def entry(self, name: str) -> Iterator[Entry]:
        """The next file, complete when the block ends."""
        info = zipfile.ZipInfo(name, _ALWAYS)
        info.create_system = _UNIX
        info.external_attr = _PRIVATE
        info.compress_type = zipfile.ZIP_DEFLATED
        # Of any size: how large it becomes is not known when it begins.
        with self._zip.open(info, "w", force_zip64=True) as target:
            entry = Entry(target)
            yield entry
        self.files[name] = entry.sha256

    def add(self, name: str, content: bytes) -> None:
        """A small file."""
        with self.entry(name) as entry:
            entry.write(content)

    def finish(self) -> None:
        """Writes the directory; the spool is at its beginning then, to be read."""
        self._zip.close()
        self._spool.seek(0)

    def abandon(self) -> None:
        """Lets go of the spool, however far it has come."""
        with suppress(OSError, ValueError):
            self._zip.close()


@contextmanager
def spool() -> Iterator[IO[bytes]]:
    """A temporary file without a name in the file system, so that nothing of it stays when the process dies."""
    with _room(), tempfile.TemporaryFile() as file:
        yield file


@contextmanager
def _room() -> Iterator[None]:
    """Full disks become SPOOL_FULL; what a file still held when it was closed is not wanted any more."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise ResourceExhausted(
            "SPOOL_FULL", "there is no room on the server's disk to put the archive together", _ROOM_AFTER
        ) from error
