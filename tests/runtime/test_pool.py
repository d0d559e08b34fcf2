"""The pool: bounded, in order, and right in its counts whatever happens to those who use it."""

from __future__ import annotations

import asyncio
import random

import pytest

from shared.errors import Unavailable
from shared.pool import Pool, Session
from tests.postgres import Connection, Database
from tests.runtime.acting import PATIENCE, count_of, until
from tests.runtime.pgproxy import Proxy


def pool_of(database: Database, **given: object) -> Pool:
    return Pool(database.service("contacts"), **({"size": 1, "name": "pmcrm_pool_test"} | given))  # type: ignore[arg-type]  # each of its own type


async def test_a_full_pool_makes_a_call_wait_no_longer_than_it_says(database: Database) -> None:
    pool = pool_of(database, wait=0.05)
    session = await pool.acquire()
    with pytest.raises(Unavailable) as caught:
        await pool.acquire()
    assert caught.value.reason == "DATABASE_BUSY"
    assert (pool.open, pool.in_use, pool.waiting) == (1, 1, 0)
    pool.release(session)
    assert (pool.open, pool.in_use) == (1, 0)
    await pool.close()
    assert pool.open == 0


@pytest.mark.parametrize("returns", [Pool.release, Pool.discard], ids=["released", "discarded"])
async def test_who_waits_is_served_in_order(database: Database, returns: object) -> None:
    """Also when what comes back is broken: the place of the connection goes to who has waited longest."""
    give_back = Pool.release if returns is Pool.release else Pool.discard
    pool = pool_of(database)
    served: list[int] = []

    async def use(number: int) -> None:
        session = await pool.acquire()
        served.append(number)
        await asyncio.sleep(0)
        give_back(pool, session)

    first = await pool.acquire()
    waiting = [asyncio.create_task(use(number)) for number in range(8)]
    await until(lambda: pool.waiting == 8)
    give_back(pool, first)
    late = asyncio.create_task(use(99))
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*waiting, late)
    assert served == [*range(8), 99]
    await pool.close()
    assert pool.open == 0


async def test_connections_are_opened_when_they_are_needed_and_the_warmest_is_used(database: Database) -> None:
    pool = pool_of(database, size=3)
    assert pool.open == 0
    one, two = await pool.acquire(), await pool.acquire()
    assert pool.open == 2
    pool.release(one)
    pool.release(two)
    assert await pool.acquire() is two
    pool.release(two)
    await pool.close()


async def test_an_unreachable_database_is_told_at_once_and_frees_its_place(database: Database, proxy: Proxy) -> None:
    pool = Pool(proxy.in_front_of(database.service("contacts")), size=2)
    await proxy.close()
    results = await asyncio.gather(*(pool.acquire() for _ in range(6)), return_exceptions=True)
    assert {getattr(result, "reason", None) for result in results} == {"DATABASE_UNAVAILABLE"}
    assert (pool.open, pool.waiting) == (0, 0)
    await proxy.open()
    pool.release(await pool.acquire())
    await pool.close()


async def test_closing_lets_nobody_wait(database: Database) -> None:
    pool = pool_of(database)
    session = await pool.acquire()
    waiting = [asyncio.create_task(pool.acquire()) for _ in range(3)]
    await until(lambda: pool.waiting == 3)
    await pool.close()
    for result in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(result, Unavailable)
    with pytest.raises(Unavailable):
        await pool.acquire()
    pool.release(session)
    assert pool.open == 0
    assert session.conn.is_closed()


@pytest.mark.parametrize("seed", range(4))
async def test_its_counts_are_right_after_anything(database: Database, as_superuser: Connection, seed: int) -> None:
    """Many that acquire, give up, are cancelled, break their connection, or have it broken."""
    dice = random.Random(seed)
    pool = pool_of(database, size=4, wait=0.03)
    holders: set[Session] = set()
    reasons: set[str] = set()
    most = 0

    async def use() -> None:
        nonlocal most
        try:
            session = await pool.acquire()
        except Unavailable as error:
            reasons.add(error.reason)
            return
        assert session not in holders, "two hold the same connection"
        holders.add(session)
        most = max(most, len(holders))
        try:
            await asyncio.sleep(dice.random() * 0.01)
            fate = dice.random()
            if fate < 0.1:
                session.conn.terminate()
            elif fate < 0.3:
                await session.conn.execute("SELECT 1")
        finally:
            holders.discard(session)
            if dice.random() < 0.15:
                pool.discard(session)
            else:
                pool.release(session)

    tasks: list[asyncio.Task[None]] = []
    for _ in range(600):
        tasks.append(asyncio.create_task(use()))
        if dice.random() < 0.3:
            dice.choice(tasks).cancel()
        if dice.random() < 0.4:
            await asyncio.sleep(dice.random() * 0.004)
        assert 0 <= pool.in_use <= pool.open <= pool.size
    async with asyncio.timeout(PATIENCE):
        results = await asyncio.gather(*tasks, return_exceptions=True)
    odd = [r for r in results if r is not None and not isinstance(r, asyncio.CancelledError)]
    assert not odd
    assert reasons <= {"DATABASE_BUSY"}
    assert most == pool.size
    assert (pool.in_use, pool.waiting) == (0, 0)
    assert len(pool._idle) == pool.open <= pool.size
    together = await asyncio.gather(*(pool.acquire() for _ in range(pool.size)))
    assert len({id(session) for session in together}) == pool.size, "no place was lost"
    for session in together:
        pool.release(session)
    await pool.close()
    assert pool.open == 0
    await until(lambda: _none_left(as_superuser))


async def _none_left(conn: Connection) -> bool:
    return await count_of(conn, "application_name = 'pmcrm_pool_test'") == 0
