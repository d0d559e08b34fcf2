"""Organizations through the service: created, read, changed, deleted and brought back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from pmcrm.contacts.v1.organization_pb2 import Organization

from services.contacts import organization_limits as limits
from services.contacts.organization_record import OUTPUT_ONLY, WRITABLE
from shared import contact_limits
from tests.postgres import Connection
from tests.services.contacts.calls import NOBODY
from tests.services.contacts.organization_calls import Firms
from tests.suite import Client, Metadata, failure, new_request_id

EVERYTHING: dict[str, Any] = {
    "aliases": ["AE", "Engines"],
    "domains": ["example.org", "münchen.de"],
    "website": "https://example.org",
    "industry": "Computing",
    "location": "London",
    "description": "It makes\nengines.",
    "notes": "Ask about the Difference Engine.\n",
    "custom_fields": {"tier": 1, "open": True, "parts": ["mill", "store", None], "ratio": 0.5},
    "enrichments": [
        {"source": "directory", "fetch_time": "2024-02-29T12:00:00.123456789Z", "data": {"employees": 12}},
        {"source": "register", "fetch_time": "2025-01-01T00:00:00Z", "data": {"seat": {"city": "London"}}},
    ],
}
CONTRACT = Path(__file__).parents[3] / "protos/pmcrm/contacts/v1/organization.proto"


@pytest.fixture
def firms(client: Client, alice: Metadata) -> Firms:
    return Firms(client, alice)


def everything() -> dict[str, Any]:
    """EVERYTHING with times as messages."""
    message = Organization()
    for enrichment in EVERYTHING["enrichments"]:
        added = message.enrichments.add(source=enrichment["source"], data=enrichment["data"])
        added.fetch_time.FromJsonString(enrichment["fetch_time"])
    return {**EVERYTHING, "enrichments": list(message.enrichments)}


def test_every_field_is_either_writable_or_output_only() -> None:
    assert {field.name for field in Organization.DESCRIPTOR.fields} == WRITABLE | OUTPUT_ONLY
    assert not WRITABLE & OUTPUT_ONLY
    assert set(EVERYTHING) | {"name"} == WRITABLE


def test_the_limits_are_those_that_the_contract_states() -> None:
    [stated] = re.findall(r"^// Limits: (.*?)\.$", CONTRACT.read_text(), re.MULTILINE | re.DOTALL)
    assert stated.replace("\n// ", " ") == (
        f"name {limits.NAME} characters, description and notes {limits.TEXT:_}, website {limits.WEBSITE:_}, each other"
        f" text {limits.LINE}, aliases {limits.LIST}, domains {limits.LIST}, enrichments {limits.LIST}, each enrichment"
        f" and custom_fields {contact_limits.CUSTOM_FIELDS_BYTES // 1024} KiB as JSON with"
        f" {contact_limits.CUSTOM_FIELDS_DEPTH} levels of nesting"
    ).replace("_", " ").replace("custom fields", "custom_fields")


async def test_what_was_written_is_read_again(firms: Firms) -> None:
    made = await firms.create(**everything())
    for field, value in everything().items():
        assert getattr(made, field) == getattr(Organization(**{field: value}), field), field
    assert (made.name, made.etag) == ("Analytical Engines", "1")
    assert made.create_time == made.update_time
    assert not made.HasField("delete_time")
    assert not made.HasField("purge_time")
    assert await firms.get(made.id) == made
    assert await firms.get(made.id, "name", "enrichments") == Organization(
        id=made.id, name=made.name, enrichments=made.enrichments
    )


async def test_output_only_fields_of_a_new_organization_are_ignored(firms: Firms) -> None:
    made = await firms.create(
        id=NOBODY, etag="77", current_contact_count=5, delete_time=datetime(2020, 1, 1, tzinfo=UTC)
    )
    assert made.id != NOBODY
    assert (made.etag, made.current_contact_count, made.HasField("delete_time")) == ("1", 0, False)


async def test_two_organizations_may_have_one_name(firms: Firms) -> None:
    first, second = await firms.create("Example"), await firms.create("Example")
    assert first.id != second.id


async def test_texts_are_normalised_and_repetitions_left_out(firms: Firms) -> None:
    made = await firms.create(
        " Cafe\u0301 ",
        aliases=["A", " A ", "B"],
        domains=["Example.ORG", "example.org", "xn--mnchen-3ya.de", "MÜNCHEN.de"],
        notes="a\r\nb\rc",
    )
    assert (made.name, list(made.aliases), made.notes) == ("Caf\u00e9", ["A", "B"], "a\nb\nc")
    assert list(made.domains) == ["example.org", "münchen.de"]


async def test_the_newest_of_one_source_replaces_the_older_one(firms: Firms) -> None:
    def said(source: str, day: int, what: str) -> dict[str, Any]:
        return {"source": source, "fetch_time": datetime(2025, 1, day, tzinfo=UTC), "data": {"said": what}}

    given = [said("a", 2, "newer"), said("b", 1, "older"), said(" a ", 1, "older"), said("b", 3, "newer")]
    made = await firms.create(enrichments=given)
    assert [(e.source, e.data["said"]) for e in made.enrichments] == [("a", "newer"), ("b", "newer")]
    changed = await firms.update(made.id, enrichments=[said("c", 1, "first"), said("c", 1, "last")])
    assert [(e.source, e.data["said"]) for e in changed.enrichments] == [("c", "last")]


async def test_an_enrichment_without_a_time_was_fetched_when_it_is_written(firms: Firms) -> None:
    before = datetime.now(UTC)
    made = await firms.create(enrichments=[{"source": "a", "data": {"x": 1}}])
    fetched = made.enrichments[0].fetch_time
    assert before <= fetched.ToDatetime(UTC) <= datetime.now(UTC)
    changed = await firms.update(made.id, notes="later")
    assert changed.enrichments[0].fetch_time == fetched


@pytest.mark.parametrize(
    ("fields", "bad"),
    [
        ({"name": ""}, "name"),
        ({"name": " \t"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"website": "x" * 2049}, "website"),
        ({"industry": "x" * 201}, "industry"),
        ({"location": "x" * 201}, "location"),
        ({"description": "x" * 100_001}, "description"),
        ({"notes": "a\0b"}, "notes"),
        ({"notes": "x" * 100_001}, "notes"),
        ({"aliases": ["x"] * 101}, "aliases"),
        ({"aliases": ["A", " "]}, "aliases[1]"),
        ({"aliases": ["x" * 201]}, "aliases[0]"),
        ({"domains": [f"d{i}.example.org" for i in range(101)]}, "domains"),
        ({"domains": ["example.org", "no domain"]}, "domains[1]"),
        ({"domains": ["ada@example.org"]}, "domains[0]"),
        ({"domains": ["[127.0.0.1]"]}, "domains[0]"),
        ({"domains": ["https://example.org"]}, "domains[0]"),
        ({"domains": [""]}, "domains[0]"),
        ({"domains": [".".join(["d" * 60] * 4)]}, "domains[0]"),
        ({"custom_fields": {"a": "\0"}}, "custom_fields"),
        ({"custom_fields": {"a": "x" * 65_536}}, "custom_fields"),
        ({"enrichments": [{"source": f"s{i}", "data": {"x": 1}} for i in range(101)]}, "enrichments"),
        ({"enrichments": [{"data": {"x": 1}}]}, "enrichments[0].source"),
        ({"enrichments": [{"source": "x" * 201, "data": {"x": 1}}]}, "enrichments[0].source"),
        ({"enrichments": [{"source": "a"}]}, "enrichments[0].data"),
        ({"enrichments": [{"source": "a", "data": {"x": float("nan")}}]}, "enrichments[0].data"),
        ({"enrichments": [{"source": "a", "data": {"x": "x" * 65_536}}]}, "enrichments[0].data"),
        (
            {"enrichments": [{"source": "a", "data": {"x": 1}, "fetch_time": {"seconds": 10**15}}]},
            "enrichments[0].fetch_time",
        ),
    ],
)
async def test_a_bad_field_is_named(firms: Firms, fields: dict[str, Any], bad: str) -> None:
    refused = await failure(firms.create(**fields))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == [f"organization.{bad}"]
    made = await firms.create()
    refused = await failure(firms.update(made.id, *(fields if fields.get("name") == "" else ()), **fields))
    assert list(refused.violations) == [f"organization.{bad}"]
    assert await firms.get(made.id) == made


async def test_every_bad_field_is_named_at_once(firms: Firms) -> None:
    refused = await failure(firms.create("", website="x" * 2049, domains=["?"]))
    assert list(refused.violations) == ["organization.name", "organization.website", "organization.domains[0]"]


async def test_what_is_as_large_as_it_may_be_is_kept(firms: Firms) -> None:
    made = await firms.create("n" * 200, website="w" * 2048, notes="x" * 100_000, aliases=[f"a{i}" for i in range(100)])
    assert await firms.get(made.id) == made


async def test_an_update_without_a_mask_writes_what_is_populated(firms: Firms) -> None:
    made = await firms.create(**everything())
    changed = await firms.update(made.id, aliases=["Z"], notes="new")
    assert (list(changed.aliases), changed.notes, changed.website) == (["Z"], "new", made.website)
    assert changed.etag == "2"
    assert await firms.get(made.id) == changed


async def test_an_update_with_a_mask_writes_what_it_names(firms: Firms) -> None:
    made = await firms.create(**everything())
    changed = await firms.update(
        made.id, "website", "custom_fields.tier", "current_contact_count", name="Other", custom_fields={"tier": 2}
    )
    assert (changed.name, changed.website) == (made.name, "")
    assert dict(changed.custom_fields.items()) == {**dict(made.custom_fields.items()), "tier": 2}
    cleared = await firms.update(made.id, "*", name="Other")
    for field in WRITABLE - {"name"}:
        assert getattr(cleared, field) == getattr(Organization(), field), field
    assert cleared.name == "Other"
    assert (await firms.names(order_by="name")) == ["Other"]


async def test_an_update_of_nothing_changes_nothing(firms: Firms) -> None:
    made = await firms.create(**everything())
    for same in (await firms.update(made.id), await firms.update(made.id, "etag", "id", etag=made.etag)):
        assert same == made


async def test_an_update_with_what_is_stored_already_keeps_it(firms: Firms) -> None:
    made = await firms.create(**everything())
    same = await firms.update(made.id, "*", name=made.name, **everything())
    for field in WRITABLE:
        assert getattr(same, field) == getattr(made, field), field


async def test_an_unknown_path_is_refused(firms: Firms) -> None:
    made = await firms.create()
    assert list((await failure(firms.update(made.id, "surname"))).violations) == ["update_mask.paths[0]"]
    assert list((await failure(firms.get(made.id, "enrichments.source"))).violations) == ["read_mask.paths[0]"]


async def test_an_update_of_another_version_is_aborted(firms: Firms) -> None:
    made = await firms.create()
    await firms.update(made.id, etag=made.etag, notes="1")
    for stale in (made.etag, "nonsense"):
        refused = await failure(firms.update(made.id, etag=stale, notes="2"))
        assert (refused.code, refused.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
        assert (await failure(firms.delete(made.id, etag=stale))).reason == "ETAG_MISMATCH"
    current = await firms.get(made.id)
    assert current.notes == "1"
    deleted = await firms.delete(made.id, etag=current.etag)
    assert (await failure(firms.undelete(made.id, etag=current.etag))).reason == "ETAG_MISMATCH"
    assert not (await firms.undelete(made.id, etag=deleted.etag)).HasField("delete_time")


async def test_a_deleted_organization_can_be_read_and_brought_back(firms: Firms) -> None:
    made = await firms.create(**everything())
    deleted = await firms.delete(made.id)
    assert deleted.purge_time.ToDatetime() - deleted.delete_time.ToDatetime() == timedelta(days=90)
    assert await firms.get(made.id) == deleted
    assert await firms.names() == []
    for refused in (await failure(firms.delete(made.id)), await failure(firms.update(made.id, notes="x"))):
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "ORGANIZATION_NOT_FOUND")
    assert await firms.delete(made.id, allow_missing=True) == deleted
    restored = await firms.undelete(made.id)
    assert (restored.HasField("delete_time"), restored.HasField("purge_time")) == (False, False)
    assert (restored.name, restored.enrichments) == (made.name, made.enrichments)
    refused = await failure(firms.undelete(made.id))
    assert (refused.code, refused.reason) == (grpc.StatusCode.ALREADY_EXISTS, "ORGANIZATION_NOT_DELETED")


async def test_an_organization_that_is_not_there_is_not_found(firms: Firms) -> None:
    for call in (
        firms.get(NOBODY),
        firms.update(NOBODY, notes="x"),
        firms.update(NOBODY),
        firms.delete(NOBODY),
        firms.undelete(NOBODY),
    ):
        refused = await failure(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "ORGANIZATION_NOT_FOUND")
        assert refused.metadata == {"id": NOBODY}
    assert await firms.delete(NOBODY, allow_missing=True) == Organization()


@pytest.mark.parametrize("malformed", ["", "42", f"{NOBODY} "])
async def test_an_id_that_is_no_uuid_is_refused(firms: Firms, malformed: str) -> None:
    for call, field in (
        (firms.get(malformed), "id"),
        (firms.update(malformed, notes="x"), "organization.id"),
        (firms.delete(malformed), "id"),
        (firms.undelete(malformed), "id"),
    ):
        refused = await failure(call)
        assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", [field])


async def test_every_mutation_happens_once_per_request_id(firms: Firms) -> None:
    request_id = new_request_id()
    made = await firms.create(request_id=request_id)
    assert await firms.create(request_id=request_id) == made
    assert await firms.names() == [made.name]
    assert (await failure(firms.create("Other", request_id=request_id))).reason == "REQUEST_ID_REUSED"

    request_id = new_request_id()
    changed = await firms.update(made.id, notes="1", request_id=request_id)
    await firms.update(made.id, notes="2")
    assert await firms.update(made.id, notes="1", request_id=request_id) == changed
    assert (await firms.get(made.id)).notes == "2"
    assert (await failure(firms.update(made.id, notes="3", request_id=request_id))).reason == "REQUEST_ID_REUSED"

    request_id = new_request_id()
    deleted = await firms.delete(made.id, request_id=request_id)
    assert await firms.delete(made.id, request_id=request_id) == deleted
    assert (await failure(firms.delete(NOBODY, request_id=request_id))).reason == "REQUEST_ID_REUSED"

    request_id = new_request_id()
    restored = await firms.undelete(made.id, request_id=request_id)
    assert await firms.undelete(made.id, request_id=request_id) == restored
    assert (await failure(firms.undelete(NOBODY, request_id=request_id))).reason == "REQUEST_ID_REUSED"


async def test_every_mutation_leaves_an_entry_with_what_changed(firms: Firms, as_superuser: Connection) -> None:
    made = await firms.create(notes="n")
    await firms.update(made.id, "name", "notes", "aliases", name="Difference Engines", aliases=["DE"])
    await firms.update(made.id, name="Difference Engines")
    await firms.delete(made.id)
    await firms.undelete(made.id)
    found = await as_superuser.fetch("SELECT * FROM audit_logs WHERE subject_id = $1::uuid ORDER BY at", made.id)
    assert [(entry["table_name"], entry["action"]) for entry in found] == [
        ("organizations", "INSERT"), *[("organizations", "UPDATE")] * 3,
    ]  # fmt: skip
    created, updated, deleted, restored = found
    assert (created["old_values"], created["new_values"]) == (None, None)
    assert updated["old_values"] == {"name": "Analytical Engines", "notes": "n", "aliases": None}
    assert updated["new_values"] == {"name": "Difference Engines", "notes": None, "aliases": ["DE"]}
    assert (list(deleted["new_values"]), deleted["old_values"]) == (["deleted_at"], {"deleted_at": None})
    assert restored["new_values"] == {"deleted_at": None}
