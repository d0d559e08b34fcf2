"""ImportContacts ties contacts whose records name each other, when all of the file's contacts are there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import contact_transfer_pb2 as transfer_pb
from pmcrm.contacts.v1.contact_link_pb2 import ContactLinkType
from pmcrm.type.v1.error_reason_pb2 import ErrorReason

from services.contacts import importing
from tests.postgres import Connection
from tests.services.contacts.calls import Book
from tests.services.contacts.transfers import all_contacts, card, exported, imported, parts
from tests.suite import Client, Metadata, tenant_of

LEFT_OUT = ErrorReason.ERROR_REASON_IMPORT_VALUE_LEFT_OUT
ADA_UID, EVE_UID = "0190a5d2-7c3e-7b1f-9d52-3f7c8e21ab01", "0190a5d2-7c3e-7b1f-9d52-3f7c8e21ab02"
EVE = card("UID:eve", "FN:Eve")


async def ties(client: Client, tenant: Metadata, name: str) -> list[tuple[str, str, str]]:
    """Type, other contact and label of a contact's links, in the order of the others' names."""
    [contact] = [contact for contact in await all_contacts(client, tenant) if contact.display_name == name]
    request = pb.ListContactLinksRequest(contact_id=contact.id, page_size=1000)
    links = (await client.contacts.ListContactLinks(request, metadata=tenant)).links
    prefix = len("CONTACT_LINK_TYPE_")
    return sorted(
        (ContactLinkType.Name(link.type)[prefix:], link.related_contact.display_name, link.label) for link in links
    )


async def lines_of(client: Client, tenant: Metadata, name: str) -> list[str]:
    [contact] = [contact for contact in await all_contacts(client, tenant) if contact.display_name == name]
    return list(contact.extra_properties)


def related(words: str, uid: str = "urn:x:eve") -> str:
    return f"RELATED;TYPE={words}:{uid}" if words else f"RELATED:{uid}"


@pytest.mark.parametrize(
    ("words", "type_", "reverse", "label"),
    [
        ("spouse", "SPOUSE", "SPOUSE", ""),
        ("sweetheart", "PARTNER", "PARTNER", ""),
        ("date", "PARTNER", "PARTNER", ""),
        ("sibling", "SIBLING", "SIBLING", ""),
        ("kin", "RELATIVE", "RELATIVE", ""),
        ("friend,pref", "FRIEND", "FRIEND", ""),
        ("met", "ACQUAINTANCE", "ACQUAINTANCE", ""),
        ("co-worker", "COLLEAGUE", "COLLEAGUE", ""),
        ("co-resident", "NEIGHBOR", "NEIGHBOR", ""),
        ("PARENT", "PARENT", "CHILD", ""),
        ("child", "CHILD", "PARENT", ""),
        ("x-manager", "MANAGER", "REPORT", ""),
        ("x-report", "REPORT", "MANAGER", ""),
        ("x-introduced-by", "INTRODUCED_BY", "INTRODUCED", ""),
        ("x-introduced", "INTRODUCED", "INTRODUCED_BY", ""),
        ("x-assistant", "ASSISTANT", "ASSISTED", ""),
        ("x-assisted", "ASSISTED", "ASSISTANT", ""),
        ("emergency", "OTHER", "OTHER", "emergency"),
        ("", "OTHER", "OTHER", ""),
    ],
)
async def test_a_related_card_is_a_link_that_says_what_the_other_one_is(
    client: Client, alice: Metadata, words: str, type_: str, reverse: str, label: str
) -> None:
    content = card("FN:Ada", related(words), version="4.0") + card("UID:urn:x:eve", "FN:Eve", version="4.0")
    result = await imported(client, alice, content)
    assert (result.counts, result.notices) == ((2, 0, 0, 0), [])
    assert await ties(client, alice, "Ada") == [(type_, "Eve", label)]
    assert await ties(client, alice, "Eve") == [(reverse, "Ada", label)]
    assert await lines_of(client, alice, "Ada") == []


@pytest.mark.parametrize("written", [EVE_UID, f"urn:uuid:{EVE_UID}", EVE_UID.upper(), f"URN:UUID:{EVE_UID.upper()}"])
@pytest.mark.parametrize("uid", [EVE_UID, f"urn:uuid:{EVE_UID}", EVE_UID.upper()])
async def test_a_uid_may_be_written_with_and_without_urn_and_in_any_case(
    client: Client, alice: Metadata, written: str, uid: str
) -> None:
    await imported(client, alice, card("FN:Ada", related("friend", written)) + card(f"UID:{uid}", "FN:Eve"))
    assert await ties(client, alice, "Ada") == [("FRIEND", "Eve", "")]


async def test_a_contact_may_be_named_by_its_id(client: Client, book: Book) -> None:
    eve = await book.create(given_name="Eve")
    await imported(client, book.tenant, card("FN:Ada", related("friend", f"urn:uuid:{eve.id}")))
    assert await ties(client, book.tenant, "Ada") == [("FRIEND", "Eve", "")]


async def test_several_types_are_several_links_and_a_label_of_apples_is_the_links(
    client: Client, alice: Metadata
) -> None:
    content = card(
        *("FN:Ada", "RELATED;TYPE=friend;TYPE=colleague:urn:x:eve"),
        *("item1.RELATED;TYPE=emergency:urn:x:eve", "item1.X-ABLabel:Godmother"),
        *("item2.RELATED:urn:x:bob", "item2.X-ABLabel:_$!<Spouse>!$_"),
    )
    await imported(client, alice, content + card("UID:urn:x:eve", "FN:Eve") + card("UID:urn:x:bob", "FN:Bob"))
    assert await ties(client, alice, "Ada") == [
        *(("COLLEAGUE", "Eve", ""), ("FRIEND", "Eve", "")),
        *(("OTHER", "Eve", "Godmother"), ("SPOUSE", "Bob", "")),
    ]
    assert await lines_of(client, alice, "Ada") == []


async def test_names_of_related_people_are_kept_as_they_came(client: Client, alice: Metadata) -> None:
    lines = [
        *("RELATED;TYPE=spouse;VALUE=text:Eve", "RELATED;TYPE=friend:Eve", "item1.X-ABRELATEDNAMES:Eve"),
        "item1.X-ABLabel:_$!<Spouse>!$_",
    ]
    result = await imported(client, alice, card("FN:Ada", *lines) + EVE)
    assert result.notices == []
    assert await lines_of(client, alice, "Ada") == lines
    file = await exported(client, alice)
    assert all(line.encode() in file.content for line in lines)
    other = await client.new_tenant(display_name="Empty", default_region="GB")
    await imported(client, other, file.content)
    assert await lines_of(client, other, "Ada") == lines


async def test_both_cards_may_say_the_same_tie(client: Client, alice: Metadata) -> None:
    content = (
        card("UID:urn:x:ada", "FN:Ada", related("parent"), related("friend"))
        + card("UID:urn:x:eve", "FN:Eve", related("child", "urn:x:ada"), related("friend", "urn:x:ada"))
    )  # fmt: skip
    assert (await imported(client, alice, content)).counts == (2, 0, 0, 0)
    assert await ties(client, alice, "Ada") == [("FRIEND", "Eve", ""), ("PARENT", "Eve", "")]


async def test_a_tie_to_nobody_is_kept_as_it_came_and_named_and_the_same_file_again_changes_nothing(
    client: Client, alice: Metadata
) -> None:
    content = card("UID:a", "FN:Ada", "X-FOO:bar", "item7.RELATED;TYPE=friend:urn:x:eve", "item7.X-ABLabel:Pal")
    result = await imported(client, alice, content)
    assert [(n.code, n.field, bool(n.contact_id)) for n in result.notices] == [(LEFT_OUT, "links", True)]
    lines = ["X-FOO:bar", "item7.RELATED;TYPE=friend:urn:x:eve", "item7.X-ABLabel:Pal"]
    assert await lines_of(client, alice, "Ada") == lines
    before = await all_contacts(client, alice)
    again = await imported(client, alice, content)
    assert (again.counts, again.notices) == ((0, 0, 1, 0), [])
    assert await all_contacts(client, alice) == before
    # A change of something else leaves it where it is.
    await imported(client, alice, content.replace(b"X-FOO:bar", b"X-FOO:new"))
    assert await lines_of(client, alice, "Ada") == ["X-FOO:new", *lines[1:]]


async def test_a_tie_to_nobody_is_made_when_the_other_has_come_and_the_same_file_comes_again(
    client: Client, alice: Metadata
) -> None:
    content = card("UID:a", "FN:Ada", related("friend"))
    await imported(client, alice, content)
    await imported(client, alice, card("UID:urn:x:eve", "FN:Eve"))
    assert await ties(client, alice, "Ada") == []
    assert (await imported(client, alice, content, dry_run=True)).counts == (0, 1, 0, 0)
    assert (await imported(client, alice, content)).counts == (0, 1, 0, 0)
    assert await ties(client, alice, "Ada") == [("FRIEND", "Eve", "")]
    assert await lines_of(client, alice, "Ada") == []
    assert (await imported(client, alice, content)).counts == (0, 0, 1, 0)


async def test_a_tie_removed_by_hand_stays_removed_when_the_same_file_is_imported_again(
    client: Client, alice: Metadata
) -> None:
    content = card("UID:a", "FN:Ada", related("friend"), related("kin", "urn:x:nobody")) + card(
        "UID:urn:x:eve", "FN:Eve"
    )
    await imported(client, alice, content)
    [ada] = [contact for contact in await all_contacts(client, alice) if contact.display_name == "Ada"]
    [link] = (
        await client.contacts.ListContactLinks(pb.ListContactLinksRequest(contact_id=ada.id), metadata=alice)
    ).links
    await client.contacts.UnlinkContacts(pb.UnlinkContactsRequest(id=link.id), metadata=alice)
    assert (await imported(client, alice, content)).counts == (0, 0, 2, 0)
    assert await ties(client, alice, "Ada") == []


async def test_a_changed_record_adds_its_new_ties(client: Client, alice: Metadata) -> None:
    eve = card("UID:urn:x:eve", "FN:Eve")
    await imported(client, alice, card("UID:a", "FN:Ada", related("friend")) + eve)
    changed = card("UID:a", "FN:Ada", related("friend"), related("x-manager")) + eve
    assert (await imported(client, alice, changed, dry_run=True)).counts == (0, 1, 1, 0)
    assert (await imported(client, alice, changed)).counts == (0, 1, 1, 0)
    assert await ties(client, alice, "Ada") == [("FRIEND", "Eve", ""), ("MANAGER", "Eve", "")]
    assert (await imported(client, alice, changed)).counts == (0, 0, 2, 0)


async def test_a_card_is_not_tied_to_itself(client: Client, alice: Metadata) -> None:
    result = await imported(client, alice, card("UID:urn:x:eve", "FN:Eve", related("friend")))
    assert [n.code for n in result.notices] == [LEFT_OUT]
    assert await ties(client, alice, "Eve") == []


async def test_a_restricted_contact_is_not_tied(client: Client, alice: Metadata, as_superuser: Connection) -> None:
    await imported(client, alice, card("UID:urn:x:eve", "FN:Eve"))
    await as_superuser.execute("UPDATE contacts SET processing_restricted = true WHERE user_id = $1", tenant_of(alice))
    result = await imported(client, alice, card("FN:Ada", related("friend")))
    assert [n.code for n in result.notices] == [LEFT_OUT]
    assert await lines_of(client, alice, "Ada") == [related("friend")]
    assert await as_superuser.fetchval("SELECT count(*) FROM contact_links WHERE user_id = $1", tenant_of(alice)) == 0


async def test_links_beyond_the_limit_are_kept_as_they_came_and_named(
    client: Client, alice: Metadata, as_superuser: Connection
) -> None:
    await imported(client, alice, b"".join(card(f"UID:urn:x:{n}", f"FN:{n}") for n in range(1001)))
    names = [related("friend", f"urn:x:{n}") for n in range(1001)]
    result = await imported(client, alice, card("UID:a", "FN:Ada", *names))
    assert [(n.code, n.field) for n in result.notices] == [(LEFT_OUT, "links")]
    assert len(await ties(client, alice, "Ada")) == 1000
    assert await lines_of(client, alice, "Ada") == [names[-1]]


async def test_ties_to_nobody_beyond_the_extra_properties_are_named(client: Client, alice: Metadata) -> None:
    result = await imported(client, alice, card("FN:Ada", *(related("kin", f"urn:x:{n}") for n in range(101))))
    assert [n.reason.endswith("than it may have") for n in result.notices] == [False] * 100 + [True]
    assert len(await lines_of(client, alice, "Ada")) == 100


async def test_a_dry_run_tells_the_same_of_ties_and_makes_none(
    client: Client, alice: Metadata, as_superuser: Connection
) -> None:
    await imported(client, alice, card("UID:a", "FN:Ada"))
    content = card("UID:a", "FN:Ada", related("friend"), related("kin", "urn:x:nobody"))
    content += card("UID:urn:x:eve", "FN:Eve", related("kin", "urn:x:nobody"))
    rehearsed = await imported(client, alice, content, dry_run=True)
    assert await as_superuser.fetchval("SELECT count(*) FROM contact_links WHERE user_id = $1", tenant_of(alice)) == 0
    assert await lines_of(client, alice, "Ada") == []
    result = await imported(client, alice, content)
    assert rehearsed.counts == result.counts == (1, 1, 0, 0)
    assert [n.reason for n in rehearsed.notices] == [n.reason for n in result.notices]
    assert len(result.notices) == 2


async def test_an_import_that_is_cut_off_before_its_ties_is_completed_by_importing_again(
    client: Client, alice: Metadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cards(*, named: bool) -> bytes:
        uids = [f"UID:{n}" if named else f"NICKNAME:{n}" for n in range(50)]
        found = b"".join(
            card(uids[n], f"FN:Person {n:02}", related("friend", "urn:x:hub"), related("kin", "urn:x:0"))
            for n in range(50)
        )
        return found + card("UID:urn:x:hub", "FN:Hub")

    for named in (True, False):
        tenant = await client.new_tenant(display_name="Cut off", default_region="GB")
        never_ending = asyncio.Event()

        async def begun(content: bytes, never: asyncio.Event) -> AsyncIterator[transfer_pb.ImportContactsRequest]:
            for part in parts(content, size=1 << 20):
                yield part
            await never.wait()

        monkeypatch.setattr(importing, "BATCH", 10)
        call = client.contacts.ImportContacts(begun(cards(named=named), never_ending), metadata=tenant)
        async for response in call:
            if response.HasField("progress") and response.progress.processed >= 30:
                break
        call.cancel()
        assert not any([await ties(client, tenant, f"Person {n:02}") for n in range(30)])
        result = await imported(client, tenant, cards(named=named))
        assert result.summary.created + result.summary.updated == 51
        assert result.summary.updated >= 30
        for n in range(50):
            assert await ties(client, tenant, f"Person {n:02}") == [("FRIEND", "Hub", "")]
            assert await lines_of(client, tenant, f"Person {n:02}") == [related("kin", "urn:x:0")]
        assert (await imported(client, tenant, cards(named=named))).counts == (0, 0, 51, 0)


async def test_two_imports_of_the_same_ties_at_once_make_each_once(client: Client, alice: Metadata) -> None:
    content = b"".join(
        card(f"UID:urn:x:{n}", f"FN:Person {n:02}", *(related("friend", f"urn:x:{m}") for m in range(20) if m != n))
        for n in range(20)
    )
    results = await asyncio.gather(*(imported(client, alice, content) for _ in range(3)))
    assert sum(result.summary.created for result in results) == 20
    assert len(await ties(client, alice, "Person 00")) == 19


async def test_ties_are_made_while_others_link_and_delete(client: Client, book: Book) -> None:
    people = [await book.create(given_name=f"P{n}", source_uid=f"urn:x:{n}") for n in range(30)]
    content = b"".join(
        card(f"UID:urn:x:{n}", f"FN:P{n}", related("friend", f"urn:x:{(n + 1) % 30}")) for n in range(30)
    )

    async def others() -> None:
        for n in range(0, 30, 3):
            await book.delete(people[n].id)

    result, _ = await asyncio.gather(imported(client, book.tenant, content), others())
    assert result.summary.failed == 0
    # Whatever came first, the records are known now.
    await imported(client, book.tenant, content)
    assert (await imported(client, book.tenant, content)).counts == (0, 0, 30, 0)


async def test_another_tenants_contacts_are_nobody(client: Client, book: Book, bobs: Book) -> None:
    eve = await bobs.create(given_name="Eve", source_uid="urn:x:eve")
    content = card("UID:a", "FN:Ada", related("friend"), related("kin", f"urn:uuid:{eve.id}"))
    result = await imported(client, book.tenant, content)
    random = await imported(
        client, (await client.new_tenant(display_name="R", default_region="GB")), content.replace(eve.id.encode(), b"x")
    )
    assert [n.reason for n in result.notices] == [n.reason for n in random.notices]
    assert await ties(client, book.tenant, "Ada") == []
    assert await bobs.get(eve.id) == eve
    assert (
        await bobs.stub.ListContactLinks(pb.ListContactLinksRequest(contact_id=eve.id), metadata=bobs.tenant)
    ).links == []
