"""Erasures as the database keeps them, and as they are answered."""

from __future__ import annotations

from datetime import timedelta

from pmcrm.gdpr.v1.erasure_pb2 import ErasureReceipt, ErasureRequest, ErasureStateChange

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


def to_erasure_request(row: Row, grace: timedelta) -> ErasureRequest:
    """An erasure, completed or not. row: of the statement get_erasure_request. grace: before an account is erased."""
    history = zip(row["states"], row["change_times"], row["causes"], strict=True)
    return ErasureRequest(
        id=row["id"],
        user_id=row["user_id"],
        contact_id=row["contact_id"] or "",
        state=row["state"],
        history=[ErasureStateChange(state=state, change_time=at, cause=cause) for state, at, cause in history],
        request_time=row["request_time"],
        deadline_time=row["deadline_time"],
        # Contacts are erased at once.
        erase_after_time=row["request_time"] + (timedelta(0) if row["contact_id"] else grace),
        legal_hold=row["legal_hold"],
        receipt=None if row["erase_time"] is None else to_receipt(row),
        update_time=row["update_time"],
        etag=row["etag"],
    )
