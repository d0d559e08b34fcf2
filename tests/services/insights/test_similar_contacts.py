"""FindSimilarContacts: whose embeddings are closest to a contact's, without itself."""

from __future__ import annotations

import grpc
import pytest
import pytest_asyncio
from pmcrm.insights.v1 import semantic_service_pb2 as pb

from tests.services.contacts.calls import random_id
from tests.services.contacts.merge_calls import merge
from tests.services.insights.embedding.rows import Embeddings
from tests.services.insights.meanings import Seeker, ids
from tests.services.insights.restricting import restrict
from tests.suite import failure, settings_for


@pytest_asyncio.fixture
async def seeker(database, insights, alice, book, log, consents, as_superuser) -> Seeker:
    """Alice, without a provider."""
    embeddings = Embeddings(database, alice, as_superuser)
    return Seeker(insights, alice, settings_for(database), book, log, consents, embeddings)


async def test_the_most_alike_come_first_without_the_contact_itself(seeker):
    ada = await seeker.know("Ada", "restores old violins and cellos")
    near = await seeker.know("Bert", "restores old violins")
    less = await seeker.know("Carla", "restores clocks and watches")
    await seeker.meet(ada, subject="restores old violins and cellos")
    await seeker.embed()
    found = await seeker.similar(ada.id)
    assert ids(found)[:2] == [near.id, less.id]
    assert [result.contact.display_name for result in found.results][:2] == ["Bert", "Carla"]
    assert 1 >= found.results[0].score > found.results[1].score > 0
    assert (found.model.name, found.model.kind) == ("lexical-hash-v1", pb.EMBEDDING_KIND_LEXICAL)
    least = found.results[0].score - 0.001
    assert ids(await seeker.similar(ada.id, min_score=least)) == [near.id]
    assert len(ids(await seeker.similar(ada.id, min_score=-1))) == 2


async def test_pages_show_everybody_once(seeker):
    people = [await seeker.know(f"No {n}", "brews beer " + "and mead " * n) for n in range(8)]
    await seeker.embed()
    whole = ids(await seeker.similar(people[0].id))
    assert set(whole) == {contact.id for contact in people[1:]}
    shown, token = [], ""
    while True:
        page = await seeker.similar(people[0].id, page_size=3, page_token=token)
        shown += ids(page)
        token = page.next_page_token
        if not token:
            break
    assert shown == whole
    assert ids(await seeker.similar(people[0].id, page_size=2, skip=4)) == whole[4:6]
    first = await seeker.similar(people[0].id, page_size=3)
    refused = await failure(seeker.similar(people[1].id, page_token=first.next_page_token))
    assert refused.reason == "PAGE_TOKEN_INVALID"


async def test_who_is_gone_is_in_no_answer_and_no_question(seeker, as_superuser):
    ada, restricted, deleted, withdrawn = [
        await seeker.know(name, "brews beer") for name in ("Ada", "Bert", "Carla", "Dora")
    ]
    await seeker.embed()
    assert len(ids(await seeker.similar(ada.id))) == 3
    await restrict(as_superuser, seeker.tenant, restricted.id)
    await seeker.book.delete(deleted.id)
    await seeker.consents.declare(seeker.tenant, withdrawn.id, kind="OBJECTION")
    assert ids(await seeker.similar(ada.id)) == []
    for contact, code, reason in (
        (restricted, grpc.StatusCode.FAILED_PRECONDITION, "PROCESSING_RESTRICTED"),
        (deleted, grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND"),
        (withdrawn, grpc.StatusCode.FAILED_PRECONDITION, "EMBEDDING_MISSING"),
    ):
        refused = await failure(seeker.similar(contact.id))
        assert (refused.code, refused.reason, refused.metadata) == (code, reason, {"id": contact.id})


async def test_who_has_no_embedding_yet_or_never_consented_cannot_be_compared(seeker):
    new = await seeker.know("Ada", "brews beer")
    silent = await seeker.book.create(given_name="Bert", notes="brews beer")
    for contact in (new, silent):
        refused = await failure(seeker.similar(contact.id))
        assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "EMBEDDING_MISSING")
    await seeker.embed()
    assert ids(await seeker.similar(new.id)) == []


async def test_a_contact_that_is_not_there_is_not_found(seeker):
    missing = random_id()
    refused = await failure(seeker.similar(missing))
    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")
    assert refused.metadata == {"id": missing}


async def test_the_id_of_a_merged_contact_stands_for_the_survivor(seeker):
    ada, double, other = [await seeker.know(name, "brews beer") for name in ("Ada", "Ada", "Bert")]
    await merge(seeker.book, ada.id, double.id)
    await seeker.embed()
    assert ids(await seeker.similar(double.id)) == [other.id]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"contact_id": ""}, "contact_id"),
        ({"contact_id": "nobody"}, "contact_id"),
        ({"page_size": -1}, "page_size"),
        ({"skip": 301}, "skip"),
        ({"min_score": 2.0}, "min_score"),
        ({"min_score": float("nan")}, "min_score"),
    ],
    ids=str,
)
async def test_what_is_out_of_range_is_refused_by_name(seeker, arguments, field):
    refused = await failure(seeker.similar(**{"contact_id": random_id(), **arguments}))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == [field]
