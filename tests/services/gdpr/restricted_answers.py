"""What every call of every service does about a contact whose processing is restricted (docs/restriction.md)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.services.gdpr.restricted_world import CARD


class Does(Enum):
    """What a call does."""

    REMAINS = "works on the restricted contact"
    REFUSES = "PROCESSING_RESTRICTED"
    HIDES = "answers as if there were none"
    LEAVES_OUT = "has no trace of it, though it had one before"
    LEAVES_OUT_EVER = "has no trace of it"
    BY_ID = "shows its id, and nothing that is said of it"
    COUNTS_WITHOUT = "counts one less than before"
    UNTOUCHED = "does not deal with what is known of contacts"


@dataclass(frozen=True)
class Case:
    """A call. body: its request, in which `{who}` is the restricted contact. why: for what is not called; else '', or
    what the answer must hold. counted: the path of the number that counts contacts."""

    does: Does
    body: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    counted: str = ""


def remains(why: str = "", **body: Any) -> Case:
    return Case(Does.REMAINS, body, why)


def refuses(**body: Any) -> Case:
    return Case(Does.REFUSES, body)


def hides(why: str, **body: Any) -> Case:
    return Case(Does.HIDES, body, why)


def leaves_out(**body: Any) -> Case:
    return Case(Does.LEAVES_OUT, body)


def leaves_out_ever(**body: Any) -> Case:
    return Case(Does.LEAVES_OUT_EVER, body)


def by_id(**body: Any) -> Case:
    return Case(Does.BY_ID, body)


def counts_without(counted: str, **body: Any) -> Case:
    return Case(Does.COUNTS_WITHOUT, body, counted=counted)


def untouched(why: str) -> Case:
    return Case(Does.UNTOUCHED, why=why)


NEW = "makes something new, and names no contact"
OF_THE_ACCOUNT = "is about the account"
ITS_OWN = "changes a row of its own, by its id, and shows nothing of contacts"
TOKENS = "is about accounts elsewhere"

LINK = {"contact_id": "{bea}", "related_contact_id": "{who}", "type": "CONTACT_LINK_TYPE_FRIEND"}
MEETING = {"type": "INTERACTION_TYPE_MEETING", "participants": [{"contact_id": "{who}"}]}
REMINDER = {"title": "x", "due_local": "2030-01-01T09:00:00", "time_zone": "UTC", "contact_ids": ["{who}"]}

ANSWERS: dict[str, tuple[Case, ...]] = {
    "UserService.CreateUser": (untouched(OF_THE_ACCOUNT),),
    "UserService.GetUser": (untouched(OF_THE_ACCOUNT),),
    "UserService.UpdateUser": (untouched(OF_THE_ACCOUNT),),
    "UserService.DeleteUser": (untouched(OF_THE_ACCOUNT),),
    "UserService.UndeleteUser": (untouched(OF_THE_ACCOUNT),),
    "ContactService.CreateContact": (untouched(NEW),),
    "ContactService.GetContact": (remains("quagmire", id="{who}"), remains("quagmire", id="{merged}")),
    "ContactService.ListContacts": (
        leaves_out(include_total_size=True, show_deleted=True),
        leaves_out(order_by="create_time desc"),
        leaves_out(order_by="last_contact_time"),
        leaves_out(order_by="relationship_strength desc"),
        leaves_out(tag_ids_any=["{tag}"]),
        leaves_out(organization_id="{org}"),
        counts_without("total_size", include_total_size=True),
        remains("quagmire", show_restricted=True),
    ),
    "ContactService.UpdateContact": (remains("quagmire", contact={"id": "{who}", "nickname": "Zeb"}),),
    "ContactService.DeleteContact": (refuses(id="{who}"), refuses(id="{merged}")),
    "ContactService.UndeleteContact": (hides("CONTACT_NOT_DELETED", id="{who}"),),
    "ContactService.BatchCreateContacts": (untouched(NEW),),
    "ContactService.BatchGetContacts": (remains("quagmire", ids=["{ada}", "{who}"]),),
    "ContactService.SearchContacts": (
        leaves_out(query="Zebedia"),
        leaves_out(query="Zebedja"),
        leaves_out(query="zebedia & quagmire", mode="SEARCH_MODE_TSQUERY"),
        leaves_out(query="heliotrope"),
        leaves_out(query="+447911123456"),
        leaves_out(query="zebedia@example.com"),
        leaves_out(query="Greenhouse"),
    ),
    "ContactService.FindDuplicateContacts": (
        refuses(contact_id="{who}"),
        leaves_out(min_score=0.1),
        leaves_out(contact_id="{match}", min_score=0.1),
    ),
    "ContactService.MergeContacts": (
        refuses(id="{who}", duplicate_ids=["{match}"]),
        refuses(id="{match}", duplicate_ids=["{who}"]),
    ),
    "ContactService.UnmergeContacts": (refuses(merge_id="{merge}"),),
    "ContactService.LinkContacts": (
        refuses(link=LINK),
        refuses(link=LINK | {"contact_id": "{who}", "related_contact_id": "{bea}"}),
    ),
    "ContactService.UnlinkContacts": (refuses(id="{link}"),),
    "ContactService.ListContactLinks": (
        refuses(contact_id="{who}"),
        leaves_out(contact_id="{ada}", show_deleted=True, include_total_size=True),
        counts_without("total_size", contact_id="{ada}", include_total_size=True),
    ),
    # The record is reported by its place in the file, and changes nothing.
    "ContactService.ImportContacts": (
        remains(
            "import_record_restricted",
            parts=[{"options": {}}, {"chunk": b64encode(CARD).decode()}],
        ),
    ),
    "ContactService.ExportContacts": (remains("quagmire"), remains("quagmire", ids=["{who}"])),
    "OrganizationService.CreateOrganization": (untouched(NEW),),
    "OrganizationService.GetOrganization": (counts_without("current_contact_count", id="{org}"),),
    "OrganizationService.ListOrganizations": (
        counts_without("organizations.0.current_contact_count"),
        leaves_out_ever(text="Greenhouse"),
    ),
    "OrganizationService.UpdateOrganization": (untouched(ITS_OWN),),
    "OrganizationService.DeleteOrganization": (untouched(ITS_OWN),),
    "OrganizationService.UndeleteOrganization": (untouched(ITS_OWN),),
    "OrganizationService.AddEmployment": (
        refuses(employment={"contact_id": "{who}", "organization_id": "{org}", "job_title": "x"}),
    ),
    "OrganizationService.UpdateEmployment": (remains("{who}", employment={"id": "{job}", "department": "corrected"}),),
    "OrganizationService.RemoveEmployment": (remains("{who}", id="{old_job}"),),
    "OrganizationService.ListEmployments": (
        refuses(contact_id="{who}"),
        refuses(contact_id="{who}", organization_id="{org}"),
        leaves_out(organization_id="{org}", show_deleted=True),
        leaves_out(organization_id="{org}", order_by="create_time"),
    ),
    "TagService.CreateTag": (untouched(NEW),),
    "TagService.GetTag": (counts_without("contact_count", id="{tag}"),),
    "TagService.ListTags": (counts_without("tags.0.contact_count"),),
    "TagService.UpdateTag": (untouched(ITS_OWN),),
    "TagService.DeleteTag": (untouched(ITS_OWN),),
    "TagService.UndeleteTag": (untouched(ITS_OWN),),
    "TagService.ModifyContactTags": (
        refuses(contact_ids=["{ada}", "{who}"], add_tag_ids=["{tag}"]),
        refuses(contact_ids=["{who}"], remove_tag_ids=["{tag}"]),
    ),
    "InteractionService.CreateInteraction": (refuses(interaction=MEETING),),
    "InteractionService.GetInteraction": (remains("heliotrope", id="{alone}"), by_id(id="{shared}")),
    "InteractionService.ListInteractions": (
        refuses(contact_id="{who}"),
        refuses(contact_ids_all=["{ada}", "{who}"]),
        refuses(contact_ids_any=["{who}"]),
        by_id(show_deleted=True, include_total_size=True),
        by_id(contact_id="{ada}"),
        by_id(types=["INTERACTION_TYPE_MEETING"], order_by="occur_time"),
        counts_without("total_size", include_total_size=True),
    ),
    "InteractionService.UpdateInteraction": (by_id(interaction={"id": "{shared}", "location": "At home"}),),
    "InteractionService.DeleteInteraction": (by_id(id="{shared}"),),
    "InteractionService.UndeleteInteraction": (by_id(id="{shared}"),),
    "InteractionService.BatchCreateInteractions": (refuses(requests=[{"interaction": MEETING}]),),
    "InteractionService.SearchInteractions": (
        leaves_out(query="heliotrope"),
        leaves_out(query="heliotrpe"),
        by_id(query="flowers"),
        refuses(query="flowers", contact_ids_any=["{who}"]),
        refuses(query="flowers", contact_ids_all=["{who}"]),
    ),
    "ReminderService.CreateReminder": (refuses(reminder=REMINDER),),
    "ReminderService.GetReminder": (
        remains("call zebedia", id="{call}"),
        by_id(id="{dinner}"),
        by_id(id="{birthday}"),
    ),
    "ReminderService.ListReminders": (
        refuses(contact_id="{who}"),
        by_id(show_deleted=True, include_total_size=True),
        by_id(contact_id="{ada}"),
        *(
            by_id(order_by=order + direction)
            for order in ("next_due_time", "create_time", "priority", "title")
            for direction in ("", " desc")
        ),
        counts_without("total_size:3", include_total_size=True),
    ),
    "ReminderService.UpdateReminder": (refuses(reminder={"id": "{roses}", "contact_ids": ["{who}"]}),),
    "ReminderService.CompleteReminder": (remains("{who}", id="{chore}"),),
    "ReminderService.SnoozeReminder": (remains("{who}", id="{chore}", snooze_duration="3600s"),),
    "ReminderService.DeleteReminder": (remains("{who}", id="{chore}"),),
    "ReminderService.PreviewOccurrences": (untouched("computes, and reads no rows"),),
    "ReminderService.ExportCalendar": (
        refuses(contact_id="{who}", include_birthdays=True),
        leaves_out(include_birthdays=True, include_completed=True),
    ),
    "ReminderService.ClaimDueReminders": (by_id(batch_size=100),),
    "ReminderService.AckReminders": (untouched("answers with ids of leases alone"),),
    **{
        f"IntegrationService.{name}": (untouched(TOKENS),)
        for name in (
            *("CreateIntegration", "GetIntegration", "ListIntegrations", "DeleteIntegration"),
            *("UpdateTokens", "GetCredentials", "UpdateSyncState"),
        )
    },
    "InsightService.GenerateInsights": (refuses(contact_ids=["{who}"]), leaves_out_ever()),
    "InsightService.GetInsight": (hides("INSIGHT_NOT_FOUND", id="{insight}"),),
    "InsightService.ListInsights": (
        refuses(contact_id="{who}"),
        leaves_out(show_deleted=True, show_expired=True, page_size=1000),
    ),
    "InsightService.ActionInsight": (hides("INSIGHT_NOT_FOUND", id="{insight}"),),
    "InsightService.DismissInsight": (hides("INSIGHT_NOT_FOUND", id="{insight}"),),
    "SemanticService.SemanticSearch": (
        refuses(query="heliotrope", contact_id="{who}"),
        leaves_out(query="grows heliotrope"),
        leaves_out(query="About heliotrope with Zebedia", target="SEARCH_TARGET_INTERACTIONS"),
    ),
    "SemanticService.HybridSearch": (
        refuses(query="heliotrope", contact_id="{who}"),
        leaves_out(query="heliotrope"),
        leaves_out(query="Zebedja Quagmire"),
        leaves_out(query="flowers", target="SEARCH_TARGET_INTERACTIONS"),
    ),
    "SemanticService.FindSimilarContacts": (refuses(contact_id="{who}"), leaves_out(contact_id="{ada}")),
    "SemanticService.ReindexEmbeddings": (refuses(contact_ids=["{who}"]), leaves_out_ever(force=True)),
    "RelationshipService.ExplainRelationshipStrength": (
        refuses(contact_id="{who}"),
        leaves_out_ever(contact_id="{ada}"),
    ),
    "RelationshipService.GetNetworkSummary": (
        counts_without("contact_count"),
        counts_without("interaction_count"),
        counts_without("link_count"),
        leaves_out_ever(months=24, top_count=10),
    ),
    "RelationshipService.SuggestIntroductions": (refuses(contact_id="{who}"), leaves_out_ever()),
    "ConsentService.RecordConsent": (
        remains("{who}", consent={"contact_id": "{who}", "purpose": "post", "text_version": "1"}),
    ),
    "ConsentService.WithdrawConsent": (remains("{who}", id="{letters}"),),
    "ConsentService.ListConsents": (remains("{who}", contact_id="{who}"),),
    "ConsentService.CheckConsent": (remains("{who}", contact_id="{who}", purpose="ai_processing"),),
    "DataSubjectService.ExportData": (remains("quagmire", contact_id="{who}"), remains("quagmire")),
    "DataSubjectService.RequestErasure": (untouched(OF_THE_ACCOUNT),),
    "DataSubjectService.CancelErasure": (untouched(OF_THE_ACCOUNT),),
    "DataSubjectService.GetErasureRequest": (untouched("receipts hold nothing of contacts"),),
    "DataSubjectService.RemoveSuppression": (untouched("suppressions are of the erased"),),
    "DataSubjectService.RestrictProcessing": (remains("{who}", contact_id="{who}"),),
    "AuditService.ListAuditLogs": (remains("{who}", subject_id="{who}", page_size=1000),),
    "AuditService.VerifyAuditLog": (untouched("checks digests, and shows no values"),),
    "RetentionService.PurgeDeleted": (untouched("reaches what is deleted; what is restricted is not deleted"),),
    "RetentionService.ArchiveAuditLogs": (untouched("moves months, and shows none of their entries"),),
    "RetentionService.PurgeExpiredAuditLogs": (untouched("drops months, and shows none of their entries"),),
    "RetentionService.PlaceLegalHold": (untouched("keeps what is there, and shows nothing of it"),),
    "RetentionService.ReleaseLegalHold": (untouched("shows nothing of contacts"),),
    # Last, since nothing is restricted afterwards.
    "DataSubjectService.LiftRestriction": (remains("{who}", contact_id="{who}"),),
    "DataSubjectService.EraseContact": (remains("rowcounts", contact_id="{who}"),),
}
