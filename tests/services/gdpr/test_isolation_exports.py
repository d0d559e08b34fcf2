"""No export holds a byte of another tenant, and none tells whether another tenant has a contact."""

from __future__ import annotations

import uuid

from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb

from tests.database.rows import add_tenant
from tests.services.contacts.calls import NOBODY
from tests.services.contacts.test_isolation import everything_of, without
from tests.services.gdpr.export_calls import ACCESS, PORTABILITY, export
from tests.suite import as_tenant, failure, tenant_of


async def test_another_tenants_contact_is_answered_like_none_at_all(gdpr, book, bob, as_superuser):
    ada = await book.create(given_name="Ada")
    before = await everything_of(as_superuser, tenant_of(book.tenant))
    for scope in (ACCESS, PORTABILITY):
        foreign, nobody = [
            await failure(
                gdpr.subjects.ExportData(pb.ExportDataRequest(scope=scope, contact_id=key), metadata=bob).read()
            )
            for key in (ada.id, NOBODY)
        ]
        assert without(foreign, ada.id) == without(nobody, NOBODY)
        assert foreign.reason == "CONTACT_NOT_FOUND"
    assert await everything_of(as_superuser, tenant_of(book.tenant)) == before
    assert (await export(gdpr.subjects, book.tenant, ACCESS, ada.id)).manifest.tables["contacts"].row_count == 1


async def test_a_tenant_that_there_is_not_is_unknown(gdpr):
    refused = await failure(gdpr.subjects.ExportData(pb.ExportDataRequest(), metadata=as_tenant(uuid.uuid4())).read())
    assert (refused.code.name, refused.reason) == ("UNAUTHENTICATED", "TENANT_UNKNOWN")


async def test_tenants_with_identical_data_have_nothing_of_each_other(gdpr, database, as_superuser):
    async with database.connect() as conn:
        one, other = [await add_tenant(conn) for _ in range(2)]
    theirs = await export(gdpr.subjects, as_tenant(other.id))
    before = await everything_of(as_superuser, str(other.id))
    mine = await export(gdpr.subjects, as_tenant(one.id))
    ids = {
        value
        for table in theirs.manifest.tables
        for row in theirs.rows(table)
        for name, value in row.items()
        if isinstance(value, str) and (name == "id" or name.endswith("_id")) and len(value) == 36
    }
    assert {str(other.contact)} <= ids
    content = mine.everything().decode()
    assert [key for key in {*ids, str(other.id)} if key in content] == []
    counts = {name: table.row_count for name, table in mine.manifest.tables.items()}
    assert counts == {name: table.row_count for name, table in theirs.manifest.tables.items()}
    assert await everything_of(as_superuser, str(other.id)) == before
