"""What tests see of embeddings: runs of the worker's task, and the rows that they leave."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from services.insights.embedding.queue import LEASE, embed_changes
from shared.settings import Settings
from tests.postgres import Connection, Database
from tests.services.insights.provider_server import ProviderServer
from tests.suite import Metadata, settings_for, tenant_of


class Embeddings:
    """One tenant's embeddings, and the task that makes them, of all tenants."""

    def __init__(self, database: Database, tenant: Metadata, as_superuser: Connection) -> None:
        self._database = database
        self._superuser = as_superuser
        self.tenant = uuid.UUID(tenant_of(tenant))

    def settings(self, provider: ProviderServer, **changes: Any) -> Settings:
        """Settings with a provider, which is asked once."""
        return settings_for(self._database, **provider.settings_values(ai_attempts=1, **changes))

    async def follow(self, settings: Settings | None = None, lease: timedelta = LEASE) -> int:
        """Runs the task as the worker does, until nothing is due; returns what it did."""
        async with self._database.connect("pmcrm_service") as conn:
            return await embed_changes(conn, settings or settings_for(self._database), lease=lease)

    async def rows(self, model: str | None = None) -> dict[str, Mapping[str, Any]]:
        """Embeddings by the id of what they are of."""
        found = await self._superuser.fetch(
            """
            SELECT subject_id::text, model, dimensions, content_hash, valid_until, embedded_at,
                embedding::text AS vector
            FROM embeddings WHERE user_id = $1 AND model = coalesce($2, model)
            """,
            self.tenant,
            model,
        )
        return {row["subject_id"]: row for row in found}

    async def queued(self) -> dict[str, Mapping[str, Any]]:
        """What is queued, by id."""
        found = await self._superuser.fetch(
            "SELECT subject_id::text, kind, generation, attempts, due_at FROM embedding_queue WHERE user_id = $1",
            self.tenant,
        )
        return {row["subject_id"]: row for row in found}

    async def model(self) -> Mapping[str, Any] | None:
        """By which model the tenant is searched, and which is to come."""
        return await self._superuser.fetchrow("SELECT * FROM embedding_models WHERE user_id = $1", self.tenant)

    async def make_due(self) -> None:
        """Lets the time pass for which leases and pauses hold."""
        await self._superuser.execute("UPDATE embedding_queue SET due_at = now() WHERE user_id = $1", self.tenant)
