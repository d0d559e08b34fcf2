"""No call of InteractionService shows, changes or betrays another tenant's interactions and contacts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from pmcrm.interactions.v1 import interaction_service_pb2 as pb
from pmcrm.interactions.v1.interaction_pb2 import Interaction, Participant

from services.interactions.interactions import Interactions
from tests.postgres import Connection
from tests.services.contacts.calls import Book, random_id
from tests.services.contacts.test_isolation import built, everything_of, outcome, without
from tests.services.interactions.conftest import InteractionsClient
from tests.services.interactions.integration_calls import Accounts
from tests.services.interactions.interaction_calls import CALL, Log
from tests.suite import Client, failure, new_request_id, tenant_of

# Each call that names an interaction by its id; those on a deleted one are marked by name.
ON_AN_INTERACTION: dict[str, Callable[[str], Message]] = {
    "GetInteraction": lambda key: pb.GetInteractionRequest(id=key),
    "GetInteraction with a mask": lambda key: pb.GetInteractionRequest(id=key, read_mask={"paths": ["id"]}),
    "UpdateInteraction": lambda key: pb.UpdateInteractionRequest(interaction=Interaction(id=key, body="mine")),
    "UpdateInteraction with an etag": lambda key: pb.UpdateInteractionRequest(
        interaction=Interaction(id=key, body="mine", etag="1")
    ),
    "UpdateInteraction with a stale etag": lambda key: pb.UpdateInteractionRequest(
        interaction=Interaction(id=key, body="mine", etag="77")
    ),
    "UpdateInteraction of participants": lambda key: pb.UpdateInteractionRequest(
        interaction=Interaction(id=key, participants=[Participant(new_contact={"given_name": "Spy"})])
    ),
    "UpdateInteraction of nothing": lambda key: pb.UpdateInteractionRequest(interaction=Interaction(id=key)),
    "UpdateInteraction by request_id": lambda key: pb.UpdateInteractionRequest(
        interaction=Interaction(id=key, subject="mine"), request_id=new_request_id()
    ),
    "DeleteInteraction": lambda key: pb.DeleteInteractionRequest(id=key),
    "DeleteInteraction with a stale etag": lambda key: pb.DeleteInteractionRequest(id=key, etag="77"),
    "UndeleteInteraction": lambda key: pb.UndeleteInteractionRequest(id=key),
    "UndeleteInteraction of a deleted one": lambda key: pb.UndeleteInteractionRequest(id=key),
}

# Each call that names a contact.
ON_A_CONTACT: dict[str, Callable[[str, str], Message]] = {
    "CreateInteraction": lambda key, own: pb.CreateInteractionRequest(interaction=with_contact(key)),
    "CreateInteraction by request_id": lambda key, own: pb.CreateInteractionRequest(
        interaction=with_contact(key), request_id=new_request_id()
    ),
    "CreateInteraction with a new one": lambda key, own: pb.CreateInteractionRequest(
        interaction=Interaction(
            type=CALL, participants=[Participant(new_contact={"given_name": "New"}), Participant(contact_id=key)]
        )
    ),
    "BatchCreateInteractions": lambda key, own: pb.BatchCreateInteractionsRequest(
        requests=[
            pb.CreateInteractionRequest(interaction=Interaction(type=CALL)),
            pb.CreateInteractionRequest(interaction=with_contact(key)),
        ]
    ),
    "UpdateInteraction": lambda key, own: pb.UpdateInteractionRequest(
        interaction=Interaction(id=own, subject="mine", participants=[Participant(contact_id=key)])
    ),
    "ListInteractions": lambda key, own: pb.ListInteractionsRequest(contact_id=key),
    "ListInteractions of all": lambda key, own: pb.ListInteractionsRequest(contact_ids_all=[key]),
    "ListInteractions of any": lambda key, own: pb.ListInteractionsRequest(contact_ids_any=[key]),
    "SearchInteractions of all": lambda key, own: pb.SearchInteractionsRequest(query="x", contact_ids_all=[key]),
    "SearchInteractions of any": lambda key, own: pb.SearchInteractionsRequest(query="x", contact_ids_any=[key]),
}


def with_contact(contact_id: str) -> Interaction:
    return Interaction(type=CALL, participants=[Participant(contact_id=contact_id)])


def test_every_call_that_is_built_is_tried_here() -> None:
    tried = {name.split()[0] for name in (*ON_AN_INTERACTION, *ON_A_CONTACT)}
    assert built(pb, "InteractionService", Interactions) == tried


async def send(log: Log, request: Message) -> Any:
    name = type(request).__name__.removesuffix("Request")
    return await getattr(log.stub, name)(request, metadata=log.tenant)


@pytest.mark.parametrize("call", ON_AN_INTERACTION)
async def test_another_tenants_interaction_is_answered_like_none_at_all(
    log: Log, bobs_log: Log, book: Book, as_superuser: Connection, call: str
) -> None:
    made = await log.create(await book.create(given_name="Ada"), source_uid="mail-1")
    if call.endswith("deleted one"):
        await log.delete(made.id)
    before = await everything_of(as_superuser, tenant_of(log.tenant))
    request, nobody = ON_AN_INTERACTION[call], random_id()

    foreign = await failure(send(bobs_log, request(made.id)))
    missing = await failure(send(bobs_log, request(nobody)))
    assert (foreign.code, foreign.reason) == (grpc.StatusCode.NOT_FOUND, "INTERACTION_NOT_FOUND")
    assert without(foreign, made.id) == without(missing, nobody)
    assert await everything_of(as_superuser, tenant_of(log.tenant)) == before
    own = await outcome(send(log, request(made.id)))
    expected = {"stale etag": "ETAG_MISMATCH", "UndeleteInteraction": "INTERACTION_NOT_DELETED"}
    assert own == next((reason for end, reason in expected.items() if call.endswith(end)), "")


@pytest.mark.parametrize("call", ON_A_CONTACT)
async def test_another_tenants_contact_is_answered_like_none_at_all(
    log: Log, bobs_log: Log, book: Book, bobs: Book, as_superuser: Connection, call: str
) -> None:
    hers, his = await book.create(given_name="Ada"), await bobs.create(given_name="Bert")
    interaction = await bobs_log.create(his, subject="his")
    before = [await everything_of(as_superuser, tenant_of(each.tenant)) for each in (book, bobs)]
    request, nobody = ON_A_CONTACT[call], random_id()

    foreign = await failure(send(bobs_log, request(hers.id, interaction.id)))
    missing = await failure(send(bobs_log, request(nobody, interaction.id)))
    assert (foreign.code, foreign.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")
    assert without(foreign, hers.id) == without(missing, nobody)
    assert [await everything_of(as_superuser, tenant_of(each.tenant)) for each in (book, bobs)] == before
    assert await outcome(send(bobs_log, request(his.id, interaction.id))) == ""


async def test_another_tenants_integration_is_answered_like_none_at_all(
    log: Log, bobs_log: Log, interactions: InteractionsClient
) -> None:
    hers = await Accounts(interactions, log.tenant).create()
    nobody = random_id()
    foreign = await failure(bobs_log.create(integration_id=hers.id))
    assert foreign.reason == "INTEGRATION_NOT_FOUND"
    assert without(foreign, hers.id) == without(await failure(bobs_log.create(integration_id=nobody)), nobody)
    await log.create(integration_id=hers.id, subject="hers")
    assert await bobs_log.subjects(integration_id=hers.id) == []
    assert await log.subjects(integration_id=hers.id) == ["hers"]


async def test_lists_and_totals_hold_the_tenants_own(log: Log, bobs_log: Log) -> None:
    for owner, name, count in ((log, "Ada", 5), (bobs_log, "Bert", 3)):
        for _ in range(count):
            await owner.create(subject=name, thread_uid="t", source_uid=random_id())
    for arguments in ({}, {"thread_uid": "t"}, {"order_by": "create_time"}, {"show_deleted": True}):
        for owner, name, count in ((log, "Ada", 5), (bobs_log, "Bert", 3)):
            assert await owner.subjects(page_size=2, **arguments) == [name] * count
            assert (await owner.page(include_total_size=True, **arguments)).total_size == count


async def test_keys_and_request_ids_may_be_the_same_in_two_tenants(log: Log, bobs_log: Log) -> None:
    request_id = new_request_id()
    hers = await log.create(subject="hers", source_uid="mail-1", request_id=request_id)
    his = await bobs_log.create(subject="his", source_uid="mail-1", request_id=request_id)
    assert (hers.subject, his.subject) == ("hers", "his")
    token = None
    for owner in (log, bobs_log):
        await owner.create()
        token = token or (await owner.page(page_size=1)).next_page_token
    assert (await failure(bobs_log.page(page_token=token))).reason == "PAGE_TOKEN_INVALID"


async def test_tenants_with_the_same_data_never_affect_each_other(
    client: Client, interactions: InteractionsClient
) -> None:
    """Connections go from tenant to tenant; what one bound, the next must not see."""
    tenants = [await client.new_tenant() for _ in range(8)]

    async def live(tenant: Any, count: int) -> None:
        book, log = Book(client, tenant), Log(interactions, tenant)
        contact = await book.create(given_name="Same", source_uid="same")
        for i in range(count):
            await log.create(contact, subject="same", source_uid=str(i))
            assert await log.subjects(contact_id=contact.id, page_size=3) == ["same"] * (i + 1)

    await asyncio.gather(*(live(tenant, 2 + i) for i, tenant in enumerate(tenants)))
    strengths = []
    for tenant in tenants:
        [contact] = (await Book(client, tenant).page()).contacts
        strengths.append(contact.relationship_strength)
    assert strengths == sorted(strengths)
    assert strengths[0] < strengths[-1]
