"""What happens between people, and what is to be remembered: a meeting, and a reminder when the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.interactions.v1 import interaction_pb2, reminder_pb2
from pmcrm.interactions.v1 import interaction_service_pb2 as interactions_pb
from pmcrm.interactions.v1 import reminder_service_pb2 as reminders_pb

from cli.reaching import Metadata
from cli.tour.telling import Teller
from cli.tour.ties import found

# The clocks of New York go from 02:00 to 03:00 on 8 March 2026.
BEFORE_THE_GAP = "2026-03-07T02:30:00"
NEW_YORK = "America/New_York"


async def log_a_meeting(tour: Teller, tenant: Metadata) -> None:
    """An interaction changes strength and last contact of who took part, and not the etag that somebody may hold."""
    tour.step("They meet", "CreateInteraction; strength and last contact change by themselves")
    erika = await found(tour, tenant, "Erika Muster")
    tour.say(f"before: {erika.display_name}, strength {erika.relationship_strength}, never contacted")
    meeting = interaction_pb2.Interaction(
        type=interaction_pb2.INTERACTION_TYPE_MEETING,
        direction=interaction_pb2.INTERACTION_DIRECTION_MUTUAL,
        subject="Lunch",
        body="A wonderful afternoon. She will send the first chapters of the new book next week.",
        participants=[interaction_pb2.Participant(contact_id=erika.id)],
    )
    meeting.occur_time.FromDatetime(datetime.now(UTC) - timedelta(hours=3))
    stored = await tour.suite.interactions.CreateInteraction(
        interactions_pb.CreateInteractionRequest(interaction=meeting), metadata=tenant
    )
    after = await tour.suite.contacts.GetContact(pb.GetContactRequest(id=erika.id), metadata=tenant)
    day = after.last_contact_time.ToDatetime().date()
    tour.say(f"after:  {after.display_name}, strength {after.relationship_strength}, last contact {day}")
    feeling = interaction_pb2.SentimentLabel.Name(stored.sentiment.label).removeprefix("SENTIMENT_LABEL_").lower()
    tour.say(f"the notes: {feeling} ({stored.sentiment.score:+.2f}); topics: {', '.join(stored.topics) or 'none'}")
    tour.expect(after.relationship_strength > erika.relationship_strength, "a meeting brings people closer")
    tour.expect(after.etag == erika.etag, "what is computed does not abort anybody's edit")


async def remind_across_the_gap(tour: Teller, tenant: Metadata) -> None:
    """A daily reminder keeps its local time when the clocks change, and a time that they skip is not dropped."""
    tour.step("A reminder every night, when the clocks change", "PreviewOccurrences, CreateReminder, CompleteReminder")
    request = reminders_pb.PreviewOccurrencesRequest(
        due_local=BEFORE_THE_GAP, time_zone=NEW_YORK, rrule="FREQ=DAILY", max_occurrences=3
    )
    preview = await tour.suite.reminders.PreviewOccurrences(request, metadata=tenant)
    for local, at in zip(preview.local_occurrences, preview.occurrences, strict=True):
        tour.say(f"{local} in New York is {at.ToDatetime():%Y-%m-%dT%H:%MZ}")
    instants = [at.ToDatetime() for at in preview.occurrences]
    tour.expect(instants[1] == datetime(2026, 3, 8, 7, 30), "a local time that the clocks skip is kept")  # noqa: DTZ001 - UTC
    erika = await found(tour, tenant, "Erika Muster")
    reminder = await tour.suite.reminders.CreateReminder(
        reminders_pb.CreateReminderRequest(
            reminder=reminder_pb2.Reminder(
                title="Ask about the book",
                due_local="2027-01-31T09:00:00",
                time_zone="Europe/Berlin",
                rrule="FREQ=MONTHLY;BYMONTHDAY=-1",
                contact_ids=[erika.id],
            )
        ),
        metadata=tenant,
    )
    done = await tour.suite.reminders.CompleteReminder(
        reminders_pb.CompleteReminderRequest(id=reminder.id), metadata=tenant
    )
    tour.say(f"on the last of each month: {reminder.next_due_local}, and when that is done {done.next_due_local}")
    tour.expect(done.next_due_local.startswith("2027-02-28"), "completing one occurrence makes the next")
