"""Accounts whose erasure is requested, and time that passes for them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pmcrm.contacts.v1 import user_service_pb2 as users_pb
from pmcrm.contacts.v1.user_pb2 import User
from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb
from pmcrm.gdpr.v1.erasure_pb2 import ErasureRequest, ErasureState

from tests.postgres import Connection
from tests.services.gdpr.conftest import GdprClient
from tests.suite import Client, Metadata, tenant_of

PENDING = ErasureState.ERASURE_STATE_PENDING
RUNNING = ErasureState.ERASURE_STATE_RUNNING
COMPLETED = ErasureState.ERASURE_STATE_COMPLETED
CANCELLED = ErasureState.ERASURE_STATE_CANCELLED

GRACE = timedelta(days=90)


class Account:
    """Calls about the erasure of one account."""

    def __init__(self, client: Client, gdpr: GdprClient, metadata: Metadata) -> None:
        self.client = client
        self.gdpr = gdpr
        self.metadata = metadata
        self.tenant = uuid.UUID(tenant_of(metadata))

    async def request(self, **fields: Any) -> ErasureRequest:
        answer: ErasureRequest = await self.gdpr.subjects.RequestErasure(
            pb.RequestErasureRequest(**fields), metadata=self.metadata
        )
        return answer

    async def cancel(self, **fields: Any) -> ErasureRequest:
        answer: ErasureRequest = await self.gdpr.subjects.CancelErasure(
            pb.CancelErasureRequest(**fields), metadata=self.metadata
        )
        return answer

    async def get(self, metadata: Metadata | None = None, **fields: Any) -> ErasureRequest:
        answer: ErasureRequest = await self.gdpr.subjects.GetErasureRequest(
            pb.GetErasureRequestRequest(**fields), metadata=metadata or self.metadata
        )
        return answer

    async def delete(self) -> User:
        answer: User = await self.client.users.DeleteUser(users_pb.DeleteUserRequest(), metadata=self.metadata)
        return answer

    async def undelete(self) -> User:
        answer: User = await self.client.users.UndeleteUser(users_pb.UndeleteUserRequest(), metadata=self.metadata)
        return answer

    async def user(self) -> User:
        answer: User = await self.client.users.GetUser(users_pb.GetUserRequest(), metadata=self.metadata)
        return answer


async def let_pass(conn: Connection, tenants: Sequence[uuid.UUID], days: int = 91) -> None:
    """Has the accounts closed, and their erasure requested, so many days earlier. conn: a superuser's."""
    await conn.execute(
        "UPDATE users SET deleted_at = deleted_at - $2 * interval '1 day' WHERE id = ANY ($1)", tenants, days
    )
    await conn.execute(
        """
        UPDATE erasure_requests SET requested_at = requested_at - $2 * interval '1 day',
            deadline_at = deadline_at - $2 * interval '1 day'
        WHERE user_id = ANY ($1)
        """,
        tenants,
        days,
    )


def history(erasure: ErasureRequest) -> list[tuple[int, str]]:
    """Each state that the erasure has been in, and what brought it there."""
    return [(change.state, change.cause) for change in erasure.history]
