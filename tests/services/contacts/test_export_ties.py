"""Tags, employments and links survive export and import, in every format."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import contact_transfer_pb2 as transfer_pb
from pmcrm.contacts.v1.contact_link_pb2 import ContactLink, ContactLinkType
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.type.v1.partial_date_pb2 import PartialDate

from shared.contact_ties import MOST_WRITTEN_BYTES, Employment, Relation
from shared.partial_date import NO_DATE, DateParts
from tests.postgres import Connection
from tests.services.contacts.calls import Book
from tests.services.contacts.organization_calls import Firms
from tests.services.contacts.tag_calls import Labels
from tests.services.contacts.transfers import all_contacts, comparable, exported, imported
from tests.shared.any_contact import contacts
from tests.shared.any_ties import EMPLOYMENTS, RELATIONS, TAGS
from tests.suite import Client, Metadata, as_tenant, tenant_of

CSV = transfer_pb.EXPORT_FORMAT_CSV
ALL = pytest.mark.parametrize("form", [transfer_pb.EXPORT_FORMAT_VCARD_3, transfer_pb.EXPORT_FORMAT_VCARD_4, CSV])
UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
PEOPLE = 25


@dataclass
class Network:
    """People by number, with what hangs on each; ties by the numbers of both ends."""

    people: list[Contact]
    tags: list[list[str]]
    employments: list[list[Employment]]
    ties: list[tuple[int, int, Relation]]


PAIRS = st.tuples(st.integers(0, PEOPLE - 1), st.integers(0, PEOPLE - 1), RELATIONS).filter(
    lambda tie: tie[0] != tie[1]
)


def any_network() -> Network:
    found = Network([], [], [], [])
    pairs = set[tuple[frozenset[int], str]]()

    @given(contacts(), TAGS, st.lists(EMPLOYMENTS, max_size=3))
    @settings(max_examples=PEOPLE, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck))
    def choose(person: Contact, tags: list[str], employments: list[Employment]) -> None:
        found.people.append(person)
        found.tags.append(tags)
        found.employments.append(employments)

    @given(PAIRS)
    @settings(max_examples=40, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck))
    def tie(pair: tuple[int, int, Relation]) -> None:
        one, other, relation = pair
        key = (frozenset((one, other)), relation.type)
        if one < len(found.people) > other and key not in pairs:
            pairs.add(key)
            found.ties.append(pair)

    choose()
    tie()
    # The first of each is as simple as can be.
    assert len(set(map(str, found.people))) > 10
    assert sum(map(len, found.tags)) > 5 < sum(map(len, found.employments))
    assert len(found.ties) > 5
    return found


async def filled(client: Client, network: Network, *, plain: bool) -> Metadata:
    """A tenant with these people. plain: only with what a table can hold of a contact itself."""
    known = {""}
    for number, person in enumerate(network.people):
        if person.source_uid in known:
            person.source_uid = ""
        known.add(person.source_uid)
        if plain:
            network.people[number] = Contact(
                given_name=f"Person {number}", source_uid=person.source_uid, organization_name=person.organization_name
            )
    tenant = await client.new_tenant(display_name="Full", default_region="GB")
    book, firms, labels = Book(client, tenant), Firms(client, tenant), Labels(client, tenant)
    requests = [pb.CreateContactRequest(contact=person) for person in network.people]
    request = pb.BatchCreateContactsRequest(requests=requests)
    made = (await book.stub.BatchCreateContacts(request, metadata=tenant)).contacts
    tag_ids: dict[str, str] = {}
    firm_ids: dict[str, str] = {}
    for contact, names, employments in zip(made, network.tags, network.employments, strict=True):
        for name in names:
            tag_ids[name] = tag_ids.get(name) or (await labels.create(name)).id
        if names:
            await labels.modify([contact.id], add=[tag_ids[name] for name in names])
        for employment in employments:
            name = employment.organization
            firm_ids[name] = firm_ids.get(name) or (await firms.create(name)).id
            await firms.employ(contact.id, firm_ids[name], **fields_of(employment))
    for one, other, relation in network.ties:
        link = ContactLink(
            contact_id=made[one].id,
            related_contact_id=made[other].id,
            type=f"CONTACT_LINK_TYPE_{relation.type}",
            label=relation.label,
            start_date=date_of(relation.start),
            notes=relation.notes,
        )
        await book.stub.LinkContacts(pb.LinkContactsRequest(link=link), metadata=tenant)
    return tenant


def fields_of(employment: Employment) -> dict[str, Any]:
    return {
        "job_title": employment.job_title,
        "department": employment.department,
        "location": employment.location,
        "start_date": date_of(employment.start),
        "end_date": date_of(employment.end),
        "current": employment.is_current,
        "notes": employment.notes,
    }


def date_of(date: DateParts) -> PartialDate | None:
    return None if date == NO_DATE else PartialDate(**{k: v for k, v in date._asdict().items() if v})


def without_ids(content: bytes) -> bytes:
    """A file whose ids are numbers in the order in which they stand there, and whose lines are not folded."""
    numbers: dict[bytes, bytes] = {}
    unfolded = content.replace(b"\r\n ", b"")
    return UUID.sub(lambda match: numbers.setdefault(match[0], b"#%d" % len(numbers)), unfolded)


def shown_ties(found: list[Contact]) -> list[tuple[str, list[str], str, str]]:
    return [
        (
            contact.display_name,
            [tag.name for tag in contact.tags],
            contact.current_organization.name,
            contact.current_organization.job_title,
        )
        for contact in sorted(found, key=lambda contact: contact.id)
    ]


@ALL
async def test_any_network_survives_export_and_import(client: Client, form: transfer_pb.ExportFormat) -> None:
    network = any_network()
    tenant = await filled(client, network, plain=form == CSV)
    file = await exported(client, tenant, format=form)
    assert (file.summary.contacts, {k for k in file.summary.left_out if k != "tags"}) == (len(network.people), set())
    other = await client.new_tenant(display_name="Empty", default_region="GB")
    rehearsed = await imported(client, other, file.content, dry_run=True)
    result = await imported(client, other, file.content)
    assert (result.counts, result.notices) == ((len(network.people), 0, 0, 0), [])
    assert (rehearsed.counts, rehearsed.notices) == (result.counts, result.notices)
    before, after = await all_contacts(client, tenant), await all_contacts(client, other)
    assert comparable(after) == comparable(before)
    assert shown_ties(after) == shown_ties(before)
    for one_form in (transfer_pb.EXPORT_FORMAT_VCARD_3, transfer_pb.EXPORT_FORMAT_VCARD_4, CSV):
        source, copy = [await exported(client, one, format=one_form) for one in (tenant, other)]
        assert without_ids(copy.content) == without_ids(source.content)
    assert (await imported(client, other, file.content)).counts == (0, 0, len(network.people), 0)


@ALL
async def test_importing_an_export_into_its_own_tenant_changes_nothing(
    client: Client, as_superuser: Connection, form: transfer_pb.ExportFormat
) -> None:
    network = any_network()
    tenant = await filled(client, network, plain=form == CSV)
    tables = ("contacts", "tags", "contact_tags", "organizations", "contact_employments", "contact_links")

    async def rows() -> list[object]:
        return [
            await as_superuser.fetch(f"SELECT * FROM {table} WHERE user_id = $1 ORDER BY 1, 2, 3", tenant_of(tenant))
            for table in tables
        ]

    before = await rows()
    file = await exported(client, tenant, format=form)
    assert (await imported(client, tenant, file.content, dry_run=True)).counts == (0, 0, len(network.people), 0)
    assert (await imported(client, tenant, file.content)).counts == (0, 0, len(network.people), 0)
    assert await rows() == before


@ALL
async def test_ties_are_written_on_both_cards_and_survive_where_one_of_them_comes_alone(
    client: Client, book: Book, form: transfer_pb.ExportFormat
) -> None:
    ada, eve = await book.create(given_name="Ada"), await book.create(given_name="Eve", source_uid="eve 1")
    link = ContactLink(
        contact_id=ada.id, related_contact_id=eve.id, type=ContactLinkType.CONTACT_LINK_TYPE_MANAGER, label="boss"
    )
    await book.stub.LinkContacts(pb.LinkContactsRequest(link=link), metadata=book.tenant)
    for first, second in ((ada, eve), (eve, ada)):
        other = await client.new_tenant(display_name="Empty", default_region="GB")
        alone = await imported(
            client, other, (await exported(client, book.tenant, format=form, ids=[first.id])).content
        )
        assert (alone.counts, len(alone.notices)) == ((1, 0, 0, 0), 1)
        then = await imported(
            client, other, (await exported(client, book.tenant, format=form, ids=[second.id])).content
        )
        # By an id that only the exporting tenant knows, a contact of another file is not found.
        tied = first is eve or second is eve
        assert then.summary.created == 1
        found = {contact.display_name: contact for contact in await all_contacts(client, other)}
        request = pb.ListContactLinksRequest(contact_id=found["Ada"].id)
        links = (await book.stub.ListContactLinks(request, metadata=other)).links
        assert [(one.label, one.type, one.related_contact_id) for one in links] == (
            [("boss", ContactLinkType.CONTACT_LINK_TYPE_MANAGER, found["Eve"].id)] if tied and first is eve else []
        )


@ALL
async def test_a_current_organization_is_shown_to_other_programs_and_is_no_card_text(
    client: Client, book: Book, form: transfer_pb.ExportFormat
) -> None:
    firms = Firms(client, book.tenant)
    ada = await book.create(given_name="Ada")
    await firms.employ(ada.id, (await firms.create("Example, Ltd")).id, job_title="Analyst", current=True)
    file = await exported(client, book.tenant, format=form)
    assert b"Example\\, Ltd\r\n" in file.content or b'"Example, Ltd",' in file.content
    other = await client.new_tenant(display_name="Empty", default_region="GB")
    assert (await imported(client, other, file.content)).notices == []
    [copy] = await all_contacts(client, other)
    assert (copy.organization_name, copy.job_title, copy.current_organization.name) == ("", "", "Example, Ltd")


@ALL
async def test_removed_ties_and_those_to_what_was_deleted_are_not_in_it(
    client: Client, book: Book, form: transfer_pb.ExportFormat
) -> None:
    firms, labels = Firms(client, book.tenant), Labels(client, book.tenant)
    ada, eve = await book.create(given_name="Ada"), await book.create(given_name="Eve")
    tag, firm = await labels.create("Secret tag"), await firms.create("Secret firm")
    await labels.modify([ada.id], add=[tag.id])
    await firms.employ(ada.id, firm.id, current=True)
    gone = await firms.employ(ada.id, (await firms.create("Kept")).id, notes="Secret notes")
    link = ContactLink(contact_id=ada.id, related_contact_id=eve.id, type=1, label="Secret label")  # type: ignore[arg-type]  # spouse
    await book.stub.LinkContacts(pb.LinkContactsRequest(link=link), metadata=book.tenant)
    assert (await exported(client, book.tenant, format=form)).content.count(b"Secret") >= 4
    await labels.delete(tag.id)
    await firms.delete(firm.id)
    await firms.remove(gone.id)
    await book.delete(eve.id)
    assert b"Secret" not in (await exported(client, book.tenant, format=form)).content
    both = await exported(client, book.tenant, format=form, show_deleted=True)
    assert b"Secret label" in both.content


@ALL
async def test_more_than_a_file_takes_is_left_out_and_counted(
    client: Client, book: Book, as_superuser: Connection, form: transfer_pb.ExportFormat
) -> None:
    ada = await book.create(given_name="Ada", notes="n" * 100_000)
    firm = await Firms(client, book.tenant).create("Example")
    await as_superuser.execute(
        "INSERT INTO contact_employments (user_id, contact_id, organization_id, notes)"
        " SELECT $1, $2, $3, repeat('\U0001f9d1', 10000) FROM generate_series(1, 200)",
        *(tenant_of(book.tenant), ada.id, firm.id),
    )
    file = await exported(client, book.tenant, format=form)
    assert file.summary.left_out == {"employments": 1}
    assert len(file.content) < 1.2 * MOST_WRITTEN_BYTES
    other = await client.new_tenant(display_name="Empty", default_region="GB")
    assert (await imported(client, other, file.content, size=1 << 20)).counts == (1, 0, 0, 0)
    count = await as_superuser.fetchval(
        "SELECT count(*) FROM contact_employments WHERE user_id = $1", tenant_of(as_tenant(tenant_of(other)))
    )
    assert 100 <= count < 105


async def test_a_table_has_columns_of_ours_where_something_is_in_them(client: Client, book: Book) -> None:
    ada = await book.create(given_name="Ada", source_uid="u")
    header = (await exported(client, book.tenant, format=CSV)).content.split(b"\r\n")[0]
    assert [name for name in header.split(b",") if name.startswith(b"pmcrm.")] == [b"pmcrm.uid"]
    eve = await book.create(given_name="Eve", organization_name="Example")
    link = ContactLink(contact_id=ada.id, related_contact_id=eve.id, type=1)  # type: ignore[arg-type]  # spouse
    await book.stub.LinkContacts(pb.LinkContactsRequest(link=link), metadata=book.tenant)
    header = (await exported(client, book.tenant, format=CSV)).content.split(b"\r\n")[0]
    assert header.endswith(b",pmcrm.id,pmcrm.uid,pmcrm.employments,pmcrm.links")


async def test_names_that_a_table_cannot_hold_are_counted(client: Client, book: Book) -> None:
    labels = Labels(client, book.tenant)
    ada = await book.create(given_name="Ada")
    await labels.modify([ada.id], add=[(await labels.create("a ::: b")).id, (await labels.create("* c")).id])
    assert (await exported(client, book.tenant, format=CSV)).summary.left_out == {"tags": 1}


@ALL
async def test_a_line_of_categories_from_before_is_written(
    client: Client, book: Book, form: transfer_pb.ExportFormat
) -> None:
    await book.create(given_name="Ada", extra_properties=["CATEGORIES:friends,maths"])
    content = (await exported(client, book.tenant, format=form)).content
    assert b"\r\nCATEGORIES;X-PMCRM-EXTRA=TRUE:friends,maths\r\n" in content or b",friends ::: maths," in content
