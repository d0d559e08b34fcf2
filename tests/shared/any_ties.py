"""Any tags, employments and ties that the API accepts: strategies with nasty texts among them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from shared.contact_ties import REVERSE, SYMMETRIC, Employment, Relation
from shared.imported_ties import checked_employments, checked_relations
from shared.partial_date import NO_DATE, DateParts
from tests.shared.any_contact import DATES, line, text

DATE_PARTS = st.just(NO_DATE) | DATES.map(lambda date: DateParts(*(date.get(p) for p in ("year", "month", "day"))))
# No two that are the same but for case and accents: they are sorted by their ids.
TAGS = st.lists(
    st.sampled_from(["friends", "a, b", "Ünïcode; \\", "李", "'quoted' \"twice\"", "tag:x=1", "item1.", "é"]),
    unique=True,
    max_size=4,
)
ORGANIZATIONS = st.sampled_from(
    ["Example", "a, b; c \\ Ltd", "李样本", '"Quoted" :: Inc', "Ö'Neil & Söhne", "* x", "null"]
)
TYPES = st.sampled_from(sorted(SYMMETRIC | REVERSE.keys()))


def _employment(values: dict[str, Any]) -> Employment:
    if values["is_current"]:
        values["end"] = NO_DATE
    return checked_employments((Employment(**values),))[0][0]


EMPLOYMENTS = st.fixed_dictionaries(
    {
        "organization": ORGANIZATIONS,
        "job_title": line(200),
        "department": line(200),
        "location": line(200),
        "start": DATE_PARTS,
        "end": DATE_PARTS,
        "is_current": st.booleans(),
        "notes": text(300),
    }
).map(_employment)


def _relation(values: dict[str, Any]) -> Relation:
    return checked_relations((Relation(uid="x", **values),))[0][0]


# To a contact that is known by its place in a list.
RELATIONS = st.fixed_dictionaries(
    {
        "type": TYPES,
        "label": line(100) | st.sampled_from(["emergency", "Emergency", "agent", "friend", "x-other"]),
        "start": DATE_PARTS,
        "notes": text(300),
    }
).map(_relation)
