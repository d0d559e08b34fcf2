"""Workers that are killed: the next one goes on, and what is there in the end is what one that lived would have left.

Real processes, killed with SIGKILL while they write, over PostgreSQL.
"""

from __future__ import annotations

from functools import partial

from services.insights.embedding.lexical import NAME
from services.insights.embedding.making import BATCH
from services.insights.embedding.texts import content_hash
from tests.postgres import Connection, Database
from tests.runtime.acting import until
from tests.runtime.processes import environment, started
from tests.services.contacts.calls import Book
from tests.services.insights.conftest import Consents
from tests.services.insights.embedding.rows import Embeddings
from tests.services.insights.provider_server import EMBEDDING_MODEL, ProviderServer
from tests.suite import Metadata

COMMAND = ["-m", "cli", "maintenance", "embeddings"]
CONTACTS = 3 * BATCH


async def written(conn: Connection, model: str, least: int) -> bool:
    """Whether so many embeddings of a model are there."""
    count: int = await conn.fetchval("SELECT count(*) FROM embeddings WHERE model = $1", model)
    return count >= least


async def kill_half_way(rows: Embeddings, conn: Connection, settings: dict[str, str], model: str) -> None:
    """Starts a worker, and kills it when it has written some."""
    async with started(COMMAND, settings) as worker:
        await until(partial(written, conn, model, 1))
        worker.process.kill()
        assert await worker.ended() != 0
    assert len(await rows.rows(model)) < CONTACTS
    # Its leases would run out by themselves.
    await rows.make_due()


async def test_killed_workers_leave_the_same_rows(
    book: Book,
    consents: Consents,
    rows: Embeddings,
    alice: Metadata,
    database: Database,
    as_superuser: Connection,
    provider: ProviderServer,
) -> None:
    notes = [f"chess club {i}" + " and sailing boats" * 20 for i in range(CONTACTS)]
    made = await book.create_many(*({"given_name": "Ada", "notes": note} for note in notes))
    await consents.declare(alice, *(contact.id for contact in made))
    expected = {contact.id: content_hash(f"Notes: {note}") for contact, note in zip(made, notes, strict=True)}
    settings = environment(database, DATABASE_URL=None)
    await kill_half_way(rows, as_superuser, settings, NAME)
    await rows.follow()
    assert {key: row["content_hash"] for key, row in (await rows.rows()).items()} == expected
    # A change of models is a longer way, and ends as well.
    values = {f"PMCRM_{name.upper()}": value for name, value in provider.settings_values().items() if value is not None}
    await kill_half_way(rows, as_superuser, settings | values, EMBEDDING_MODEL)
    assert len(await rows.rows(NAME)) == CONTACTS
    await rows.follow(rows.settings(provider))
    found = await rows.rows()
    assert {key: row["content_hash"] for key, row in found.items()} == expected
    assert {row["model"] for row in found.values()} == {EMBEDDING_MODEL}
    assert await rows.queued() == {}
