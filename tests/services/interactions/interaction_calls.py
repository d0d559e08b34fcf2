"""The calls that tests of interactions make most, in short."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from google.protobuf.field_mask_pb2 import FieldMask
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.interactions.v1 import interaction_service_pb2 as pb
from pmcrm.interactions.v1.interaction_pb2 import Interaction, InteractionType, Participant

from tests.suite import Metadata

if TYPE_CHECKING:  # the fixtures make what is here
    from tests.services.interactions.conftest import InteractionsClient

CALL = InteractionType.INTERACTION_TYPE_CALL


def at(**age: float) -> datetime:
    """So long before now, as interactions keep it."""
    return datetime.now(UTC) - timedelta(**age)


def taking_part(*who: Contact | str | Participant) -> list[Participant]:
    """Participants out of contacts and ids."""
    return [
        each if isinstance(each, Participant) else Participant(contact_id=each if isinstance(each, str) else each.id)
        for each in who
    ]


class Log:
    """One tenant's interactions: `await log.create(ada, subject="Lunch")`."""

    def __init__(self, client: InteractionsClient, tenant: Metadata) -> None:
        self.stub = client.interactions
        self.tenant = tenant

    async def create(self, *who: Contact | str | Participant, request_id: str = "", **fields: Any) -> Interaction:
        interaction = Interaction(**({"type": CALL} | fields), participants=taking_part(*who))
        return await self.put_new(interaction, request_id)

    async def put_new(self, interaction: Interaction, request_id: str = "") -> Interaction:
        """Creates an interaction as it is."""
        request = pb.CreateInteractionRequest(interaction=interaction, request_id=request_id)
        answer: Interaction = await self.stub.CreateInteraction(request, metadata=self.tenant)
        return answer

    async def create_many(self, *interactions: Interaction, request_id: str = "") -> list[Interaction]:
        requests = [pb.CreateInteractionRequest(interaction=each) for each in interactions]
        request = pb.BatchCreateInteractionsRequest(requests=requests, request_id=request_id)
        answer = await self.stub.BatchCreateInteractions(request, metadata=self.tenant)
        return list(answer.interactions)

    async def get(self, interaction_id: str, *paths: str) -> Interaction:
        request = pb.GetInteractionRequest(id=interaction_id, read_mask=FieldMask(paths=paths))
        answer: Interaction = await self.stub.GetInteraction(request, metadata=self.tenant)
        return answer

    async def update(self, interaction_id: str, *paths: str, request_id: str = "", **fields: Any) -> Interaction:
        request = pb.UpdateInteractionRequest(
            interaction=Interaction(id=interaction_id, **fields),
            update_mask=FieldMask(paths=paths),
            request_id=request_id,
        )
        answer: Interaction = await self.stub.UpdateInteraction(request, metadata=self.tenant)
        return answer

    async def put(self, interaction: Interaction, *paths: str) -> Interaction:
        """Sends a whole interaction back."""
        request = pb.UpdateInteractionRequest(interaction=interaction, update_mask=FieldMask(paths=paths))
        answer: Interaction = await self.stub.UpdateInteraction(request, metadata=self.tenant)
        return answer

    async def delete(self, interaction_id: str, **arguments: Any) -> Interaction:
        request = pb.DeleteInteractionRequest(id=interaction_id, **arguments)
        answer: Interaction = await self.stub.DeleteInteraction(request, metadata=self.tenant)
        return answer

    async def undelete(self, interaction_id: str, **arguments: Any) -> Interaction:
        request = pb.UndeleteInteractionRequest(id=interaction_id, **arguments)
        answer: Interaction = await self.stub.UndeleteInteraction(request, metadata=self.tenant)
        return answer

    async def page(self, **arguments: Any) -> pb.ListInteractionsResponse:
        request = pb.ListInteractionsRequest(**arguments)
        answer: pb.ListInteractionsResponse = await self.stub.ListInteractions(request, metadata=self.tenant)
        return answer

    async def pages(self, **arguments: Any) -> AsyncIterator[list[Interaction]]:
        """The pages of a list, one after the other to its end."""
        page = await self.page(**arguments)
        yield list(page.interactions)
        while page.next_page_token:
            page = await self.page(**{**arguments, "page_token": page.next_page_token, "skip": 0})
            yield list(page.interactions)

    async def subjects(self, **arguments: Any) -> list[str]:
        """The subjects of a whole list, page by page."""
        return [interaction.subject async for page in self.pages(**arguments) for interaction in page]

    async def search(self, query: str, **arguments: Any) -> pb.SearchInteractionsResponse:
        request = pb.SearchInteractionsRequest(query=query, **arguments)
        answer: pb.SearchInteractionsResponse = await self.stub.SearchInteractions(request, metadata=self.tenant)
        return answer

    async def found(self, query: str, **arguments: Any) -> list[str]:
        """The subjects of what a search finds, best first."""
        return [result.interaction.subject for result in (await self.search(query, **arguments)).results]
