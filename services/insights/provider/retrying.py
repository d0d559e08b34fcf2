"""When a request to the provider is repeated, and how long that waits."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Too early, too many, timed out; every status from 500 on is repeated too.
REPEATED = frozenset({408, 425, 429})
FIRST_WAIT = 0.25
LONGEST_WAIT = 8.0


def is_repeated(status: int) -> bool:
    """Whether the same request may be answered otherwise a moment later."""
    return status in REPEATED or status >= 500


def wait_before(attempt: int, headers: Mapping[str, str] | None, now: datetime | None = None) -> float:
    """Seconds to wait before an attempt; the first repetition is attempt 1.

    It doubles with every attempt and is drawn at random from its upper half, so that callers who failed together do not
    come back together. At least what the answer's Retry-After says, in seconds or as a date: the caller gives up rather
    than come back earlier.
    """
    longest: float = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1))
    drawn = longest * (0.5 + random.random() / 2)  # noqa: S311 (not a secret)
    return max(drawn, retry_after(headers.get("retry-after", ""), now) if headers else 0.0)


def retry_after(value: str, now: datetime | None = None) -> float:
    """Seconds that a Retry-After header asks to wait, 0 when it says nothing that can be read.

    now: with time zone; the present when None.
    """
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    seconds = (at - (now or datetime.now(UTC))).total_seconds()
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0
