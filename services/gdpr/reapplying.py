"""Carries out erasures again that a restored backup predates, out of the journal.

Each contact is erased in a transaction of its own, with the receipt that it had; what is erased already is left as it
is, so that a second run changes nothing.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from enum import Enum
from typing import Any, TypeAlias

import asyncpg

from services.gdpr import account_erasing
from services.gdpr.erasure_journal import Erasure
from shared import queries
from shared.binding import bind
from shared.migrations import SQL

STATEMENTS = queries.load(SQL / "maintenance")

Connection: TypeAlias = "asyncpg.Connection[Any]"


class Outcome(Enum):
    """What became of an erasure; the value says it of some of them."""

    ERASED = "erased again"
    RESTORED = "not in this database, their receipts and suppressions put back"
    KNOWN = "erased here already"
    ABSENT = "of users that this database does not have"
    HELD = "kept by a legal hold"
    MERGED = "merged here with contacts that were not erased: undo the merges, then run this again"


# Somebody has to look after these.
UNDONE = (Outcome.HELD, Outcome.MERGED)


class _RefusedError(Exception):
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.value)
        self.outcome = outcome


async def reapply(
    conn: Connection, erasures: Sequence[Erasure], *, dry_run: bool, progress: Callable[[int, int], None]
) -> dict[Outcome, list[uuid.UUID]]:
    """Carries out erasures again where they are missing; returns the receipts by what became of them.

    conn: as pmcrm_service, outside of a transaction.
    dry_run: only finds out.
    progress: told how many are done, and of how many.
    """
    outcomes: dict[Outcome, list[uuid.UUID]] = {outcome: [] for outcome in Outcome}
    for done, erasure in enumerate(erasures, start=1):
        reapply_one = _account if erasure.contact_id is None else _contact
        outcomes[await reapply_one(conn, erasure, dry_run)].append(erasure.receipt_id)
        progress(done, len(erasures))
    return outcomes


def summary(outcomes: dict[Outcome, list[uuid.UUID]]) -> Counter[Outcome]:
    """How many became what."""
    return Counter({outcome: len(receipts) for outcome, receipts in outcomes.items() if receipts})


async def _contact(conn: Connection, erasure: Erasure, dry_run: bool) -> Outcome:
    transaction = conn.transaction()
    await transaction.start()
    try:
        outcome = await _erase_contact(conn, erasure)
    except _RefusedError as refused:
        await transaction.rollback()
        return refused.outcome
    except BaseException:
        await transaction.rollback()
        raise
    await (transaction.rollback() if dry_run else transaction.commit())
    return outcome


async def _erase_contact(conn: Connection, erasure: Erasure) -> Outcome:
    await conn.execute(bind(erasure.user_id))
    erased_tenant = await conn.fetchval(STATEMENTS["tenant_to_erase_again"].sql, erasure.user_id)
    if erased_tenant is None:
        return Outcome.ABSENT
    known = await conn.fetchval(STATEMENTS["known_erasure"].sql, erasure.user_id, erasure.receipt_id) is not None
    if erased_tenant:
        return Outcome.KNOWN
    entry = None
    for contact_id in erasure.contact_ids:
        held = await conn.fetch(STATEMENTS["hold_to_erase_again"].sql, erasure.user_id, contact_id)
        if not held:
            continue
        if not {row["contact_id"] for row in held} <= set(erasure.contact_ids):
            raise _RefusedError(Outcome.MERGED)
        if any(row["held"] for row in held):
            raise _RefusedError(Outcome.HELD)
        erased = await conn.fetchrow(
            STATEMENTS["erase_contact_again"].sql, erasure.user_id, contact_id, erasure.receipt_id
        )
        entry = entry or (erased and erased["audit_entry_id"])
    if not known:
        await _restore(conn, erasure, entry)
    if entry is not None:
        return Outcome.ERASED
    return Outcome.KNOWN if known else Outcome.RESTORED


async def _restore(conn: Connection, erasure: Erasure, entry: uuid.UUID | None) -> None:
    """Puts back receipt, history and suppressions. entry: of the log; None when nothing was there to be erased."""
    user_id, receipt_id = erasure.user_id, erasure.receipt_id
    if entry is None:
        entry = await conn.fetchval(STATEMENTS["audit_empty_erasure"].sql, user_id, erasure.contact_id, receipt_id)
    await conn.execute(
        STATEMENTS["restore_contact_receipt"].sql,
        user_id,
        receipt_id,
        erasure.contact_id,
        list(erasure.contact_ids),
        erasure.request_time,
        erasure.erase_time,
        json.dumps(erasure.row_counts),
        erasure.suppression_count,
        entry,
    )
    await conn.execute(
        STATEMENTS["restore_contact_history"].sql, user_id, receipt_id, erasure.request_time, erasure.erase_time
    )
    await conn.execute(
        STATEMENTS["restore_suppressions"].sql,
        user_id,
        receipt_id,
        [suppression.hash for suppression in erasure.suppressions],
        [suppression.kind for suppression in erasure.suppressions],
        [suppression.key_id for suppression in erasure.suppressions],
    )


async def _account(conn: Connection, erasure: Erasure, dry_run: bool) -> Outcome:
    erased = await conn.fetchval(STATEMENTS["tenant_to_erase_again"].sql, erasure.user_id)
    if erased is None:
        return Outcome.ABSENT
    if erased:
        return Outcome.KNOWN
    if dry_run:
        return Outcome.ERASED
    async with conn.transaction():
        await conn.execute(bind(erasure.user_id))
        await _request_again(conn, erasure)
    outcome = await account_erasing.erase_account(conn, erasure.user_id, timedelta(0))
    if outcome is account_erasing.Outcome.ERASED:
        return Outcome.ERASED
    if outcome is account_erasing.Outcome.HELD:
        return Outcome.HELD
    raise RuntimeError(f"account {erasure.user_id} was not erased again: it is {outcome.value}")


async def _request_again(conn: Connection, erasure: Erasure) -> None:
    """Has the account erased under the receipt of before: a request with its id, and the account closed."""
    user_id, receipt_id = erasure.user_id, erasure.receipt_id
    for (other,) in await conn.fetch(STATEMENTS["cancel_other_account_requests"].sql, user_id, receipt_id):
        await conn.execute(STATEMENTS["add_erasure_state"].sql, user_id, other, "CANCELLED", "cancelled")
    if await conn.fetchval(STATEMENTS["known_erasure"].sql, user_id, receipt_id) is None:
        await conn.execute(STATEMENTS["restore_account_request"].sql, user_id, receipt_id, erasure.request_time)
        await conn.execute(STATEMENTS["add_erasure_state"].sql, user_id, receipt_id, "PENDING", "requested")
    elif await conn.fetchval(STATEMENTS["reopen_account_request"].sql, user_id, receipt_id) is not None:
        await conn.execute(STATEMENTS["add_erasure_state"].sql, user_id, receipt_id, "PENDING", "requested")
    # Last: closing an account without a request would make one of another id.
    await conn.execute(STATEMENTS["close_account_again"].sql, user_id, receipt_id)
