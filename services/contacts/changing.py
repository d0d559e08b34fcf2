"""UpdateContact: what its request makes of the contact that is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_pb2 import Contact

from shared.contact_record import columns_of, has_composed_name, to_record
from shared.masks import replace

# Columns that a row of contact_rows has under the names of the fields.
FIELD_OF_COLUMN = {"source_created_at": "source_create_time", "source_updated_at": "source_update_time"}


def changed_record(
    request: pb.UpdateContactRequest, row: Mapping[str, Any], current: Contact, paths: Sequence[str], region: str
) -> dict[str, Any]:
    """The columns of the contact as the update leaves it, and its `relationship_strength`. Raises InvalidArgument.

    row, current: the stored contact, as a row of contact_rows and as a message.
    paths: what the update writes; every other column keeps its value, even one that today's rules would read anew,
    such as a phone number typed when the tenant had no region.
    region: where phone numbers without a country code are read.
    """
    changed = Contact()
    changed.CopyFrom(current)
    replace(changed, request.contact, paths)
    named = "display_name" in request.update_mask.paths
    if not named and has_composed_name(row) and changed.display_name == current.display_name:
        # A composed name follows its parts.
        changed.display_name = ""
    record = to_record(changed, default_region=region, path="contact")
    written = columns_of(paths) | {"relationship_strength"}
    return {
        column: value if column in written else row[FIELD_OF_COLUMN.get(column, column)]
        for column, value in record.items()
    }


def pins(request: pb.UpdateContactRequest, current: Contact, paths: Sequence[str]) -> bool:
    """Whether the update sets the strength by hand, or releases it.

    A caller that sends back a whole contact without naming the strength does not mean to pin the computed one.
    """
    if "relationship_strength" not in paths:
        return False
    named = "relationship_strength" in request.update_mask.paths
    return named or request.contact.relationship_strength != current.relationship_strength
