"""What employments tie together: contacts show where they work, organizations count their people."""

from __future__ import annotations

import asyncio

import pytest
from pmcrm.contacts.v1.employment_pb2 import Employment
from pmcrm.contacts.v1.organization_pb2 import Organization

from tests.postgres import Connection, Database
from tests.services.contacts.calls import Book
from tests.services.contacts.organization_calls import Firms, ada_and_engines, merge_by_hand, restrict
from tests.suite import Client, Metadata, failure, tenant_of


@pytest.fixture
def firms(client: Client, alice: Metadata) -> Firms:
    return Firms(client, alice)


async def test_a_contact_shows_where_it_works_and_keeps_its_etag(firms: Firms, book: Book) -> None:
    ada, engines = await ada_and_engines(firms)
    before = await book.get(ada)
    await firms.employ(ada, engines, job_title="Past", start_date={"year": 2024})
    assert await book.get(ada) == before
    unknown = await firms.employ(ada, (await firms.create("Unknown")).id, current=True)
    assert (await book.get(ada)).current_organization.name == "Unknown"
    latest = await firms.employ(ada, engines, job_title="Programmer", current=True, start_date={"year": 2020})
    await firms.employ(ada, (await firms.create("Earlier")).id, current=True, start_date={"year": 2019, "month": 12})
    shown = await book.get(ada)
    current = shown.current_organization
    assert (current.id, current.name, current.job_title) == (engines, "Analytical Engines", "Programmer")
    assert (shown.etag, shown.update_time) == (before.etag, before.update_time)
    assert latest.contact.organization == "Analytical Engines"

    await firms.update(engines, name="Difference Engines")
    [listed] = (await book.page(text="ada")).contacts
    assert listed.current_organization.name == "Difference Engines"
    await firms.delete(engines)
    assert (await book.get(ada)).current_organization.name == "Earlier"
    await firms.undelete(engines)
    await firms.change(latest.id, "current")
    assert (await book.get(ada)).current_organization.name == "Earlier"
    assert (await firms.change(unknown.id, notes="x")).contact.organization == "Earlier"


async def test_deleting_an_organization_leaves_contacts_and_undeleting_restores_the_ties(firms: Firms) -> None:
    ada, engines = await ada_and_engines(firms)
    before = await firms.employ(ada, engines, job_title="Programmer", end_date={"year": 1843})
    contact = await firms.book.get(ada)
    deleted = await firms.delete(engines)
    assert (deleted.current_contact_count, deleted.former_contact_count) == (0, 0)
    assert await firms.book.get(ada) == contact
    assert list((await firms.employments(contact_id=ada)).employments) == []
    assert list((await firms.employments(organization_id=engines)).employments) == []
    assert list((await firms.employments(contact_id=ada, show_deleted=True)).employments) == [before]
    restored = await firms.undelete(engines)
    assert (restored.current_contact_count, restored.former_contact_count) == (0, 1)
    assert list((await firms.employments(organization_id=engines)).employments) == [before]


async def test_a_hidden_employment_can_still_be_changed_and_removed(firms: Firms) -> None:
    ada, engines = await ada_and_engines(firms)
    first, second = await firms.employ(ada, engines), await firms.employ(ada, engines)
    await firms.delete(engines)
    await firms.book.delete(ada)
    changed = await firms.change(first.id, job_title="Programmer")
    assert (await firms.remove(second.id)).HasField("delete_time")
    await firms.undelete(engines)
    await firms.book.undelete(ada)
    assert list((await firms.employments(contact_id=ada)).employments) == [changed]


async def test_people_are_counted_and_not_employments(firms: Firms, as_superuser: Connection) -> None:
    engines = (await firms.create()).id
    people = [(await firms.book.create(given_name=name)).id for name in "ABCDE"]
    assert await firms.counts(engines) == (0, 0)
    for contact, current in zip("0012334", (True, False, True, False, False, False, True), strict=True):
        await firms.employ(people[int(contact)], engines, current=current)
    assert await firms.counts(engines) == (3, 2)
    [listed] = (await firms.page()).organizations
    assert (listed.current_contact_count, listed.former_contact_count) == (3, 2)
    etag = listed.etag
    await firms.book.delete(people[0])
    await restrict(as_superuser, people[2])
    assert await firms.counts(engines) == (2, 1)
    await firms.book.undelete(people[0])
    await restrict(as_superuser, people[2], False)
    assert await firms.counts(engines) == (3, 2)
    assert (await firms.get(engines)).etag == etag


async def test_the_id_of_a_merged_contact_stands_for_the_one_that_survived(
    firms: Firms, as_superuser: Connection
) -> None:
    ada, engines = await ada_and_engines(firms)
    merged = await firms.book.create(given_name="Augusta")
    await merge_by_hand(as_superuser, firms.tenant, merged.id, ada)
    added = await firms.employ(merged.id, engines, job_title="Programmer")
    assert (added.contact_id, added.contact.display_name) == (ada, "Ada Lovelace")
    for either in (ada, merged.id):
        assert list((await firms.employments(contact_id=either)).employments) == [added]


async def test_an_employment_added_while_its_organization_is_deleted_is_hidden_or_refused(
    firms: Firms, database: Database
) -> None:
    ada, engines = await ada_and_engines(firms)
    tenant = tenant_of(firms.tenant)
    async with database.connect("pmcrm_contacts") as conn:
        await conn.execute(f"BEGIN; SET LOCAL app.current_user_id = '{tenant}'")
        await conn.execute("UPDATE organizations SET deleted_at = now() WHERE id = $1::uuid", engines)
        adding = asyncio.create_task(failure(firms.employ(ada, engines)))
        await asyncio.sleep(0.2)
        assert not adding.done(), "it waits for what becomes of the organization"
        await conn.execute("COMMIT")
    assert (await adding).reason == "ORGANIZATION_NOT_FOUND"
    assert list((await firms.employments(contact_id=ada, show_deleted=True)).employments) == []


async def test_adding_and_deleting_at_once_ends_in_one_of_two_ways(firms: Firms) -> None:
    ada = (await firms.book.create(given_name="Ada")).id
    for _ in range(10):
        firm = await firms.create("Example")
        added, deleted = await asyncio.gather(
            firms.employ(ada, firm.id, current=True), firms.delete(firm.id), return_exceptions=True
        )
        assert isinstance(deleted, Organization)
        assert list((await firms.employments(contact_id=ada)).employments) == []
        listed = list((await firms.employments(organization_id=firm.id, show_deleted=True)).employments)
        assert [each.id for each in listed] == ([added.id] if isinstance(added, Employment) else [])
