"""HybridSearch: three rankings joined by their ranks; each filter holds for all three; no provider is needed."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import grpc
import pytest
import pytest_asyncio
from pmcrm.insights.v1 import semantic_service_pb2 as pb
from pmcrm.insights.v1.provider_outcome_pb2 import ProviderOutcome

from services.insights.fusion import Fused, fuse
from services.insights.hybrid_query import read_hybrid_query
from shared.settings import Settings
from tests.services.contacts.calls import random_id
from tests.services.contacts.merge_calls import merge
from tests.services.contacts.organization_calls import Firms
from tests.services.insights.conftest import InsightsClient
from tests.services.insights.embedding.rows import Embeddings
from tests.services.insights.meanings import Seeker, concepts, ids, service_with
from tests.services.insights.provider_server import (
    EMBEDDING_MODEL,
    ProviderServer,
    hangs,
    provider_server,
    says,
    status,
)
from tests.services.insights.restricting import restrict
from tests.suite import failure, settings_for

NOT_ASKED = ProviderOutcome.PROVIDER_OUTCOME_NOT_ASKED
ANSWERED = ProviderOutcome.PROVIDER_OUTCOME_ANSWERED


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


def ranks(answer: pb.HybridSearchResponse) -> dict[str, tuple[int, int, int]]:
    return {
        result.contact.id or result.interaction_id: (result.text_rank, result.trigram_rank, result.vector_rank)
        for result in answer.results
    }


def test_ranks_are_joined_by_the_sum_of_their_reciprocals():
    a, b, c = (uuid.UUID(int=n) for n in (1, 2, 3))
    fused = fuse([a, b], [], [b, c, a])
    assert fused == [
        Fused(b, 1 / 61 + 1 / 62, (2, 0, 1)),
        Fused(a, 1 / 61 + 1 / 63, (1, 0, 3)),
        Fused(c, 1 / 62, (0, 0, 2)),
    ]
    assert [each.id for each in fuse([b], [a])] == [a, b], "equals come by their ids"
    assert fuse([], [], []) == []


def test_a_query_is_read_for_words_and_for_meaning():
    query = read_hybrid_query('chess "new york" or -"blind date" --tennis OR jürgen', "")
    assert query.meaning == "chess new york jürgen"
    assert query.unwanted == '"blind date" or "tennis"'


async def test_each_of_the_three_finds_what_the_others_cannot(seeker):
    worded = await seeker.know("Ada", "collects boats in bottles")
    spelt = await seeker.know("Boat")
    meant = await seeker.know("Bert", "owns a yacht")
    await seeker.know("Carla", "cooks")
    await seeker.embed()
    found = await seeker.hybrid("boats")
    # What stands on the same place by meaning comes by its id.
    assert ranks(found) == {worded.id: (1, 0, 1), meant.id: (0, 0, 2), spelt.id: (0, 1, 0)}
    for result in found.results:
        places = (result.text_rank, result.trigram_rank, result.vector_rank)
        assert result.score == pytest.approx(sum(1 / (60 + place) for place in places if place))
    assert ids(found)[0] == worded.id
    assert (found.provider_outcome, found.model.name) == (ANSWERED, EMBEDDING_MODEL)


async def test_interactions_are_found_in_all_three_ways_with_who_took_part(seeker):
    ada = await seeker.know("Ada")
    worded = await seeker.meet(ada, body="We spoke of boats")
    spelt = await seeker.meet(ada, subject="Boatz")
    meant = await seeker.meet(ada, subject="The regatta")
    await seeker.embed()
    found = await seeker.hybrid("boats", target=pb.SEARCH_TARGET_INTERACTIONS)
    by_id = ranks(found)
    assert set(by_id) == {worded.id, spelt.id, meant.id}
    assert by_id[worded.id][0] == 1
    assert by_id[spelt.id][:2] == (0, 1)
    assert by_id[meant.id][:2] == (0, 0)
    assert all([each.display_name for each in result.participants] == ["Ada"] for result in found.results)


async def test_similar_spelling_counts_however_many_words_are_found(seeker):
    exact = await seeker.book.create_many(*({"given_name": "Katharina", "family_name": f"No {n}"} for n in range(5)))
    alike = await seeker.book.create(given_name="Katarina")
    by_id = ranks(await seeker.hybrid("katharina"))
    assert set(by_id) == {*(contact.id for contact in exact), alike.id}
    assert by_id[alike.id] == (0, 6, 0)


async def test_without_a_provider_it_finds_what_is_worded_alike_and_says_so(lexical):
    ada = await lexical.know("Ada", "plays the theremin in an orchestra")
    other = await lexical.know("Bert", "breeds alpacas in the Andes")
    await lexical.embed()
    found = await lexical.hybrid("theremin orchestras")
    assert ranks(found) == {ada.id: (0, 0, 1)}, f"not {other.id}, whose vector is no nearer than chance"
    assert (found.provider_outcome, found.model.name) == (NOT_ASKED, "lexical-hash-v1")


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (status(503), ProviderOutcome.PROVIDER_OUTCOME_UNAVAILABLE),
        (says(b"nonsense"), ProviderOutcome.PROVIDER_OUTCOME_ANSWER_INVALID),
    ],
    ids=["out of reach", "nonsense"],
)
async def test_it_goes_on_without_the_provider_and_says_so(seeker, provider, fault, outcome):
    worded = await seeker.know("Ada", "boats")
    await seeker.know("Bert", "yacht")
    await seeker.embed()
    provider.fail_with(fault)
    found = await seeker.hybrid("boats")
    assert ranks(found) == {worded.id: (1, 0, 0)}
    assert (found.provider_outcome, found.HasField("model")) == (outcome, False)
    assert len(ids(await seeker.hybrid("boats"))) == 2


async def test_it_goes_on_in_time_when_the_provider_hangs(seeker, provider):
    worded = await seeker.know("Ada", "boats")
    await seeker.embed()
    provider.fail_with(hangs, times=None)
    try:
        request = pb.HybridSearchRequest(query="boats")
        found = await seeker.client.semantic.HybridSearch(request, metadata=seeker.tenant, timeout=2)
    finally:
        provider.recover()
    assert ranks(found) == {worded.id: (1, 0, 0)}
    assert found.provider_outcome == ProviderOutcome.PROVIDER_OUTCOME_UNAVAILABLE


async def test_who_has_no_embedding_is_found_by_words_and_counted(seeker, provider):
    silent = await seeker.book.create(given_name="Ada", notes="boats")
    await seeker.know("Bert", "yacht")
    asked = len(provider.requests)
    found = await seeker.hybrid("boats")
    assert (ids(found), found.pending_count, found.not_permitted_count) == ([silent.id], 1, 1)
    assert (found.provider_outcome, found.HasField("model")) == (NOT_ASKED, False)
    assert len(provider.requests) == asked, "there is nothing to compare the query with"


async def test_only_what_is_wanted_is_sent_to_the_provider(seeker, provider):
    await seeker.know("Ada", "boats")
    await seeker.embed()
    await seeker.hybrid('boats or "long voyages" -racing')
    assert provider.requests[-1].body["input"] == ["boats long voyages"]


async def test_what_must_not_occur_is_found_in_none_of_the_three_ways(seeker):
    racing = await seeker.know("Boats", "yacht for racing")
    quiet = await seeker.know("Boatz", "yacht")
    race = await seeker.meet(quiet, subject="Boatz, racing")
    trip = await seeker.meet(quiet, subject="Boatz")
    await seeker.embed()
    assert set(ids(await seeker.hybrid("boats"))) == {racing.id, quiet.id, race.id, trip.id}
    assert set(ids(await seeker.hybrid("boats -racing"))) == {quiet.id, trip.id}


async def test_phrases_and_alternatives_hold_for_words(lexical):
    near = await lexical.book.create(given_name="Ada", notes="the old harbour town")
    far = await lexical.book.create(given_name="Bert", notes="an old town by the harbour")
    other = await lexical.book.create(given_name="Carla", notes="an orchard")
    assert ids(await lexical.hybrid('"harbour town"')) == [near.id]
    assert set(ids(await lexical.hybrid("orchard or harbour"))) == {near.id, far.id, other.id}


async def test_a_phone_number_is_found_as_it_is_typed(lexical):
    ada = await lexical.book.create(given_name="Ada", phones=[{"value": "+44 20 7946 0321"}])
    assert ids(await lexical.hybrid("020 7946 0321")) == [ada.id]


async def test_filters_hold_for_all_three(seeker):
    ada, bert = await seeker.know("Boats", "boats yacht"), await seeker.know("Boatz", "boats yacht")
    now = datetime.now(UTC)
    old = await seeker.meet(ada, subject="boats regatta", occur_time=now - timedelta(days=30))
    new = await seeker.meet(ada, bert, subject="boats regatta", occur_time=now - timedelta(days=1))
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
        found = ranks(await seeker.hybrid("boats", **arguments))
        assert set(found) == expected, arguments
        assert all(min(places) > 0 for places in found.values()), "each of them in all three ways"


async def test_a_contact_is_found_by_its_employer_also_when_it_is_named(lexical, client):
    firms = Firms(client, lexical.tenant)
    ada = await lexical.book.create(given_name="Ada")
    await lexical.book.create(given_name="Bert")
    guild = await firms.create("Lighthouse Guild")
    await firms.employ(ada.id, guild.id, current=True)
    for arguments in ({}, {"contact_id": ada.id}):
        assert ranks(await lexical.hybrid("lighthouse", **arguments)) == {ada.id: (1, 0, 0)}
    assert ids(await lexical.hybrid("lighthouse -guild", contact_id=ada.id)) == []


async def test_who_is_restricted_or_deleted_is_in_no_answer(seeker, as_superuser):
    restricted, deleted, stays = [await seeker.know(name, "boats yacht") for name in ("Boatt", "Boatz", "Boats")]
    alone = await seeker.meet(restricted, subject="boats regatta")
    shared = await seeker.meet(restricted, stays, subject="boats regatta")
    await seeker.embed()
    await restrict(as_superuser, seeker.tenant, restricted.id)
    await seeker.book.delete(deleted.id)
    found = await seeker.hybrid("boats")
    assert set(ids(found)) == {stays.id, shared.id}
    [meeting] = [result for result in found.results if result.interaction_id]
    assert [each.id for each in meeting.participants] == [stays.id]
    assert meeting.vector_rank == 0, "it has no embedding any more"
    assert alone.id not in ids(found)
    refused = await failure(seeker.hybrid("boats", contact_id=restricted.id))
    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PROCESSING_RESTRICTED")


async def test_who_withdraws_is_found_by_words_alone_at_once(seeker):
    ada = await seeker.know("Ada", "boats")
    await seeker.embed()
    assert ranks(await seeker.hybrid("boats")) == {ada.id: (1, 0, 1)}
    await seeker.consents.declare(seeker.tenant, ada.id, kind="OBJECTION")
    assert ranks(await seeker.hybrid("boats")) == {ada.id: (1, 0, 0)}


async def test_pages_are_of_one_ranking(seeker):
    notes = ["boats " * (n % 4) + "yacht " * (n % 3) + "cooks" for n in range(12)]
    people = [await seeker.know(f"Boat {n}", text) for n, text in enumerate(notes)]
    await seeker.embed()
    whole = await seeker.hybrid("boats")
    shown: list[pb.HybridSearchResult] = []
    token = ""
    while True:
        page = await seeker.hybrid("boats", page_size=5, page_token=token)
        shown += page.results
        token = page.next_page_token
        if not token:
            break
    assert shown == list(whole.results)
    assert len(shown) == len(people)
    assert list((await seeker.hybrid("boats", page_size=3, skip=4)).results) == list(whole.results[4:7])
    first = await seeker.hybrid("boats", page_size=5)
    refused = await failure(seeker.hybrid("yacht", page_token=first.next_page_token))
    assert refused.reason == "PAGE_TOKEN_INVALID"


async def test_at_most_300_can_be_paged_through(lexical):
    for _ in range(2):
        await lexical.book.create_many(*({"given_name": "Zephyrine"} for _ in range(160)))
    shown, token = [], ""
    while True:
        page = await lexical.hybrid("zephyrine", page_size=1000 if token else 120, page_token=token)
        shown += ids(page)
        token = page.next_page_token
        if not token:
            break
    assert len(shown) == len(set(shown)) == 300


@pytest.mark.parametrize(
    ("query", "arguments", "field"),
    [
        ("", {}, "query"),
        ("  ", {}, "query"),
        ("a" * 1_001, {}, "query"),
        ("a\0b", {}, "query"),
        ("boats", {"page_size": -1}, "page_size"),
        ("boats", {"skip": 301}, "skip"),
        ("boats", {"target": 9}, "target"),
        ("boats", {"contact_id": "nobody"}, "contact_id"),
        ("boats", {"occur_after": {"seconds": 10**12}}, "occur_after"),
        ("boats", {"occur_before": {"seconds": -(10**12)}}, "occur_before"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_what_is_out_of_range_is_refused_by_name(lexical, query, arguments, field):
    refused = await failure(lexical.hybrid(query, **arguments))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == [field]


@pytest.mark.parametrize("query", ["-", '"', "or", "((", "a:* & !b", "\\", "' or 1=1 --", "%", "<->", "-boats", "–"])
async def test_whatever_is_typed_is_a_query(lexical, query):
    await lexical.book.create(given_name="Ada")
    await lexical.hybrid(query)


async def test_a_contact_that_is_not_there_is_not_found(lexical):
    missing = random_id()
    refused = await failure(lexical.hybrid("boats", contact_id=missing))
    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")
    assert refused.metadata == {"id": missing}


async def test_the_id_of_a_merged_contact_stands_for_the_survivor(lexical):
    ada, double = await lexical.book.create(given_name="Ada"), await lexical.book.create(given_name="Ada")
    await merge(lexical.book, ada.id, double.id)
    assert ids(await lexical.hybrid("ada", contact_id=double.id)) == [ada.id]
