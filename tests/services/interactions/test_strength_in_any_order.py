"""Strength and last contact come out the same whatever the order of calls, and whoever makes them at once."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import grpc.aio
import pytest
from pmcrm.contacts.v1 import contact_merge_pb2 as merges
from pmcrm.interactions.v1 import interaction_pb2 as kinds
from pmcrm.interactions.v1.interaction_pb2 import Interaction, Participant

from tests.postgres import Connection
from tests.services.contacts.calls import Book
from tests.services.interactions.interaction_calls import Log, at
from tests.suite import Failure, tenant_of

CONTACTS, CLIENTS, CALLS = 5, 6, 25

# What may well happen to a call among many: another one was there first.
OVERTAKEN = {
    *("INTERACTION_NOT_FOUND", "INTERACTION_NOT_DELETED", "ETAG_MISMATCH", "CONTACT_NOT_FOUND", "CONCURRENT_CHANGE"),
    *("FIELD_INVALID",),  # two ids of one interaction that were merged meanwhile
}

SCRATCH = """
    SELECT
        s.computed, s.last_contact_at, derived.computed AS expected, derived.last_contact_at AS expected_last
    FROM contact_strengths AS s, app.strength(s.user_id, ARRAY[s.contact_id], clock_timestamp()) AS derived
    WHERE s.user_id = $1::uuid
"""


class Somebody:
    """A client that does this and that, chosen by its own random numbers."""

    def __init__(self, log: Log, contacts: list[str], made: list[str], seed: int) -> None:
        self.log = log
        self.contacts = contacts
        self.made = made
        self.random = random.Random(seed)

    def interaction(self, **fields: Any) -> Interaction:
        choice = self.random
        who = choice.sample(self.contacts, choice.randint(1, 3))
        return Interaction(
            type=choice.choice(
                [kinds.INTERACTION_TYPE_MEETING, kinds.INTERACTION_TYPE_EMAIL, kinds.INTERACTION_TYPE_NOTE]
            ),
            direction=choice.choice([0, 1, 2, 3]),  # type: ignore[arg-type]
            occur_time=at(days=choice.uniform(-2, 200)),
            participants=[Participant(contact_id=each, role=choice.choice([0, 1, 6])) for each in who],  # type: ignore[arg-type]
            **fields,
        )

    async def act(self) -> None:
        deed = self.random.choice(["create", "create", "batch", "update", "participants", "delete", "undelete"])
        if deed == "create" or not self.made:
            self.made.append((await self.log.put_new(self.interaction())).id)
        elif deed == "batch":
            batch = await self.log.create_many(*(self.interaction() for _ in range(3)))
            self.made.extend(each.id for each in batch)
        else:
            target = self.random.choice(self.made)
            if deed == "delete":
                await self.log.delete(target)
            elif deed == "undelete":
                await self.log.undelete(target)
            elif deed == "update":
                await self.log.put(self.interaction(id=target), "type", "direction", "occur_time")
            else:
                await self.log.put(self.interaction(id=target), "participants")

    async def live(self) -> int:
        """Makes its calls; returns how many succeeded."""
        done = 0
        for _ in range(CALLS):
            try:
                await self.act()
                done += 1
            except grpc.aio.AioRpcError as error:
                refused = Failure(error)
                if refused.reason not in OVERTAKEN:
                    raise AssertionError(refused) from error
        return done


@pytest.mark.parametrize("seed", range(3))
async def test_parallel_clients_leave_what_a_computation_from_scratch_gives(
    log: Log, book: Book, as_superuser: Connection, seed: int
) -> None:
    contacts = [contact.id for contact in await book.create_many(*({"given_name": str(i)} for i in range(CONTACTS)))]
    made: list[str] = []
    clients = [Somebody(log, contacts, made, seed * 100 + i) for i in range(CLIENTS)]

    async def merge_and_undo() -> int:
        merge = await book.stub.MergeContacts(
            merges.MergeContactsRequest(id=contacts[0], duplicate_ids=[contacts[1]]), metadata=book.tenant
        )
        await asyncio.sleep(0.1)
        await book.stub.UnmergeContacts(merges.UnmergeContactsRequest(merge_id=merge.merge_id), metadata=book.tenant)
        return 0

    done = await asyncio.gather(*(client.live() for client in clients), merge_and_undo())
    assert sum(done) > CLIENTS * CALLS / 2

    rows = await as_superuser.fetch(SCRATCH, tenant_of(log.tenant))
    assert len(rows) == CONTACTS
    assert [(row["computed"], row["last_contact_at"]) for row in rows] == [
        (row["expected"], row["expected_last"]) for row in rows
    ]
    assert len({row["computed"] for row in rows}) > 1, "they are not all the same"


async def test_the_order_of_calls_makes_no_difference(log: Log, book: Book, as_superuser: Connection) -> None:
    one, other = [contact.id for contact in await book.create_many({"given_name": "A"}, {"given_name": "B"})]
    wanted: list[dict[str, Any]] = [
        {"type": kind, "occur_time": at(days=days), "direction": direction}
        for days, (kind, direction) in enumerate([(1, 1), (2, 3), (3, 2), (1, 2), (5, 0), (6, 1), (8, 3)])
    ]
    for fields in wanted:
        await log.create(one, **fields)
    gone = [await log.create(other, type=2, occur_time=at()) for _ in range(3)]
    backwards = [Interaction(participants=[Participant(contact_id=other)], **fields) for fields in wanted[::-1]]
    await log.create_many(*backwards)
    for interaction in gone:
        await log.delete(interaction.id)
    strengths = await as_superuser.fetch(
        "SELECT computed, last_contact_at FROM contact_strengths WHERE user_id = $1::uuid", tenant_of(log.tenant)
    )
    assert strengths[0] == strengths[1]
    assert strengths[0]["computed"] > 3
