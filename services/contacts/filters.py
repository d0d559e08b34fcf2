"""The typed filters that lists, searches and exports of contacts have in common."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import contact_transfer_pb2 as transfer_pb

from shared.errors import InvalidArgument, Violation
from shared.fields import time_value, uuid_list, uuid_value

STRONGEST = 10
TAGS_LIMIT = 100


@dataclass(frozen=True, slots=True)
class TieFilters:
    """What a contact must be tied to; None filters nothing. Ids that the tenant does not have match no contact.

    tags_all: each tag once, all of which it must carry; tags_any: one of which it must carry.
    organization: where it must work now.
    """

    tags_all: list[uuid.UUID] | None
    tags_any: list[uuid.UUID] | None
    organization: uuid.UUID | None

    @property
    def parameters(self) -> tuple[object, ...]:
        """The parameters that all statements with these filters have in common, in their order."""
        return (self.tags_all, self.tags_any, self.organization)

    @property
    def none(self) -> bool:
        """Whether nothing is filtered."""
        return all(value is None for value in self.parameters)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a contact must satisfy; None filters nothing. Last contact: from `after` on, before `before`."""

    min_strength: int | None
    after: datetime | None
    before: datetime | None
    ties: TieFilters


def read_filters(request: pb.ListContactsRequest | pb.SearchContactsRequest) -> Filters:
    """Checks a request's filters. Raises InvalidArgument naming the one that is malformed."""
    if not 0 <= request.min_relationship_strength <= STRONGEST:
        raise InvalidArgument([Violation("min_relationship_strength", f"must be 1 to {STRONGEST}, or 0 for any")])
    return Filters(
        min_strength=request.min_relationship_strength or None,
        after=time_value(request, "last_contact_after"),
        before=time_value(request, "last_contact_before"),
        ties=read_ties(request),
    )


def read_ties(
    request: pb.ListContactsRequest | pb.SearchContactsRequest | transfer_pb.ExportContactsRequest,
) -> TieFilters:
    """Checks a request's filters by tags and organization. Raises InvalidArgument naming each bad id."""
    return TieFilters(
        tags_all=_tags(request.tag_ids_all, "tag_ids_all"),
        tags_any=_tags(request.tag_ids_any, "tag_ids_any"),
        organization=uuid_value(request.organization_id, "organization_id") if request.organization_id else None,
    )


def _tags(ids: Sequence[str], field: str) -> list[uuid.UUID] | None:
    return list(dict.fromkeys(uuid_list(ids, field, TAGS_LIMIT))) if ids else None
