"""FindDuplicateContacts: for one contact and through a whole tenant, over every way in which two can be alike."""

from __future__ import annotations

import asyncio
import json
import math
import uuid
from typing import Any

import grpc
import pytest
from pmcrm.contacts.v1 import contact_merge_pb2 as pb
from pmcrm.contacts.v1.contact_merge_pb2 import DuplicateCandidate, DuplicateProgress, DuplicateReason
from pmcrm.contacts.v1.contact_pb2 import Contact

from services.contacts import duplicates
from shared.duplicates import reading
from shared.duplicates.search import TenantSearch
from tests.postgres import Connection, Database, bound
from tests.services.contacts.calls import Book, random_id
from tests.services.contacts.test_links import merge, restrict
from tests.suite import failure, tenant_of

FAR = 0.01  # a min_score that leaves out nothing which has anything in common


async def events(book: Book, **arguments: Any) -> list[pb.FindDuplicateContactsResponse]:
    call = book.stub.FindDuplicateContacts(pb.FindDuplicateContactsRequest(**arguments), metadata=book.tenant)
    return [event async for event in call]


async def candidates(book: Book, **arguments: Any) -> list[DuplicateCandidate]:
    return [event.candidate for event in await events(book, **arguments) if event.HasField("candidate")]


def reasons(candidate: DuplicateCandidate) -> list[str]:
    return [DuplicateReason.Name(each.reason).removeprefix("DUPLICATE_REASON_") for each in candidate.evidence]


def ids(found: list[DuplicateCandidate]) -> set[tuple[str, str]]:
    return {(candidate.contact.id, candidate.duplicate.id) for candidate in found}


async def employ(conn: Connection, book: Book, organization: str, *contacts: Contact, **columns: Any) -> None:
    """Lets contacts work, or have worked, in an organization of that name."""
    columns = {"is_current": False, "deleted_at": None, **columns}
    organization_id = await conn.fetchval(
        "INSERT INTO organizations (user_id, name, name_key, sort_name)"
        " VALUES ($1, $2, lower($2), lower($2)) RETURNING id",
        uuid.UUID(tenant_of(book.tenant)),
        organization,
    )
    for contact in contacts:
        await conn.execute(
            "INSERT INTO contact_employments (user_id, contact_id, organization_id, is_current, deleted_at)"
            " VALUES ($1, $2, $3, $4, $5)",
            *(uuid.UUID(tenant_of(book.tenant)), uuid.UUID(contact.id), organization_id),
            *columns.values(),
        )


BORN = {"year": 1980, "month": 5, "day": 17}
ALIKE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "SAME_PHONE": (
        {"given_name": "Ada", "phones": [{"value": "020 7946 0123"}]},
        {"given_name": "Countess", "phones": [{"value": "+44 20 7946 0123"}]},
    ),
    "SAME_EMAIL": (
        {"given_name": "Ada", "emails": [{"value": "Ada@example.com"}]},
        {"given_name": "Countess", "emails": [{"value": "x@example.com"}, {"value": "aDA@EXAMPLE.com"}]},
    ),
    "SIMILAR_EMAIL SAME_NAME": (
        {"given_name": "Ada", "family_name": "King", "emails": [{"value": "ada.king@example.com"}]},
        {"given_name": "ADA", "family_name": "KING", "emails": [{"value": "adaking+crm@example.com"}]},
    ),
    "SIMILAR_NAME_SAME_ORGANIZATION": (
        {"given_name": "Jon", "family_name": "Müller", "organization_name": "Analytical Engines Ltd"},
        {"given_name": "John", "family_name": "Mueller", "organization_name": "ANALYTICAL ENGINES"},
    ),
    "SIMILAR_NAME_SAME_BIRTHDAY": (
        {"given_name": "Anna", "family_name": "Meyer", "birthday": BORN},
        {"given_name": "Anna", "family_name": "Maier", "birthday": {"month": 5, "day": 17}},
    ),
    "SAME_NAME": (
        {"given_name": "Zoë", "family_name": "King"},
        {"given_name": "King", "family_name": "Zoe"},
    ),
    "SIMILAR_EMAIL": (
        {"given_name": "Ada", "emails": [{"value": "a.king@example.com"}]},
        {"given_name": "Countess", "emails": [{"value": "a.king+crm@example.com"}]},
    ),
}


@pytest.mark.parametrize("alike", ALIKE)
async def test_two_that_are_alike_are_found_by_either_and_in_the_whole_tenant(book: Book, alike: str) -> None:
    older, newer, _ = await book.create_many(*ALIKE[alike], {"given_name": "Otto", "family_name": "Stranger"})
    [whole] = await candidates(book, min_score=FAR)
    [one] = await candidates(book, contact_id=older.id, min_score=FAR)
    [other] = await candidates(book, contact_id=newer.id, min_score=FAR)
    assert ids([whole]) == ids([one]) == {(older.id, newer.id)}
    assert ids([other]) == {(newer.id, older.id)}
    assert reasons(whole) == reasons(one) == reasons(other) == alike.split()
    assert whole.score == one.score == pytest.approx(other.score)
    assert whole.score == pytest.approx(1 - math.prod(1 - each.weight for each in whole.evidence))
    assert (whole.contact.display_name, whole.duplicate.display_name) == (older.display_name, newer.display_name)
    # What is a hint alone is no candidate unless asked for.
    enough = alike not in ("SAME_NAME", "SIMILAR_EMAIL")
    assert [bool(await candidates(book, contact_id=asked)) for asked in ("", older.id, newer.id)] == [enough] * 3


@pytest.mark.parametrize("current", [True, False])
async def test_an_employment_makes_the_same_organization_current_or_former(
    book: Book, as_superuser: Connection, current: bool
) -> None:
    jon, john, card = await book.create_many(
        {"given_name": "Jon", "family_name": "Smith"},
        {"given_name": "John", "family_name": "Smith"},
        {"given_name": "John", "family_name": "Smyth", "organization_name": "Acme"},
    )
    await employ(as_superuser, book, "ACME", jon, john, is_current=current)
    expected = {(jon.id, john.id), (jon.id, card.id), (john.id, card.id)}
    assert ids(await candidates(book)) == expected
    for contact in (jon, john, card):
        found = await candidates(book, contact_id=contact.id)
        assert {frozenset(pair) for pair in ids(found)} == {frozenset(pair) for pair in expected if contact.id in pair}
        assert {reason for candidate in found for reason in reasons(candidate)} == {"SIMILAR_NAME_SAME_ORGANIZATION"}
        assert {found[0].contact.id, found[1].contact.id} == {contact.id}


async def test_a_removed_employment_and_a_deleted_organization_make_nothing(
    book: Book, as_superuser: Connection
) -> None:
    jon, john = await book.create_many(
        {"given_name": "Jon", "family_name": "Smith"}, {"given_name": "John", "family_name": "Smith"}
    )
    await employ(as_superuser, book, "Removed", jon, john, deleted_at=jon.create_time.ToDatetime())
    await employ(as_superuser, book, "Deleted", jon, john)
    await as_superuser.execute("UPDATE organizations SET deleted_at = now() WHERE name = 'Deleted'")
    assert await candidates(book, min_score=FAR) == await candidates(book, contact_id=jon.id, min_score=FAR) == []


async def test_for_one_contact_the_best_come_first(book: Book) -> None:
    shared = {"given_name": "Ada", "family_name": "King", "organization_name": "Acme"}
    ada, named, mailed, all_same = await book.create_many(
        {**shared, "emails": [{"value": "ada@x.org"}], "phones": [{"value": "+442079460123"}]},
        {"given_name": "Ada", "family_name": "Kingg", "organization_name": "Acme"},
        {"given_name": "A", "emails": [{"value": "ada@x.org"}]},
        {**shared, "emails": [{"value": "ada@x.org"}], "phones": [{"value": "+442079460123"}]},
    )
    found = await candidates(book, contact_id=ada.id)
    assert [candidate.duplicate.id for candidate in found] == [all_same.id, mailed.id, named.id]
    assert [candidate.score for candidate in found] == sorted((c.score for c in found), reverse=True)
    assert reasons(found[0]) == ["SAME_EMAIL", "SAME_PHONE", "SIMILAR_NAME_SAME_ORGANIZATION"]
    assert [each.weight for each in found[0].evidence] == sorted((e.weight for e in found[0].evidence), reverse=True)
    assert found[0].contact.organization == "Acme"
    best = await candidates(book, contact_id=ada.id, max_candidates=1)
    assert best == found[:1]
    likelier = await candidates(book, contact_id=ada.id, min_score=found[1].score)
    assert likelier == found[:2]
    told = await events(book, contact_id=ada.id)
    assert {event.WhichOneof("event") for event in told} == {"candidate"}


async def test_through_a_whole_tenant_progress_is_told_and_the_older_comes_first(book: Book) -> None:
    # Each in a transaction of its own, and so at a time of its own.
    made = [await book.create(given_name="Ada", emails=[{"value": "ada@x.org"}]) for _ in range(3)]
    told = await events(book)
    assert [event.WhichOneof("event") for event in told] == ["progress"] + ["candidate"] * 3 + ["progress"]
    first, last = told[0].progress, told[-1].progress
    assert (first.contacts_processed, first.contacts_total) == (0, 3)
    assert (last.contacts_processed, last.contacts_total) == (3, 3)
    pairs = [(event.candidate.contact.id, event.candidate.duplicate.id) for event in told[1:-1]]
    assert pairs == [(made[0].id, made[1].id), (made[0].id, made[2].id), (made[1].id, made[2].id)]
    stopped = await candidates(book, max_candidates=2)
    assert [(candidate.contact.id, candidate.duplicate.id) for candidate in stopped] == pairs[:2]


async def test_a_tenant_without_contacts_has_no_duplicates(book: Book) -> None:
    [only] = await events(book)
    assert only.progress == DuplicateProgress()


@pytest.mark.parametrize("gone", ["deleted", "restricted"])
async def test_deleted_and_restricted_contacts_are_in_no_pair(book: Book, as_superuser: Connection, gone: str) -> None:
    same = {
        "given_name": "Ada",
        "family_name": "King",
        "organization_name": "Acme",
        "birthday": BORN,
        "emails": [{"value": "ada@x.org"}],
        "phones": [{"value": "+442079460123"}],
    }
    ada, other = await book.create_many(same, same)
    assert len(await candidates(book)) == len(await candidates(book, contact_id=ada.id)) == 1
    if gone == "deleted":
        await book.delete(other.id)
    else:
        await restrict(as_superuser, other.id)
    assert await candidates(book, min_score=FAR) == await candidates(book, contact_id=ada.id, min_score=FAR) == []
    refused = await failure(candidates(book, contact_id=other.id))
    assert refused.reason == {"deleted": "CONTACT_NOT_FOUND", "restricted": "PROCESSING_RESTRICTED"}[gone]


async def test_the_id_of_a_merged_contact_stands_for_the_survivor(book: Book, as_superuser: Connection) -> None:
    ada, twin, other = await book.create_many(
        *({"given_name": name, "emails": [{"value": "ada@x.org"}]} for name in ("Ada", "Ada", "Ada"))
    )
    await merge(as_superuser, book, twin.id, ada.id)
    assert ids(await candidates(book, contact_id=twin.id)) == {(ada.id, other.id)}


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        ({"contact_id": "x"}, ["contact_id"]),
        ({"min_score": -0.1}, ["min_score"]),
        ({"min_score": 1.1}, ["min_score"]),
        ({"min_score": math.nan}, ["min_score"]),
        ({"max_candidates": -1}, ["max_candidates"]),
        ({"max_candidates": 10_001}, ["max_candidates"]),
        ({"contact_id": "x", "min_score": 2, "max_candidates": -1}, ["contact_id", "min_score", "max_candidates"]),
    ],
)
async def test_what_is_out_of_range_is_named(book: Book, arguments: dict[str, Any], fields: list[str]) -> None:
    refused = await failure(events(book, **arguments))
    assert (refused.reason, sorted(refused.violations)) == ("FIELD_INVALID", sorted(fields))


async def test_limits_themselves_are_in_range(book: Book) -> None:
    assert await candidates(book, min_score=1, max_candidates=10_000) == []


async def test_duplicates_of_nobody_are_not_found(book: Book) -> None:
    nobody = random_id()
    refused = await failure(events(book, contact_id=nobody))
    assert (refused.reason, refused.metadata["id"]) == ("CONTACT_NOT_FOUND", nobody)


async def test_two_tenants_with_the_same_contacts_are_never_mixed(book: Book, bobs: Book) -> None:
    alike = [fields for pair in ALIKE.values() for fields in pair]
    hers, his = await book.create_many(*alike), await bobs.create_many(*alike)
    for owner, own in ((book, hers), (bobs, his)):
        known = {contact.id for contact in own}
        whole = await candidates(owner, min_score=FAR)
        assert len(whole) >= len(ALIKE)
        assert {each for pair in ids(whole) for each in pair} <= known
        for contact in own:
            found = await candidates(owner, contact_id=contact.id, min_score=FAR)
            assert found
            assert {each for pair in ids(found) for each in pair} <= known
    # A contact that only the other tenant has a twin of has none.
    lonely = await book.create(given_name="Lonely", emails=[{"value": "lonely@x.org"}])
    await bobs.create(given_name="Lonely", emails=[{"value": "lonely@x.org"}])
    assert await candidates(book, contact_id=lonely.id, min_score=FAR) == []


async def test_looking_changes_nothing(book: Book, as_superuser: Connection) -> None:
    ada, _ = await book.create_many(*ALIKE["SAME_EMAIL"])
    before = await as_superuser.fetchval(
        "SELECT count(*) FROM audit_logs WHERE user_id = $1::uuid", tenant_of(book.tenant)
    )
    await candidates(book)
    await candidates(book, contact_id=ada.id)
    assert before == await as_superuser.fetchval(
        "SELECT count(*) FROM audit_logs WHERE user_id = $1::uuid", tenant_of(book.tenant)
    )


async def fill(conn: Connection, book: Book, size: int, *, one_employer: bool = False) -> None:
    """A book of so many people with made-up names and a number each, or with one employer and its number."""
    await conn.execute(
        """
        INSERT INTO contacts (
            user_id, display_name, sort_name, given_name, family_name, organization_name, emails, phones,
            birthday_month, birthday_day
        )
        SELECT $1::uuid, given || ' ' || family, given || ' ' || family, given, family,
            CASE WHEN $3 THEN 'Acme' ELSE 'Company ' || n % ($2 / 12) END,
            jsonb_build_array(jsonb_build_object('value', 'mail.' || n || '@example.com')),
            jsonb_build_array(jsonb_build_object('value', number, 'e164', number)),
            CASE WHEN n % 5 = 0 THEN 1 + n % 12 END, CASE WHEN n % 5 = 0 THEN 1 + n % 28 END
        FROM generate_series(1, $2::integer) AS n
        CROSS JOIN LATERAL (
            SELECT
                translate(to_char(n * 7919 % 401, 'FM000'), '0123456789', 'aeioubdgkl') AS given,
                translate(to_char(n * 104729 % 9973, 'FM0000'), '0123456789', 'rmntsaeiou') AS family,
                CASE WHEN $3 THEN '+442079460000' ELSE '+4420' || 10000000 + n END AS number
        ) AS made
        """,
        tenant_of(book.tenant),
        size,
        one_employer,
    )


@pytest.mark.parametrize("one_employer", [False, True], ids=["a realistic book", "one employer and one switchboard"])
async def test_ten_thousand_contacts_are_compared_in_bounded_work(
    book: Book, as_superuser: Connection, monkeypatch: pytest.MonkeyPatch, one_employer: bool
) -> None:
    size, running = 10_000, []

    class Counting(TenantSearch):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            running.append(self)

    monkeypatch.setattr(duplicates, "TenantSearch", Counting)
    await fill(as_superuser, book, size - 2, one_employer=one_employer)
    jon, john = await book.create_many(
        {"given_name": "Jonathan", "family_name": "Smyth", "emails": [{"value": "jon@x.org"}]},
        {"given_name": "Jonathan", "family_name": "Smith", "emails": [{"value": "JON@x.org"}]},
    )
    told = await events(book, min_score=0.8)
    assert (jon.id, john.id) in ids([event.candidate for event in told if event.HasField("candidate")])
    done = [event.progress.contacts_processed for event in told if event.HasField("progress")]
    assert (done[0], done[-1], done) == (0, size, sorted(set(done)))
    assert 0 < running[0].compared < 40 * size


async def test_among_many_namesakes_who_was_born_on_the_same_day_is_found(book: Book) -> None:
    ada, *_ = await book.create_many(
        {"given_name": "Ada", "family_name": "King", "birthday": BORN},
        *({"given_name": "Ada", "family_name": "King"} for _ in range(reading.NAMESAKES + 20)),
    )
    twin = await book.create(given_name="Ada", family_name="Kings", birthday=BORN)
    assert ids(await candidates(book, contact_id=ada.id)) == {(ada.id, twin.id)}


async def test_one_contacts_candidates_are_looked_up_by_indexes(
    book: Book, as_superuser: Connection, database: Database
) -> None:
    await fill(as_superuser, book, 5_000)
    ada = await book.create(given_name="Ada", family_name="Quux", organization_name="Acme", birthday=BORN)
    colleague = await book.create(given_name="Otto", family_name="Strange", organization_name="Other")
    await employ(as_superuser, book, "Acme", ada, colleague)
    await as_superuser.execute("VACUUM ANALYZE")
    pages = await as_superuser.fetchval("SELECT relpages FROM pg_class WHERE oid = 'contacts'::regclass")
    tenant = tenant_of(book.tenant)
    looked_up = {
        "get_profiles": f"ARRAY['{ada.id}', '{colleague.id}']::uuid[]",
        "find_by_keys": "ARRAY['mail.77@example.com'], ARRAY['+442010000077']",
        "find_namesakes": "ARRAY['ada quux'], 5::smallint, 17::smallint, 100",
        "find_by_words": "ARRAY['mail.77@example.com'], 100",
        "find_colleagues": f"'{ada.id}', 300",
        "get_candidate_summaries": f"ARRAY['{ada.id}', '{colleague.id}']::uuid[]",
    }
    async with database.connect("pmcrm_contacts") as conn, bound(conn, uuid.UUID(tenant)):
        for name, arguments in looked_up.items():
            query = reading.QUERIES[name]
            await conn.execute(f"PREPARE {name} ({', '.join(query.types)}) AS {query.sql}")
            for _ in range(7):  # so often that PostgreSQL has settled on a plan
                explained = await conn.fetchval(
                    f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE {name} ('{tenant}', {arguments})"
                )
            plan = json.loads(explained)[0]["Plan"]
            assert plan["Actual Rows"] >= 1, name
            assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < pages / 2, name


async def test_a_slow_reader_holds_no_transaction_and_is_sent_ten_thousand_at_most(
    book: Book, as_superuser: Connection
) -> None:
    await as_superuser.execute(
        "INSERT INTO contacts (user_id, display_name, sort_name, emails)"
        """ SELECT $1::uuid, 'Ada', 'ada', '[{"value": "ada@x.org"}]' FROM generate_series(1, 3000)""",
        tenant_of(book.tenant),
    )
    call = book.stub.FindDuplicateContacts(pb.FindDuplicateContactsRequest(), metadata=book.tenant)
    stream = call.__aiter__()
    got = 0
    while got < 10:
        got += (await anext(stream)).HasField("candidate")
    # Nobody reads on, and the server cannot write on: no transaction waits for that.
    await asyncio.sleep(0.5)
    for _ in range(20):
        assert not call.done()
        open_for = await as_superuser.fetch(
            "SELECT now() - xact_start AS age FROM pg_stat_activity WHERE datname = current_database()"
            " AND usename = 'pmcrm_contacts' AND xact_start < now() - interval '0.3 s'"
        )
        assert open_for == []
        await asyncio.sleep(0.05)
    got += sum([event.HasField("candidate") async for event in call])
    assert got == 10_000


async def test_a_search_that_is_called_off_stops(book: Book, as_superuser: Connection) -> None:
    await fill(as_superuser, book, 3_000)
    call = book.stub.FindDuplicateContacts(pb.FindDuplicateContactsRequest(), metadata=book.tenant)
    assert (await anext(call.__aiter__())).HasField("progress")
    call.cancel()
    assert await call.code() == grpc.StatusCode.CANCELLED
    assert (await book.create(given_name="Afterwards")).id
