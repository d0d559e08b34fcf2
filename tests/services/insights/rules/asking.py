"""What rules find, asked as the insights service asks them: as its role, in a transaction of one tenant."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from services.insights.findings import Asked, Finding, Rule
from shared.database import Transaction
from shared.pool import Session
from tests.postgres import Connection, bound
from tests.suite import Metadata, tenant_of


class Asker:
    """Asks rules for one tenant: `await asker.ask(RULE)`."""

    def __init__(self, conn: Connection, tenant: Metadata) -> None:
        self.conn = conn
        self.tenant = uuid.UUID(tenant_of(tenant))

    async def ask(
        self, rule: Rule, as_of: datetime | None = None, zone: str = "UTC", of: Sequence[str] | None = None
    ) -> list[Finding]:
        """All that a rule finds at a moment (now), of contacts by id if there are any; checked for form."""
        asked = Asked(as_of or datetime.now(UTC), zone, None if of is None else [uuid.UUID(each) for each in of])
        async with bound(self.conn, self.tenant):
            found = await rule.find(Transaction(Session(self.conn, keeps_statements=True), self.tenant), asked)
        for finding in found:
            check(finding, rule, asked)
        return found

    async def about(
        self, rule: Rule, contact_id: str, as_of: datetime | None = None, zone: str = "UTC"
    ) -> Finding | None:
        """What a rule finds about one contact when it is asked about everybody; at most one finding."""
        found = [f for f in await self.ask(rule, as_of, zone) if str(f.contact_ids[0]) == contact_id]
        assert len(found) <= 1
        return found[0] if found else None


def check(finding: Finding, rule: Rule, asked: Asked) -> None:
    """What holds of every finding."""
    assert finding.type == rule.type
    assert finding.contact_ids
    assert finding.evidence
    assert finding.key
    assert 0 < finding.confidence <= 1
    assert "\n" not in finding.title
    assert 0 < len(finding.title) <= 200
    assert 0 < len(finding.body) <= 2000
    assert finding.expires_at > asked.as_of
