"""No call of OrganizationService shows, changes or betrays another tenant's rows.

Beside each denial stands the same call by the owner, so that a call that always fails proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import Message
from pmcrm.contacts.v1 import organization_service_pb2 as pb
from pmcrm.contacts.v1.employment_pb2 import Employment
from pmcrm.contacts.v1.organization_pb2 import Organization

from services.contacts.organization_service import OrganizationService
from tests.postgres import Connection
from tests.services.contacts.calls import mask, random_id
from tests.services.contacts.organization_calls import Firms
from tests.services.contacts.test_isolation import built, everything_of, outcome, without
from tests.suite import Client, Metadata, failure, new_request_id, tenant_of

# Each call that names an organization by its id; those on a deleted one are marked by name.
ON_AN_ORGANIZATION: dict[str, Callable[[str], Message]] = {
    "GetOrganization": lambda row_id: pb.GetOrganizationRequest(id=row_id),
    "GetOrganization with a mask": lambda row_id: pb.GetOrganizationRequest(id=row_id, read_mask=mask("id")),
    "UpdateOrganization": lambda row_id: pb.UpdateOrganizationRequest(
        organization=Organization(id=row_id, notes="mine")
    ),
    "UpdateOrganization with an etag": lambda row_id: pb.UpdateOrganizationRequest(
        organization=Organization(id=row_id, notes="mine", etag="1")
    ),
    "UpdateOrganization with a stale etag": lambda row_id: pb.UpdateOrganizationRequest(
        organization=Organization(id=row_id, notes="mine", etag="77")
    ),
    "UpdateOrganization of nothing": lambda row_id: pb.UpdateOrganizationRequest(organization=Organization(id=row_id)),
    "UpdateOrganization of what is bad": lambda row_id: pb.UpdateOrganizationRequest(
        organization=Organization(id=row_id, domains=["?"])
    ),
    "UpdateOrganization by request_id": lambda row_id: pb.UpdateOrganizationRequest(
        organization=Organization(id=row_id, notes="mine"), request_id=new_request_id()
    ),
    "DeleteOrganization": lambda row_id: pb.DeleteOrganizationRequest(id=row_id),
    "DeleteOrganization with a stale etag": lambda row_id: pb.DeleteOrganizationRequest(id=row_id, etag="77"),
    "UndeleteOrganization": lambda row_id: pb.UndeleteOrganizationRequest(id=row_id),
    "UndeleteOrganization of a deleted one": lambda row_id: pb.UndeleteOrganizationRequest(id=row_id),
    "ListEmployments": lambda row_id: pb.ListEmploymentsRequest(organization_id=row_id),
    "ListEmployments of a deleted one": lambda row_id: pb.ListEmploymentsRequest(
        organization_id=row_id, show_deleted=True
    ),
}

ON_AN_EMPLOYMENT: dict[str, Callable[[str], Message]] = {
    "UpdateEmployment": lambda row_id: pb.UpdateEmploymentRequest(employment=Employment(id=row_id, notes="mine")),
    "UpdateEmployment with a stale etag": lambda row_id: pb.UpdateEmploymentRequest(
        employment=Employment(id=row_id, notes="mine", etag="77")
    ),
    "UpdateEmployment of nothing": lambda row_id: pb.UpdateEmploymentRequest(employment=Employment(id=row_id)),
    "UpdateEmployment of its contact": lambda row_id: pb.UpdateEmploymentRequest(
        employment=Employment(id=row_id, contact_id=random_id())
    ),
    "RemoveEmployment": lambda row_id: pb.RemoveEmploymentRequest(id=row_id),
    "RemoveEmployment with a stale etag": lambda row_id: pb.RemoveEmploymentRequest(id=row_id, etag="77"),
}

# Calls that are tried further below.
BY_OTHER_IDS = {"CreateOrganization", "ListOrganizations", "AddEmployment"}


@pytest.fixture
def firms(client: Client, alice: Metadata) -> Firms:
    return Firms(client, alice)


@pytest.fixture
def his(client: Client, bob: Metadata) -> Firms:
    return Firms(client, bob)


def test_every_call_that_is_built_is_tried_here() -> None:
    tried = {name.split()[0] for name in (*ON_AN_ORGANIZATION, *ON_AN_EMPLOYMENT)} | BY_OTHER_IDS
    assert built(pb, "OrganizationService", OrganizationService) == tried


async def send(firms: Firms, request: Message) -> Any:
    name = type(request).__name__.removesuffix("Request")
    return await getattr(firms.stub, name)(request, metadata=firms.tenant)


async def denied_alike(his: Firms, request: Callable[[str], Message], foreign_id: str) -> str:
    """The reason with which the other tenant is denied a foreign id, to the byte as it is denied a random one."""
    nobody = random_id()
    foreign = await failure(send(his, request(foreign_id)))
    missing = await failure(send(his, request(nobody)))
    assert (foreign.code, foreign.message.replace(foreign_id, nobody)) == (missing.code, missing.message)
    assert without(foreign, foreign_id) == without(missing, nobody)
    return foreign.reason


@pytest.mark.parametrize("call", ON_AN_ORGANIZATION)
async def test_another_tenants_organization_is_answered_like_none_at_all(
    firms: Firms, his: Firms, as_superuser: Connection, call: str
) -> None:
    made = await firms.create()
    if call.endswith("deleted one"):
        await firms.delete(made.id)
    before = await everything_of(as_superuser, tenant_of(firms.tenant))
    assert await denied_alike(his, ON_AN_ORGANIZATION[call], made.id) == "ORGANIZATION_NOT_FOUND"
    assert await everything_of(as_superuser, tenant_of(firms.tenant)) == before
    own = await outcome(send(firms, ON_AN_ORGANIZATION[call](made.id)))
    assert own in ("", "ETAG_MISMATCH", "ORGANIZATION_NOT_DELETED", "FIELD_INVALID")


@pytest.mark.parametrize("call", ON_AN_EMPLOYMENT)
async def test_another_tenants_employment_is_answered_like_none_at_all(
    firms: Firms, his: Firms, as_superuser: Connection, call: str
) -> None:
    ada = await firms.book.create(given_name="Ada")
    added = await firms.employ(ada.id, (await firms.create()).id)
    before = await everything_of(as_superuser, tenant_of(firms.tenant))
    assert await denied_alike(his, ON_AN_EMPLOYMENT[call], added.id) == "EMPLOYMENT_NOT_FOUND"
    assert await everything_of(as_superuser, tenant_of(firms.tenant)) == before
    own = await outcome(send(firms, ON_AN_EMPLOYMENT[call](added.id)))
    assert own in ("", "ETAG_MISMATCH", "FIELD_INVALID")


async def test_what_may_be_missing_is_answered_alike(firms: Firms, his: Firms) -> None:
    firm, ada = await firms.create(), await firms.book.create(given_name="Ada")
    added = await firms.employ(ada.id, firm.id, current=True)
    for row_id in (firm.id, random_id()):
        assert await his.delete(row_id, allow_missing=True) == Organization()
    for row_id in (added.id, random_id()):
        assert await his.remove(row_id, allow_missing=True) == Employment()
    assert await firms.counts(firm.id) == (1, 0)


async def test_an_employment_joins_no_contact_or_organization_of_another_tenant(
    firms: Firms, his: Firms, as_superuser: Connection
) -> None:
    hers, her_firm = await firms.book.create(given_name="Ada"), await firms.create()
    own, own_firm = await his.book.create(given_name="Ada"), await his.create()
    tenants = [tenant_of(firms.tenant), tenant_of(his.tenant)]
    before = [await everything_of(as_superuser, tenant) for tenant in tenants]

    def with_contact(row_id: str) -> Message:
        return pb.AddEmploymentRequest(employment=Employment(contact_id=row_id, organization_id=own_firm.id))

    def with_organization(row_id: str) -> Message:
        return pb.AddEmploymentRequest(employment=Employment(contact_id=own.id, organization_id=row_id))

    assert await denied_alike(his, with_contact, hers.id) == "CONTACT_NOT_FOUND"
    assert await denied_alike(his, with_organization, her_firm.id) == "ORGANIZATION_NOT_FOUND"
    await firms.delete(her_firm.id)
    assert await denied_alike(his, with_organization, her_firm.id) == "ORGANIZATION_NOT_FOUND"
    await firms.undelete(her_firm.id)
    assert [await everything_of(as_superuser, tenant) for tenant in tenants][1] == before[1]
    assert (await firms.employ(hers.id, her_firm.id)).contact_id == hers.id
    assert (await his.employ(own.id, own_firm.id)).contact_id == own.id


async def test_an_employment_moves_to_no_contact_or_organization_of_another_tenant(firms: Firms, his: Firms) -> None:
    hers, her_firm = await firms.book.create(given_name="Ada"), await firms.create()
    own, own_firm = await his.book.create(given_name="Ada"), await his.create()
    added = await his.employ(own.id, own_firm.id)
    for field, foreign_id in (("contact_id", hers.id), ("organization_id", her_firm.id)):
        foreign = await failure(his.change(added.id, field, **{field: foreign_id}))
        missing = await failure(his.change(added.id, field, **{field: random_id()}))
        assert (foreign.reason, foreign.status) == ("FIELD_INVALID", missing.status)
    assert await his.change(added.id, "contact_id", contact_id=own.id) == added


async def test_lists_by_another_tenants_contact_are_denied_like_none_at_all(firms: Firms, his: Firms) -> None:
    hers, her_firm = await firms.book.create(given_name="Ada"), await firms.create()
    own, own_firm = await his.book.create(given_name="Ada"), await his.create()
    await firms.employ(hers.id, her_firm.id)
    for others in ({}, {"organization_id": own_firm.id}, {"show_deleted": True}):

        def by_contact(row_id: str, others: dict[str, Any] = others) -> Message:
            return pb.ListEmploymentsRequest(contact_id=row_id, **others)

        assert await denied_alike(his, by_contact, hers.id) == "CONTACT_NOT_FOUND"

    def in_organization(row_id: str) -> Message:
        return pb.ListEmploymentsRequest(contact_id=own.id, organization_id=row_id)

    assert await denied_alike(his, in_organization, her_firm.id) == "ORGANIZATION_NOT_FOUND"
    assert len((await firms.employments(contact_id=hers.id, organization_id=her_firm.id)).employments) == 1


async def test_page_tokens_open_no_other_tenants_lists(firms: Firms, his: Firms) -> None:
    for owner in (firms, his):
        for name in "AB":
            await owner.create(name)
    token = (await firms.page(page_size=1)).next_page_token
    foreign, nonsense = await failure(his.page(page_token=token)), await failure(his.page(page_token=token[::-1]))
    assert (foreign.reason, foreign.status) == ("PAGE_TOKEN_INVALID", nonsense.status)
    assert len((await firms.page(page_token=token)).organizations) == 1


async def seen(firms: Firms) -> list[Any]:
    """What a tenant sees of its organizations and employments, without what differs between any two rows."""
    shown: list[Any] = []
    for order in ("name", "name desc", "create_time", "update_time desc"):
        page = await firms.page(order_by=order, show_deleted=True, include_total_size=True, text="e")
        shown.append(
            (page.total_size, [(each.name, each.etag, each.current_contact_count) for each in page.organizations])
        )
    for firm in (await firms.page(show_deleted=True)).organizations:
        for order in ("start_date", "create_time desc"):
            listed = await firms.employments(organization_id=firm.id, order_by=order, include_total_size=True)
            people = [
                (each.contact.display_name, each.contact.organization, each.job_title) for each in listed.employments
            ]
            shown.append((listed.total_size, people))
    return shown


async def test_two_tenants_with_the_same_data_never_affect_each_other(
    firms: Firms, his: Firms, as_superuser: Connection
) -> None:
    async def fill(owner: Firms) -> tuple[Organization, Employment]:
        one, other = await owner.create("Example", domains=["example.org"]), await owner.create("Engines")
        ada, bert = await owner.book.create(given_name="Ada"), await owner.book.create(given_name="Bert")
        first = await owner.employ(ada.id, one.id, job_title="Programmer", current=True)
        await owner.employ(bert.id, one.id, end_date={"year": 2020})
        await owner.employ(bert.id, other.id, current=True)
        return one, first

    hers, first = await fill(firms)
    await fill(his)
    assert await seen(firms) == await seen(his)
    before, rows = await seen(his), await everything_of(as_superuser, tenant_of(his.tenant))
    for change in (
        firms.update(hers.id, name="Else"),
        firms.change(first.id, job_title="Else"),
        firms.remove(first.id),
        firms.delete(hers.id),
        firms.undelete(hers.id),
        firms.create("Example"),
    ):
        await change
        assert await seen(his) == before
        assert await seen(firms) != before
    assert await everything_of(as_superuser, tenant_of(his.tenant)) == rows


async def test_a_request_id_tells_nothing_of_another_tenants_requests(firms: Firms, his: Firms) -> None:
    request_id = new_request_id()
    hers = await firms.create("Example", request_id=request_id)
    own = await his.create("Other", request_id=request_id)
    assert (own.name, await his.names()) == ("Other", ["Other"])
    assert await firms.create("Example", request_id=request_id) == hers
