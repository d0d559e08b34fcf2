"""What happens while something is embedded: nothing is written that must not be there."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Literal

import pytest

from services.insights.embedding.access import WorkerAccess
from services.insights.embedding.lexical import NAME, vector_of
from services.insights.embedding.making import make
from services.insights.embedding.subjects import Subject
from services.insights.embedding.switching import Aim
from services.insights.embedding.texts import content_hash
from services.insights.embedding.writing import Outcome
from tests.postgres import Connection, Database, bound
from tests.runtime.acting import until
from tests.services.contacts.calls import Book
from tests.services.insights.conftest import Consents
from tests.services.insights.embedding.rows import Embeddings
from tests.services.insights.restricting import restrict
from tests.services.interactions.interaction_calls import Log
from tests.suite import Metadata


class Meddling:
    """An embedder during whose work something happens."""

    name = NAME
    kind: Literal["LEXICAL"] = "LEXICAL"

    def __init__(self, happens: Callable[[], Awaitable[object]]) -> None:
        self._happens = happens

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        await self._happens()
        return [vector_of(text) for text in texts]


async def make_meanwhile(
    database: Database, rows: Embeddings, happens: Callable[[], Awaitable[object]], *subjects: Subject
) -> dict[Subject, Outcome]:
    """Embeds subjects, while something happens after their texts were read."""
    async with database.connect("pmcrm_service") as conn:
        return await make(WorkerAccess(conn, rows.tenant), Aim(Meddling(happens), None), subjects)


async def permitted(book: Book, log: Log, consents: Consents, tenant: Metadata) -> tuple[Subject, Subject, str]:
    """A contact and an interaction of it with another one, both permitted, and the other's id."""
    ada = await book.create(given_name="Ada", notes="chess")
    grace = await book.create(given_name="Grace", notes="go")
    await consents.declare(tenant, ada.id, grace.id)
    games = await log.create(ada, grace, subject="Games")
    return Subject("CONTACT", uuid.UUID(ada.id)), Subject("INTERACTION", uuid.UUID(games.id)), grace.id


async def test_what_is_withdrawn_while_it_is_embedded_is_not_written(
    book: Book, log: Log, consents: Consents, rows: Embeddings, alice: Metadata, database: Database
) -> None:
    ada, games, _ = await permitted(book, log, consents, alice)
    withdraw = partial(consents.declare, alice, str(ada.id), kind="OBJECTION")
    outcomes = await make_meanwhile(database, rows, withdraw, ada, games)
    assert set(outcomes.values()) == {Outcome.NOT_PERMITTED}
    assert await rows.rows() == {}


async def test_what_is_restricted_while_it_is_embedded_is_not_written(
    book: Book, log: Log, consents: Consents, rows: Embeddings, alice: Metadata, database: Database
) -> None:
    ada, games, grace = await permitted(book, log, consents, alice)
    async with database.connect() as conn:
        outcomes = await make_meanwhile(database, rows, partial(restrict, conn, alice, grace), ada, games)
    assert outcomes == {ada: Outcome.EMBEDDED, games: Outcome.NOT_PERMITTED}
    assert set(await rows.rows()) == {str(ada.id)}


async def test_what_is_deleted_while_it_is_embedded_is_not_written(
    book: Book, log: Log, consents: Consents, rows: Embeddings, alice: Metadata, database: Database
) -> None:
    ada, games, _ = await permitted(book, log, consents, alice)

    async def delete() -> None:
        await book.delete(str(ada.id))
        await log.delete(str(games.id))

    assert set((await make_meanwhile(database, rows, delete, ada, games)).values()) == {Outcome.NOT_PERMITTED}
    assert await rows.rows() == {}


async def test_what_changes_while_it_is_embedded_stays_queued(
    book: Book, log: Log, consents: Consents, rows: Embeddings, alice: Metadata, database: Database
) -> None:
    ada, games, _ = await permitted(book, log, consents, alice)
    change = partial(book.update, str(ada.id), "notes", notes="go")
    await make_meanwhile(database, rows, change, ada, games)
    queued = await rows.queued()
    assert str(ada.id) in queued
    assert str(games.id) not in queued
    await rows.follow()
    assert (await rows.rows())[str(ada.id)]["content_hash"] == content_hash("Notes: go")


async def somebody_waits(conn: Connection) -> bool:
    """Whether a transaction in this database waits for another one's lock."""
    count = await conn.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return bool(count)


@pytest.mark.parametrize("who", ["the contact", "the user"])
async def test_a_withdrawal_waits_for_what_is_being_written_and_removes_it(
    book: Book, log: Log, consents: Consents, rows: Embeddings, alice: Metadata, database: Database, who: str
) -> None:
    ada, games, _ = await permitted(book, log, consents, alice)
    await rows.follow()
    contact_id = ada.id if who == "the contact" else None
    async with database.connect("pmcrm_service") as writer, database.connect("pmcrm_gdpr") as declarer:
        async with bound(writer, rows.tenant):
            held = await writer.fetch("SELECT * FROM app.hold_embeddable($1, $2)", [ada.id], [games.id])
            assert len(held) == 2

            async def object_to_it() -> None:
                async with bound(declarer, rows.tenant):
                    await declarer.execute(
                        """
                        INSERT INTO consent_records (user_id, contact_id, type, purpose, legal_basis)
                        VALUES ($1, $2, 'OBJECTION', 'ai_processing', 'CONSENT')
                        """,
                        rows.tenant,
                        contact_id,
                    )

            objecting = asyncio.create_task(object_to_it())
            async with database.connect() as conn:
                await until(partial(somebody_waits, conn))
            # As one that was not there before, which a removal that did not wait would not have seen.
            await writer.execute("DELETE FROM embeddings WHERE user_id = $1", rows.tenant)
            await writer.execute(
                """
                INSERT INTO embeddings (user_id, contact_id, dimensions, model, content_hash, embedding)
                VALUES ($1, $2, 2, 'late', sha256(''), '[1, 0]')
                """,
                rows.tenant,
                ada.id,
            )
        await objecting
    left = await rows.rows()
    assert str(ada.id) not in left
