"""What holds by the declarations of people follows from their history, for every moment and whoever was merged."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.postgres import Connection, bound

START = datetime(2026, 1, 1, tzinfo=UTC)
EVER = datetime(9999, 1, 1, tzinfo=UTC)
PERMISSIONS = ("CONSENT", "EXPLICIT_CONSENT", "PARENTAL_CONSENT")
PURPOSES = ("ai_processing", "research")

STATUS = """
    SELECT moment, purpose, status, consent_id
    FROM unnest($3::timestamptz[]) AS asked (moment)
    CROSS JOIN LATERAL app.consent_status($1, ARRAY[$2::uuid], moment)
"""
STATES = "SELECT purpose, status, consent_id FROM consent_states WHERE user_id = $1 AND subject_id = $2"

# By person, 0 the user: by purpose, what holds and the declaration that decided it.
Held = dict[str, tuple[str, uuid.UUID]]


@dataclass(frozen=True)
class Declaration:
    """One record; place: its second since START; expires: its second, None for never."""

    id: uuid.UUID
    person: int
    place: int
    type: str
    purpose: str
    expires: int | None = None
    withdrawn: Declaration | None = None


@dataclass
class People:
    """A tenant with contacts. persons[0] is the user."""

    conn: Connection
    tenant: uuid.UUID
    persons: list[uuid.UUID]

    @asynccontextmanager
    async def bound(self) -> AsyncIterator[Connection]:
        async with bound(self.conn, self.tenant) as conn:
            yield conn

    async def declare(self, conn: Connection, made: Declaration) -> None:
        expires_at = None if made.expires is None else at(made.expires)
        await conn.execute(
            "INSERT INTO consent_records (user_id, id, contact_id, type, purpose, legal_basis, created_at, expires_at,"
            " withdrawn_consent_id) VALUES ($1, $2, $3, $4, $5, 'CONSENT', $6, $7, $8)",
            self.tenant,
            made.id,
            self.persons[made.person] if made.person else None,
            made.type,
            made.purpose,
            at(made.place),
            expires_at,
            made.withdrawn and made.withdrawn.id,
        )

    async def merge(self, conn: Connection, survivor: int, duplicate: int) -> None:
        await conn.execute(
            "UPDATE contact_redirects SET survivor_id = $2 WHERE user_id = $1 AND survivor_id = $3",
            self.tenant,
            self.persons[survivor],
            self.persons[duplicate],
        )
        await conn.execute(
            "INSERT INTO contact_redirects (user_id, contact_id, survivor_id, merge_id)"
            " VALUES ($1, $2, $3, gen_random_uuid())",
            self.tenant,
            self.persons[duplicate],
            self.persons[survivor],
        )

    async def states(self, conn: Connection, person: int) -> Held:
        rows = await conn.fetch(STATES, self.tenant, self.persons[person])
        return {row["purpose"]: (row["status"], row["consent_id"]) for row in rows}

    async def held(self, conn: Connection, person: int, moments: list[datetime]) -> list[Held]:
        """What held at each moment."""
        found: dict[datetime, Held] = {moment: {} for moment in moments}
        for row in await conn.fetch(STATUS, self.tenant, self.persons[person], moments):
            assert row["purpose"] not in found[row["moment"]]
            found[row["moment"]][row["purpose"]] = (row["status"], row["consent_id"])
        return list(found.values())


@asynccontextmanager
async def people_of(conn: Connection, contacts: int) -> AsyncIterator[People]:
    tenant = await conn.fetchval("INSERT INTO users (display_name) VALUES ('Somebody') RETURNING id")
    async with bound(conn, tenant):
        rows = await conn.fetch(
            "INSERT INTO contacts (user_id, display_name, sort_name)"
            " SELECT $1, 'Ada', 'ada' FROM generate_series(1, $2) RETURNING id",
            tenant,
            contacts,
        )
    yield People(conn, tenant, [tenant, *(row["id"] for row in rows)])


@pytest_asyncio.fixture
async def people(as_superuser: Connection) -> AsyncIterator[People]:
    async with people_of(as_superuser, 3) as people:
        yield people


def at(place: int) -> datetime:
    return START + timedelta(seconds=place)


def expected(history: list[Declaration], ids: set[int], moment: datetime) -> Held:
    """What holds for one person, whose declarations are under some ids, said once more and without SQL."""
    held: Held = {}
    for purpose in PURPOSES:
        of_purpose = [d for d in history if d.purpose == purpose and at(d.place) <= moment]
        own = {d.id for d in of_purpose if d.person in ids}
        counting = [d for d in of_purpose if d.id in own or (d.withdrawn is not None and d.withdrawn.id in own)]
        withdrawn = {d.withdrawn.id for d in counting if d.withdrawn is not None}
        permission = objection = withdrawal = None
        for made in counting:
            if made.type in PERMISSIONS:
                permission, objection, withdrawal = made, None, None
            elif made.type == "OBJECTION" and made.id not in withdrawn:
                objection = made
            elif made.withdrawn is not None and made.withdrawn.type != "OBJECTION":
                withdrawal = made
        if objection is not None:
            held[purpose] = ("OBJECTED", objection.id)
        elif withdrawal is not None:
            held[purpose] = ("WITHDRAWN", withdrawal.id)
        elif permission is not None:
            over = permission.expires is not None and at(permission.expires) <= moment
            held[purpose] = ("EXPIRED" if over else "GRANTED", permission.id)
    return held


@st.composite
def histories(draw: st.DrawFn, people: int) -> list[Declaration]:
    """Declarations in their order, of several people, some of which withdraw earlier ones."""
    history: list[Declaration] = []
    withdrawn: set[uuid.UUID] = set()
    for place in range(draw(st.integers(1, 14))):
        person = draw(st.integers(0, people))
        open_to_withdrawal = [d for d in history if d.type != "WITHDRAWAL" and d.id not in withdrawn]
        made = Declaration(uuid.uuid4(), person, place, "OBJECTION", draw(st.sampled_from(PURPOSES)))
        kind = draw(st.sampled_from(["PERMISSION", "OBJECTION", "WITHDRAWAL"]))
        if kind == "WITHDRAWAL" and open_to_withdrawal:
            other = draw(st.sampled_from(open_to_withdrawal))
            withdrawn.add(other.id)
            # Whoever withdraws is the one who declared it, or the contact into which that one was merged.
            by = other.person and draw(st.sampled_from([other.person, other.person, draw(st.integers(1, people))]))
            made = replace(made, person=by, type="WITHDRAWAL", purpose=other.purpose, withdrawn=other)
        elif kind == "PERMISSION":
            expires = draw(st.none() | st.integers(place + 1, place + 5))
            made = replace(made, type=draw(st.sampled_from(PERMISSIONS)), expires=expires)
        history.append(made)
    return history


def at_all_times(held: Held) -> Held:
    """As consent_states keeps it, where an expired permission is one with its time."""
    return {purpose: (status.replace("EXPIRED", "GRANTED"), made) for purpose, (status, made) in held.items()}


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=histories(3), merged_at=st.integers(0, 14), undone=st.booleans())
async def test_any_history_means_the_same_in_sql_at_every_moment(
    as_superuser: Connection, history: list[Declaration], merged_at: int, undone: bool
) -> None:
    async with people_of(as_superuser, 3) as people, people.bound() as conn:

        async def agrees(groups: dict[int, set[int]], so_far: list[Declaration]) -> None:
            for person in range(4):
                ids = groups.get(person, {person})
                states = await people.states(conn, person)
                # Who was merged has no state of its own.
                merged = any(person in group and person != survivor for survivor, group in groups.items())
                assert states == ({} if merged else at_all_times(expected(so_far, ids, EVER)))
                if not merged:
                    moments = [at(place) for place in range(-1, len(history) + 6)]
                    wanted = [expected(so_far, ids, moment) for moment in moments]
                    assert await people.held(conn, person, moments) == wanted

        for made in history[:merged_at]:
            await people.declare(conn, made)
        # One after the other: what stood for the first survivor stands for the second.
        await people.merge(conn, 1, 2)
        await people.merge(conn, 3, 1)
        await agrees({3: {1, 2, 3}}, history[:merged_at])
        for made in history[merged_at:]:
            await people.declare(conn, made)
        if not undone:
            await agrees({3: {1, 2, 3}}, history)
            return
        await conn.execute("DELETE FROM contact_redirects WHERE user_id = $1", people.tenant)
        await agrees({}, history)


async def test_several_people_are_answered_at_once_and_unknown_ones_not_at_all(people: People) -> None:
    async with people.bound() as conn:
        made = [Declaration(uuid.uuid4(), person, person, "OBJECTION", "research") for person in range(3)]
        for declaration in made:
            await people.declare(conn, declaration)
        rows = await conn.fetch(
            "SELECT * FROM app.consent_status($1, $2, 'infinity')",
            people.tenant,
            [*people.persons, people.persons[0], uuid.uuid4()],
        )
        assert {row["subject_id"]: row["consent_id"] for row in rows} == {people.persons[d.person]: d.id for d in made}
        assert len(rows) == 3
        by_purpose = "SELECT count(*) FROM app.consent_status($1, $2, 'infinity', $3)"
        assert await conn.fetchval(by_purpose, people.tenant, people.persons, "research") == 3
        assert await conn.fetchval(by_purpose, people.tenant, people.persons, "other") == 0


async def test_a_declaration_is_withdrawn_once(people: People) -> None:
    first = Declaration(uuid.uuid4(), 1, 0, "CONSENT", "research")
    async with people.bound() as conn:
        await people.declare(conn, first)
        await people.declare(conn, Declaration(uuid.uuid4(), 1, 1, "WITHDRAWAL", "research", withdrawn=first))
    with pytest.raises(asyncpg.UniqueViolationError):
        async with people.bound() as conn:
            await people.declare(conn, Declaration(uuid.uuid4(), 1, 2, "WITHDRAWAL", "research", withdrawn=first))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_records SET note = 'x'",
        "DELETE FROM consent_records",
        """INSERT INTO consent_records (user_id, type, purpose, legal_basis, created_at)
        VALUES (app.current_user_id(), 'CONSENT', 'x', 'CONSENT', now())""",
        "UPDATE consent_states SET status = 'GRANTED'",
        """INSERT INTO consent_states (user_id, purpose, status, consent_id)
        VALUES (app.current_user_id(), 'x', 'GRANTED', gen_random_uuid())""",
        "DELETE FROM consent_states",
        "SELECT app.refresh_consent_states(app.current_user_id(), '{}')",
    ],
)
@pytest.mark.parametrize("role", ["pmcrm_gdpr", "pmcrm_contacts", "pmcrm_insights", "pmcrm_interactions"])
async def test_history_is_only_added_to_and_what_follows_is_nobodys_to_write(
    database: Any, people: People, role: str, statement: str
) -> None:
    async with database.connect(role) as conn:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with bound(conn, people.tenant):
                await conn.execute(statement)


@pytest.mark.parametrize(
    "columns",
    [
        {"type": "CONSENT", "purpose": "Upper"},
        {"type": "CONSENT", "purpose": "x" * 101},
        {"type": "CONSENT", "purpose": "x\n"},
        {"type": "NONE", "purpose": "x"},
        {"type": "WITHDRAWAL", "purpose": "x"},
        {"type": "OBJECTION", "purpose": "x", "expires_at": EVER},
        {"type": "CONSENT", "purpose": "x", "text_hash": b"short"},
    ],
)
async def test_what_is_no_declaration_is_refused_by_the_table(people: People, columns: dict[str, Any]) -> None:
    given = {"legal_basis": "CONSENT", **columns}
    places = ", ".join(f"${i + 2}" for i in range(len(given)))
    with pytest.raises(asyncpg.CheckViolationError):
        async with people.bound() as conn:
            await conn.execute(
                f"INSERT INTO consent_records (user_id, {', '.join(given)}) VALUES ($1, {places})",
                people.tenant,
                *given.values(),
            )


async def test_purging_a_contact_leaves_the_history_and_no_state(people: People) -> None:
    async with people.bound() as conn:
        for person in (1, 2):
            await people.declare(conn, Declaration(uuid.uuid4(), person, person, "CONSENT", "research"))
        await people.merge(conn, 1, 2)
        await conn.execute("DELETE FROM contacts WHERE user_id = $1 AND id = $2", people.tenant, people.persons[1])
        # Whoever was merged stands alone again until it is purged too.
        assert set(await people.states(conn, 2)) == {"research"}
        await conn.execute("DELETE FROM contacts WHERE user_id = $1 AND id = $2", people.tenant, people.persons[2])
        assert await conn.fetchval("SELECT count(*) FROM consent_states WHERE user_id = $1", people.tenant) == 0
        assert await conn.fetchval("SELECT count(*) FROM consent_records WHERE user_id = $1", people.tenant) == 2


@pytest.mark.parametrize("role", [None, "pmcrm_service"])
async def test_a_tenant_goes_with_its_declarations(people: People, database: Any, role: str | None) -> None:
    first = Declaration(uuid.uuid4(), 1, 0, "CONSENT", "ai_processing")
    async with people.bound() as conn:
        await people.declare(conn, first)
        await people.declare(conn, Declaration(uuid.uuid4(), 0, 1, "OBJECTION", "ai_processing"))
        await people.merge(conn, 3, 1)
        await people.declare(conn, Declaration(uuid.uuid4(), 3, 2, "WITHDRAWAL", "ai_processing", withdrawn=first))
    async with database.connect(role) as conn, bound(conn, people.tenant if role else None):
        await conn.execute("DELETE FROM users WHERE id = $1", people.tenant)
    for table in ("consent_records", "consent_states"):
        assert await people.conn.fetchval(f"SELECT count(*) FROM {table} WHERE user_id = $1", people.tenant) == 0


async def test_the_users_own_refusal_stands_over_what_contacts_permit(people: People) -> None:
    permitted = "SELECT contact_id, until FROM app.ai_permissions($1, $2)"

    async def of(conn: Connection) -> dict[uuid.UUID, Any]:
        return dict(await conn.fetch(permitted, people.tenant, people.persons[1:]))

    now = (datetime.now(UTC) - START).days * 86_400
    later = now + 10 * 86_400
    async with people.bound() as conn:
        await people.declare(conn, Declaration(uuid.uuid4(), 1, now, "CONSENT", "ai_processing"))
        await people.declare(conn, Declaration(uuid.uuid4(), 2, now, "CONSENT", "ai_processing", expires=later))
        await people.declare(conn, Declaration(uuid.uuid4(), 3, now, "CONSENT", "research"))
        permitting = set(people.persons[1:3])
        assert (await of(conn))[people.persons[2]] == at(later)
        assert set(await of(conn)) == permitting
        objection = Declaration(uuid.uuid4(), 0, now + 1, "OBJECTION", "ai_processing")
        await people.declare(conn, objection)
        assert await of(conn) == {}
        await people.declare(
            conn, Declaration(uuid.uuid4(), 0, now + 2, "WITHDRAWAL", "ai_processing", withdrawn=objection)
        )
        assert set(await of(conn)) == permitting
        await conn.execute("UPDATE contacts SET processing_restricted = true WHERE id = $1", people.persons[1])
        assert set(await of(conn)) == {people.persons[2]}
