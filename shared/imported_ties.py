"""Checks what an imported record says of tags, organizations and other contacts: what breaks a rule is left out."""

from __future__ import annotations

import uuid

from shared.contact_ties import NO_TIES, TAG_NAME, Employment, Relation
from shared.imported_record import ImportedRecord, LeftOut
from shared.partial_date import NO_DATE, DateParts
from shared.text import checked_line, checked_text
from shared.violations import Violations

_LINE = 200  # characters of an organization's name and of an employment's texts of one line
_LABEL = 100
_NOTES = 10_000


def with_checked_ties(record: ImportedRecord) -> ImportedRecord:
    """The record with its categories and ties in the form in which they are stored."""
    if not record.categories and record.ties == NO_TIES:
        return record
    names, of_names = checked_names(record.categories)
    employments, of_employments = checked_employments(record.ties.employments)
    relations, of_relations = checked_relations(record.ties.relations)
    if not record.ties.has_history:
        of_employments = []  # a card's text is its contact's as well, and named there
    return record._replace(
        categories=names,
        ties=record.ties._replace(employments=employments, relations=relations),
        left_out=(*record.left_out, *of_names, *of_employments, *of_relations),
    )


def checked_employments(found: tuple[Employment, ...]) -> tuple[tuple[Employment, ...], list[LeftOut]]:
    """The employments in the form in which they are stored, and what breaks a rule and is left out."""
    kept: list[Employment] = []
    left_out: list[LeftOut] = []
    for employment in found:
        violations = Violations()
        organization = checked_line(employment.organization, "organization", _LINE, violations)
        checked = employment._replace(
            organization=organization,
            job_title=checked_line(employment.job_title, "job_title", _LINE, violations),
            department=checked_line(employment.department, "department", _LINE, violations),
            location=checked_line(employment.location, "location", _LINE, violations),
            notes=checked_text(employment.notes, "notes", _NOTES, violations),
        )
        if checked.end != NO_DATE and (checked.is_current or _is_before(checked.end, checked.start)):
            violations.add("end_date", "must not be before the start, nor go with an employment that goes on")
            checked = checked._replace(end=NO_DATE)
        left_out += _left_out("employments", violations)
        if organization:
            kept.append(checked)
    return tuple(kept), left_out


def checked_relations(found: tuple[Relation, ...]) -> tuple[tuple[Relation, ...], list[LeftOut]]:
    """The relations in the form in which they are stored, each once, and what breaks a rule and is left out."""
    kept: dict[tuple[str, str, uuid.UUID | None], Relation] = {}
    left_out: list[LeftOut] = []
    for relation in found:
        violations = Violations()
        checked = relation._replace(
            label=checked_line(relation.label, "label", _LABEL, violations),
            notes=checked_text(relation.notes, "notes", _NOTES, violations),
        )
        left_out += _left_out("links", violations)
        kept.setdefault((checked.type, checked.uid, checked.contact_id), checked)
    return tuple(kept.values()), left_out


def checked_names(categories: tuple[str, ...]) -> tuple[tuple[str, ...], list[LeftOut]]:
    """The names of tags in the form in which they are stored, and those that break a rule."""
    violations = Violations()
    names = (checked_line(name, "name", TAG_NAME, violations) for name in categories)
    return tuple(dict.fromkeys(filter(None, names))), _left_out("tags", violations)


def _is_before(one: DateParts, other: DateParts) -> bool:
    """Whether a date is before another as far as both are known."""
    for first, second in zip(one, other, strict=True):
        if not first or not second:
            return False
        if first != second:
            return first < second
    return False


def _left_out(what: str, violations: Violations) -> list[LeftOut]:
    return [
        LeftOut(f"{what}.{violation.field}", "IMPORT_VALUE_LEFT_OUT", violation.description)
        for violation in violations.found
    ]
