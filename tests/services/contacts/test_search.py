"""SearchContacts: words, phrases, misspellings, scripts, phone numbers, tsquery; no text is refused."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.type.v1.search_mode_pb2 import SEARCH_MODE_TSQUERY

from tests.postgres import Connection
from tests.suite import Client, Failure, Metadata, failure, tenant_of

PEOPLE = [
    Contact(
        given_name="Émile",
        family_name="Lefèvre",
        notes="Met at the harbour, likes sailing",
        emails=[{"value": "emile@bakery.example.com"}],
    ),
    Contact(given_name="John", family_name="Smith", organization_name="Meadow Press", job_title="Developer"),
    Contact(given_name="Johanna", family_name="Meadow", notes="sailing and chess"),
    Contact(given_name="Владимир", family_name="Набоков", notes="писатель"),
    Contact(family_name="李", given_name="样本", organization_name="示例公司"),
    Contact(given_name="보기", family_name="김"),
    Contact(
        given_name="Grace", family_name="Sample", phones=[{"value": "+44 20 7946 0123"}, {"value": "0171 1234567"}]
    ),
    Contact(given_name="Łucja", family_name="Żółć", nickname="Lucy"),
    Contact(given_name="Søren", family_name="O'Brien-Åberg"),
]


@pytest_asyncio.fixture(scope="module")
async def network(client: Client) -> Metadata:
    """A tenant in Britain who knows PEOPLE."""
    tenant = await client.new_tenant(display_name="Searcher", default_region="GB")
    requests = [pb.CreateContactRequest(contact=contact) for contact in PEOPLE]
    await client.contacts.BatchCreateContacts(pb.BatchCreateContactsRequest(requests=requests), metadata=tenant)
    return tenant


async def searched(client: Client, tenant: Metadata, query: str, **options: Any) -> pb.SearchContactsResponse:
    return await client.contacts.SearchContacts(pb.SearchContactsRequest(query=query, **options), metadata=tenant)


async def names(client: Client, tenant: Metadata, query: str, **options: Any) -> set[str]:
    return {result.contact.display_name for result in (await searched(client, tenant, query, **options)).results}


async def exact(client: Client, tenant: Metadata, query: str, **options: Any) -> set[str]:
    results = (await searched(client, tenant, query, **options)).results
    return {result.contact.display_name for result in results if not result.fuzzy}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("emile", {"Émile Lefèvre"}),
        ("LEFEVRE", {"Émile Lefèvre"}),
        ("Lefèvre", {"Émile Lefèvre"}),
        ("sailing", {"Émile Lefèvre", "Johanna Meadow"}),
        ("sailing -chess", {"Émile Lefèvre"}),
        ("sailing harbour", {"Émile Lefèvre"}),
        ("chess or harbour", {"Émile Lefèvre", "Johanna Meadow"}),
        ("chess OR harbour", {"Émile Lefèvre", "Johanna Meadow"}),
        ('"the harbour"', {"Émile Lefèvre"}),
        ('"harbour the"', set()),
        ("meadow", {"John Smith", "Johanna Meadow"}),
        ("developer", {"John Smith"}),
        ("emile@bakery.example.com", {"Émile Lefèvre"}),
        ("bakery.example.com", {"Émile Lefèvre"}),
        ("bakery", {"Émile Lefèvre"}),
        ("владимир", {"Владимир Набоков"}),
        ("НАБОКОВ", {"Владимир Набоков"}),
        ("писатель", {"Владимир Набоков"}),
        ("样本", {"李样本"}),
        ("李样", {"李样本"}),
        ("本样", set()),
        ("公司", {"李样本"}),
        ("보기", {"김보기"}),
        ("lucja zolc", {"Łucja Żółć"}),
        ("lucy", {"Łucja Żółć"}),
        ("o'brien", {"Søren O'Brien-Åberg"}),
        ("O’Brien", {"Søren O'Brien-Åberg"}),
        ("aberg", {"Søren O'Brien-Åberg"}),
        ("soren", {"Søren O'Brien-Åberg"}),
        ("020 7946 0123", {"Grace Sample"}),
        ("(020) 7946-0123", {"Grace Sample"}),
        ("+44 20 7946 0123", {"Grace Sample"}),
        ("0044 20 7946 0123", {"Grace Sample"}),
        ("2079460123", {"Grace Sample"}),
        ("01711234567", {"Grace Sample"}),
        ("7946", set()),
        ("460123", {"Grace Sample"}),
        ("946012", set()),
    ],
)
async def test_web_search_finds_by_words(client: Client, network: Metadata, query: str, expected: set[str]) -> None:
    assert await exact(client, network, query) == expected


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("jonh", "John Smith"),
        ("Smiht", "John Smith"),
        ("lefevbre", "Émile Lefèvre"),
        ("Johana Medow", "Johanna Meadow"),
        ("Набокав", "Владимир Набоков"),
        ("meadw", "Johanna Meadow"),
        ("joh", "John Smith"),
    ],
)
async def test_a_misspelling_finds_similar_names_and_says_so(
    client: Client, network: Metadata, query: str, found: str
) -> None:
    results = (await searched(client, network, query)).results
    assert found in {result.contact.display_name for result in results if result.fuzzy}
    assert all(result.score < 1.01 for result in results if result.fuzzy)


async def test_words_come_before_similar_spellings(client: Client, network: Metadata) -> None:
    results = (await searched(client, network, "johanna")).results
    assert [result.fuzzy for result in results] == sorted(result.fuzzy for result in results)
    assert results[0].contact.display_name == "Johanna Meadow"


async def test_a_match_in_the_name_ranks_above_one_in_the_organization_or_the_notes(
    client: Client, network: Metadata
) -> None:
    results = (await searched(client, network, "meadow")).results
    assert [result.contact.display_name for result in results][:2] == ["Johanna Meadow", "John Smith"]


@pytest.mark.parametrize(
    ("query", "name", "fields"),
    [
        ("meadow", "John Smith", ["organization_name"]),
        ("emile sailing", "Émile Lefèvre", ["display_name", "given_name", "emails", "notes"]),
        ("020 7946 0123", "Grace Sample", ["phones"]),
        ("公司", "李样本", ["organization_name"]),
        ("lucy", "Łucja Żółć", ["nickname"]),
    ],
)
async def test_the_matched_fields_are_named(
    client: Client, network: Metadata, query: str, name: str, fields: list[str]
) -> None:
    results = (await searched(client, network, query)).results
    [found] = [list(r.matched_fields) for r in results if r.contact.display_name == name]
    assert found == fields


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("john & developer", {"John Smith"}),
        ("smi:*", {"John Smith"}),
        ("SMI:*", {"John Smith"}),
        ("joh:* & !developer", {"Johanna Meadow"}),
        ("chess | harbour", {"Émile Lefèvre", "Johanna Meadow"}),
        ("the <-> harbour", {"Émile Lefèvre"}),
        ("met <3> harbour", {"Émile Lefèvre"}),
        ("(chess | harbour) & sailing", {"Émile Lefèvre", "Johanna Meadow"}),
        ("'the harbour'", {"Émile Lefèvre"}),
        ("lefèvre", {"Émile Lefèvre"}),
        ("meadow:A", {"Johanna Meadow"}),
        ("样本", {"李样本"}),
        ("emile@bakery.example.com", {"Émile Lefèvre"}),
        ("!sailing & !x", None),
    ],
)
async def test_tsquery_mode_reads_postgresqls_syntax(
    client: Client, network: Metadata, query: str, expected: set[str] | None
) -> None:
    found = await names(client, network, query, mode=SEARCH_MODE_TSQUERY)
    if expected is None:
        expected = {"John Smith", "Владимир Набоков", "李样本", "김보기", "Grace Sample", "Łucja Żółć"}
        expected.add("Søren O'Brien-Åberg")
    assert found == expected


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("john &", 7),
        ("& john", 1),
        ("john smith", 6),
        ("(john", 1),
        ("john)", 5),
        ("john & | smith", 8),
        ("john:x", 5),
        ("'john", 1),
        ("!", 2),
        ("a <-> ", 6),
        ("a <99999> b", 3),
        ("a & ...", 5),
        ("(" * 40 + "a" + ")" * 40, 31),
    ],
)
async def test_a_malformed_tsquery_is_refused_naming_the_place(
    client: Client, network: Metadata, query: str, place: int
) -> None:
    refused = await failure(searched(client, network, query, mode=SEARCH_MODE_TSQUERY))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "QUERY_MALFORMED")
    assert refused.violations["query"].startswith(f"character {place} ")


@pytest.mark.parametrize("query", ["", "   ", "x" * 1001, "a\0b"])
async def test_an_empty_or_overlong_query_is_refused(client: Client, network: Metadata, query: str) -> None:
    refused = await failure(searched(client, network, query))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", ["query"])


async def test_a_query_without_words_finds_nothing(client: Client, network: Metadata) -> None:
    assert (await searched(client, network, '?!- () "" \'')).results == []


NASTY = st.text(
    st.one_of(
        st.sampled_from("\"'-|&!():*<>\\%_ orOR\n\tаяéß李ｱŉ＆«“”½№ 0+"),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    ),
    min_size=1,
    max_size=60,
)


async def reason(call: Awaitable[pb.SearchContactsResponse]) -> str:
    """Why a call was refused; empty when it was not."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return Failure(error).reason
    return ""


# The fixtures are the module's: nothing that an example does stays behind for the next.
MANY = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@MANY
@given(query=NASTY)
async def test_web_search_takes_any_text(client: Client, network: Metadata, query: str) -> None:
    # Refused is what is blank, or has more combining marks in a row than any text may have.
    assert await reason(searched(client, network, query)) in ("", "FIELD_INVALID")


@MANY
@given(query=NASTY)
async def test_tsquery_mode_takes_any_text_or_refuses_it_cleanly(client: Client, network: Metadata, query: str) -> None:
    refused = await reason(searched(client, network, query, mode=SEARCH_MODE_TSQUERY))
    assert refused in ("", "FIELD_INVALID", "QUERY_MALFORMED")


async def test_another_tenants_contacts_are_not_found(client: Client, network: Metadata, bob: Metadata) -> None:
    assert await names(client, network, "sailing")
    for query in ("sailing", "jonh", "020 7946 0123", "样本"):
        assert await names(client, bob, query) == set()


async def test_deleted_and_restricted_contacts_are_not_found(
    client: Client, alice: Metadata, as_superuser: Connection
) -> None:
    for name in ("Kept", "Deleted", "Restricted"):
        request = pb.CreateContactRequest(contact=Contact(given_name=name, family_name="Xylophone"))
        contact = await client.contacts.CreateContact(request, metadata=alice)
        if name == "Deleted":
            await client.contacts.DeleteContact(pb.DeleteContactRequest(id=contact.id), metadata=alice)
        elif name == "Restricted":
            await as_superuser.execute("UPDATE contacts SET processing_restricted = true WHERE id = $1", contact.id)
    assert await names(client, alice, "xylophone") == {"Kept Xylophone"}
    assert await names(client, alice, "xylofone") == {"Kept Xylophone"}


async def test_filters_combine_with_the_query(client: Client, alice: Metadata, as_superuser: Connection) -> None:
    for strength in (2, 5, 9):
        contact = Contact(given_name=f"Filtered{strength}", family_name="Person", relationship_strength=strength)
        await client.contacts.CreateContact(pb.CreateContactRequest(contact=contact), metadata=alice)
    await as_superuser.execute(
        "UPDATE contact_strengths SET last_contact_at = '2026-01-01Z' WHERE user_id = $1 AND pinned > 4",
        tenant_of(alice),
    )
    assert await names(client, alice, "person", min_relationship_strength=5) == {
        "Filtered5 Person",
        "Filtered9 Person",
    }
    assert await names(client, alice, "persn", min_relationship_strength=9) == {"Filtered9 Person"}
    assert await names(client, alice, "person", last_contact_after={"seconds": 1767225600}) == {
        "Filtered5 Person",
        "Filtered9 Person",
    }
    assert await names(client, alice, "person", last_contact_before={"seconds": 1767225600}) == set()


async def test_pages_of_a_search_join_to_the_whole(client: Client, alice: Metadata) -> None:
    requests = [
        pb.CreateContactRequest(contact=Contact(given_name="Paged", family_name=f"Person{i}", notes="paged " * (i % 4)))
        for i in range(45)
    ]
    await client.contacts.BatchCreateContacts(pb.BatchCreateContactsRequest(requests=requests), metadata=alice)
    whole = [r.contact.id for r in (await searched(client, alice, "paged", page_size=100)).results]
    assert len(whole) == 45
    joined: list[str] = []
    token = ""
    while True:
        page = await searched(client, alice, "paged", page_size=7, page_token=token)
        joined += [result.contact.id for result in page.results]
        token = page.next_page_token
        if not token:
            break
    assert joined == whole
    skipped = await searched(client, alice, "paged", page_size=5, skip=10)
    assert [r.contact.id for r in skipped.results] == whole[10:15]


async def test_a_page_token_of_another_query_is_refused(client: Client, alice: Metadata) -> None:
    requests = [pb.CreateContactRequest(contact=Contact(given_name="Tok", nickname=f"n{i}")) for i in range(3)]
    await client.contacts.BatchCreateContacts(pb.BatchCreateContactsRequest(requests=requests), metadata=alice)
    token = (await searched(client, alice, "tok", page_size=1)).next_page_token
    refused = await failure(searched(client, alice, "tik", page_size=1, page_token=token))
    assert refused.reason == "PAGE_TOKEN_INVALID"


async def test_the_read_mask_applies_to_the_contacts(client: Client, network: Metadata) -> None:
    [result] = (await searched(client, network, "владимир", read_mask={"paths": ["family_name"]})).results
    assert result.contact == Contact(id=result.contact.id, family_name="Набоков")
