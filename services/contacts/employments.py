"""OrganizationService: who works or worked in the organizations, and as what."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

from pmcrm.contacts.v1 import organization_service_pb2 as pb
from pmcrm.contacts.v1.employment_pb2 import Employment

from services.contacts.employment_record import FIXED, WRITABLE, to_employment, to_record
from services.contacts.organization_limits import EMPLOYMENTS_OF_A_CONTACT
from services.contacts.organizations import organization_not_found
from shared import queries
from shared.caller import caller, parse_uuid
from shared.database import Transaction, bound_tenant
from shared.errors import FailedPrecondition, InvalidArgument, NotFound, Violation
from shared.etags import check_etag, etag_mismatch, expected_revision
from shared.fields import UUID_WANTED, uuid_field, uuid_value
from shared.layers import Context
from shared.living_contacts import contact_not_found, hold_contacts, processing_restricted
from shared.masks import check_mask, masked, replace, update_paths
from shared.pages import Page, ordering
from shared.server import Runtime

QUERIES = queries.load(Path(__file__).parent / "queries")

ORDERS = ("start_date", "create_time")
LATEST_FIRST = "start_date desc"
# Whether those listed are current; None for either.
TENSES = {pb.EMPLOYMENT_TENSE_UNSPECIFIED: None, pb.EMPLOYMENT_TENSE_CURRENT: True, pb.EMPLOYMENT_TENSE_FORMER: False}


@dataclass(frozen=True, slots=True)
class Listing:
    """A checked ListEmployments request; None filters nothing."""

    query: queries.Query
    page: Page
    contact_id: uuid.UUID | None
    organization_id: uuid.UUID | None
    current: bool | None


class Employments:
    """The calls of pmcrm.contacts.v1.OrganizationService that keep employments."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database
        self._page_tokens = runtime.page_tokens
        self._grace_days = runtime.settings.delete_grace_days

    async def AddEmployment(self, request: pb.AddEmploymentRequest, context: Context) -> Employment:
        """Records an employment; CONTACT_NOT_FOUND, ORGANIZATION_NOT_FOUND, PROCESSING_RESTRICTED, LIMIT_REACHED."""
        contact_id, organization_id = _named(request.employment)
        record = to_record(request.employment, "employment")

        async def effect(tx: Transaction) -> Employment:
            held = await hold_contacts(tx, [contact_id])
            # Held too, so that whoever deletes the organization waits for this employment and hides it with the others.
            if await tx.fetchrow(QUERIES["hold_organization"], organization_id) is None:
                raise organization_not_found(organization_id)
            await _check_room(tx, held[contact_id])
            added: uuid.UUID = await tx.fetchval(QUERIES["add_employment"], held[contact_id], organization_id, record)
            return await self._employment(tx, added)

        return await self._database.mutate(request, Employment, effect)

    async def UpdateEmployment(self, request: pb.UpdateEmploymentRequest, context: Context) -> Employment:
        """Changes the fields that the mask names; NOT_FOUND or ETAG_MISMATCH, FIELD_INVALID when it would move."""
        employment_id = uuid_value(request.employment.id, "employment.id")
        paths = update_paths(request.employment, request.update_mask, WRITABLE | FIXED)

        async def effect(tx: Transaction) -> Employment:
            if await tx.fetchrow(QUERIES["lock_employment"], employment_id) is None:
                raise employment_not_found(employment_id)
            current = await self._employment(tx, employment_id)
            check_etag(request.employment.etag, current.etag)
            await _check_stays(tx, request, current, FIXED.intersection(paths))
            written = [path for path in paths if path not in FIXED]
            if not written:
                return current
            changed = Employment()
            changed.CopyFrom(current)
            replace(changed, request.employment, written)
            await tx.fetch(QUERIES["update_employment"], employment_id, to_record(changed, "employment"))
            return await self._employment(tx, employment_id)

        return await self._database.mutate(request, Employment, effect)

    async def RemoveEmployment(self, request: pb.RemoveEmploymentRequest, context: Context) -> Employment:
        """Removes an employment; NOT_FOUND when it is gone already, unless allow_missing; ETAG_MISMATCH."""
        employment_id = uuid_field(request, "id")

        async def effect(tx: Transaction) -> Employment:
            revision = expected_revision(request.etag)
            removed = await tx.fetchrow(QUERIES["remove_employment"], employment_id, revision)
            found = await self._employments(tx, [employment_id])
            if removed is None and found and not found[0].HasField("delete_time"):
                raise etag_mismatch()
            if removed is None and not request.allow_missing:
                raise employment_not_found(employment_id)
            return found[0] if found else Employment()

        return await self._database.mutate(request, Employment, effect)

    async def ListEmployments(self, request: pb.ListEmploymentsRequest, context: Context) -> pb.ListEmploymentsResponse:
        """Lists the employments of a contact, in an organization, or of one in the other; CONTACT_NOT_FOUND,
        ORGANIZATION_NOT_FOUND, PROCESSING_RESTRICTED."""
        tenant = bound_tenant(caller.get())
        wanted = _read(request, self._page_tokens.read(request, tenant))
        page = wanted.page
        async with self._database.snapshot() as tx:
            contact_id = await _listed_contact(tx, wanted.contact_id)
            await _check_organization(tx, wanted.organization_id)
            filters = (contact_id, wanted.organization_id, request.show_deleted, wanted.current)
            # One row more than the page holds tells whether there is another page.
            rows = await tx.fetch(wanted.query, *filters, *(page.after or (None, None)), page.size + 1, page.skip)
            shown = rows[: page.size]
            employments = await self._employments(tx, [row["id"] for row in shown])
            total = await tx.fetchval(QUERIES["count_employments"], *filters) if request.include_total_size else 0
        response = pb.ListEmploymentsResponse(
            employments=[masked(employment, request.read_mask) for employment in employments], total_size=total
        )
        if len(rows) > page.size:
            last = shown[-1]
            response.next_page_token = self._page_tokens.seal(request, tenant, [last["position"], str(last["id"])])
        return response

    async def _employment(self, tx: Transaction, employment_id: uuid.UUID) -> Employment:
        found = await self._employments(tx, [employment_id])
        if not found:
            raise employment_not_found(employment_id)
        return found[0]

    async def _employments(self, tx: Transaction, ids: list[uuid.UUID]) -> list[Employment]:
        """Those of the employments that there are, in the order of their ids."""
        rows = {row["id"]: row for row in await tx.fetch(QUERIES["get_employments"], ids)}
        return [to_employment(rows[str(each)], self._grace_days) for each in ids if str(each) in rows]


def employment_not_found(employment_id: uuid.UUID) -> NotFound:
    """What a caller hears about an employment that its tenant does not have, whoever else may have it."""
    return NotFound("EMPLOYMENT_NOT_FOUND", f"no employment {employment_id}", id=str(employment_id))


def _named(employment: Employment) -> tuple[uuid.UUID, uuid.UUID]:
    """The contact and the organization of a new employment. Raises InvalidArgument naming each that is no UUID."""
    contact_id, organization_id = parse_uuid(employment.contact_id), parse_uuid(employment.organization_id)
    if contact_id is None or organization_id is None:
        read = {"contact_id": contact_id, "organization_id": organization_id}
        raise InvalidArgument([Violation(f"employment.{name}", UUID_WANTED) for name in read if read[name] is None])
    return contact_id, organization_id


async def _check_room(tx: Transaction, contact_id: uuid.UUID) -> None:
    """Raises LIMIT_REACHED when a held contact may have no further employment."""
    if await tx.fetchval(QUERIES["count_employments_of_contact"], contact_id) >= EMPLOYMENTS_OF_A_CONTACT:
        raise FailedPrecondition(
            "LIMIT_REACHED",
            f"contact {contact_id} has {EMPLOYMENTS_OF_A_CONTACT} employments, as many as one may have",
            id=str(contact_id),
            limit="employments of a contact",
        )


async def _check_stays(
    tx: Transaction, request: pb.UpdateEmploymentRequest, current: Employment, named: frozenset[str]
) -> None:
    """Raises InvalidArgument when an update would move the employment to another contact or organization.

    An id that `*` alone covers may be left empty: a full replacement need not repeat what is fixed.
    """
    bad = []
    for field in sorted(named):
        given, stored = getattr(request.employment, field), getattr(current, field)
        if not given and field not in request.update_mask.paths:
            continue
        parsed = parse_uuid(given)
        if parsed is None:
            bad.append(Violation(f"employment.{field}", UUID_WANTED))
            continue
        if field == "contact_id" and str(parsed) != stored:
            found = await tx.fetchrow(QUERIES["find_employed_contact"], parsed)
            parsed = parsed if found is None else found["id"]
        if str(parsed) != stored:
            bad.append(Violation(f"employment.{field}", "is fixed: remove the employment and add another one"))
    if bad:
        raise InvalidArgument(bad)


def _read(request: pb.ListEmploymentsRequest, page: Page) -> Listing:
    """Checks a request. Raises InvalidArgument."""
    order, descending = ordering(request.order_by or LATEST_FIRST, ORDERS, default="start_date")
    check_mask(Employment, request.read_mask)
    if not request.contact_id and not request.organization_id:
        raise InvalidArgument([Violation("contact_id", "must be given when organization_id is not")])
    if request.tense not in TENSES:
        raise InvalidArgument([Violation("tense", "must be one of the tenses")])
    return Listing(
        query=QUERIES[f"list_employments_by_{order}{'_desc' if descending else ''}"],
        page=page,
        contact_id=uuid_field(request, "contact_id") if request.contact_id else None,
        organization_id=uuid_field(request, "organization_id") if request.organization_id else None,
        current=TENSES[request.tense],
    )


async def _listed_contact(tx: Transaction, contact_id: uuid.UUID | None) -> uuid.UUID | None:
    """The contact that the id stands for, deleted or not. Raises CONTACT_NOT_FOUND or PROCESSING_RESTRICTED."""
    if contact_id is None:
        return None
    found = await tx.fetchrow(QUERIES["find_employed_contact"], contact_id)
    if found is None:
        raise contact_not_found(contact_id)
    if found["processing_restricted"]:
        raise processing_restricted(contact_id)
    stands_for: uuid.UUID = found["id"]
    return stands_for


async def _check_organization(tx: Transaction, organization_id: uuid.UUID | None) -> None:
    if organization_id is not None and await tx.fetchrow(QUERIES["find_organization"], organization_id) is None:
        raise organization_not_found(organization_id)
