"""IntegrationService: accounts elsewhere, their tokens under lock and key, how far their synchronisation has come."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
from pmcrm.interactions.v1 import integration_service_pb2 as pb
from pmcrm.interactions.v1.integration_pb2 import Credentials, Integration

from services.interactions import integration_listing as listing
from services.interactions.integration_record import (
    check_credentials,
    checked_detail,
    checked_scopes,
    checked_status,
    to_integration,
    to_record,
    to_sync_record,
)
from shared import queries
from shared.caller import caller
from shared.database import Transaction, bound_tenant
from shared.errors import Aborted, AlreadyExists, FailedPrecondition, NotFound
from shared.etags import check_etag, etag_mismatch, expected_revision
from shared.fields import uuid_field
from shared.idempotency import secret_claim_of
from shared.ids import new_ids
from shared.keys import KeyRing
from shared.layers import Access, Context, callable_by
from shared.masks import check_mask, masked
from shared.server import Runtime
from shared.token_box import Sealed, TokenBox, UnreadableError
from shared.violations import Violations

QUERIES = queries.load(Path(__file__).parent / "queries")


class Integrations:
    """The servicer of pmcrm.interactions.v1.IntegrationService."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database
        self._page_tokens = runtime.page_tokens
        self._grace = timedelta(days=runtime.settings.delete_grace_days)
        self._keys = runtime.settings.encryption_keys
        self._box = None if self._keys is None else TokenBox(self._keys)

    async def CreateIntegration(self, request: pb.CreateIntegrationRequest, context: Context) -> Integration:
        """Stores an integration and its tokens; INTEGRATION_ALREADY_EXISTS, ENCRYPTION_NOT_CONFIGURED."""
        box, keys = self._encryption()
        violations = Violations()
        record = to_record(request.integration, "integration", violations)
        expires_at = check_credentials(request.credentials, "credentials", violations)
        violations.raise_if_any()
        tenant, integration_id = bound_tenant(caller.get()), new_ids(1)[0]
        sealed = box.seal(request.credentials.SerializeToString(), tenant, integration_id)

        async def effect(tx: Transaction) -> Integration:
            try:
                await tx.fetch(
                    QUERIES["create_integration"],
                    integration_id,
                    record.provider,
                    record.account,
                    record.account_key,
                    record.display_name,
                    record.scopes,
                    record.settings,
                    expires_at,
                    bool(request.credentials.refresh_token),
                    sealed.ciphertext,
                    sealed.key_id,
                )
            except asyncpg.UniqueViolationError as error:
                # The only key beside the id, which is ours, is provider and account among living integrations.
                raise AlreadyExists(
                    "INTEGRATION_ALREADY_EXISTS", "a living integration has this provider and account"
                ) from error
            return await self._get(tx, integration_id)

        return await self._database.claim(secret_claim_of(request, tenant, keys), Integration, effect)

    async def GetIntegration(self, request: pb.GetIntegrationRequest, context: Context) -> Integration:
        """Returns one integration, deleted or not; INTEGRATION_NOT_FOUND."""
        integration_id = uuid_field(request, "id")
        check_mask(Integration, request.read_mask)
        async with self._database.reading() as tx:
            return masked(await self._get(tx, integration_id), request.read_mask)

    async def ListIntegrations(
        self, request: pb.ListIntegrationsRequest, context: Context
    ) -> pb.ListIntegrationsResponse:
        """Lists living integrations, a page at a time, by provider or time."""
        wanted = listing.read(request, self._page_tokens)
        async with self._database.reading() as tx:
            return await listing.fetch(tx, request, wanted, self._page_tokens, self._grace)

    async def DeleteIntegration(self, request: pb.DeleteIntegrationRequest, context: Context) -> Integration:
        """Deletes an integration and destroys its tokens; INTEGRATION_NOT_FOUND unless allow_missing, ETAG_MISMATCH."""
        integration_id = uuid_field(request, "id")

        async def effect(tx: Transaction) -> Integration:
            deleted = await tx.fetchrow(QUERIES["delete_integration"], integration_id, expected_revision(request.etag))
            row = await tx.fetchrow(QUERIES["get_integration"], integration_id)
            if deleted is None and row is not None and row["delete_time"] is None:
                raise etag_mismatch()
            if deleted is None and not request.allow_missing:
                raise integration_not_found(integration_id)
            return Integration() if row is None else to_integration(row, self._grace)

        return await self._database.mutate(request, Integration, effect)

    async def UpdateTokens(self, request: pb.UpdateTokensRequest, context: Context) -> Integration:
        """Replaces the tokens and makes the integration active; INTEGRATION_NOT_FOUND, ETAG_MISMATCH,
        CREDENTIALS_UNREADABLE when the refresh token is to be kept and cannot be read, ENCRYPTION_NOT_CONFIGURED."""
        box, keys = self._encryption()
        tenant, integration_id = bound_tenant(caller.get()), uuid_field(request, "id")
        violations = Violations()
        scopes = checked_scopes(request.scopes, "scopes", violations)
        expires_at = check_credentials(request.credentials, "credentials", violations)
        violations.raise_if_any()

        async def effect(tx: Transaction) -> Integration:
            current = await self._locked(tx, integration_id)
            check_etag(request.etag, current["etag"])
            credentials = Credentials()
            credentials.CopyFrom(request.credentials)
            if current["refreshable"] and not credentials.refresh_token:
                credentials.refresh_token = opened(box, current, tenant, integration_id).refresh_token
            sealed = box.seal(credentials.SerializeToString(), tenant, integration_id)
            await tx.fetch(
                QUERIES["update_tokens"],
                integration_id,
                scopes,
                expires_at,
                bool(credentials.refresh_token),
                sealed.ciphertext,
                sealed.key_id,
            )
            return await self._get(tx, integration_id)

        return await self._database.claim(secret_claim_of(request, tenant, keys), Integration, effect)

    @callable_by(Access.OPERATOR_FOR_TENANT)
    async def GetCredentials(self, request: pb.GetCredentialsRequest, context: Context) -> Credentials:
        """Returns the tokens, once the reading is in the audit log; INTEGRATION_NOT_FOUND, INTEGRATION_INACTIVE,
        CREDENTIALS_UNREADABLE, ENCRYPTION_NOT_CONFIGURED."""
        box, _ = self._encryption()
        tenant, integration_id = bound_tenant(caller.get()), uuid_field(request, "id")
        found: list[Mapping[str, Any]] = []

        async def effect(tx: Transaction) -> Credentials:
            row = await tx.fetchrow(QUERIES["sealed_credentials"], integration_id)
            if row is None:
                raise integration_not_found(integration_id)
            if row["status"] == "REVOKED":
                raise integration_inactive(integration_id)
            await tx.fetch(QUERIES["note_reading"], integration_id)
            found[:] = [row]
            return Credentials()

        # Nothing is opened before the entry is committed.
        await self._database.claim(None, Credentials, effect)
        return opened(box, found[0], tenant, integration_id)

    async def UpdateSyncState(self, request: pb.UpdateSyncStateRequest, context: Context) -> Integration:
        """Records how far a synchronisation has come; INTEGRATION_NOT_FOUND, SYNC_STATE_CONFLICT,
        INTEGRATION_INACTIVE when the access was revoked and the status would be another one."""
        integration_id = uuid_field(request, "id")
        violations = Violations()
        if not request.HasField("expected_version"):
            violations.add("expected_version", "must be given")
        state = to_sync_record(request.sync_state, "sync_state", violations)
        status = checked_status(request.status, "status", violations)
        detail = checked_detail(request.status_detail, "status_detail", violations)
        violations.raise_if_any()

        async def effect(tx: Transaction) -> Integration:
            current = await self._locked(tx, integration_id)
            if current["sync_version"] != request.expected_version:
                raise sync_state_conflict(current["sync_version"])
            if current["status"] == "REVOKED" and status not in (None, "REVOKED"):
                raise integration_inactive(integration_id)
            await tx.fetch(
                QUERIES["update_sync_state"],
                integration_id,
                request.HasField("sync_state"),
                state.cursor,
                state.last_sync_at,
                state.last_success_at,
                state.failures,
            )
            if status is not None or detail is not None:
                await tx.fetch(QUERIES["update_status"], integration_id, status, None if status == "ACTIVE" else detail)
            return await self._get(tx, integration_id)

        return await self._database.mutate(request, Integration, effect)

    def _encryption(self) -> tuple[TokenBox, KeyRing]:
        if self._box is None or self._keys is None:
            raise FailedPrecondition("ENCRYPTION_NOT_CONFIGURED", "the server has no PMCRM_ENCRYPTION_KEYS")
        return self._box, self._keys

    async def _locked(self, tx: Transaction, integration_id: uuid.UUID) -> Mapping[str, Any]:
        row = await tx.fetchrow(QUERIES["lock_integration"], integration_id)
        if row is None:
            raise integration_not_found(integration_id)
        return row

    async def _get(self, tx: Transaction, integration_id: uuid.UUID) -> Integration:
        row = await tx.fetchrow(QUERIES["get_integration"], integration_id)
        if row is None:
            raise integration_not_found(integration_id)
        return to_integration(row, self._grace)


def opened(box: TokenBox, row: Mapping[str, Any], tenant: uuid.UUID, integration_id: uuid.UUID) -> Credentials:
    """The credentials of a row. Raises FailedPrecondition CREDENTIALS_UNREADABLE."""
    try:
        return Credentials.FromString(box.open(Sealed(row["credentials"], row["key_id"]), tenant, integration_id))
    except UnreadableError as error:
        raise FailedPrecondition(
            "CREDENTIALS_UNREADABLE",
            f"the stored tokens of integration {integration_id} cannot be read: {error}",
            id=str(integration_id),
        ) from None


def integration_not_found(integration_id: uuid.UUID) -> NotFound:
    """What a caller hears about an integration that its tenant does not have."""
    return NotFound("INTEGRATION_NOT_FOUND", f"no integration {integration_id}", id=str(integration_id))


def integration_inactive(integration_id: uuid.UUID) -> FailedPrecondition:
    """What a caller hears who would use an integration whose access was revoked."""
    return FailedPrecondition(
        "INTEGRATION_INACTIVE",
        f"access of integration {integration_id} was revoked; UpdateTokens makes it active again",
        id=str(integration_id),
    )


def sync_state_conflict(version: int) -> Aborted:
    """What a caller hears whose synchronisation began from another state."""
    return Aborted("SYNC_STATE_CONFLICT", f"the stored state has version {version}", version=str(version))
