"""Runs the files of sql/ once each, in order, and notices when one was changed afterwards.

A file is `NNNN_name.sql`. It runs in a transaction of its own, as pmcrm_owner; a file whose first line is
`-- pmcrm: no transaction` runs statement by statement outside of one (for CREATE INDEX CONCURRENTLY), and continues
after the last statement that succeeded when it is run again. The ledger is app.migrations.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg

from shared.roles import OWNER
from shared.sql_script import MalformedScriptError, Statement, split

SQL = Path(__file__).resolve().parent.parent / "sql"
FILE = re.compile(r"(?P<number>\d{4})_[a-z0-9_]+\.sql")
NO_TRANSACTION = "-- pmcrm: no transaction"

# The advisory lock of a run: "pmcrm" in ASCII, as a number.
LOCK = int.from_bytes(b"pmcrm", "big")
POLL_SECONDS = 0.2
LOCK_TIMEOUT_MS = 5_000

LEDGER = f"""
CREATE SCHEMA IF NOT EXISTS app;
CREATE TABLE IF NOT EXISTS app.migrations (
    name text PRIMARY KEY,
    checksum bytea NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    statements_done integer
);
COMMENT ON TABLE app.migrations IS 'The files of sql/ that were run here, with the SHA-256 of each.';
COMMENT ON COLUMN app.migrations.statements_done IS
    'How far a file without transaction has come; NULL when it is finished. checksum covers that part then.';
ALTER TABLE app.migrations OWNER TO {OWNER};
"""

Connection: TypeAlias = "asyncpg.Connection[Any]"


class MigrationError(Exception):
    """Migrations cannot run or one has failed. The text names the file."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of sql/."""

    name: str
    text: str

    @property
    def number(self) -> str:
        return self.name[:4]

    @property
    def checksum(self) -> bytes:
        """SHA-256 of the file, with line ends as they are in the repository."""
        return hashlib.sha256(self.text.encode()).digest()

    @property
    def transactional(self) -> bool:
        return self.text.split("\n", 1)[0].strip() != NO_TRANSACTION


@dataclass(slots=True)
class Status:
    """How the files and a database's ledger compare. `problems` holds sentences; with any, nothing runs."""

    applied: list[str] = field(default_factory=list)
    pending: list[Migration] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read(folder: Path = SQL) -> list[Migration]:
    """The migrations of a folder in order. Raises MigrationError for a misnamed file and for a number given twice."""
    migrations: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        if not FILE.fullmatch(path.name):
            raise MigrationError(f"{path.name} is not named like 0001_name.sql, in lower case.")
        if migrations and migrations[-1].number == path.name[:4]:
            raise MigrationError(f"{migrations[-1].name} and {path.name} have the same number; renumber the newer one.")
        migrations.append(Migration(path.name, path.read_text(encoding="utf-8")))
    return migrations


async def status(conn: Connection, migrations: Sequence[Migration]) -> Status:
    """Compares files and ledger, changing nothing."""
    ledger = {}
    if await conn.fetchval("SELECT to_regclass('app.migrations') IS NOT NULL"):
        rows = await conn.fetch("SELECT name, checksum, statements_done FROM app.migrations ORDER BY name")
        ledger = {row["name"]: row for row in rows}
    result = Status(applied=[name for name, row in ledger.items() if row["statements_done"] is None])
    newest = max(ledger, default="")
    known = set()
    for migration in migrations:
        known.add(migration.name)
        row = ledger.get(migration.name)
        if row is None or row["statements_done"] is not None:
            if migration.name < newest:
                result.problems.append(
                    f"{migration.name} is new, but {newest} was already applied: give it a number after that."
                )
            result.pending.append(migration)
        elif row["checksum"] != migration.checksum:
            result.problems.append(
                f"{migration.name} was edited after it was applied: restore it, and write the change as a new file."
            )
    result.problems += [
        f"{name} was applied, but its file is missing: restore it (or this release is older than the database)."
        for name in ledger
        if name not in known
    ]
    return result


async def migrate(
    conn: Connection,
    migrations: Sequence[Migration],
    *,
    lock_timeout_ms: int = LOCK_TIMEOUT_MS,
    started: Callable[[Migration], None] = lambda _: None,
    waiting: Callable[[], None] = lambda: None,
) -> list[str]:
    """Applies what is pending and returns its names. Two runs at once: the second waits, then finds nothing to do.

    conn: as pmcrm_owner or a role that may act as it; a direct connection, not through PgBouncer (session lock).
    lock_timeout_ms: how long a statement waits for a table that somebody else holds; everybody else queues behind it.
    started, waiting: called before each file, and once when another run is going on.
    Raises MigrationError; the files before the one that failed stay applied.
    """
    await _lock(conn, waiting)
    try:
        await conn.execute(f"SET ROLE {OWNER}; SET lock_timeout = 0; SET client_min_messages = warning")
        await conn.execute(LEDGER)
        state = await status(conn, migrations)
        if state.problems:
            raise MigrationError("\n".join(state.problems))
        for migration in state.pending:
            started(migration)
            await (_run_in_transaction if migration.transactional else _run_by_statement)(
                conn, migration, lock_timeout_ms
            )
        return [migration.name for migration in state.pending]
    finally:
        if not conn.is_closed():
            await conn.execute("RESET ROLE; RESET lock_timeout; RESET client_min_messages")
            await conn.execute(f"SELECT pg_advisory_unlock({LOCK})")


async def _lock(conn: Connection, waiting: Callable[[], None]) -> None:
    # Asked again and again instead of waited for: a waiting statement holds a snapshot, and CREATE INDEX CONCURRENTLY
    # in the other run would wait for that.
    told = 0.0
    while not await conn.fetchval(f"SELECT pg_try_advisory_lock({LOCK})"):
        if not told:
            waiting()
            told = time.monotonic()
        await asyncio.sleep(POLL_SECONDS)


async def _run_in_transaction(conn: Connection, migration: Migration, lock_timeout_ms: int) -> None:
    statements = _statements(migration)
    async with conn.transaction():
        await conn.execute(f"SET LOCAL lock_timeout = {lock_timeout_ms:d}")
        for statement in statements:
            await _run(conn, migration, statement)
        if not conn.is_in_transaction():
            raise MigrationError(f"{migration.name} ends its own transaction: leave COMMIT and ROLLBACK out.")
        await conn.execute(f"SET LOCAL ROLE {OWNER}")
        await conn.execute(
            "INSERT INTO app.migrations (name, checksum) VALUES ($1, $2)", migration.name, migration.checksum
        )


async def _run_by_statement(conn: Connection, migration: Migration, lock_timeout_ms: int) -> None:
    statements = _statements(migration)
    row = await conn.fetchrow("SELECT statements_done, checksum FROM app.migrations WHERE name = $1", migration.name)
    done = row["statements_done"] if row else 0
    if row and row["checksum"] != _digest(statements[:done]):
        raise MigrationError(
            f"{migration.name} has stopped after its statement {done}, and was edited before that place: "
            f"only what comes after it may change."
        )
    await conn.execute(f"SET lock_timeout = {lock_timeout_ms:d}")
    for number, statement in enumerate(statements[done:], start=done + 1):
        await _run(conn, migration, statement)
        await conn.execute(
            "INSERT INTO app.migrations (name, checksum, statements_done) VALUES ($1, $2, $3) "
            "ON CONFLICT (name) DO UPDATE SET checksum = EXCLUDED.checksum, statements_done = EXCLUDED.statements_done",
            migration.name, _digest(statements[:number]), number,
        )  # fmt: skip
    await conn.execute(
        "UPDATE app.migrations SET statements_done = NULL, checksum = $2, applied_at = clock_timestamp() "
        "WHERE name = $1",
        migration.name, migration.checksum,
    )  # fmt: skip
    await conn.execute("SET lock_timeout = 0")


async def _run(conn: Connection, migration: Migration, statement: Statement) -> None:
    try:
        await conn.execute(statement.text)
    except asyncpg.LockNotAvailableError as error:
        raise MigrationError(
            f"{migration.name}, line {statement.line}: a table stayed locked by somebody else. Nothing of this "
            f"{'file' if migration.transactional else 'statement'} was done; run `pmcrm migrate` again."
        ) from error
    except asyncpg.PostgresError as error:
        position = getattr(error, "position", None)
        line = statement.line_at(int(position)) if position else statement.line
        detail = "".join(f" {part}" for part in (getattr(error, "detail", None), getattr(error, "hint", None)) if part)
        raise MigrationError(f"{migration.name}, line {line}: {error.args[0]}{detail}") from error


def _statements(migration: Migration) -> list[Statement]:
    try:
        statements = split(migration.text)
    except MalformedScriptError as error:
        raise MigrationError(f"{migration.name}, line {error.line}: {error}") from error
    if not statements:
        raise MigrationError(f"{migration.name} holds no statement.")
    return statements


def _digest(statements: Sequence[Statement]) -> bytes:
    return hashlib.sha256("\0".join(statement.text for statement in statements).encode()).digest()
