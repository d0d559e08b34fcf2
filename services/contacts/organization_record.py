"""An Organization message as the columns of table organizations, checked and normalised, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from pmcrm.contacts.v1.organization_pb2 import Enrichment, Organization

from services.contacts import organization_limits as limits
from shared.custom_fields import custom_fields_json
from shared.emails import normal_email
from shared.name_keys import name_key
from shared.text import checked_line, checked_text
from shared.violations import Violations

_LINES = {"website": limits.WEBSITE, "industry": limits.LINE, "location": limits.LINE}
_TEXTS = ("description", "notes")

WRITABLE = frozenset({"name", "aliases", "domains", *_LINES, *_TEXTS, "custom_fields", "enrichments"})
OUTPUT_ONLY = frozenset(
    {
        *("id", "current_contact_count", "former_contact_count"),
        *("create_time", "update_time", "delete_time", "purge_time", "etag"),
    }
)


def to_record(organization: Organization, path: str) -> dict[str, Any]:
    """The columns of an organization, and its `name_key`; None for what it does not have.

    path: how the request names the organization, for violations.
    Raises InvalidArgument with every field that breaks a rule.
    """
    violations = Violations()
    name = _required(organization.name, f"{path}.name", limits.NAME, violations)
    record: dict[str, Any] = {"name": name, "name_key": name_key(name)}
    for field, limit in _LINES.items():
        record[field] = checked_line(getattr(organization, field), f"{path}.{field}", limit, violations) or None
    for field in _TEXTS:
        record[field] = checked_text(getattr(organization, field), f"{path}.{field}", limits.TEXT, violations) or None
    record["aliases"] = _aliases(organization.aliases, f"{path}.aliases", violations)
    record["domains"] = _domains(organization.domains, f"{path}.domains", violations)
    record["custom_fields"] = custom_fields_json(organization.custom_fields, f"{path}.custom_fields", violations)
    record["enrichments"] = _enrichments(organization.enrichments, f"{path}.enrichments", violations)
    violations.raise_if_any()
    return record


def to_organization(row: Mapping[str, Any], grace_days: int) -> Organization:
    """The message of a row of get_organizations, whose columns are named as the fields of Organization.

    grace_days: how long after its deletion an organization is purged; the source of purge_time.
    """
    fields = {name: value for name, value in row.items() if value is not None}
    enrichments = fields.pop("enrichments", ())
    organization = Organization(**fields)
    for stored in enrichments:
        enrichment = organization.enrichments.add(source=stored["source"])
        enrichment.fetch_time.FromJsonString(stored["fetch_time"])
        enrichment.data.update(stored["data"])
    if row["delete_time"] is not None:
        organization.purge_time.FromDatetime(row["delete_time"] + timedelta(days=grace_days))
    return organization


def normal_domain(value: str) -> str | None:
    """The domain as it is stored: lower-cased, an internationalised one in Unicode. None when it is none."""
    if "@" in value or value.startswith("["):  # parts of an address, and the literal that may stand in one
        return None
    address = normal_email(f"a@{value}")
    return None if address is None else address.removeprefix("a@")


def _required(value: str, field: str, limit: int, violations: Violations) -> str:
    if not value or value.isspace():
        violations.add(field, "must not be empty")
        return ""
    return checked_line(value, field, limit, violations)


def _fits(given: Sequence[Any], field: str, violations: Violations) -> bool:
    if len(given) > limits.LIST:
        violations.add(field, f"must have at most {limits.LIST} entries")
    return len(given) <= limits.LIST


def _aliases(given: Sequence[str], field: str, violations: Violations) -> list[str] | None:
    if not _fits(given, field, violations):
        return None
    aliases = [_required(value, f"{field}[{i}]", limits.LINE, violations) for i, value in enumerate(given)]
    return list(dict.fromkeys(aliases)) or None


def _domains(given: Sequence[str], field: str, violations: Violations) -> list[str] | None:
    if not _fits(given, field, violations):
        return None
    domains: dict[str, None] = {}
    for i, value in enumerate(given):
        line = _required(value, f"{field}[{i}]", limits.LINE, violations)
        domain = normal_domain(line) if line else ""
        if domain is None or len(domain) > limits.LINE:
            violations.add(f"{field}[{i}]", "must be an internet domain such as example.org")
        else:
            domains[domain] = None
    return list(domains) or None


def _enrichments(given: Sequence[Enrichment], field: str, violations: Violations) -> list[dict[str, Any]] | None:
    """One of each source, where its first one stands: the newest, and of those that are equally new the last."""
    if not _fits(given, field, violations):
        return None
    newest: dict[str, tuple[int, dict[str, Any]]] = {}
    written = Timestamp()
    written.FromDatetime(datetime.now(UTC))
    for i, enrichment in enumerate(given):
        where = f"{field}[{i}]"
        source = _required(enrichment.source, f"{where}.source", limits.LINE, violations)
        time = enrichment.fetch_time if enrichment.HasField("fetch_time") else written
        found_before = len(violations.found)
        data = custom_fields_json(enrichment.data, f"{where}.data", violations)
        if data is None and len(violations.found) == found_before:
            violations.add(f"{where}.data", "must not be empty")
        try:
            stored = {"source": source, "fetch_time": time.ToJsonString(), "data": data}
        except ValueError:
            violations.add(f"{where}.fetch_time", "must be a time in the years 1 to 9999")
            continue
        if source not in newest or newest[source][0] <= time.ToNanoseconds():
            newest[source] = (time.ToNanoseconds(), stored)
    return [stored for _, stored in newest.values()] or None
