"""Keeps integrations' tokens under AES-256-GCM, each bound to the row that it was stored in.

The tenant and the integration are authenticated with the ciphertext: copied to another row, or to another tenant, it
does not open. The key's id is stored beside it, so that keys can be replaced in place.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.keys import KeyRing

# What the ciphertext is for, and how it is made; another purpose or another way needs another text.
PURPOSE = b"pmcrm integration credentials 1\0"
NONCE_BYTES = 12


class UnreadableError(Exception):
    """A ciphertext that no key of the ring opens: its key is gone, it is damaged, or it belongs to another row."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is stored of a secret. ciphertext: nonce, encrypted bytes and tag; key_id: which key it is under."""

    ciphertext: bytes
    key_id: str


class TokenBox:
    """Seals with the writing key of `PMCRM_ENCRYPTION_KEYS`; opens with every key of the ring."""

    def __init__(self, keys: KeyRing) -> None:
        self._ciphers = {key.id: AESGCM(key.secret) for key in keys}
        self.writing_key_id = keys.writing.id

    def seal(self, secret: bytes, tenant: uuid.UUID, integration_id: uuid.UUID) -> Sealed:
        """Encrypts a secret for one integration, under the writing key and a new nonce."""
        nonce = os.urandom(NONCE_BYTES)
        encrypted = self._ciphers[self.writing_key_id].encrypt(nonce, secret, _place(tenant, integration_id))
        return Sealed(nonce + encrypted, self.writing_key_id)

    def open(self, sealed: Sealed, tenant: uuid.UUID, integration_id: uuid.UUID) -> bytes:
        """The secret of an integration. Raises UnreadableError."""
        cipher = self._ciphers.get(sealed.key_id)
        if cipher is None:
            raise UnreadableError("it is under a key that is not in the ring")
        nonce, encrypted = sealed.ciphertext[:NONCE_BYTES], sealed.ciphertext[NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, encrypted, _place(tenant, integration_id))
        except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
            raise UnreadableError("it is damaged or was stored for another integration") from None


def _place(tenant: uuid.UUID, integration_id: uuid.UUID) -> bytes:
    return PURPOSE + tenant.bytes + integration_id.bytes
