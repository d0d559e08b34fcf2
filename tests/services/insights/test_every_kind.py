"""Every kind of insight, by the service's own rules, for contacts made for it: with the right evidence, once, and gone
with its evidence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from pmcrm.contacts.v1.contact_pb2 import Email
from pmcrm.insights.v1.insight_pb2 import EvidenceType, Insight, InsightType
from pmcrm.interactions.v1.interaction_pb2 import InteractionType
from pmcrm.type.v1.partial_date_pb2 import PartialDate

from tests.services.contacts.calls import Book
from tests.services.contacts.organization_calls import Firms
from tests.services.contacts.tag_calls import Labels
from tests.services.contacts.test_links import link
from tests.services.insights.conftest import InsightsClient
from tests.services.insights.insight_calls import SUPERSEDED, Advice
from tests.services.interactions.interaction_calls import Log, at
from tests.suite import Client, Metadata

CONTACT = EvidenceType.EVIDENCE_TYPE_CONTACT
INTERACTION = EvidenceType.EVIDENCE_TYPE_INTERACTION
EMPLOYMENT = EvidenceType.EVIDENCE_TYPE_EMPLOYMENT
TAG = EvidenceType.EVIDENCE_TYPE_TAG

Undo = Callable[[], Awaitable[object]]


class Made:
    """Whom an insight shall be about, what it must rest on, and how that is taken away."""

    def __init__(self, about: list[str], evidence: set[tuple[int, str]], undo: Undo) -> None:
        self.about, self.evidence, self.undo = about, evidence, undo


class World:
    """One tenant, by the services' own calls."""

    def __init__(self, client: Client, tenant: Metadata, log: Log) -> None:
        self.book, self.firms, self.labels = Book(client, tenant), Firms(client, tenant), Labels(client, tenant)
        self.log = log

    async def overdue(self) -> Made:
        contact = await self.book.create(given_name="Olive", keep_in_touch_days=14)
        call = await self.log.create(contact, occur_time=at(days=40))
        return Made(
            [contact.id],
            {(INTERACTION, call.id), (CONTACT, contact.id)},
            lambda: self.book.update(contact.id, "keep_in_touch_days"),
        )

    async def losing_touch(self) -> Made:
        contact = await self.book.create(given_name="Fay")
        calls = [await self.log.create(contact, occur_time=at(days=days)) for days in (120, 134, 148, 162, 176, 190)]
        # With too few of them left there is no telling what was usual.
        return Made(
            [contact.id],
            {(INTERACTION, calls[0].id)},
            lambda: _all(self.log.delete(call.id) for call in calls[:4]),
        )

    async def birthday(self) -> Made:
        day = datetime.now(UTC).date() + timedelta(days=5)
        contact = await self.book.create(given_name="Bela", birthday=PartialDate(month=day.month, day=day.day))
        return Made([contact.id], {(CONTACT, contact.id)}, lambda: self.book.update(contact.id, "birthday"))

    async def follow_up(self) -> Made:
        contact = await self.book.create(given_name="Mina")
        meeting = await self.log.create(
            contact, occur_time=at(days=4), type=InteractionType.INTERACTION_TYPE_MEETING, subject="Plans"
        )
        return Made([contact.id], {(INTERACTION, meeting.id)}, lambda: self.log.delete(meeting.id))

    async def job_change(self) -> Made:
        contact = await self.book.create(given_name="Jo")
        began = datetime.now(UTC).date() - timedelta(days=10)
        start = PartialDate(year=began.year, month=began.month, day=began.day)
        former, present = await self.firms.create("Former"), await self.firms.create("Present")
        before = await self.firms.employ(
            contact.id, former.id, job_title="Clerk", start_date=PartialDate(year=began.year - 6), end_date=start
        )
        job = await self.firms.employ(contact.id, present.id, job_title="Director", start_date=start, current=True)
        return Made(
            [contact.id],
            {(EMPLOYMENT, job.id), (EMPLOYMENT, before.id)},
            lambda: self.firms.remove(job.id),
        )

    async def duplicate(self) -> Made:
        one, other = [
            await self.book.create(given_name=name, family_name="Double", emails=[Email(value="dora@example.com")])
            for name in ("Dora", "Dora")
        ]
        return Made(
            [one.id, other.id],
            {(CONTACT, one.id), (CONTACT, other.id)},
            lambda: self.book.update(other.id, "emails", emails=[Email(value="another@example.com")]),
        )

    async def introduction(self) -> Made:
        hub = await self.book.create(given_name="Hanna")
        guests = [await self.book.create(given_name=name) for name in ("Ines", "Igor")]
        tag = await self.labels.create("beekeeping")
        await self.labels.modify([guest.id for guest in guests], [tag.id])
        for guest in guests:
            await link(self.book, guest.id, hub.id)
            await self.log.create(guest, occur_time=at(days=20))
        return Made(
            [guest.id for guest in guests],
            {(TAG, tag.id), (CONTACT, hub.id)},
            lambda: self.labels.delete(tag.id),
        )


async def _all(calls: object) -> None:
    for call in calls:  # type: ignore[attr-defined]
        await call


KINDS = [InsightType.Name(kind).removeprefix("INSIGHT_TYPE_").lower() for kind in InsightType.values() if kind]


@pytest.fixture
def advice(insights: InsightsClient, alice: Metadata) -> Advice:
    return Advice(insights.channel, alice)


async def test_every_kind_appears_for_whom_it_is_made_and_goes_with_its_evidence(
    client: Client, alice: Metadata, log: Log, advice: Advice
) -> None:
    world = World(client, alice, log)
    made: dict[str, Made] = {kind: await getattr(world, kind)() for kind in KINDS}
    first = await advice.generate()
    found = {kind: about(first.insights, kind, made[kind]) for kind in KINDS}
    for kind, insight in found.items():
        rests_on = {(each.type, each.id) for each in insight.evidence}
        assert made[kind].evidence <= rests_on, f"{kind} rests on {rests_on}"
        assert all(each.detail for each in insight.evidence)
        assert all((insight.rule_version, insight.title, insight.body))
        assert 0 < insight.confidence <= 1
        assert insight.expire_time.ToDatetime() > insight.as_of_time.ToDatetime()
    assert await advice.counts() == (0, first.created, 0, 0), "asked again, nothing changes"
    assert {each.id: each.etag for each in await advice.everything()} == {
        each.id: each.etag for each in first.insights
    }, "not even a version"
    for kind in KINDS:
        await made[kind].undo()
        await advice.generate()
        assert (await advice.get(found[kind].id)).status == SUPERSEDED, kind


def about(insights: object, kind: str, made: Made) -> Insight:
    """The one insight of a kind about whom it was made for."""
    number = InsightType.Value(f"INSIGHT_TYPE_{kind.upper()}")
    of_kind: list[Insight] = [each for each in insights if each.type == number]  # type: ignore[attr-defined]
    matching = [each for each in of_kind if {contact.id for contact in each.contacts} == set(made.about)]
    assert len(matching) == 1, f"{kind}: {[each.title for each in of_kind]}"
    return matching[0]
