"""What PostgreSQL says when it cannot start, put into what happened and what to do."""

import re
from pathlib import Path

_FULL_DISK = re.compile(r"No space left on device|Disk quota exceeded|File too large", re.IGNORECASE)
_MISSING_LIBRARY = re.compile(r"error while loading shared libraries: (\S+?):")
_PORT_TAKEN = re.compile(r"could not bind .*address|Address already in use", re.IGNORECASE)
_LEFTOVER_PROCESSES = re.compile(r"pre-existing shared memory block")
_NO_SHARED_MEMORY = re.compile(r"could not (?:resize|create) shared memory segment")

_DEBIAN_PACKAGES = {
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "liblz4.so.1": "liblz4-1",
    "liblzma.so.5": "liblzma5",
    "libreadline.so.8": "libreadline8",
    "libssl.so.3": "libssl3",
    "libz.so.1": "zlib1g",
    "libzstd.so.1": "libzstd1",
}


class EmbeddedError(Exception):
    """The embedded database cannot run. The text says why, what to do, and that nothing was lost."""


def port_was_taken(output: str) -> bool:
    return _PORT_TAKEN.search(output) is not None


def leftover_processes(output: str) -> bool:
    """Whether children of a killed server still hold its memory; they end by themselves in a moment."""
    return _LEFTOVER_PROCESSES.search(output) is not None


def explain(doing: str, output: str, place: Path) -> str:
    """A paragraph for the person who started pmcrm.

    doing: what was under way, such as "started"; output: what PostgreSQL's program wrote; place: the database's folder.
    """
    if _FULL_DISK.search(output):
        return (
            f"The embedded database could not be {doing}: the disk that holds {place} is full. "
            "Free some space there, or set PMCRM_DATA_DIR to a folder on another disk, and start again. "
            "The data that was there is untouched."
        )
    if library := _MISSING_LIBRARY.search(output):
        package = _DEBIAN_PACKAGES.get(library[1])
        install = f" (on Debian and Ubuntu: apt-get install {package})" if package else ""
        return (
            f"The embedded PostgreSQL needs the system library {library[1]}, which this machine lacks. "
            f"Install it{install}, or set DATABASE_URL to a PostgreSQL server."
        )
    if _NO_SHARED_MEMORY.search(output):
        return (
            f"The embedded database could not be {doing}: this machine grants too little shared memory "
            "(in a container, start it with --shm-size=256m). The data that was there is untouched."
        )
    last = "\n".join(output.strip().splitlines()[-8:]) or "(nothing)"
    return (
        f"The embedded database in {place} could not be {doing}, and its data has been left as it was. "
        f"PostgreSQL's last words:\n{last}"
    )
