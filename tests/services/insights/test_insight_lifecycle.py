"""What becomes of insights with their contacts: deleted and undeleted, restricted, merged and taken apart, purged."""

from __future__ import annotations

import uuid
from typing import Any

import grpc
import pytest

from tests.postgres import Connection, Database
from tests.services.contacts.calls import Book, random_id
from tests.services.contacts.merge_calls import merge, unmerge
from tests.services.insights.insight_calls import ANY_STATUS, DISMISSED, PENDING, SUPERSEDED, Advice
from tests.services.insights.noted_rules import finding, note
from tests.services.insights.restricting import restrict
from tests.suite import failure, tenant_of


async def noted(book: Book, name: str, *said: dict[str, Any]) -> str:
    return (await book.create(given_name=name, notes=note(*said))).id


async def test_an_insight_goes_and_comes_back_with_its_contact(advice: Advice, book: Book) -> None:
    ada = await noted(book, "Ada", finding())
    made = await advice.the_new()
    await book.delete(ada)
    gone = await advice.get(made.id)
    assert gone.HasField("delete_time")
    assert gone.purge_time.ToDatetime() > gone.delete_time.ToDatetime()
    assert gone.status == PENDING
    assert gone.etag != made.etag
    assert await advice.titles() == []
    assert await advice.titles(contact_id=ada) == []
    assert await advice.titles(contact_id=ada, show_deleted=True) == [made.title]
    for resolve in (advice.action, advice.dismiss):
        refused = await failure(resolve(made.id))
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "INSIGHT_NOT_FOUND")
    # That nothing is found about a deleted contact contradicts nothing.
    assert await advice.counts() == (0, 0, 0, 0)
    await book.undelete(ada)
    back = await advice.get(made.id)
    assert not back.HasField("delete_time")
    assert not back.HasField("purge_time")
    assert await advice.titles() == [made.title]
    assert await advice.counts() == (0, 1, 0, 0)


async def test_an_insight_stays_away_until_all_its_contacts_are_back(advice: Advice, book: Book) -> None:
    bea, cleo = [(await book.create(given_name=name)).id for name in ("Bea", "Cleo")]
    await noted(book, "Ada", finding("INTRODUCTION", others=[bea], evidence=[["CONTACT", cleo, "knows both"]]))
    made = await advice.the_new()
    await book.delete(bea)
    await book.delete(cleo)
    await book.undelete(bea)
    assert await advice.titles() == []
    await book.undelete(cleo)
    assert await advice.titles() == [made.title]


async def test_a_settled_insight_goes_with_its_contact_and_stays_settled(advice: Advice, book: Book) -> None:
    ada = await noted(book, "Ada", finding())
    made = await advice.the_new()
    await advice.dismiss(made.id)
    await book.delete(ada)
    assert await advice.titles(statuses=[ANY_STATUS]) == []
    await book.undelete(ada)
    assert await advice.counts() == (0, 0, 0, 1)
    assert (await advice.get(made.id)).status == DISMISSED


@pytest.mark.parametrize("evidence", [False, True], ids=["about", "evidence"])
async def test_an_insight_that_names_a_restricted_contact_is_in_no_answer(
    advice: Advice, book: Book, as_superuser: Connection, evidence: bool
) -> None:
    bea = (await book.create(given_name="Bea")).id
    named: dict[str, Any] = {"evidence": [["CONTACT", bea, "knows her"]]} if evidence else {"others": [bea]}
    ada = await noted(book, "Ada", finding("INTRODUCTION", **named))
    made = await advice.the_new()
    await restrict(as_superuser, advice.tenant, bea)
    nobody = random_id()
    for call in (advice.get, advice.action, advice.dismiss):
        hidden, none = await failure(call(made.id)), await failure(call(nobody))
        assert (hidden.code, hidden.reason) == (grpc.StatusCode.NOT_FOUND, "INSIGHT_NOT_FOUND")
        assert hidden.message.replace(made.id, nobody) == none.message
    assert await advice.everything() == []
    assert await advice.titles(contact_id=ada) == []
    assert (await advice.page(include_total_size=True)).total_size == 0
    refused = await failure(advice.page(contact_id=bea))
    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PROCESSING_RESTRICTED")
    # Found again or not meanwhile, it is as it was when the restriction is lifted.
    assert await advice.counts() == (0, 0, 0, 0)
    await restrict(as_superuser, advice.tenant, bea, False)
    assert await advice.get(made.id) == made
    assert await advice.counts() == (0, 1, 0, 0)


async def test_a_restriction_of_a_deleted_contact_hides_its_insight_as_well(
    advice: Advice, book: Book, as_superuser: Connection
) -> None:
    ada = await noted(book, "Ada", finding())
    made = await advice.the_new()
    await book.delete(ada)
    await restrict(as_superuser, advice.tenant, ada)
    assert (await failure(advice.get(made.id))).reason == "INSIGHT_NOT_FOUND"
    assert await advice.everything() == []
    await restrict(as_superuser, advice.tenant, ada, False)
    assert (await advice.get(made.id)).HasField("delete_time")
    await book.undelete(ada)
    assert await advice.titles() == [made.title]


async def test_an_insight_moves_to_the_contact_that_survives_and_back(advice: Advice, book: Book) -> None:
    ada = (await book.create(given_name="Ada")).id
    duplicate = await noted(book, "Ada", finding())
    made = await advice.the_new()
    merge_id = (await merge(book, ada, duplicate)).merge_id
    moved = await advice.get(made.id)
    assert [contact.id for contact in moved.contacts] == [ada]
    assert not moved.HasField("delete_time")
    for asked in (ada, duplicate):
        assert await advice.titles(contact_id=asked) == [made.title]
        assert (await advice.generate(contact_ids=[asked])).superseded == 0
    await unmerge(book, merge_id)
    assert [contact.id for contact in (await advice.get(made.id)).contacts] == [duplicate]
    assert await advice.titles(contact_id=ada) == []


async def test_an_insight_about_both_is_about_the_survivor_alone_until_they_are_taken_apart(
    advice: Advice, book: Book
) -> None:
    duplicate = (await book.create(given_name="Ada")).id
    ada = await noted(book, "Ada", finding("INTRODUCTION", others=[duplicate]))
    made = await advice.the_new()
    merge_id = (await merge(book, ada, duplicate)).merge_id
    assert [contact.id for contact in (await advice.get(made.id)).contacts] == [ada]
    await unmerge(book, merge_id)
    assert await advice.get(made.id) == made


async def test_a_merge_brings_back_nothing_that_was_dismissed(advice: Advice, book: Book) -> None:
    ada = (await book.create(given_name="Ada")).id
    duplicate = await noted(book, "Ada", finding(key="the same meeting"))
    await advice.dismiss((await advice.the_new()).id)
    await merge(book, ada, duplicate)
    # The rule finds it about the survivor now.
    await book.update(ada, "notes", notes=note(finding(key="the same meeting")))
    assert await advice.counts() == (0, 0, 0, 1)


async def test_what_a_merge_makes_the_same_is_one(advice: Advice, book: Book) -> None:
    ada, duplicate = [await noted(book, name, finding(title=name)) for name in ("Ada", "Eda")]
    pending = {insight.title: insight.id for insight in (await advice.generate()).insights}
    await merge(book, ada, duplicate)
    await book.update(ada, "notes", notes=note(finding(title="Ada")))
    assert await advice.counts() == (0, 1, 1, 0)
    gone = await advice.get(pending["Eda"])
    assert (gone.status, gone.superseded_by_id) == (SUPERSEDED, pending["Ada"])
    assert await advice.counts() == (0, 1, 0, 0)


async def test_an_insight_is_purged_with_a_contact_that_it_names(
    advice: Advice, book: Book, database: Database, as_superuser: Connection
) -> None:
    bea = (await book.create(given_name="Bea")).id
    await noted(book, "Ada", finding("INTRODUCTION", evidence=[["CONTACT", bea, "knows her"]]), finding())
    await advice.generate()
    tenant = uuid.UUID(tenant_of(advice.tenant))
    async with database.connect("pmcrm_service") as conn:
        await conn.execute("DELETE FROM contacts WHERE user_id = $1 AND id = $2", tenant, uuid.UUID(bea))
    assert await as_superuser.fetch("SELECT type FROM ai_insights WHERE user_id = $1", tenant) == [("OVERDUE",)]
    assert await as_superuser.fetchval("SELECT count(*) FROM ai_insight_contacts WHERE user_id = $1", tenant) == 1


async def test_insights_go_with_their_tenant(advice: Advice, book: Book, as_superuser: Connection) -> None:
    bea = (await book.create(given_name="Bea")).id
    await noted(book, "Ada", finding("INTRODUCTION", others=[bea]), finding())
    await advice.generate()
    tenant = uuid.UUID(tenant_of(advice.tenant))
    await as_superuser.execute("DELETE FROM users WHERE id = $1", tenant)
    assert await as_superuser.fetchval("SELECT count(*) FROM ai_insights WHERE user_id = $1", tenant) == 0
