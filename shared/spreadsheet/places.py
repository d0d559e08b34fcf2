"""Where a column's values go in a contact."""

from __future__ import annotations

from typing import NamedTuple

from shared import contact_limits as limits

LISTS = frozenset({"emails", "phones", "addresses", "urls", "im_handles"})
TEXTS = frozenset(
    {
        *("given_name", "family_name", "additional_names", "honorific_prefixes", "honorific_suffixes", "nickname"),
        *("phonetic_given_name", "phonetic_family_name", "display_name", "organization_name", "job_title", "notes"),
        *("source_uid", "photo_uri"),
    }
)
DATES = frozenset({"birthday", "anniversary"})
DATE_PARTS = frozenset({"year", "month", "day"})
ADDRESS_PARTS = frozenset(
    {"street", "extended_address", "po_box", "locality", "region", "postal_code", "country", "country_code"}
)


class Place(NamedTuple):
    """A place in a contact.

    field: a field of Contact, or what has its place beside it: `department` (of organization_name), `organization`
        (a further one), `employments`, `links`.
    part: of a date or of a list's entry (`value`, `label`, `street`, …); of custom_fields, the key.
    entry: which entry of a list: columns with the same one fill the same entry.
    label: the entry's label, where no column says it.
    separator: what stands between several values in one cell; '' where there is one.
    """

    field: str
    part: str = ""
    entry: str = ""
    label: str = ""
    separator: str = ""

    @property
    def name(self) -> str:
        """What the place is called for people and in hashes, such as `addresses.home.street`."""
        return ".".join(filter(None, (self.field, self.entry, self.label, self.part)))


def place_of(target: str, column: str) -> Place | None:
    """The place that a target of csv_mapping names, such as `emails.work`; None when there is none.

    column: the column's name. Each column makes an entry of a list, but for parts of addresses: those with the same
    label are one address.
    """
    field, dot, rest = target.partition(".")
    if not dot:
        return _undotted(field, column)
    if not rest:
        return None
    if field == "custom_fields":
        return Place(field, part=rest)
    if field in DATES and rest in DATE_PARTS:
        return Place(field, part=rest)
    if field not in LISTS:
        return None
    label, dot, part = rest.rpartition(".")
    if field == "addresses" and dot and part in ADDRESS_PARTS:
        return Place(field, part, label, label) if len(label) <= limits.LABEL else None
    return Place(field, "value", column, rest) if len(rest) <= limits.LABEL else None


def _undotted(field: str, column: str) -> Place | None:
    if field == "tags":
        return Place(field, separator=",")
    if field in TEXTS or field in DATES:
        return Place(field)
    return Place(field, "value", column) if field in LISTS else None
