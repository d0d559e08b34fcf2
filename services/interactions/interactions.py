"""InteractionService: create, read, list, change, delete and bring back interactions."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any

import asyncpg
from pmcrm.interactions.v1 import interaction_service_pb2 as pb
from pmcrm.interactions.v1.interaction_pb2 import Interaction

from services.interactions import interaction_limits as limits
from services.interactions import participants, searching, timeline
from services.interactions.analysis.analyst import Analyst, Text
from services.interactions.changing import change_of
from services.interactions.integrations import integration_not_found
from services.interactions.interaction_record import WRITABLE, to_interaction, to_record
from services.interactions.participants import Participant, read_participants
from shared import queries
from shared.database import Row, Transaction
from shared.errors import AlreadyExists, InvalidArgument, NotFound, Violation
from shared.etags import check_etag, etag_mismatch, expected_revision
from shared.fields import uuid_field, uuid_value
from shared.ids import new_ids
from shared.layers import Context
from shared.masks import check_mask, masked, update_paths
from shared.server import Runtime
from shared.violations import Violations

QUERIES = queries.load(Path(__file__).parent / "queries")


class Interactions:
    """The servicer of pmcrm.interactions.v1.InteractionService."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database
        self._page_tokens = runtime.page_tokens
        self._grace_days = runtime.settings.delete_grace_days
        self._suppression_keys = runtime.settings.suppression_keys
        self._analyst = Analyst()

    async def CreateInteraction(self, request: pb.CreateInteractionRequest, context: Context) -> Interaction:
        """Creates an interaction and the new contacts among its participants; CONTACT_NOT_FOUND,
        PROCESSING_RESTRICTED, INTEGRATION_NOT_FOUND, INTERACTION_SOURCE_TAKEN, SOURCE_UID_TAKEN,
        CONTACT_SUPPRESSED."""
        violations = Violations()
        record = to_record(request.interaction, "interaction", violations)
        given = read_participants(request.interaction, "interaction", violations)
        violations.raise_if_any()
        await self._analyse([record])

        async def effect(tx: Transaction) -> Interaction:
            [interaction] = await self._create(tx, [record], [given])
            return interaction

        return await self._database.mutate(request, Interaction, effect)

    async def BatchCreateInteractions(
        self, request: pb.BatchCreateInteractionsRequest, context: Context
    ) -> pb.BatchCreateInteractionsResponse:
        """Creates up to 1 000 interactions, all or none, in the order of the requests."""
        records, groups = await asyncio.to_thread(_batch, request.requests)
        await self._analyse(records)

        async def effect(tx: Transaction) -> pb.BatchCreateInteractionsResponse:
            return pb.BatchCreateInteractionsResponse(interactions=await self._create(tx, records, groups))

        return await self._database.mutate(request, pb.BatchCreateInteractionsResponse, effect)

    async def GetInteraction(self, request: pb.GetInteractionRequest, context: Context) -> Interaction:
        """Returns one interaction, deleted or not; NOT_FOUND if the tenant has none with this id."""
        interaction_id = uuid_field(request, "id")
        check_mask(Interaction, request.read_mask)
        async with self._database.reading() as tx:
            interaction = await self._get(tx, interaction_id)
        return masked(interaction, request.read_mask)

    async def ListInteractions(
        self, request: pb.ListInteractionsRequest, context: Context
    ) -> pb.ListInteractionsResponse:
        """Lists living interactions, a page at a time; CONTACT_NOT_FOUND, PROCESSING_RESTRICTED for a named contact."""
        wanted = timeline.read(request, self._page_tokens)
        async with self._database.reading() as tx:
            return await timeline.fetch(tx, request, wanted, self._page_tokens, self._grace_days)

    async def SearchInteractions(
        self, request: pb.SearchInteractionsRequest, context: Context
    ) -> pb.SearchInteractionsResponse:
        """Searches living interactions, best first; QUERY_MALFORMED for a tsquery that cannot be read."""
        wanted = searching.read(request, self._page_tokens)
        async with self._database.reading() as tx:
            return await searching.fetch(tx, request, wanted, self._page_tokens, self._grace_days)

    async def UpdateInteraction(self, request: pb.UpdateInteractionRequest, context: Context) -> Interaction:
        """Changes the fields that the mask names; what creating fails with, INTERACTION_NOT_FOUND, ETAG_MISMATCH."""
        interaction_id = uuid_value(request.interaction.id, "interaction.id")
        paths = update_paths(request.interaction, request.update_mask, WRITABLE)

        async def effect(tx: Transaction) -> Interaction:
            if await tx.fetchrow(QUERIES["lock_interaction"], interaction_id) is None:
                raise interaction_not_found(interaction_id)
            row = await tx.fetchrow(QUERIES["get_interaction"], interaction_id)
            if row is None:
                raise interaction_not_found(interaction_id)
            current = to_interaction(row, self._grace_days)
            check_etag(request.interaction.etag, current.etag)
            if not paths:
                return current
            change = change_of(request, row, current, paths)
            if change.record["integration_id"] is not None and "integration_id" in paths:
                await _check_integrations(tx, [change.record["integration_id"]])
            if change.text:
                await self._analyse([change.record])
            if change.participants is not None:
                await participants.hold_present(tx, interaction_id, change.participants)
                await self._replace_participants(tx, interaction_id, change.participants)
            await _writing(tx.fetch(QUERIES["update_interaction"], interaction_id, change.record))
            return await self._get(tx, interaction_id)

        return await self._database.mutate(request, Interaction, effect)

    async def DeleteInteraction(self, request: pb.DeleteInteractionRequest, context: Context) -> Interaction:
        """Deletes an interaction until it is purged; NOT_FOUND when it is gone already, unless allow_missing;
        ETAG_MISMATCH."""
        interaction_id = uuid_field(request, "id")

        async def effect(tx: Transaction) -> Interaction:
            revision = expected_revision(request.etag)
            deleted = await tx.fetchrow(QUERIES["delete_interaction"], interaction_id, revision)
            row = await tx.fetchrow(QUERIES["get_interaction"], interaction_id)
            if deleted is None and row is not None and row["delete_time"] is None:
                raise etag_mismatch()
            if deleted is None and not request.allow_missing:
                raise interaction_not_found(interaction_id)
            return Interaction() if row is None else to_interaction(row, self._grace_days)

        return await self._database.mutate(request, Interaction, effect)

    async def UndeleteInteraction(self, request: pb.UndeleteInteractionRequest, context: Context) -> Interaction:
        """Brings a deleted interaction back; INTERACTION_NOT_DELETED, INTERACTION_SOURCE_TAKEN, ETAG_MISMATCH."""
        interaction_id = uuid_field(request, "id")

        async def effect(tx: Transaction) -> Interaction:
            revision = expected_revision(request.etag)
            restored = await _writing(tx.fetch(QUERIES["undelete_interaction"], interaction_id, revision))
            interaction = await self._get(tx, interaction_id)
            if not restored and not interaction.HasField("delete_time"):
                message = f"interaction {interaction_id} is not deleted"
                raise AlreadyExists("INTERACTION_NOT_DELETED", message, id=str(interaction_id))
            if not restored:
                raise etag_mismatch()
            return interaction

        return await self._database.mutate(request, Interaction, effect)

    async def _analyse(self, records: Sequence[dict[str, Any]]) -> None:
        """Adds to each record what is found in its text."""
        texts = [Text(record["subject"], record["body"], record["language"]) for record in records]
        for record, findings in zip(records, await self._analyst.analyse(texts), strict=True):
            record.update(findings.columns)

    async def _create(
        self, tx: Transaction, records: Sequence[dict[str, Any]], groups: Sequence[Sequence[Participant]]
    ) -> list[Interaction]:
        attendances = await participants.settle(tx, groups, self._suppression_keys)
        await _check_integrations(tx, [r["integration_id"] for r in records if r["integration_id"] is not None])
        ids = new_ids(len(records))
        rows = [{**record, "id": interaction_id} for record, interaction_id in zip(records, ids, strict=True)]
        await _writing(tx.fetch(QUERIES["create_interactions"], rows))
        await participants.add(tx, ids, attendances)
        created = {row["id_key"]: row for row in await tx.fetch(QUERIES["get_interactions"], ids)}
        return [to_interaction(created[interaction_id], self._grace_days) for interaction_id in ids]

    async def _replace_participants(
        self, tx: Transaction, interaction_id: uuid.UUID, given: Sequence[Participant]
    ) -> None:
        [attendances] = await participants.settle(tx, [given], self._suppression_keys)
        kept = [attendance.contact_id for attendance in attendances]
        await tx.fetch(QUERIES["remove_participants"], interaction_id, kept)
        await participants.add(tx, [interaction_id], [attendances])

    async def _get(self, tx: Transaction, interaction_id: uuid.UUID) -> Interaction:
        row = await tx.fetchrow(QUERIES["get_interaction"], interaction_id)
        if row is None:
            raise interaction_not_found(interaction_id)
        return to_interaction(row, self._grace_days)


def interaction_not_found(interaction_id: uuid.UUID) -> NotFound:
    """What a caller hears about an interaction that its tenant does not have."""
    return NotFound("INTERACTION_NOT_FOUND", f"no interaction {interaction_id}", id=str(interaction_id))


def _batch(
    requests: Sequence[pb.CreateInteractionRequest],
) -> tuple[list[dict[str, Any]], list[list[Participant]]]:
    """The interactions of a batch, and their participants. Raises InvalidArgument with what is wrong in any of them."""
    if not 1 <= len(requests) <= limits.BATCH:
        raise InvalidArgument([Violation("requests", f"must hold 1 to {limits.BATCH} requests")])
    violations = Violations()
    records, groups = [], []
    for i, request in enumerate(requests):
        path = f"requests[{i}].interaction"
        if request.request_id:
            violations.add(f"requests[{i}].request_id", "belongs on the batch, not on a request within it")
        records.append(to_record(request.interaction, path, violations))
        groups.append(read_participants(request.interaction, path, violations))
    violations.raise_if_any()
    return records, groups


async def _check_integrations(tx: Transaction, asked: Sequence[uuid.UUID]) -> None:
    if asked:
        living = {row["id"] for row in await tx.fetch(QUERIES["living_integrations"], list(set(asked)))}
        for integration_id in asked:
            if integration_id not in living:
                raise integration_not_found(integration_id)


async def _writing(statement: Awaitable[list[Row]]) -> list[Row]:
    try:
        return await statement
    except asyncpg.UniqueViolationError as error:
        # The only key beside the ids, which are ours, is the source_uid among living interactions.
        raise AlreadyExists("INTERACTION_SOURCE_TAKEN", "a living interaction has this source_uid") from error
