"""Pages of a list: size, skip, and tokens that keep their place while others write.

A token holds the sort key and id of the last row that was shown (keyset pagination). It is sealed with AES-GCM, so that
a caller can neither read nor forge it, and bound to the tenant, the RPC and the request's other arguments.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import uuid
from collections.abc import Container, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import Message

from shared.errors import InvalidArgument, Violation
from shared.keys import KeyRing

DEFAULT_SIZE = 20
MAX_SIZE = 1000
MAX_SKIP = 100_000

NONCE_BYTES = 12

# What a caller may change from one page to the next.
FREE_FIELDS = ("page_token", "page_size", "skip", "include_total_size")

Position = list[str | int]


@dataclass(frozen=True, slots=True)
class Page:
    """What part of a list is asked for.

    size: rows, 1 to 1000.
    skip: rows to leave out before the first one.
    after: the position that the previous page ended at; None for the first page.
    """

    size: int
    skip: int
    after: Position | None


class PageTokens:
    """Seals and opens page tokens with the keys of `PMCRM_PAGE_TOKEN_KEYS`; the first key seals, all of them open."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self._ciphers = {key.id: AESGCM(key.secret) for key in keys}

    def read(self, request: Message, tenant: uuid.UUID) -> Page:
        """The page that a List or Search request asks for.

        Raises InvalidArgument for a negative size or skip, PAGE_TOKEN_INVALID for a token that is not this list's.
        """
        size: int = request.page_size  # type: ignore[attr-defined]  # every list request has it; a test checks
        skip: int = getattr(request, "skip", 0)
        bad = [
            Violation(name, "must not be negative")
            for name, value in (("page_size", size), ("skip", skip))
            if value < 0
        ]
        if skip > MAX_SKIP:
            bad.append(Violation("skip", f"must be at most {MAX_SKIP}"))
        if bad:
            raise InvalidArgument(bad)
        token: str = request.page_token  # type: ignore[attr-defined]
        after = self._open(token, binding(request, tenant)) if token else None
        return Page(min(size or DEFAULT_SIZE, MAX_SIZE), skip, after)

    def seal(self, request: Message, tenant: uuid.UUID, position: Sequence[str | int]) -> str:
        """The token of the page after `position`, the sort key and id of the last row shown."""
        key_id = self._keys.writing.id
        nonce = os.urandom(NONCE_BYTES)
        text = json.dumps(list(position), ensure_ascii=False, separators=(",", ":"))
        sealed = self._ciphers[key_id].encrypt(nonce, text.encode(), binding(request, tenant))
        name = key_id.encode()
        return _text(bytes([len(name)]) + name + nonce + sealed)

    def _open(self, token: str, bound_to: bytes) -> Position:
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            if _text(raw) != token:
                raise _invalid_token()  # base64 has more than one spelling
            length = 1 + raw[0]
            cipher = self._ciphers[raw[1:length].decode()]
            nonce, sealed = raw[length : length + NONCE_BYTES], raw[length + NONCE_BYTES :]
            position: Position = json.loads(cipher.decrypt(nonce, sealed, bound_to))
        except (binascii.Error, ValueError, IndexError, KeyError, InvalidTag):
            raise _invalid_token() from None
        return position


def ordering(order_by: str, keys: Container[str], default: str) -> tuple[str, bool]:
    """What to order by, and whether descending (AIP-132: `name`, `create_time desc`).

    Raises InvalidArgument when it is not one of `keys`, or several.
    """
    words = order_by.split()
    key = words[0] if words else default
    if key not in keys or words[1:] not in ([], ["asc"], ["desc"]):
        raise InvalidArgument([Violation("order_by", "must be one of the orders of this list, alone or with ` desc`")])
    return key, words[1:] == ["desc"]


def binding(request: Message, tenant: uuid.UUID) -> bytes:
    """SHA-256 over tenant, RPC and every argument that must stay the same from page to page."""
    bound = type(request)()
    bound.CopyFrom(request)
    for name in FREE_FIELDS:
        if name in request.DESCRIPTOR.fields_by_name:
            bound.ClearField(name)
    digest = hashlib.sha256(f"{tenant} {request.DESCRIPTOR.full_name} ".encode())
    digest.update(bound.SerializeToString(deterministic=True))
    return digest.digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _invalid_token() -> InvalidArgument:
    violation = Violation("page_token", "is not a token that this call returned for the same tenant and arguments")
    return InvalidArgument([violation], "PAGE_TOKEN_INVALID")
