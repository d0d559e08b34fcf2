"""Rules asked as the insights service's role, of what the services' own calls have recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.postgres import Connection, Database
from tests.services.insights.rules.asking import Asker
from tests.suite import Metadata


@pytest_asyncio.fixture(scope="module")
async def as_insights(database: Database) -> AsyncIterator[Connection]:
    async with database.connect("pmcrm_insights") as conn:
        yield conn


@pytest.fixture
def asker(as_insights: Connection, alice: Metadata) -> Asker:
    """Asks for Alice."""
    return Asker(as_insights, alice)


@pytest.fixture
def bobs_asker(as_insights: Connection, bob: Metadata) -> Asker:
    """Asks for Bob."""
    return Asker(as_insights, bob)
