"""GenerateInsights: what is found is stored once, what holds no longer is superseded, what was dismissed stays away."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest

from tests.postgres import Connection
from tests.services.contacts.calls import Book, random_id
from tests.services.insights.insight_calls import (
    BIRTHDAY,
    NOT_ASKED,
    OVERDUE,
    PENDING,
    SUPERSEDED,
    Advice,
)
from tests.services.insights.noted_rules import finding, note
from tests.services.insights.restricting import restrict
from tests.suite import failure, new_request_id, tenant_of

NOTHING = (0, 0, 0, 0)


async def noted(book: Book, name: str = "Ada", *said: dict[str, Any]) -> str:
    """A contact about whom this is found; one finding when nothing is said."""
    return (await book.create(given_name=name, notes=note(*(said or [finding()])))).id


async def renote(book: Book, contact_id: str, *said: dict[str, Any]) -> None:
    await book.update(contact_id, "notes", notes=note(*said) if said else "")


async def age(conn: Connection, advice: Advice, days: float) -> None:
    """Lets the tenant's insights have been found so long ago."""
    await conn.execute(
        """
        UPDATE ai_insights SET as_of = as_of - $2::interval, expires_at = expires_at - $2::interval WHERE user_id = $1
        """,
        tenant_of(advice.tenant),
        timedelta(days=days),
    )


async def test_what_a_rule_finds_becomes_an_insight(advice: Advice, book: Book) -> None:
    meeting = random_id()
    ada = await noted(
        book,
        "Ada",
        finding(title="Write to Ada", body="Soon.", confidence=0.75, evidence=[["INTERACTION", meeting, "x"]]),
    )
    done = await advice.generate()
    assert (done.created, done.unchanged, done.superseded, done.suppressed) == (1, 0, 0, 0)
    assert done.provider_outcome == NOT_ASKED
    (made,) = done.insights
    assert (made.type, made.status, made.title, made.body) == (OVERDUE, PENDING, "Write to Ada", "Soon.")
    assert (made.confidence, made.rule, made.rule_version) == (0.75, "noted_overdue", "1")
    assert [(contact.id, contact.display_name) for contact in made.contacts] == [(ada, "Ada")]
    assert [(each.type, each.id, each.detail) for each in made.evidence] == [(2, meeting, "x")]
    assert made.wording == 1
    assert made.model == ""
    assert made.as_of_time == done.as_of_time
    assert made.expire_time.ToDatetime(UTC) - made.as_of_time.ToDatetime(UTC) == timedelta(days=7)
    assert abs(done.as_of_time.ToDatetime(UTC) - datetime.now(UTC)) < timedelta(minutes=1)
    assert not made.HasField("resolve_time")
    assert not made.HasField("purge_time")
    assert made == await advice.get(made.id)


async def test_generating_again_changes_nothing(advice: Advice, book: Book, as_superuser: Connection) -> None:
    await noted(book, "Ada", finding(), finding("BIRTHDAY"))
    assert await advice.counts() == (2, 0, 0, 0)
    before = await advice.everything()
    entries = "SELECT count(*) FROM audit_logs WHERE user_id = $1"
    written = await as_superuser.fetchval(entries, tenant_of(advice.tenant))
    assert await advice.counts() == (0, 2, 0, 0)
    assert await advice.everything() == before
    assert await as_superuser.fetchval(entries, tenant_of(advice.tenant)) == written


async def test_the_surest_of_what_is_new_comes_first(advice: Advice, book: Book) -> None:
    await noted(book, "Ada", *(finding(key=str(n), confidence=n / 10, title=str(n)) for n in (3, 9, 1, 7)))
    done = await advice.generate()
    assert [insight.title for insight in done.insights] == ["9", "7", "3", "1"]
    assert await advice.titles() == ["9", "7", "3", "1"]


async def test_at_most_a_hundred_new_ones_are_shown(advice: Advice, book: Book) -> None:
    ada = await noted(book, "Ada", *(finding(key=str(n), title=str(n)) for n in range(40)))
    for other in ("Bea", "Cleo"):
        await noted(book, other, *(finding(key=str(n), title=str(n)) for n in range(40)))
    done = await advice.generate()
    assert (done.created, len(done.insights)) == (120, 100)
    assert len(await advice.titles(page_size=50, contact_id=ada)) == 40


async def test_what_is_not_found_any_more_is_superseded(advice: Advice, book: Book) -> None:
    ada = await noted(book)
    made = await advice.the_new()
    await renote(book, ada)
    assert await advice.counts() == (0, 0, 1, 0)
    gone = await advice.get(made.id)
    assert gone.status == SUPERSEDED
    assert gone.HasField("resolve_time")
    assert gone.superseded_by_id == ""
    assert gone.etag != made.etag
    assert gone.purge_time.ToDatetime(UTC) == gone.resolve_time.ToDatetime(UTC) + timedelta(days=90)
    assert await advice.titles() == []
    assert await advice.counts() == NOTHING


async def test_a_new_insight_about_the_same_takes_the_place_of_the_old(advice: Advice, book: Book) -> None:
    ada = await noted(book)
    bea = await noted(book, "Bea")
    old = {insight.contacts[0].id: insight.id for insight in (await advice.generate()).insights}
    await renote(book, ada, finding(key="2"), finding("BIRTHDAY"))
    await renote(book, bea)
    done = await advice.generate()
    assert (done.created, done.superseded) == (2, 2)
    taker = next(insight.id for insight in done.insights if insight.type == OVERDUE)
    assert (await advice.get(old[ada])).superseded_by_id == taker
    assert (await advice.get(old[bea])).superseded_by_id == ""


async def test_what_comes_back_after_it_was_superseded_is_new(advice: Advice, book: Book) -> None:
    ada = await noted(book)
    first = await advice.the_new()
    await renote(book, ada)
    await advice.generate()
    await renote(book, ada, finding())
    second = await advice.the_new()
    assert second.id != first.id
    assert (await advice.get(first.id)).status == SUPERSEDED


@pytest.mark.parametrize("resolve", ["action", "dismiss"])
async def test_what_was_settled_stays_away_for_the_same_evidence(advice: Advice, book: Book, resolve: str) -> None:
    ada = await noted(book)
    made = await advice.the_new()
    settled = await getattr(advice, resolve)(made.id)
    assert await advice.counts() == (0, 0, 0, 1)
    # Neither other words nor another confidence make it another finding.
    await renote(book, ada, finding(title="At last", confidence=0.9, days=30))
    assert await advice.counts() == (0, 0, 0, 1)
    assert await advice.get(made.id) == settled
    await renote(book, ada, finding(key="new evidence"))
    assert await advice.counts() == (1, 0, 0, 0)


async def test_other_words_are_written_in_place(advice: Advice, book: Book) -> None:
    ada = await noted(book, "Ada", finding(title="No contact for 9 days", confidence=0.5))
    made = await advice.the_new()
    # Numbers that time alone changes, and a little more confidence, are not worth another version.
    await renote(book, ada, finding(title="No contact for 10 days", confidence=0.55))
    assert await advice.counts() == (0, 1, 0, 0)
    assert await advice.get(made.id) == made
    await renote(book, ada, finding(title="Silence for 10 days", confidence=0.55))
    assert await advice.counts() == (0, 1, 0, 0)
    now = await advice.get(made.id)
    assert (now.title, now.confidence, now.create_time) == ("Silence for 10 days", 0.55, made.create_time)
    assert now.etag != made.etag
    assert now.as_of_time.ToDatetime() > made.as_of_time.ToDatetime()
    await renote(book, ada, finding(title="Silence for 10 days", confidence=0.95))
    await advice.generate()
    assert (await advice.get(made.id)).confidence == 0.95


async def test_other_evidence_for_the_same_is_written_in_place(advice: Advice, book: Book) -> None:
    bea, cleo = [(await book.create(given_name=name)).id for name in ("Bea", "Cleo")]
    ada = await noted(book, "Ada", finding(evidence=[["CONTACT", bea, "knows her"]]))
    made = await advice.the_new()
    await renote(book, ada, finding(evidence=[["CONTACT", cleo, "knows her"]], others=[bea]))
    assert await advice.counts() == (0, 1, 0, 0)
    now = await advice.get(made.id)
    assert [contact.id for contact in now.contacts] == [ada, bea]
    assert [each.id for each in now.evidence] == [cleo]


async def test_what_has_expired_is_left_and_renewed_when_it_is_found_again(
    advice: Advice, book: Book, as_superuser: Connection
) -> None:
    ada = await noted(book)
    made = await advice.the_new()
    await age(as_superuser, advice, 8)
    await renote(book, ada)
    assert await advice.counts() == NOTHING
    assert await advice.titles() == []
    left = await advice.get(made.id)
    assert left.status == PENDING
    assert left.purge_time.ToDatetime() == left.expire_time.ToDatetime() + timedelta(days=90)
    await renote(book, ada, finding())
    assert await advice.counts() == (0, 1, 0, 0)
    renewed = await advice.get(made.id)
    assert renewed.expire_time.ToDatetime(UTC) > datetime.now(UTC) + timedelta(days=6)
    assert not renewed.HasField("purge_time")
    assert [insight.id for insight in (await advice.page()).insights] == [made.id]


async def test_what_expires_before_rules_are_asked_again_is_renewed_before(
    advice: Advice, book: Book, as_superuser: Connection
) -> None:
    await noted(book)
    made = await advice.the_new()
    await age(as_superuser, advice, 5)
    aged = await advice.get(made.id)
    await advice.generate()
    assert await advice.get(made.id) == aged
    await age(as_superuser, advice, 1.5)
    await advice.generate()
    renewed = await advice.get(made.id)
    assert renewed.expire_time.ToDatetime() > made.expire_time.ToDatetime()
    await advice.generate()
    assert await advice.get(made.id) == renewed


async def test_a_finding_that_is_of_no_use_any_more_is_none(advice: Advice, book: Book) -> None:
    await noted(book, "Ada", finding(days=0))
    assert await advice.counts() == NOTHING


async def test_two_findings_of_the_same_are_one_insight(advice: Advice, book: Book) -> None:
    await noted(book, "Ada", finding(title="unsure", confidence=0.2), finding(title="sure", confidence=0.8))
    assert await advice.counts() == (1, 0, 0, 0)
    assert await advice.titles() == ["sure"]


async def test_it_can_be_limited_to_types(advice: Advice, book: Book) -> None:
    ada = await noted(book, "Ada", finding(title="late"), finding("BIRTHDAY", title="born"))
    assert await advice.counts(types=[BIRTHDAY]) == (1, 0, 0, 0)
    assert await advice.titles() == ["born"]
    assert await advice.counts(types=[0]) == (1, 1, 0, 0)
    await renote(book, ada)
    assert await advice.counts(types=[OVERDUE, OVERDUE]) == (0, 0, 1, 0)
    assert await advice.titles() == ["born"]


async def test_it_can_be_limited_to_contacts(advice: Advice, book: Book) -> None:
    ada, bea = await noted(book, "Ada"), await noted(book, "Bea")
    assert await advice.counts(contact_ids=[bea]) == (1, 0, 0, 0)
    assert await advice.titles() == ["Think of Bea"]
    await advice.generate()
    await renote(book, ada)
    await renote(book, bea)
    assert await advice.counts(contact_ids=[ada, ada]) == (0, 0, 1, 0)
    assert await advice.titles() == ["Think of Bea"]


async def test_an_insight_about_several_is_one_about_each(advice: Advice, book: Book) -> None:
    bea = (await book.create(given_name="Bea")).id
    ada = await noted(book, "Ada", finding("INTRODUCTION", others=[bea]))
    made = await advice.the_new()
    assert [contact.id for contact in made.contacts] == [ada, bea]
    assert await advice.titles(contact_id=bea) == await advice.titles(contact_id=ada) == [made.title]
    # The rule, asked about Bea, has nothing: what it said of the two is contradicted.
    assert await advice.counts(contact_ids=[bea]) == (0, 0, 1, 0)


async def test_it_repeats_its_answer_by_request_id(advice: Advice, book: Book) -> None:
    ada = await noted(book)
    request_id = new_request_id()
    first = await advice.generate(request_id=request_id)
    await renote(book, ada)
    assert await advice.generate(request_id=request_id) == first
    assert len(await advice.titles()) == 1
    refused = await failure(advice.generate(request_id=request_id, types=[OVERDUE]))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")


async def test_two_at_once_find_everything_once(advice: Advice, book: Book) -> None:
    await noted(book, "Ada", *(finding(key=str(n), title=str(n)) for n in range(20)))
    counts = await asyncio.gather(*(advice.counts() for _ in range(4)))
    assert sorted(counts) == [(0, 20, 0, 0)] * 3 + [(20, 0, 0, 0)]
    assert len(await advice.titles(page_size=100)) == 20


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"types": [77]}, "types[0]"),
        ({"types": [OVERDUE, -1]}, "types[1]"),
        ({"contact_ids": ["Ada"]}, "contact_ids[0]"),
        ({"contact_ids": [random_id(), ""]}, "contact_ids[1]"),
        ({"contact_ids": [random_id()] * 1001}, "contact_ids"),
        ({"request_id": "1"}, "request_id"),
    ],
    ids=["type", "second type", "no id", "empty id", "too many", "request_id"],
)
async def test_malformed_requests_are_refused(advice: Advice, arguments: dict[str, Any], field: str) -> None:
    refused = await failure(advice.generate(**arguments))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == [field]


async def test_a_contact_that_is_none_is_not_found(advice: Advice, book: Book) -> None:
    ada = await noted(book)
    deleted = await noted(book, "Bea")
    await book.delete(deleted)
    for missing in (random_id(), deleted):
        refused = await failure(advice.generate(contact_ids=[ada, missing]))
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")
        assert missing in refused.message
    assert await advice.titles() == []


async def test_a_restricted_contact_is_refused_and_left_out(
    advice: Advice, book: Book, as_superuser: Connection
) -> None:
    ada = await noted(book)
    await restrict(as_superuser, advice.tenant, ada)
    refused = await failure(advice.generate(contact_ids=[ada]))
    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PROCESSING_RESTRICTED")
    assert await advice.counts() == NOTHING


async def test_findings_that_name_whom_nobody_may_see_are_dropped(
    advice: Advice, book: Book, bobs: Book, as_superuser: Connection
) -> None:
    restricted, deleted = [(await book.create(given_name=name)).id for name in ("Bea", "Cleo")]
    await restrict(as_superuser, advice.tenant, restricted)
    await book.delete(deleted)
    foreign = (await bobs.create(given_name="Dora")).id
    named = [
        finding("INTRODUCTION", key=f"{place} {other}", **{place: value})
        for other in (restricted, deleted, foreign, random_id())
        for place, value in (("others", [other]), ("evidence", [["CONTACT", other, "knows both"]]))
    ]
    await noted(book, "Ada", *named, finding("INTRODUCTION", key="sound", title="sound"))
    assert await advice.counts() == (1, 0, 0, 0)
    assert await advice.titles() == ["sound"]


async def test_the_provider_cannot_word_where_there_is_none(advice: Advice) -> None:
    refused = await failure(advice.generate(use_provider=True))
    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PROVIDER_NOT_CONFIGURED")


async def test_confidences_are_those_of_the_rules_to_the_last_bit(advice: Advice, book: Book) -> None:
    confidence = math.nextafter(1 / 3, 1)
    await noted(book, "Ada", finding(confidence=confidence))
    assert (await advice.the_new()).confidence == confidence
