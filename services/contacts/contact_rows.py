"""Rows of the view contact_rows as Contact messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pmcrm.contacts.v1.contact_pb2 import Contact

from shared.contact_record import to_contact

# Columns that statements need and answers do not have.
BESIDES = frozenset(
    {"user_id", "id_key", "strengths_key", "sort_name", "last_contact_order", "position", "matched_fields", "asked"}
)


def contact_of(row: Mapping[str, Any], grace_days: int) -> Contact:
    """The contact that a row of contact_rows holds.

    grace_days: how long after its deletion a contact is purged; the source of purge_time.
    """
    contact = to_contact(row, BESIDES)
    deleted = row["delete_time"]
    if deleted is not None:
        contact.purge_time.FromDatetime(deleted + timedelta(days=grace_days))
    return contact
