"""GetInsight, ActionInsight and DismissInsight; what the audit log says; insights in the provider's words."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
import pytest
import pytest_asyncio

from shared.server import Service
from tests.postgres import Connection, Database
from tests.services.contacts.calls import Book, random_id
from tests.services.insights.conftest import Consents, noted
from tests.services.insights.insight_calls import (
    ACTIONED,
    ANSWERED,
    DISMISSED,
    NOT_ASKED,
    PENDING,
    UNAVAILABLE,
    Advice,
)
from tests.services.insights.noted_rules import finding, note
from tests.services.insights.provider_server import TEXT_MODEL, ProviderServer, provider_server, status
from tests.services.interactions.interaction_calls import Log
from tests.suite import Metadata, failure, new_request_id, running, settings_for, tenant_of


@pytest.fixture
def ada_says() -> dict[str, Any]:
    return finding(title="Write to Ada", facts={"days_since_last_contact": 94})


async def made(advice: Advice, book: Book, *said: dict[str, Any]) -> str:
    """An insight's id."""
    await book.create(given_name="Ada", notes=note(*(said or [finding()])))
    return (await advice.the_new()).id


async def test_a_mask_shows_what_it_names(advice: Advice, book: Book) -> None:
    insight_id = await made(advice, book)
    shown = await advice.get(insight_id, "title", "contacts")
    assert [field.name for field, _ in shown.ListFields()] == ["id", "title", "contacts"]
    assert await advice.get(insight_id, "*") == await advice.get(insight_id)
    for bad in ("name", "contacts.display_name"):
        refused = await failure(advice.get(insight_id, bad))
        assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")


async def test_what_does_not_exist_is_not_found(advice: Advice) -> None:
    for call in (advice.get, advice.action, advice.dismiss):
        refused = await failure(call(random_id()))
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "INSIGHT_NOT_FOUND")
        refused = await failure(call("1"))
        assert (refused.code, list(refused.violations)) == (grpc.StatusCode.INVALID_ARGUMENT, ["id"])


async def test_acting_on_an_insight_records_when_why_and_who(advice: Advice, book: Book) -> None:
    insight_id = await made(advice, book)
    before = await advice.get(insight_id)
    done = await advice.action(
        insight_id, (("x-actor", "assistant"),), note="wrote a letter\r\nby hand", etag=before.etag
    )
    assert (done.status, done.resolve_note) == (ACTIONED, "wrote a letter\nby hand")
    assert done.resolve_actor == "assistant"
    assert done.resolve_time == done.update_time
    assert done.etag != before.etag
    assert not done.HasField("purge_time")
    assert done == await advice.get(insight_id)
    assert await advice.titles() == []


async def test_dismissing_an_insight_records_when_and_why(advice: Advice, book: Book) -> None:
    insight_id = await made(advice, book)
    done = await advice.dismiss(insight_id, reason="not my friend")
    assert (done.status, done.resolve_note, done.resolve_actor) == (DISMISSED, "not my friend", "")
    assert done.HasField("resolve_time")


@pytest.mark.parametrize("again", ["action", "dismiss"])
@pytest.mark.parametrize("first", ["action", "dismiss", "supersede", "expire"])
async def test_only_what_is_pending_can_be_settled(
    advice: Advice, book: Book, as_superuser: Connection, first: str, again: str
) -> None:
    contact = await book.create(given_name="Ada", notes=note(finding()))
    insight_id = (await advice.the_new()).id
    if first == "supersede":
        await book.update(contact.id, "notes")
        await advice.generate()
    elif first == "expire":
        await as_superuser.execute("UPDATE ai_insights SET expires_at = now() WHERE id = $1", uuid.UUID(insight_id))
    else:
        await getattr(advice, first)(insight_id)
    before = await advice.get(insight_id)
    refused = await failure(getattr(advice, again)(insight_id))
    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "INSIGHT_NOT_PENDING")
    assert await advice.get(insight_id) == before


@pytest.mark.parametrize("resolve", ["action", "dismiss"])
async def test_a_stale_etag_is_refused(advice: Advice, book: Book, resolve: str) -> None:
    insight_id = await made(advice, book)
    for stale in ("77", "none"):
        refused = await failure(getattr(advice, resolve)(insight_id, etag=stale))
        assert (refused.code, refused.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert (await advice.get(insight_id)).status == PENDING


@pytest.mark.parametrize(("resolve", "field"), [("action", "note"), ("dismiss", "reason")])
async def test_a_note_has_at_most_a_thousand_characters(advice: Advice, book: Book, resolve: str, field: str) -> None:
    insight_id = await made(advice, book)
    for bad in ("x" * 1001, "a\0b"):
        refused = await failure(getattr(advice, resolve)(insight_id, **{field: bad}))
        assert (refused.code, list(refused.violations)) == (grpc.StatusCode.INVALID_ARGUMENT, [field])
    assert (await getattr(advice, resolve)(insight_id, **{field: "ß" * 1000})).resolve_note == "ß" * 1000


@pytest.mark.parametrize("resolve", ["action", "dismiss"])
async def test_settling_repeats_its_answer_by_request_id(advice: Advice, book: Book, resolve: str) -> None:
    insight_id, request_id = await made(advice, book), new_request_id()
    call = getattr(advice, resolve)
    first = await call(insight_id, request_id=request_id)
    assert await call(insight_id, request_id=request_id) == first
    refused = await failure(call(insight_id, request_id=request_id, etag="1"))
    assert refused.reason == "REQUEST_ID_REUSED"


async def test_every_change_is_in_the_audit_log_but_what_names_findings(
    advice: Advice, book: Book, as_superuser: Connection
) -> None:
    contact = await book.create(given_name="Ada", notes=note(finding()))
    insight_id = (await advice.the_new()).id
    await book.update(contact.id, "notes", notes=note(finding(title="Write")))
    await advice.generate()
    await advice.dismiss(insight_id, reason="no")
    rows = await as_superuser.fetch(
        "SELECT * FROM audit_logs WHERE user_id = $1 AND table_name LIKE 'ai_insight%' ORDER BY at",
        uuid.UUID(tenant_of(advice.tenant)),
    )
    # A tie's entry is the contact's, and names the insight.
    assert {(row["table_name"], row["action"], str(row["subject_id"]), str(row["row_id"])) for row in rows} == {
        ("ai_insights", "INSERT", insight_id, "None"),
        ("ai_insight_contacts", "INSERT", contact.id, insight_id),
        ("ai_insights", "UPDATE", insight_id, "None"),
    }
    rewritten, dismissed = (row for row in rows if row["action"] == "UPDATE")
    assert set(rewritten["new_values"]) == {"title", "as_of", "expires_at"}
    assert set(dismissed["new_values"]) == {"status", "resolved_at", "resolve_note"}
    assert dismissed["old_values"]["status"] == "PENDING"


@pytest_asyncio.fixture
async def answering() -> AsyncIterator[ProviderServer]:
    async with provider_server() as server:
        yield server


@pytest_asyncio.fixture
async def worded(database: Database, answering: ProviderServer, alice: Metadata) -> AsyncIterator[Advice]:
    """Alice's insights, by a service with a provider that words them."""
    settings = settings_for(database, **answering.settings_values(words=True, ai_attempts=1))
    async with (
        running(Service("insights", noted), settings) as service,
        grpc.aio.insecure_channel(f"127.0.0.1:{service.port}") as channel,
    ):
        yield Advice(channel, alice)


async def test_the_provider_words_what_is_new(
    worded: Advice, answering: ProviderServer, book: Book, consents: Consents, ada_says: dict[str, Any]
) -> None:
    ada = (await book.create(given_name="Ada", notes=note(ada_says))).id
    silent = (await book.create(given_name="Bea", notes=note(ada_says))).id
    await consents.declare(worded.tenant, ada)
    request_id = new_request_id()
    done = await worded.generate(use_provider=True, request_id=request_id)
    assert (done.created, done.provider_outcome) == (2, ANSWERED)
    words = {insight.contacts[0].id: insight for insight in done.insights}
    by_provider, by_rule = words[ada], words[silent]
    assert (by_provider.wording, by_provider.model) == (2, TEXT_MODEL)
    assert by_provider.title == "Write to Ada"
    assert by_provider.body == "It is time to write to Ada."
    assert (by_rule.wording, by_rule.model, by_rule.body) == (1, "", "It is worth it.")
    assert "94" in answering.sent()
    assert "Ada" not in answering.sent()
    assert len(answering.requests) == 1
    # Neither a repeat nor what is known already is worded again.
    assert await worded.generate(use_provider=True, request_id=request_id) == done
    again = await worded.generate(use_provider=True)
    assert (again.created, again.unchanged, again.provider_outcome) == (0, 2, NOT_ASKED)
    assert await worded.get(by_provider.id) == by_provider
    assert len(answering.requests) == 1


async def test_a_repeat_does_not_ask_the_provider_about_what_is_new_since(
    worded: Advice, answering: ProviderServer, book: Book, consents: Consents, ada_says: dict[str, Any]
) -> None:
    request_id = new_request_id()
    first = await worded.generate(use_provider=True, request_id=request_id)
    ada = (await book.create(given_name="Ada", notes=note(ada_says))).id
    await consents.declare(worded.tenant, ada)
    assert await worded.generate(use_provider=True, request_id=request_id) == first
    assert answering.requests == []


async def test_with_the_provider_down_the_rules_words_are_kept(
    worded: Advice, answering: ProviderServer, book: Book, consents: Consents, ada_says: dict[str, Any]
) -> None:
    ada = (await book.create(given_name="Ada", notes=note(ada_says))).id
    await consents.declare(worded.tenant, ada)
    answering.fail_with(status(503), times=None)
    done = await worded.generate(use_provider=True)
    assert (done.created, done.provider_outcome) == (1, UNAVAILABLE)
    assert (done.insights[0].wording, done.insights[0].body) == (1, "It is worth it.")


async def test_nothing_goes_to_the_provider_of_whom_has_not_consented(
    worded: Advice, answering: ProviderServer, book: Book, log: Log, consents: Consents, ada_says: dict[str, Any]
) -> None:
    ada, bea = [(await book.create(given_name=name)).id for name in ("Ada", "Bea")]
    await consents.declare(worded.tenant, ada)
    meeting = await log.create(ada, bea, subject="Lunch")
    said = note(
        ada_says | {"key": "1", "others": [bea]},
        ada_says | {"key": "2", "evidence": [["CONTACT", bea, "knows her"]]},
        ada_says | {"key": "3", "evidence": [["INTERACTION", meeting.id, "without an answer"]]},
    )
    await book.update(ada, "notes", notes=said)
    done = await worded.generate(use_provider=True)
    assert (done.created, done.provider_outcome) == (3, NOT_ASKED)
    assert answering.requests == []


async def test_numbers_that_time_changes_leave_the_providers_words(
    worded: Advice, book: Book, consents: Consents, ada_says: dict[str, Any]
) -> None:
    ada = (await book.create(given_name="Ada", notes=note(ada_says | {"body": "94 days ago."}))).id
    await consents.declare(worded.tenant, ada)
    first = (await worded.generate(use_provider=True)).insights[0]
    await book.update(ada, "notes", notes=note(ada_says | {"body": "95 days ago."}))
    await worded.generate()
    assert await worded.get(first.id) == first
    await book.update(ada, "notes", notes=note(ada_says | {"body": "Never."}))
    await worded.generate()
    now = await worded.get(first.id)
    assert (now.wording, now.model, now.body) == (1, "", "Never.")
