"""ExportData of one contact: everything about it, whatever it was merged from, and nothing about others."""

from __future__ import annotations

import pytest_asyncio
from icalendar import Calendar
from pmcrm.contacts.v1 import contact_merge_pb2 as merges_pb
from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb

from services.gdpr.exporting.catalog_privacy import TABLES
from tests.database.rows import add_tenant
from tests.postgres import bound
from tests.services.contacts.calls import NOBODY
from tests.services.gdpr.export_calls import ACCESS, PORTABILITY, export
from tests.suite import as_tenant, failure

# Of the account, and not of any contact.
OF_THE_ACCOUNT = {"users", "login_emails", "integrations", "embedding_models"}
OF_BERTHA = ("contacts", "contact_strengths", "contact_links", "interactions", "interaction_participants")


@pytest_asyncio.fixture
async def full(database):
    """A tenant with a row in every table about Anna, and Bertha to whom she is linked."""
    async with database.connect() as conn:
        tenant = await add_tenant(conn)
        async with bound(conn, tenant.id):
            await conn.execute(
                """
                INSERT INTO interaction_participants (user_id, interaction_id, contact_id)
                SELECT $1, $2, id FROM contacts WHERE user_id = $1 AND display_name = 'Bertha'
                """,
                tenant.id,
                tenant.contact,
            )
    return tenant


async def test_every_table_about_it_is_in_its_export(gdpr, full):
    found = await export(gdpr.subjects, as_tenant(full.id), ACCESS, full.contact)
    assert set(found.manifest.tables) == {table.name for table in TABLES}
    assert {name for name, table in found.manifest.tables.items() if not table.row_count} == OF_THE_ACCOUNT


async def test_others_are_in_it_by_their_ids_alone(gdpr, full):
    found = await export(gdpr.subjects, as_tenant(full.id), ACCESS, full.contact)
    assert b"Bertha" not in found.everything()
    assert [row["contact_id"] for row in found.rows("interaction_participants")] == [str(full.contact)]
    [link] = found.rows("contact_links")
    assert link["related_contact_id"] != str(full.contact)


async def test_nothing_about_others_is_in_it(gdpr, full, database):
    async with database.connect() as conn:
        bertha = await conn.fetchval("SELECT id FROM contacts WHERE user_id = $1 AND display_name = 'Bertha'", full.id)
    found = await export(gdpr.subjects, as_tenant(full.id), ACCESS, bertha)
    held = {name for name, table in found.manifest.tables.items() if table.row_count}
    assert held == {*OF_BERTHA, "audit_logs"}
    assert {row["subject_id"] for row in found.rows("audit_logs")} == {str(bertha)}


async def test_the_id_of_a_merged_contact_stands_for_both(gdpr, book, alice):
    ada, twin, other = await book.create_many(
        {"given_name": "Ada", "birthday": {"month": 12, "day": 10}}, {"given_name": "Adah"}, {"given_name": "Grace"}
    )
    await book.stub.MergeContacts(merges_pb.MergeContactsRequest(id=ada.id, duplicate_ids=[twin.id]), metadata=alice)
    by_twin = await export(gdpr.subjects, alice, PORTABILITY, twin.id)
    by_ada = await export(gdpr.subjects, alice, PORTABILITY, ada.id)
    assert by_twin.manifest.files == by_ada.manifest.files
    assert {row["id"] for row in by_twin.rows("contacts")} == {ada.id, twin.id}
    assert [row["contact_id"] for row in by_twin.rows("contact_redirects")] == [twin.id]
    assert len(by_twin.rows("contact_merges")) == 1
    cards = by_twin.file("contacts.vcf").decode()
    assert cards.count("BEGIN:VCARD") == 1
    [event] = Calendar.from_ical(by_twin.file("calendar.ics")).walk("VEVENT")
    assert event["UID"] == f"birthday-{ada.id}@pmcrm"
    assert other.id.encode() not in by_twin.everything()


async def test_deleted_and_restricted_contacts_are_exported(database, gdpr, book, alice):
    gone, restricted = await book.create_many({"given_name": "Ada"}, {"given_name": "Grace"})
    await book.delete(gone.id)
    async with database.connect() as conn:
        await conn.execute("UPDATE contacts SET processing_restricted = true WHERE id = $1::text::uuid", restricted.id)
    for contact in (gone, restricted):
        found = await export(gdpr.subjects, alice, ACCESS, contact.id)
        assert [row["id"] for row in found.rows("contacts")] == [contact.id]
        assert contact.given_name in found.file("contacts.vcf").decode()
    everything = await export(gdpr.subjects, alice)
    assert "FN:Grace" in everything.file("contacts.vcf").decode()
    assert {row["id"] for row in everything.rows("contacts")} == {gone.id, restricted.id}


async def test_a_contact_that_there_is_not_is_not_found(gdpr, alice):
    refused = await failure(gdpr.subjects.ExportData(pb.ExportDataRequest(contact_id=NOBODY), metadata=alice).read())
    assert (refused.code.name, refused.reason) == ("NOT_FOUND", "CONTACT_NOT_FOUND")
    assert NOBODY in refused.message
