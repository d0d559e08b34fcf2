"""ImportContacts gives contacts the tags and employments that their records name."""

from __future__ import annotations

from typing import Any

import pytest
from pmcrm.contacts.v1 import organization_service_pb2 as organization_pb
from pmcrm.contacts.v1.employment_pb2 import Employment
from pmcrm.type.v1.error_reason_pb2 import ErrorReason

from shared.database import Row, Transaction
from shared.queries import Query
from tests.postgres import Connection
from tests.services.contacts.calls import Book
from tests.services.contacts.organization_calls import Firms
from tests.services.contacts.tag_calls import Labels
from tests.services.contacts.transfers import all_contacts, card, imported
from tests.suite import Client, Metadata, tenant_of

LEFT_OUT = ErrorReason.ERROR_REASON_IMPORT_VALUE_LEFT_OUT


@pytest.fixture
def firms(client: Client, alice: Metadata) -> Firms:
    return Firms(client, alice)


@pytest.fixture
def labels(client: Client, alice: Metadata) -> Labels:
    return Labels(client, alice)


async def employments(client: Client, tenant: Metadata, contact_id: str) -> list[Employment]:
    """All of a contact's, the oldest first."""
    request = organization_pb.ListEmploymentsRequest(contact_id=contact_id, page_size=1000, order_by="create_time")
    return list((await client.organizations.ListEmployments(request, metadata=tenant)).employments)


async def shown(client: Client, tenant: Metadata) -> list[tuple[str, str, str, bool]]:
    """Organization, job title and department of the only contact's employments, and whether they go on."""
    [contact] = await all_contacts(client, tenant)
    return [
        (e.organization_name, e.job_title, e.department, e.current)
        for e in await employments(client, tenant, contact.id)
    ]


async def rows(conn: Connection, tenant: Metadata, table: str) -> Any:
    return await conn.fetch(f"SELECT * FROM {table} WHERE user_id = $1 ORDER BY 1, 2, 3", tenant_of(tenant))


async def test_categories_become_tags_and_a_tag_is_found_whatever_its_case(
    client: Client, alice: Metadata, labels: Labels
) -> None:
    friends = await labels.create("Friends")
    content = card("FN:Ada", "CATEGORIES:FRIENDS,a\\, b,  Two  Words ") + card("FN:Eve", "CATEGORIES:friends,two words")
    assert (await imported(client, alice, content)).notices == []
    ada, eve = await all_contacts(client, alice)
    assert {tag.name for tag in ada.tags} == {"Friends", "a, b", "Two  Words"}
    assert {tag.id for tag in eve.tags} <= {tag.id for tag in ada.tags}
    assert friends.id in {tag.id for tag in eve.tags}
    assert list(ada.extra_properties) == []


async def test_an_import_adds_tags_and_takes_none_off(client: Client, alice: Metadata, labels: Labels) -> None:
    await imported(client, alice, card("UID:u", "FN:Ada", "CATEGORIES:friends"))
    [ada] = await all_contacts(client, alice)
    await labels.modify([ada.id], add=[(await labels.create("By hand")).id])
    result = await imported(client, alice, card("UID:u", "FN:Ada", "CATEGORIES:maths"))
    assert result.counts == (0, 1, 0, 0)
    [ada] = await all_contacts(client, alice)
    assert {tag.name for tag in ada.tags} == {"friends", "By hand", "maths"}


async def test_a_deleted_tag_is_not_looked_for(client: Client, alice: Metadata, labels: Labels) -> None:
    deleted = await labels.create("friends")
    await labels.delete(deleted.id)
    await imported(client, alice, card("FN:Ada", "CATEGORIES:friends"))
    [ada] = await all_contacts(client, alice)
    assert [tag.name for tag in ada.tags] == ["friends"]
    assert ada.tags[0].id != deleted.id


async def test_a_tag_taken_off_by_hand_stays_off_when_the_same_file_is_imported_again(
    client: Client, alice: Metadata, labels: Labels
) -> None:
    content = card("UID:u", "FN:Ada", "CATEGORIES:friends", "ORG:Example")
    await imported(client, alice, content)
    [ada] = await all_contacts(client, alice)
    await labels.modify([ada.id], remove=[ada.tags[0].id])
    assert (await imported(client, alice, content)).counts == (0, 0, 1, 0)
    assert not (await all_contacts(client, alice))[0].tags


async def test_tags_beyond_the_limits_are_left_out_and_named(client: Client, alice: Metadata) -> None:
    many = ",".join(f"tag {number}" for number in range(101))
    result = await imported(client, alice, card("FN:Ada", f"CATEGORIES:{many}", f"CATEGORIES:{'x' * 101}"))
    assert [(n.code, n.field) for n in result.notices] == [(LEFT_OUT, "tags.name"), (LEFT_OUT, "tags")]
    [ada] = await all_contacts(client, alice)
    assert len(ada.tags) == 100
    content = b"".join(
        card(f"FN:Person {person}", "CATEGORIES:" + ",".join(f"{person} {number}" for number in range(90)))
        for person in range(11)
    )
    rehearsed = await imported(client, alice, content, dry_run=True)
    result = await imported(client, alice, content)
    assert {(n.code, n.field) for n in result.notices} == {(LEFT_OUT, "tags")}
    assert len(rehearsed.notices) == len(result.notices) == 90  # 1 000 - 100 - 10 * 90 = 0
    assert sum(len(contact.tags) for contact in await all_contacts(client, alice)) == 1000


async def test_the_organization_of_a_card_is_found_by_name_or_made_and_employs_the_contact_now(
    client: Client, alice: Metadata, firms: Firms
) -> None:
    oldest = await firms.create("Example  Ltd")
    await firms.create("example ltd")
    content = card("FN:Ada", "ORG:EXAMPLE Ltd;Research;Lab 2", "TITLE:Analyst") + card(
        "FN:Eve", "ORG:Other", "ROLE:Clerk"
    )
    await imported(client, alice, content)
    ada, eve = await all_contacts(client, alice)
    assert (ada.organization_name, ada.job_title) == ("EXAMPLE Ltd", "Analyst")
    [of_ada] = await employments(client, alice, ada.id)
    assert (of_ada.organization_id, of_ada.job_title, of_ada.department) == (oldest.id, "Analyst", "Research, Lab 2")
    assert of_ada.current
    assert (eve.current_organization.name, eve.current_organization.job_title) == ("Other", "Clerk")


async def test_several_organizations_of_a_record_are_employments_each(client: Client, alice: Metadata) -> None:
    lines = (
        "FN:Ada",
        "ORG:One",
        "TITLE:Analyst",
        "ORG:Two;Board",
        "ORG:ONE;Research",
        "item1.ORG:Three",
        "item1.TITLE:Chair",
    )
    await imported(client, alice, card(*lines))
    assert await shown(client, alice) == [
        ("One", "Analyst", "Research", True),
        ("Two", "", "Board", True),
        ("Three", "Chair", "", True),
    ]


async def test_the_card_of_an_organization_employs_nobody(client: Client, alice: Metadata) -> None:
    await imported(client, alice, card("FN:Example", "ORG:Example", "X-ABShowAs:COMPANY"))
    assert await shown(client, alice) == []


async def test_googles_further_organizations_are_employments(client: Client, alice: Metadata) -> None:
    header = "Given Name,Family Name,Organization 1 - Name,Organization 1 - Title,Organization 1 - Department"
    header += ",Organization 2 - Name,Organization 2 - Title"
    result = await imported(client, alice, f"{header}\nAda,Lovelace,One,Analyst,Research,Two,Chair\n".encode())
    assert result.notices == []
    assert await shown(client, alice) == [("One", "Analyst", "Research", True), ("Two", "Chair", "", True)]


async def test_when_the_organization_of_a_record_has_changed_the_former_employment_has_ended(
    client: Client, alice: Metadata
) -> None:
    await imported(client, alice, card("UID:u", "FN:Ada", "ORG:One", "TITLE:Analyst"))
    result = await imported(client, alice, card("UID:u", "FN:Ada", "ORG:Two", "TITLE:Director"))
    assert result.counts == (0, 1, 0, 0)
    assert await shown(client, alice) == [("One", "Analyst", "", False), ("Two", "Director", "", True)]
    [ada] = await all_contacts(client, alice)
    assert not (await employments(client, alice, ada.id))[0].HasField("end_date")


async def test_a_new_title_in_the_same_organization_is_the_employments_as_well(client: Client, alice: Metadata) -> None:
    await imported(client, alice, card("UID:u", "FN:Ada", "ORG:One", "TITLE:Analyst"))
    await imported(client, alice, card("UID:u", "FN:Ada", "ORG:ONE", "TITLE:Director"))
    assert await shown(client, alice) == [("One", "Director", "", True)]


async def test_employments_of_ones_own_are_not_touched_by_cards(client: Client, alice: Metadata, firms: Firms) -> None:
    await imported(client, alice, card("UID:u", "FN:Ada", "NOTE:x"))
    [ada] = await all_contacts(client, alice)
    firm = await firms.create("One")
    await firms.employ(ada.id, firm.id, job_title="Chair", current=True)
    await firms.employ(ada.id, (await firms.create("Zero")).id, job_title="Clerk", current=True)
    await imported(client, alice, card("UID:u", "FN:Ada", "ORG:one", "TITLE:Analyst"))
    assert await shown(client, alice) == [("One", "Chair", "", True), ("Zero", "Clerk", "", True)]


async def test_employments_beyond_the_limit_are_left_out_and_named(
    client: Client, alice: Metadata, as_superuser: Connection, firms: Firms
) -> None:
    await imported(client, alice, card("UID:u", "FN:Ada"))
    [ada] = await all_contacts(client, alice)
    firm = await firms.create("One")
    await as_superuser.execute(
        "INSERT INTO contact_employments (user_id, contact_id, organization_id)"
        " SELECT $1, $2, $3 FROM generate_series(1, 199)",
        *(tenant_of(alice), ada.id, firm.id),
    )
    result = await imported(client, alice, card("UID:u", "FN:Ada", "ORG:Two", "ORG:Three"))
    assert [(n.code, n.field) for n in result.notices] == [(LEFT_OUT, "employments")]
    assert len(await employments(client, alice, ada.id)) == 200


async def test_lines_of_ours_alone_say_what_the_employments_are(client: Client, alice: Metadata) -> None:
    line = 'X-PMCRM-EMPLOYMENT:{"organization":"%s"\\,"job_title":"Analyst"\\,"start":"2019-03"%s}'
    await imported(client, alice, card("UID:u", "FN:Ada", "ORG:Nowhere", line % ("One", ""), line % ("Two", "")))
    assert await shown(client, alice) == [("One", "Analyst", "", False), ("Two", "Analyst", "", False)]
    changed = card("UID:u", "FN:Ada", "ORG:Nowhere", line % ("ONE", '\\,"end":"2021"'), line % ("Three", ""))
    assert (await imported(client, alice, changed)).counts == (0, 1, 0, 0)
    [ada] = await all_contacts(client, alice)
    found = await employments(client, alice, ada.id)
    assert [(e.organization_name, e.start_date.year, e.end_date.year) for e in found] == [
        ("One", 2019, 2021),
        ("Two", 2019, 0),
        ("Three", 2019, 0),
    ]


async def test_what_is_impossible_in_an_employment_is_left_out_and_named(client: Client, alice: Metadata) -> None:
    line = 'X-PMCRM-EMPLOYMENT:{"organization":"%s"\\,"start":"2019"\\,"end":"2018"\\,"job_title":"%s"}'
    result = await imported(client, alice, card("FN:Ada", line % ("One", "x" * 201), line % ("y" * 201, "")))
    assert [n.field for n in result.notices] == [
        *("employments.job_title", "employments.end_date"),
        *("employments.organization", "employments.end_date"),
    ]
    assert await shown(client, alice) == [("One", "", "", False)]


async def test_a_line_of_ours_that_cannot_be_read_is_kept_as_it_came(client: Client, alice: Metadata) -> None:
    lines = ["X-PMCRM-EMPLOYMENT:{", 'X-PMCRM-LINK:{"type":"FOE"\\,"uid":"x"}', "X-PMCRM-LINK:[" + "[" * 5000]
    await imported(client, alice, card("FN:Ada", "ORG:One", *lines))
    [ada] = await all_contacts(client, alice)
    assert list(ada.extra_properties) == lines
    assert await shown(client, alice) == [("One", "", "", True)]


async def test_the_same_file_again_changes_nothing(client: Client, alice: Metadata, as_superuser: Connection) -> None:
    content = b"".join(
        card(f"FN:Person {number}", "ORG:Example;Research", "ORG:Other", "TITLE:Analyst", "CATEGORIES:a,b")
        for number in range(30)
    )
    tables = ("contacts", "tags", "contact_tags", "organizations", "contact_employments", "contact_links")
    await imported(client, alice, content)
    before = [await rows(as_superuser, alice, table) for table in tables]
    assert (await imported(client, alice, content)).counts == (0, 0, 30, 0)
    assert [await rows(as_superuser, alice, table) for table in tables] == before


async def test_a_dry_run_tells_the_same_and_writes_nothing(
    client: Client, alice: Metadata, as_superuser: Connection
) -> None:
    await imported(client, alice, card("UID:1", "FN:Ada", "ORG:One") + card("UID:2", "FN:Eve", "CATEGORIES:a"))
    content = (
        card("UID:1", "FN:Ada", "ORG:Two")
        + card("UID:2", "FN:Eve", "CATEGORIES:a,b")
        + card("UID:3", "FN:New", "ORG:Three", "CATEGORIES:c")
        + card("UID:3", "FN:New", "ORG:Three", "CATEGORIES:c")
    )
    tables = ("contacts", "tags", "contact_tags", "organizations", "contact_employments")
    before = [await rows(as_superuser, alice, table) for table in tables]
    rehearsed = await imported(client, alice, content, dry_run=True)
    assert [await rows(as_superuser, alice, table) for table in tables] == before
    assert rehearsed.counts == (await imported(client, alice, content)).counts == (1, 2, 1, 0)


async def test_two_tenants_that_import_the_same_file_share_nothing(
    client: Client, alice: Metadata, bob: Metadata
) -> None:
    content = card("UID:1", "FN:Ada", "ORG:Example", "CATEGORIES:friends")
    await imported(client, alice, content)
    before = await all_contacts(client, alice)
    await imported(client, bob, content)
    [bobs] = await all_contacts(client, bob)
    assert await all_contacts(client, alice) == before
    assert bobs.tags[0].id != before[0].tags[0].id
    assert bobs.current_organization.id != before[0].current_organization.id


async def test_a_restricted_contact_gets_nothing(client: Client, alice: Metadata, as_superuser: Connection) -> None:
    await imported(client, alice, card("UID:1", "FN:Ada"))
    await as_superuser.execute("UPDATE contacts SET processing_restricted = true WHERE user_id = $1", tenant_of(alice))
    result = await imported(client, alice, card("UID:1", "FN:Ada", "ORG:Example", "CATEGORIES:friends"))
    assert result.counts == (0, 0, 0, 1)
    assert await rows(as_superuser, alice, "tags") == await rows(as_superuser, alice, "contact_employments") == []


async def test_a_line_of_categories_from_before_becomes_tags_when_its_record_comes_again(
    client: Client, book: Book
) -> None:
    await book.create(given_name="Ada", source_uid="u", extra_properties=["X-FOO:bar", "CATEGORIES:a,b"])
    assert (await imported(client, book.tenant, card("UID:u", "FN:Ada", "CATEGORIES:a,b,c"))).counts == (0, 1, 0, 0)
    [ada] = await all_contacts(client, book.tenant)
    assert (list(ada.extra_properties), [tag.name for tag in ada.tags]) == (["X-FOO:bar"], ["a", "b", "c"])


async def test_what_an_import_hangs_on_contacts_is_audited(
    client: Client, alice: Metadata, as_superuser: Connection
) -> None:
    await imported(client, alice, card("UID:1", "FN:Ada", "ORG:One", "CATEGORIES:friends"))
    await imported(client, alice, card("UID:1", "FN:Ada", "ORG:Two", "CATEGORIES:friends"))
    entries = await as_superuser.fetch(
        "SELECT table_name, action, new_values FROM audit_logs WHERE user_id = $1 AND table_name <> 'contacts'"
        " AND table_name <> 'users' ORDER BY at, id",
        tenant_of(alice),
    )
    assert [(entry["table_name"], entry["action"]) for entry in entries] == [
        *(("tags", "INSERT"), ("contact_tags", "INSERT"), ("organizations", "INSERT")),
        *(("contact_employments", "INSERT"), ("organizations", "INSERT"), ("contact_employments", "INSERT")),
        ("contact_employments", "UPDATE"),
    ]
    assert entries[-1]["new_values"] == {"is_current": False}


async def test_a_batch_takes_about_as_many_statements_as_a_record(
    client: Client, alice: Metadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    fetch = Transaction.fetch

    async def counted(tx: Transaction, query: Query, *arguments: object) -> list[Row]:
        statements.append(query.name)
        return await fetch(tx, query, *arguments)

    monkeypatch.setattr(Transaction, "fetch", counted)

    async def statements_of(people: int, title: str) -> list[str]:
        statements.clear()
        content = b"".join(
            card(
                *(f"UID:urn:x:{n}", f"FN:Person {n}", f"TITLE:{title}", f"ORG:{title} {n}", f"CATEGORIES:{title} {n}"),
                f"RELATED;TYPE=friend:urn:x:{(n + 1) % people}",
            )
            for n in range(people)
        )
        assert (await imported(client, alice, content, size=1 << 20)).summary.failed == 0
        return list(statements)

    for title in ("Analyst", "Director"):
        few, many = await statements_of(3, title), await statements_of(150, title)
        assert 10 < len(few) < 30
        assert 10 < len(many) < 30
