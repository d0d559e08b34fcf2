"""ReindexEmbeddings without a provider: what it looks at, what it makes right, and what it tells."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from pmcrm.insights.v1 import semantic_service_pb2 as pb

from services.insights.embedding.lexical import DIMENSIONS, NAME
from services.insights.embedding.making import BATCH
from tests.postgres import Connection
from tests.services.contacts.calls import Book, random_id
from tests.services.contacts.merge_calls import merge
from tests.services.insights.conftest import Consents, InsightsClient
from tests.services.insights.embedding.reindex_calls import reindex
from tests.services.insights.embedding.rows import Embeddings
from tests.services.insights.restricting import restrict
from tests.services.interactions.interaction_calls import Log
from tests.suite import Metadata, failure, new_request_id

CONTACTS, INTERACTIONS = pb.SEARCH_TARGET_CONTACTS, pb.SEARCH_TARGET_INTERACTIONS


async def test_it_embeds_what_may_be_and_tells_how_far_it_has_come(
    insights: InsightsClient, book: Book, log: Log, consents: Consents, rows: Embeddings, alice: Metadata
) -> None:
    ada = await book.create(given_name="Ada", notes="chess")
    lunch = await log.create(ada, subject="Lunch")
    silent = await book.create(given_name="Silent")
    await consents.declare(alice, ada.id, silent.id)
    await book.create(given_name="Other", notes="go")
    told = await reindex(insights, alice)
    assert told.counts == {"embedded": 2, "empty": 1, "not_permitted": 1}
    assert told.progress[-1] == (4, 4)
    assert told.summary is not None
    assert told.summary.model == pb.EmbeddingModel(name=NAME, kind="EMBEDDING_KIND_LEXICAL", dimensions=DIMENSIONS)
    before = await rows.rows()
    assert set(before) == {ada.id, lunch.id}
    assert await rows.queued() == {}
    assert (await reindex(insights, alice)).counts == {"unchanged": 2, "empty": 1, "not_permitted": 1}
    assert await rows.rows() == before
    assert (await reindex(insights, alice, force=True)).counts == {"embedded": 2, "empty": 1, "not_permitted": 1}
    assert (await rows.rows())[ada.id]["embedded_at"] > before[ada.id]["embedded_at"]


async def test_a_tenant_with_nothing_hears_so(insights: InsightsClient, rows: Embeddings, alice: Metadata) -> None:
    told = await reindex(insights, alice)
    assert told.counts == {}
    assert await rows.model() is None


async def test_a_restricted_contact_and_its_interactions_count_as_not_permitted(
    insights: InsightsClient,
    book: Book,
    log: Log,
    consents: Consents,
    rows: Embeddings,
    alice: Metadata,
    as_superuser: Connection,
) -> None:
    ada = await book.create(given_name="Ada", notes="chess")
    await log.create(ada, subject="Lunch")
    await consents.declare(alice, ada.id)
    await restrict(as_superuser, alice, ada.id)
    assert (await reindex(insights, alice)).counts == {"not_permitted": 2}
    assert await rows.rows() == {}
    call = insights.semantic.ReindexEmbeddings(pb.ReindexEmbeddingsRequest(contact_ids=[ada.id]), metadata=alice)
    refused = await failure(call.read())
    assert (refused.code.name, refused.reason) == ("FAILED_PRECONDITION", "PROCESSING_RESTRICTED")


async def test_what_has_gone_astray_is_put_right(
    insights: InsightsClient,
    book: Book,
    consents: Consents,
    rows: Embeddings,
    alice: Metadata,
    as_superuser: Connection,
) -> None:
    ada, grace = await book.create_many({"given_name": "Ada", "notes": "a"}, {"given_name": "Grace", "notes": "b"})
    await consents.declare(alice, ada.id)
    await reindex(insights, alice)
    await as_superuser.execute("UPDATE embeddings SET content_hash = sha256('other')")
    await as_superuser.execute(
        """
        INSERT INTO embeddings (user_id, contact_id, dimensions, model, content_hash, embedding)
        SELECT user_id, $1, dimensions, model, content_hash, embedding FROM embeddings
        """,
        uuid.UUID(grace.id),
    )
    assert (await reindex(insights, alice)).counts == {"embedded": 1, "not_permitted": 1}
    assert set(await rows.rows()) == {ada.id}


async def test_it_can_be_limited_to_contacts_and_to_a_target(
    insights: InsightsClient, book: Book, log: Log, consents: Consents, rows: Embeddings, alice: Metadata
) -> None:
    ada, grace, old = await book.create_many(*({"given_name": name, "notes": name} for name in ("Ada", "Grace", "Old")))
    await consents.declare(alice, ada.id, grace.id)
    both = await log.create(ada, grace, subject="Both")
    await log.create(grace, subject="Grace alone")
    await merge(book, ada.id, old.id)
    # Each contact once, whichever of its ids is given; once more by another spelling.
    told = await reindex(insights, alice, contact_ids=[old.id, ada.id, ada.id.upper()])
    assert told.counts == {"embedded": 2}
    assert set(await rows.rows()) == {ada.id, both.id}
    assert (await reindex(insights, alice, target=CONTACTS)).counts == {"embedded": 1, "unchanged": 1}
    assert (await reindex(insights, alice, target=INTERACTIONS, contact_ids=[grace.id])).counts == {
        "embedded": 1,
        "unchanged": 1,
    }


async def test_more_than_a_batch_is_looked_at_and_a_cancelled_call_keeps_what_is_done(
    insights: InsightsClient, book: Book, consents: Consents, rows: Embeddings, alice: Metadata
) -> None:
    made = await book.create_many(*({"given_name": f"N{i}", "notes": f"note {i}"} for i in range(BATCH + 5)))
    await consents.declare(alice, *(contact.id for contact in made))
    call = insights.semantic.ReindexEmbeddings(pb.ReindexEmbeddingsRequest(), metadata=alice)
    first = await call.read()
    assert isinstance(first, pb.ReindexEmbeddingsResponse)
    assert (first.progress.processed, first.progress.total) == (BATCH, BATCH + 5)
    call.cancel()
    done = len(await rows.rows())
    assert done >= BATCH
    told = await reindex(insights, alice)
    assert told.progress == [(BATCH, BATCH + 5), (BATCH + 5, BATCH + 5)]
    assert set(await rows.rows()) == {contact.id for contact in made}


async def test_calls_at_once_end_with_the_same_rows(
    insights: InsightsClient, book: Book, log: Log, consents: Consents, rows: Embeddings, alice: Metadata
) -> None:
    made = await book.create_many(*({"given_name": f"N{i}", "notes": f"note {i}"} for i in range(20)))
    for one, other in zip(made[::2], made[1::2], strict=True):
        await log.create(one, other, subject=f"Of {one.id}")
    await consents.declare(alice, *(contact.id for contact in made))
    following = asyncio.create_task(rows.follow())
    told = await asyncio.gather(*(reindex(insights, alice, force=True) for _ in range(4)))
    await following
    assert [each.counts for each in told] == [{"embedded": 30}] * 4
    assert len(await rows.rows()) == 30
    assert await rows.queued() == {}


async def test_a_request_id_gets_its_summary_again_at_once(
    insights: InsightsClient, book: Book, consents: Consents, rows: Embeddings, alice: Metadata
) -> None:
    await consents.declare(alice, (await book.create(given_name="Ada", notes="chess")).id)
    request_id = new_request_id()
    first = await reindex(insights, alice, request_id=request_id)
    again = await reindex(insights, alice, request_id=request_id.upper())
    assert again.summary == first.summary
    assert again.progress == []
    call = insights.semantic.ReindexEmbeddings(
        pb.ReindexEmbeddingsRequest(request_id=request_id, force=True), metadata=alice
    )
    assert (await failure(call.read())).reason == "REQUEST_ID_REUSED"
    assert len(await rows.rows()) == 1


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"contact_ids": ["nobody"]}, "contact_ids[0]"),
        ({"contact_ids": [random_id()] * 1_001}, "contact_ids"),
        ({"target": 9}, "target"),
        ({"request_id": "no UUID"}, "request_id"),
    ],
)
async def test_what_cannot_be_asked_is_told(
    insights: InsightsClient, alice: Metadata, arguments: dict[str, object], field: str
) -> None:
    request = pb.ReindexEmbeddingsRequest(**arguments)  # type: ignore[arg-type]
    refused = await failure(insights.semantic.ReindexEmbeddings(request, metadata=alice).read())
    assert (refused.code.name, refused.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")
    assert list(refused.violations) == [field]


async def test_another_tenants_contact_is_answered_as_one_that_does_not_exist(
    insights: InsightsClient,
    book: Book,
    bobs: Book,
    consents: Consents,
    rows: Embeddings,
    bobs_rows: Embeddings,
    alice: Metadata,
    bob: Metadata,
) -> None:
    await consents.declare(alice, (await book.create(given_name="Ada", notes="chess")).id)
    his = await bobs.create(given_name="Ada", notes="chess")
    await consents.declare(bob, his.id)
    answers = []
    for contact_id in (his.id, random_id()):
        request = pb.ReindexEmbeddingsRequest(contact_ids=[contact_id])
        refused = await failure(insights.semantic.ReindexEmbeddings(request, metadata=alice).read())
        answers.append(str((refused.code, refused.reason, refused.message, refused.metadata)).replace(contact_id, "id"))
    assert answers[0] == answers[1]
    assert "CONTACT_NOT_FOUND" in answers[0]
    assert (await reindex(insights, alice)).counts == {"embedded": 1}
    assert (len(await rows.rows()), len(await bobs_rows.rows())) == (1, 0)
    assert (await reindex(insights, bob, contact_ids=[his.id])).counts == {"embedded": 1}


async def test_a_deleted_contact_is_not_found(
    insights: InsightsClient, book: Book, rows: Embeddings, alice: Metadata
) -> None:
    ada = await book.create(given_name="Ada", notes="chess")
    await book.delete(ada.id)
    request = pb.ReindexEmbeddingsRequest(contact_ids=[ada.id])
    refused = await failure(insights.semantic.ReindexEmbeddings(request, metadata=alice).read())
    assert refused.reason == "CONTACT_NOT_FOUND"
    assert (await reindex(insights, alice)).counts == {}
    assert await rows.rows() == {}
