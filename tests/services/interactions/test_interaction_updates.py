"""UpdateInteraction: masks, etags, and what stays as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import grpc
from pmcrm.interactions.v1 import interaction_pb2 as kinds
from pmcrm.interactions.v1.interaction_pb2 import Interaction

from tests.services.contacts.calls import Book
from tests.services.interactions.interaction_calls import Log, at
from tests.services.interactions.test_interactions import WHOLE
from tests.suite import failure

OUTPUTS = ("etag", "update_time")


def but(interaction: Interaction, *fields: str) -> Interaction:
    rest = Interaction()
    rest.CopyFrom(interaction)
    for field in (*OUTPUTS, *fields):
        rest.ClearField(field)
    return rest


async def test_without_a_mask_what_is_populated_is_written(log: Log, book: Book) -> None:
    made = await log.create(await book.create(given_name="Ada"), **WHOLE)
    changed = await log.update(made.id, subject="Dinner", duration=timedelta(hours=1))
    assert (changed.subject, changed.duration.ToTimedelta()) == ("Dinner", timedelta(hours=1))
    assert but(changed, "subject", "duration") == but(made, "subject", "duration")
    assert changed.etag != made.etag
    assert changed.update_time.ToDatetime() > made.update_time.ToDatetime()


async def test_a_mask_names_what_is_written_and_cleared(log: Log) -> None:
    made = await log.create(**WHOLE)
    changed = await log.update(
        made.id, "subject", "body", "custom_fields.cost", "direction", location="ignored", body="B"
    )
    assert (changed.subject, changed.body, changed.direction, changed.location) == ("", "B", 0, "Café Central")
    assert dict(changed.custom_fields) == {"guests": made.custom_fields["guests"]}
    assert but(changed, "subject", "body", "custom_fields", "direction") == but(
        made, "subject", "body", "custom_fields", "direction"
    )


async def test_a_star_replaces_all_of_it(log: Log, book: Book) -> None:
    made = await log.create(await book.create(given_name="Ada"), **WHOLE)
    changed = await log.update(made.id, "*", type=kinds.INTERACTION_TYPE_NOTE, subject="All")
    assert {field.name for field, _ in changed.ListFields()} == {
        *("id", "type", "occur_time", "subject", "create_time", "update_time", "etag")
    }
    assert changed.occur_time == changed.update_time, "the time of writing"
    assert list((await failure(log.update(made.id, "*"))).violations) == ["interaction.type"]


async def test_sending_back_what_was_read_changes_nothing(log: Log, book: Book) -> None:
    made = await log.create(await book.create(given_name="Ada"), **WHOLE)
    for paths in ((), ("*",)):
        read = await log.get(made.id)
        assert but(await log.put(read, *paths)) == but(made)


async def test_output_only_fields_are_ignored(log: Log) -> None:
    made = await log.create(**WHOLE)
    changed = await log.update(
        made.id, "create_time", "topics_source", "sentiment.source", create_time=datetime(2000, 1, 1, tzinfo=UTC)
    )
    assert but(changed) == but(made)


async def test_a_change_meets_the_version_that_it_expects(log: Log) -> None:
    made = await log.create(subject="1")
    changed = await log.update(made.id, subject="2", etag=made.etag)
    refused = await failure(log.update(made.id, subject="3", etag=made.etag))
    assert (refused.code, refused.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert await log.get(made.id) == changed


async def test_a_path_that_is_none_is_named(log: Log) -> None:
    made = await log.create()
    refused = await failure(log.update(made.id, "subject", "mood", "participants.role"))
    assert list(refused.violations) == ["update_mask.paths[1]", "update_mask.paths[2]"]


async def test_a_bad_value_changes_nothing(log: Log) -> None:
    made = await log.create(**WHOLE)
    refused = await failure(log.update(made.id, subject="a\nb", language="?"))
    assert set(refused.violations) == {"interaction.subject", "interaction.language"}
    assert await log.get(made.id) == made


async def test_a_label_that_followed_the_score_goes_on_following_it(log: Log) -> None:
    made = await log.create(sentiment=kinds.Sentiment(score=0.5))
    changed = await log.update(made.id, "sentiment.score", sentiment=kinds.Sentiment(score=-0.5))
    assert (changed.sentiment.score, changed.sentiment.label) == (-0.5, kinds.SENTIMENT_LABEL_NEGATIVE)
    said = await log.create(sentiment=kinds.Sentiment(score=0.5, label=kinds.SENTIMENT_LABEL_NEUTRAL))
    kept = await log.update(said.id, "sentiment.score", sentiment=kinds.Sentiment(score=-0.5))
    assert (kept.sentiment.score, kept.sentiment.label) == (-0.5, kinds.SENTIMENT_LABEL_NEUTRAL)


async def test_the_time_may_be_changed_and_the_contacts_follow(log: Log, book: Book) -> None:
    ada = await book.create(given_name="Ada")
    made = await log.create(ada, occur_time=at(days=9))
    changed = await log.update(made.id, occur_time=at(days=3))
    assert (await book.get(ada.id)).last_contact_time == changed.occur_time != made.occur_time
    await log.update(made.id, type=kinds.INTERACTION_TYPE_NOTE)
    assert not (await book.get(ada.id)).HasField("last_contact_time")
