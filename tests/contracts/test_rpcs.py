"""The RPCs that other teams rely on are there, under their names and in their shapes."""

from __future__ import annotations

import pytest

from tests.contracts.described import Rpc, field_types, messages, rpcs

# Service → its RPCs, in no order.
PROMISED = {
    "pmcrm.contacts.v1.UserService": "CreateUser GetUser UpdateUser DeleteUser UndeleteUser",
    "pmcrm.contacts.v1.ContactService": """
        CreateContact GetContact ListContacts UpdateContact DeleteContact UndeleteContact BatchCreateContacts
        BatchGetContacts SearchContacts FindDuplicateContacts MergeContacts UnmergeContacts LinkContacts UnlinkContacts
        ListContactLinks ImportContacts ExportContacts""",
    "pmcrm.contacts.v1.OrganizationService": """
        CreateOrganization GetOrganization ListOrganizations UpdateOrganization DeleteOrganization UndeleteOrganization
        AddEmployment UpdateEmployment RemoveEmployment ListEmployments""",
    "pmcrm.contacts.v1.TagService": "CreateTag GetTag ListTags UpdateTag DeleteTag UndeleteTag ModifyContactTags",
    "pmcrm.interactions.v1.InteractionService": """
        CreateInteraction GetInteraction ListInteractions UpdateInteraction DeleteInteraction UndeleteInteraction
        BatchCreateInteractions SearchInteractions""",
    "pmcrm.interactions.v1.ReminderService": """
        CreateReminder GetReminder ListReminders UpdateReminder DeleteReminder CompleteReminder SnoozeReminder
        PreviewOccurrences ExportCalendar ClaimDueReminders AckReminders""",
    "pmcrm.interactions.v1.IntegrationService": """
        CreateIntegration GetIntegration ListIntegrations DeleteIntegration UpdateTokens GetCredentials
        UpdateSyncState""",
    "pmcrm.insights.v1.InsightService": "GenerateInsights GetInsight ListInsights ActionInsight DismissInsight",
    "pmcrm.insights.v1.SemanticService": "SemanticSearch HybridSearch FindSimilarContacts ReindexEmbeddings",
    "pmcrm.insights.v1.RelationshipService": "ExplainRelationshipStrength GetNetworkSummary SuggestIntroductions",
    "pmcrm.gdpr.v1.ConsentService": "RecordConsent WithdrawConsent ListConsents CheckConsent",
    "pmcrm.gdpr.v1.DataSubjectService": """
        ExportData RequestErasure CancelErasure GetErasureRequest EraseContact RestrictProcessing LiftRestriction
        RemoveSuppression""",
    "pmcrm.gdpr.v1.AuditService": "ListAuditLogs VerifyAuditLog",
    "pmcrm.gdpr.v1.RetentionService": """
        PurgeDeleted ArchiveAuditLogs PurgeExpiredAuditLogs PlaceLegalHold ReleaseLegalHold""",
}

STREAMS_IN = {"ImportContacts"}
STREAMS_OUT = {
    "ImportContacts",
    "ExportContacts",
    "FindDuplicateContacts",
    "ExportCalendar",
    "ReindexEmbeddings",
    "ExportData",
}

RESOURCES = [
    "contacts.v1.User",
    "contacts.v1.Contact",
    "contacts.v1.ContactLink",
    "contacts.v1.Organization",
    "contacts.v1.Employment",
    "contacts.v1.Tag",
    "interactions.v1.Interaction",
    "interactions.v1.Reminder",
    "interactions.v1.Integration",
    "insights.v1.Insight",
]

# Consent records and audit entries are only ever added, so nothing of theirs is deleted.
APPENDED = {"ListConsents", "ListAuditLogs"}

LISTS = [rpc for rpc in rpcs() if rpc.name.startswith("List")]
MUTATIONS = [rpc for rpc in rpcs() if not rpc.reads]

# Fields that callers already send and read.
SHAPES = {
    "contacts.v1.CreateUserRequest": ["user", "user_id", "request_id"],
    "contacts.v1.SearchContactsRequest": ["query", "mode", "page_size", "page_token"],
    "contacts.v1.SearchContactsResponse": ["results", "next_page_token"],
    "contacts.v1.ContactSearchResult": ["contact", "score", "matched_fields"],
    "contacts.v1.ImportContactsRequest": ["options", "chunk"],
    "contacts.v1.ImportContactsResponse": ["progress", "failure", "summary"],
    "contacts.v1.ImportProgress": ["processed"],
    "contacts.v1.ImportFailure": ["position", "reason"],
    "contacts.v1.ImportSummary": ["created", "updated", "unchanged", "suppressed", "failed"],
    "contacts.v1.ExportContactsResponse": ["chunk"],
    "contacts.v1.MergeContactsRequest": ["id", "duplicate_ids", "request_id"],
    "contacts.v1.MergeContactsResponse": ["contact", "merge_id"],
    "contacts.v1.UnmergeContactsRequest": ["merge_id", "request_id"],
    "interactions.v1.Interaction": [
        "type",
        "direction",
        "occur_time",
        "duration",
        "subject",
        "body",
        "participants",
        "sentiment",
        "topics",
    ],
    "interactions.v1.Participant": ["contact_id", "new_contact", "role"],
    "interactions.v1.Reminder": [
        "title",
        "due_local",
        "time_zone",
        "rrule",
        "priority",
        "contact_ids",
        "next_due_time",
    ],
    "interactions.v1.PreviewOccurrencesRequest": ["due_local", "time_zone", "rrule", "max_occurrences"],
    "interactions.v1.PreviewOccurrencesResponse": ["occurrences"],
    "interactions.v1.ExportCalendarResponse": ["chunk"],
    "insights.v1.SemanticSearchRequest": ["query", "page_size"],
    "insights.v1.SemanticSearchResponse": ["results"],
    "insights.v1.SemanticSearchResult": ["contact", "interaction_id", "score"],
    "gdpr.v1.RecordConsentRequest": ["consent", "request_id"],
    "gdpr.v1.Consent": ["contact_id", "purpose", "legal_basis", "text_version"],
    "gdpr.v1.EraseContactRequest": ["contact_id", "request_id"],
    "gdpr.v1.ErasureReceipt": ["id", "erase_time", "row_counts"],
    "gdpr.v1.ExportDataResponse": ["chunk"],
    "gdpr.v1.VerifyAuditLogRequest": ["user_id", "expected_head"],
    "gdpr.v1.VerifyAuditLogResponse": [
        "valid",
        "entries_checked",
        "unsealed_entries",
        "head",
        "first_invalid_entry_id",
        "problem",
    ],
}


def request_of(rpc: Rpc) -> dict[str, str]:
    """Fields of an RPC's request: name → type of what it holds."""
    return field_types(messages()[rpc.method.input_type])


def response_of(rpc: Rpc) -> dict[str, str]:
    """Fields of an RPC's response: name → type of what it holds."""
    return field_types(messages()[rpc.method.output_type])


def test_every_service_has_exactly_the_promised_rpcs():
    found: dict[str, set[str]] = {}
    for rpc in rpcs():
        found.setdefault(rpc.service, set()).add(rpc.name)
    assert found == {service: set(names.split()) for service, names in PROMISED.items()}


def test_only_files_and_long_answers_stream():
    assert {rpc.name for rpc in rpcs() if rpc.method.client_streaming} == STREAMS_IN
    assert {rpc.name for rpc in rpcs() if rpc.method.server_streaming} == STREAMS_OUT


@pytest.mark.parametrize("name", SHAPES)
def test_messages_have_the_fields_that_callers_rely_on(name: str):
    assert set(SHAPES[name]) <= field_types(messages()[f".pmcrm.{name}"]).keys()


@pytest.mark.parametrize("name", RESOURCES)
def test_resources_carry_id_times_and_etag(name: str):
    fields = field_types(messages()[f".pmcrm.{name}"])
    assert {"id", "create_time", "update_time", "delete_time", "purge_time", "etag"} <= fields.keys()


@pytest.mark.parametrize("rpc", MUTATIONS, ids=str)
def test_every_mutation_takes_a_request_id(rpc: Rpc):
    fields = request_of(rpc)
    if rpc.name == "ImportContacts":
        fields = field_types(messages()[fields["options"]])
    assert "request_id" in fields


@pytest.mark.parametrize("rpc", [rpc for rpc in rpcs() if rpc.reads], ids=str)
def test_no_read_takes_a_request_id(rpc: Rpc):
    assert "request_id" not in request_of(rpc)


@pytest.mark.parametrize("rpc", LISTS, ids=str)
def test_every_list_takes_the_same_arguments(rpc: Rpc):
    wanted = {"page_size", "page_token", "skip", "order_by", "read_mask", "include_total_size"}
    if rpc.name not in APPENDED:
        wanted.add("show_deleted")
    assert wanted <= request_of(rpc).keys()
    assert {"next_page_token", "total_size"} <= response_of(rpc).keys()


@pytest.mark.parametrize("rpc", [rpc for rpc in rpcs() if rpc.name.startswith("Get")], ids=str)
def test_gets_of_resources_take_a_read_mask(rpc: Rpc):
    if rpc.method.output_type.removeprefix(".pmcrm.") in RESOURCES:
        assert {"id", "read_mask"} <= request_of(rpc).keys()


@pytest.mark.parametrize("rpc", [rpc for rpc in rpcs() if rpc.name.startswith("Create")], ids=str)
def test_creates_take_the_resource_and_return_it(rpc: Rpc):
    assert rpc.method.output_type in request_of(rpc).values()


@pytest.mark.parametrize(
    "rpc",
    [rpc for rpc in MUTATIONS if rpc.name.startswith("Update") and rpc.name not in {"UpdateTokens", "UpdateSyncState"}],
    ids=str,
)
def test_updates_take_the_resource_and_a_mask_and_return_it(rpc: Rpc):
    assert {rpc.method.output_type, ".google.protobuf.FieldMask"} <= set(request_of(rpc).values())


@pytest.mark.parametrize("rpc", [rpc for rpc in rpcs() if rpc.name.startswith(("Delete", "Remove", "Unlink"))], ids=str)
def test_deletes_take_etag_and_allow_missing_and_return_the_resource(rpc: Rpc):
    if rpc.name == "RemoveSuppression":
        return  # entries are removed by what they match, not one by one
    assert {"id", "etag", "allow_missing", "request_id"} <= request_of(rpc).keys()
    assert "delete_time" in response_of(rpc)


@pytest.mark.parametrize("rpc", [rpc for rpc in rpcs() if rpc.name.startswith("Undelete")], ids=str)
def test_undeletes_take_an_etag_and_return_the_resource(rpc: Rpc):
    assert {"id", "etag", "request_id"} <= request_of(rpc).keys()
    assert "delete_time" in response_of(rpc)
