"""The rule `introduction`: two who would do well to know each other, as long as what speaks for it is there."""

from __future__ import annotations

import uuid

import pytest

from services.insights.rules import introduction
from services.insights.rules.introduction import RULE
from tests.services.insights.circles import Circle
from tests.services.insights.restricting import restrict


@pytest.fixture
def circle(insights, book, as_superuser):
    return Circle(insights, book, as_superuser)


async def chess_players(circle):
    """Ada and Ben play chess, and are friends of Carol: the people, the two links, the tag."""
    ada, ben, carol = await circle.people("Ada", "Ben", "Carol")
    links = [await circle.link(ada, carol), await circle.link(carol, ben)]
    return (ada, ben, carol), links, await circle.tag("chess", ada, ben)


async def test_two_friends_of_a_friend_who_share_an_interest(circle, asker):
    (ada, ben, carol), links, tag = await chess_players(circle)
    [found] = await asker.ask(RULE)
    assert [str(each) for each in found.contact_ids] == [ada.id, ben.id]
    evidence = {(each.type, str(each.id)) for each in found.evidence}
    assert evidence == {
        *(("CONTACT", each.id) for each in (ada, ben, carol)),
        *(("LINK", link) for link in links),
        ("TAG", tag),
    }
    assert len(found.evidence) == len(evidence)
    assert found.title == "Ada and Ben would do well to know each other"
    assert found.body == "Ada and Ben have this in common: chess. Carol could introduce them."
    [suggested] = await circle.suggested()
    assert found.confidence == round(suggested.score, 2)
    assert not {"Ada", "Ben", "Carol"} & set(str(found.facts).split())


async def test_it_is_the_same_finding_whoever_of_the_two_is_asked_about(circle, asker):
    (ada, ben, carol), *_ = await chess_players(circle)
    found = await asker.ask(RULE)
    assert found == await asker.ask(RULE, of=[ada.id]) == await asker.ask(RULE, of=[carol.id, ben.id])
    assert await asker.ask(RULE, of=[carol.id]) == []


@pytest.mark.parametrize("gone", ["link", "tag", "friend", "acquainted", "restricted", "met"])
async def test_when_what_speaks_for_it_goes_it_goes(circle, asker, log, gone):
    (ada, ben, carol), links, tag = await chess_players(circle)
    assert len(await asker.ask(RULE)) == 1
    if gone == "link":
        await circle.remove("contact_links", links[0])
    elif gone == "tag":
        await circle.remove("tags", tag)
    elif gone == "friend":
        await circle.book.delete(carol.id)
    elif gone == "acquainted":
        await circle.link(ada, ben)
    elif gone == "restricted":
        await restrict(circle.conn, circle.book.tenant, carol.id)
    else:
        await log.create(ada, ben)
    assert await asker.ask(RULE) == []


async def test_other_evidence_is_another_finding_and_another_meeting_is_not(circle, asker, log):
    ada, ben, carol = await circle.people("Ada", "Ben", "Carol")
    tag = await circle.tag("chess", ada, ben)
    met = await log.create(ada, carol)
    await log.create(carol, ben)
    [first] = await asker.ask(RULE)
    await log.create(ada, carol)
    await log.delete(met.id)
    [again] = await asker.ask(RULE)
    assert again.key == first.key
    await circle.conn.execute("DELETE FROM contact_tags WHERE tag_id = $1", uuid.UUID(tag))
    await circle.tag("go", ada, ben)
    [other] = await asker.ask(RULE)
    assert other.key != first.key


async def test_of_one_contact_the_best_three_are_told(circle, asker):
    carol, hub, *others = await circle.people("Carol", "Hub", *(f"Person {number}" for number in range(6)))
    for each in (hub, *others):
        await circle.link(carol, each)
    for each in others:
        await circle.tag(f"interest {each.id}", hub, each)
    assert len(await circle.suggested(hub)) == 6
    found = await asker.ask(RULE)
    assert len(found) == introduction.MOST_OF_ONE


async def test_an_organization_alone_introduces_nobody(circle, asker):
    ada, ben = await circle.people("Ada", "Ben")
    acme = await circle.shelf.organization("acme")
    await circle.employ(ada, acme, start_year=2001, end_year=2003)
    await circle.employ(ben, acme, start_year=2010, is_current=True)
    for who in (ada, ben):
        await circle.book.update(who.id, "relationship_strength", relationship_strength=10)
    [suggested] = await circle.suggested()
    assert suggested.score > introduction.WORTH_IT
    assert await asker.ask(RULE) == []


async def test_two_tenants_with_the_same_network_have_findings_of_their_own(circle, insights, bobs, asker, bobs_asker):
    await chess_players(circle)
    his = Circle(insights, bobs, circle.conn)
    (ada, ben, _), *_ = await chess_players(his)
    [found] = await bobs_asker.ask(RULE)
    assert [str(each) for each in found.contact_ids] == [ada.id, ben.id]
    assert await asker.ask(RULE, of=[ada.id]) == []
