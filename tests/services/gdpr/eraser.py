"""The erasing of one account, as a process of its own, which is killed: tells each step, and can wait before one ends.

python -m tests.services.gdpr.eraser <tenant> <step> (between | within)

`between`: waits after that many steps, `within`: before the transaction of the next step commits. 0 never waits.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import uuid
from datetime import timedelta

import asyncpg
import asyncpg.transaction

from services.gdpr import account_erasing

GRACE = timedelta(days=90)
HOURS = 3_600


class Waiting:
    """Counts steps, and waits at the one to be killed in."""

    def __init__(self, at: int, where: str) -> None:
        self._at = at
        self._where = where
        self._done = 0

    def step(self, name: str) -> None:
        self._done += 1
        print(f"step {self._done} {name}", flush=True)
        if self._where == "between":
            self._wait()

    def before_commit(self) -> None:
        if self._where == "within":
            self._wait()

    def _wait(self) -> None:
        if self._done == self._at > 0:
            print("waits to be killed", flush=True)
            time.sleep(HOURS)


def waiting_transactions(waiting: Waiting) -> type[asyncpg.transaction.Transaction]:
    """Transactions that commit when `waiting` has let them."""

    class WaitingTransaction(asyncpg.transaction.Transaction):
        async def __aexit__(self, *error: object) -> None:
            if error[0] is None:
                waiting.before_commit()
            await super().__aexit__(*error)

    return WaitingTransaction


async def erase(tenant: uuid.UUID, at: int, where: str) -> None:
    waiting = Waiting(at, where)
    vars(asyncpg.transaction).update(Transaction=waiting_transactions(waiting))
    account_erasing.LONGEST_PAUSE = 0
    account_erasing.ROWS_AT_ONCE = 2
    conn = await asyncpg.connect(os.environ["DATABASE_URL_SERVICE"])
    outcome = await account_erasing.erase_account(conn, tenant, GRACE, waiting.step)
    print(f"ended {outcome.value}", flush=True)


if __name__ == "__main__":
    asyncio.run(erase(uuid.UUID(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
