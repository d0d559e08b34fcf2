"""Another model takes over: searches go on before, during and after, and never compare two models' vectors."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc.aio
from pmcrm.insights.v1 import semantic_service_pb2 as pb

from services.insights.embedding.access import WorkerAccess
from services.insights.embedding.lexical import NAME
from services.insights.embedding.making import make
from services.insights.embedding.models import Embedders
from services.insights.embedding.subjects import Subject
from services.insights.embedding.switching import PARKED_AFTER, aim
from services.insights.embedding.texts import content_hash
from services.insights.service import SERVICE as INSIGHTS
from shared.settings import Settings
from tests.postgres import Database
from tests.services.contacts.calls import Book
from tests.services.insights.conftest import Consents, InsightsClient
from tests.services.insights.embedding.reindex_calls import reindex
from tests.services.insights.embedding.rows import Embeddings
from tests.services.insights.provider_server import EMBEDDING_MODEL, ProviderServer, letters, status
from tests.suite import Metadata, failure, running

WORDS = ("chess", "sailing", "violins", "climbing")


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[InsightsClient]:
    """The insights service with these settings."""
    async with (
        running(INSIGHTS, settings) as service,
        grpc.aio.insecure_channel(f"127.0.0.1:{service.port}") as channel,
    ):
        yield InsightsClient(channel)


async def people(book: Book, consents: Consents, tenant: Metadata) -> dict[str, str]:
    """Contacts who may be embedded: the word that is noted of each, and its id."""
    made = await book.create_many(*({"given_name": "Ada", "notes": word} for word in WORDS))
    await consents.declare(tenant, *(contact.id for contact in made))
    return {word: contact.id for word, contact in zip(WORDS, made, strict=True)}


async def found(client: InsightsClient, tenant: Metadata, query: str) -> tuple[str, str]:
    """The closest contact's id, and the model by which it was found."""
    request = pb.SemanticSearchRequest(query=query, target=pb.SEARCH_TARGET_CONTACTS)
    answer = await client.semantic.SemanticSearch(request, metadata=tenant)
    return answer.results[0].contact.id, answer.model.name


async def embed_some(database: Database, rows: Embeddings, settings: Settings, *contact_ids: str) -> None:
    """What a worker does that is killed half-way."""
    async with database.connect("pmcrm_service") as conn:
        access = WorkerAccess(conn, rows.tenant)
        towards = await aim(access, Embedders(settings))
        await make(access, towards, [Subject("CONTACT", uuid.UUID(contact_id)) for contact_id in contact_ids])


async def test_searches_go_on_before_during_and_after(
    book: Book, consents: Consents, rows: Embeddings, alice: Metadata, database: Database, provider: ProviderServer
) -> None:
    ids = await people(book, consents, alice)
    await rows.follow()
    settings = rows.settings(provider)
    async with serving(settings) as client:
        for word, contact_id in ids.items():
            assert await found(client, alice, word) == (contact_id, NAME)
        await embed_some(database, rows, settings, ids["chess"], ids["sailing"])
        assert (len(await rows.rows(NAME)), len(await rows.rows(EMBEDDING_MODEL))) == (4, 2)
        for word, contact_id in ids.items():
            assert await found(client, alice, word) == (contact_id, NAME)
        await rows.follow(settings)
        for word, contact_id in ids.items():
            assert await found(client, alice, word) == (contact_id, EMBEDDING_MODEL)
    assert (len(await rows.rows(NAME)), len(await rows.rows(EMBEDDING_MODEL))) == (0, 4)
    model = await rows.model()
    assert model is not None
    assert (model["model"], model["kind"], model["next_model"]) == (EMBEDDING_MODEL, "SEMANTIC", None)
    assert await rows.queued() == {}


async def test_what_changes_half_way_is_found_as_it_is_now(
    book: Book, consents: Consents, rows: Embeddings, alice: Metadata, database: Database, provider: ProviderServer
) -> None:
    ids = await people(book, consents, alice)
    await rows.follow()
    settings = rows.settings(provider)
    await embed_some(database, rows, settings, ids["chess"])
    provider.fail_with(status(503), times=None)
    await book.update(ids["sailing"], "notes", notes="falconry")
    await rows.follow(settings)
    # The old model is lexical, and is kept right while the new one cannot be asked.
    assert (await rows.rows(NAME))[ids["sailing"]]["content_hash"] == content_hash("Notes: falconry")
    assert set(await rows.rows(EMBEDDING_MODEL)) == {ids["chess"]}
    async with serving(settings) as client:
        assert await found(client, alice, "falconry") == (ids["sailing"], NAME)


async def test_what_is_given_up_half_way_leaves_nothing(
    book: Book, consents: Consents, rows: Embeddings, alice: Metadata, database: Database, provider: ProviderServer
) -> None:
    ids = await people(book, consents, alice)
    await rows.follow()
    before = await rows.rows()
    await embed_some(database, rows, rows.settings(provider), ids["chess"])
    await rows.follow()
    assert await rows.rows(EMBEDDING_MODEL) == {}
    assert {key: row["vector"] for key, row in (await rows.rows()).items()} == {
        key: row["vector"] for key, row in before.items()
    }
    model = await rows.model()
    assert model is not None
    assert (model["model"], model["next_model"]) == (NAME, None)


async def test_a_third_model_takes_the_place_of_the_second(
    book: Book, consents: Consents, rows: Embeddings, alice: Metadata, database: Database, provider: ProviderServer
) -> None:
    ids = await people(book, consents, alice)
    await rows.follow()
    await embed_some(database, rows, rows.settings(provider), ids["chess"])
    await rows.follow(rows.settings(provider, ai_embedding_dimensions=5))
    made = (await rows.rows()).values()
    assert {(row["model"], row["dimensions"]) for row in made} == {(f"{EMBEDDING_MODEL}@5", 5)}
    assert len(made) == 4
    await rows.follow()
    assert {row["model"] for row in (await rows.rows()).values()} == {NAME}


async def test_a_text_that_always_fails_is_not_waited_for_and_keeps_nothing_of_the_old_model(
    book: Book,
    consents: Consents,
    rows: Embeddings,
    alice: Metadata,
    provider: ProviderServer,
) -> None:
    ids = await people(book, consents, alice)
    await rows.follow()
    provider.embed = lambda text: [] if "chess" in text else letters(text)
    for _ in range(PARKED_AFTER):
        assert (await rows.model())["model"] == NAME  # type: ignore[index]
        await rows.follow(rows.settings(provider))
        await rows.make_due()
    await rows.follow(rows.settings(provider))
    assert (await rows.model())["model"] == EMBEDDING_MODEL  # type: ignore[index]
    assert set(await rows.rows()) == set(ids.values()) - {ids["chess"]}


async def test_a_provider_that_makes_nothing_replaces_nothing(
    book: Book, consents: Consents, rows: Embeddings, alice: Metadata, provider: ProviderServer
) -> None:
    await people(book, consents, alice)
    await rows.follow()
    provider.embed = lambda _: [0.0]
    for _ in range(PARKED_AFTER + 1):
        await rows.follow(rows.settings(provider))
        await rows.make_due()
    assert {row["model"] for row in (await rows.rows()).values()} == {NAME}
    assert (await rows.model())["model"] == NAME  # type: ignore[index]


async def test_reindexing_completes_a_change_of_models(
    book: Book,
    consents: Consents,
    rows: Embeddings,
    alice: Metadata,
    bobs: Book,
    bob: Metadata,
    provider: ProviderServer,
) -> None:
    await people(book, consents, alice)
    await people(bobs, consents, bob)
    await rows.follow()
    async with serving(rows.settings(provider)) as client:
        told = await reindex(client, alice)
        assert told.counts == {"embedded": 4}
        assert told.summary is not None
        assert (told.summary.model.name, told.summary.model.dimensions) == (EMBEDDING_MODEL, len(letters("")))
    assert {row["model"] for row in (await rows.rows()).values()} == {EMBEDDING_MODEL}
    assert (await rows.model())["model"] == EMBEDDING_MODEL  # type: ignore[index]


async def test_vectors_that_become_longer_under_one_name_replace_the_others(
    book: Book, consents: Consents, rows: Embeddings, alice: Metadata, provider: ProviderServer
) -> None:
    ids = await people(book, consents, alice)
    settings = rows.settings(provider)
    await rows.follow(settings)
    provider.embed = lambda text: [*letters(text), 1.0]
    await book.update(ids["chess"], "notes", notes="go")
    await rows.follow(settings)
    assert {row["dimensions"] for row in (await rows.rows()).values()} == {len(letters("")) + 1}
    assert (await rows.model())["dimensions"] == len(letters("")) + 1  # type: ignore[index]


async def test_one_vector_of_another_length_is_none(
    book: Book, consents: Consents, rows: Embeddings, alice: Metadata, provider: ProviderServer
) -> None:
    ids = await people(book, consents, alice)
    settings = rows.settings(provider)
    await rows.follow(settings)
    before = await rows.rows()
    provider.embed = lambda text: [1.0] if "odd" in text else letters(text)
    await book.update(ids["chess"], "notes", notes="odd")
    await rows.follow(settings)
    assert await rows.rows() == before
    assert (await rows.queued())[ids["chess"]]["attempts"] == 1


async def test_the_model_of_a_tenant_without_embeddings_is_forgotten(
    book: Book, consents: Consents, rows: Embeddings, alice: Metadata, provider: ProviderServer
) -> None:
    ids = await people(book, consents, alice)
    await rows.follow()
    await consents.declare(alice, *ids.values(), kind="OBJECTION")
    assert await rows.rows() == {}
    await rows.follow(rows.settings(provider))
    assert await rows.model() is None


async def test_a_provider_that_goes_down_ends_reindexing_and_what_is_done_stays(
    book: Book,
    consents: Consents,
    rows: Embeddings,
    alice: Metadata,
    provider: ProviderServer,
) -> None:
    ids = await people(book, consents, alice)
    async with serving(rows.settings(provider)) as client:
        provider.fail_with(status(503), times=None)
        call = client.semantic.ReindexEmbeddings(pb.ReindexEmbeddingsRequest(), metadata=alice)
        refused = await failure(call.read())
        assert (refused.code.name, refused.reason) == ("UNAVAILABLE", "PROVIDER_UNAVAILABLE")
        provider.recover()
        assert (await reindex(client, alice, contact_ids=[ids["chess"]])).counts == {"embedded": 1}
        provider.fail_with(status(503), times=None)
        assert (await reindex(client, alice, contact_ids=[ids["chess"]])).counts == {"unchanged": 1}
        call = client.semantic.ReindexEmbeddings(pb.ReindexEmbeddingsRequest(), metadata=alice)
        assert (await failure(call.read())).reason == "PROVIDER_UNAVAILABLE"
    assert set(await rows.rows()) == {ids["chess"]}


async def test_reindexing_tells_what_the_provider_cannot_embed(
    book: Book, consents: Consents, rows: Embeddings, alice: Metadata, provider: ProviderServer
) -> None:
    ids = await people(book, consents, alice)
    provider.embed = lambda text: [float("inf")] if "chess" in text else letters(text)
    async with serving(rows.settings(provider)) as client:
        told = await reindex(client, alice)
    assert told.counts == {"embedded": 3, "failed": 1}
    (bad,) = told.failures
    assert (bad.contact_id, bad.code) == (
        ids["chess"],
        pb.ReindexFailure(code="ERROR_REASON_PROVIDER_ANSWER_INVALID").code,
    )
    assert ids["chess"] not in await rows.rows()
