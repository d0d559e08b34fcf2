"""OrganizationService: create, read, list, change, delete and bring back organizations."""

from __future__ import annotations

import unicodedata
import uuid
from pathlib import Path

from pmcrm.contacts.v1 import organization_service_pb2 as pb
from pmcrm.contacts.v1.organization_pb2 import Organization

from services.contacts import organization_limits as limits
from services.contacts.organization_record import WRITABLE, normal_domain, to_organization, to_record
from shared import queries
from shared.caller import caller
from shared.database import Transaction, bound_tenant
from shared.errors import AlreadyExists, InvalidArgument, NotFound, Violation
from shared.etags import check_etag, etag_mismatch, expected_revision
from shared.fields import uuid_field, uuid_value
from shared.layers import Context
from shared.masks import check_mask, masked, replace, update_paths
from shared.pages import ordering
from shared.server import Runtime
from shared.text import text_problem

QUERIES = queries.load(Path(__file__).parent / "queries")

ORDERS = ("name", "create_time", "update_time")
SEARCHED_TEXT = 1000


class Organizations:
    """The calls of pmcrm.contacts.v1.OrganizationService that keep organizations."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database
        self._page_tokens = runtime.page_tokens
        self._grace_days = runtime.settings.delete_grace_days

    async def CreateOrganization(self, request: pb.CreateOrganizationRequest, context: Context) -> Organization:
        """Creates an organization; another one may have its name."""
        record = to_record(request.organization, "organization")

        async def effect(tx: Transaction) -> Organization:
            created: uuid.UUID = await tx.fetchval(QUERIES["create_organization"], record)
            return await self._organization(tx, created)

        return await self._database.mutate(request, Organization, effect)

    async def GetOrganization(self, request: pb.GetOrganizationRequest, context: Context) -> Organization:
        """Returns one organization, deleted or not; NOT_FOUND if the tenant has none with this id."""
        organization_id = uuid_field(request, "id")
        check_mask(Organization, request.read_mask)
        async with self._database.reading() as tx:
            organization = await self._organization(tx, organization_id)
        return masked(organization, request.read_mask)

    async def ListOrganizations(
        self, request: pb.ListOrganizationsRequest, context: Context
    ) -> pb.ListOrganizationsResponse:
        """Lists living organizations, a page at a time, filtered and in the order asked for."""
        order, descending = ordering(request.order_by, ORDERS, default="name")
        check_mask(Organization, request.read_mask)
        tenant = bound_tenant(caller.get())
        page = self._page_tokens.read(request, tenant)
        filters = (request.show_deleted, *read_filters(request))
        query = QUERIES[f"list_organizations_by_{order}{'_desc' if descending else ''}"]
        position, last_id = page.after or (None, None)
        async with self._database.snapshot() as tx:
            # One row more than the page holds tells whether there is another page.
            rows = await tx.fetch(query, position, last_id, page.size + 1, page.skip, *filters)
            shown = rows[: page.size]
            organizations = await self._organizations(tx, [row["id"] for row in shown])
            total = await tx.fetchval(QUERIES["count_organizations"], *filters) if request.include_total_size else 0
        response = pb.ListOrganizationsResponse(
            organizations=[masked(organization, request.read_mask) for organization in organizations], total_size=total
        )
        if len(rows) > page.size:
            last = shown[-1]
            response.next_page_token = self._page_tokens.seal(request, tenant, [last["position"], str(last["id"])])
        return response

    async def UpdateOrganization(self, request: pb.UpdateOrganizationRequest, context: Context) -> Organization:
        """Changes the fields that the mask names; NOT_FOUND or ETAG_MISMATCH."""
        organization_id = uuid_value(request.organization.id, "organization.id")
        paths = update_paths(request.organization, request.update_mask, WRITABLE)

        async def effect(tx: Transaction) -> Organization:
            if await tx.fetchrow(QUERIES["lock_organization"], organization_id) is None:
                raise organization_not_found(organization_id)
            current = await self._organization(tx, organization_id)
            check_etag(request.organization.etag, current.etag)
            if not paths:
                return current
            changed = Organization()
            changed.CopyFrom(current)
            replace(changed, request.organization, paths)
            await tx.fetch(QUERIES["update_organization"], organization_id, to_record(changed, "organization"))
            return await self._organization(tx, organization_id)

        return await self._database.mutate(request, Organization, effect)

    async def DeleteOrganization(self, request: pb.DeleteOrganizationRequest, context: Context) -> Organization:
        """Deletes an organization until it is purged, and hides its employments; NOT_FOUND when it is gone already,
        unless allow_missing; ETAG_MISMATCH."""
        organization_id = uuid_field(request, "id")

        async def effect(tx: Transaction) -> Organization:
            revision = expected_revision(request.etag)
            deleted = await tx.fetchrow(QUERIES["delete_organization"], organization_id, revision)
            found = await self._organizations(tx, [organization_id])
            if deleted is None and found and not found[0].HasField("delete_time"):
                raise etag_mismatch()
            if deleted is None and not request.allow_missing:
                raise organization_not_found(organization_id)
            return found[0] if found else Organization()

        return await self._database.mutate(request, Organization, effect)

    async def UndeleteOrganization(self, request: pb.UndeleteOrganizationRequest, context: Context) -> Organization:
        """Brings a deleted organization back; ORGANIZATION_NOT_DELETED when it lives, ETAG_MISMATCH."""
        organization_id = uuid_field(request, "id")

        async def effect(tx: Transaction) -> Organization:
            revision = expected_revision(request.etag)
            restored = await tx.fetchrow(QUERIES["undelete_organization"], organization_id, revision)
            organization = await self._organization(tx, organization_id)
            if restored is None and not organization.HasField("delete_time"):
                raise AlreadyExists(
                    "ORGANIZATION_NOT_DELETED",
                    f"organization {organization_id} is not deleted",
                    id=str(organization_id),
                )
            if restored is None:
                raise etag_mismatch()
            return organization

        return await self._database.mutate(request, Organization, effect)

    async def _organization(self, tx: Transaction, organization_id: uuid.UUID) -> Organization:
        found = await self._organizations(tx, [organization_id])
        if not found:
            raise organization_not_found(organization_id)
        return found[0]

    async def _organizations(self, tx: Transaction, ids: list[uuid.UUID]) -> list[Organization]:
        """Those of the organizations that there are, in the order of their ids."""
        rows = {row["id"]: row for row in await tx.fetch(QUERIES["get_organizations"], ids)}
        return [to_organization(rows[str(each)], self._grace_days) for each in ids if str(each) in rows]


def read_filters(request: pb.ListOrganizationsRequest) -> tuple[list[str] | None, str | None]:
    """The words and the domain that a list is filtered by, None for no filter. Raises InvalidArgument."""
    problem = text_problem(request.text, SEARCHED_TEXT)
    bad = [] if problem is None else [Violation("text", problem)]
    domain = None
    if request.domain:
        fits = len(request.domain) <= limits.LINE
        domain = normal_domain(request.domain.strip()) if fits else None
        if domain is None:
            bad.append(Violation("domain", "must be an internet domain such as example.org"))
    if bad:
        raise InvalidArgument(bad)
    # Stored texts are in NFC; syllables that are written in parts would not be found in them.
    return unicodedata.normalize("NFC", request.text).split() or None, domain


def organization_not_found(organization_id: uuid.UUID) -> NotFound:
    """What a caller hears about an organization that its tenant does not have, whoever else may have it."""
    return NotFound("ORGANIZATION_NOT_FOUND", f"no organization {organization_id}", id=str(organization_id))
