"""UserService: what a tenant may do with itself, what operators may do with all, and each failure that they promise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.struct_pb2 import Struct
from pmcrm.contacts.v1 import user_service_pb2 as pb
from pmcrm.contacts.v1.user_pb2 import SubscriptionTier, User, UserState

from tests.postgres import Connection
from tests.services.contacts.calls import NOBODY, Book, mask, random_id
from tests.suite import Client, Failure, Metadata, as_operator, as_tenant, failure, tenant_of

EVERYTHING: dict[str, Any] = {
    "login_email": "carol@example.org",
    "display_name": "Carol",
    "subscription_tier": SubscriptionTier.SUBSCRIPTION_TIER_PLUS,
    "settings": {"theme": {"dark": True}, "sizes": [1, 2.5, None]},
    "preferences": {"mail": "daily"},
    "time_zone": "America/New_York",
    "locale": "en-US",
    "default_region": "US",
}


class Account:
    """UserService as one caller sees it."""

    def __init__(self, client: Client, metadata: Metadata) -> None:
        self.stub = client.users
        self.metadata = metadata

    async def create(self, user_id: str = "", **fields: Any) -> User:
        request = pb.CreateUserRequest(user=User(**fields), user_id=user_id)
        user: User = await self.stub.CreateUser(request, metadata=self.metadata)
        return user

    async def get(self, user_id: str = "", *read_mask: str) -> User:
        request = pb.GetUserRequest(id=user_id, read_mask=mask(*read_mask))
        user: User = await self.stub.GetUser(request, metadata=self.metadata)
        return user

    async def update(self, user_id: str = "", *update_mask: str, **fields: Any) -> User:
        request = pb.UpdateUserRequest(user=User(id=user_id, **fields), update_mask=mask(*update_mask))
        user: User = await self.stub.UpdateUser(request, metadata=self.metadata)
        return user

    async def delete(self, user_id: str = "", **arguments: Any) -> User:
        request = pb.DeleteUserRequest(id=user_id, **arguments)
        user: User = await self.stub.DeleteUser(request, metadata=self.metadata)
        return user

    async def undelete(self, user_id: str = "", **arguments: Any) -> User:
        request = pb.UndeleteUserRequest(id=user_id, **arguments)
        user: User = await self.stub.UndeleteUser(request, metadata=self.metadata)
        return user


def struct(**values: Any) -> Struct:
    made = Struct()
    made.update(values)
    return made


@pytest.fixture
def operator(client: Client) -> Account:
    return Account(client, as_operator())


@pytest.fixture
def herself(client: Client, alice: Metadata) -> Account:
    return Account(client, alice)


@pytest.fixture
def her_id(alice: Metadata) -> str:
    return tenant_of(alice)


def is_refused(refused: Failure, code: grpc.StatusCode, reason: str, **metadata: str) -> None:
    assert (refused.code, refused.reason, refused.metadata) == (code, reason, metadata)


def fields_of(refused: Failure) -> list[str]:
    is_refused(refused, grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    return list(refused.violations)


# CreateUser.


async def test_a_user_is_kept_with_every_field_that_was_given(operator: Account, client: Client) -> None:
    made = await operator.create(**{**EVERYTHING, "login_email": "Carol+x@EXAMPLE.org"})
    for field, value in EVERYTHING.items():
        assert getattr(made, field) == (
            "Carol+x@example.org" if field == "login_email" else getattr(User(**{field: value}), field)
        )
    assert (made.state, made.create_time) == (UserState.USER_STATE_ACTIVE, made.update_time)
    assert not made.HasField("delete_time")
    assert made == await operator.get(made.id) == await Account(client, as_tenant(made.id)).get()


async def test_a_user_of_whom_nothing_is_known_has_defaults(operator: Account) -> None:
    made = await operator.create()
    assert (made.login_email, made.display_name, made.default_region) == ("", "", "")
    assert made.subscription_tier == SubscriptionTier.SUBSCRIPTION_TIER_FREE
    assert (made.time_zone, made.locale) == ("UTC", "en")


async def test_output_only_fields_of_a_new_user_are_ignored(operator: Account) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    made = await operator.create(
        id=NOBODY, etag="77", state=UserState.USER_STATE_CLOSED, delete_time=long_ago, create_time=long_ago
    )
    assert made.id != NOBODY
    assert (made.state, made.etag) == (UserState.USER_STATE_ACTIVE, "1")
    assert made.create_time.ToDatetime(UTC) > long_ago


async def test_an_identity_provider_may_choose_the_id(operator: Account) -> None:
    chosen = random_id()
    assert (await operator.create(chosen.upper())).id == chosen
    is_refused(await failure(operator.create(chosen)), grpc.StatusCode.ALREADY_EXISTS, "USER_ALREADY_EXISTS", id=chosen)


async def test_a_login_email_belongs_to_one_user_whatever_its_case(operator: Account, her_id: str) -> None:
    made = await operator.create(login_email="dora@example.org")
    for call in (
        operator.create(login_email="DORA@example.org"),
        operator.update(her_id, login_email="Dora@example.org"),
    ):
        is_refused(await failure(call), grpc.StatusCode.ALREADY_EXISTS, "LOGIN_EMAIL_TAKEN")
    await operator.update(made.id, "login_email")
    assert (await operator.update(her_id, login_email="Dora@example.org")).login_email == "Dora@example.org"


async def test_a_user_that_was_refused_is_not_there(operator: Account) -> None:
    chosen = random_id()
    await operator.create(login_email="eve@example.org")
    await failure(operator.create(chosen, login_email="eve@example.org"))
    is_refused(await failure(operator.get(chosen)), grpc.StatusCode.NOT_FOUND, "USER_NOT_FOUND", id=chosen)
    assert (await operator.create(chosen)).id == chosen


@pytest.mark.parametrize(
    "metadata",
    [(), (("x-operator-key", "wrong"),), (("x-operator-key", ""),), (*as_operator(), ("x-operator-key", "wrong"))],
)
async def test_only_operators_create_users(client: Client, alice: Metadata, metadata: Metadata) -> None:
    for caller in (metadata, (*alice, *metadata)):
        is_refused(
            await failure(Account(client, caller).create()), grpc.StatusCode.PERMISSION_DENIED, "OPERATOR_REQUIRED"
        )


BAD = [
    ("login_email", "no address"),
    ("login_email", "a" * 310 + "@example.org"),
    ("display_name", "a" * 201),
    ("display_name", "a\0"),
    ("subscription_tier", 99),
    ("subscription_tier", -1),
    ("time_zone", "Europe/Atlantis"),
    ("time_zone", "../etc/passwd"),
    ("time_zone", "UTC\0"),
    ("locale", "not a locale"),
    ("locale", "d"),
    ("default_region", "Austria"),
    ("default_region", "XX"),
    ("settings", {"it": "a\0"}),
    ("settings", {"it": float("nan")}),
    ("preferences", {"it": "x" * 70_000}),
]


@pytest.mark.parametrize(("field", "value"), BAD)
async def test_a_malformed_user_is_refused_with_the_field_named(
    operator: Account, herself: Account, field: str, value: Any
) -> None:
    assert fields_of(await failure(operator.create(**{field: value}))) == [f"user.{field}"]
    assert fields_of(await failure(herself.update(**{field: value}))) == [f"user.{field}"]


async def test_a_user_id_that_is_no_uuid_is_refused(operator: Account) -> None:
    assert fields_of(await failure(operator.create("42"))) == ["user_id"]


# Whom a call is about.

CALLS = ["get", "update", "delete", "undelete"]


@pytest.mark.parametrize("call", CALLS)
async def test_a_tenant_need_not_name_itself(client: Client, operator: Account, call: str) -> None:
    made = await operator.create()
    itself = Account(client, as_tenant(made.id))
    if call == "undelete":
        await itself.delete()
    assert (await getattr(itself, call)()).id == made.id


@pytest.mark.parametrize("call", CALLS)
async def test_a_tenant_may_name_itself(client: Client, operator: Account, call: str) -> None:
    made = await operator.create()
    itself = Account(client, as_tenant(made.id))
    if call == "undelete":
        await itself.delete()
    assert (await getattr(itself, call)(made.id.upper())).id == made.id


@pytest.mark.parametrize("call", CALLS)
async def test_an_id_that_is_no_uuid_is_refused(herself: Account, operator: Account, call: str) -> None:
    for account in (herself, operator):
        assert fields_of(await failure(getattr(account, call)("42"))) == ["user.id" if call == "update" else "id"]


@pytest.mark.parametrize("call", CALLS)
async def test_an_operator_must_name_the_user_or_its_tenant(client: Client, operator: Account, call: str) -> None:
    assert fields_of(await failure(getattr(operator, call)())) == ["user.id" if call == "update" else "id"]
    made = await operator.create()
    if call == "undelete":
        await operator.delete(made.id)
    beside = Account(client, (*as_operator(), *as_tenant(made.id)))
    assert (await getattr(beside, call)()).id == made.id


@pytest.mark.parametrize("call", CALLS)
async def test_an_unknown_user_is_not_found(herself: Account, operator: Account, call: str) -> None:
    for account in (herself, operator):
        refused = await failure(getattr(account, call)(NOBODY))
        is_refused(refused, grpc.StatusCode.NOT_FOUND, "USER_NOT_FOUND", id=NOBODY)


@pytest.mark.parametrize("call", CALLS)
async def test_an_operator_reaches_every_user(operator: Account, call: str) -> None:
    made = await operator.create(display_name="Carol")
    if call == "undelete":
        await operator.delete(made.id)
    assert (await getattr(operator, call)(made.id)).display_name == "Carol"


# GetUser.


async def test_a_read_mask_shows_the_id_and_what_it_names(operator: Account) -> None:
    made = await operator.create(**{**EVERYTHING, "login_email": ""})
    shown = await operator.get(made.id, "locale", "settings.theme", "preferences.nothing")
    assert shown == User(id=made.id, locale="en-US", settings={"theme": {"dark": True}})
    assert await operator.get(made.id, "*") == made
    assert fields_of(await failure(operator.get(made.id, "locale", "nope"))) == ["read_mask.paths[1]"]


# UpdateUser.


async def test_a_tenant_changes_itself(herself: Account) -> None:
    changed = await herself.update(
        display_name="Alicia", settings={"a": 1}, preferences={"b": [2]}, locale="de-AT", time_zone="Europe/Vienna"
    )
    assert (changed.display_name, changed.locale, changed.time_zone) == ("Alicia", "de-AT", "Europe/Vienna")
    assert (changed.settings, changed.preferences) == (struct(a=1), struct(b=[2]))
    assert changed.default_region == "GB"
    assert changed == await herself.get()


async def test_a_mask_writes_what_it_names_and_clears_what_is_empty(herself: Account) -> None:
    await herself.update(settings={"theme": {"dark": True}, "old": 1}, time_zone="Asia/Tokyo")
    changed = await herself.update(
        "",
        "display_name",
        "time_zone",
        "settings.theme.hue",
        "settings.old",
        settings={"theme": {"hue": 3}},
        locale="fr",
    )
    assert (changed.display_name, changed.time_zone, changed.locale) == ("", "UTC", "en")
    assert changed.settings == struct(theme={"dark": True, "hue": 3})


async def test_a_star_replaces_what_the_user_may_write(herself: Account) -> None:
    await herself.update(settings={"a": 1}, time_zone="Asia/Tokyo")
    changed = await herself.update("", "*", display_name="Alicia")
    assert (changed.display_name, changed.default_region, changed.time_zone) == ("Alicia", "", "UTC")
    assert not changed.settings.fields


async def test_output_only_fields_are_ignored(herself: Account) -> None:
    made = await herself.get()
    changed = await herself.update(
        "",
        "state",
        "delete_time",
        "create_time",
        "etag",
        "id",
        "locale",
        locale="fr",
        state=UserState.USER_STATE_CLOSED,
    )
    made.locale, made.etag = "fr", changed.etag
    made.update_time.CopyFrom(changed.update_time)
    assert changed == made


async def test_an_unknown_path_is_refused(herself: Account) -> None:
    assert fields_of(await failure(herself.update("", "locale", "nope"))) == ["update_mask.paths[1]"]
    assert fields_of(await failure(herself.update("", "*", "locale"))) == ["update_mask"]


@pytest.mark.parametrize(
    "changes", [{"login_email": "new@example.org"}, {"subscription_tier": SubscriptionTier.SUBSCRIPTION_TIER_PRO}]
)
async def test_only_operators_change_login_and_subscription(
    herself: Account, operator: Account, her_id: str, changes: dict[str, Any]
) -> None:
    before = await herself.get()
    refused = await failure(herself.update(display_name="Alicia", **changes))
    is_refused(refused, grpc.StatusCode.PERMISSION_DENIED, "OPERATOR_REQUIRED")
    assert await herself.get() == before
    changed = await operator.update(her_id, **changes)
    assert {field: getattr(changed, field) for field in changes} == changes
    # Sent back unchanged, with whatever else the tenant may write.
    assert (
        await herself.update("", *changes, "display_name", display_name="Alicia", **changes)
    ).display_name == "Alicia"
    is_refused(await failure(herself.update("", *changes)), grpc.StatusCode.PERMISSION_DENIED, "OPERATOR_REQUIRED")
    cleared = await operator.update(her_id, *changes)
    assert (cleared.login_email, cleared.subscription_tier) == ("", SubscriptionTier.SUBSCRIPTION_TIER_FREE)


async def test_the_region_of_a_tenant_holds_from_its_next_call_on(herself: Account, book: Book) -> None:
    await herself.update(default_region="FR")
    assert (await book.create(phones=[{"value": "01 42 68 53 00"}])).phones[0].e164 == "+33142685300"


@pytest.mark.parametrize("etag", ["7", "01", "nonsense", "9" * 18, "9" * 40])
async def test_an_etag_that_is_not_the_users_stops_update_delete_and_undelete(
    operator: Account, client: Client, etag: str
) -> None:
    made = await operator.create()
    for account in (operator, Account(client, as_tenant(made.id))):
        for call in (account.update(made.id, display_name="x", etag=etag), account.delete(made.id, etag=etag)):
            is_refused(await failure(call), grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    await operator.delete(made.id)
    for account in (operator, Account(client, as_tenant(made.id))):
        is_refused(await failure(account.undelete(made.id, etag=etag)), grpc.StatusCode.ABORTED, "ETAG_MISMATCH")


async def test_the_etag_of_any_answer_is_valid_at_once(operator: Account) -> None:
    user = await operator.create(login_email="frida@example.org")
    user = await operator.update(user.id, display_name="Frida", etag=(await operator.get(user.id)).etag)
    tier = SubscriptionTier.SUBSCRIPTION_TIER_PRO
    user = await operator.update(user.id, login_email="f@example.org", subscription_tier=tier, etag=user.etag)
    user = await operator.delete(user.id, etag=user.etag)
    user = await operator.undelete(user.id, etag=user.etag)
    assert user == await operator.get(user.id)


# DeleteUser and UndeleteUser: closed, and open again.


async def test_a_closed_user_says_when_it_will_be_erased(herself: Account) -> None:
    closed = await herself.delete()
    assert closed.state == UserState.USER_STATE_CLOSED
    assert closed.purge_time.ToDatetime() - closed.delete_time.ToDatetime() == timedelta(days=90)
    assert await herself.get() == closed


async def test_a_closed_tenant_can_do_nothing_but_look_and_come_back(herself: Account, book: Book) -> None:
    made = await book.create(given_name="Ada")
    await herself.delete()
    for call in (
        herself.update(display_name="x"), herself.delete(), herself.delete(allow_missing=True),
        book.get(made.id), book.page(),
        book.create(given_name="x"), book.update(made.id, notes="x"), book.delete(made.id), book.undelete(made.id),
        book.create_many({"given_name": "x"}), book.get_many(made.id),
    ):  # fmt: skip
        is_refused(await failure(call), grpc.StatusCode.FAILED_PRECONDITION, "USER_CLOSED")
    assert (await herself.get()).state == UserState.USER_STATE_CLOSED
    assert (await herself.undelete()).state == UserState.USER_STATE_ACTIVE
    assert await book.get(made.id) == made


async def test_an_operator_finds_a_closed_user_closed(operator: Account, her_id: str) -> None:
    closed = await operator.delete(her_id)
    for call in (operator.update(her_id, display_name="x"), operator.delete(her_id)):
        is_refused(await failure(call), grpc.StatusCode.NOT_FOUND, "USER_NOT_FOUND", id=her_id)
    assert await operator.delete(her_id, allow_missing=True) == closed
    assert await operator.delete(NOBODY, allow_missing=True) == User()


async def test_a_tenant_that_an_operator_closed_is_closed_at_once_in_this_process(
    operator: Account, herself: Account, book: Book, her_id: str
) -> None:
    await book.page()
    await operator.delete(her_id)
    is_refused(await failure(book.page()), grpc.StatusCode.FAILED_PRECONDITION, "USER_CLOSED")
    await operator.undelete(her_id)
    await book.page()


async def test_an_active_user_cannot_be_undeleted(operator: Account, herself: Account, her_id: str) -> None:
    for account in (operator, herself):
        refused = await failure(account.undelete(her_id))
        is_refused(refused, grpc.StatusCode.ALREADY_EXISTS, "USER_NOT_DELETED", id=her_id)


async def test_a_user_whose_grace_is_over_stays_closed(
    operator: Account, herself: Account, her_id: str, as_superuser: Connection
) -> None:
    await herself.delete()
    await as_superuser.execute("UPDATE users SET deleted_at = now() - interval '90 days' WHERE id = $1", her_id)
    for account in (operator, herself):
        is_refused(await failure(account.undelete(her_id)), grpc.StatusCode.FAILED_PRECONDITION, "ERASURE_STARTED")
    await as_superuser.execute("UPDATE users SET deleted_at = now() - interval '89.9 days' WHERE id = $1", her_id)
    assert (await herself.undelete()).state == UserState.USER_STATE_ACTIVE


async def test_an_erased_tenant_is_unknown(operator: Account, as_superuser: Connection, client: Client) -> None:
    made = await operator.create()
    itself = Account(client, as_tenant(made.id))
    await itself.get()
    await itself.delete()
    await as_superuser.execute("UPDATE users SET erased_at = now() WHERE id = $1", made.id)
    for call in (itself.get(), itself.undelete(), itself.update(display_name="x")):
        is_refused(await failure(call), grpc.StatusCode.UNAUTHENTICATED, "TENANT_UNKNOWN")
    # Operators see the shell.
    shell = await operator.get(made.id)
    assert (shell.id, shell.state, shell.display_name) == (made.id, UserState.USER_STATE_ERASED, "")
    for call in (operator.undelete(made.id), operator.update(made.id, locale="de")):
        is_refused(await failure(call), grpc.StatusCode.NOT_FOUND, "USER_NOT_FOUND", id=made.id)
