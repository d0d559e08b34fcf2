"""Puts a portability archive into an empty tenant: all of it or nothing, with its ids and times."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import asyncpg
from google.protobuf.empty_pb2 import Empty
from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb

from services.gdpr.exporting.assembling import Progress, tables_of
from services.gdpr.exporting.exported_table import ExportedTable
from services.gdpr.exporting.reading import QUERIES
from services.gdpr.exporting.received import ArchiveRefused, Received
from services.gdpr.exporting.threads import in_thread
from shared.contact_names import sort_name
from shared.database import Database, Transaction
from shared.name_keys import name_key

Row = dict[str, Any]


class NoEmptyTenant(Exception):
    """There is no such tenant, or it has data already; the text says which."""


async def import_archive(database: Database, tenant: uuid.UUID, archive: Received, progress: Progress) -> int:
    """Adds all rows in one transaction; returns how many.

    database: with an operators' pool. Raises NoEmptyTenant, and ArchiveRefused when the database takes a row for wrong.
    """
    tables = tables_of(pb.EXPORT_SCOPE_PORTABILITY)
    total = 0

    async def effect(tx: Transaction) -> Empty:
        nonlocal total
        total = 0
        if not await tx.fetch(QUERIES["import_tenant"]):
            raise NoEmptyTenant(f"There is no user {tenant}, or it is closed.")
        if taken := await tx.fetch(QUERIES["import_obstacles"]):
            names = ", ".join(row["name"] for row in taken)
            raise NoEmptyTenant(f"The user {tenant} has data already, in {names}. Import into a new one.")
        for table in tables:
            progress(table.name, 0)
            try:
                async for rows in _passes(archive, table, tenant):
                    await tx.fetch(QUERIES[f"import_{table.name}"], rows)
                    progress(table.name, len(rows))
                    total += len(rows)
            except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
                raise ArchiveRefused(f"data/{table.name}.json holds a row that the database does not take") from error
        entry = {"scope": "PORTABILITY", "rows": total}
        await tx.fetch(QUERIES["audit_data_import"], entry)
        return Empty()

    await database.claim_operating(None, Empty, effect, about=tenant)
    return total


async def _passes(archive: Received, table: ExportedTable, tenant: uuid.UUID) -> Any:
    """A table's rows as its statement takes them. Withdrawals come after what they withdraw."""
    if table.name != "consent_records":
        batches = archive.batches(table)
        while (rows := await in_thread(_next, batches)) is not None:
            yield [_completed(table.name, row, tenant) for row in rows]
        return
    for withdrawals in (False, True):
        batches = archive.batches(table)
        while (rows := await in_thread(_next, batches)) is not None:
            if wanted := [row for row in rows if (row["withdrawn_consent_id"] is not None) == withdrawals]:
                yield wanted


def _next(batches: Iterator[list[Row]]) -> list[Row] | None:
    return next(batches, None)


def _completed(table: str, row: Row, tenant: uuid.UUID) -> Mapping[str, Any]:
    """A row with what is made of it, as the services make it when they store one. Raises ArchiveRefused."""
    try:
        if table == "contacts":
            return {**row, "sort_name": sort_name(row)}
        if table in ("organizations", "tags"):
            return {**row, "name_key": name_key(row["name"])}
        if table == "integrations":
            return {**row, "account_key": name_key(row["account"])}
        if table == "contact_merge_rows" and row["outcome"] == "DROPPED":
            # Undoing the merge puts the row back as it is kept, in this tenant.
            return {**row, "kept": {**row["kept"], "user_id": str(tenant)}}
    except (TypeError, AttributeError):
        raise ArchiveRefused(f"data/{table}.json is not as an export writes it") from None
    return row
