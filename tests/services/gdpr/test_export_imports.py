"""A portability archive, put into an empty tenant and exported again, is the same."""

from __future__ import annotations

import hashlib
import io
import json
import uuid
import zipfile

import pytest
import pytest_asyncio
from pmcrm.contacts.v1 import contact_service_pb2 as contacts_pb

from services.gdpr.exporting.importing import NoEmptyTenant, import_archive
from services.gdpr.exporting.received import ArchiveRefused, received
from shared.caller import Caller, caller
from shared.database import Database
from shared.metrics import Metrics
from shared.pool import Pool
from tests.database.rows import add_tenant
from tests.services.gdpr.export_calls import ACCESS, PORTABILITY, Export, export
from tests.suite import as_tenant, tenant_of


@pytest_asyncio.fixture
async def full(database):
    """A tenant with a row in every table."""
    async with database.connect() as conn:
        return await add_tenant(conn)


@pytest_asyncio.fixture
async def put(database, tmp_path):
    """Imports bytes into a tenant; returns the number of rows."""
    pool = Pool(database.operator, size=1)
    operators = Database(pool, Metrics("gdpr"), pool)

    async def put(content: bytes, tenant: str | uuid.UUID) -> int:
        path = tmp_path / f"{uuid.uuid4()}.zip"
        path.write_bytes(content)
        caller.set(Caller(request_id=str(uuid.uuid4())))
        with received(path) as archive:
            return await import_archive(operators, uuid.UUID(str(tenant)), archive, lambda table, rows: None)

    yield put
    await operators.close()


async def test_an_import_exports_as_the_same(gdpr, client, put, full):
    before = await export(gdpr.subjects, as_tenant(full.id), PORTABILITY)
    empty = await client.new_tenant(display_name="Another", login_email=f"{uuid.uuid4()}@example.com")
    rows = await put(before.content, tenant_of(empty))
    after = await export(gdpr.subjects, empty, PORTABILITY)
    assert rows == sum(table.row_count for table in before.manifest.tables.values())
    assert all(table.row_count for table in before.manifest.tables.values())
    assert dict(after.manifest.tables) == dict(before.manifest.tables)
    assert dict(after.manifest.files) == dict(before.manifest.files)


async def test_what_is_derived_is_derived_anew(database, gdpr, client, put, full):
    before = await export(gdpr.subjects, as_tenant(full.id), PORTABILITY)
    empty = await client.new_tenant()
    await put(before.content, tenant_of(empty))
    found = await export(gdpr.subjects, empty, ACCESS)
    [consent] = [row for row in found.rows("consent_states") if row["contact_id"] == str(full.contact)]
    assert (consent["purpose"], consent["status"]) == ("ai_processing", "GRANTED")
    strengths = {row["contact_id"]: row for row in found.rows("contact_strengths")}
    assert strengths[str(full.contact)]["last_contact_at"] is not None
    [integration] = found.rows("integrations")
    assert (integration["status"], integration["deleted_at"] is not None) == ("REVOKED", True)
    search = contacts_pb.SearchContactsRequest(query="Anna")
    answer = await client.contacts.SearchContacts(search, metadata=empty)
    assert [result.contact.id for result in answer.results] == [str(full.contact)]
    async with database.connect() as conn:
        noted = await conn.fetch(
            "SELECT new_values FROM audit_logs WHERE user_id = $1 AND action = 'IMPORT'", uuid.UUID(tenant_of(empty))
        )
        kept = await conn.fetchval(
            "SELECT kept ->> 'user_id' FROM contact_merge_rows WHERE user_id = $1", uuid.UUID(tenant_of(empty))
        )
    assert [entry["new_values"]["scope"] for entry in noted] == ["PORTABILITY"]
    assert kept == tenant_of(empty)


async def test_only_an_empty_tenant_takes_an_import(gdpr, put, full, book, bob):
    content = (await export(gdpr.subjects, as_tenant(full.id), PORTABILITY)).content
    await book.create(given_name="Ada")
    with pytest.raises(NoEmptyTenant, match="contacts"):
        await put(content, tenant_of(book.tenant))
    with pytest.raises(NoEmptyTenant, match="no user"):
        await put(content, uuid.uuid4())
    await put(content, tenant_of(bob))
    with pytest.raises(NoEmptyTenant):
        await put(content, tenant_of(bob))


def rebuilt(found: Export, changes: dict[str, bytes | None]) -> bytes:
    """The archive with other files; None: without that one."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as target:
        for name in dict.fromkeys([*found.zip.namelist(), *changes]):
            content = changes.get(name, found.file(name) if name in found.zip.namelist() else None)
            if content is not None:
                target.writestr(name, content)
    return written.getvalue()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"data/contacts.json": b"[]\n"}, "data/contacts.json"),
        ({"csv/tags.csv": b"id\n"}, "csv/tags.csv"),
        ({"README.txt": None}, "README.txt"),
        ({"more.txt": b"more"}, "more.txt"),
        ({"manifest.json": None}, "manifest.json"),
        ({"manifest.json": b"{}"}, "manifest.json"),
        ({"manifest.json": b"[1"}, "manifest.json"),
    ],
)
async def test_a_changed_archive_is_refused_by_the_name_of_its_file(gdpr, put, full, bob, changes, named):
    found = await export(gdpr.subjects, as_tenant(full.id), PORTABILITY)
    with pytest.raises(ArchiveRefused, match=named):
        await put(rebuilt(found, changes), tenant_of(bob))


async def test_a_damaged_archive_is_refused(gdpr, put, full, bob):
    found = await export(gdpr.subjects, as_tenant(full.id), PORTABILITY)
    for content in (b"", found.content[: len(found.content) // 2], b"no zip at all"):
        with pytest.raises(ArchiveRefused):
            await put(content, tenant_of(bob))
    place = found.zip.getinfo("data/contacts.json").header_offset + 80
    flipped = bytearray(found.content)
    flipped[place] ^= 0xFF
    with pytest.raises(ArchiveRefused, match=r"data/contacts\.json"):
        await put(bytes(flipped), tenant_of(bob))


async def test_what_the_database_does_not_take_leaves_nothing_behind(database, gdpr, put, full, bob):
    found = await export(gdpr.subjects, as_tenant(full.id), PORTABILITY)
    row = found.rows("reminders")[0]
    wrong = b"[\n" + json.dumps({**row, "kind": "NONE"}).encode() + b"\n]\n"
    digest = hashlib.sha256(wrong).hexdigest()
    manifest = json.loads(found.file("manifest.json"))
    manifest["files"]["data/reminders.json"] = manifest["tables"]["reminders"]["sha256"] = digest
    content = rebuilt(found, {"data/reminders.json": wrong, "manifest.json": json.dumps(manifest).encode()})
    with pytest.raises(ArchiveRefused, match=r"data/reminders\.json"):
        await put(content, tenant_of(bob))
    async with database.connect() as conn:
        left = await conn.fetchval("SELECT count(*) FROM contacts WHERE user_id = $1", uuid.UUID(tenant_of(bob)))
    assert left == 0


async def test_archives_of_everything_or_of_one_contact_are_not_for_importing(gdpr, put, full, bob):
    everything = await export(gdpr.subjects, as_tenant(full.id), ACCESS)
    with pytest.raises(ArchiveRefused, match="scope"):
        await put(everything.content, tenant_of(bob))
    one = await export(gdpr.subjects, as_tenant(full.id), PORTABILITY, full.contact)
    with pytest.raises(ArchiveRefused, match="one contact"):
        await put(one.content, tenant_of(bob))
