"""Fills a database with tenants and contacts as address books hold them, by SQL."""

from __future__ import annotations

import uuid

from tests.postgres import Connection, bound

GIVEN = "Anna Ben Carla David Émile Fatima Giorgio Hannah Ivan Jürgen Katarzyna Liam María Noah Olga Rosa Søren Wei Zoë"
FAMILY = (
    "Müller Smith García Rossi Nowak Ivanova Schneider Johansson Papadopoulos O'Brien Kowalski Yamamoto Chen Fernández "
    "Dubois Jensen Horváth Popescu Silva Sørensen"
)
COMPANIES = ["Acme GmbH", "Globex Corporation", "Initech", "Umbrella AG", "Wayne Enterprises", "Vandelay Imports"]

# One or two e-mails, a phone, an organization for two in three, a note for every other one.
FILL = """
    INSERT INTO contacts (
        user_id, display_name, sort_name, given_name, family_name, organization_name, notes, emails, phones, source_uid
    )
    SELECT
        $1::uuid, given || ' ' || family, app.fold(family || ' ' || given), given, family,
        CASE WHEN n % 3 > 0 THEN ($5::text[])[1 + n % cardinality($5)] END,
        CASE WHEN n % 2 = 0 THEN 'Met at the conference in ' || 1990 + n % 30 END,
        jsonb_build_array(
            jsonb_build_object('value', address || '@example.com', 'label', 'work', 'primary', true)
        ) || CASE n % 3 WHEN 0 THEN
            jsonb_build_array(jsonb_build_object('value', address || '@mail.example', 'label', 'home')) ELSE '[]' END,
        jsonb_build_array(jsonb_build_object(
            'value', '0171 ' || number, 'label', 'mobile', 'region', 'DE', 'e164', '+49171' || number
        )),
        CASE WHEN n % 10 = 0 THEN 'uid-' || n END
    FROM generate_series(1, $2) AS n
    CROSS JOIN LATERAL (
        SELECT
            ($3::text[])[1 + (n * 7 + n / 13) % cardinality($3)],
            ($4::text[])[1 + (n * 11 + n / 7) % cardinality($4)]
    ) AS name (given, family)
    CROSS JOIN LATERAL (
        SELECT
            app.fold(given || '.' || family) || '.' || left($1::uuid::text, 4) || n,
            1000000 + abs(hashtext($1::uuid::text || n)) % 9000000
    ) AS made (address, number)
"""


async def fill(superuser: Connection, contacts: Connection, tenants: int, each: int) -> list[uuid.UUID]:
    """Adds tenants, each with so many contacts in one statement, as an import makes them; returns their ids."""
    ids = [
        row[0]
        for row in await superuser.fetch(
            "INSERT INTO users (display_name) SELECT 'Tenant' FROM generate_series(1, $1) RETURNING id", tenants
        )
    ]
    for tenant in ids:
        async with bound(contacts, tenant):
            await contacts.execute(FILL, tenant, each, GIVEN.split(), FAMILY.split(), COMPANIES)
    return ids


# Two tags of twenty for each contact, one employment in one of twenty organizations, and a consent that holds.
HANG = """
    INSERT INTO tags (user_id, name, name_key, sort_name)
    SELECT u.id, 'Tag ' || n, 'tag ' || n, 'tag ' || n FROM users AS u CROSS JOIN generate_series(1, 20) AS n;
    INSERT INTO organizations (user_id, name, name_key, sort_name)
    SELECT u.id, 'Company ' || n, 'company ' || n, 'company ' || n
    FROM users AS u CROSS JOIN generate_series(1, 20) AS n;
    CREATE TEMPORARY TABLE numbered AS
        SELECT user_id, id, row_number() OVER (PARTITION BY user_id ORDER BY id) % 20 AS n FROM contacts;
    INSERT INTO contact_tags (user_id, contact_id, tag_id)
    SELECT c.user_id, c.id, t.id
    FROM numbered AS c
    JOIN tags AS t ON t.user_id = c.user_id AND t.name_key IN ('tag ' || 1 + c.n, 'tag ' || 1 + (c.n + 7) % 20);
    INSERT INTO contact_employments (user_id, contact_id, organization_id, job_title, start_year, is_current)
    SELECT c.user_id, c.id, o.id, 'Engineer', 2000 + c.n, true
    FROM numbered AS c
    JOIN organizations AS o ON o.user_id = c.user_id AND o.name_key = 'company ' || 1 + c.n;
    INSERT INTO consent_states (user_id, contact_id, purpose, status, consent_id)
    SELECT c.user_id, c.id, 'ai_processing', 'GRANTED', c.id FROM numbered AS c;
    DROP TABLE numbered;
"""


async def hang(superuser: Connection) -> None:
    """Gives all contacts tags, employments and consents; without triggers, and so without audit rows."""
    async with superuser.transaction():
        await superuser.execute("SET LOCAL session_replication_role = replica")
        await superuser.execute("DELETE FROM contact_tags; DELETE FROM contact_employments; DELETE FROM consent_states")
        await superuser.execute("DELETE FROM tags; DELETE FROM organizations")
        await superuser.execute(HANG)
