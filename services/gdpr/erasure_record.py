"""Erasures as the database keeps them, and as they are answered."""

from __future__ import annotations

from pmcrm.gdpr.v1.erasure_pb2 import ErasureReceipt

from shared.database import Row


def to_receipt(row: Row) -> ErasureReceipt:
    """The receipt of a completed erasure. row: of the statement get_receipt, or one with the same columns."""
    return ErasureReceipt(
        id=row["id"],
        user_id=row["user_id"],
        contact_id=row["contact_id"] or "",
        erase_time=row["erase_time"],
        row_counts=row["row_counts"],
        suppression_count=row["suppression_count"],
        audit_entry_id=row["audit_entry_id"] or "",
    )
