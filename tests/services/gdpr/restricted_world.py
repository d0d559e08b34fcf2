"""A tenant whose contact Zebedia has a part in everything, and the calls of all services, made by their names."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import grpc.aio
from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from tests.services.contacts.transfers import card
from tests.suite import Failure, Metadata, as_operator

SERVICES = {
    "contacts": ("UserService", "ContactService", "OrganizationService", "TagService"),
    "interactions": ("InteractionService", "ReminderService", "IntegrationService"),
    "insights": ("InsightService", "SemanticService", "RelationshipService"),
    "gdpr": ("ConsentService", "DataSubjectService", "AuditService", "RetentionService"),
}

# Words that stand in what is Zebedia's and in nothing else.
TRACES = ("zebedia", "quagmire", "heliotrope")

CARD = card("UID:urn:zebedia", "FN:Zebedia Quagmire", "N:Quagmire;Zebedia;;;", "NOTE:changed")
BY_OPERATORS = frozenset({"ClaimDueReminders", "AckReminders"})


def methods() -> dict[str, MethodDescriptor]:
    """Every call of every service's contract, by its name as `Service.Call`."""
    pool = descriptor_pool.Default()
    return {
        f"{service}.{method.name}": method
        for package, services in SERVICES.items()
        for service in services
        for method in pool.FindServiceByName(f"pmcrm.{package}.v1.{service}").methods
    }


@dataclass
class World:
    """One tenant, as it is called. ids: what is in it, by the names that requests have for it."""

    channels: Mapping[str, grpc.aio.Channel]
    tenant: Metadata
    ids: dict[str, str] = field(default_factory=dict)

    def request(self, method: MethodDescriptor, body: Mapping[str, Any]) -> Message:
        """A request of the contract's shape; `{name}` in its texts stands for ids[name]."""
        made = message_factory.GetMessageClass(method.input_type)()
        return json_format.ParseDict(self._filled(dict(body)), made)

    async def call(self, name: str, body: Mapping[str, Any]) -> list[Message]:
        """All that a call answers. Raises AioRpcError."""
        method = methods()[name]
        package = method.containing_service.full_name.split(".")[1]
        shape = "_".join("stream" if s else "unary" for s in (method.client_streaming, method.server_streaming))
        send = getattr(self.channels[package], shape)(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
        )
        metadata = as_operator() if method.name in BY_OPERATORS else self.tenant
        parts = body.get("parts", [body]) if method.client_streaming else [body]
        requests = [self.request(method, part) for part in parts]
        made = send(iter(requests) if method.client_streaming else requests[0], metadata=metadata)
        if method.server_streaming:
            return [message async for message in made]
        return [await made]

    async def text(self, name: str, body: Mapping[str, Any]) -> str:
        """All that a call answers, in lower case as one can read it; files in it are opened."""
        answers = await self.call(name, body)
        files = b"".join(getattr(answer, "chunk", b"") for answer in answers)
        texts = [json_format.MessageToJson(answer, ensure_ascii=False, indent=None) for answer in answers]
        return (" ".join(texts) + _readable(files)).lower()

    async def refusal(self, name: str, body: Mapping[str, Any]) -> Failure:
        """The failure of a call that must fail."""
        try:
            answers = await self.call(name, body)
        except grpc.aio.AioRpcError as error:
            return Failure(error)
        raise AssertionError(f"{name} answered: {answers}")

    async def make(self, key: str, name: str, body: Mapping[str, Any]) -> None:
        """Makes something and remembers its id as ids[key]."""
        [answer] = await self.call(name, body)
        self.ids[key] = getattr(answer, "merge_id", "") or answer.id  # type: ignore[attr-defined]  # all have one

    def _filled(self, value: Any) -> Any:
        if isinstance(value, str):
            return value.format_map(self.ids) if "{" in value else value
        if isinstance(value, dict):
            return {key: self._filled(each) for key, each in value.items()}
        return [self._filled(each) for each in value] if isinstance(value, list) else value


def _readable(content: bytes) -> str:
    if not content.startswith(b"PK"):
        return content.decode(errors="replace").replace("\r\n ", "")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return " ".join(archive.read(name).decode(errors="replace") for name in archive.namelist())


def _local(**distance: float) -> str:
    return (datetime.now(UTC) + timedelta(**distance)).strftime("%Y-%m-%dT%H:%M:%S")


async def fill(world: World) -> None:
    """Makes Zebedia (`who`), whom `merged` was merged into, Ada, who knows her, Match, who may be her, and all ties."""
    soon = datetime.now(UTC) + timedelta(days=3)
    born = {"year": 1980, "month": soon.month, "day": soon.day}
    who = {
        "given_name": "Zebedia", "family_name": "Quagmire", "notes": "grows heliotrope", "birthday": born,
        "phones": [{"value": "+44 7911 123456"}], "emails": [{"value": "zebedia@example.com"}],
        "keep_in_touch_days": 1, "source_uid": "urn:zebedia",
    }  # fmt: skip
    for key, contact in {
        "who": who,
        "merged": {"given_name": "Zebedia"},
        "ada": {"given_name": "Ada", "notes": "grows roses", "keep_in_touch_days": 1},
        "match": {"given_name": "Match", "phones": [{"value": "+44 7911 123456", "label": "shared"}]},
        "bea": {"given_name": "Bea", "notes": "grows roses"},
    }.items():
        await world.make(key, "ContactService.CreateContact", {"contact": contact})
    await world.make("merge", "ContactService.MergeContacts", {"id": "{who}", "duplicate_ids": ["{merged}"]})
    await world.make("tag", "TagService.CreateTag", {"tag": {"name": "Gardeners"}})
    tagged = {"contact_ids": ["{who}", "{ada}", "{bea}"], "add_tag_ids": ["{tag}"]}
    await world.call("TagService.ModifyContactTags", tagged)
    await world.make("org", "OrganizationService.CreateOrganization", {"organization": {"name": "Greenhouse"}})
    for key, contact in {"job": "{who}", "old_job": "{who}", "adas_job": "{ada}", "beas_job": "{bea}"}.items():
        job = {"contact_id": contact, "organization_id": "{org}", "job_title": key, "current": key != "old_job"}
        await world.make(key, "OrganizationService.AddEmployment", {"employment": job})
    for key, related in {"link": "{who}", "beas_link": "{bea}"}.items():
        link = {"contact_id": "{ada}", "related_contact_id": related, "type": "CONTACT_LINK_TYPE_FRIEND"}
        await world.make(key, "ContactService.LinkContacts", {"link": link})
    for key, subject, people in (
        ("alone", "About heliotrope with Zebedia", ["{who}"]),
        ("shared", "Lunch for three", ["{who}", "{ada}", "{bea}"]),
    ):
        interaction = {
            "type": "INTERACTION_TYPE_MEETING", "subject": subject, "body": "We spoke of flowers.",
            "occur_time": "2026-01-05T12:00:00Z", "participants": [{"contact_id": each} for each in people],
        }  # fmt: skip
        await world.make(key, "InteractionService.CreateInteraction", {"interaction": interaction})
    for key, title, people in (
        ("call", "Call Zebedia", ["{who}"]),
        ("dinner", "Dinner with friends", ["{who}", "{ada}"]),
        ("roses", "Bring roses", ["{ada}"]),
        ("chore", "Tidy up after Zebedia", ["{who}"]),
    ):
        reminder = {"title": title, "due_local": _local(minutes=-5), "time_zone": "UTC", "contact_ids": people}
        await world.make(key, "ReminderService.CreateReminder", {"reminder": reminder | {"rrule": "FREQ=DAILY"}})
    birthday = {"kind": "REMINDER_KIND_BIRTHDAY", "time_zone": "UTC", "contact_ids": ["{who}"]}
    await world.make("birthday", "ReminderService.CreateReminder", {"reminder": birthday})
    for key, contact in {"consent": "{who}", "letters": "{who}", "adas_consent": "{ada}", "beas": "{bea}"}.items():
        purpose = "newsletter" if key == "letters" else "ai_processing"
        consent = {"contact_id": contact, "purpose": purpose, "text_version": "1", "type": "CONSENT_TYPE_CONSENT"}
        await world.make(key, "ConsentService.RecordConsent", {"consent": consent})
    await world.call("SemanticService.ReindexEmbeddings", {})
    await world.call("InsightService.GenerateInsights", {})
    [listed] = await world.call("InsightService.ListInsights", {"contact_id": "{who}"})
    world.ids["insight"] = listed.insights[0].id  # type: ignore[attr-defined]  # a ListInsightsResponse
