"""E-mail addresses as people have them in their address books: kept as typed, but for the domain.

The domain is lower-cased and, where it is internationalised, written in Unicode; the local part is kept, because only
the mailbox's own server knows what it means. Nothing asks the DNS.
"""

from __future__ import annotations

import re
from functools import lru_cache

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

# Address books hold hosts of home and office networks (`ada@printer.local`); the library means its list to be changed.
SPECIAL_USE_DOMAIN_NAMES.clear()

# Two dots in a row, and one before the @, are against RFC 5322 and yet were given out by large Japanese carriers.
_PLAIN_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-][A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]*", re.ASCII)

LONGEST_EMAIL = 320  # 64 before the @ and 255 after it (RFC 5321 §4.5.3.1), in characters


def normal_email(value: str) -> str | None:
    """The address as it is stored, or None when it is none."""
    if len(value) > LONGEST_EMAIL:
        return None
    local_part, at, domain = value.rpartition("@")
    if not at:
        return None
    if len(local_part) <= 64 and _PLAIN_LOCAL_PART.fullmatch(local_part):
        known_domain = _normal_domain(domain)
        return f"{local_part}@{known_domain}" if known_domain else None
    return _validated(value)


@lru_cache(maxsize=4096)
def _normal_domain(domain: str) -> str | None:
    # Most addresses share a few domains, and validating one costs 50 µs.
    address = _validated(f"a@{domain}")
    return address and address.removeprefix("a@")


def _validated(value: str) -> str | None:
    try:
        return validate_email(
            value,
            check_deliverability=False,
            globally_deliverable=False,
            allow_quoted_local=True,
            allow_domain_literal=True,
        ).normalized
    except (EmailNotValidError, UnicodeError):
        return None
