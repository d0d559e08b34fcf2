"""Lists, searches and exports filtered by tags and by current organization, and people found by where they work."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest
import pytest_asyncio
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_transfer_pb2 import EXPORT_FORMAT_CSV
from pmcrm.type.v1.search_mode_pb2 import SEARCH_MODE_TSQUERY

from services.contacts.filters import TAGS_LIMIT
from tests.postgres import Connection
from tests.services.contacts.calls import NOBODY, Book, mask, random_id
from tests.services.contacts.organization_calls import Firms
from tests.services.contacts.tag_calls import Labels, many_tags
from tests.services.contacts.transfers import exported
from tests.suite import Client, Metadata, failure, tenant_of

KEYS = ("name", "create_time", "last_contact_time", "relationship_strength")
ORDERS = [*KEYS, *(f"{key} desc" for key in KEYS)]


class Network:
    """A tenant with tags Art, Zoo and Gone (deleted), and organizations Acme Mills and Closed Works (deleted).

    Ada carries Art and Zoo and works at Acme, Bob carries Art and worked there, Cyd carries Zoo and works at Closed
    Works, Dan carries Gone and has an employment at Acme that was removed, Eve has nothing. All have `friend` in their
    notes and a nickname that can be misspelt.
    """

    def __init__(self, client: Client, tenant: Metadata) -> None:
        self.client = client
        self.tenant = tenant
        self.labels = Labels(client, tenant)
        self.firms = Firms(client, tenant)
        self.book = Book(client, tenant)
        self.ids: dict[str, str] = {}

    async def fill(self) -> Network:
        made = await self.book.create_many(
            *(
                {"given_name": name, "nickname": "Xylophone", "notes": "friend"}
                for name in ("Ada", "Bob", "Cyd", "Dan", "Eve")
            )
        )
        self.ids = {contact.given_name: contact.id for contact in made}
        for name, carried_by in {"Art": ("Ada", "Bob"), "Zoo": ("Ada", "Cyd"), "Gone": ("Dan",)}.items():
            self.ids[name] = (await self.labels.create(name)).id
            await self.labels.modify([self.ids[carrier] for carrier in carried_by], [self.ids[name]])
        await self.labels.delete(self.ids["Gone"])
        for name in ("Acme Mills", "Closed Works"):
            self.ids[name] = (await self.firms.create(name, aliases=[f"{name[0]}Q"])).id
        await self.employ("Ada", "Acme Mills")
        await self.employ("Bob", "Acme Mills", current=False, end_date={"year": 2020})
        await self.employ("Cyd", "Closed Works")
        await self.firms.remove(await self.employ("Dan", "Acme Mills"))
        await self.firms.delete(self.ids["Closed Works"])
        return self

    async def employ(self, contact: str, organization: str, **fields: Any) -> str:
        given = {"current": True, **fields}
        return (await self.firms.employ(self.ids[contact], self.ids[organization], **given)).id

    def filters(self, **names: Any) -> dict[str, Any]:
        """The arguments of a call: `all` and `any` of tags by name, `at` an organization by name."""
        arguments: dict[str, Any] = {}
        for key, field in (("all", "tag_ids_all"), ("any", "tag_ids_any")):
            if key in names:
                arguments[field] = [self.ids.get(name, name) for name in names[key].split()]
        if "at" in names:
            arguments["organization_id"] = self.ids.get(names["at"], names["at"])
        return arguments

    async def listed(self, **arguments: Any) -> list[str]:
        names = await self.book.names(**arguments)
        assert (await self.book.page(include_total_size=True, **arguments)).total_size == len(names)
        return names

    async def searched(self, query: str = "friend", **arguments: Any) -> list[str]:
        request = pb.SearchContactsRequest(query=query, **arguments)
        answer = await self.client.contacts.SearchContacts(request, metadata=self.tenant)
        return sorted(result.contact.display_name for result in answer.results if not result.fuzzy)

    async def misspelt(self, **arguments: Any) -> list[str]:
        request = pb.SearchContactsRequest(query="xylofone", **arguments)
        answer = await self.client.contacts.SearchContacts(request, metadata=self.tenant)
        return sorted(result.contact.display_name for result in answer.results if result.fuzzy)

    async def exported(self, **arguments: Any) -> list[str]:
        file = await exported(self.client, self.tenant, **arguments)
        return sorted(name.decode() for name in re.findall(rb"^FN:(\w+)", file.content, re.MULTILINE))

    async def tabled(self, **arguments: Any) -> list[str]:
        file = await exported(self.client, self.tenant, format=EXPORT_FORMAT_CSV, **arguments)
        return sorted(line.partition(",")[0] for line in file.content.decode().splitlines()[1:])


@pytest_asyncio.fixture(scope="module")
async def network(client: Client) -> Network:
    """Read by tests, not changed."""
    return await Network(client, await client.new_tenant()).fill()


@pytest_asyncio.fixture
async def changing(client: Client, alice: Metadata) -> Network:
    """One of a test's own."""
    return await Network(client, alice).fill()


WAYS: dict[str, Callable[..., Awaitable[list[str]]]] = {
    "list": Network.listed,
    "search": Network.searched,
    "misspelt search": Network.misspelt,
    "export": Network.exported,
    "table": Network.tabled,
}

FILTERED = [
    ({"all": "Art"}, "Ada Bob"),
    ({"all": "Art Art Art"}, "Ada Bob"),
    ({"all": "Art Zoo"}, "Ada"),
    ({"all": "Zoo Art Zoo"}, "Ada"),
    ({"all": "Gone"}, ""),
    ({"all": "Art Gone"}, ""),
    ({"all": f"Art {NOBODY}"}, ""),
    ({"any": "Art"}, "Ada Bob"),
    ({"any": "Art Zoo"}, "Ada Bob Cyd"),
    ({"any": "Zoo Gone"}, "Ada Cyd"),
    ({"any": "Gone"}, ""),
    ({"any": NOBODY}, ""),
    ({"any": f"{NOBODY} Zoo Zoo"}, "Ada Cyd"),
    ({"all": "Zoo", "any": "Art Gone"}, "Ada"),
    ({"all": "Art", "any": "Gone"}, ""),
    ({"at": "Acme Mills"}, "Ada"),
    ({"at": "Closed Works"}, ""),
    ({"at": NOBODY}, ""),
    ({"at": "Acme Mills", "all": "Art Zoo", "any": "Art"}, "Ada"),
    ({"at": "Acme Mills", "any": "Gone"}, ""),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("names", "found"), FILTERED)
async def test_living_tags_and_current_organizations_filter(
    network: Network, way: str, names: dict[str, str], found: str
) -> None:
    assert sorted(await WAYS[way](network, **network.filters(**names))) == found.split()


@pytest.mark.parametrize("way", WAYS)
async def test_without_a_filter_nobody_is_left_out(network: Network, way: str) -> None:
    assert sorted(await WAYS[way](network)) == ["Ada", "Bob", "Cyd", "Dan", "Eve"]


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_undeleted_filters_again(changing: Network, way: str) -> None:
    await changing.labels.undelete(changing.ids["Gone"])
    await changing.firms.undelete(changing.ids["Closed Works"])
    assert await WAYS[way](changing, **changing.filters(any="Gone")) == ["Dan"]
    assert await WAYS[way](changing, **changing.filters(at="Closed Works")) == ["Cyd"]
    await changing.labels.delete(changing.ids["Art"])
    assert await WAYS[way](changing, **changing.filters(all="Art")) == []
    assert sorted(await WAYS[way](changing, **changing.filters(any="Art Zoo"))) == ["Ada", "Cyd"]


BAD = [
    ({"tag_ids_all": ["7"]}, ["tag_ids_all[0]"]),
    ({"tag_ids_any": [NOBODY, "", "x" * 36]}, ["tag_ids_any[1]", "tag_ids_any[2]"]),
    ({"tag_ids_all": [NOBODY] * (TAGS_LIMIT + 1)}, ["tag_ids_all"]),
    ({"tag_ids_any": [NOBODY] * (TAGS_LIMIT + 1)}, ["tag_ids_any"]),
    ({"organization_id": "acme"}, ["organization_id"]),
]


@pytest.mark.parametrize("way", ["list", "search", "export"])
@pytest.mark.parametrize(("filters", "bad"), BAD)
async def test_a_malformed_filter_is_refused(
    network: Network, way: str, filters: dict[str, Any], bad: list[str]
) -> None:
    refused = await failure(WAYS[way](network, **filters))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == bad


async def test_as_many_tags_as_may_be_named(changing: Network, as_superuser: Connection) -> None:
    tags = await many_tags(as_superuser, changing.tenant, TAGS_LIMIT)
    await changing.labels.modify([changing.ids["Eve"]], tags)
    await changing.labels.modify([changing.ids["Dan"]], tags[:-1])
    for way in WAYS.values():
        assert await way(changing, tag_ids_all=tags) == ["Eve"]
        assert sorted(await way(changing, tag_ids_any=tags)) == ["Dan", "Eve"]


async def test_filters_combine_with_others_and_with_every_order(changing: Network) -> None:
    for name, strength in (("Ada", 9), ("Bob", 3), ("Cyd", 7)):
        await changing.book.update(changing.ids[name], "relationship_strength", relationship_strength=strength)
    filters = changing.filters(any="Art Zoo")
    for order in ORDERS:
        found = await changing.listed(order_by=order, min_relationship_strength=5, page_size=1, **filters)
        assert sorted(found) == ["Ada", "Cyd"]
    assert await changing.searched(min_relationship_strength=5, **filters) == ["Ada", "Cyd"]
    assert await changing.searched("cyd", **filters) == ["Cyd"]
    assert await changing.searched("eve", **filters) == []
    assert await changing.exported(ids=[changing.ids["Ada"], changing.ids["Eve"]], **filters) == ["Ada"]


async def test_deleted_and_restricted_contacts_keep_their_ties(changing: Network, as_superuser: Connection) -> None:
    await changing.book.delete(changing.ids["Ada"])
    await as_superuser.execute(
        "UPDATE contacts SET processing_restricted = true WHERE id = $1::uuid", changing.ids["Bob"]
    )
    filters = changing.filters(any="Art")
    assert await changing.listed(**filters) == await changing.searched(**filters) == []
    assert await changing.listed(show_deleted=True, **filters) == ["Ada"]
    assert await changing.listed(show_restricted=True, **filters) == ["Bob"]
    assert await changing.exported(**filters) == ["Bob"]
    assert await changing.exported(show_deleted=True, **filters) == ["Ada", "Bob"]
    assert await changing.listed(show_deleted=True, **changing.filters(at="Acme Mills")) == ["Ada"]


async def test_an_export_of_some_says_so_in_the_audit_log(changing: Network, as_superuser: Connection) -> None:
    await changing.exported(**changing.filters(any="Art"))
    await changing.exported(**changing.filters(at="Acme Mills"))
    await changing.exported()
    entries = await as_superuser.fetch(
        "SELECT new_values FROM audit_logs WHERE user_id = $1::uuid AND action = 'EXPORT' ORDER BY at",
        tenant_of(changing.tenant),
    )
    kept = [(entry["new_values"]["contacts"], entry["new_values"]["all"]) for entry in entries]
    assert kept == [(2, False), (1, False), (5, True)]


async def test_a_token_belongs_to_its_filters(network: Network) -> None:
    filters = network.filters(any="Art Zoo")
    token = (await network.book.page(page_size=1, **filters)).next_page_token
    for other in ({}, network.filters(any="Zoo Art"), network.filters(all="Art Zoo"), network.filters(at="Acme Mills")):
        refused = await failure(network.book.page(page_size=1, page_token=token, **other))
        assert refused.reason == "PAGE_TOKEN_INVALID"
    assert len((await network.book.page(page_token=token, **filters)).contacts) == 2


@pytest.mark.parametrize("order", ORDERS)
async def test_filtered_pages_keep_their_place_while_others_write(client: Client, alice: Metadata, order: str) -> None:
    labels, book = Labels(client, alice), Book(client, alice)
    tag = (await labels.create()).id
    made = await book.create_many(*({"given_name": f"{i:02}", "relationship_strength": i % 3} for i in range(40)))
    carriers = [contact.id for contact in made[::2]]
    await labels.modify(carriers, [tag])
    shown: list[str] = []
    dropped, later = carriers[3::7], [contact.id for contact in made[1::2]]
    filters: dict[str, Any] = {"tag_ids_all": [tag], "order_by": order, "read_mask": mask("id")}
    async for page in book.pages(page_size=2, **filters):
        shown += [contact.id for contact in page]
        if dropped:
            await labels.modify([dropped.pop()], [], [tag])
        if later:
            await labels.modify([later.pop()], [tag])
        await book.update(carriers[0], notes=f"edited {len(shown)}")
    assert max(Counter(shown).values()) == 1
    stayed = set(carriers) - set(carriers[3::7])
    unfiltered = [contact.id for contact in (await book.page(order_by=order, page_size=100)).contacts]
    assert [i for i in shown if i in stayed] == [i for i in unfiltered if i in stayed]


async def test_pages_of_a_filtered_search_join_to_the_whole(client: Client, alice: Metadata) -> None:
    labels, book = Labels(client, alice), Book(client, alice)
    tag = (await labels.create()).id
    made = await book.create_many(*({"given_name": f"Paged {i:03}"} for i in range(120)))
    await labels.modify([contact.id for contact in made[::2]], [tag])
    shown: list[str] = []
    token = ""
    while not shown or token:
        request = pb.SearchContactsRequest(query="paged", page_size=7, page_token=token, tag_ids_any=[tag])
        page = await client.contacts.SearchContacts(request, metadata=alice)
        shown += [result.contact.id for result in page.results]
        token = page.next_page_token
    assert sorted(shown) == sorted(contact.id for contact in made[::2])


async def test_the_text_of_a_list_is_looked_for_in_the_current_organization_too(changing: Network) -> None:
    assert await changing.listed(text="acme") == ["Ada"]
    assert await changing.listed(text="MILLS ada") == ["Ada"]
    assert await changing.listed(text="acme bob") == await changing.listed(text="closed") == []
    await changing.firms.undelete(changing.ids["Closed Works"])
    assert await changing.listed(text="closed") == ["Cyd"]


async def found(network: Network, query: str, **arguments: Any) -> dict[str, tuple[list[str], bool]]:
    """What a search finds, best first: the name, the fields that matched, and whether it is a misspelling."""
    request = pb.SearchContactsRequest(query=query, **arguments)
    answer = await network.client.contacts.SearchContacts(request, metadata=network.tenant)
    scores = [result.score for result in answer.results]
    assert scores == sorted(scores, reverse=True)
    results = {r.contact.display_name: (list(r.matched_fields), r.fuzzy) for r in answer.results}
    assert len(results) == len(answer.results), "somebody is found twice"
    return results


BY_EMPLOYER = (["current_organization"], False)


@pytest.mark.parametrize("query", ["acme", "ACME mills", '"acme mills"', "aq", "nothing or acme", "acme -friday"])
async def test_people_are_found_by_where_they_work_now(network: Network, query: str) -> None:
    results = await found(network, query)
    assert {name: why for name, why in results.items() if not why[1]} == {"Ada": BY_EMPLOYER}


@pytest.mark.parametrize(
    "query", ["closed", "cq", '"mills acme"', "acme -mills", "acme -friend", "mills -ada", "acme bob"]
)
async def test_nobody_is_found_by_where_they_worked_or_by_what_is_excluded(network: Network, query: str) -> None:
    assert [name for name, (_, fuzzy) in (await found(network, query)).items() if not fuzzy] == []


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("acme & mills", {"Ada"}),
        ("acm:*", {"Ada"}),
        ("acme & !friend", set()),
        ("acme:A", set()),
        ("acme:B", {"Ada"}),
        ("!friend", set()),
        ("!nothing", {"Ada", "Bob", "Cyd", "Dan", "Eve"}),
    ],
)
async def test_a_tsquery_is_matched_against_organizations_too(network: Network, query: str, names: set[str]) -> None:
    assert set(await found(network, query, mode=SEARCH_MODE_TSQUERY)) == names


async def test_who_is_called_so_comes_before_who_works_there(changing: Network) -> None:
    await changing.book.create(display_name="Zed Acme")
    await changing.book.create(display_name="Noted", notes="sells to acme", organization_name="Acme")
    results = await found(changing, "acme")
    assert next(iter(results)) == "Zed Acme"
    assert set(results) == {"Zed Acme", "Ada", "Noted"}
    assert results["Noted"] == (["organization_name", "notes"], False)


async def test_who_works_twice_in_what_is_found_is_found_once(changing: Network) -> None:
    changing.ids["Acme East"] = (await changing.firms.create("Acme East")).id
    for organization in ("Acme Mills", "Acme East", "Acme East"):
        await changing.employ("Eve", organization)
    assert await changing.searched("acme") == ["Ada", "Eve"]
    assert (await found(changing, "east"))["Eve"] == BY_EMPLOYER


async def test_filters_hold_for_who_is_found_by_employer(changing: Network) -> None:
    await changing.employ("Eve", "Acme Mills")
    assert await changing.searched("acme", **changing.filters(all="Art")) == ["Ada"]
    assert await changing.searched("acme", **changing.filters(at="Acme Mills")) == ["Ada", "Eve"]
    assert await changing.searched("acme", **changing.filters(at=random_id())) == []
    await changing.book.delete(changing.ids["Eve"])
    assert await changing.searched("acme") == ["Ada"]


async def test_a_renamed_organizations_people_are_found_by_its_new_name(changing: Network) -> None:
    await changing.firms.update(changing.ids["Acme Mills"], "name", name="示例 Übermühle")
    assert await changing.searched("acme") == []
    for query in ("示例", "ubermuhle"):
        assert await changing.searched(query) == ["Ada"]


async def test_pages_of_those_who_work_in_one_place_join_to_the_whole(client: Client, alice: Metadata) -> None:
    firms, book = Firms(client, alice), Book(client, alice)
    firm = (await firms.create("Guildhall")).id
    made = await book.create_many(*({"given_name": f"Clerk {i:03}"} for i in range(90)))
    for contact in made:
        await firms.employ(contact.id, firm, current=True)
    shown: list[str] = []
    token = ""
    while not shown or token:
        request = pb.SearchContactsRequest(query="guildhall", page_size=8, page_token=token)
        page = await client.contacts.SearchContacts(request, metadata=alice)
        shown += [result.contact.id for result in page.results]
        token = page.next_page_token
    assert sorted(shown) == sorted(contact.id for contact in made)
