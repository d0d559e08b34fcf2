"""No call of ReminderService shows, changes or betrays another tenant's reminders and contacts.

Beside each denial stands the same call by the owner, so that a call that always fails proves nothing.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from pmcrm.interactions.v1 import reminder_service_pb2 as pb
from pmcrm.interactions.v1.reminder_pb2 import Reminder

from services.interactions.reminder_service import ReminderService
from tests.postgres import Connection
from tests.services.contacts.calls import Book, random_id
from tests.services.interactions.conftest import InteractionsClient
from tests.services.interactions.reminder_calls import (
    BIRTHDAY,
    KEEP_IN_TOUCH,
    Dispatching,
    Reminding,
    in_utc,
    stamp,
)
from tests.suite import Client, Failure, Metadata, failure, new_request_id, tenant_of

LATER = stamp(in_utc(days=2))

ON_A_REMINDER: dict[str, Callable[[str], Message]] = {
    "GetReminder": lambda key: pb.GetReminderRequest(id=key),
    "UpdateReminder": lambda key: pb.UpdateReminderRequest(reminder=Reminder(id=key, title="mine")),
    "UpdateReminder with an etag": lambda key: pb.UpdateReminderRequest(
        reminder=Reminder(id=key, title="mine", etag="1")
    ),
    "UpdateReminder with a stale etag": lambda key: pb.UpdateReminderRequest(
        reminder=Reminder(id=key, title="mine", etag="77")
    ),
    "UpdateReminder of nothing": lambda key: pb.UpdateReminderRequest(reminder=Reminder(id=key)),
    "UpdateReminder to something malformed": lambda key: pb.UpdateReminderRequest(
        reminder=Reminder(id=key, time_zone="Atlantis/Capital")
    ),
    "DeleteReminder": lambda key: pb.DeleteReminderRequest(id=key),
    "DeleteReminder with a stale etag": lambda key: pb.DeleteReminderRequest(id=key, etag="77"),
    "CompleteReminder": lambda key: pb.CompleteReminderRequest(id=key),
    "CompleteReminder of another occurrence": lambda key: pb.CompleteReminderRequest(id=key, occurrence_time=LATER),
    "CompleteReminder by request_id": lambda key: pb.CompleteReminderRequest(id=key, request_id=new_request_id()),
    "SnoozeReminder": lambda key: pb.SnoozeReminderRequest(id=key, snooze_time=LATER),
}

ON_A_CONTACT: dict[str, Callable[[str], Message]] = {
    "CreateReminder": lambda key: pb.CreateReminderRequest(
        reminder=Reminder(title="Call", due_local="2030-01-01T09:00:00", contact_ids=[key])
    ),
    "CreateReminder of a birthday": lambda key: pb.CreateReminderRequest(
        reminder=Reminder(kind=BIRTHDAY, contact_ids=[key])
    ),
    "CreateReminder to keep in touch": lambda key: pb.CreateReminderRequest(
        reminder=Reminder(kind=KEEP_IN_TOUCH, contact_ids=[key])
    ),
    "ListReminders": lambda key: pb.ListRemindersRequest(contact_id=key),
    "ExportCalendar": lambda key: pb.ExportCalendarRequest(contact_id=key),
}

# Calls that name no row of a tenant, or none that a tenant may name.
BY_NO_ID = {"PreviewOccurrences", "ClaimDueReminders", "AckReminders"}


@pytest.fixture
def hers(interactions: InteractionsClient, alice: Metadata) -> Reminding:
    return Reminding(interactions, alice)


@pytest.fixture
def his(interactions: InteractionsClient, bob: Metadata) -> Reminding:
    return Reminding(interactions, bob)


def test_every_call_that_is_built_is_tried_here() -> None:
    methods = pb.DESCRIPTOR.services_by_name["ReminderService"].methods_by_name
    tried = {name.split()[0] for name in (*ON_A_REMINDER, *ON_A_CONTACT)} | BY_NO_ID
    assert {name for name in methods if hasattr(ReminderService, name)} == tried == set(methods)


async def send(owner: Reminding, request: Message) -> Any:
    name = type(request).__name__.removesuffix("Request")
    if isinstance(request, pb.ExportCalendarRequest):
        return [part async for part in owner.stub.ExportCalendar(request, metadata=owner.tenant)]
    return await getattr(owner.stub, name)(request, metadata=owner.tenant)


def without(refused: Failure, key: str) -> tuple[Any, ...]:
    """All that a caller hears, but for the id that it asked for."""
    status = refused.status
    assert status is not None
    return refused.code, status.SerializeToString().replace(key.encode(), b"<id>"), refused.message.replace(key, "<id>")


async def rows_of(conn: Connection, tenant: Metadata) -> list[Any]:
    tables = ("reminders", "reminder_contacts", "reminder_notifications", "contacts", "audit_logs", "idempotency_keys")
    return [
        await conn.fetch(
            f"SELECT t::text FROM {table} AS t WHERE user_id = $1 ORDER BY 1", uuid.UUID(tenant_of(tenant))
        )
        for table in tables
    ]


@pytest.mark.parametrize(("name", "request_of"), ON_A_REMINDER.items())
async def test_another_tenants_reminder_is_one_that_does_not_exist(
    hers: Reminding, his: Reminding, as_superuser: Connection, name: str, request_of: Callable[[str], Message]
) -> None:
    made = await hers.due()
    before = await rows_of(as_superuser, hers.tenant)
    nobody = random_id()
    foreign = await failure(send(his, request_of(made.id)))
    missing = await failure(send(his, request_of(nobody)))
    assert foreign.code == grpc.StatusCode.NOT_FOUND
    assert without(foreign, made.id) == without(missing, nobody)
    assert await rows_of(as_superuser, hers.tenant) == before
    if not any(word in name for word in ("stale", "another", "malformed")):
        await send(hers, request_of(made.id))


@pytest.mark.parametrize("request_of", ON_A_CONTACT.values(), ids=ON_A_CONTACT)
async def test_another_tenants_contact_is_one_that_does_not_exist(
    hers: Reminding, his: Reminding, book: Book, as_superuser: Connection, request_of: Callable[[str], Message]
) -> None:
    ada = await book.create(given_name="Ada")
    before = [await rows_of(as_superuser, owner.tenant) for owner in (hers, his)]
    nobody = random_id()
    foreign = await failure(send(his, request_of(ada.id)))
    missing = await failure(send(his, request_of(nobody)))
    assert foreign.reason == "CONTACT_NOT_FOUND"
    assert without(foreign, ada.id) == without(missing, nobody)
    assert [await rows_of(as_superuser, owner.tenant) for owner in (hers, his)] == before
    await send(hers, request_of(ada.id))


async def test_an_update_takes_no_other_tenants_contact(hers: Reminding, his: Reminding, book: Book) -> None:
    ada, made, nobody = await book.create(given_name="Ada"), await his.create(), random_id()
    foreign = await failure(his.update(made.id, contact_ids=[ada.id]))
    missing = await failure(his.update(made.id, contact_ids=[nobody]))
    assert without(foreign, ada.id) == without(missing, nobody)
    assert await his.get(made.id) == made
    own = await hers.create()
    assert list((await hers.update(own.id, contact_ids=[ada.id])).contact_ids) == [ada.id]


async def test_lists_totals_and_calendars_hold_the_tenants_own(hers: Reminding, his: Reminding) -> None:
    for owner, title in ((hers, "Hers"), (his, "His")):
        for _ in range(3):
            await owner.create(title=title)
    for owner, title in ((hers, "Hers"), (his, "His")):
        for order in ("next_due_time", "create_time", "priority", "title"):
            for direction in ("", " desc"):
                assert await owner.titles(order_by=order + direction, page_size=2, show_deleted=True) == [title] * 3
        assert (await owner.page(include_total_size=True)).total_size == 3
        file = await owner.calendar(include_birthdays=True, include_completed=True)
        assert file.count(b"SUMMARY:" + title.encode()) == file.count(b"BEGIN:VEVENT") == 3


async def test_a_page_token_opens_no_other_tenants_list(hers: Reminding, his: Reminding) -> None:
    for owner in (hers, his):
        for _ in range(2):
            await owner.create()
    token = (await hers.page(page_size=1)).next_page_token
    assert (await failure(his.page(page_token=token))).status == (
        await failure(his.page(page_token=token[::-1]))
    ).status
    assert len((await hers.page(page_token=token)).reminders) == 1


async def test_a_request_id_tells_nothing_of_another_tenants_requests(hers: Reminding, his: Reminding) -> None:
    request_id = new_request_id()
    made = await hers.create(title="Hers", request_id=request_id)
    assert (await his.create(title="His", request_id=request_id)).title == "His"
    assert await hers.create(title="Hers", request_id=request_id) == made


async def test_tenants_with_the_same_data_do_not_touch_each_other(
    hers: Reminding, his: Reminding, book: Book, bobs: Book, as_superuser: Connection
) -> None:
    """The same contacts, reminders and due times; then one of them does everything, and the other's rows stay."""
    made: list[list[Any]] = []
    for owner, contacts in ((hers, book), (his, bobs)):
        ada = await contacts.create(given_name="Ada", keep_in_touch_days=3, birthday={"month": 2, "day": 29})
        made.append(
            [
                ada,
                await owner.due(title="Call", contact_ids=[ada.id], rrule="FREQ=DAILY"),
                await owner.create(kind=KEEP_IN_TOUCH, contact_ids=[ada.id]),
                await owner.create(kind=BIRTHDAY, contact_ids=[ada.id]),
            ]
        )
    before = await rows_of(as_superuser, his.tenant)
    ada, call, keep, birthday = made[0]
    await hers.complete(call.id)
    await hers.snooze(call.id, snooze_time=LATER)
    await hers.update(call.id, title="Write", due_local="2031-01-01T09:00:00")
    await hers.complete(keep.id)
    await book.update(ada.id, keep_in_touch_days=9, birthday={"month": 3, "day": 1})
    await as_superuser.execute(
        "UPDATE contact_strengths SET last_contact_at = now() WHERE contact_id = $1", uuid.UUID(ada.id)
    )
    await hers.page()
    await hers.calendar()
    await hers.delete(birthday.id)
    await book.delete(ada.id)
    await hers.page()
    assert await rows_of(as_superuser, his.tenant) == before


async def test_interleaved_calls_of_many_tenants_keep_to_their_own(
    client: Client, interactions: InteractionsClient
) -> None:
    """Connections go from tenant to tenant, operators' between them; what one bound, the next must not see."""
    tenants = [await client.new_tenant() for _ in range(8)]
    owners = {tenant_of(tenant): Reminding(interactions, tenant) for tenant in tenants}
    dispatching = Dispatching(interactions)

    async def live(name: str) -> None:
        owner = owners[name]
        for i in range(5):
            made = await owner.due(title=name, rrule="FREQ=DAILY")
            await owner.complete(made.id)
            assert await owner.titles(page_size=2) == [name] * (i + 1)

    async def dispatch() -> None:
        for _ in range(20):
            for due in await dispatching.claim(batch_size=5):
                assert due.reminder.title not in owners or due.reminder.title == due.user_id

    await asyncio.gather(*(live(name) for name in owners), dispatch())
