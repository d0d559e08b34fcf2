"""No search by meaning shows, ranks by or betrays another tenant's contacts and interactions."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.message import Message
from pmcrm.insights.v1 import semantic_service_pb2 as pb

from services.insights.embedding.lexical import vector_of
from tests.services.contacts.calls import Book, random_id
from tests.services.contacts.test_isolation import everything_of, without
from tests.services.insights.embedding.rows import Embeddings
from tests.services.insights.meanings import Seeker, ids
from tests.services.interactions.interaction_calls import Log
from tests.suite import Metadata, failure, settings_for, tenant_of

# Each call that names a contact.
ON_A_CONTACT: dict[str, Callable[[str], Message]] = {
    "SemanticSearch": lambda key: pb.SemanticSearchRequest(query="violins", contact_id=key),
    "SemanticSearch of interactions": lambda key: pb.SemanticSearchRequest(
        query="violins", contact_id=key, target=pb.SEARCH_TARGET_INTERACTIONS
    ),
    "HybridSearch": lambda key: pb.HybridSearchRequest(query="violins", contact_id=key),
    "FindSimilarContacts": lambda key: pb.FindSimilarContactsRequest(contact_id=key),
}


@pytest_asyncio.fixture
async def seek(database, insights, client, interactions, consents, as_superuser) -> Callable[[Metadata], Seeker]:
    """Makes the searches of a tenant."""

    def of(tenant: Metadata) -> Seeker:
        embeddings = Embeddings(database, tenant, as_superuser)
        book, log = Book(client, tenant), Log(interactions, tenant)
        return Seeker(insights, tenant, settings_for(database), book, log, consents, embeddings)

    return of


async def send(seeker: Seeker, request: Message) -> Any:
    name = type(request).__name__.removesuffix("Request")
    return await getattr(seeker.client.semantic, name)(request, metadata=seeker.tenant)


@pytest.mark.parametrize("call", ON_A_CONTACT)
async def test_anothers_contact_is_answered_as_one_that_does_not_exist(seek, alice, bob, as_superuser, call):
    mine, theirs = seek(alice), seek(bob)
    ada = await mine.know("Ada", "restores violins")
    await mine.meet(ada, subject="violins")
    spy = await theirs.know("Spy", "restores violins")
    await mine.embed()
    assert (await send(mine, ON_A_CONTACT[call](ada.id))) is not None
    before = await everything_of(as_superuser, tenant_of(alice))
    missing = random_id()
    refused = await failure(send(theirs, ON_A_CONTACT[call](ada.id)))
    unknown = await failure(send(theirs, ON_A_CONTACT[call](missing)))
    assert without(refused, ada.id) == without(unknown, missing)
    assert refused.code == grpc.StatusCode.NOT_FOUND
    assert (await send(theirs, ON_A_CONTACT[call](spy.id))) is not None
    assert await everything_of(as_superuser, tenant_of(alice)) == before


async def test_every_search_that_is_built_is_tried_here():
    tried = {name.split()[0] for name in ON_A_CONTACT}
    service = pb.DESCRIPTOR.services_by_name["SemanticService"]
    assert tried == {method.name for method in service.methods} - {"ReindexEmbeddings"}


async def test_searches_find_only_ones_own(seek, alice, bob):
    mine, theirs = seek(alice), seek(bob)
    ada = await mine.know("Ada", "restores violins")
    talk = await mine.meet(ada, subject="violins")
    for _ in range(3):
        await theirs.know("Ada", "restores violins")
    bert = await theirs.know("Bert", "restores cellos")
    await mine.embed()
    vector = pb.QueryVector(model="lexical-hash-v1", values=vector_of("restores violins"))
    assert set(ids(await mine.semantic("violins"))) == {ada.id, talk.id}
    assert set(ids(await mine.semantic(vector=vector))) == {ada.id, talk.id}
    assert set(ids(await mine.hybrid("violins"))) == {ada.id, talk.id}
    assert ids(await mine.similar(ada.id)) == []
    everything = await theirs.semantic("violins", min_score=-1)
    assert len(ids(everything)) == 4
    assert {ada.id, talk.id}.isdisjoint(ids(everything))
    assert len(ids(await theirs.similar(bert.id, min_score=-1))) == 3


async def test_two_tenants_with_identical_data_never_affect_each_other(seek, alice, bob):
    answers = []
    both = [seek(alice), seek(bob)]
    for seeker in both:
        for name, notes in (("Ada", "restores violins"), ("Bert", "restores cellos"), ("Carla", "cooks")):
            await seeker.know(name, notes)
    await both[0].embed()
    changed = await both[0].know("Dora", "restores violins and cellos")
    await both[0].consents.declare(both[0].tenant, changed.id, kind="OBJECTION")
    await both[0].book.create(given_name="Emil", notes="violins")
    for seeker in both:
        found = await seeker.semantic("violins", min_score=-1)
        answers.append([(each.contact.display_name, each.score) for each in found.results])
    assert answers[0] == answers[1]
    one, other = [await seeker.semantic("violins") for seeker in both]
    assert (one.not_permitted_count, other.not_permitted_count) == (2, 0)


async def test_a_page_token_of_another_tenant_is_none(seek, alice, bob):
    mine, theirs = seek(alice), seek(bob)
    for seeker in (mine, theirs):
        for n in range(3):
            await seeker.know(f"No {n}", "restores violins")
    await mine.embed()
    for call in (mine.semantic, mine.hybrid):
        token = (await call("violins", page_size=1)).next_page_token
        other = theirs.semantic if call == mine.semantic else theirs.hybrid
        refused = await failure(other("violins", page_size=1, page_token=token))
        assert refused.reason == "PAGE_TOKEN_INVALID"


async def test_no_function_of_searching_looks_into_another_tenant(seek, alice, bob, as_insights):
    """Also when it is called with another's ids, as a service's own mistake would."""
    mine = seek(alice)
    ada = await mine.know("Ada", "restores violins")
    talk = await mine.meet(ada, subject="violins")
    await mine.embed()
    calls = {
        "SELECT * FROM app.contact_standing($1::uuid)": [ada.id],
        "SELECT app.match_contact('violins', $1::uuid) AS found": [ada.id],
        "SELECT * FROM app.spelt_contacts('ada', $1::uuid, 10)": [ada.id],
        "SELECT * FROM app.spelt_interactions('violins', $1::uuid, NULL, NULL, 10)": [ada.id],
        "SELECT * FROM app.holding_words('violins', ARRAY[$1::uuid], ARRAY[$2::uuid])": [ada.id, talk.id],
        "SELECT nullif(app.may_be_found($1::uuid, $2::uuid, NULL), false) AS found": [tenant_of(alice), ada.id],
        "SELECT * FROM app.nearest_embeddings(array_fill(1::real, ARRAY[512])::halfvec, 'lexical-hash-v1', NULL, "
        "$1::uuid, NULL, NULL, NULL, -1, 10)": [ada.id],
    }
    for tenant, seen in ((alice, True), (bob, False)):
        for statement, arguments in calls.items():
            async with as_insights.transaction():
                await as_insights.execute(f"SET LOCAL app.current_user_id = '{tenant_of(tenant)}'")
                rows = await as_insights.fetch(statement, *map(uuid.UUID, arguments))
            assert any(value is not None for row in rows for value in row.values()) == seen, statement
