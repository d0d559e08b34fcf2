"""The tests' PostgreSQL: one server for the session, a migrated template in it, and databases cloned from that.

The server is TEST_DATABASE_URL (a superuser's URL; use a server that is only for tests, since its pmcrm roles get
passwords of the tests' own), else a container where a Docker engine answers, else the embedded one.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote, unquote, urlsplit

import asyncpg

from shared import migrations, roles
from shared.embedded import EmbeddedServer

IMAGE = "pgvector/pgvector:pg16"
# What a test server need not do: survive a power cut.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")
SERVICES = ("contacts", "interactions", "insights", "gdpr")

Connection: TypeAlias = "asyncpg.Connection[Any]"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. url: a superuser's, to any database. origin: where it came from, for the test report."""

    url: str
    origin: str

    def url_of(self, role: str | None, database: str) -> str:
        """The URL of a database as a role; None: as the superuser."""
        parts = urlsplit(self.url)
        user, password = (role, self.password_of(role)) if role else (unquote(parts.username or ""), parts.password)
        login = quote(user, safe="") + (f":{quote(unquote(password), safe='')}" if password else "")
        host = parts.netloc.rpartition("@")[2]
        query = f"?{parts.query}" if parts.query else ""
        return f"postgresql://{login}@{host}/{quote(database, safe='')}{query}"

    def password_of(self, role: str) -> str:
        """Derived, so that several test runs on one server agree."""
        return hmac.digest((urlsplit(self.url).password or "").encode(), role.encode(), "sha256").hex()

    @property
    def passwords(self) -> dict[str, str]:
        """By role, of all that log in."""
        return {role: self.password_of(role) for role in roles.LOGIN_ROLES}

    @contextlib.asynccontextmanager
    async def superuser(self, database: str | None = None) -> AsyncIterator[Connection]:
        """A superuser's connection; without a database, to the one that the URL names."""
        conn = await asyncpg.connect(self.url_of(None, database) if database else self.url)
        try:
            yield conn
        finally:
            await conn.close()

    async def create(self, template: Database | None = None) -> Database:
        """A new database with a name of its own: a copy of the template, or empty and not even prepared."""
        database = Database(self, f"pmcrm_test_{uuid.uuid4().hex[:12]}")
        source = f" TEMPLATE {template.name} STRATEGY file_copy" if template else " TEMPLATE template0"
        async with self.superuser() as conn:
            await conn.execute(f"CREATE DATABASE {database.name}{source}")
        if template is not None:
            # Copies have neither the owner nor the rights of their template.
            async with self.superuser(database.name) as conn:
                await roles.prepare_database(conn)
        return database

    async def drop(self, database: Database) -> None:
        async with self.superuser() as conn:
            await conn.execute(f"DROP DATABASE IF EXISTS {database.name} WITH (FORCE)")


@dataclass(frozen=True)
class Database:
    """One database, and its URL for each role."""

    server: Server = field(repr=False)
    name: str

    @property
    def superuser(self) -> str:
        return self.server.url_of(None, self.name)

    @property
    def owner(self) -> str:
        return self.role("pmcrm_owner")

    @property
    def operator(self) -> str:
        return self.role("pmcrm_service")

    def service(self, name: str) -> str:
        """As a service's own role, by the service's name."""
        return self.role(f"pmcrm_{name}")

    def role(self, name: str) -> str:
        return self.server.url_of(name, self.name)

    @cached_property
    def urls(self) -> Mapping[str, str]:
        """As Settings.with_role_urls takes them: by service, "service" for operators, "owner"."""
        return {**{name: self.service(name) for name in SERVICES}, "service": self.operator, "owner": self.owner}

    @contextlib.asynccontextmanager
    async def connect(self, role: str | None = None) -> AsyncIterator[Connection]:
        """A plain connection as a role, by its full name; None: the superuser. jsonb is loaded and dumped."""
        conn = await asyncpg.connect(self.role(role) if role else self.superuser)
        try:
            await conn.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
            yield conn
        finally:
            await conn.close()

    async def migrate(self, files: list[migrations.Migration] | None = None) -> list[str]:
        """Prepares the database and applies migrations, all of sql/ unless others are given."""
        async with self.connect() as conn:
            await roles.bootstrap(conn, self.server.passwords)
            return await migrations.migrate(conn, migrations.read() if files is None else files)


@contextlib.asynccontextmanager
async def bound(conn: Connection, tenant: uuid.UUID | None, **settings: str) -> AsyncIterator[Connection]:
    """A transaction bound to a tenant (or to none), as services make it; settings: further ones of app."""
    values = {name: value for name, value in {"current_user_id": tenant, **settings}.items() if value is not None}
    async with conn.transaction():
        for name, value in values.items():
            await conn.execute(f"SET LOCAL app.{name} = '{value}'")
        yield conn


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    """The server for a test session, stopped at its end if it was started for it."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield Server(url, "TEST_DATABASE_URL")
        return
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(_container())
        except _NoContainerError as reason:
            server = stack.enter_context(_embedded(str(reason)))
        yield server


class _NoContainerError(Exception):
    pass


@contextlib.contextmanager
def _container() -> Iterator[Server]:
    # Imported here: both are slow, and neither is needed with TEST_DATABASE_URL.
    import docker  # type: ignore[import-untyped]  # has no types

    try:
        docker.from_env(timeout=5).ping()
    except docker.errors.DockerException:
        raise _NoContainerError("no Docker engine answers") from None
    # The container is stopped here; the companion that would stop it after a crash is one more image to fetch.
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    from testcontainers.community.postgres import PostgresContainer

    settings = [word for setting in FAST for word in ("-c", setting)]
    container = PostgresContainer(IMAGE, username="postgres", password=uuid.uuid4().hex, dbname="postgres", driver=None)
    container.with_command(["postgres", *settings])
    try:
        container.start()
    except Exception as error:  # whatever keeps it from starting, there is another way
        with contextlib.suppress(Exception):
            container.stop()
        raise _NoContainerError(f"{IMAGE} does not start: {str(error).splitlines()[0]}") from error
    try:
        yield Server(container.get_connection_url(driver=None), f"container of {IMAGE}")
    finally:
        container.stop()


@contextlib.contextmanager
def _embedded(reason: str) -> Iterator[Server]:
    # Not made here: the embedded server makes it such that the user whom it runs as can enter.
    folder = Path(tempfile.gettempdir()) / f"pmcrm-test-{uuid.uuid4().hex[:12]}"
    try:
        with EmbeddedServer(folder, uuid.uuid4().hex, durable=False) as server:
            yield Server(server.superuser_url(), f"embedded ({reason})")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
