"""The rule `duplicate`: likely one person, by what two contacts share, of which nothing is told but what it is."""

from __future__ import annotations

import uuid

import pytest

from services.insights.rules import duplicate
from services.insights.rules.duplicate import RULE
from tests.services.contacts.merge_calls import Shelf, merge
from tests.services.insights.restricting import restrict
from tests.suite import tenant_of

EMAIL = "ada@example.com"
PHONE = "+442079460001"


async def twins(book, **fields):
    """Two contacts with one address, the one with the smaller id first."""
    made = await book.create_many(
        {"given_name": "Ada", "family_name": "Lovelace", "emails": [{"value": EMAIL}]} | fields,
        {"given_name": "A.", "family_name": "Lovelace", "emails": [{"value": EMAIL.upper()}]} | fields,
    )
    return sorted(made, key=lambda each: each.id)


async def test_two_contacts_with_one_address_are_likely_one_person(book, asker):
    one, other = await twins(book)
    await book.create(given_name="Grace", family_name="Hopper", emails=[{"value": "grace@example.com"}])
    [found] = await asker.ask(RULE)
    assert [str(each) for each in found.contact_ids] == [one.id, other.id]
    assert found.key == (one.id, other.id)
    assert [(each.type, str(each.id)) for each in found.evidence] == [("CONTACT", one.id), ("CONTACT", other.id)]
    assert found.evidence[0].detail.startswith("same e-mail address")
    assert found.confidence >= duplicate.LIKELY
    assert found.facts["score"] == found.confidence


async def test_nothing_says_which_address_or_number_they_share(book, asker):
    await twins(book, phones=[{"value": PHONE}])
    [found] = await asker.ask(RULE)
    said = f"{found.body} {found.title} {found.key} {found.facts} {[each.detail for each in found.evidence]}".lower()
    assert "same phone number" in said
    assert EMAIL not in said
    assert "example.com" not in said
    assert PHONE[-7:] not in said
    assert "lovelace" not in f"{found.facts} {found.key}".lower()


@pytest.mark.parametrize("which", [0, 1])
async def test_it_is_the_same_finding_whichever_contact_is_asked_about(book, asker, which):
    made = await twins(book)
    everybody = await asker.ask(RULE)
    assert await asker.ask(RULE, of=[made[which].id]) == everybody
    assert await asker.ask(RULE, of=[each.id for each in made]) == everybody


async def test_asked_about_many_contacts_it_searches_everybody_and_tells_of_these_alone(book, asker, monkeypatch):
    monkeypatch.setattr(duplicate, "ASKED_ONE_BY_ONE", 0)
    one, _ = await twins(book)
    grace = await book.create(given_name="Grace")
    assert len(await asker.ask(RULE, of=[one.id])) == 1
    assert await asker.ask(RULE, of=[grace.id]) == []


async def test_asked_about_nobody_it_finds_nothing(book, asker):
    await twins(book)
    assert await asker.ask(RULE, of=[]) == []


async def test_a_common_name_alone_is_too_little(book, asker):
    await book.create_many(*({"given_name": "Ada", "family_name": "Lovelace"} for _ in range(2)))
    assert await asker.ask(RULE) == []


async def test_a_colleague_at_the_same_switchboard_is_another_person(book, asker):
    switchboard = {"phones": [{"value": PHONE}], "organization_name": "Analytical Engines"}
    await book.create_many(
        {"given_name": "Ada", "family_name": "Lovelace"} | switchboard,
        {"given_name": "Grace", "family_name": "Hopper"} | switchboard,
    )
    assert await asker.ask(RULE) == []


async def test_who_is_linked_is_known_to_be_two_people(book, asker, as_superuser):
    mother, daughter = await twins(book)
    shelf = Shelf(as_superuser, book)
    link = await shelf.link(daughter.id, mother.id, "PARENT")
    assert await asker.ask(RULE) == []
    assert await asker.ask(RULE, of=[mother.id]) == []
    await as_superuser.execute("UPDATE contact_links SET deleted_at = now() WHERE id = $1", uuid.UUID(link))
    assert len(await asker.ask(RULE)) == 1


async def test_once_merged_they_are_found_no_more(book, asker):
    one, other = await twins(book)
    await merge(book, one.id, other.id)
    assert await asker.ask(RULE) == []
    assert await asker.ask(RULE, of=[one.id]) == []


async def test_deleted_contacts_are_in_no_pair(book, asker):
    one, other = await twins(book)
    await book.delete(one.id)
    assert await asker.ask(RULE) == []
    assert await asker.ask(RULE, of=[other.id]) == []
    await book.undelete(one.id)
    assert len(await asker.ask(RULE)) == 1


async def test_restricted_contacts_are_in_no_pair(book, asker, as_superuser):
    one, other = await twins(book)
    await restrict(as_superuser, book.tenant, one.id)
    assert await asker.ask(RULE) == []
    assert await asker.ask(RULE, of=[other.id]) == []
    assert await asker.ask(RULE, of=[one.id]) == []


async def test_two_tenants_with_the_same_contacts_have_pairs_of_their_own(book, bobs, asker, bobs_asker):
    await twins(book)
    his = await twins(bobs)
    assert tenant_of(book.tenant) != tenant_of(bobs.tenant)
    [found] = await bobs_asker.ask(RULE)
    assert [str(each) for each in found.contact_ids] == [each.id for each in his]
    assert len(await asker.ask(RULE)) == 1
    assert await asker.ask(RULE, of=[his[0].id]) == []


async def test_names_of_any_length_leave_the_title_one_short_line(book, asker):
    await book.create_many(
        *({"given_name": "Ada\u2028" + "a" * 190, "family_name": "L", "emails": [{"value": EMAIL}]} for _ in range(2))
    )
    [found] = await asker.ask(RULE)
    assert len(found.title) <= 200
