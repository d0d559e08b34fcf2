"""How an entry of the audit log is hashed, so that a change of it shows.

All of it is computed here from the columns as they are stored, and nothing by functions of the database: whoever could
change the log could change those too. A row is a mapping of the columns of audit_logs, in which `old_values`,
`new_values` and `client_ip` are the texts that PostgreSQL makes of them.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

DOMAIN = b"pmcrm audit entry 1\n"
HASH_BYTES = 32

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

PAYLOAD = ("old_values", "new_values", "actor", "client_ip", "user_agent")

Row = Mapping[str, Any]


def entry_hash(tenant: uuid.UUID, row: Row) -> bytes:
    """SHA-256 over everything that an entry keeps for ever: its metadata, and the digest of its payload."""
    return hashlib.sha256(
        b"".join(
            (
                DOMAIN,
                tenant.bytes,
                row["id"].bytes,
                moment(row["at"]),
                _id(row["subject_id"]),
                _id(row["row_id"]),
                _id(row["request_id"]),
                _text(row["table_name"]),
                _text(row["action"]),
                _text(row["role_name"]),
                _bytes(row["digest"]),
            )
        )
    ).digest()


def payload_digest(row: Row) -> bytes:
    """SHA-256 over the salt and the payload of an entry, which its column `digest` must hold."""
    return hashlib.sha256(row["salt"] + payload_text(row).encode()).digest()


def payload_text(row: Row) -> str:
    """The payload as a JSON array, letter by letter as PostgreSQL writes it."""
    return f"[{row['old_values'] or 'null'}, {row['new_values'] or 'null'}, {_texts(row)}]"


def is_emptied(row: Row) -> bool:
    """Whether nothing of the payload is left."""
    return all(row[name] is None for name in PAYLOAD)


def moment(at: datetime) -> bytes:
    """A time as microseconds since 1970, in 8 bytes."""
    return ((at - EPOCH) // MICROSECOND).to_bytes(8, "big", signed=True)


def counted(value: bytes) -> bytes:
    """Bytes after their number, so that no two values run into each other."""
    return len(value).to_bytes(4, "big") + value


# Also what the table's constraints do not permit is hashed: who can change entries can drop constraints.
def _id(value: uuid.UUID | None) -> bytes:
    return b"\x00" if value is None else b"\x01" + value.bytes


def _text(value: str | None) -> bytes:
    return _bytes(None if value is None else value.encode())


def _bytes(value: bytes | None) -> bytes:
    return b"\x00" if value is None else b"\x01" + counted(value)


def _texts(row: Row) -> str:
    # Both escape quotes, backslashes and what is below a space, in the same way, and nothing else.
    return ", ".join(json.dumps(row[name], ensure_ascii=False) for name in ("actor", "client_ip", "user_agent"))
