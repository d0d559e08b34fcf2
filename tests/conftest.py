"""Fixtures for every test: the session's server, databases in it, connections by role."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shared import roles
from tests.postgres import Connection, Database, Server, running_server

ORIGIN = pytest.StashKey[str]()


@pytest_asyncio.fixture(scope="session")
async def server(pytestconfig: pytest.Config) -> AsyncIterator[Server]:
    """The session's PostgreSQL server, with pmcrm's roles and the tests' passwords for them."""
    with running_server() as running:
        pytestconfig.stash[ORIGIN] = running.origin
        async with running.superuser() as conn:
            await roles.prepare_server(conn, running.passwords)
        yield running


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if ORIGIN in config.stash:
        terminalreporter.write_line(f"database: {config.stash[ORIGIN]}")


@pytest_asyncio.fixture(scope="session")
async def template(server: Server) -> AsyncIterator[Database]:
    """A migrated database that others are copied from. Nobody stays connected to it."""
    database = await server.create()
    await database.migrate()
    yield database
    await server.drop(database)


@pytest_asyncio.fixture(scope="module")
async def database(server: Server, template: Database) -> AsyncIterator[Database]:
    """A migrated database that the tests of one module share."""
    copy = await server.create(template)
    yield copy
    await server.drop(copy)


@pytest_asyncio.fixture
async def fresh_database(server: Server, template: Database) -> AsyncIterator[Database]:
    """A migrated database of one test."""
    copy = await server.create(template)
    yield copy
    await server.drop(copy)


@pytest_asyncio.fixture
async def empty_database(server: Server) -> AsyncIterator[Database]:
    """A database of one test to which nothing was done."""
    created = await server.create()
    yield created
    await server.drop(created)


@pytest_asyncio.fixture
async def as_superuser(database: Database) -> AsyncIterator[Connection]:
    """A superuser's connection to the module's database; so the others, each as its role."""
    async with database.connect() as conn:
        yield conn


@pytest_asyncio.fixture
async def as_owner(database: Database) -> AsyncIterator[Connection]:
    async with database.connect("pmcrm_owner") as conn:
        yield conn


@pytest_asyncio.fixture
async def as_operator(database: Database) -> AsyncIterator[Connection]:
    async with database.connect("pmcrm_service") as conn:
        yield conn


@pytest_asyncio.fixture
async def as_contacts(database: Database) -> AsyncIterator[Connection]:
    async with database.connect("pmcrm_contacts") as conn:
        yield conn


@pytest_asyncio.fixture
async def as_interactions(database: Database) -> AsyncIterator[Connection]:
    async with database.connect("pmcrm_interactions") as conn:
        yield conn


@pytest_asyncio.fixture
async def as_insights(database: Database) -> AsyncIterator[Connection]:
    async with database.connect("pmcrm_insights") as conn:
        yield conn


@pytest_asyncio.fixture
async def as_gdpr(database: Database) -> AsyncIterator[Connection]:
    async with database.connect("pmcrm_gdpr") as conn:
        yield conn
