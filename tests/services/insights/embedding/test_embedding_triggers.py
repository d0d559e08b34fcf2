"""What brings contacts and interactions into the queue, and what removes embeddings at once: the triggers.

Each change is made in a world that is embedded already, of one tenant of two; the other's must stay as it was.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg
import pytest
import pytest_asyncio

from tests.postgres import Connection, Database, bound
from tests.services.contacts.calls import Book
from tests.services.contacts.merge_calls import merge, unmerge
from tests.services.insights.conftest import Consents
from tests.services.insights.embedding.rows import Embeddings
from tests.services.insights.embedding.world import World
from tests.services.insights.restricting import restrict
from tests.services.interactions.interaction_calls import Log, at, taking_part
from tests.suite import Client, Metadata


@pytest_asyncio.fixture
async def world(
    client: Client,
    alice: Metadata,
    book: Book,
    log: Log,
    consents: Consents,
    as_superuser: Connection,
    rows: Embeddings,
) -> World:
    """Alice's, embedded."""
    made = World(client, alice, book, log, consents, as_superuser)
    await made.fill()
    await rows.follow()
    assert made.names(await rows.rows()) == {"ada", "grace", "lunch", "games"}
    assert await rows.queued() == {}
    return made


Change = Callable[[World], Awaitable[object]]


async def rename_the_contact(world: World) -> None:
    await world.book.update(world.ids["ada"], "given_name", given_name="Augusta")


async def change_notes(world: World) -> None:
    await world.book.update(world.ids["ada"], "notes", notes="other")


async def change_the_job_title(world: World) -> None:
    await world.book.update(world.ids["ada"], "job_title", job_title="Luthier")


async def tag(world: World) -> None:
    await world.tags.modify([world.ids["grace"]], [world.ids["tag"]])


async def untag(world: World) -> None:
    await world.tags.modify([world.ids["ada"]], remove=[world.ids["tag"]])


async def rename_the_tag(world: World) -> None:
    await world.tags.update(world.ids["tag"], "name", name="Go")


async def delete_the_tag(world: World) -> None:
    await world.tags.delete(world.ids["tag"])


async def employ(world: World) -> None:
    await world.organizations.employ(world.ids["grace"], world.ids["now"], current=True)


async def change_the_employment(world: World) -> None:
    await world.organizations.change(world.ids["job"], "job_title", job_title="Head")


async def end_the_employment(world: World) -> None:
    await world.organizations.remove(world.ids["job"])


async def rename_the_organization(world: World) -> None:
    await world.organizations.update(world.ids["now"], "name", name="Renamed")


async def rename_a_former_organization(world: World) -> None:
    await world.organizations.update(world.ids["before"], "name", name="Renamed")


async def change_the_subject(world: World) -> None:
    await world.log.update(world.ids["lunch"], "subject", subject="Dinner")


async def change_the_time(world: World) -> None:
    await world.log.update(world.ids["lunch"], "occur_time", occur_time=at(days=9))


async def add_a_participant(world: World) -> None:
    both = taking_part(world.ids["ada"], world.ids["grace"])
    await world.log.update(world.ids["lunch"], "participants", participants=both)


async def add_one_who_has_not_consented(world: World) -> None:
    both = taking_part(world.ids["ada"], world.ids["eve"])
    await world.log.update(world.ids["lunch"], "participants", participants=both)


async def remove_one_who_has_not_consented(world: World) -> None:
    await add_one_who_has_not_consented(world)
    await world.log.update(world.ids["lunch"], "participants", participants=taking_part(world.ids["ada"]))


async def delete_the_contact(world: World) -> None:
    await world.book.delete(world.ids["grace"])


async def undelete_the_contact(world: World) -> None:
    await delete_the_contact(world)
    await world.book.undelete(world.ids["grace"])


async def delete_the_interaction(world: World) -> None:
    await world.log.delete(world.ids["games"])


async def undelete_the_interaction(world: World) -> None:
    await delete_the_interaction(world)
    await world.log.undelete(world.ids["games"])


async def restrict_the_contact(world: World) -> None:
    await restrict(world.superuser, world.tenant, world.ids["grace"])


async def lift_the_restriction(world: World) -> None:
    await restrict_the_contact(world)
    await restrict(world.superuser, world.tenant, world.ids["grace"], False)


async def object_to_it(world: World) -> None:
    await world.consents.declare(world.tenant, world.ids["grace"], kind="OBJECTION")


async def consent_again(world: World) -> None:
    await object_to_it(world)
    await world.consents.declare(world.tenant, world.ids["grace"])


async def consent_for_the_first_time(world: World) -> None:
    await world.consents.declare(world.tenant, world.ids["eve"])


async def object_as_the_user(world: World) -> None:
    await world.declare_for_user("OBJECTION")


async def withdraw_the_users_objection(world: World) -> None:
    await world.declare_for_user("WITHDRAWAL", await world.declare_for_user("OBJECTION"))


async def merge_contacts(world: World) -> None:
    await merge(world.book, world.ids["ada"], world.ids["grace"])


async def unmerge_contacts(world: World) -> None:
    merged = await merge(world.book, world.ids["ada"], world.ids["grace"])
    await unmerge(world.book, merged.merge_id)


ALL = {"ada", "grace", "lunch", "games"}
CHANGES: list[tuple[Change, set[str], set[str]]] = [
    # The change, what it queues, what it removes. A merge changes what Ada has declared, and so all that rests on it.
    (rename_the_contact, set(), set()),
    (change_notes, {"ada"}, set()),
    (change_the_job_title, {"ada"}, set()),
    (tag, {"grace"}, set()),
    (untag, {"ada"}, set()),
    (rename_the_tag, {"ada"}, set()),
    (delete_the_tag, {"ada"}, set()),
    (employ, {"grace"}, set()),
    (change_the_employment, {"ada"}, set()),
    (end_the_employment, {"ada"}, set()),
    (rename_the_organization, {"ada"}, set()),
    (rename_a_former_organization, set(), set()),
    (change_the_subject, {"lunch"}, set()),
    (change_the_time, set(), set()),
    (add_a_participant, {"lunch"}, set()),
    (add_one_who_has_not_consented, set(), {"lunch"}),
    (remove_one_who_has_not_consented, {"lunch"}, {"lunch"}),
    (delete_the_contact, set(), {"grace"}),
    (undelete_the_contact, {"grace"}, {"grace"}),
    (delete_the_interaction, set(), {"games"}),
    (undelete_the_interaction, {"games"}, {"games"}),
    (restrict_the_contact, set(), {"grace", "games"}),
    (lift_the_restriction, {"grace", "games"}, {"grace", "games"}),
    (object_to_it, set(), {"grace", "games"}),
    (consent_again, {"grace", "games"}, {"grace", "games"}),
    (consent_for_the_first_time, {"eve"}, set()),
    (object_as_the_user, set(), ALL),
    (withdraw_the_users_objection, ALL, ALL),
    (merge_contacts, {"ada", "games", "lunch"}, {"grace"}),
    (unmerge_contacts, ALL, {"grace"}),
]


@pytest.mark.parametrize(("change", "queues", "removes"), CHANGES, ids=[change.__name__ for change, *_ in CHANGES])
async def test_embeddings_follow(
    world: World,
    rows: Embeddings,
    bobs_rows: Embeddings,
    bob: Metadata,
    change: Change,
    queues: set[str],
    removes: set[str],
) -> None:
    his = World(world.client, bob, Book(world.client, bob), world.log, world.consents, world.superuser)
    his_contact = await his.book.create(given_name="Ada", notes="ada")
    await his.consents.declare(bob, his_contact.id)
    await rows.follow()
    before = await bobs_rows.rows()
    assert len(before) == 1
    await change(world)
    assert world.names(await rows.queued()) == queues
    assert world.names(await rows.rows()) == ALL - removes
    assert await bobs_rows.rows() == before
    assert await bobs_rows.queued() == {}
    # Nothing is missing, nor too much, when the queue has been worked on.
    await rows.follow()
    left = world.names(await rows.rows())
    assert left >= (ALL - removes) | queues
    assert await rows.queued() == {}


async def test_a_tenant_without_consents_queues_nothing_and_pays_one_look(
    book: Book, rows: Embeddings, as_superuser: Connection
) -> None:
    ada, *_ = await book.create_many(*({"given_name": "Ada", "notes": str(i)} for i in range(3)))
    await book.update(ada.id, "notes", notes="other")
    assert await rows.queued() == {}
    async with bound(as_superuser, rows.tenant):
        await as_superuser.execute("SET LOCAL track_functions = 'all'")
        await as_superuser.execute("UPDATE contacts SET notes = 'third' WHERE user_id = $1", rows.tenant)
        calls = dict(
            await as_superuser.fetch(
                "SELECT funcname, calls FROM pg_stat_xact_user_functions WHERE funcname ~ 'embed|requeue'"
            )
        )
    assert calls == {"embed_changed_contact": 3, "may_embed": 3}


async def test_a_restriction_that_no_service_sets_leaves_no_embedding_either(
    world: World, rows: Embeddings, database: Database
) -> None:
    async with database.connect() as conn:
        with suppress(asyncpg.InsufficientPrivilegeError):  # refused is as good
            await conn.execute("UPDATE contacts SET processing_restricted = true WHERE user_id = $1", rows.tenant)
        restricted = await conn.fetchval(
            "SELECT bool_or(processing_restricted) FROM contacts WHERE user_id = $1", rows.tenant
        )
    assert world.names(await rows.rows()) == (set() if restricted else ALL)
