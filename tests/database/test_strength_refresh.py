"""`pmcrm maintenance refresh-strengths`: what decays and what was planned is brought up to date, for every tenant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from typer.testing import CliRunner, Result

from cli import maintenance
from shared.strength_refresh import CONTACTS_AT_ONCE, refresh_strengths
from tests.database.networks import Network, ago
from tests.postgres import Connection, Database


@pytest_asyncio.fixture
async def networks(fresh_database: Database) -> AsyncIterator[list[Network]]:
    """All tenants of a database: three, the second of which is closed."""
    made = []
    async with fresh_database.connect("pmcrm_interactions") as conn, fresh_database.connect() as superuser:
        for closed in (None, ago(days=1), None):
            tenant = await superuser.fetchval("INSERT INTO users (deleted_at) VALUES ($1) RETURNING id", closed)
            made.append(Network(conn, superuser, tenant))
        yield made


async def pass_days(conn: Connection, days: int) -> None:
    """Makes all that is recorded older, and computes nothing."""
    async with conn.transaction():
        await conn.execute("SET LOCAL session_replication_role = replica")
        for table in ("interactions", "interaction_participants"):
            await conn.execute(f"UPDATE {table} SET occurred_at = occurred_at - $1::interval", timedelta(days=days))


async def command(database: Database, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setenv("DATABASE_URL_SERVICE", database.operator)
    return await asyncio.to_thread(lambda: CliRunner().invoke(maintenance.app, ["refresh-strengths"]))


async def test_every_tenants_contacts_are_brought_up_to_date(networks, fresh_database, monkeypatch):
    contacts = []
    for network in networks:
        contact = await network.contact(keep_in_touch_days=7)
        await network.interaction(contact, type="MEETING", direction="MUTUAL", occurred_at=ago(hours=1))
        planned = await network.contact()
        await network.interaction(planned, type="CALL", occurred_at=ago(days=-100))
        await network.contact()
        contacts += [(network, contact), (network, planned)]
    before = [await network.strength(contact) for network, contact in contacts]
    await pass_days(networks[0].watching, 200)
    assert [await network.strength(contact) for network, contact in contacts] == before

    result = await command(fresh_database, monkeypatch)
    assert (result.exit_code, result.stdout) == (0, "6 contacts changed.\n"), result.output
    for network, contact in contacts:
        found, scratch = await network.strength(contact), await network.from_scratch(contact)
        assert (found["computed"], found["last_contact_at"]) == (scratch["computed"], scratch["last_contact_at"])
    assert [(await network.strength(contact))["computed"] for network, contact in contacts] == [2, 2] * 3
    planned_last = [(await network.strength(contact))["last_contact_at"] for network, contact in contacts[1::2]]
    assert None not in planned_last, "plans have come true"

    again = await command(fresh_database, monkeypatch)
    assert (again.exit_code, again.stdout) == (0, "0 contacts changed.\n")


async def test_a_tenant_with_many_contacts_is_refreshed_in_parts(networks, fresh_database):
    [network, *_] = networks
    count = CONTACTS_AT_ONCE + 3
    contacts = [await network.contact() for _ in range(count)]
    await network.interaction(*contacts, type="MEETING")
    await pass_days(networks[0].watching, 500)
    told: list[tuple[int, int]] = []
    async with fresh_database.connect("pmcrm_service") as conn:
        assert await refresh_strengths(conn, lambda done, total: told.append((done, total))) == count
    assert told == [(CONTACTS_AT_ONCE, count), (count, count)]


async def test_a_refresh_leaves_no_audit_entry_and_no_new_version_of_a_contact(networks, fresh_database):
    contact = await networks[0].contact()
    await networks[0].interaction(contact, type="MEETING")
    await pass_days(networks[0].watching, 300)
    seen = "SELECT max(revision), max(updated_at), (SELECT count(*) FROM audit_logs) FROM contacts"
    before = await networks[0].watching.fetchrow(seen)
    async with fresh_database.connect("pmcrm_service") as conn:
        assert await refresh_strengths(conn, lambda done, total: None) == 1
    assert await networks[0].watching.fetchrow(seen) == before
