"""No merge and no undoing of one shows, changes or betrays another tenant's contacts and merges."""

from __future__ import annotations

import uuid

import asyncpg
import pytest

from tests.postgres import Connection, bound
from tests.services.contacts.calls import Book, random_id
from tests.services.contacts.merge_calls import merge, unmerge
from tests.services.contacts.test_isolation import everything_of, outcome, without
from tests.suite import failure, tenant_of


async def alike(book: Book) -> tuple[str, str, str]:
    """The same three contacts, whoever's book it is."""
    made = await book.create_many(*({"given_name": name, "source_uid": name} for name in ("Ada", "Augusta", "Byron")))
    return made[0].id, made[1].id, made[2].id


@pytest.mark.parametrize("place", ["id", "duplicate", "second duplicate", "merged duplicate"])
async def test_another_tenants_contact_is_answered_like_none_at_all(
    book: Book, bobs: Book, as_superuser: Connection, place: str
) -> None:
    hers, his = await alike(book), await alike(bobs)
    asked = hers[1]
    if place.startswith("merged"):
        await merge(book, hers[0], asked)
    before = await everything_of(as_superuser, tenant_of(book.tenant))
    before_his = await everything_of(as_superuser, tenant_of(bobs.tenant))

    def ids(other: str) -> list[str]:
        return {"id": [other, his[0]], "second duplicate": [his[0], his[1], other]}.get(place, [his[0], other])

    nobody = random_id()
    foreign, missing = await failure(merge(bobs, *ids(asked))), await failure(merge(bobs, *ids(nobody)))
    assert foreign.reason == "CONTACT_NOT_FOUND"
    assert (foreign.code, without(foreign, asked)) == (missing.code, without(missing, nobody))
    assert await everything_of(as_superuser, tenant_of(book.tenant)) == before
    assert await everything_of(as_superuser, tenant_of(bobs.tenant)) == before_his
    assert await outcome(merge(bobs, *ids(his[2]))) == ""


async def test_another_tenants_merge_is_answered_like_none_at_all(
    book: Book, bobs: Book, as_superuser: Connection
) -> None:
    hers, his = await alike(book), await alike(bobs)
    merge_id = (await merge(book, *hers)).merge_id
    await merge(bobs, *his)
    before = await everything_of(as_superuser, tenant_of(book.tenant))
    nobody = random_id()
    foreign, missing = await failure(unmerge(bobs, merge_id)), await failure(unmerge(bobs, nobody))
    assert foreign.reason == "MERGE_NOT_FOUND"
    assert (foreign.code, without(foreign, merge_id)) == (missing.code, without(missing, nobody))
    assert await everything_of(as_superuser, tenant_of(book.tenant)) == before
    assert await outcome(unmerge(book, merge_id)) == ""


async def test_a_merged_contacts_id_stands_for_nobody_in_another_tenant(book: Book, bobs: Book) -> None:
    hers = await alike(book)
    await merge(book, *hers)
    nobody = random_id()
    for call in (bobs.get, bobs.get_many, bobs.delete, bobs.undelete):
        foreign, missing = await failure(call(hers[1])), await failure(call(nobody))
        assert foreign.reason == "CONTACT_NOT_FOUND"
        assert without(foreign, hers[1]) == without(missing, nobody)
    assert (await book.get(hers[1])).id == hers[0]


async def test_the_functions_reach_no_further_than_the_bound_tenant(
    book: Book, bobs: Book, as_contacts: Connection, as_superuser: Connection
) -> None:
    """Even asked directly, with another tenant's ids."""
    hers, his = await alike(book), await alike(bobs)
    merge_id = (await merge(book, hers[0], hers[1])).merge_id
    before = await everything_of(as_superuser, tenant_of(book.tenant))
    merging, undoing = "SELECT app.merge_contacts($1, $2, '{}', NULL)", "SELECT app.unmerge_contacts($1, '{}', false)"
    for ids in ((hers[0], [hers[2]]), (his[0], [hers[2]]), (hers[0], [his[1]])):
        with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError):
            async with bound(as_contacts, uuid.UUID(tenant_of(bobs.tenant))):
                await as_contacts.execute(merging, ids[0], ids[1])
    with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError):
        async with bound(as_contacts, uuid.UUID(tenant_of(bobs.tenant))):
            await as_contacts.execute(undoing, merge_id)
    for statement, arguments in ((merging, (hers[0], [hers[2]])), (undoing, (merge_id,))):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="no tenant is bound"):
            await as_contacts.execute(statement, *arguments)
    assert await everything_of(as_superuser, tenant_of(book.tenant)) == before
    async with bound(as_contacts, uuid.UUID(tenant_of(bobs.tenant))):
        assert await as_contacts.fetchval(merging, his[0], [his[1]])


async def test_only_the_contacts_service_merges_and_nobody_writes_the_records_by_hand(as_superuser: Connection) -> None:
    roles = await as_superuser.fetch("SELECT rolname FROM pg_roles WHERE rolname LIKE 'pmcrm%'")
    for function in ("app.merge_contacts(uuid,uuid[],jsonb,smallint)", "app.unmerge_contacts(uuid,jsonb,boolean)"):
        may = await as_superuser.fetch(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'pmcrm%' AND has_function_privilege(oid, $1, 'EXECUTE')",
            function,
        )
        assert {row[0] for row in may} == {"pmcrm_contacts", "pmcrm_owner"}
    for table in ("contact_merges", "contact_merge_rows", "contact_redirects"):
        for (role,) in roles:
            for privilege in ("INSERT", "UPDATE"):
                allowed = await as_superuser.fetchval(
                    "SELECT has_any_column_privilege($1, $2, $3)", role, table, privilege
                )
                # The service role puts an archive that was exported into an empty tenant.
                restores = (role, privilege) == ("pmcrm_service", "INSERT")
                assert allowed == (role == "pmcrm_owner" or restores), (role, table, privilege)
