"""Embeddings follow changes: the queue's worker, its failures, and what it must never write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.insights.embedding.lexical import NAME, vector_of
from services.insights.embedding.switching import PARKED_AFTER
from services.insights.embedding.texts import content_hash
from tests.postgres import Connection, Database
from tests.services.contacts.calls import Book
from tests.services.insights.conftest import Consents
from tests.services.insights.embedding.rows import Embeddings
from tests.services.insights.provider_server import (
    EMBEDDING_MODEL,
    ProviderServer,
    letters,
    says,
    status,
)
from tests.services.interactions.interaction_calls import Log
from tests.suite import Metadata


async def test_what_is_permitted_is_embedded_and_follows_its_text(
    book: Book, log: Log, consents: Consents, rows: Embeddings, alice: Metadata
) -> None:
    ada = await book.create(given_name="Ada", job_title="Engineer", notes="Likes chess")
    lunch = await log.create(ada, subject="Lunch", body="We spoke of chess")
    assert await rows.queued() == {}
    await consents.declare(alice, ada.id)
    assert set(await rows.queued()) == {ada.id, lunch.id}
    await rows.follow()
    made = await rows.rows()
    assert set(made) == {ada.id, lunch.id}
    assert made[ada.id]["content_hash"] == content_hash("Works as: Engineer\nNotes: Likes chess")
    assert {row["model"] for row in made.values()} == {NAME}
    stored = [float(number) for number in made[ada.id]["vector"].strip("[]").split(",")]
    expected = vector_of("Works as: Engineer\nNotes: Likes chess")
    assert stored == pytest.approx(expected, abs=1e-3)
    assert await rows.queued() == {}
    await book.update(ada.id, "notes", notes="Likes go")
    await rows.follow()
    assert (await rows.rows())[ada.id]["content_hash"] == content_hash("Works as: Engineer\nNotes: Likes go")


async def test_a_name_is_never_embedded(book: Book, consents: Consents, rows: Embeddings, alice: Metadata) -> None:
    ada = await book.create(given_name="Ada", emails=[{"value": "ada@example.com"}])
    await consents.declare(alice, ada.id)
    await rows.follow()
    assert (await rows.rows(), await rows.queued()) == ({}, {})


async def test_a_text_that_becomes_empty_has_no_embedding(
    book: Book, consents: Consents, rows: Embeddings, alice: Metadata
) -> None:
    ada = await book.create(given_name="Ada", notes="chess")
    await consents.declare(alice, ada.id)
    await rows.follow()
    await book.update(ada.id, "notes", notes="…")
    await rows.follow()
    assert (await rows.rows(), await rows.queued()) == ({}, {})


async def test_a_change_that_leaves_the_text_asks_no_provider(
    book: Book, consents: Consents, rows: Embeddings, alice: Metadata, database: Database, provider: ProviderServer
) -> None:
    settings = rows.settings(provider)
    ada = await book.create(given_name="Ada", notes="chess")
    await consents.declare(alice, ada.id, days=10)
    await rows.follow(settings)
    asked = len(provider.requests)
    await consents.declare(alice, ada.id, days=20)
    await rows.follow(settings)
    (row,) = (await rows.rows()).values()
    assert len(provider.requests) == asked
    assert row["valid_until"] > datetime.now(UTC) + timedelta(days=19)


async def test_embeddings_end_with_the_permission(
    book: Book, log: Log, consents: Consents, rows: Embeddings, alice: Metadata, as_superuser: Connection
) -> None:
    ada = await book.create(given_name="Ada", notes="chess")
    grace = await book.create(given_name="Grace", notes="go")
    await log.create(ada, grace, subject="Games")
    await consents.declare(alice, ada.id, days=10)
    await consents.declare(alice, grace.id)
    await rows.follow()
    assert len(await rows.rows()) == 3
    await as_superuser.execute("UPDATE embeddings SET valid_until = now() WHERE valid_until < 'infinity'")
    await rows.follow()
    assert set(await rows.rows()) == {grace.id}


async def test_a_tenant_is_not_touched_for_another(
    book: Book, bobs: Book, consents: Consents, rows: Embeddings, bobs_rows: Embeddings, alice: Metadata, bob: Metadata
) -> None:
    for one, whose in ((book, alice), (bobs, bob)):
        await consents.declare(whose, (await one.create(given_name="Ada", notes="chess")).id)
    await rows.follow()
    before = await bobs_rows.rows()
    assert len(before) == 1
    (ada,) = await rows.rows()
    await book.update(ada, "notes", notes="go")
    await rows.follow()
    assert await bobs_rows.rows() == before


async def test_a_provider_that_is_down_is_waited_for(
    book: Book, consents: Consents, rows: Embeddings, alice: Metadata, database: Database, provider: ProviderServer
) -> None:
    settings = rows.settings(provider)
    ada = await book.create(given_name="Ada", notes="chess")
    await consents.declare(alice, ada.id)
    provider.fail_with(status(503), times=None)
    assert await rows.follow(settings) == 0
    queued = (await rows.queued())[ada.id]
    assert queued["attempts"] == 0
    assert queued["due_at"] > datetime.now(UTC)
    provider.recover()
    await rows.make_due()
    await rows.follow(settings)
    assert (await rows.rows())[ada.id]["model"] == EMBEDDING_MODEL


async def test_one_text_that_the_provider_cannot_embed_keeps_no_other_waiting(
    book: Book, consents: Consents, rows: Embeddings, alice: Metadata, database: Database, provider: ProviderServer
) -> None:
    settings = rows.settings(provider)
    provider.embed = lambda text: [float("nan")] if "poison" in text else letters(text)
    made = await book.create_many(*({"given_name": "Ada", "notes": f"chess {i}"} for i in range(6)))
    bad = await book.create(given_name="Bad", notes="poison")
    await consents.declare(alice, bad.id, *(contact.id for contact in made))
    await rows.follow(settings)
    assert set(await rows.rows()) == {contact.id for contact in made}
    for attempt in range(1, PARKED_AFTER + 1):
        assert (await rows.queued())[bad.id]["attempts"] == attempt
        await rows.make_due()
        await rows.follow(settings)
    assert (await rows.queued())[bad.id]["due_at"] > datetime.now(UTC) + timedelta(hours=12)
    await book.update(bad.id, "notes", notes="cured")
    await rows.follow(settings)
    assert bad.id in await rows.rows()
    assert await rows.queued() == {}


@pytest.mark.parametrize("answer", [says(b"nonsense"), says({"data": []})], ids=["no JSON", "no vectors"])
async def test_nonsense_is_never_stored(
    book: Book,
    consents: Consents,
    rows: Embeddings,
    alice: Metadata,
    database: Database,
    provider: ProviderServer,
    answer: object,
) -> None:
    ada = await book.create(given_name="Ada", notes="chess")
    await consents.declare(alice, ada.id)
    provider.fail_with(answer, times=None)  # type: ignore[arg-type]
    await rows.follow(rows.settings(provider))
    assert await rows.rows() == {}
    assert (await rows.queued())[ada.id]["attempts"] == 1


async def test_a_batch_that_somebody_has_claimed_is_left_to_him(
    book: Book, consents: Consents, rows: Embeddings, alice: Metadata, as_superuser: Connection
) -> None:
    ada = await book.create(given_name="Ada", notes="chess")
    await consents.declare(alice, ada.id)
    await as_superuser.execute("UPDATE embedding_queue SET due_at = now() + interval '1 minute'")
    assert await rows.follow() == 0
    assert await rows.rows() == {}


async def test_a_closed_tenants_data_are_left_alone(
    book: Book, consents: Consents, rows: Embeddings, alice: Metadata, as_superuser: Connection
) -> None:
    ada = await book.create(given_name="Ada", notes="chess")
    await consents.declare(alice, ada.id)
    await as_superuser.execute("UPDATE users SET deleted_at = now() WHERE id = $1", rows.tenant)
    assert await rows.follow() == 0
    assert await rows.rows() == {}
