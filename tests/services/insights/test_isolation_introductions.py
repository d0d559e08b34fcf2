"""SuggestIntroductions shows and betrays nothing of another tenant's network."""

from __future__ import annotations

import grpc
import pytest

from tests.services.contacts.calls import NOBODY
from tests.services.contacts.test_isolation import everything_of, without
from tests.services.insights.circles import Circle, path_of
from tests.suite import failure, tenant_of


@pytest.fixture
def hers(insights, book, as_superuser):
    return Circle(insights, book, as_superuser)


@pytest.fixture
def his(insights, bobs, as_superuser):
    return Circle(insights, bobs, as_superuser)


async def network(circle, interest="chess"):
    """Two chess players with one friend; the same for every tenant but for the ids."""
    ada, ben, carol = await circle.people("Ada", "Ben", "Carol")
    links = [await circle.link(ada, carol), await circle.link(carol, ben)]
    await circle.tag(interest, ada, ben)
    return ada, ben, carol, links


async def test_another_tenants_contact_is_answered_like_none_at_all(hers, his, as_superuser):
    ada, *_ = await network(hers)
    await network(his)
    before = await everything_of(as_superuser, tenant_of(hers.book.tenant))
    foreign = await failure(his.page(ada.id))
    missing = await failure(his.page(NOBODY))
    assert (foreign.code, foreign.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")
    assert without(foreign, ada.id) == without(missing, NOBODY)
    assert len(await hers.suggested(ada.id)) == 1
    assert await everything_of(as_superuser, tenant_of(hers.book.tenant)) == before


async def test_two_tenants_with_the_same_network_are_suggested_their_own(hers, his):
    ada, _, _, links = await network(hers)
    same = await network(his)
    [her_own] = await hers.suggested()
    [his_own] = await his.suggested()
    assert her_own.first.id == ada.id
    assert his_own.first.id == same[0].id
    assert [step[3] for step in path_of(her_own)] == links
    assert [step[3] for step in path_of(his_own)] == same[3]
    assert her_own.score == his_own.score


async def test_what_one_tenant_does_changes_nothing_for_the_other(hers, his):
    ada, ben, _, links = await network(hers)
    await network(his)
    before = await his.suggested()
    await hers.tag("chess again", ada, ben)
    await hers.remove("contact_links", links[0])
    assert await hers.suggested() == []
    assert await his.suggested() == before


async def test_a_page_token_opens_no_other_tenants_list(hers, his):
    for circle in (hers, his):
        await network(circle)
        await network(circle, "go")
    page = await hers.page(page_size=1)
    assert page.next_page_token
    refused = await failure(his.page(page_size=1, page_token=page.next_page_token))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")
