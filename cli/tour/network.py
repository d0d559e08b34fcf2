"""What the suite makes of what it was told: things worth doing, closeness explained, and finding by meaning."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from pmcrm.contacts.v1 import contact_link_pb2 as link_pb
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import organization_service_pb2 as organizations_pb
from pmcrm.contacts.v1 import tag_service_pb2 as tags_pb
from pmcrm.contacts.v1.contact_pb2 import Contact, Email
from pmcrm.contacts.v1.employment_pb2 import Employment
from pmcrm.contacts.v1.organization_pb2 import Organization
from pmcrm.contacts.v1.tag_pb2 import Tag
from pmcrm.gdpr.v1 import consent_pb2
from pmcrm.gdpr.v1 import consent_service_pb2 as consents_pb
from pmcrm.insights.v1 import insight_pb2
from pmcrm.insights.v1 import insight_service_pb2 as insights_pb
from pmcrm.insights.v1 import relationship_service_pb2 as relationships_pb
from pmcrm.insights.v1 import semantic_service_pb2 as semantic_pb
from pmcrm.interactions.v1 import interaction_pb2
from pmcrm.interactions.v1 import interaction_service_pb2 as interactions_pb
from pmcrm.type.v1.partial_date_pb2 import PartialDate

from cli.reaching import Metadata
from cli.tour.telling import Teller

MEETING = interaction_pb2.INTERACTION_TYPE_MEETING
CALL = interaction_pb2.INTERACTION_TYPE_CALL


class Network:
    """What a step adds to a tenant, in short."""

    def __init__(self, tour: Teller, tenant: Metadata) -> None:
        self.suite = tour.suite
        self.tenant = tenant

    async def contact(self, given_name: str, family_name: str, **fields: object) -> Contact:
        request = pb.CreateContactRequest(
            contact=Contact(given_name=given_name, family_name=family_name, **fields)  # type: ignore[arg-type]
        )
        made: Contact = await self.suite.contacts.CreateContact(request, metadata=self.tenant)
        return made

    async def met(
        self, contact: Contact, days_ago: float, kind: interaction_pb2.InteractionType = CALL, subject: str = "Call"
    ) -> interaction_pb2.Interaction:
        interaction = interaction_pb2.Interaction(
            type=kind,
            direction=interaction_pb2.INTERACTION_DIRECTION_MUTUAL,
            subject=subject,
            participants=[interaction_pb2.Participant(contact_id=contact.id)],
        )
        interaction.occur_time.FromDatetime(datetime.now(UTC) - timedelta(days=days_ago))
        made: interaction_pb2.Interaction = await self.suite.interactions.CreateInteraction(
            interactions_pb.CreateInteractionRequest(interaction=interaction), metadata=self.tenant
        )
        return made

    async def employed(
        self, contact: Contact, name: str, title: str, start: PartialDate, end: PartialDate | None
    ) -> None:
        organization = await self.suite.organizations.CreateOrganization(
            organizations_pb.CreateOrganizationRequest(organization=Organization(name=name)), metadata=self.tenant
        )
        employment = Employment(
            contact_id=contact.id,
            organization_id=organization.id,
            job_title=title,
            start_date=start,
            end_date=end,
            current=end is None,
        )
        await self.suite.organizations.AddEmployment(
            organizations_pb.AddEmploymentRequest(employment=employment), metadata=self.tenant
        )

    async def tagged(self, name: str, *contacts: Contact) -> None:
        tag = await self.suite.tags.CreateTag(tags_pb.CreateTagRequest(tag=Tag(name=name)), metadata=self.tenant)
        await self.suite.tags.ModifyContactTags(
            tags_pb.ModifyContactTagsRequest(contact_ids=[each.id for each in contacts], add_tag_ids=[tag.id]),
            metadata=self.tenant,
        )

    async def linked(self, one: Contact, other: Contact) -> None:
        link = link_pb.ContactLink(
            contact_id=one.id, related_contact_id=other.id, type=link_pb.CONTACT_LINK_TYPE_FRIEND
        )
        await self.suite.contacts.LinkContacts(pb.LinkContactsRequest(link=link), metadata=self.tenant)


async def find_what_is_worth_doing(tour: Teller, tenant: Metadata) -> None:
    """A contact for each kind of insight; the rules find each, once, and withdraw what holds no longer."""
    tour.step("What would be worth doing", "GenerateInsights, DeleteInteraction")
    network = Network(tour, tenant)
    meeting = await _people_to_act_on(network)
    first = await _generated(tour, tenant)
    for insight in first.insights:
        tour.say(f"{_kind(insight.type):<13} {insight.confidence:.2f}  {insight.title}")
    kinds = {insight.type for insight in first.insights}
    missing = set(insight_pb2.InsightType.values()) - {0} - kinds
    tour.expect(not missing, f"every kind is found, and {sorted(map(_kind, missing))} is not")
    again = await _generated(tour, tenant)
    tour.say(f"asked again: {again.created} new, {again.unchanged} as before")
    tour.expect(not again.created and not again.superseded, "asking again changes nothing")
    await tour.suite.interactions.DeleteInteraction(
        interactions_pb.DeleteInteractionRequest(id=meeting.id), metadata=tenant
    )
    after = await _generated(tour, tenant)
    tour.say(f"without the meeting that wanted a follow-up: {after.superseded} superseded")
    tour.expect(after.superseded > 0, "what rests on nothing any more is superseded")


async def _people_to_act_on(network: Network) -> interaction_pb2.Interaction:
    """A contact, or a pair, for each kind; returns the meeting that nothing has followed."""
    today = datetime.now(UTC).date()
    overdue = await network.contact("Olive", "Overdue", keep_in_touch_days=14)
    await network.met(overdue, 40)
    fading = await network.contact("Fay", "Fading")
    for days_ago in (120, 134, 148, 162, 176, 190):
        await network.met(fading, days_ago)
    soon: date = today + timedelta(days=5)
    await network.contact("Bela", "Birthday", birthday=PartialDate(month=soon.month, day=soon.day))
    promised = await network.contact("Mina", "Meeting")
    meeting = await network.met(promised, 4, MEETING, "Project meeting")
    mover = await network.contact("Jo", "Jobchange")
    began = today - timedelta(days=10)
    start = PartialDate(year=began.year, month=began.month, day=began.day)
    await network.employed(mover, "Former Example", "Clerk", PartialDate(year=began.year - 6), start)
    await network.employed(mover, "Present Example", "Director", start, None)
    for _ in range(2):
        await network.contact("Dora", "Double", emails=[Email(value="dora.double@example.com")])
    hub = await network.contact("Hanna", "Hub")
    guests = [await network.contact(name, "Guest") for name in ("Ines", "Igor")]
    await network.tagged("beekeeping", *guests)
    for guest in guests:
        await network.linked(guest, hub)
        await network.met(guest, 20)
    return meeting


async def _generated(tour: Teller, tenant: Metadata) -> insights_pb.GenerateInsightsResponse:
    answer: insights_pb.GenerateInsightsResponse = await tour.suite.insights.GenerateInsights(
        insights_pb.GenerateInsightsRequest(), metadata=tenant
    )
    return answer


async def explain_a_strength(tour: Teller, tenant: Metadata) -> None:
    """Where a relationship strength comes from, to the interaction."""
    tour.step("Why a relationship is as strong as it is", "ExplainRelationshipStrength, GetNetworkSummary")
    page = await tour.suite.contacts.SearchContacts(pb.SearchContactsRequest(query="Fay Fading"), metadata=tenant)
    contact = page.results[0].contact
    why = await tour.suite.relationships.ExplainRelationshipStrength(
        relationships_pb.ExplainRelationshipStrengthRequest(contact_id=contact.id), metadata=tenant
    )
    for part in why.parts:
        tour.say(f"{part.value:8.3f}  {part.description}")
    tour.say(f"{why.score:8.3f}  in all, which is strength {why.strength} of 10")
    tour.expect(abs(sum(part.value for part in why.parts) - why.score) < 1e-9, "the parts sum to the score")
    summary = await tour.suite.relationships.GetNetworkSummary(
        relationships_pb.GetNetworkSummaryRequest(), metadata=tenant
    )
    bands = ", ".join(
        f"{band.min_strength}–{band.max_strength}: {band.contact_count}" for band in summary.strength_bands
    )
    tour.say(f"{summary.contact_count} contacts; by strength {bands}")


async def find_by_meaning(tour: Teller, tenant: Metadata) -> None:
    """Embeddings are made of those alone who have consented, and are gone with their consent."""
    tour.step("Finding by likeness, with consent", "RecordConsent, ReindexEmbeddings, HybridSearch, WithdrawConsent")
    network = Network(tour, tenant)
    sailor = await network.contact("Sol", "Sailor", notes="Sailing instructor; teaches beginners on the lake.")
    request = semantic_pb.SemanticSearchRequest(query="sailing lessons", target=semantic_pb.SEARCH_TARGET_CONTACTS)
    before = await tour.suite.semantic.SemanticSearch(request, metadata=tenant)
    tour.say(f"without consent: {len(before.results)} found, {before.not_permitted_count} may not be embedded")
    consent = consent_pb2.Consent(contact_id=sailor.id, purpose="ai_processing", text_version="2026-03", source="paper")
    await tour.suite.consents.RecordConsent(consents_pb.RecordConsentRequest(consent=consent), metadata=tenant)
    events = [
        event
        async for event in tour.suite.semantic.ReindexEmbeddings(
            semantic_pb.ReindexEmbeddingsRequest(), metadata=tenant
        )
    ]
    model = events[-1].summary.model
    found = await tour.suite.semantic.SemanticSearch(request, metadata=tenant)
    best = found.results[0]
    tour.say(
        f"with it: {best.contact.display_name}, {best.score:.2f} by {model.name}, which compares words and not meaning"
    )
    tour.expect(best.contact.id == sailor.id, "who has consented is found")
    hybrid = await tour.suite.semantic.HybridSearch(
        semantic_pb.HybridSearchRequest(query="sailing instructor"), metadata=tenant
    )
    top = hybrid.results[0]
    tour.say(f"by words rank {top.text_rank}, by spelling {top.trigram_rank or '–'}, by vectors {top.vector_rank}")
    await tour.suite.consents.WithdrawConsent(
        consents_pb.WithdrawConsentRequest(contact_id=sailor.id, purpose="ai_processing"), metadata=tenant
    )
    after = await tour.suite.semantic.SemanticSearch(request, metadata=tenant)
    tour.say(f"after the withdrawal: {len(after.results)} found")
    tour.expect(not after.results, "an embedding ends with the consent")


def _kind(value: int) -> str:
    return insight_pb2.InsightType.Name(insight_pb2.InsightType.ValueType(value)).removeprefix("INSIGHT_TYPE_").lower()
