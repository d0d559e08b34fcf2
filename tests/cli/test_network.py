"""`pmcrm network`: the picture of a network, which holds no more than may be seen and is the same every time."""

from __future__ import annotations

import math
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import pytest_asyncio
from pmcrm.contacts.v1 import contact_service_pb2 as contacts_pb
from pmcrm.contacts.v1.contact_link_pb2 import ContactLink, ContactLinkType
from typer.testing import CliRunner, Result

from cli.app import app
from cli.drawing.layout import NEAREST, placed
from cli.drawing.picture import KIND_OF, NAMED, draw
from services.contacts.service import SERVICE as CONTACTS
from services.insights.network_picture import Network, PicturedContact, PicturedLink
from tests.postgres import Database
from tests.services.contacts.calls import Book
from tests.services.insights.relationship_calls import restrict
from tests.suite import connected, running, settings_for, tenant_of

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</text><script>alert('&amp;')</script>\"'<!--]]>\u0001\ufffe"


@dataclass
class Tenants:
    """alice knows Ada, Grace and a hostile name, linked; restricted and deleted ones beside them. bob knows Bert."""

    alice: str
    bob: str
    closed: str


@pytest_asyncio.fixture(scope="module")
async def tenants(database: Database) -> AsyncIterator[Tenants]:
    async with running(CONTACTS, settings_for(database)) as service, connected(service) as client:
        alice, bob, closed = [await client.new_tenant(display_name=name) for name in ("Alice", "Bob", "Closed")]
        book = Book(client, alice)
        ada, grace, hostile, restricted, deleted = await book.create_many(
            {"given_name": "Ada", "relationship_strength": 9},
            {"given_name": "Grace", "relationship_strength": 4},
            {"given_name": "A<b>&\"c'", "relationship_strength": 2},
            {"given_name": "Restricted"},
            {"given_name": "Deleted"},
        )
        for one, other, kind in (
            (ada, grace, ContactLinkType.CONTACT_LINK_TYPE_FRIEND),
            (ada, grace, ContactLinkType.CONTACT_LINK_TYPE_COLLEAGUE),
            (grace, hostile, ContactLinkType.CONTACT_LINK_TYPE_INTRODUCED),
            (ada, restricted, ContactLinkType.CONTACT_LINK_TYPE_FRIEND),
            (ada, deleted, ContactLinkType.CONTACT_LINK_TYPE_FRIEND),
        ):
            link = ContactLink(contact_id=one.id, related_contact_id=other.id, type=kind)
            await book.stub.LinkContacts(contacts_pb.LinkContactsRequest(link=link), metadata=alice)
        await book.delete(deleted.id)
        async with database.connect() as conn:
            await restrict(conn, alice, restricted.id)
            await conn.execute("UPDATE users SET deleted_at = now() WHERE id = $1::uuid", tenant_of(closed))
        await Book(client, bob).create(given_name="Bert")
        yield Tenants(tenant_of(alice), tenant_of(bob), tenant_of(closed))


@pytest.fixture
def database_named(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """DATABASE_URL as the insights service has it."""
    monkeypatch.setenv("DATABASE_URL", database.service("insights"))
    monkeypatch.delenv("DATABASE_URL_SERVICE", raising=False)


def pmcrm(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["network", *arguments])


def parsed(document: str) -> ET.Element:
    return ET.fromstring(document)  # noqa: S314 - our own


def texts(document: str) -> list[str]:
    return [each.text or "" for each in parsed(document).iter(f"{SVG}text") if each.get("class") == "name"]


def contacts_in(document: str) -> list[str]:
    """What is said of each contact that is drawn."""
    return [each.text or "" for circle in parsed(document).iter(f"{SVG}circle") for each in circle]


def lines_in(document: str) -> list[str]:
    """The classes of all lines but the legend's."""
    lines = [each.get("class", "") for each in parsed(document).iter(f"{SVG}line")]
    return lines[: -len(set(KIND_OF.values()))]


@pytest.mark.usefixtures("database_named")
def test_it_draws_the_contacts_that_may_be_seen_and_their_links(tenants: Tenants, tmp_path: Path) -> None:
    out = tmp_path / "network.svg"
    said = pmcrm("--tenant", tenants.alice, "--out", str(out))
    assert said.exit_code == 0, said.output
    assert said.output.replace("\n", "") == f"{out}: 3 contacts, 3 links."
    document = out.read_text(encoding="utf-8")
    assert sorted(contacts_in(document)) == ["A<b>&\"c', strength 2", "Ada, strength 9", "Grace, strength 4"]
    assert texts(document) == ["Ada", "Grace", "A<b>&\"c'"]
    assert sorted(lines_in(document)) == ["friends", "introduced", "work"]
    again = pmcrm("--tenant", tenants.alice, "--out", "-")
    assert again.stdout == document, "the same data, the same picture; and on standard output nothing else"


@pytest.mark.usefixtures("database_named")
def test_it_draws_no_other_tenants_contacts(tenants: Tenants) -> None:
    assert contacts_in(pmcrm("--tenant", tenants.bob, "--out", "-").stdout) == ["Bert, strength 1"]


@pytest.mark.usefixtures("database_named")
def test_it_draws_the_closest_of_many(tenants: Tenants) -> None:
    document = pmcrm("--tenant", tenants.alice, "--out", "-", "--most", "2").stdout
    assert sorted(contacts_in(document)) == ["Ada, strength 9", "Grace, strength 4"]
    assert "The 2 closest of 3 contacts, 2 links" in document


@pytest.mark.usefixtures("database_named")
def test_who_is_not_there_or_closed_has_no_picture(tenants: Tenants, tmp_path: Path) -> None:
    for tenant in (str(uuid.uuid4()), tenants.closed):
        out = tmp_path / "none.svg"
        refused = pmcrm("--tenant", tenant, "--out", str(out))
        assert refused.exit_code == 1
        assert f"There is no user {tenant}, or it is closed." in refused.stderr.replace("\n", " ")
        assert not out.exists()
    assert pmcrm("--tenant", "ada").exit_code == 2


@pytest.mark.usefixtures("database_named")
def test_a_file_that_cannot_be_written_is_named(tenants: Tenants, tmp_path: Path) -> None:
    refused = pmcrm("--tenant", tenants.bob, "--out", str(tmp_path / "none" / "x.svg"))
    assert refused.exit_code == 1
    assert "x.svg cannot be written" in refused.stderr.replace("\n", "")


def network(count: int, *ties: tuple[int, int], name: str = "P") -> Network:
    contacts = [PicturedContact(uuid.UUID(int=i), f"{name}{i}", 10 - i * 10 // count) for i in range(count)]
    kinds = list(KIND_OF)
    links = [PicturedLink(uuid.UUID(int=a), uuid.UUID(int=b), kinds[i % len(kinds)]) for i, (a, b) in enumerate(ties)]
    return Network(contacts, links, count)


def test_whatever_is_in_a_name_stays_text() -> None:
    document = draw(network(1, name=HOSTILE))
    tags = {each.tag.removeprefix(SVG) for each in parsed(document).iter()}
    assert tags == {"svg", "title", "desc", "style", "rect", "text", "g", "circle", "line"}
    [said] = contacts_in(document)
    assert said.startswith("</text><script>alert('&amp;')</script>\"'<!--]]>\ufffd\ufffd")
    assert "<script" not in document
    assert "http" not in document.replace("http://www.w3.org/2000/svg", "")


def test_it_says_in_words_what_it_shows() -> None:
    picture = parsed(draw(network(10, (0, 1), (1, 2))))
    title, description = picture.find(f"{SVG}title"), picture.find(f"{SVG}desc")
    assert title is not None
    assert title.text == "10 contacts, 2 links"
    assert description is not None
    assert description.text == (
        "Contacts: 2 of strength 9–10, 2 of strength 7–8, 2 of strength 5–6, 2 of strength 3–4, 2 of strength 1–2."
        " Links: 2 family. The closest: P0, P1, P2, P3, P4."
    )
    assert picture.get("role") == "img"
    assert picture.get("aria-labelledby", "").split() == [title.get("id"), description.get("id")]


@pytest.mark.parametrize("count", [0, 1, 2, 20, 200])
def test_each_contact_and_link_is_drawn_and_the_closest_are_named(count: int) -> None:
    ties = [(i, (i * 7 + 1) % count) for i in range(0, count, 2) if i != (i * 7 + 1) % count]
    document = draw(network(count, *ties))
    assert len(contacts_in(document)) == count
    assert len(lines_in(document)) == len(ties)
    assert texts(document) == [f"P{i}" for i in range(min(count, NAMED))]
    assert draw(network(count, *ties)) == document
    picture = parsed(document)
    width, height = float(picture.get("width", "0")), float(picture.get("height", "0"))
    for circle in picture.iter(f"{SVG}circle"):
        x, y, radius = (float(circle.get(name, "nan")) for name in ("cx", "cy", "r"))
        assert radius <= x <= width - radius
        assert radius <= y <= height - radius


def test_none_lies_upon_another_and_what_is_tied_lies_nearer() -> None:
    star = [(0, i) for i in range(1, 25)]
    chain = [(i, i + 1) for i in range(30, 60)]
    clique = list(combinations(range(70, 78), 2))
    places = placed(120, [*star, *chain, *clique])
    for one, other in combinations(places, 2):
        assert math.dist(one, other) > NEAREST * 0.75
    tied = [math.dist(places[a], places[b]) for a, b in [*chain, *clique]]
    everybody = [math.dist(a, b) for a, b in combinations(places, 2)]
    assert sum(tied) / len(tied) < sum(everybody) / len(everybody) / 3
