"""SuggestIntroductions: who would do well to know whom, why, and over whom."""

from __future__ import annotations

import json
import math
import uuid
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import grpc
import pytest
from pmcrm.interactions.v1 import interaction_pb2 as kinds
from pmcrm.interactions.v1.interaction_pb2 import Participant

from services.insights.introductions import reading
from tests.postgres import bound
from tests.services.contacts.calls import random_id
from tests.services.contacts.merge_calls import merge
from tests.services.insights.circles import Circle, path_of, reasons_of
from tests.services.insights.restricting import restrict
from tests.suite import failure, tenant_of

NOTE, MENTIONED = kinds.INTERACTION_TYPE_NOTE, kinds.PARTICIPANT_ROLE_MENTIONED


@pytest.fixture
def circle(insights, book, as_superuser):
    return Circle(insights, book, as_superuser)


async def friends_of_carol(circle):
    """Ada and Ben share a tag, and are both friends of Carol: the two links and the tag beside the three."""
    ada, ben, carol = await circle.people("Ada", "Ben", "Carol")
    links = [await circle.link(ada, carol), await circle.link(carol, ben)]
    return ada, ben, carol, links, await circle.tag("chess", ada, ben)


async def test_friends_of_a_friend_with_one_interest_are_suggested(circle):
    ada, ben, _, links, _ = await friends_of_carol(circle)
    [found] = await circle.suggested()
    assert (found.first.id, found.second.id) == (ada.id, ben.id)
    assert path_of(found) == [("Ada", "Carol", "link_id", links[0]), ("Carol", "Ben", "link_id", links[1])]
    weights = reasons_of(found)
    assert list(weights) == ["SHARED_TAGS", "COMMON_ACQUAINTANCE"]
    assert found.reasons[0].detail == "chess"
    assert list(weights.values()) == sorted(weights.values(), reverse=True)
    assert found.score == pytest.approx(sum(weights.values()))


async def test_the_contact_that_was_asked_about_comes_first_and_the_path_begins_there(circle):
    ada, ben, carol, links, _ = await friends_of_carol(circle)
    [found] = await circle.suggested(ben)
    assert (found.first.id, found.second.id) == (ben.id, ada.id)
    assert path_of(found) == [("Ben", "Carol", "link_id", links[1]), ("Carol", "Ada", "link_id", links[0])]
    [same] = await circle.suggested()
    assert found.score == same.score
    assert await circle.suggested(carol) == []


async def test_who_is_linked_needs_no_introduction(circle):
    ada, ben, *_ = await friends_of_carol(circle)
    link = await circle.link(ben, ada, "NEIGHBOR")
    assert await circle.suggested() == []
    assert await circle.suggested(ada) == []
    await circle.remove("contact_links", link)
    assert len(await circle.suggested()) == 1


async def test_who_met_needs_no_introduction_however_long_ago(circle, log, monkeypatch):
    ada, ben, *_ = await friends_of_carol(circle)
    met = await log.create(ada, ben, occur_time=datetime.now(UTC) - timedelta(days=3000))
    assert await circle.suggested() == []
    # Not even when so much happened since that the meeting is not among what is read of each.
    monkeypatch.setattr(reading, "MEETINGS", 1)
    await log.create(ada)
    assert await circle.suggested() == []
    await log.delete(met.id)
    assert len(await circle.suggested()) == 1


async def test_a_note_about_two_people_does_not_acquaint_them(circle, log):
    ada, ben, *_ = await friends_of_carol(circle)
    await log.create(ada, ben, type=NOTE)
    await log.create(ada, Participant(contact_id=ben.id, role=MENTIONED))
    assert len(await circle.suggested()) == 1


async def test_nothing_in_common_is_no_introduction(circle):
    ada, ben, carol = await circle.people("Ada", "Ben", "Carol")
    await circle.link(ada, carol)
    await circle.link(ben, carol)
    assert await circle.suggested() == []


async def test_nobody_between_is_no_introduction(circle):
    await circle.tag("chess", *await circle.people("Ada", "Ben"))
    assert await circle.suggested() == []


async def test_two_people_who_know_each_other_connect_less(circle):
    ada, ben, carol, dora = await circle.people("Ada", "Ben", "Carol", "Dora")
    await circle.tag("chess", ada, ben)
    links = [await circle.link(ada, carol), await circle.link(dora, carol), await circle.link(dora, ben)]
    [far] = await circle.suggested()
    assert path_of(far) == [
        ("Ada", "Carol", "link_id", links[0]),
        ("Carol", "Dora", "link_id", links[1]),
        ("Dora", "Ben", "link_id", links[2]),
    ]
    assert await circle.suggested(ada) == [far]
    await circle.link(carol, ben)
    [near] = await circle.suggested()
    assert len(near.path) == 2
    assert near.score > far.score


async def test_meetings_connect_and_so_do_colleagues(circle, log):
    ada, ben, carol = await circle.people("Ada", "Ben", "Carol")
    await circle.tag("chess", ada, ben)
    acme = await circle.shelf.organization("acme")
    met = await log.create(ada, carol)
    for who in (carol, ben):
        await circle.employ(who, acme, is_current=True)
    [found] = await circle.suggested(ada)
    assert path_of(found) == [
        ("Ada", "Carol", "interaction_id", met.id),
        ("Carol", "Ben", "organization_id", acme),
    ]
    await log.delete(met.id)
    assert await circle.suggested(ada) == []


async def test_colleagues_who_likely_know_each_other_come_behind_everybody_else(circle):
    ada, ben, *_ = await friends_of_carol(circle)
    cleo, dan = await circle.people("Cleo", "Dan")
    acme = await circle.shelf.organization("acme")
    for who in (cleo, dan):
        await circle.employ(who, acme, is_current=True)
    likely, unlikely = await circle.suggested()
    assert {likely.first.id, likely.second.id} == {ada.id, ben.id}
    assert {unlikely.first.id, unlikely.second.id} == {cleo.id, dan.id}
    assert reasons_of(unlikely).keys() == {"SHARED_ORGANIZATION"}
    assert unlikely.score < 0.1


async def test_who_worked_in_one_place_at_other_times_has_more_to_talk_about(circle):
    ada, ben, cleo = await circle.people("Ada", "Ben", "Cleo")
    acme = await circle.shelf.organization("acme")
    await circle.employ(ada, acme, start_year=2001, end_year=2004)
    await circle.employ(ben, acme, start_year=2010, is_current=True)
    [apart] = await circle.suggested()
    assert reasons_of(apart).keys() == {"SHARED_ORGANIZATION"}
    assert path_of(apart) == [("Ada", "Ben", "organization_id", acme)]
    await circle.employ(cleo, acme, start_year=2012, is_current=True)
    scores = {(each.first.display_name, each.second.display_name): each.score for each in await circle.suggested()}
    assert scores["Ada", "Cleo"] > scores["Ben", "Cleo"]


async def test_shared_topics_speak_for_it(circle, log):
    ada, ben, carol = await circle.people("Ada", "Ben", "Carol")
    await circle.link(ada, carol)
    await circle.link(ben, carol)
    await log.create(ada, topics=["Beekeeping"])
    await log.create(ben, topics=["beekeeping", "wine"])
    [found] = await circle.suggested()
    assert dict(zip(reasons_of(found), (each.detail for each in found.reasons), strict=True)) == {
        "COMMON_ACQUAINTANCE": "1 person knows both",
        "SHARED_TOPICS": "Beekeeping",
    }


async def embed(circle, model, *vectors):
    """(contact, vector) pairs as embeddings of a model, which is the one in use."""
    tenant = uuid.UUID(tenant_of(circle.book.tenant))
    async with bound(circle.conn, tenant):
        for contact, vector in vectors:
            await circle.conn.execute(
                "INSERT INTO embeddings (user_id, contact_id, dimensions, model, content_hash, embedding)"
                " VALUES ($1, $2, $3, $4, sha256('x'), $5::text::halfvec)",
                *(tenant, uuid.UUID(contact.id), len(vector), model, str(vector)),
            )
        await circle.conn.execute(
            "INSERT INTO embedding_models (user_id, dimensions, kind, model) VALUES ($1, 3, 'LEXICAL', 'test-model')"
            " ON CONFLICT DO NOTHING",
            tenant,
        )


async def test_what_is_written_about_both_may_be_alike(circle):
    ada, ben, carol = await circle.people("Ada", "Ben", "Carol")
    await circle.link(ada, carol)
    await circle.link(ben, carol)
    await embed(circle, "test-model", (ada, [1, 0, 0]))
    await embed(circle, "another-model", (ben, [1, 0, 0]))
    assert await circle.suggested() == []
    await embed(circle, "test-model", (ben, [1, 0.1, 0]))
    [found] = await circle.suggested()
    assert "SIMILAR_TEXT" in reasons_of(found)
    assert await circle.suggested(ben) != []
    await circle.conn.execute(
        "UPDATE embeddings SET embedding = '[0,1,0]' WHERE contact_id = $1 AND model = 'test-model'", uuid.UUID(ben.id)
    )
    assert await circle.suggested() == []


async def test_a_rare_interest_says_more_than_a_common_one(circle):
    ada, ben, carol, *others = await circle.people("Ada", "Ben", "Carol", *(f"Person {n}" for n in range(10)))
    await circle.link(ada, carol)
    await circle.link(ben, carol)
    rare = await circle.tag("falconry", ada, ben)
    [falconers] = await circle.suggested()
    await circle.conn.execute("DELETE FROM contact_tags WHERE tag_id = $1", uuid.UUID(rare))
    await circle.tag("football", ada, ben, *others)
    [footballers] = await circle.suggested()
    assert falconers.score > footballers.score > 0


async def test_the_better_the_user_knows_both_the_more_it_is_worth(circle):
    ada, ben, *_ = await friends_of_carol(circle)
    [hardly] = await circle.suggested()
    for who in (ada, ben):
        await circle.book.update(who.id, "relationship_strength", relationship_strength=10)
    [well] = await circle.suggested()
    assert well.score == pytest.approx(2 * hardly.score)


async def test_deleted_and_restricted_contacts_are_in_no_pair_and_on_no_path(circle, as_superuser):
    ada, ben, carol, *_ = await friends_of_carol(circle)
    for who in (ada, ben, carol):
        await circle.book.delete(who.id)
        assert await circle.suggested() == []
        await circle.book.undelete(who.id)
        assert len(await circle.suggested()) == 1
        await restrict(as_superuser, circle.book.tenant, who.id)
        assert await circle.suggested() == []
        if who is not ada:
            assert await circle.suggested(ada) == []
        await restrict(as_superuser, circle.book.tenant, who.id, False)
        assert len(await circle.suggested(ada)) == 1


async def test_the_id_of_a_merged_contact_stands_for_the_survivor(circle):
    ada, ben, *_ = await friends_of_carol(circle)
    [again] = await circle.people("Ada again")
    await merge(circle.book, ada.id, again.id)
    [found] = await circle.suggested(again.id)
    assert (found.first.id, found.second.id) == (ada.id, ben.id)


async def test_a_contact_that_is_not_there_is_not_found(circle):
    ada, *_ = await friends_of_carol(circle)
    await circle.book.delete(ada.id)
    for missing in (ada.id, random_id()):
        refused = await failure(circle.page(missing))
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")
        assert refused.metadata["id"] == missing


async def test_a_restricted_contact_is_refused(circle, as_superuser):
    ada, *_ = await friends_of_carol(circle)
    await restrict(as_superuser, circle.book.tenant, ada.id)
    refused = await failure(circle.page(ada.id))
    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PROCESSING_RESTRICTED")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"contact_id": "ada"}, "contact_id"),
        ({"min_score": -0.1}, "min_score"),
        ({"min_score": 1.1}, "min_score"),
        ({"min_score": math.nan}, "min_score"),
        ({"page_size": -1}, "page_size"),
        ({"skip": -1}, "skip"),
        ({"skip": 301}, "skip"),
        ({"page_token": "x"}, "page_token"),
    ],
)
async def test_what_is_out_of_range_is_refused(circle, arguments, field):
    refused = await failure(circle.page(arguments.pop("contact_id", ""), **arguments))
    assert refused.code == grpc.StatusCode.INVALID_ARGUMENT
    assert refused.reason == ("PAGE_TOKEN_INVALID" if field == "page_token" else "FIELD_INVALID")
    assert set(refused.violations) == {field}


async def test_only_what_scores_enough_is_returned(circle):
    await friends_of_carol(circle)
    [found] = await circle.suggested()
    assert len(await circle.suggested(min_score=found.score)) == 1
    assert await circle.suggested(min_score=min(1.0, found.score + 0.01)) == []


async def crowd(circle, size):
    """People who all know Carol, and of whom every two that follow on each other share an interest."""
    carol, *people = await circle.people("Carol", *(f"Person {number:02}" for number in range(size)))
    for one, other in pairwise(people):
        await circle.tag(f"interest {one.id}", one, other)
    for each in people:
        await circle.link(carol, each)
    return people


async def test_pages_hold_each_introduction_once_best_first(circle):
    await crowd(circle, 12)
    everything = await circle.suggested()
    assert len(everything) == 11
    assert [each.score for each in everything] == sorted((each.score for each in everything), reverse=True)
    assert everything == await circle.suggested()
    paged, token = [], ""
    while True:
        page = await circle.page(page_size=4, page_token=token)
        paged += page.introductions
        token = page.next_page_token
        if not token:
            break
    assert paged == everything
    assert list((await circle.page(page_size=3, skip=8)).introductions) == everything[8:]


async def test_a_page_token_of_other_arguments_is_refused(circle):
    people = await crowd(circle, 4)
    page = await circle.page(page_size=1)
    refused = await failure(circle.page(people[0], page_size=1, page_token=page.next_page_token))
    assert refused.reason == "PAGE_TOKEN_INVALID"


async def test_ten_thousand_contacts_with_one_tag_stay_cheap(circle, as_superuser, database):
    tenant = uuid.UUID(tenant_of(circle.book.tenant))
    await as_superuser.execute("SET session_replication_role = replica")
    await as_superuser.execute(
        "INSERT INTO contacts (user_id, display_name, sort_name, given_name)"
        " SELECT $1, 'Person ' || n, 'person', 'Person' FROM generate_series(1, 10000) AS n",
        tenant,
    )
    await as_superuser.execute(
        "INSERT INTO contact_strengths (user_id, contact_id) SELECT user_id, id FROM contacts WHERE user_id = $1"
        " ON CONFLICT DO NOTHING",
        tenant,
    )
    await as_superuser.execute("SET session_replication_role = origin")
    ada, ben, _, _, _ = await friends_of_carol(circle)
    tag = await circle.tag("everybody")
    await as_superuser.execute("SET session_replication_role = replica")
    await as_superuser.execute(
        "INSERT INTO contact_tags (user_id, contact_id, tag_id)"
        " SELECT user_id, id, $2 FROM contacts WHERE user_id = $1",
        *(tenant, uuid.UUID(tag)),
    )
    await as_superuser.execute("SET session_replication_role = origin")
    await as_superuser.execute("VACUUM ANALYZE contacts, contact_tags, contact_strengths, contact_links")
    [found] = await circle.suggested(ada)
    assert (found.second.id, found.reasons[0].detail) == (ben.id, "chess")
    assert len(await circle.suggested()) == 1
    looked_up = {
        "closest_people": "2000",
        "people_around": f"ARRAY['{ada.id}']::uuid[], 200, 50, 30, 300",
        "people_of_like_tags": f"'{ada.id}', 100",
        "introduction_tag_names": f"ARRAY['{tag}']::uuid[], 1000",
        "introduction_people": f"ARRAY['{ada.id}', '{ben.id}']::uuid[]",
        "introduction_links": f"ARRAY['{ada.id}', '{ben.id}']::uuid[]",
        "introduction_tags": f"ARRAY['{ada.id}', '{ben.id}']::uuid[]",
        "people_who_met": f"ARRAY['{ada.id}', '{ben.id}']::uuid[]",
        "introduction_meetings": f"ARRAY['{ada.id}', '{ben.id}']::uuid[], 30",
        "introduction_summaries": f"ARRAY['{ada.id}', '{ben.id}']::uuid[]",
    }
    # A row of one of the closest costs a look into contacts, which tells whether it is living.
    allowed = {"closest_people": 9_000, "people_of_like_tags": 900, "introduction_tag_names": 100}
    async with database.connect("pmcrm_insights") as conn, bound(conn, tenant):
        for name, arguments in looked_up.items():
            query = reading.QUERIES[name]
            await conn.execute(f"PREPARE {name} ({', '.join(query.types)}) AS {query.sql}")
            for _ in range(7):  # so often that PostgreSQL has settled on a plan
                explained = await conn.fetchval(
                    f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE {name} ('{tenant}', {arguments})"
                )
            plan = json.loads(explained)[0]["Plan"]
            pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
            assert pages < allowed.get(name, 60), f"{name}: {pages} pages"


async def test_the_example_of_the_documentation(circle):
    ada, ben, *_ = await friends_of_carol(circle)
    for who, strength in ((ada, 4), (ben, 7)):
        await circle.book.update(who.id, "relationship_strength", relationship_strength=strength)
    [found] = await circle.suggested()
    assert found.score == pytest.approx(0.28)
    assert reasons_of(found) == pytest.approx({"SHARED_TAGS": 0.22 * 2 / 3, "COMMON_ACQUAINTANCE": 0.2 * 2 / 3})
