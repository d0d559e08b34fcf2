"""ListAuditLogs: what an entry tells, which entries a filter leaves, and pages that keep their place."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from pmcrm.contacts.v1 import contact_service_pb2
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.gdpr.v1 import audit_log_pb2
from pmcrm.gdpr.v1 import audit_service_pb2 as pb

from services.gdpr.audit_listing import QUERIES
from tests.postgres import Connection, Database, bound
from tests.services.contacts.calls import Book
from tests.services.gdpr.audit_calls import Trail, a_time, archive, seal_from_the_start, write_entries
from tests.services.gdpr.conftest import GdprClient
from tests.suite import as_operator, failure

START = datetime(2026, 3, 14, 12, tzinfo=UTC)
INSERT, UPDATE, READ = (
    audit_log_pb2.AuditOperation.Value(f"AUDIT_OPERATION_{n}") for n in ("INSERT", "UPDATE", "READ")
)


@pytest.fixture(autouse=True)
async def _alone(as_superuser: Connection) -> AsyncIterator[None]:
    """What is left of a test would be sealed again and again by those that follow."""
    yield
    for table in ("audit_logs", "audit_logs_archive", "audit_seals"):
        await as_superuser.execute(f"DELETE FROM {table}")


async def test_an_entry_tells_who_changed_what_and_when(book: Book, trail: Trail) -> None:
    contact = await book.create(given_name="Ada", notes="shy")
    request_id = str(uuid.uuid4())
    who = (
        ("x-actor", "Grace"),
        ("x-client-ip", "2001:db8::7"),
        ("x-client-user-agent", "Tests"),
        ("x-request-id", request_id),
    )
    before = datetime.now(UTC)
    await book.stub.UpdateContact(_update(contact.id, notes="bold"), metadata=(*book.tenant, *who))
    newest, *_, oldest = await trail.entries()
    assert before - timedelta(seconds=1) < newest.log_time.ToDatetime(UTC) < datetime.now(UTC) + timedelta(seconds=1)
    assert (newest.operation, newest.entity_type) == (UPDATE, "contacts")
    assert newest.entity_id == newest.subject_id == contact.id
    assert newest.user_id == str(trail.id)
    assert list(newest.changed_fields) == sorted(newest.changed_fields)
    assert "notes" in newest.changed_fields
    assert (newest.old_values["notes"], newest.new_values["notes"]) == ("shy", "bold")
    assert set(newest.old_values) == set(newest.new_values) == set(newest.changed_fields)
    assert (newest.actor, newest.client_ip, newest.user_agent) == ("Grace", "2001:db8::7", "Tests")
    assert newest.request_id == request_id
    assert (newest.operator_scope, newest.seal, newest.archived, newest.erased_by_receipt_id) == (False, 0, False, "")
    # An operator made the user.
    assert (oldest.operation, oldest.entity_type, oldest.entity_id) == (INSERT, "users", str(trail.id))
    assert oldest.operator_scope
    assert not oldest.changed_fields
    assert not oldest.HasField("old_values")
    assert [entry.id for entry in await trail.entries(logged_request_id=request_id)] == [newest.id]


def _update(contact_id: str, **fields: Any) -> Any:
    return contact_service_pb2.UpdateContactRequest(
        contact=Contact(id=contact_id, **fields), update_mask=FieldMask(paths=list(fields))
    )


@pytest.fixture
async def written(as_superuser: Connection, trail: Trail) -> list[str]:
    """Seven entries of the trail in March, a minute apart, beside what the user's own making left."""
    ids = await write_entries(as_superuser, trail.id, 7, start=START, step=timedelta(minutes=1))
    return [str(entry) for entry in ids]


def ids_of(entries: list[audit_log_pb2.AuditLog]) -> list[str]:
    return [entry.id for entry in entries]


MARCH: dict[str, Any] = {"log_before": a_time(START + timedelta(days=1))}


@pytest.mark.parametrize("order", ["log_time", "log_time desc", ""])
@pytest.mark.parametrize("subject", [False, True])
async def test_pages_follow_each_other_in_either_order(
    trail: Trail, written: list[str], as_superuser: Connection, order: str, subject: bool
) -> None:
    # Ids break ties.
    ties = sorted(
        str(entry) for entry in await write_entries(as_superuser, trail.id, 3, start=START, step=timedelta(0))
    )
    expected = sorted([written[0], *ties]) + written[1:]
    arguments: dict[str, Any] = {**MARCH, "order_by": order}
    if subject:
        chosen = uuid.uuid4()
        await as_superuser.execute("UPDATE audit_logs SET subject_id = $2 WHERE user_id = $1", trail.id, chosen)
        arguments["subject_id"] = str(chosen)
    if order != "log_time":
        expected.reverse()
    found, token = [], ""
    while True:
        page = await trail.page(page_size=3, page_token=token, include_total_size=not token, **arguments)
        assert page.total_size == (0 if token else 10)
        found += ids_of(list(page.audit_logs))
        token = page.next_page_token
        if not token:
            break
        # What comes meanwhile moves nothing.
        await write_entries(as_superuser, trail.id, 1, start=START + timedelta(days=2))
    assert found == expected
    assert ids_of(await trail.entries(skip=4, **arguments)) == expected[4:]


FILTERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "entity_type": ({"table_name": "tags"}, {"entity_type": "tags"}),
    "actor": ({"actor": "grace"}, {"actor": "grace"}),
    "operation": ({"action": "EXPORT"}, {"operation": "AUDIT_OPERATION_EXPORT"}),
    "import": ({"action": "IMPORT"}, {"operation": "AUDIT_OPERATION_IMPORT"}),
    "request": ({"request_id": uuid.UUID(int=3)}, {"logged_request_id": str(uuid.UUID(int=3))}),
    "row": ({"row_id": uuid.UUID(int=4)}, {"entity_id": str(uuid.UUID(int=4))}),
    "row that is its subject": ({"subject_id": uuid.UUID(int=5)}, {"entity_id": str(uuid.UUID(int=5))}),
    "subject": ({"subject_id": uuid.UUID(int=6)}, {"subject_id": str(uuid.UUID(int=6))}),
    "row and subject": (
        {"row_id": uuid.UUID(int=7), "subject_id": uuid.UUID(int=8)},
        {"entity_id": str(uuid.UUID(int=7)), "subject_id": str(uuid.UUID(int=8))},
    ),
}


@pytest.mark.parametrize("name", FILTERS)
async def test_a_filter_leaves_what_it_names(
    trail: Trail, written: list[str], as_superuser: Connection, name: str
) -> None:
    columns, arguments = FILTERS[name]
    columns = dict(columns)
    wanted = await write_entries(
        as_superuser, trail.id, 2, start=START + timedelta(hours=1), step=timedelta(minutes=1), **columns
    )
    page = await trail.page(include_total_size=True, **arguments)
    assert ids_of(list(page.audit_logs)) == [str(entry) for entry in reversed(wanted)]
    assert page.total_size == 2
    assert await trail.entries(**(arguments | {"actor": "nobody"})) == []


async def test_times_are_from_the_first_to_before_the_second(trail: Trail, written: list[str]) -> None:
    after, before = a_time(START + timedelta(minutes=2)), a_time(START + timedelta(minutes=5))
    found = await trail.entries(log_after=after, log_before=before, order_by="log_time")
    assert ids_of(found) == written[2:5]


async def test_archived_entries_are_shown_on_request(
    trail: Trail, written: list[str], as_superuser: Connection
) -> None:
    await archive(as_superuser, trail.id)
    [later] = await write_entries(as_superuser, trail.id, 1, start=START + timedelta(hours=1))
    assert ids_of(await trail.entries(**MARCH)) == [str(later)]
    both = await trail.page(include_total_size=True, show_archived=True, **MARCH)
    assert ids_of(list(both.audit_logs)) == [str(later), *reversed(written)]
    assert [entry.archived for entry in both.audit_logs] == [False] + [True] * 7
    assert both.total_size == 8
    assert (await trail.page(include_total_size=True, **MARCH)).total_size == 1


async def test_an_entry_tells_which_seal_covers_it(
    database: Database, trail: Trail, written: list[str], as_superuser: Connection
) -> None:
    await seal_from_the_start(database, most=3)
    [forged] = await write_entries(as_superuser, trail.id, 1, start=START + timedelta(seconds=90))
    [late] = await write_entries(as_superuser, trail.id, 1, start=datetime.now(UTC))
    seals = {entry.id: entry.seal for entry in await trail.entries(read_mask=FieldMask(paths=["seal"]))}
    assert [seals[entry] for entry in written] == [1, 1, 1, 2, 2, 2, 3]
    assert seals[str(forged)] == seals[str(late)] == 0


async def test_an_erased_entry_names_its_receipt(trail: Trail, written: list[str], as_superuser: Connection) -> None:
    receipt = uuid.uuid4()
    await as_superuser.execute(
        "UPDATE audit_logs SET old_values = NULL, new_values = NULL, actor = NULL, client_ip = NULL, user_agent = NULL,"
        " salt = NULL, erased_by = $2 WHERE id = $1",
        uuid.UUID(written[0]),
        receipt,
    )
    [entry] = [entry for entry in await trail.entries() if entry.id == written[0]]
    assert entry.erased_by_receipt_id == str(receipt)
    assert (entry.actor, entry.client_ip, entry.user_agent, list(entry.changed_fields)) == ("", "", "", [])
    assert not entry.HasField("old_values")
    assert not entry.HasField("new_values")


async def test_a_mask_leaves_what_it_names(trail: Trail, written: list[str]) -> None:
    mask = FieldMask(paths=["actor", "old_values.notes"])
    entry = (await trail.entries(read_mask=mask, **MARCH))[0]
    assert {field.name for field, _ in entry.ListFields()} == {"id", "actor", "old_values"}
    assert dict(entry.old_values) == {"notes": "shy"}


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("page_size", {"page_size": -1}),
        ("skip", {"skip": 100_001}),
        ("order_by", {"order_by": "actor"}),
        ("entity_type", {"entity_type": "no table"}),
        ("entity_id", {"entity_id": "x"}),
        ("subject_id", {"subject_id": "x"}),
        ("logged_request_id", {"logged_request_id": "x"}),
        ("user_id", {"user_id": "x"}),
        ("actor", {"actor": "a" * 301}),
        ("actor", {"actor": "a\x00"}),
        ("operation", {"operation": 99}),
        ("log_after", {"log_after": {"seconds": 10**15}}),
        ("log_before", {"log_before": {"nanos": -1}}),
        ("read_mask.paths[0]", {"read_mask": FieldMask(paths=["salt"])}),
        ("page_token", {"page_token": "x"}),
    ],
    ids=str,
)
async def test_what_is_wrong_is_named(trail: Trail, field: str, arguments: dict[str, Any]) -> None:
    told = await failure(trail.page(**arguments))
    assert told.code == grpc.StatusCode.INVALID_ARGUMENT
    assert told.reason == ("PAGE_TOKEN_INVALID" if field == "page_token" else "FIELD_INVALID")
    assert list(told.violations) == [field]


async def test_operators_read_any_tenants_log_and_each_reading_is_noted(
    trail: Trail, written: list[str], gdpr: GdprClient
) -> None:
    request = pb.ListAuditLogsRequest(user_id=str(trail.id), page_size=3, **MARCH)
    who = (*as_operator(), ("x-actor", "Grace"))
    page = await gdpr.audit.ListAuditLogs(request, metadata=who)
    assert ids_of(list(page.audit_logs)) == written[:3:-1]
    request.page_token = page.next_page_token
    await gdpr.audit.ListAuditLogs(request, metadata=who)
    noted = await trail.entries(operation=READ)
    assert [(entry.entity_type, entry.actor, entry.operator_scope) for entry in noted] == [
        ("audit_logs", "Grace", True)
    ] * 2
    # The tenant's own reading is not.
    assert len(await trail.entries(operation=READ)) == 2


async def test_operators_read_the_log_of_a_tenant_that_is_gone(gdpr: GdprClient, as_superuser: Connection) -> None:
    gone = uuid.uuid4()
    ids = await write_entries(as_superuser, gone, 2)
    page = await gdpr.audit.ListAuditLogs(pb.ListAuditLogsRequest(user_id=str(gone)), metadata=as_operator())
    assert ids_of(list(page.audit_logs)) == [str(entry) for entry in reversed(ids)]
    nobody = uuid.uuid4()
    told = await failure(gdpr.audit.ListAuditLogs(pb.ListAuditLogsRequest(user_id=str(nobody)), metadata=as_operator()))
    assert (told.code, told.reason) == (grpc.StatusCode.NOT_FOUND, "USER_NOT_FOUND")
    assert await as_superuser.fetchval("SELECT count(*) FROM audit_logs WHERE user_id = $1", nobody) == 0


async def test_operators_who_name_nobody_are_told_so(gdpr: GdprClient) -> None:
    told = await failure(gdpr.audit.ListAuditLogs(pb.ListAuditLogsRequest(), metadata=as_operator()))
    assert list(told.violations) == ["user_id"]


@pytest.mark.parametrize("name", ["list_audit_logs", "list_audit_logs_desc", "list_audit_logs_of_subject_desc"])
async def test_a_page_is_read_from_an_index(
    database: Database, trail: Trail, as_superuser: Connection, name: str
) -> None:
    await write_entries(as_superuser, trail.id, 3_000, start=START)
    await as_superuser.execute("ANALYZE audit_logs")
    query = QUERIES[name]
    values = [f"'{trail.id}'", "'2026-03-14 12:00:01+00'", f"'{uuid.uuid4()}'", "21", "0", *["NULL"] * 6, "false"]
    values += [f"'{uuid.uuid4()}'"] * (len(query.types) - len(values))
    async with database.connect("pmcrm_gdpr") as conn, bound(conn, trail.id):
        await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await conn.execute(f"PREPARE {name} ({', '.join(query.types)}) AS {query.sql}")
        rows = await conn.fetch(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) EXECUTE {name} ({', '.join(values)})")
    plan = "\n".join(row[0] for row in rows)
    assert "rows=3000" not in plan, plan
    assert "Rows Removed by Filter: 3000" not in plan, plan
    assert "Index" in plan, plan
