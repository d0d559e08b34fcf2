"""No call of RelationshipService shows or betrays another tenant's contacts and interactions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from pmcrm.insights.v1 import relationship_service_pb2 as pb

from services.insights.relationship_service import RelationshipService
from tests.postgres import Connection
from tests.services.contacts.calls import Book, random_id
from tests.services.contacts.merge_calls import merge
from tests.services.contacts.organization_calls import Firms
from tests.services.contacts.tag_calls import Labels
from tests.services.contacts.test_isolation import built, everything_of, outcome, without
from tests.services.insights.conftest import InsightsClient
from tests.services.insights.relationship_calls import Relations, restrict
from tests.services.interactions.interaction_calls import Log, at
from tests.suite import Client, failure, tenant_of

# Each call that names a contact by its id.
ON_A_CONTACT: dict[str, Callable[[str], Message]] = {
    "ExplainRelationshipStrength": lambda key: pb.ExplainRelationshipStrengthRequest(contact_id=key),
    "ExplainRelationshipStrength of another time": lambda key: pb.ExplainRelationshipStrengthRequest(
        contact_id=key, as_of_time=at(days=3), page_size=1
    ),
    "SuggestIntroductions": lambda key: pb.SuggestIntroductionsRequest(contact_id=key),
}

# Calls about the whole network.
BY_NO_ID = {"GetNetworkSummary"}


def test_every_call_that_is_built_is_tried_here() -> None:
    tried = {name.split()[0] for name in ON_A_CONTACT} | BY_NO_ID
    assert built(pb, "RelationshipService", RelationshipService) <= tried


async def send(relations: Relations, request: Message) -> Any:
    name = type(request).__name__.removesuffix("Request")
    return await getattr(relations.stub, name)(request, metadata=relations.tenant)


@pytest.mark.parametrize("call", ON_A_CONTACT)
@pytest.mark.parametrize("state", ["living", "deleted", "merged", "restricted"])
async def test_another_tenants_contact_is_answered_like_none_at_all(
    insights: InsightsClient, book: Book, bobs: Book, log: Log, as_superuser: Connection, call: str, state: str
) -> None:
    hers, relations = await book.create(given_name="Ada"), Relations(insights, book.tenant)
    await log.create(hers)
    request, nobody = ON_A_CONTACT[call], random_id()
    assert await outcome(send(relations, request(hers.id))) == ""
    if state == "deleted":
        await book.delete(hers.id)
    elif state == "merged":
        await merge(book, (await book.create(given_name="Ada L")).id, hers.id)
    elif state == "restricted":
        await restrict(as_superuser, book.tenant, hers.id)
    before = await everything_of(as_superuser, tenant_of(book.tenant))

    spying = Relations(insights, bobs.tenant)
    foreign = await failure(send(spying, request(hers.id)))
    missing = await failure(send(spying, request(nobody)))
    assert (foreign.code, foreign.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")
    assert without(foreign, hers.id) == without(missing, nobody)
    assert await everything_of(as_superuser, tenant_of(book.tenant)) == before


async def test_a_page_token_of_another_tenant_is_none(
    insights: InsightsClient, book: Book, log: Log, bobs: Book
) -> None:
    hers = await book.create(given_name="Ada")
    for _ in range(2):
        await log.create(hers)
    page = await Relations(insights, book.tenant).explain(hers.id, page_size=1)
    stolen = failure(Relations(insights, bobs.tenant).explain(hers.id, page_size=1, page_token=page.next_page_token))
    assert (await stolen).reason == "PAGE_TOKEN_INVALID"


async def furnish(client: Client, book: Book, log: Log) -> None:
    """A network with something of everything that a summary counts and names."""
    ada, ben, cleo = await book.create_many({"given_name": "Ada"}, {"given_name": "Ben"}, {"given_name": "Cleo"})
    tag = await Labels(client, book.tenant).create("Chess")
    await Labels(client, book.tenant).modify([ada.id, ben.id], add=[tag.id])
    await Firms(client, book.tenant).create("River Press")
    for days in (50, 55, 60, 65):
        await log.create(ben, occur_time=at(days=days))
    for hours in range(1, 9):
        await log.create(ada, ben if hours == 8 else cleo, occur_time=at(hours=hours))


def comparable(summary: pb.GetNetworkSummaryResponse) -> pb.GetNetworkSummaryResponse:
    """What does not differ between two tenants with the same data: all but ids and moments."""
    copy = pb.GetNetworkSummaryResponse()
    copy.CopyFrom(summary)
    copy.ClearField("as_of_time")
    for tag in copy.tags:
        tag.ClearField("tag_id")
    copy.most_improved.sort(key=lambda each: each.contact.display_name)
    for improved in copy.most_improved:
        improved.contact.ClearField("id")
    for quiet in copy.going_quiet:
        quiet.contact.ClearField("id")
        quiet.ClearField("last_contact_time")
    return copy


async def test_tenants_with_the_same_data_never_affect_each_other(
    insights: InsightsClient, client: Client, book: Book, bobs: Book, log: Log, bobs_log: Log
) -> None:
    hers, his = Relations(insights, book.tenant), Relations(insights, bobs.tenant)
    nothing = await his.summary()
    await furnish(client, book, log)
    alone = await hers.summary()
    assert comparable(await his.summary()) == comparable(nothing)
    assert alone.contact_count == 3
    assert alone.most_improved
    await furnish(client, bobs, bobs_log)
    assert comparable(await hers.summary()) == comparable(alone) == comparable(await his.summary())
    named = {each.contact.id for each in (await hers.summary()).most_improved}
    assert named.isdisjoint({each.contact.id for each in (await his.summary()).most_improved})
