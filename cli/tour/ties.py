"""What ties people together: employments over the years, and two contacts that are the same person."""

from __future__ import annotations

import hashlib

from pmcrm.contacts.v1 import contact_merge_pb2 as merge_pb
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import contact_transfer_pb2 as transfer_pb
from pmcrm.contacts.v1 import organization_service_pb2 as organizations_pb
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.contacts.v1.employment_pb2 import Employment
from pmcrm.contacts.v1.organization_pb2 import Organization
from pmcrm.type.v1.partial_date_pb2 import PartialDate
from rich.table import Table

from cli.reaching import Metadata
from cli.tour.telling import Teller, iso_date


async def show_employments(tour: Teller, tenant: Metadata) -> None:
    """An organization's people, and one of them who has moved on."""
    tour.step("Who works where, and where they worked before", "AddEmployment, ListEmployments, GetContact")
    erika = await found(tour, tenant, "Erika Muster")
    request = organizations_pb.CreateOrganizationRequest(
        organization=Organization(name="Placeholder Press", domains=["press.example"])
    )
    press = await tour.suite.organizations.CreateOrganization(request, metadata=tenant)
    stretches = (
        Employment(
            job_title="Editor", start_date=PartialDate(year=2014, month=9), end_date=PartialDate(year=2019, month=3)
        ),
        Employment(job_title="Publisher", start_date=PartialDate(year=2021), current=True),
    )
    for employment in stretches:
        employment.contact_id, employment.organization_id = erika.id, press.id
        await tour.suite.organizations.AddEmployment(
            organizations_pb.AddEmploymentRequest(employment=employment), metadata=tenant
        )
    history = await tour.suite.organizations.ListEmployments(
        organizations_pb.ListEmploymentsRequest(contact_id=erika.id), metadata=tenant
    )
    table = Table(box=None)
    for heading in ("  from", "to", "as", "at"):
        table.add_column(heading, no_wrap=True)
    for past in history.employments:
        end = "now" if past.current else iso_date(past.end_date) if past.HasField("end_date") else "?"
        start = iso_date(past.start_date) if past.HasField("start_date") else "?"
        table.add_row(f"  {start}", end, past.job_title, past.organization_name)
    tour.console.print(table)
    erika = await tour.suite.contacts.GetContact(pb.GetContactRequest(id=erika.id), metadata=tenant)
    now = erika.current_organization
    tour.say(f"{erika.display_name} is {now.job_title} at {now.name}.")
    tour.expect(now.id == press.id, "the employment that began last is the current one")


async def merge_a_duplicate(tour: Teller, tenant: Metadata) -> None:
    """One person who came with the address book and from LinkedIn: found, merged, and the merge undone."""
    tour.step("Two contacts that are one person", "FindDuplicateContacts, MergeContacts, UnmergeContacts")
    before = await exported(tour, tenant)
    pair = await likeliest_pair(tour, tenant)
    merged = await tour.suite.contacts.MergeContacts(
        merge_pb.MergeContactsRequest(id=pair.contact.id, duplicate_ids=[pair.duplicate.id]), metadata=tenant
    )
    survivor = merged.contact
    moved = ", ".join(f"{kind} {count}" for kind, count in sorted(merged.moved_counts.items())) or "nothing"
    tour.say(f"merged: {survivor.display_name}, who has {len(survivor.phones)} phone numbers now; moved: {moved}")
    old = await tour.suite.contacts.GetContact(pb.GetContactRequest(id=pair.duplicate.id), metadata=tenant)
    tour.expect(old == survivor, "an old id stands for the survivor")
    tour.say("the id that is gone answers with the contact that survived")
    undone = await tour.suite.contacts.UnmergeContacts(
        merge_pb.UnmergeContactsRequest(merge_id=merged.merge_id), metadata=tenant
    )
    tour.expect(not undone.problems, "nothing is lost by merging and undoing it")
    tour.expect(await exported(tour, tenant) == before, "an undone merge leaves everything as it was")
    tour.say(f"undone: {undone.restored_contacts[0].display_name} is back, and an export is the same to the byte")


async def likeliest_pair(tour: Teller, tenant: Metadata) -> merge_pb.DuplicateCandidate:
    """The best of all pairs that may be one person."""
    candidates: list[merge_pb.DuplicateCandidate] = []
    request = merge_pb.FindDuplicateContactsRequest(min_score=0.7)
    async for event in tour.suite.contacts.FindDuplicateContacts(request, metadata=tenant):
        if event.HasField("candidate"):
            pair = event.candidate
            candidates.append(pair)
            reasons = ", ".join(reason_in_words(evidence) for evidence in pair.evidence)
            tour.say(f"{pair.contact.display_name} and {pair.duplicate.display_name}: {pair.score:.2f} ({reasons})")
    tour.expect(bool(candidates), "a duplicate is found")
    return max(candidates, key=lambda pair: pair.score)


def reason_in_words(evidence: merge_pb.DuplicateEvidence) -> str:
    """`same email` for DUPLICATE_REASON_SAME_EMAIL."""
    return merge_pb.DuplicateReason.Name(evidence.reason).removeprefix("DUPLICATE_REASON_").replace("_", " ").lower()


async def found(tour: Teller, tenant: Metadata, name: str) -> Contact:
    """The best match for a name."""
    request = pb.SearchContactsRequest(query=name, page_size=1)
    response = await tour.suite.contacts.SearchContacts(request, metadata=tenant)
    tour.expect(bool(response.results), f"{name} is in the address book")
    return response.results[0].contact


async def exported(tour: Teller, tenant: Metadata) -> str:
    """SHA-256 of the tenant's contacts as a file."""
    digest = hashlib.sha256()
    async for part in tour.suite.contacts.ExportContacts(transfer_pb.ExportContactsRequest(), metadata=tenant):
        digest.update(part.chunk)
    return digest.hexdigest()
