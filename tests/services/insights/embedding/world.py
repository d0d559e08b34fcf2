"""Three contacts and what hangs on them, for tests of what their embeddings follow."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from tests.postgres import Connection, bound
from tests.services.contacts.calls import Book
from tests.services.contacts.organization_calls import Firms
from tests.services.contacts.tag_calls import Labels
from tests.services.insights.conftest import Consents
from tests.services.interactions.interaction_calls import Log
from tests.suite import Client, Metadata, tenant_of


@dataclass
class World:
    """Ada and Grace may be embedded, Eve may not. Lunch was with Ada, games were with Ada and Grace."""

    client: Client
    tenant: Metadata
    book: Book
    log: Log
    consents: Consents
    superuser: Connection
    ids: dict[str, str] = field(default_factory=dict)

    async def fill(self) -> None:
        """Makes everybody and everything."""
        self.tags, self.organizations = Labels(self.client, self.tenant), Firms(self.client, self.tenant)
        made = await self.book.create_many(
            *({"given_name": name, "notes": name.lower()} for name in ("Ada", "Grace", "Eve"))
        )
        ada, grace, eve = [contact.id for contact in made]
        await self.consents.declare(self.tenant, ada, grace)
        self.ids = {"ada": ada, "grace": grace, "eve": eve}
        self.ids["lunch"] = (await self.log.create(ada, subject="Lunch")).id
        self.ids["games"] = (await self.log.create(ada, grace, subject="Games")).id
        self.ids["tag"] = (await self.tags.create("Chess")).id
        await self.tags.modify([ada, eve], [self.ids["tag"]])
        self.ids["now"] = (await self.organizations.create("Works now")).id
        self.ids["before"] = (await self.organizations.create("Worked before")).id
        self.ids["job"] = (await self.organizations.employ(ada, self.ids["now"], current=True)).id
        await self.organizations.employ(ada, self.ids["before"], current=False)

    def names(self, ids: object) -> set[str]:
        """What these ids are called here."""
        return {name for name, known in self.ids.items() if known in set(ids)}  # type: ignore[call-overload]

    async def declare_for_user(self, kind: str, withdrawn: uuid.UUID | None = None) -> uuid.UUID:
        """A declaration of the user itself; returns its id."""
        tenant = uuid.UUID(tenant_of(self.tenant))
        async with bound(self.superuser, tenant):
            declared: uuid.UUID = await self.superuser.fetchval(
                """
                INSERT INTO consent_records (user_id, type, purpose, legal_basis, withdrawn_consent_id)
                VALUES ($1, $2, 'ai_processing', 'CONSENT', $3) RETURNING id
                """,
                tenant,
                kind,
                withdrawn,
            )
        return declared
