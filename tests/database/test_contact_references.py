"""A merge knows every foreign key that points at contacts: none that a later table adds can be forgotten."""

from __future__ import annotations

import pytest

from tests.postgres import Connection

# Every foreign key to contacts, as the catalog has it: (table, column).
FOREIGN_KEYS = """
    SELECT c.relname AS table_name, a.attname AS column_name
    FROM pg_constraint AS k
    JOIN pg_class AS c ON c.oid = k.conrelid
    JOIN unnest(k.conkey, k.confkey) AS pair (ours, theirs) ON true
    JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = pair.ours
    JOIN pg_attribute AS b ON b.attrelid = k.confrelid AND b.attnum = pair.theirs
    WHERE k.contype = 'f' AND k.confrelid = 'contacts'::regclass AND k.conparentid = 0 AND b.attname = 'id'
"""


async def problems(conn: Connection) -> list[str]:
    """What app.contact_references() lacks or has too much, compared with the catalog."""
    keys = {tuple(row) for row in await conn.fetch(FOREIGN_KEYS)}
    assert keys, "contacts are referred to"
    handled = [tuple(row) for row in await conn.fetch("SELECT table_name, column_name FROM app.contact_references()")]
    found = [f"{table}.{column} is not handled by merges" for table, column in keys - set(handled)]
    found += [f"{table}.{column} refers to no contact" for table, column in set(handled) - keys]
    return found + [f"{pair} stands there twice" for pair in set(handled) if handled.count(pair) > 1]


async def test_every_foreign_key_to_contacts_is_handled_by_merges(as_superuser: Connection) -> None:
    assert await problems(as_superuser) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            """
            CREATE TABLE visits (user_id uuid, id uuid, guest_id uuid, PRIMARY KEY (user_id, id),
                FOREIGN KEY (user_id, guest_id) REFERENCES contacts (user_id, id))
            """,
            "visits.guest_id is not handled by merges",
        ),
        (
            """
            ALTER TABLE organizations ADD owner_id uuid,
                ADD FOREIGN KEY (user_id, owner_id) REFERENCES contacts (user_id, id)
            """,
            "organizations.owner_id is not handled by merges",
        ),
        ("ALTER TABLE contact_tags RENAME contact_id TO person_id", "contact_tags.contact_id refers to no contact"),
        ("DROP TABLE contact_redirects CASCADE", "contact_redirects.survivor_id refers to no contact"),
    ],
)
async def test_a_key_that_is_forgotten_or_gone_is_noticed(as_superuser: Connection, change: str, problem: str) -> None:
    transaction = as_superuser.transaction()
    await transaction.start()
    try:
        await as_superuser.execute(change)
        found = await problems(as_superuser)
    finally:
        await transaction.rollback()
    assert problem in found


async def test_what_is_said_of_a_table_is_the_same_for_its_columns_and_holds_of_it(as_superuser: Connection) -> None:
    rows = await as_superuser.fetch("SELECT * FROM app.contact_references()")
    assert {row["handling"] for row in rows} == {"MOVED", "STAYS"}
    said: dict[str, tuple[object, ...]] = {}
    for row in rows:
        if row["handling"] == "STAYS":
            assert (row["kind"], row["same"], row["living"]) == (None, None, None)
            continue
        about = (row["kind"], row["same"], row["living"])
        assert said.setdefault(row["table_name"], about) == about
        # The expressions are those of its columns.
        await as_superuser.fetch(
            f"SELECT {', '.join(row['same'] or ['1'])} FROM {row['table_name']} WHERE {row['living']}"
        )
    assert {"contact_tags", "contact_employments", "contact_links", "contact_redirects"} <= said.keys()
