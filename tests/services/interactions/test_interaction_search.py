"""SearchInteractions: what is found, why, in which order, and what is not."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from pmcrm.interactions.v1 import interaction_pb2 as kinds
from pmcrm.interactions.v1.interaction_pb2 import Interaction
from pmcrm.type.v1.search_mode_pb2 import SEARCH_MODE_TSQUERY

from tests.postgres import Connection
from tests.services.contacts.calls import NOBODY, Book
from tests.services.contacts.organization_calls import restrict
from tests.services.interactions.interaction_calls import CALL, Log, at, taking_part
from tests.suite import failure

MEETING = kinds.INTERACTION_TYPE_MEETING


async def test_words_are_found_in_every_field_and_the_weightiest_comes_first(log: Log) -> None:
    for field, value in (
        ("body", "We spoke of a Falconer at length"),
        ("channel", "falconer"),
        ("location", "Falconer's Inn"),
        ("topics", ["falconer", "birds"]),
        ("subject", "The falconer"),
    ):
        given: dict[str, Any] = {"subject": field, "topics": ["none"], field: value}
        await log.create(**given)
    results = (await log.search("FALCONER")).results
    assert [list(result.matched_fields) for result in results] == [
        ["subject"],
        ["topics"],
        *sorted((["location"], ["channel"]), key=[list(result.matched_fields) for result in results].index),
        ["body"],
    ]
    assert not any(result.fuzzy for result in results)
    assert [result.score for result in results] == sorted((result.score for result in results), reverse=True)
    assert results[0].interaction == await log.get(results[0].interaction.id)


@pytest.mark.parametrize(
    ("subject", "query"),
    [
        ("Café with Émile", "cafe emile"),
        ("Kaffee in der Straße", "strasse"),
        ("与李样本会面", "李样本"),
        ("東京で会議", "会議"),
        ("Встреча завтра", "встреча"),
        ("Mail to ada@example.org", "ada@example.org"),
        ("new york trip", '"new york"'),
        ("quarterly review", "review -annual"),
        ("lunch", "dinner or lunch"),
    ],
)
async def test_a_search_finds_what_is_meant(log: Log, subject: str, query: str) -> None:
    await log.create(subject=subject, topics=["x"])
    await log.create(subject="something else annual york new", topics=["x"])
    results = (await log.search(query)).results
    assert [result.interaction.subject for result in results if not result.fuzzy] == [subject]


async def test_tsquery_is_for_programs(log: Log) -> None:
    for subject in ("lunch with Smith", "dinner with Smithers", "lunch alone"):
        await log.create(subject=subject)
    assert await log.found("lunch & !smith", mode=SEARCH_MODE_TSQUERY) == ["lunch alone"]
    assert set(await log.found("smi:*", mode=SEARCH_MODE_TSQUERY)) == {"lunch with Smith", "dinner with Smithers"}
    refused = await failure(log.search("lunch &", mode=SEARCH_MODE_TSQUERY))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "QUERY_MALFORMED")
    assert refused.violations["query"].startswith("character 8 ")


async def test_misspelt_subjects_are_found_by_similarity(log: Log) -> None:
    await log.create(subject="Papadopoulos wedding")
    await log.create(subject="Something else", body="Papadopoulos")
    [result] = (await log.search("papadopuolos")).results
    assert (result.interaction.subject, result.fuzzy, list(result.matched_fields)) == ("Papadopoulos wedding", True, [])
    assert 0 < result.score <= 1
    assert await log.found("papadopuolos", mode=SEARCH_MODE_TSQUERY) == []


async def test_deleted_ones_are_not_found_and_changes_are(log: Log) -> None:
    made = await log.create(subject="Falconer")
    await log.delete(made.id)
    assert await log.found("falconer") == []
    await log.undelete(made.id)
    assert await log.found("falconer") == ["Falconer"]
    await log.update(made.id, subject="Beekeeper")
    assert await log.found("falconer") == []
    assert await log.found("beekeeper") == ["Beekeeper"]


async def test_filters_all_hold(log: Log, book: Book) -> None:
    ada, ben, cat = [(await book.create(given_name=name)).id for name in ("Ada", "Ben", "Cat")]
    first = await log.create(ada, subject="anniversary 1", occur_time=at(days=5), type=MEETING)
    await log.create(
        ada, ben, subject="anniversary 2", occur_time=at(days=3), direction=kinds.INTERACTION_DIRECTION_INBOUND
    )
    last = await log.create(cat, subject="anniversary 3", occur_time=at(days=1))
    for arguments, expected in (
        ({}, {1, 2, 3}),
        ({"contact_ids_all": [ada]}, {1, 2}),
        ({"contact_ids_all": [ada, ben, ada.upper()]}, {2}),
        ({"contact_ids_any": [ben, cat]}, {2, 3}),
        ({"contact_ids_any": [ben, cat], "contact_ids_all": [ada]}, {2}),
        ({"types": [MEETING]}, {1}),
        ({"types": [MEETING, CALL], "direction": kinds.INTERACTION_DIRECTION_INBOUND}, {2}),
        ({"occur_after": first.occur_time, "occur_before": last.occur_time}, {1, 2}),
    ):
        assert set(await log.found("anniversary", **arguments)) == {f"anniversary {n}" for n in expected}, arguments
        assert set(await log.found("anivversary", **arguments)) == {f"anniversary {n}" for n in expected}, arguments


async def test_those_of_restricted_contacts_alone_are_not_found(log: Log, book: Book, as_superuser: Connection) -> None:
    ada, ben = await book.create(given_name="Ada"), await book.create(given_name="Ben")
    await log.create(ada, subject="lunch alone")
    await log.create(ada, ben, subject="lunch together")
    await log.create(subject="lunch noted")
    await restrict(as_superuser, ada.id)
    for query in ("lunch", "lunhc"):
        assert set(await log.found(query)) == {"lunch together", "lunch noted"}
    for arguments in ({"contact_ids_all": [ada.id]}, {"contact_ids_any": [ben.id, ada.id]}):
        assert (await failure(log.search("lunch", **arguments))).reason == "PROCESSING_RESTRICTED"


async def test_pages_hold_every_match_once_in_order(log: Log) -> None:
    wanted = [
        Interaction(type=CALL, subject="lunch " * (1 + i % 7), body=f"number {i}", topics=["x"]) for i in range(90)
    ]
    await log.create_many(*wanted)
    shown, token = [], ""
    while True:
        page = await log.search("lunch", page_size=7, page_token=token)
        shown += [result.interaction.id for result in page.results]
        token = page.next_page_token
        if not token:
            break
    assert len(shown) == len(set(shown)) == 90
    everything = (await log.search("lunch", page_size=200)).results
    scores = [result.score for result in everything]
    assert scores == sorted(scores, reverse=True)
    skipped = await log.search("lunch", page_size=5, skip=3)
    assert [result.interaction.id for result in skipped.results] == [r.interaction.id for r in everything[3:8]]
    assert (await failure(log.search("dinner", page_token="x"))).reason == "PAGE_TOKEN_INVALID"


async def test_at_most_300_are_ranked(log: Log) -> None:
    await log.create_many(*(Interaction(type=CALL, subject="lunch", topics=["x"]) for _ in range(350)))
    page = await log.search("lunch", page_size=1000)
    assert (len(page.results), page.next_page_token) == (300, "")


async def test_a_long_body_is_searched_to_its_end(log: Log) -> None:
    await log.create(subject="long", body=" ".join(f"word{i}" for i in range(9_000)), topics=["x"])
    await log.create(subject="cjk", body="漢字" * 8_000 + "末尾", topics=["x"])
    assert await log.found("word8999") == ["long"]
    assert await log.found("末尾") == ["cjk"]


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ({"query": ""}, "query"),
        ({"query": "  "}, "query"),
        ({"query": "x" * 1001}, "query"),
        ({"query": "a\0"}, "query"),
        ({"query": "x", "mode": 7}, "mode"),
        ({"query": "x", "page_size": -1}, "page_size"),
        ({"query": "x", "skip": 301}, "skip"),
        ({"query": "x", "types": [0]}, "types[0]"),
        ({"query": "x", "contact_ids_any": ["x"]}, "contact_ids_any[0]"),
        ({"query": "x", "read_mask": {"paths": ["mood"]}}, "read_mask.paths[0]"),
    ],
    ids=str,
)
async def test_a_bad_argument_is_named(log: Log, arguments: dict[str, Any], place: str) -> None:
    refused = await failure(log.search(**arguments))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == [place]


async def test_any_text_is_a_query(log: Log) -> None:
    await log.create(subject="lunch")
    for query in ("!!!", "'", '"', "((", "a:b & | !", "-", "or", "-lunch", "<->", "\\", "⋯", "020 7946 0000"):
        assert await log.found(query) == []


async def test_contacts_that_are_not_there_are_not_found(log: Log) -> None:
    for arguments in ({"contact_ids_all": [NOBODY]}, {"contact_ids_any": [NOBODY]}):
        assert (await failure(log.search("x", **arguments))).reason == "CONTACT_NOT_FOUND"


async def test_another_tenants_interactions_are_not_found(log: Log, bobs_log: Log, book: Book) -> None:
    ada = await book.create(given_name="Ada")
    for _ in range(5):
        await log.create(*taking_part(ada), subject="falconer")
    await bobs_log.create(subject="falconer his")
    for query in ("falconer", "falconre"):
        assert await bobs_log.found(query) == ["falconer his"]
        assert await log.found(query) == ["falconer"] * 5
