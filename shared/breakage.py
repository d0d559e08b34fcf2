"""What an error in a transaction says of its connection, and of its tenant."""

from __future__ import annotations

import asyncpg

from shared.pool import Session

CONNECTION_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    ConnectionError,
)

# A statement prepared before a migration may not fit the table any more; a new connection prepares it anew.
OUTDATED = (asyncpg.InvalidCachedStatementError, asyncpg.exceptions.OutdatedSchemaCacheError)


def is_lost(session: Session, error: BaseException) -> bool:
    """Whether the connection is gone, and with it the transaction."""
    if isinstance(error, CONNECTION_LOST):
        return True
    return session.conn.is_closed() and isinstance(
        error, asyncpg.InterfaceError | asyncpg.InternalClientError | OSError
    )


def names_tenant(error: asyncpg.ForeignKeyViolationError) -> bool:
    """Whether what is missing is the tenant itself.

    A handler's own foreign keys name other columns; this suffix is PostgreSQL's default for the tenant's.
    """
    return str(error.constraint_name or "").endswith("_user_id_fkey")
