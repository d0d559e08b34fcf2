"""UserService: the tenants. A tenant reads and changes only itself; operators reach every user."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
from pmcrm.contacts.v1 import user_service_pb2 as pb
from pmcrm.contacts.v1.user_pb2 import SubscriptionTier, User

from services.contacts.user_record import WRITABLE, to_record
from shared import queries
from shared.caller import caller
from shared.database import Effect, Reading, Transaction
from shared.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied, Violation
from shared.etags import check_etag, etag_mismatch, expected_revision
from shared.fields import uuid_value
from shared.layers import Access, Context, callable_by
from shared.masks import check_mask, masked, replace, update_paths
from shared.server import Runtime
from shared.tenancy import named_tenant, user_closed

QUERIES = queries.load(Path(__file__).parent / "queries")

ERASED = "USER_STATE_ERASED"
# What is left of an erased user; the rest are defaults.
SHELL = ("id", "state", "create_time", "update_time", "delete_time", "etag")


class Users:
    """The servicer of pmcrm.contacts.v1.UserService."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database
        self._tenants = runtime.tenants
        self._grace = timedelta(days=runtime.settings.delete_grace_days)

    @callable_by(Access.OPERATOR)
    async def CreateUser(self, request: pb.CreateUserRequest, context: Context) -> User:
        """Creates a user; USER_ALREADY_EXISTS or LOGIN_EMAIL_TAKEN. Operators only."""
        given_id = uuid_value(request.user_id, "user_id") if request.user_id else None
        record = to_record(request.user, "user")

        async def effect(tx: Transaction) -> User:
            row = await tx.fetchrow(
                QUERIES["create_user"],
                given_id,
                record.display_name,
                record.subscription_tier,
                record.settings,
                record.preferences,
                record.time_zone,
                record.locale,
                record.default_region,
            )
            if row is None:
                raise AlreadyExists("USER_ALREADY_EXISTS", f"there is a user {given_id}", id=str(given_id))
            if record.login_email:
                await _set_login_email(tx, row["id"], record.login_email)
            return self._user_of(await tx.fetchrow(QUERIES["get_user"], row["id"]))

        return await self._database.operate(request, User, effect)

    @callable_by(Access.EITHER, open_when_closed=True)
    async def GetUser(self, request: pb.GetUserRequest, context: Context) -> User:
        """Returns a user, closed or not, and to operators the shell of an erased one; NOT_FOUND when there is none, or,
        for a tenant, when it is not itself."""
        user_id = subject(request.id, "id")
        check_mask(User, request.read_mask)
        async with self._reading(user_id) as tx:
            row = await tx.fetchrow(QUERIES["get_user"])
        if row is None or (row["state"] == ERASED and not caller.get().operator):
            raise user_not_found(user_id)
        return masked(self._user_of(row), request.read_mask)

    @callable_by(Access.EITHER)
    async def UpdateUser(self, request: pb.UpdateUserRequest, context: Context) -> User:
        """Changes the fields that the mask names; NOT_FOUND, ETAG_MISMATCH, OPERATOR_REQUIRED, LOGIN_EMAIL_TAKEN."""
        user_id = subject(request.user.id, "user.id")
        paths = update_paths(request.user, request.update_mask, WRITABLE)

        async def effect(tx: Transaction) -> User:
            current = await self._locked(tx, user_id)
            check_etag(request.user.etag, current.etag)
            changed = User()
            changed.CopyFrom(current)
            replace(changed, request.user, paths)
            record = to_record(changed, "user")
            await tx.fetch(
                QUERIES["update_user"],
                record.display_name,
                record.settings,
                record.preferences,
                record.time_zone,
                record.locale,
                record.default_region,
            )
            await self._change_what_operators_set(tx, user_id, current, record.login_email, record.subscription_tier)
            return self._user_of(await tx.fetchrow(QUERIES["get_user"]))

        user = await self._mutate(request, user_id, effect)
        self._tenants.forget(user_id)
        return user

    # Open when closed, because the repeat of a call that closed the account gets its answer again.
    @callable_by(Access.EITHER, open_when_closed=True)
    async def DeleteUser(self, request: pb.DeleteUserRequest, context: Context) -> User:
        """Closes a user until it is erased. Closed already: USER_CLOSED for itself, NOT_FOUND for operators."""
        user_id = subject(request.id, "id")

        async def effect(tx: Transaction) -> User:
            closed = await tx.fetchrow(QUERIES["close_user"], expected_revision(request.etag))
            row = await tx.fetchrow(QUERIES["get_user"])
            if closed is None and row is not None and row["delete_time"] is None:
                raise etag_mismatch()
            if closed is None and not caller.get().operator:
                raise user_closed()
            if closed is None and not request.allow_missing:
                raise user_not_found(user_id)
            return User() if row is None else self._user_of(row)

        user = await self._mutate(request, user_id, effect)
        self._tenants.forget(user_id)
        return user

    @callable_by(Access.EITHER, open_when_closed=True)
    async def UndeleteUser(self, request: pb.UndeleteUserRequest, context: Context) -> User:
        """Opens a closed user again; USER_NOT_DELETED when it is active, ERASURE_STARTED after its grace period."""
        user_id = subject(request.id, "id")

        async def effect(tx: Transaction) -> User:
            before = await tx.fetchrow(QUERIES["get_user"])
            if before is None or before["state"] == ERASED:
                raise user_not_found(user_id)
            user = self._user_of(before)
            if before["delete_time"] is None:
                raise AlreadyExists("USER_NOT_DELETED", f"user {user_id} is active", id=str(user_id))
            check_etag(request.etag, user.etag)
            try:
                reopened = await tx.fetchrow(QUERIES["reopen_user"], self._grace, expected_revision(user.etag))
            except asyncpg.ObjectNotInPrerequisiteStateError as error:
                raise erasure_started() from error
            if reopened is None:
                raise erasure_started()
            return self._user_of(await tx.fetchrow(QUERIES["get_user"]))

        user = await self._mutate(request, user_id, effect)
        self._tenants.forget(user_id)
        return user

    def _reading(self, user_id: uuid.UUID) -> Reading:
        return self._database.operating(user_id) if caller.get().operator else self._database.reading()

    async def _mutate(self, request: Any, user_id: uuid.UUID, effect: Effect[User]) -> User:
        if caller.get().operator:
            return await self._database.operate(request, User, effect, about=user_id)
        return await self._database.mutate(request, User, effect)

    async def _locked(self, tx: Transaction, user_id: uuid.UUID) -> User:
        if await tx.fetchrow(QUERIES["lock_user"]) is None:
            raise user_not_found(user_id)
        return self._user_of(await tx.fetchrow(QUERIES["get_user"]))

    async def _change_what_operators_set(
        self, tx: Transaction, user_id: uuid.UUID, current: User, login_email: str | None, tier: str
    ) -> None:
        email_changes = (login_email or "") != current.login_email
        tier_changes = tier != SubscriptionTier.Name(current.subscription_tier).removeprefix("SUBSCRIPTION_TIER_")
        if (email_changes or tier_changes) and not caller.get().operator:
            raise PermissionDenied("OPERATOR_REQUIRED", "only operators change login_email and subscription_tier")
        if email_changes and login_email:
            await _set_login_email(tx, None, login_email)
        elif email_changes:
            await tx.fetch(QUERIES["remove_login_email"])
        if tier_changes:
            await tx.fetch(QUERIES["set_subscription_tier"], tier)

    def _user_of(self, row: Any) -> User:
        if row["state"] == ERASED:
            row = {name: value for name, value in row.items() if name in SHELL}
        user = User(**row)
        if row["delete_time"] is not None:
            user.purge_time.FromDatetime(row["delete_time"] + self._grace)
        return user


def subject(text: str, field: str) -> uuid.UUID:
    """The user that a call is about: the one it names, else the calling tenant.

    Raises NotFound when a tenant names anybody but itself: the same answer as for an id that does not exist.
    """
    who = caller.get()
    if not text:
        if who.tenant is not None:
            return who.tenant
        if who.tenants:
            return named_tenant(who)
        raise InvalidArgument([Violation(field, "must be given by operators who name no tenant")])
    user_id = uuid_value(text, field)
    if not who.operator and user_id != who.tenant:
        raise user_not_found(user_id)
    return user_id


def user_not_found(user_id: uuid.UUID) -> NotFound:
    """What a caller hears about a user that is not there, or not its own."""
    return NotFound("USER_NOT_FOUND", f"no user {user_id}", id=str(user_id))


def erasure_started() -> FailedPrecondition:
    """What a caller hears who comes too late to open an account again."""
    return FailedPrecondition("ERASURE_STARTED", "the grace period is over and the account is being erased")


async def _set_login_email(tx: Transaction, user_id: uuid.UUID | None, login_email: str) -> None:
    bound = () if user_id is None else (user_id,)
    try:
        await tx.fetch(QUERIES["set_login_email"], *bound, login_email)
    except asyncpg.UniqueViolationError as error:
        raise AlreadyExists("LOGIN_EMAIL_TAKEN", "another user has this login email") from error
