"""SemanticSearch: by meaning with a provider, by wording without; only what may be found, and clear errors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import grpc
import pytest
import pytest_asyncio
from pmcrm.contacts.v1 import contact_service_pb2 as contacts_pb
from pmcrm.insights.v1 import semantic_service_pb2 as pb

from shared.settings import Settings
from tests.services.contacts.calls import random_id
from tests.services.contacts.merge_calls import merge
from tests.services.insights.conftest import InsightsClient
from tests.services.insights.embedding.rows import Embeddings
from tests.services.insights.meanings import DIMENSIONS, Seeker, concept, concepts, ids, service_with
from tests.services.insights.provider_server import EMBEDDING_MODEL, ProviderServer, provider_server, says, status
from tests.services.insights.restricting import restrict
from tests.suite import failure, settings_for

NAN, INFINITY = float("nan"), float("inf")


@pytest_asyncio.fixture(scope="module")
async def provider() -> AsyncIterator[ProviderServer]:
    async with provider_server(embed=concepts) as server:
        yield server


@pytest_asyncio.fixture(scope="module")
async def service(database, provider) -> AsyncIterator[tuple[InsightsClient, Settings]]:
    async with service_with(database, provider) as started:
        yield started


@pytest_asyncio.fixture
async def seeker(database, service, alice, book, log, consents, as_superuser) -> Seeker:
    """Alice, with a provider."""
    client, settings = service
    return Seeker(client, alice, settings, book, log, consents, Embeddings(database, alice, as_superuser))


@pytest_asyncio.fixture
async def lexical(database, insights, alice, book, log, consents, as_superuser) -> Seeker:
    """Alice, without one."""
    embeddings = Embeddings(database, alice, as_superuser)
    return Seeker(insights, alice, settings_for(database), book, log, consents, embeddings)


async def test_a_paraphrase_is_found_that_words_cannot_find(seeker):
    ada = await seeker.know("Ada", "climbs rock faces at weekends")
    await seeker.know("Bert", "owns a yacht")
    talk = await seeker.meet(ada, subject="About bouldering", body="which she takes up again")
    await seeker.embed()
    query = "somebody for mountaineering"
    by_words = await seeker.book.stub.SearchContacts(
        contacts_pb.SearchContactsRequest(query="mountaineering"), metadata=seeker.tenant
    )
    assert list(by_words.results) == []
    found = await seeker.semantic(query, min_score=0.5)
    assert set(ids(found)) == {ada.id, talk.id}
    assert all(0.9 < result.score <= 1 for result in found.results)
    assert found.model == pb.EmbeddingModel(
        name=EMBEDDING_MODEL, kind=pb.EMBEDDING_KIND_SEMANTIC, dimensions=DIMENSIONS
    )


async def test_an_interaction_is_answered_with_who_took_part(seeker):
    ada, bert = await seeker.know("Ada"), await seeker.know("Bert")
    talk = await seeker.meet(ada, bert, subject="regatta")
    await seeker.embed()
    [result] = (await seeker.semantic("boats")).results
    assert result.interaction_id == talk.id
    assert [each.display_name for each in result.participants] == ["Ada", "Bert"]


async def test_without_a_provider_it_finds_what_is_worded_alike_and_says_so(lexical):
    ada = await lexical.know("Ada", "plays the theremin in an orchestra")
    await lexical.know("Bert", "breeds alpacas")
    await lexical.embed()
    found = await lexical.semantic("an orchestra with a theremin", min_score=0.2)
    assert ids(found) == [ada.id]
    assert (found.model.name, found.model.kind) == ("lexical-hash-v1", pb.EMBEDDING_KIND_LEXICAL)


async def test_the_closest_come_first_and_equals_by_their_ids(seeker):
    both = [await seeker.know(name, "sails") for name in ("Ada", "Bert", "Carla")]
    mixed = await seeker.know("Dora", "sails and cooks")
    await seeker.embed()
    found = await seeker.semantic(vector=concept(1))
    assert ids(found) == [*sorted(contact.id for contact in both), mixed.id]
    assert found.results[3].score == pytest.approx(0.7, abs=0.02)


async def test_a_vector_is_as_good_as_a_text_whatever_its_length(seeker):
    ada = await seeker.know("Ada", "sails")
    await seeker.know("Bert", "cooks")
    await seeker.embed()
    for factor in (1.0, 1e-30, 60_000.0):
        vector = concept(1)
        vector.values[2] = factor
        assert ids(await seeker.semantic(vector=vector, min_score=0.5)) == [ada.id]


async def test_without_a_least_score_what_scores_below_0_is_left_out(seeker):
    ada = await seeker.know("Ada", "sails")
    await seeker.embed()
    against = concept(1)
    against.values[2] = -1.0
    assert ids(await seeker.semantic(vector=against)) == []
    [result] = (await seeker.semantic(vector=against, min_score=-1)).results
    assert (result.contact.id, result.score) == (ada.id, pytest.approx(-0.995, abs=0.01))


@pytest.mark.parametrize(
    "values",
    [[], [0.0] * DIMENSIONS, [1.0, NAN, 0.0, 0.0, 0.0], [1.0, INFINITY, 0.0, 0.0, 0.0], [1.0], [1.0] * 6, [7e4] * 5],
    ids=["empty", "zero", "NaN", "infinite", "short", "long", "beyond half precision"],
)
async def test_a_vector_that_is_none_is_refused_and_nothing_is_stored(seeker, values):
    await seeker.know("Ada", "sails")
    await seeker.embed()
    before = await seeker.embeddings.rows()
    refused = await failure(seeker.semantic(vector=pb.QueryVector(model=EMBEDDING_MODEL, values=values)))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "EMBEDDING_INVALID")
    assert list(refused.violations) == ["vector.values"]
    assert await seeker.embeddings.rows() == before


@pytest.mark.parametrize("embedded", [True, False], ids=["after embedding", "before anything was embedded"])
async def test_a_vector_of_another_model_is_refused(seeker, embedded):
    await seeker.know("Ada", "sails")
    if embedded:
        await seeker.embed()
    vector = pb.QueryVector(model="last years", values=[1.0] * DIMENSIONS)
    refused = await failure(seeker.semantic(vector=vector))
    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "EMBEDDING_MODEL_MISMATCH")


@pytest.mark.parametrize(
    ("query", "wrong"),
    [("", "given"), ("  \n", "empty"), ("a\0b", "NUL"), ("a" * 10_001, "10000"), ("long " * 200_000, "10000")],
    ids=["none", "blank", "NUL", "10 001 characters", "a megabyte"],
)
async def test_a_text_that_is_none_is_refused_by_name(seeker, query, wrong):
    refused = await failure(seeker.semantic(query))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert wrong in refused.violations["query"]


async def test_a_text_beside_a_vector_is_refused(seeker):
    refused = await failure(seeker.semantic("sails", vector=concept(1)))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", ["query"])


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"page_size": -1}, "page_size"),
        ({"skip": -1}, "skip"),
        ({"skip": 301}, "skip"),
        ({"min_score": 1.1}, "min_score"),
        ({"min_score": -1.1}, "min_score"),
        ({"min_score": NAN}, "min_score"),
        ({"target": 9}, "target"),
        ({"contact_id": "nobody"}, "contact_id"),
        ({"occur_after": {"seconds": 10**12}}, "occur_after"),
        ({"occur_before": {"seconds": -(10**12)}}, "occur_before"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_arguments_out_of_range_are_refused(seeker, arguments, field):
    refused = await failure(seeker.semantic("sails", **arguments))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", [field])


async def test_a_text_of_10000_characters_is_looked_for(seeker):
    ada = await seeker.know("Ada", "sails")
    await seeker.embed()
    assert ids(await seeker.semantic("boats " + "x" * 9_994, min_score=0.5)) == [ada.id]


async def test_what_has_no_letter_finds_nothing_and_is_not_sent(seeker, provider):
    await seeker.know("Ada", "sails")
    await seeker.embed()
    asked = len(provider.requests)
    assert ids(await seeker.semantic("?! …")) == []
    assert len(provider.requests) == asked


async def test_filters_hold_together(seeker):
    ada, bert = await seeker.know("Ada", "sails"), await seeker.know("Bert", "sails too")
    now = datetime.now(UTC)
    old = await seeker.meet(ada, subject="regatta", occur_time=now - timedelta(days=30))
    new = await seeker.meet(ada, bert, subject="yacht", occur_time=now - timedelta(days=1))
    await seeker.embed()
    week = {"occur_after": now - timedelta(days=7)}
    everything = {ada.id, bert.id, old.id, new.id}
    for arguments, expected in (
        ({}, everything),
        ({"target": pb.SEARCH_TARGET_CONTACTS}, {ada.id, bert.id}),
        ({"target": pb.SEARCH_TARGET_INTERACTIONS}, {old.id, new.id}),
        (week, {ada.id, bert.id, new.id}),
        ({"occur_before": week["occur_after"]}, {ada.id, bert.id, old.id}),
        ({"contact_id": bert.id}, {bert.id, new.id}),
        ({"contact_id": ada.id, "target": pb.SEARCH_TARGET_INTERACTIONS, **week}, {new.id}),
    ):
        assert set(ids(await seeker.semantic("boats", **arguments))) == expected, arguments


async def test_pages_show_everything_once(seeker):
    people = [await seeker.know(f"No {n}", "sails " * (n + 1) + "cooks") for n in range(7)]
    await seeker.embed()
    whole = ids(await seeker.semantic("boats"))
    assert set(whole) == {contact.id for contact in people}
    shown, token = [], ""
    while True:
        page = await seeker.semantic("boats", page_size=3, page_token=token)
        shown += ids(page)
        token = page.next_page_token
        if not token:
            break
    assert shown == whole
    assert ids(await seeker.semantic("boats", page_size=2, skip=3)) == whole[3:5]
    first = await seeker.semantic("boats", page_size=3)
    refused = await failure(seeker.semantic("cooks", page_token=first.next_page_token))
    assert refused.reason == "PAGE_TOKEN_INVALID"


async def test_who_withdraws_is_restricted_or_deleted_is_gone_at_once(seeker, as_superuser):
    withdrawn, restricted, deleted, stays = [
        await seeker.know(name, "sails") for name in ("Ada", "Bert", "Carla", "Dora")
    ]
    talks = [await seeker.meet(each, stays, subject="regatta") for each in (withdrawn, restricted, deleted)]
    await seeker.embed()
    assert len(ids(await seeker.semantic("boats"))) == 7
    await seeker.consents.declare(seeker.tenant, withdrawn.id, kind="OBJECTION")
    await restrict(as_superuser, seeker.tenant, restricted.id)
    await seeker.book.delete(deleted.id)
    found = ids(await seeker.semantic("boats"))
    assert stays.id in found
    assert not {withdrawn.id, restricted.id, deleted.id, talks[0].id, talks[1].id} & set(found)
    refused = await failure(seeker.semantic("boats", contact_id=restricted.id))
    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PROCESSING_RESTRICTED")


async def test_the_user_objecting_ends_all_of_it_and_nothing_is_sent(seeker, provider, as_superuser):
    await seeker.know("Ada", "sails")
    await seeker.embed()
    assert len(ids(await seeker.semantic("boats"))) == 1
    async with as_superuser.transaction():
        await as_superuser.execute(f"SET LOCAL app.current_user_id = '{seeker.embeddings.tenant}'")
        await as_superuser.execute(
            "INSERT INTO consent_records (user_id, type, purpose, legal_basis) "
            "VALUES ($1, 'OBJECTION', 'ai_processing', 'LEGITIMATE_INTERESTS')",
            seeker.embeddings.tenant,
        )
    asked = len(provider.requests)
    found = await seeker.semantic("boats")
    assert (ids(found), found.not_permitted_count) == ([], 1)
    assert len(provider.requests) == asked


async def test_it_says_who_could_not_be_found(seeker):
    await seeker.book.create(given_name="Silent", notes="sails")
    ada = await seeker.know("Ada", "sails")
    await seeker.know("Bert", "sails")
    before = await seeker.semantic("boats")
    assert (ids(before), before.pending_count, before.not_permitted_count) == ([], 2, 1)
    assert before.model.name == EMBEDDING_MODEL
    await seeker.embed()
    after = await seeker.semantic("boats")
    assert (len(after.results), after.pending_count, after.not_permitted_count) == (2, 0, 1)
    # What is to be embedded anew can be found meanwhile.
    await seeker.book.update(ada.id, "notes", notes="sails boats")
    assert (await seeker.semantic("boats")).pending_count == 0


async def test_without_any_embeddings_the_provider_is_not_asked(seeker, provider):
    asked = len(provider.requests)
    found = await seeker.semantic("boats")
    assert (ids(found), found.pending_count, found.not_permitted_count) == ([], 0, 0)
    assert len(provider.requests) == asked


async def test_a_contact_that_is_not_there_is_not_found(seeker):
    missing = random_id()
    refused = await failure(seeker.semantic("boats", contact_id=missing))
    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")
    assert refused.metadata == {"id": missing}


async def test_the_id_of_a_merged_contact_stands_for_the_survivor(seeker):
    ada, double = await seeker.know("Ada", "sails"), await seeker.know("Ada", "sails")
    await merge(seeker.book, ada.id, double.id)
    await seeker.embed()
    assert ids(await seeker.semantic("boats", contact_id=double.id)) == [ada.id]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (status(503), "PROVIDER_UNAVAILABLE"),
        (status(401), "PROVIDER_UNAVAILABLE"),
        (says(b"no JSON"), "PROVIDER_ANSWER_INVALID"),
        (says({"data": [{"index": 0, "embedding": [1.0, 2.0]}]}), "PROVIDER_ANSWER_INVALID"),
    ],
    ids=["overloaded", "key refused", "no JSON", "a vector of another length"],
)
async def test_what_the_provider_does_wrong_is_told_and_the_next_search_goes_well(seeker, provider, fault, reason):
    ada = await seeker.know("Ada", "sails")
    await seeker.embed()
    provider.fail_with(fault)
    refused = await failure(seeker.semantic("boats"))
    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, reason)
    assert "boats" not in refused.message
    assert ids(await seeker.semantic("boats")) == [ada.id]


async def test_a_tenants_model_is_asked_whatever_is_configured_now(lexical, seeker):
    """Searches go on with the old embeddings until those of the new model are complete."""
    ada = await lexical.know("Ada", "sails to the harbour")
    await lexical.embed()
    found = await seeker.semantic("harbour", min_score=0.1)
    assert (ids(found), found.model.kind) == ([ada.id], pb.EMBEDDING_KIND_LEXICAL)


async def test_a_model_whose_provider_is_not_configured_any_more_is_out_of_reach(lexical, seeker):
    await seeker.know("Ada", "sails")
    await seeker.embed()
    refused = await failure(lexical.semantic("boats"))
    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "PROVIDER_UNAVAILABLE")
    assert len(ids(await lexical.semantic(vector=concept(1)))) == 1
