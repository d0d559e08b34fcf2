"""A mutation happens once per `request_id`: the claim comes first, the answer is kept with the effect.

The claim is an INSERT that a second caller with the same id waits for. When the first one has committed, the second
finds its row and gets its answer again; when the first was undone, the second takes its place. Claim, effect and
answer are one transaction, so that there is never one without the others.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf.message import Message

from shared import queries
from shared.errors import ChangedMeanwhile, InvalidArgument, Violation
from shared.fields import request_id_field
from shared.keys import KeyRing

if TYPE_CHECKING:
    from shared.database import Transaction

STATEMENTS = queries.load(Path(__file__).parent / "statements")

DIGEST_PURPOSE = b"pmcrm request digests"


@dataclass(frozen=True, slots=True)
class Claim:
    """One mutation's name: the id that its caller chose, and what was asked for under it.

    tenant: None for operator mutations, which have a table of their own.
    method: the request's type, such as `pmcrm.contacts.v1.CreateContactRequest`.
    body_hash: SHA-256 of the request, or a keyed digest of one that holds secrets; 32 bytes.
    alike: what the same request's digest is under older keys.
    """

    tenant: uuid.UUID | None
    request_id: uuid.UUID
    method: str
    body_hash: bytes
    alike: frozenset[bytes] = frozenset()

    async def make(self, tx: Transaction) -> bytes | None:
        """Claims the id: None when it is this call's now, else the first call's answer.

        Raises InvalidArgument REQUEST_ID_REUSED when the id stands for another request.
        """
        prefix = "" if self.tenant else "operator_"
        if await tx.fetchrow(STATEMENTS[f"{prefix}claim_request"], self.request_id, self.method, self.body_hash):
            return None
        first = await self.kept(tx)
        if first is None:
            raise ChangedMeanwhile  # it has just expired
        return first

    async def kept(self, tx: Transaction) -> bytes | None:
        """The first call's answer, None when there was none; claims nothing.

        Raises InvalidArgument REQUEST_ID_REUSED when the id stands for another request.
        """
        prefix = "" if self.tenant else "operator_"
        first = await tx.fetchrow(STATEMENTS[f"{prefix}claimed_request"], self.request_id)
        if first is None:
            return None
        if first["body_hash"] not in self._digests or first["method"] != self.method:
            violation = Violation("request_id", "was used for another request")
            raise InvalidArgument([violation], "REQUEST_ID_REUSED")
        answer: bytes = first["answer"]
        return answer

    @property
    def _digests(self) -> frozenset[bytes]:
        return self.alike | {self.body_hash}

    def keeping(self, answer: Message) -> str:
        """The statement that keeps the answer, to be sent in one message with COMMIT. Holds only UUIDs and hex."""
        kept = answer.SerializeToString().hex()
        if self.tenant is None:
            table, rows = "operator_idempotency_keys", f"request_id = '{self.request_id}'"
        else:
            table, rows = "idempotency_keys", f"user_id = '{self.tenant}' AND request_id = '{self.request_id}'"
        return f"UPDATE {table} SET answer = '\\x{kept}' WHERE {rows}"  # noqa: S608 - UUIDs and hex alone


def claim_of(request: Message, tenant: uuid.UUID | None) -> Claim | None:
    """The claim that a request makes; None when it has no `request_id`. Raises InvalidArgument for a malformed one."""
    request_id = request_id_field(request)
    if request_id is None:
        return None
    body = _body(request, request_id)
    return Claim(tenant, request_id, request.DESCRIPTOR.full_name, hashlib.sha256(body).digest())


def secret_claim_of(request: Message, tenant: uuid.UUID | None, keys: KeyRing) -> Claim | None:
    """`claim_of` for a request that holds secrets: a plain digest could be tried with every likely password.

    keys: the ring that protects the secrets; its writing key makes the digest, the others know older ones again.
    """
    request_id = request_id_field(request)
    if request_id is None:
        return None
    body = _body(request, request_id)
    # Not the key itself, which encrypts, but one that is derived from it for this alone.
    digests = {
        key.id: hmac.digest(hmac.digest(key.secret, DIGEST_PURPOSE, hashlib.sha256), body, hashlib.sha256)
        for key in keys
    }
    digest = digests[keys.writing.id]
    return Claim(tenant, request_id, request.DESCRIPTOR.full_name, digest, frozenset(digests.values()))


def _body(request: Message, request_id: uuid.UUID) -> bytes:
    """What tells one request from another."""
    if request.request_id != str(request_id):  # type: ignore[attr-defined]  # every mutation's request has it
        # A UUID is the same in either case of its letters.
        spelt = type(request)()
        spelt.CopyFrom(request)
        spelt.request_id = str(request_id)  # type: ignore[attr-defined]
        request = spelt
    # Serialised anew, so that the order in which another language writes map entries does not matter.
    return request.SerializeToString(deterministic=True)
