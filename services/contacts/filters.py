"""The typed filters that lists and searches of contacts have in common."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pmcrm.contacts.v1 import contact_service_pb2 as pb

from shared.errors import InvalidArgument, Unimplemented, Violation
from shared.fields import time_value

STRONGEST = 10
UNBUILT = ("tag_ids_all", "tag_ids_any", "organization_id")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a contact must satisfy; None filters nothing. Last contact: from `after` on, before `before`."""

    min_strength: int | None
    after: datetime | None
    before: datetime | None


def read_filters(request: pb.ListContactsRequest | pb.SearchContactsRequest) -> Filters:
    """Checks a request's filters. Raises InvalidArgument, and Unimplemented for filters by what is not built yet."""
    if not 0 <= request.min_relationship_strength <= STRONGEST:
        raise InvalidArgument([Violation("min_relationship_strength", f"must be 1 to {STRONGEST}, or 0 for any")])
    for field in UNBUILT:
        if getattr(request, field):
            raise Unimplemented("NOT_BUILT", f"{field}: filtering by it is not built yet")
    return Filters(
        min_strength=request.min_relationship_strength or None,
        after=time_value(request, "last_contact_after"),
        before=time_value(request, "last_contact_before"),
    )
