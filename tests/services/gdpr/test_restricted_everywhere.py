"""A restricted contact can be read by id, exported, corrected, released and erased, and is in nothing else: every call
of every service, from the contracts."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio

from services.contacts.service import SERVICE as CONTACTS
from services.gdpr.service import SERVICE as GDPR
from services.insights.service import SERVICE as INSIGHTS
from services.interactions.service import SERVICE as INTERACTIONS
from shared.server import RunningService
from tests.postgres import Connection, Database, bound
from tests.services.conftest import faults
from tests.services.gdpr.restricted_answers import ANSWERS, Case, Does
from tests.services.gdpr.restricted_world import TRACES, World, fill, methods
from tests.suite import Client, running, settings_for, tenant_of

BEFORE = (Does.LEAVES_OUT, Does.COUNTS_WITHOUT)
# What stands for the restricted contact alone, and is in no list.
HERS = ("alone", "call", "chore", "birthday", "insight", "link", "job", "merged")

Answered = dict[tuple[str, int], Any]

# Each function that reads past row-level security in order to search, asked for what is hers.
SEARCHES = {
    "find_contacts": """
        SELECT contact_id FROM app.find_contacts('{zebedia@example.com}', '{+447911123456}', '{urn:zebedia}')
    """,
    "search_contacts": """
        SELECT contact_id
        FROM app.search_contacts('zebedia', 'zebedia', 'zebedja', NULL, NULL, NULL, NULL, NULL, NULL, 100)
    """,
    "find_namesakes": "SELECT contact_id FROM app.find_namesakes('{zebedia quagmire}', NULL, NULL, 100)",
    "find_contacts_by_words": "SELECT contact_id FROM app.find_contacts_by_words('{zebedia}', 100)",
    "search_interactions": """
        SELECT interaction_id
        FROM app.search_interactions('heliotrope', 'heliotrpe', NULL, NULL, NULL, NULL, NULL, NULL, 100)
    """,
    "match_contact": "SELECT $1::uuid WHERE app.match_contact('zebedia', $1::uuid) IS NOT NULL",
    "spelt_contacts": "SELECT contact_id FROM app.spelt_contacts('zebedja', NULL, 100)",
    "spelt_interactions": "SELECT interaction_id FROM app.spelt_interactions('heliotrpe', NULL, NULL, NULL, 100)",
    "holding_words": "SELECT id FROM app.holding_words('zebedia', ARRAY[$1::uuid], ARRAY[$2::uuid])",
}


# What the insights role may read, with the columns that it may.
READABLE = """
    SELECT c.relname, string_agg(quote_ident(a.attname), ', ')
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0
        AND NOT a.attisdropped AND has_column_privilege(c.oid, a.attnum, 'SELECT')
    GROUP BY c.relname
"""
# Where it reads her id, or that of what is hers, and which words. Policies hide contacts, the views of them, embeddings
# and insights. Statements come to what hangs on a contact from a contact that they see. The
# texts of interactions with her alone are left: statements come to those by who took part, as the calls below show.
REACHED_THROUGH_CONTACTS = {
    "ai_insight_contacts": "",
    "consent_states": "",
    "contact_employments": "",
    "contact_links": "",
    "contact_redirects": "",
    "contact_strengths": "",
    "contact_tags": "",
    "current_employments": "",
    "interaction_participants": "",
    "interactions": "zebedia heliotrope",
    "reminder_contacts": "",
    "reminders": "",
}


def cases() -> Iterator[Any]:
    for name, of_call in ANSWERS.items():
        for number, case in enumerate(of_call):
            if case.does is not Does.UNTOUCHED:
                yield pytest.param(name, number, id=f"{name}-{number}-{case.does.name.lower()}")


@pytest_asyncio.fixture(scope="module")
async def restricted(database: Database, contacts_service: RunningService) -> AsyncIterator[tuple[World, Answered]]:
    """The tenant whose Zebedia is restricted, and what calls that leave her out answered before."""
    settings = settings_for(database)
    async with AsyncExitStack() as stack:
        beside = [running(service, settings) for service in (INTERACTIONS, INSIGHTS, GDPR)]
        started = [contacts_service, *[await stack.enter_async_context(context) for context in beside]]
        channels = {
            service.name: await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{made.port}"))
            for service, made in zip((CONTACTS, INTERACTIONS, INSIGHTS, GDPR), started, strict=True)
        }
        client = Client(channels["contacts"])
        world = World(channels, await client.new_tenant(default_region="GB"))
        await fill(world)
        before: Answered = {}
        for name, of_call in ANSWERS.items():
            for number, case in enumerate(of_call):
                if case.does in BEFORE:
                    before[name, number] = await answered(world, name, case)
        await world.call("DataSubjectService.RestrictProcessing", {"contact_id": "{who}"})
        yield world, before
        assert [faults(service) for service in started] == [[], [], [], []], "a call ended in a fault of a service"


async def answered(world: World, name: str, case: Case) -> Any:
    """What a case is about: the text of an answer, or the number in it that counts contacts."""
    if case.does is not Does.COUNTS_WITHOUT:
        return await world.text(name, case.body)
    [value] = await world.call(name, case.body)
    found: Any = value
    for step in case.counted.partition(":")[0].split("."):
        found = found[int(step)] if step.isdigit() else getattr(found, step)
    return found


def traces(world: World, text: str, *, with_id: bool = True) -> list[str]:
    """What of the restricted contact a text holds."""
    theirs = [world.ids[key] for key in (*HERS, *(("who",) if with_id else ()))]
    return [trace for trace in (*TRACES, *theirs) if trace in text]


async def test_every_search_of_the_database_is_tried_here(as_superuser: Connection) -> None:
    owned = "SELECT proname FROM pg_proc WHERE proowner = 'pmcrm_search'::regrole"
    assert {row["proname"] for row in await as_superuser.fetch(owned)} == set(SEARCHES)


@pytest.mark.parametrize("function", SEARCHES)
async def test_no_search_of_the_database_finds_her(
    restricted: tuple[World, Answered], as_superuser: Connection, function: str
) -> None:
    world, _ = restricted
    who, alone = uuid.UUID(world.ids["who"]), uuid.UUID(world.ids["alone"])
    parameters = [who, alone][: 1 + ("$2" in SEARCHES[function])] if "$" in SEARCHES[function] else []
    async with bound(as_superuser, uuid.UUID(tenant_of(world.tenant))):
        found = []
        for forbidden in (True, False, True):
            await as_superuser.execute("UPDATE contacts SET processing_restricted = $2 WHERE id = $1", who, forbidden)
            rows = await as_superuser.fetch(SEARCHES[function], *parameters)
            found.append(bool({who, alone} & {row[0] for row in rows}))
    assert found == [False, True, False]


async def test_the_insights_role_reads_nothing_that_says_who_she_is(
    restricted: tuple[World, Answered], database: Database
) -> None:
    world, _ = restricted
    read: dict[str, str] = {}
    async with database.connect("pmcrm_insights") as conn, bound(conn, uuid.UUID(tenant_of(world.tenant))):
        for relation, columns in await conn.fetch(READABLE):
            rows = await conn.fetch(f"SELECT row_to_json(t)::text FROM (SELECT {columns} FROM {relation}) AS t")
            text = " ".join(row[0] for row in rows).lower()
            if traces(world, text):
                read[relation] = " ".join(trace for trace in traces(world, text) if trace in TRACES)
    assert read == REACHED_THROUGH_CONTACTS


@pytest.mark.parametrize(("name", "number"), list(cases()))
async def test_what_each_call_does(restricted: tuple[World, Answered], name: str, number: int) -> None:
    world, before = restricted
    case = ANSWERS[name][number]
    try:
        await judge(world, before.get((name, number)), name, case)
    except grpc.aio.AioRpcError as error:
        if error.code() == grpc.StatusCode.UNIMPLEMENTED:
            pytest.skip(f"{name} is not built")
        raise


async def judge(world: World, before: Any, name: str, case: Case) -> None:
    match case.does:
        case Does.REFUSES:
            refused = await world.refusal(name, case.body)
            assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PROCESSING_RESTRICTED")
            assert refused.metadata["id"] in (world.ids["who"], world.ids["merged"])
            assert not any(trace in refused.message.lower() for trace in TRACES)
        case Does.HIDES:
            assert (await world.refusal(name, case.body)).reason == case.why
        case Does.COUNTS_WITHOUT:
            fewer = int(case.counted.partition(":")[2] or 1)
            assert await answered(world, name, case) == before - fewer
        case Does.LEAVES_OUT | Does.LEAVES_OUT_EVER:
            if case.does is Does.LEAVES_OUT:
                assert traces(world, before), "she was not in it before"
            assert traces(world, await world.text(name, case.body)) == []
        case Does.BY_ID:
            text = await world.text(name, case.body)
            named = {world.ids[key] for key in HERS if f"{{{key}}}" in str(case.body)}
            assert [trace for trace in traces(world, text, with_id=False) if trace not in named] == []
        case _:
            assert case.why.format_map(world.ids) in await world.text(name, case.body)


async def test_every_call_of_every_contract_is_tried_here(restricted: tuple[World, Answered]) -> None:
    world, _ = restricted
    known = methods()
    assert set(ANSWERS) <= set(known)
    for name in set(known) - set(ANSWERS):
        assert (await world.refusal(name, {})).reason == "NOT_BUILT", f"{name} has no row in ANSWERS"
