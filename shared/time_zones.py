"""The time zones of the pinned `tzdata` package, the same on every machine, and local time in them.

zoneinfo by itself prefers the files of the operating system, whose age nobody knows: two replicas would disagree on
when a reminder is due. Local times are naive datetimes without microseconds, written as `2026-03-08T02:30:00`.
"""

from __future__ import annotations

import importlib.resources
import re
from datetime import UTC, datetime
from functools import cache
from typing import IO
from zoneinfo import ZoneInfo

import tzdata

# The release of the IANA database, such as `2026a`. What is computed with another one is computed anew.
VERSION: str = tzdata.IANA_VERSION

# The first and the last local time that there are.
FIRST = datetime(1, 1, 1)  # noqa: DTZ001 - local
LAST = datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001 - local

_FILES = importlib.resources.files("tzdata")
_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")


@cache
def names() -> frozenset[str]:
    """The IANA names that there are, links such as `US/Eastern` among them."""
    return frozenset(_FILES.joinpath("zones").read_text(encoding="utf-8").split())


@cache
def time_zone(name: str) -> ZoneInfo:
    """The zone of a name. Raises KeyError for one that is not in `names()`."""
    with _open(name) as file:
        return ZoneInfo.from_file(file, key=name)


@cache
def posix_rule(name: str) -> str:
    """The rule that holds after a zone's last listed change, as POSIX writes it: `EST5EDT,M3.2.0,M11.1.0`."""
    with _open(name) as file:
        return file.read().rpartition(b"\n")[0].rpartition(b"\n")[2].decode("ascii")


def read_local(text: str) -> datetime | None:
    """The local time that a text writes, None when it writes none."""
    if not _LOCAL.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def write_local(local: datetime) -> str:
    """A local time as callers read it."""
    return local.isoformat(timespec="seconds")


def to_utc(local: datetime, zone: ZoneInfo) -> datetime:
    """When it is that local time: the first time if twice; with the offset before the gap if never (RFC 5545 §3.3.5).

    Raises OverflowError outside of the years 1 to 9999.
    """
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def to_local(moment: datetime, zone: ZoneInfo) -> datetime:
    """What the clocks of a zone show at a moment. Raises OverflowError outside of the years 1 to 9999."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def is_skipped(local: datetime, zone: ZoneInfo) -> bool:
    """Whether the clocks of a zone never show a local time."""
    return to_local(to_utc(local, zone), zone) != local


def _open(name: str) -> IO[bytes]:
    if name not in names():
        raise KeyError(name)
    return _FILES.joinpath("zoneinfo", *name.split("/")).open("rb")
