"""Puts integrations' tokens under the key that writes now, so that older ones can leave the ring.

Safe while services run: a ciphertext is replaced only if it is still the one that was read. It can be stopped at any
time; what is done stays done, and the next run takes the rest.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import asyncpg

from shared import queries
from shared.keys import KeyRing
from shared.migrations import SQL
from shared.token_box import Sealed, TokenBox, UnreadableError

STATEMENTS = queries.load(SQL / "maintenance")

TENANTS_AT_ONCE = 100
TOKENS_AT_ONCE = 20
FIRST = uuid.UUID(int=0)

# Runs over all tokens: a second one finds those that a service replaced while the first one looked at them.
PASSES = 3

Connection: TypeAlias = "asyncpg.Connection[Any]"


@dataclass(slots=True)
class Rotation:
    """What a rotation did.

    replaced: tokens that were put under the writing key.
    unreadable: tokens that no key of the ring opens, and that were left as they are.
    by_key: how many tokens are under which key now.
    """

    replaced: int = 0
    unreadable: int = 0
    by_key: Mapping[str, int] = field(default_factory=dict)


async def rotate(conn: Connection, keys: KeyRing) -> Rotation:
    """Puts every token under the ring's writing key. conn: as pmcrm_service, outside of a transaction."""
    box = TokenBox(keys)
    done = Rotation()
    for _ in range(PASSES):
        done.unreadable = 0
        if not await _once(conn, box, done):
            break
    rows = await conn.fetch(STATEMENTS["tokens_by_key"].sql)
    done.by_key = {row["key_id"]: row["tokens"] for row in rows}
    return done


async def _once(conn: Connection, box: TokenBox, done: Rotation) -> int:
    """One pass over all tenants; returns how many tokens somebody else has replaced meanwhile."""
    replaced_by_others = 0
    async for tenant in _tenants(conn, box.writing_key_id):
        async for token in _tokens(conn, box.writing_key_id, tenant):
            kept = Sealed(token["credentials"], token["key_id"])
            try:
                anew = box.seal(box.open(kept, tenant, token["id"]), tenant, token["id"])
            except UnreadableError:
                done.unreadable += 1
                continue
            status = await conn.execute(
                STATEMENTS["replace_ciphertext"].sql, tenant, token["id"], kept.ciphertext, anew.ciphertext, anew.key_id
            )
            if status == "UPDATE 1":
                done.replaced += 1
            else:
                replaced_by_others += 1
    return replaced_by_others


async def _tenants(conn: Connection, writing: str) -> AsyncIterator[uuid.UUID]:
    after = FIRST
    while rows := await conn.fetch(STATEMENTS["tenants_under_other_keys"].sql, writing, after, TENANTS_AT_ONCE):
        for row in rows:
            yield row["user_id"]
        after = rows[-1]["user_id"]


async def _tokens(conn: Connection, writing: str, tenant: uuid.UUID) -> AsyncIterator[asyncpg.Record]:
    after = FIRST
    while rows := await conn.fetch(STATEMENTS["tokens_under_other_keys"].sql, tenant, writing, after, TOKENS_AT_ONCE):
        for row in rows:
            yield row
        after = rows[-1]["id"]
