"""What is found in the text of an interaction: language, sentiment, topics; what is given instead; and when neither."""

from __future__ import annotations

import asyncio

import pytest
from pmcrm.interactions.v1 import interaction_pb2 as kinds
from pmcrm.interactions.v1.interaction_pb2 import Interaction

from services.interactions.analysis.analyst import ENOUGH, Analyst, Text, findings_in
from services.interactions.analysis.topics import MOST_TOPICS
from tests.services.interactions.interaction_calls import CALL, Log

GIVEN, LOCAL, NONE = kinds.ANALYSIS_SOURCE_GIVEN, kinds.ANALYSIS_SOURCE_LOCAL, kinds.ANALYSIS_SOURCE_UNSPECIFIED
GOOD = "It was a wonderful evening and we laughed a lot. I love her new garden."
BAD = "It was a terrible evening. She was angry and disappointed with me, and I feel awful."
PLAIN = "The parcel from the office in the other street is on the table next to the door."


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (GOOD, "en"),
        ("Danke für das Gespräch gestern, wir sehen uns nächste Woche", "de"),
        ("Merci beaucoup pour ton aide avec le déménagement", "fr"),
        ("Reunión con el equipo sobre el nuevo proyecto", "es"),
        ("Incontro di lavoro con il nuovo cliente a Milano", "it"),
        ("Spotkanie w sprawie umowy z nowym klientem", "pl"),
        ("Обсудили бюджет проекта и переезд в новый офис", "ru"),
        ("会议记录:我们讨论了明年的预算", "zh"),
        ("昨日はありがとうございました", "ja"),
        ("ok", None),
        ("Zoom", None),
        ("John Smith", None),
        ("12:30 / 14:00", None),
    ],
)
def test_a_language_is_named_where_it_is_beyond_doubt(text: str, language: str | None) -> None:
    assert findings_in(Text(None, text, None)).language == language


@pytest.mark.parametrize(("text", "least", "most"), [(GOOD, 0.3, 1), (BAD, -1, -0.3), (PLAIN, -0.05, 0.05)])
def test_an_english_text_feels_like_something(text: str, least: float, most: float) -> None:
    sentiment = findings_in(Text(None, text, None)).sentiment
    assert sentiment is not None
    assert least <= sentiment <= most


def test_a_long_text_is_not_extreme_for_its_length() -> None:
    sentiment = findings_in(Text(None, "The day was good. The parcel is on the table. " * 60, None)).sentiment
    assert sentiment is not None
    assert 0.05 < sentiment < 0.5


@pytest.mark.parametrize("text", ["Das war ein schrecklicher, trauriger Abend mit viel Streit", "Terrible!!", "awful"])
def test_nothing_is_claimed_for_other_languages_and_where_there_is_doubt(text: str) -> None:
    assert findings_in(Text(None, text, None)).sentiment is None


def test_a_given_language_is_believed() -> None:
    assert findings_in(Text("Awful", None, None)).sentiment is None
    found = findings_in(Text("Awful", None, "en-GB"))
    assert found.sentiment is not None
    assert found.sentiment < -0.05


@pytest.mark.parametrize(
    ("subject", "body", "expected"),
    [
        ("Quarterly budget review", "The quarterly budget is too high.", "Quarterly budget review"),
        ("Umzug nach Hamburg", "Wir haben über die Wohnungssuche und den Umzug nach Hamburg gesprochen.", "Umzug"),
        ("Déménagement à Lyon", "Il cherche un appartement près du lac.", "Lyon"),
        ("Reunión", "Hablamos sobre el presupuesto anual de la empresa.", "presupuesto anual"),
        ("Встреча", "Обсудили переезд в Берлин.", "Берлин"),
        ("Invoice overdue", "", "Invoice overdue"),
    ],
)
def test_topics_are_found_in_several_languages(subject: str, body: str, expected: str) -> None:
    topics = findings_in(Text(subject, body, None)).topics
    assert topics is not None
    assert expected in topics
    assert len(topics) <= MOST_TOPICS


def test_what_is_no_topic_is_left_out() -> None:
    body = "Write to ada@example.org or see https://example.org/secret-plan today.\n> Their quoted elephants\n42 1990"
    topics = findings_in(Text("", body, "en")).topics
    assert not [
        topic for topic in topics or () if any(word in topic for word in ("example", "secret", "elephant", "42"))
    ]
    assert findings_in(Text("我们讨论了预算", None, None)).topics is None
    assert findings_in(Text(None, None, None)).topics is None


def test_a_long_text_is_analysed_as_far_as_is_enough() -> None:
    body = "word " * (ENOUGH // 5) + "elephants and giraffes"
    assert findings_in(Text(None, body, "en")) == findings_in(Text(None, body[:ENOUGH], "en"))


async def test_texts_are_analysed_beside_the_event_loop() -> None:
    analyst, ticks = Analyst(), 0
    work = asyncio.create_task(analyst.analyse([Text("Lunch", GOOD * 60, None)] * 60))
    while not work.done():
        await asyncio.sleep(0.005)
        ticks += 1
    assert len(await work) == 60
    assert ticks > 3, "the loop went on"


async def test_what_is_found_is_shown_with_its_source(log: Log) -> None:
    made = await log.create(subject="Dinner in the garden", body=GOOD)
    assert made.language == "en"
    assert made.sentiment.score > 0.3
    assert (made.sentiment.label, made.sentiment.source) == (kinds.SENTIMENT_LABEL_POSITIVE, LOCAL)
    assert "garden" in made.topics
    assert made.topics_source == LOCAL
    german = await log.create(body="Danke für das Gespräch gestern, wir sehen uns nächste Woche in Hamburg")
    assert (german.language, german.HasField("sentiment"), german.topics_source) == ("de", False, LOCAL)
    [batched, empty] = await log.create_many(Interaction(type=CALL, body=BAD), Interaction(type=CALL))
    assert batched.sentiment.label == kinds.SENTIMENT_LABEL_NEGATIVE
    assert (empty.language, list(empty.topics), empty.topics_source) == ("", [], NONE)


async def test_what_is_given_stays_until_it_is_cleared(log: Log) -> None:
    made = await log.create(body=GOOD, sentiment=kinds.Sentiment(score=-0.9), topics=["quarrel"], language="en-GB")
    assert (made.sentiment.label, made.sentiment.source) == (kinds.SENTIMENT_LABEL_NEGATIVE, GIVEN)
    changed = await log.update(made.id, body=BAD + " " + PLAIN)
    assert changed.sentiment == made.sentiment
    assert (list(changed.topics), changed.topics_source, changed.language) == (["quarrel"], GIVEN, "en-GB")

    cleared = await log.update(made.id, "sentiment", "topics", "language")
    assert (cleared.sentiment.label, cleared.sentiment.source) == (kinds.SENTIMENT_LABEL_NEGATIVE, LOCAL)
    assert cleared.sentiment.score != made.sentiment.score
    assert (cleared.topics_source, cleared.language) == (LOCAL, "en")
    assert "quarrel" not in cleared.topics


async def test_what_was_computed_is_computed_anew_when_the_text_changes(log: Log) -> None:
    made = await log.create(subject="Dinner", body=GOOD)
    same = await log.update(made.id, location="Café")
    assert (same.sentiment, list(same.topics)) == (made.sentiment, list(made.topics))
    changed = await log.update(made.id, body=BAD)
    assert changed.sentiment.label == kinds.SENTIMENT_LABEL_NEGATIVE
    assert list(changed.topics) != list(made.topics)
    gone = await log.update(made.id, "subject", "body")
    assert not gone.HasField("sentiment")
    assert (gone.language, list(gone.topics)) == ("", [])


@pytest.mark.parametrize("paths", [(), ("*",)], ids=["what is populated", "everything"])
async def test_sending_back_what_was_computed_does_not_give_it(log: Log, paths: tuple[str, ...]) -> None:
    made = await log.create(subject="Dinner", body=GOOD)
    made.body = BAD
    changed = await log.put(made, *paths)
    assert changed.sentiment.source == changed.topics_source == LOCAL
    assert changed.sentiment.label == kinds.SENTIMENT_LABEL_NEGATIVE
    changed.topics[:] = ["quarrel"]
    given = await log.put(changed, *paths)
    assert (given.topics_source, given.sentiment.source) == (GIVEN, LOCAL)


async def test_naming_a_computed_field_gives_it(log: Log) -> None:
    made = await log.create(subject="Dinner", body=GOOD)
    given = await log.put(made, "sentiment", "topics")
    assert given.sentiment.source == given.topics_source == GIVEN
    assert given.sentiment.score == made.sentiment.score


async def test_topics_that_were_found_are_searched(log: Log) -> None:
    await log.create(subject="Dinner", topics=["xylophone"])
    [result] = (await log.search("xylophone")).results
    assert list(result.matched_fields) == ["topics"]
