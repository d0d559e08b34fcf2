"""`pmcrm maintenance refresh-reminders`: due times follow the time zones when these are upgraded."""

from __future__ import annotations

import uuid
from datetime import timedelta

from services.interactions.refreshing import refresh_reminders
from shared.time_zones import VERSION
from tests.postgres import Connection, Database
from tests.services.contacts.calls import Book
from tests.services.interactions.conftest import InteractionsClient
from tests.services.interactions.reminder_calls import KEEP_IN_TOUCH, Dispatching, Reminding, leads
from tests.suite import Metadata


async def test_what_another_release_of_the_zones_has_derived_is_derived_anew(
    database: Database,
    interactions: InteractionsClient,
    alice: Metadata,
    bob: Metadata,
    book: Book,
    as_superuser: Connection,
) -> None:
    hers, his = Reminding(interactions, alice), Reminding(interactions, bob)
    ada = await book.create(given_name="Ada", keep_in_touch_days=30)
    made = [
        (
            hers,
            await hers.create(time_zone="Europe/Berlin", rrule="FREQ=DAILY", notification=leads(timedelta(hours=1))),
        ),
        (hers, await hers.create(kind=KEEP_IN_TOUCH, contact_ids=[ada.id], time_zone="Asia/Tokyo")),
        (his, await his.create(time_zone="America/New_York")),
    ]
    deleted = await his.create()
    await his.delete(deleted.id)
    # As if an hour's offset had been another one.
    await as_superuser.execute(
        "UPDATE reminders SET tzdata_version = '1999a', next_due_at = next_due_at + interval '1 hour', "
        "fresh_until = 'infinity'"
    )
    await as_superuser.execute("UPDATE reminder_notifications SET notify_at = notify_at + interval '1 hour'")
    owner, first = made[0]
    assert (await owner.get(first.id)).next_due_time != first.next_due_time
    async with database.connect("pmcrm_service") as conn:
        assert await refresh_reminders(conn) == 3
        assert await refresh_reminders(conn) == 0
    for owner, reminder in made:
        assert await owner.get(reminder.id) == reminder
    versions = await as_superuser.fetch("SELECT DISTINCT tzdata_version FROM reminders WHERE deleted_at IS NULL")
    assert [row["tzdata_version"] for row in versions] == [VERSION]


async def test_old_leases_are_forgotten(
    database: Database, interactions: InteractionsClient, alice: Metadata, as_superuser: Connection
) -> None:
    reminding = Reminding(interactions, alice)
    made = [await reminding.due() for _ in range(2)]
    leases = {due.reminder.id: due.lease_id for due in await Dispatching(interactions).claim()}
    await as_superuser.execute(
        "UPDATE reminder_leases SET claimed_at = claimed_at - interval '31 days', "
        "expires_at = expires_at - interval '31 days' WHERE id = $1",
        uuid.UUID(leases[made[0].id]),
    )
    async with database.connect("pmcrm_service") as conn:
        await refresh_reminders(conn)
    left = await as_superuser.fetch("SELECT id FROM reminder_leases")
    assert [str(row["id"]) for row in left] == [leases[made[1].id]]
