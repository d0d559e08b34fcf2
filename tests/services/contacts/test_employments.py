"""Employments through the service: who works or worked where, added, changed and removed."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from pmcrm.contacts.v1.employment_pb2 import Employment

from services.contacts import organization_limits as limits
from services.contacts.employment_record import FIXED, OUTPUT_ONLY, WRITABLE, is_before
from shared.partial_date import DateParts
from tests.postgres import Connection
from tests.services.contacts.calls import NOBODY
from tests.services.contacts.organization_calls import Firms, ada_and_engines, merge_by_hand, restrict
from tests.suite import Client, Metadata, failure, new_request_id, tenant_of

CONTRACT = Path(__file__).parents[3] / "protos/pmcrm/contacts/v1/employment.proto"
EVERYTHING: dict[str, Any] = {
    "job_title": "Programmer",
    "department": "Mill",
    "location": "London",
    "start_date": {"year": 1842, "month": 10},
    "end_date": {"year": 1843, "month": 9, "day": 1},
    "notes": "Translated the paper.\nAdded notes.",
}


@pytest.fixture
def firms(client: Client, alice: Metadata) -> Firms:
    return Firms(client, alice)


def test_every_field_is_writable_or_fixed_or_output_only() -> None:
    assert {field.name for field in Employment.DESCRIPTOR.fields} == WRITABLE | FIXED | OUTPUT_ONLY
    assert set(EVERYTHING) | {"current"} == WRITABLE


def test_the_limits_are_those_that_the_contract_states() -> None:
    [stated] = re.findall(r"^// Limits: (.*?)\.$", CONTRACT.read_text(), re.MULTILINE | re.DOTALL)
    assert stated.replace("\n// ", " ") == (
        f"job_title and department {limits.EMPLOYMENT_LINE} characters, notes {limits.EMPLOYMENT_NOTES // 1000} 000,"
        f" location {limits.EMPLOYMENT_LINE}, {limits.EMPLOYMENTS_OF_A_CONTACT} employments of one contact"
    )


async def test_what_was_added_is_listed(firms: Firms) -> None:
    ada, engines = await ada_and_engines(firms)
    added = await firms.employ(ada, engines, **EVERYTHING)
    for field, value in EVERYTHING.items():
        assert getattr(added, field) == getattr(Employment(**{field: value}), field), field
    assert (added.contact_id, added.organization_id, added.organization_name) == (ada, engines, "Analytical Engines")
    assert (added.contact.id, added.contact.display_name) == (ada, "Ada Lovelace")
    assert (added.current, added.etag) == (False, "1")
    assert added.create_time == added.update_time
    assert list((await firms.employments(contact_id=ada)).employments) == [added]
    page = await firms.employments(organization_id=engines, read_mask={"paths": ["job_title", "start_date.year"]})
    assert list(page.employments) == [Employment(id=added.id, job_title="Programmer", start_date={"year": 1842})]


async def test_output_only_fields_of_a_new_employment_are_ignored(firms: Firms) -> None:
    ada, engines = await ada_and_engines(firms)
    given: dict[str, Any] = {
        "id": NOBODY,
        "etag": "77",
        "organization_name": "Other",
        "contact": {"display_name": "Other"},
    }
    added = await firms.employ(ada, engines, **given, delete_time=datetime(2020, 1, 1, tzinfo=UTC))
    assert added.id != NOBODY
    assert (added.etag, added.organization_name, added.contact.id) == ("1", "Analytical Engines", ada)
    assert not added.HasField("delete_time")


async def test_employments_may_overlap_also_in_one_organization(firms: Firms) -> None:
    ada, engines = await ada_and_engines(firms)
    other = await firms.create("Other")
    for where, title in ((engines, "A"), (engines, "B"), (other.id, "C")):
        await firms.employ(ada, where, job_title=title, current=True, start_date={"year": 2020})
    assert sorted(await firms.titles(contact_id=ada)) == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("fields", "bad"),
    [
        ({"job_title": "x" * 201}, ["job_title"]),
        ({"job_title": "a\0b"}, ["job_title"]),
        ({"job_title": "a\nb"}, ["job_title"]),
        ({"department": "x" * 201}, ["department"]),
        ({"location": "x" * 201}, ["location"]),
        ({"notes": "x" * 10_001}, ["notes"]),
        ({"notes": "a\0b"}, ["notes"]),
        ({"start_date": {"year": 2023, "month": 2, "day": 29}}, ["start_date"]),
        ({"start_date": {"month": 2, "day": 30}}, ["start_date"]),
        ({"start_date": {"year": 10_000}}, ["start_date"]),
        ({"start_date": {"year": -1}}, ["start_date"]),
        ({"end_date": {"month": 13}}, ["end_date"]),
        ({"end_date": {"year": 2020, "day": 5}}, ["end_date"]),
        ({"end_date": {}}, ["end_date"]),
        ({"start_date": {"year": 2020}, "end_date": {"year": 2019}}, ["end_date"]),
        ({"start_date": {"year": 2020, "month": 5}, "end_date": {"year": 2020, "month": 4, "day": 30}}, ["end_date"]),
        ({"current": True, "end_date": {"year": 2020}}, ["current"]),
        ({"job_title": "x" * 201, "start_date": {"month": 13}}, ["job_title", "start_date"]),
    ],
)
async def test_a_bad_field_is_named(firms: Firms, fields: dict[str, Any], bad: list[str]) -> None:
    ada, engines = await ada_and_engines(firms)
    refused = await failure(firms.employ(ada, engines, **fields))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == [f"employment.{field}" for field in bad]
    added = await firms.employ(ada, engines)
    assert list((await failure(firms.change(added.id, **fields))).violations) == list(refused.violations)
    assert list((await firms.employments(contact_id=ada)).employments) == [added]


async def test_ids_are_required_and_uuids(firms: Firms) -> None:
    ada, engines = await ada_and_engines(firms)
    for contact, organization, bad in (
        ("", engines, ["contact_id"]),
        (ada, "42", ["organization_id"]),
        ("", "", ["contact_id", "organization_id"]),
    ):
        refused = await failure(firms.employ(contact, organization))
        assert list(refused.violations) == [f"employment.{field}" for field in bad]
    for malformed in ("", "42"):
        assert list((await failure(firms.change(malformed, notes="x"))).violations) == ["employment.id"]
        assert list((await failure(firms.remove(malformed))).violations) == ["id"]


@pytest.mark.parametrize(
    ("end", "start", "before"),
    [
        ((2019,), (2020,), True),
        ((2020,), (2020,), False),
        ((2020,), (2020, 5), False),
        ((2020, 4), (2020, 5), True),
        ((2020, 4), (2020,), False),
        ((2020, 5), (2020, 5, 3), False),
        ((2020, 5, 2), (2020, 5, 3), True),
        ((2020, 5, 3), (2020, 5, 3), False),
        ((None, 4), (None, 5), False),
        ((None, 4), (2020, 5), False),
        ((2019, 12, 31), (None, 5, 3), False),
        ((), (2020,), False),
    ],
)
def test_an_end_is_before_a_start_as_far_as_both_are_known(end: Any, start: Any, before: bool) -> None:
    assert is_before(DateParts(*end), DateParts(*start)) is before


async def test_contact_and_organization_must_live(firms: Firms) -> None:
    ada, engines = await ada_and_engines(firms)
    for contact, organization, reason in (
        (NOBODY, engines, "CONTACT_NOT_FOUND"),
        (ada, NOBODY, "ORGANIZATION_NOT_FOUND"),
        (NOBODY, NOBODY, "CONTACT_NOT_FOUND"),
    ):
        refused = await failure(firms.employ(contact, organization))
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, reason)
        assert refused.metadata == {"id": NOBODY}
    await firms.delete(engines)
    assert (await failure(firms.employ(ada, engines))).reason == "ORGANIZATION_NOT_FOUND"
    await firms.undelete(engines)
    await firms.book.delete(ada)
    assert (await failure(firms.employ(ada, engines))).reason == "CONTACT_NOT_FOUND"


async def test_nothing_is_added_to_a_restricted_contact(firms: Firms, as_superuser: Connection) -> None:
    ada, engines = await ada_and_engines(firms)
    added = await firms.employ(ada, engines, current=True)
    await restrict(as_superuser, ada)
    refused = await failure(firms.employ(ada, engines))
    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PROCESSING_RESTRICTED")
    assert (await failure(firms.employments(contact_id=ada))).reason == "PROCESSING_RESTRICTED"
    # What is wrong may still be put right.
    assert (await firms.change(added.id, job_title="Analyst")).job_title == "Analyst"
    assert (await firms.remove(added.id)).HasField("delete_time")


async def test_a_contact_has_so_many_employments_and_no_more(firms: Firms, as_superuser: Connection) -> None:
    ada, engines = await ada_and_engines(firms)
    first = await firms.employ(ada, engines)
    await as_superuser.execute(
        "INSERT INTO contact_employments (user_id, contact_id, organization_id)"
        " SELECT $1::uuid, $2::uuid, $3::uuid FROM generate_series(1, $4)",
        tenant_of(firms.tenant), ada, engines, limits.EMPLOYMENTS_OF_A_CONTACT - 2,
    )  # fmt: skip
    outcomes = await asyncio.gather(*(firms.employ(ada, engines) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(outcome, Employment) for outcome in outcomes) == 1
    refused = await failure(firms.employ(ada, engines))
    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "LIMIT_REACHED")
    assert refused.metadata == {"id": ada, "limit": "employments of a contact"}
    await firms.delete(engines)
    other = await firms.create("Other")
    assert (await failure(firms.employ(ada, other.id))).reason == "LIMIT_REACHED"
    await firms.remove(first.id)
    await firms.employ(ada, other.id)
    bert = await firms.book.create(given_name="Bert")
    await firms.employ(bert.id, other.id)


async def test_an_update_writes_what_the_mask_names(firms: Firms) -> None:
    ada, engines = await ada_and_engines(firms)
    added = await firms.employ(ada, engines, **EVERYTHING)
    changed = await firms.change(added.id, job_title="Analyst")
    assert (changed.job_title, changed.department, changed.etag) == ("Analyst", "Mill", "2")
    changed = await firms.change(added.id, "department", "start_date.month", "organization_name", location="Other")
    assert (changed.department, changed.location, changed.start_date.month) == ("", "London", 0)
    assert changed.start_date.year == 1842
    cleared = await firms.change(added.id, "*", current=True)
    for field in WRITABLE - {"current"}:
        assert getattr(cleared, field) == getattr(Employment(), field), field
    assert not cleared.HasField("start_date")
    assert (cleared.current, cleared.contact_id, cleared.organization_id) == (True, ada, engines)
    assert list((await failure(firms.change(added.id, "salary"))).violations) == ["update_mask.paths[0]"]


async def test_an_update_that_touches_one_of_two_is_checked_with_the_other(firms: Firms) -> None:
    ada, engines = await ada_and_engines(firms)
    going_on = await firms.employ(ada, engines, start_date={"year": 2020, "month": 5}, current=True)
    ended = await firms.employ(ada, engines, end_date={"year": 2021})
    for call, bad in (
        (firms.change(going_on.id, end_date={"year": 2021}), "current"),
        (firms.change(going_on.id, "end_date", end_date={"year": 2021}), "current"),
        (firms.change(ended.id, current=True), "current"),
        (firms.change(ended.id, start_date={"year": 2022}), "end_date"),
        (firms.change(going_on.id, "end_date", "current", end_date={"year": 2019}), "end_date"),
    ):
        assert list((await failure(call)).violations) == [f"employment.{bad}"]
    changed = await firms.change(going_on.id, "end_date", "current", end_date={"year": 2020})
    assert (changed.current, changed.end_date.year) == (False, 2020)
    changed = await firms.change(ended.id, "end_date", "current", current=True)
    assert (changed.current, changed.HasField("end_date")) == (True, False)


async def test_an_update_of_nothing_changes_nothing(firms: Firms) -> None:
    ada, engines = await ada_and_engines(firms)
    added = await firms.employ(ada, engines, **EVERYTHING)
    assert await firms.change(added.id) == added
    assert await firms.change(added.id, "organization_name", "etag", "contact") == added
    assert await firms.change(added.id, contact_id=ada, organization_id=engines) == added


async def test_an_employment_stays_with_its_contact_and_organization(firms: Firms, as_superuser: Connection) -> None:
    ada, engines = await ada_and_engines(firms)
    added = await firms.employ(ada, engines)
    bert, other = await firms.book.create(given_name="Bert"), await firms.create("Other")
    for paths in ((), ("*",), ("contact_id", "organization_id")):
        for moved in ({"contact_id": bert.id}, {"contact_id": NOBODY}, {"contact_id": "42"}):
            refused = await failure(firms.change(added.id, *paths, organization_id=engines, **moved))
            assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", ["employment.contact_id"])
        for moved in ({"organization_id": other.id}, {"organization_id": NOBODY}):
            refused = await failure(firms.change(added.id, *paths, contact_id=ada, **moved))
            assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", ["employment.organization_id"])
    assert list((await failure(firms.change(added.id, "contact_id"))).violations) == ["employment.contact_id"]
    assert list((await firms.employments(contact_id=ada)).employments) == [added]
    await merge_by_hand(as_superuser, firms.tenant, bert.id, ada)
    changed = await firms.change(added.id, contact_id=bert.id, job_title="Programmer")
    assert (changed.contact_id, changed.job_title) == (ada, "Programmer")


async def test_an_update_of_another_version_is_aborted(firms: Firms) -> None:
    ada, engines = await ada_and_engines(firms)
    added = await firms.employ(ada, engines)
    changed = await firms.change(added.id, etag=added.etag, notes="1")
    for stale in (added.etag, "nonsense"):
        for call in (firms.change(added.id, etag=stale, notes="2"), firms.remove(added.id, etag=stale)):
            refused = await failure(call)
            assert (refused.code, refused.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert (await firms.remove(added.id, etag=changed.etag)).notes == "1"


async def test_a_removed_employment_is_as_if_it_had_never_been(firms: Firms) -> None:
    ada, engines = await ada_and_engines(firms)
    added = await firms.employ(ada, engines, current=True)
    removed = await firms.remove(added.id)
    assert removed.purge_time.ToDatetime() - removed.delete_time.ToDatetime() == timedelta(days=90)
    assert list((await firms.employments(contact_id=ada)).employments) == []
    assert list((await firms.employments(contact_id=ada, show_deleted=True)).employments) == [removed]
    assert await firms.counts(engines) == (0, 0)
    for call in (firms.remove(added.id), firms.change(added.id, notes="x"), firms.change(added.id)):
        refused = await failure(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "EMPLOYMENT_NOT_FOUND")
        assert refused.metadata == {"id": added.id}
    assert await firms.remove(added.id, allow_missing=True) == removed


async def test_an_employment_that_is_not_there_is_not_found(firms: Firms) -> None:
    for call in (firms.change(NOBODY, notes="x"), firms.remove(NOBODY)):
        refused = await failure(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "EMPLOYMENT_NOT_FOUND")
    assert await firms.remove(NOBODY, allow_missing=True) == Employment()


async def test_every_mutation_happens_once_per_request_id(firms: Firms) -> None:
    ada, engines = await ada_and_engines(firms)
    request_id = new_request_id()
    added = await firms.employ(ada, engines, request_id=request_id)
    assert await firms.employ(ada, engines, request_id=request_id) == added
    assert list((await firms.employments(contact_id=ada)).employments) == [added]
    assert (await failure(firms.employ(ada, engines, request_id, notes="x"))).reason == "REQUEST_ID_REUSED"

    request_id = new_request_id()
    changed = await firms.change(added.id, notes="1", request_id=request_id)
    await firms.change(added.id, notes="2")
    assert await firms.change(added.id, notes="1", request_id=request_id) == changed
    assert (await failure(firms.change(added.id, notes="3", request_id=request_id))).reason == "REQUEST_ID_REUSED"

    request_id = new_request_id()
    removed = await firms.remove(added.id, request_id=request_id)
    assert await firms.remove(added.id, request_id=request_id) == removed
    assert (await failure(firms.remove(NOBODY, request_id=request_id))).reason == "REQUEST_ID_REUSED"


async def test_every_mutation_leaves_an_entry_about_the_contact(firms: Firms, as_superuser: Connection) -> None:
    ada, engines = await ada_and_engines(firms)
    added = await firms.employ(ada, engines, job_title="Programmer", start_date={"year": 1842})
    await firms.change(added.id, "job_title", "start_date", start_date={"year": 1843, "month": 2})
    await firms.change(added.id, start_date={"year": 1843, "month": 2})
    await firms.remove(added.id)
    found = await as_superuser.fetch(
        "SELECT * FROM audit_logs WHERE subject_id = $1::uuid AND table_name = 'contact_employments' ORDER BY at", ada
    )
    assert [entry["action"] for entry in found] == ["INSERT", "UPDATE", "UPDATE"]
    created, updated, removed = found
    assert (created["old_values"], created["new_values"]) == (None, None)
    assert updated["old_values"] == {"job_title": "Programmer", "start_year": 1842, "start_month": None}
    assert updated["new_values"] == {"job_title": None, "start_year": 1843, "start_month": 2}
    assert (list(removed["new_values"]), removed["old_values"]) == (["deleted_at"], {"deleted_at": None})
