"""ExportData: what is in the archive, for whom, and that it proves itself."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import uuid

import grpc
import pytest
from google.protobuf import json_format
from icalendar import Calendar
from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb

from services.gdpr.exporting.catalog_privacy import BY_NAME, NOT_EXPORTED, TABLES
from tests.database.rows import add_tenant
from tests.postgres import bound
from tests.services.gdpr.export_calls import ACCESS, PORTABILITY, export
from tests.suite import as_tenant, failure


@pytest.fixture
async def full(database):
    """A tenant with a row in every table."""
    async with database.connect() as conn:
        return await add_tenant(conn)


async def test_a_row_of_every_table_is_in_the_archive(gdpr, full):
    found = await export(gdpr.subjects, as_tenant(full.id))
    assert set(found.manifest.tables) == {table.name for table in TABLES}
    empty = {name for name, table in found.manifest.tables.items() if not table.row_count}
    assert empty == {"login_emails"}, "the tenant was made without one"
    for table in TABLES:
        for row in found.rows(table.name):
            assert set(row) == set(table.columns + table.inferred)


async def test_portability_is_without_what_was_inferred(gdpr, full):
    found = await export(gdpr.subjects, as_tenant(full.id), PORTABILITY)
    assert set(found.manifest.tables) == {table.name for table in TABLES if table.columns}
    assert not {"ai_insights", "embeddings", "consent_states", "audit_logs"} & set(found.manifest.tables)
    for name in found.manifest.tables:
        for row in found.rows(name):
            assert set(row) == set(BY_NAME[name].columns)
    assert set(found.rows("contact_strengths")[0]) == {"contact_id", "pinned"}
    assert b"embeddings" not in found.file("README.txt").split(b"What is in no export")[0]


async def test_the_manifest_counts_and_hashes_what_is_there(gdpr, full):
    found = await export(gdpr.subjects, as_tenant(full.id))
    names = set(found.zip.namelist())
    assert names == {*found.manifest.files, "manifest.json"}
    for name, digest in found.manifest.files.items():
        assert hashlib.sha256(found.file(name)).hexdigest() == digest
    for name, table in found.manifest.tables.items():
        assert len(found.rows(name)) == table.row_count
        assert found.manifest.files[f"data/{name}.json"] == table.sha256
    inside = json_format.Parse(found.file("manifest.json"), pb.ExportManifest())
    inside.archive_sha256 = found.manifest.archive_sha256
    assert inside == found.manifest
    assert json.loads(found.file("manifest.json"))["tables"]["login_emails"]["row_count"] == 0


async def test_equal_data_give_equal_bytes(gdpr, full):
    first = await export(gdpr.subjects, as_tenant(full.id), PORTABILITY)
    second = await export(gdpr.subjects, as_tenant(full.id), PORTABILITY)
    assert first.manifest.files == second.manifest.files
    assert first.manifest.tables == second.manifest.tables


async def test_a_table_is_csv_as_well(gdpr, full):
    found = await export(gdpr.subjects, as_tenant(full.id))
    for name, table in found.manifest.tables.items():
        rows = list(csv.DictReader(io.StringIO(found.file(f"csv/{name}.csv").decode(), newline="")))
        assert len(rows) == table.row_count
    [tag] = csv.DictReader(io.StringIO(found.file("csv/tags.csv").decode()))
    assert (tag["name"], tag["color"], tag["deleted_at"]) == ("Friends", "#aabbcc", "")


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t"])
async def test_no_spreadsheet_takes_a_text_for_a_formula(gdpr, book, alice, begin):
    text = begin + 'HYPERLINK("https://example.com")'
    await book.create(given_name="Ada", notes=text)
    found = await export(gdpr.subjects, alice, PORTABILITY)
    [row] = csv.DictReader(io.StringIO(found.file("csv/contacts.csv").decode(), newline=""))
    assert row["notes"] == "'" + text
    assert found.rows("contacts")[0]["notes"] == text


async def test_times_are_in_utc_and_durations_iso(database, gdpr, full):
    async with database.connect() as conn, bound(conn, full.id):
        await conn.execute(
            "UPDATE interactions SET occurred_at = '2026-03-08 02:30:00.123456+05:30', duration = '90 min' "
            "WHERE user_id = $1",
            full.id,
        )
    [row] = (await export(gdpr.subjects, as_tenant(full.id))).rows("interactions")
    assert (row["occurred_at"], row["duration"]) == ("2026-03-07T21:00:00.123456+00:00", "PT1H30M")


async def test_cards_and_events_are_beside_the_tables(gdpr, book, alice):
    await book.create(given_name="Ada", birthday={"month": 2, "day": 29})
    gone = await book.create(given_name="Grace")
    await book.delete(gone.id)
    found = await export(gdpr.subjects, alice, PORTABILITY)
    cards = found.file("contacts.vcf").decode()
    assert "FN:Ada" in cards
    assert "Grace" not in cards
    assert {row["given_name"] for row in found.rows("contacts")} == {"Ada", "Grace"}
    [event] = Calendar.from_ical(found.file("calendar.ics")).walk("VEVENT")
    assert event["SUMMARY"] == "Birthday of Ada"


async def test_the_readme_explains_every_file_table_and_column(gdpr, full):
    found = await export(gdpr.subjects, as_tenant(full.id))
    text = found.file("README.txt").decode()
    words = set(text.replace(",", " ").replace(":", " ").split())
    assert {name for name in found.zip.namelist() if "/" not in name and name != "README.txt"} <= words
    for table in TABLES:
        assert {table.name, *table.columns, *table.inferred, *table.left_out} <= words
    assert set(NOT_EXPORTED) <= words


async def test_no_token_is_in_an_export(database, gdpr, full):
    async with database.connect() as conn:
        await conn.execute(
            "UPDATE integrations SET credentials = 'sealed canary', key_id = 'key canary' WHERE user_id = $1", full.id
        )
    content = (await export(gdpr.subjects, as_tenant(full.id))).everything()
    assert b"canary" not in content
    assert b"sealed canary".hex().encode() not in content


async def test_a_closed_tenant_can_export(database, gdpr, full):
    async with database.connect() as conn:
        await conn.execute("UPDATE users SET deleted_at = now() WHERE id = $1", full.id)
    found = await export(gdpr.subjects, as_tenant(full.id))
    assert found.rows("users")[0]["deleted_at"] is not None


async def test_an_export_is_noted_without_personal_data(database, gdpr, book, alice):
    ada = await book.create(given_name="Ada")
    await export(gdpr.subjects, alice, PORTABILITY, ada.id)
    await export(gdpr.subjects, alice)
    async with database.connect() as conn:
        entries = await conn.fetch(
            "SELECT subject_id, table_name, new_values, old_values FROM audit_logs "
            "WHERE user_id = $1 AND action = 'EXPORT' ORDER BY at",
            uuid.UUID(dict(alice)["x-tenant-id"]),
        )
    of_contact, of_account = entries
    assert (of_contact["subject_id"], of_contact["table_name"]) == (uuid.UUID(ada.id), "contacts")
    assert of_contact["new_values"]["scope"] == "PORTABILITY"
    assert (str(of_account["subject_id"]), of_account["table_name"]) == (dict(alice)["x-tenant-id"], "users")
    assert set(of_account["new_values"]) == {"scope", "rows"}


async def test_an_export_is_noted_before_its_first_byte(database, gdpr, book, alice):
    await book.create(given_name="Ada")
    call = gdpr.subjects.ExportData(pb.ExportDataRequest(), metadata=alice)
    await anext(aiter(call))
    async with database.connect() as conn:
        noted = await conn.fetchval(
            "SELECT count(*) FROM audit_logs WHERE user_id = $1 AND action = 'EXPORT'",
            uuid.UUID(dict(alice)["x-tenant-id"]),
        )
    call.cancel()
    assert noted == 1


async def test_what_cannot_be_asked_for(gdpr, alice):
    bad = [
        (pb.ExportDataRequest(scope=7), "scope"),  # type: ignore[arg-type]  # what a newer client could send
        (pb.ExportDataRequest(contact_id="ada"), "contact_id"),
    ]
    for request, field in bad:
        refused = await failure(gdpr.subjects.ExportData(request, metadata=alice).read())
        assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
        assert set(refused.violations) == {field}


async def test_access_is_the_default(gdpr, alice):
    found = await export(gdpr.subjects, alice, pb.EXPORT_SCOPE_UNSPECIFIED)
    assert found.manifest.scope == ACCESS
