"""Every mutation leaves entries in the audit log: what changed, who was behind the call, and from where."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from pmcrm.contacts.v1 import user_service_pb2 as users_pb
from pmcrm.contacts.v1.user_pb2 import SubscriptionTier, User

from tests.postgres import Connection
from tests.services.contacts.calls import Book, mask
from tests.suite import Client, Metadata, as_operator, failure, new_request_id, tenant_of

REQUEST_ID = "0190a5d2-7c3e-7b1f-9d52-3f7c8e21ab04"
BEHIND_THE_CALL: Metadata = (
    ("x-actor", "crm-web user 7 <o'hara>"),
    ("x-client-ip", "2001:db8::7"),
    ("x-client-user-agent", "Agent/1.0 (\\x27; DROP TABLE contacts)"),
    ("x-request-id", REQUEST_ID),
)


async def entries(conn: Connection, subject: str) -> list[Any]:
    return await conn.fetch(
        "SELECT *, host(client_ip) AS ip FROM audit_logs WHERE subject_id = $1::uuid ORDER BY at", subject
    )


@pytest.fixture
def known(client: Client, alice: Metadata) -> Book:
    """Alice's contacts, by calls that say who is behind them."""
    return Book(client, (*alice, *BEHIND_THE_CALL))


async def test_every_mutation_of_a_contact_leaves_an_entry(known: Book, as_superuser: Connection) -> None:
    made = await known.create(given_name="Ada", notes="n")
    await known.update(
        made.id, "given_name", "notes", "emails", given_name="Augusta", emails=[{"value": "a@example.org"}]
    )
    await known.delete(made.id)
    await known.undelete(made.id)
    found = await entries(as_superuser, made.id)
    assert [(entry["table_name"], entry["action"]) for entry in found] == [("contacts", "INSERT")] + [
        ("contacts", "UPDATE")
    ] * 3
    created, updated, deleted, restored = found
    assert (created["old_values"], created["new_values"]) == (None, None)
    assert updated["old_values"] == {"given_name": "Ada", "display_name": "Ada", "notes": "n", "emails": None}
    assert updated["new_values"] == {
        "given_name": "Augusta", "display_name": "Augusta", "notes": None, "emails": [{"value": "a@example.org"}],
    }  # fmt: skip
    assert (list(deleted["new_values"]), deleted["old_values"]) == (["deleted_at"], {"deleted_at": None})
    assert restored["new_values"] == {"deleted_at": None}


async def test_an_entry_says_who_was_behind_the_call_and_from_where(known: Book, as_superuser: Connection) -> None:
    made = await known.create(given_name="Ada")
    [entry] = await entries(as_superuser, made.id)
    assert str(entry["user_id"]) == tenant_of(known.tenant)
    assert str(entry["request_id"]) == REQUEST_ID
    assert entry["role_name"] == "pmcrm_contacts"
    behind = dict(BEHIND_THE_CALL)
    assert entry["actor"] == behind["x-actor"]
    assert entry["ip"] == behind["x-client-ip"]
    assert entry["user_agent"] == behind["x-client-user-agent"]


async def test_an_entry_of_a_call_that_says_nothing_has_a_request_id(book: Book, as_superuser: Connection) -> None:
    made = await book.create(given_name="Ada")
    [entry] = await entries(as_superuser, made.id)
    assert (entry["actor"], entry["ip"], entry["user_agent"]) == (None, None, None)
    assert entry["request_id"] is not None


async def test_the_next_call_on_the_connection_inherits_nothing(
    known: Book, bobs: Book, as_superuser: Connection
) -> None:
    for _ in range(20):
        await known.create(given_name="Ada")
        made = await bobs.create(given_name="Grace")
        [entry] = await entries(as_superuser, made.id)
        assert (entry["actor"], entry["ip"], entry["user_agent"]) == (None, None, None)
        assert str(entry["user_id"]) == tenant_of(bobs.tenant)


async def test_the_digest_covers_what_the_entry_says(known: Book, as_superuser: Connection) -> None:
    made = await known.create(given_name="Ada")
    await known.update(made.id, notes="met")
    for entry in await entries(as_superuser, made.id):
        recomputed = await as_superuser.fetchval(
            "SELECT app.audit_digest($1, $2, $3, $4, $5, $6)",
            *(entry[name] for name in ("salt", "old_values", "new_values", "actor", "client_ip", "user_agent")),
        )
        assert entry["digest"] == recomputed
        assert len(entry["digest"]) == hashlib.sha256().digest_size


async def test_each_contact_of_a_batch_has_its_entry(known: Book, as_superuser: Connection) -> None:
    for made in await known.create_many(*({"given_name": name} for name in "ABC")):
        assert [entry["action"] for entry in await entries(as_superuser, made.id)] == ["INSERT"]


async def test_what_failed_or_was_repeated_or_changed_nothing_leaves_no_entry(
    book: Book, as_superuser: Connection
) -> None:
    request_id = new_request_id()
    made = await book.create(given_name="Ada", request_id=request_id)
    await book.create(given_name="Ada", request_id=request_id)
    await failure(book.update(made.id, nickname="x", etag="77"))
    await failure(book.update(made.id, nickname="x" * 201))
    await book.update(made.id, given_name="Ada")
    await book.update(made.id, "etag", "id")
    assert len(await entries(as_superuser, made.id)) == 1


async def test_derived_values_are_not_in_the_log(book: Book, as_superuser: Connection) -> None:
    made = await book.create(given_name="Ada", keep_in_touch_days=7)
    await book.update(made.id, keep_in_touch_days=14)
    _, updated = await entries(as_superuser, made.id)
    assert updated["new_values"] == {"keep_in_touch_days": 14}


async def test_what_a_tenant_does_to_itself_is_in_its_log(
    client: Client, alice: Metadata, as_superuser: Connection
) -> None:
    metadata = (*alice, *BEHIND_THE_CALL)
    request = users_pb.UpdateUserRequest(user=User(display_name="Alicia", time_zone="Europe/Berlin"))
    await client.users.UpdateUser(request, metadata=metadata)
    await client.users.DeleteUser(users_pb.DeleteUserRequest(), metadata=metadata)
    await client.users.UndeleteUser(users_pb.UndeleteUserRequest(), metadata=metadata)
    created, updated, closed, reopened = await entries(as_superuser, tenant_of(alice))
    assert (created["role_name"], updated["role_name"]) == ("pmcrm_service", "pmcrm_contacts")
    assert updated["new_values"] == {"display_name": "Alicia", "time_zone": "Europe/Berlin"}
    assert [list(entry["new_values"]) for entry in (closed, reopened)] == [["deleted_at"]] * 2
    assert {entry["actor"] for entry in (updated, closed, reopened)} == {dict(BEHIND_THE_CALL)["x-actor"]}


async def test_what_an_operator_does_is_in_the_users_log(client: Client, as_superuser: Connection) -> None:
    metadata = (*as_operator(), *BEHIND_THE_CALL)
    request = users_pb.CreateUserRequest(user=User(login_email="carol@example.org"))
    made = await client.users.CreateUser(request, metadata=metadata)
    changes = User(id=made.id, login_email="c@example.org", subscription_tier=SubscriptionTier.SUBSCRIPTION_TIER_PRO)
    await client.users.UpdateUser(users_pb.UpdateUserRequest(user=changes), metadata=metadata)
    removal = users_pb.UpdateUserRequest(user=User(id=made.id), update_mask=mask("login_email"))
    await client.users.UpdateUser(removal, metadata=metadata)
    found = await entries(as_superuser, made.id)
    assert [(entry["table_name"], entry["action"], entry["new_values"]) for entry in found] == [
        ("users", "INSERT", None),
        ("login_emails", "INSERT", None),
        ("login_emails", "UPDATE", {"login_email": "c@example.org"}),
        ("users", "UPDATE", {"subscription_tier": "PRO"}),
        ("login_emails", "DELETE", None),
    ]
    assert {entry["role_name"] for entry in found} == {"pmcrm_service"}
    assert {entry["actor"] for entry in found} == {dict(BEHIND_THE_CALL)["x-actor"]}
    assert {str(entry["user_id"]) for entry in found} == {made.id}
    assert found[2]["old_values"] == {"login_email": "carol@example.org"}


async def test_setting_a_strength_by_hand_is_an_edit_and_leaves_an_entry(known: Book, as_superuser: Connection) -> None:
    made = await known.create(given_name="Ada")
    await known.update(made.id, "relationship_strength", relationship_strength=8)
    await known.update(made.id, "relationship_strength", relationship_strength=0)
    found = [e for e in await entries(as_superuser, made.id) if e["table_name"] == "contact_strengths"]
    assert [(e["action"], e["old_values"], e["new_values"]) for e in found] == [
        ("UPDATE", {"pinned": None}, {"pinned": 8}),
        ("UPDATE", {"pinned": 8}, {"pinned": None}),
    ]
