"""A restriction of processing (GDPR Art. 18), as the transaction of its tenant makes it."""

from __future__ import annotations

import uuid

from tests.postgres import Connection, bound
from tests.suite import Metadata, tenant_of


async def restrict(superuser: Connection, tenant: Metadata, contact_id: str, restricted: bool = True) -> None:
    """Restricts the processing of a contact, or permits it again."""
    async with bound(superuser, uuid.UUID(tenant_of(tenant))):
        await superuser.execute(
            "UPDATE contacts SET processing_restricted = $2 WHERE id = $1", uuid.UUID(contact_id), restricted
        )
