"""No call of InsightService shows, changes or betrays another tenant's insights and contacts.

Beside each denial stands the same call by the owner, so that a call that always fails proves nothing.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.message import Message
from pmcrm.insights.v1 import insight_service_pb2 as pb

from services.insights.insights import Insights
from tests.postgres import Connection
from tests.services.contacts.calls import Book, random_id
from tests.services.insights.insight_calls import ANY_STATUS, Advice
from tests.services.insights.noted_rules import finding, note
from tests.suite import Client, Failure, Metadata, failure, new_request_id, tenant_of

ON_AN_INSIGHT: dict[str, Callable[[str], Message]] = {
    "GetInsight": lambda key: pb.GetInsightRequest(id=key),
    "ActionInsight": lambda key: pb.ActionInsightRequest(id=key, note="done"),
    "ActionInsight with an etag": lambda key: pb.ActionInsightRequest(id=key, etag="1"),
    "ActionInsight with a stale etag": lambda key: pb.ActionInsightRequest(id=key, etag="77"),
    "ActionInsight by request_id": lambda key: pb.ActionInsightRequest(id=key, request_id=new_request_id()),
    "DismissInsight": lambda key: pb.DismissInsightRequest(id=key, reason="no"),
    "DismissInsight with a stale etag": lambda key: pb.DismissInsightRequest(id=key, etag="77"),
    "DismissInsight by request_id": lambda key: pb.DismissInsightRequest(id=key, request_id=new_request_id()),
}

ON_A_CONTACT: dict[str, Callable[[str], Message]] = {
    "GenerateInsights": lambda key: pb.GenerateInsightsRequest(contact_ids=[key]),
    "GenerateInsights by request_id": lambda key: pb.GenerateInsightsRequest(
        contact_ids=[key], request_id=new_request_id()
    ),
    "ListInsights": lambda key: pb.ListInsightsRequest(contact_id=key),
}

TABLES = ("ai_insights", "ai_insight_contacts", "contacts", "audit_logs", "idempotency_keys")


def test_every_call_that_is_built_is_tried_here() -> None:
    methods = pb.DESCRIPTOR.services_by_name["InsightService"].methods_by_name
    tried = {name.split()[0] for name in (*ON_AN_INSIGHT, *ON_A_CONTACT)}
    assert {name for name in methods if hasattr(Insights, name)} == tried == set(methods)


async def send(owner: Advice, request: Message) -> Any:
    name = type(request).__name__.removesuffix("Request")
    return await getattr(owner.stub, name)(request, metadata=owner.tenant)


def without(refused: Failure, key: str) -> tuple[Any, ...]:
    """All that a caller hears, but for the id that it asked for."""
    status = refused.status
    assert status is not None
    return refused.code, status.SerializeToString().replace(key.encode(), b"<id>"), refused.message.replace(key, "<id>")


async def rows_of(conn: Connection, tenant: Metadata) -> list[Any]:
    return [
        await conn.fetch(
            f"SELECT t::text FROM {table} AS t WHERE user_id = $1 ORDER BY 1", uuid.UUID(tenant_of(tenant))
        )
        for table in TABLES
    ]


async def noted(book: Book, *said: dict[str, Any]) -> str:
    return (await book.create(given_name="Ada", notes=note(*(said or [finding()])))).id


@pytest.mark.parametrize(("name", "request_of"), ON_AN_INSIGHT.items())
async def test_another_tenants_insight_is_one_that_does_not_exist(
    advice: Advice,
    bobs_advice: Advice,
    book: Book,
    as_superuser: Connection,
    name: str,
    request_of: Callable[[str], Message],
) -> None:
    await noted(book)
    made = await advice.the_new()
    before = await rows_of(as_superuser, advice.tenant)
    nobody = random_id()
    foreign = await failure(send(bobs_advice, request_of(made.id)))
    missing = await failure(send(bobs_advice, request_of(nobody)))
    assert foreign.code == grpc.StatusCode.NOT_FOUND
    assert without(foreign, made.id) == without(missing, nobody)
    assert await rows_of(as_superuser, advice.tenant) == before
    if "stale" not in name:
        await send(advice, request_of(made.id))


@pytest.mark.parametrize("request_of", ON_A_CONTACT.values(), ids=ON_A_CONTACT)
async def test_another_tenants_contact_is_one_that_does_not_exist(
    advice: Advice,
    bobs_advice: Advice,
    book: Book,
    as_superuser: Connection,
    request_of: Callable[[str], Message],
) -> None:
    ada = await noted(book)
    before = [await rows_of(as_superuser, owner.tenant) for owner in (advice, bobs_advice)]
    nobody = random_id()
    foreign = await failure(send(bobs_advice, request_of(ada)))
    missing = await failure(send(bobs_advice, request_of(nobody)))
    assert foreign.reason == "CONTACT_NOT_FOUND"
    assert without(foreign, ada) == without(missing, nobody)
    assert [await rows_of(as_superuser, owner.tenant) for owner in (advice, bobs_advice)] == before
    await send(advice, request_of(ada))


async def test_lists_and_totals_hold_the_tenants_own(
    advice: Advice, bobs_advice: Advice, book: Book, bobs: Book
) -> None:
    for owner, contacts, title in ((advice, book, "Hers"), (bobs_advice, bobs, "His")):
        await noted(contacts, *(finding(key=str(n), title=title) for n in range(3)))
        assert await owner.counts() == (3, 0, 0, 0)
    for owner, title in ((advice, "Hers"), (bobs_advice, "His")):
        for order in ("create_time", "confidence", "expire_time"):
            for direction in ("", " desc"):
                arguments = {"order_by": order + direction, "page_size": 2, "show_deleted": True, "show_expired": True}
                assert await owner.titles(**arguments, statuses=[ANY_STATUS]) == [title] * 3
        assert (await owner.page(include_total_size=True)).total_size == 3


async def test_a_page_token_opens_no_other_tenants_list(
    advice: Advice, bobs_advice: Advice, book: Book, bobs: Book
) -> None:
    for owner, contacts in ((advice, book), (bobs_advice, bobs)):
        await noted(contacts, finding(key="1"), finding(key="2"))
        await owner.generate()
    token = (await advice.page(page_size=1)).next_page_token
    foreign, broken = [await failure(bobs_advice.page(page_token=text)) for text in (token, token[::-1])]
    assert foreign.status == broken.status
    assert len((await advice.page(page_token=token)).insights) == 1


async def test_tenants_with_the_same_data_do_not_touch_each_other(
    advice: Advice, bobs_advice: Advice, book: Book, bobs: Book, as_superuser: Connection
) -> None:
    """The very same findings, keys among them; then one of them does everything, and the other's rows stay."""
    hers: list[str] = []
    for owner, contacts, made in ((advice, book, hers), (bobs_advice, bobs, [])):
        made.append(await noted(contacts, *(finding(key=str(n), of="same") for n in range(4))))
        assert await owner.counts() == (4, 0, 0, 0)
    before = await rows_of(as_superuser, bobs_advice.tenant)
    first, second, *_ = (await advice.page()).insights
    request_id = new_request_id()
    await advice.action(first.id, request_id=request_id)
    await advice.dismiss(second.id)
    await book.update(hers[0], "notes", notes=note(finding(key="other")))
    assert await advice.counts() == (1, 0, 2, 0)
    await book.delete(hers[0])
    await advice.generate()
    assert await rows_of(as_superuser, bobs_advice.tenant) == before
    mine = (await bobs_advice.page()).insights[0]
    assert (await bobs_advice.action(mine.id, request_id=request_id)).id == mine.id


async def test_interleaved_calls_of_many_tenants_keep_to_their_own(
    client: Client, noted_insights: grpc.aio.Channel
) -> None:
    """Connections go from tenant to tenant; what one bound, the next must not see."""
    tenants = [await client.new_tenant() for _ in range(6)]

    async def live(tenant: Metadata) -> None:
        name, owner, contacts = tenant_of(tenant), Advice(noted_insights, tenant), Book(client, tenant)
        for i in range(4):
            await noted(contacts, finding(title=str(name)))
            assert await owner.counts() == (1, i, 0, 0)
            assert await owner.titles(page_size=2) == [str(name)] * (i + 1)

    await asyncio.gather(*map(live, tenants))
