"""Etags: the opaque mark of a row's version, made from its `revision` counter."""

from __future__ import annotations

from shared.errors import Aborted


def expected_revision(etag: str) -> int | None:
    """The revision that a caller expects; None when it sent no etag. One that we never made matches no revision."""
    if not etag:
        return None
    # As we write it and no longer than PostgreSQL's bigint; isdecimal alone would let other scripts' digits pass.
    ours = etag.isascii() and etag.isdecimal() and len(etag) <= 18 and not etag.startswith("0")
    return int(etag) if ours else -1


def check_etag(expected: str, current: str) -> None:
    """Raises Aborted ETAG_MISMATCH when the caller expects another version than the current one."""
    if expected and expected != current:
        raise etag_mismatch()


def etag_mismatch() -> Aborted:
    """What a caller hears whose etag is not the row's any more."""
    return Aborted("ETAG_MISMATCH", "it was changed since the etag was read; read it again and repeat")
