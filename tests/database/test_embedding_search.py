"""Nearest vectors: exactly the tenant's own whatever others have, and no fewer where an index finds them."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest
import pytest_asyncio

from shared import vector_indexes
from shared.settings import Settings
from shared.vector_indexes import Changed, refresh_vector_indexes, refresh_where_possible
from tests.database.vectors import (
    ADD_CONTACTS,
    ADD_EMBEDDINGS,
    MODEL,
    Vector,
    add_embedded,
    brute_force,
    clustered,
    nearest,
    text,
    unit,
)
from tests.postgres import Connection, Database, bound
from tests.suite import settings_for

OTHERS, EACH, SMALL = 2_000, 500, 16
LARGE, WIDE, CLUSTERS = 10_000, 32, 60
THRESHOLD = 2_000

# Vectors of a million others, drawn from a few; a tenant's rows lie among those of all others, as they come in time.
CROWD = """
    INSERT INTO embeddings (user_id, contact_id, dimensions, model, content_hash, embedding)
    SELECT
        CASE WHEN n % $1::bigint = 7 THEN $4 ELSE lpad(to_hex(n % $1), 32, '0')::uuid END,
        CASE WHEN n % $1 = 7 THEN ($5::uuid[])[1 + n / $1] ELSE lpad(to_hex(n), 32, '0')::uuid END,
        16, 'clustered', '\\x0000000000000000000000000000000000000000000000000000000000000000',
        CASE WHEN n % $1 = 7 THEN own.vectors[1 + n / $1] ELSE pool.vectors[1 + (n * 31 + n / 7) % 1000] END
    FROM generate_series(0, $1::bigint * $2::bigint - 1) AS n
    CROSS JOIN (SELECT array_agg(vector::halfvec) AS vectors FROM unnest($3::text[]) AS vector) AS pool
    CROSS JOIN (SELECT array_agg(vector::halfvec) AS vectors FROM unnest($6::text[]) AS vector) AS own
"""

INDEXES = """
    SELECT
        coalesce('ALTER TABLE embeddings ADD ' || pg_get_constraintdef(k.oid), pg_get_indexdef(i.indexrelid)) AS command
    FROM pg_index AS i LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid
    WHERE i.indrelid = 'embeddings'::regclass
"""


async def explained(conn: Connection, tenant: uuid.UUID, query: Vector, count: int) -> int:
    """How many pages a search touches, by its own count, when the catalog has been read."""
    statement = (
        "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM app.nearest_embeddings("
        f"'{text(query)}', '{MODEL}', NULL, NULL, NULL, NULL, NULL, -1, {count})"
    )
    async with bound(conn, tenant):
        for _ in range(2):
            top = json.loads(await conn.fetchval(statement))[0]["Plan"]
    pages: int = top["Shared Hit Blocks"] + top["Shared Read Blocks"]
    return pages


async def test_a_tenant_of_500_among_a_million_vectors_gets_its_own_nearest_and_reads_no_others(fresh_database):
    tenant = uuid.uuid4()
    pool, own = clustered(1_000, SMALL, 20, 1), clustered(EACH, SMALL, 20, 2)
    ids = [uuid.uuid4() for _ in own]
    async with fresh_database.connect() as superuser:
        async with superuser.transaction():
            await superuser.execute("SET LOCAL session_replication_role = replica")
            # Written in half the time without its indexes.
            indexes = await superuser.fetch(INDEXES)
            await superuser.execute("ALTER TABLE embeddings DROP CONSTRAINT embeddings_pkey")
            await superuser.execute(
                "DROP INDEX embeddings_contact_idx, embeddings_interaction_idx, embeddings_expiry_idx"
            )
            await superuser.execute(ADD_CONTACTS, tenant, ids)
            await superuser.execute(CROWD, OTHERS, EACH, list(map(text, pool)), tenant, ids, list(map(text, own)))
            for row in indexes:
                await superuser.execute(row["command"])
        await superuser.execute("ANALYZE embeddings, contacts")
        assert await superuser.fetchval("SELECT count(*) FROM embeddings") == OTHERS * EACH
    vectors = dict(zip(ids, own, strict=True))
    async with fresh_database.connect("pmcrm_insights") as insights:
        for query in clustered(20, SMALL, 20, 3):
            assert await nearest(insights, tenant, query, 10) == brute_force(query, vectors, 10)
        pages = await explained(insights, tenant, pool[0], 10)
    # A page for each of its vectors, since others' lie between them; its range of an index; ten contacts by their keys;
    # and the few look-ups in the catalog that whether there is an index takes.
    assert pages <= EACH + 20 + 10 * 4 + 20


@dataclass(frozen=True, slots=True)
class Indexed:
    """A database in which one tenant has very many vectors and therefore an index, and another has few. A third has an
    index of vectors almost all of which have expired."""

    database: Database
    settings: Settings
    large: uuid.UUID
    vectors: dict[uuid.UUID, Vector]
    small: uuid.UUID
    few: dict[uuid.UUID, Vector]
    sparse: uuid.UUID
    living: dict[uuid.UUID, Vector]


@pytest_asyncio.fixture(scope="module")
async def indexed(database: Database) -> AsyncIterator[Indexed]:
    settings = settings_for(database, vector_index_threshold=THRESHOLD)
    large, small, sparse = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    async with database.connect() as superuser:
        vectors = await add_embedded(superuser, large, clustered(LARGE, WIDE, CLUSTERS, 4))
        few = await add_embedded(superuser, small, clustered(300, WIDE, CLUSTERS, 4))
        old = await add_embedded(superuser, sparse, clustered(THRESHOLD, WIDE, 2, 4))
        await superuser.execute("UPDATE embeddings SET valid_until = now() WHERE contact_id = ANY ($1)", list(old))
        living = await add_embedded(superuser, sparse, clustered(12, WIDE, CLUSTERS, 5))
        await superuser.execute("ANALYZE embeddings")
    assert await refreshed(database, settings) == Changed(made=2, dropped=0)
    yield Indexed(database, settings, large, vectors, small, few, sparse, living)


async def refreshed(database: Database, settings: Settings) -> Changed:
    async with database.connect("pmcrm_service") as service:
        return await refresh_vector_indexes(service, settings)


async def index_scans(database: Database) -> dict[str, int]:
    """How often each tenant's index was asked, by its name."""
    async with database.connect() as superuser:
        rows = await superuser.fetch(
            "SELECT indexrelname, idx_scan FROM pg_stat_user_indexes WHERE indexrelname LIKE 'embeddings\\_hnsw\\_%'"
        )
    return {row["indexrelname"]: row["idx_scan"] for row in rows}


async def index_name(database: Database, tenant: uuid.UUID, model: str = MODEL, dimensions: int = WIDE) -> str:
    async with database.connect() as superuser:
        name: str = await superuser.fetchval("SELECT app.vector_index_name($1, $2, $3)", tenant, model, dimensions)
    return name


async def asked_of_the_index(indexed: Indexed, tenant: uuid.UUID, kind: str | None = None) -> int:
    """How often one search of a tenant asks the large one's index."""
    async with indexed.database.connect("pmcrm_insights") as insights:

        async def count() -> int:
            await insights.execute("SELECT pg_stat_force_next_flush()")
            return sum((await index_scans(indexed.database)).values())

        before = await count()
        assert await nearest(insights, tenant, clustered(1, WIDE, CLUSTERS, 9)[0], 10, kind=kind)
        return await count() - before


async def test_an_index_finds_19_of_20_of_the_nearest_ten(indexed):
    queries = clustered(30, WIDE, CLUSTERS, 4 + 1)
    found = 0
    async with indexed.database.connect("pmcrm_insights") as insights, indexed.database.connect() as superuser:
        for query in queries:
            exact = await superuser.fetch(
                "SELECT contact_id FROM embeddings WHERE user_id = $1 "
                "ORDER BY embedding <=> $2::text::halfvec, contact_id LIMIT 10",
                indexed.large,
                text(query),
            )
            by_index = await nearest(insights, indexed.large, query, 10)
            assert len(by_index) == 10
            found += len(set(by_index) & {row["contact_id"] for row in exact})
    assert found >= 0.95 * 10 * len(queries)
    assert await asked_of_the_index(indexed, indexed.large) == 1


async def test_a_tenants_index_is_asked_for_that_tenant_alone(indexed):
    assert await asked_of_the_index(indexed, indexed.large, kind="CONTACT") == 1
    assert await asked_of_the_index(indexed, indexed.small) == 0
    async with indexed.database.connect("pmcrm_insights") as insights:
        query = clustered(1, WIDE, CLUSTERS, 6)[0]
        assert await nearest(insights, indexed.small, query, 10) == brute_force(query, indexed.few, 10)


async def test_what_an_index_finds_is_in_the_order_of_the_distances_themselves(indexed):
    query = clustered(1, WIDE, CLUSTERS, 7)[0]
    async with indexed.database.connect("pmcrm_insights") as insights:
        found = await nearest(insights, indexed.large, query, 300)
    assert len(found) == 300
    assert found == brute_force(query, {key: indexed.vectors[key] for key in found}, 300)


async def test_never_fewer_come_from_an_index_than_there_are(indexed):
    [query] = clustered(1, WIDE, 2, 4)
    async with indexed.database.connect("pmcrm_insights") as insights:
        # So that the index runs out of patience among the expired, as it does after 20 000 of them by itself.
        await insights.execute("SELECT '[1]'::halfvec; SET hnsw.max_scan_tuples = 1")
        for count in (10, 300):
            assert await nearest(insights, indexed.sparse, query, count) == brute_force(query, indexed.living, count)
    assert await asked_of_the_index(indexed, indexed.sparse) == 1


async def test_what_is_deleted_restricted_or_below_the_least_score_is_not_found_by_an_index(indexed):
    query = clustered(1, WIDE, CLUSTERS, 10)[0]
    first = brute_force(query, indexed.vectors, 6)
    change = "UPDATE contacts SET deleted_at = {}, processing_restricted = {} WHERE user_id = $1 AND id = $2"
    async with indexed.database.connect() as superuser, indexed.database.connect("pmcrm_insights") as insights:
        # Without the triggers that remove embeddings: the search looks for itself.
        await superuser.execute("SET session_replication_role = replica")
        await superuser.execute(change.format("now()", "false"), indexed.large, first[0])
        await superuser.execute(change.format("NULL", "true"), indexed.large, first[1])
        await superuser.execute("DELETE FROM embeddings WHERE contact_id = $1", first[2])
        found = await nearest(insights, indexed.large, query, 10)
        assert not set(first[:3]) & set(found)
        assert len(found) == 10
        async with bound(insights, indexed.large):
            scores = await insights.fetch(
                "SELECT score FROM app.nearest_embeddings($1::text::halfvec, $2, NULL, NULL, NULL, NULL, NULL, -1, 10)",
                text(query),
                MODEL,
            )
        least = scores[4]["score"]
        assert await nearest(insights, indexed.large, query, 10, least=least) == found[:5]
        for key in first[:2]:
            await superuser.execute(change.format("NULL", "false"), indexed.large, key)
        await superuser.execute(ADD_EMBEDDINGS, indexed.large, [first[2]], [text(indexed.vectors[first[2]])], MODEL)
        # What is written after the index was made is found by it.
        assert (await nearest(insights, indexed.large, query, 6))[:3] == first[:3]


async def test_vectors_of_other_models_and_lengths_are_passed_over(database, as_superuser, as_insights):
    tenant = uuid.uuid4()
    mine = await add_embedded(as_superuser, tenant, [[1.0, 0.0], [0.0, 1.0]])
    await as_superuser.execute("SET session_replication_role = replica")
    for key in mine:
        await as_superuser.execute(ADD_EMBEDDINGS, tenant, [key], ["[1,0]"], "another")
    stray = uuid.uuid4()
    await as_superuser.execute(ADD_CONTACTS, tenant, [stray])
    await as_superuser.execute(ADD_EMBEDDINGS, tenant, [stray], ["[1,0,0]"], MODEL)
    assert await nearest(as_insights, tenant, [1.0, 0.0], 10) == list(mine)


async def test_equals_come_by_their_ids(as_superuser, as_insights):
    tenant = uuid.uuid4()
    mine = await add_embedded(as_superuser, tenant, [[0.6, 0.8]] * 30)
    assert await nearest(as_insights, tenant, [1.0, 0.0], 20) == sorted(mine)[:20]


async def test_nobody_searches_without_a_tenant(as_insights):
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="no tenant"):
        async with bound(as_insights, None):
            await as_insights.fetch(
                "SELECT * FROM app.nearest_embeddings('[1,0]', $1, NULL, NULL, NULL, NULL, NULL, -1, 10)", MODEL
            )


async def test_an_index_is_made_beyond_the_threshold_and_dropped_below_half_of_it(fresh_database):
    settings = settings_for(fresh_database, vector_index_threshold=20)
    tenant = uuid.uuid4()
    name = await index_name(fresh_database, tenant, MODEL, 2)
    async with fresh_database.connect() as superuser:
        await superuser.execute("SET session_replication_role = replica")
        mine = list(await add_embedded(superuser, tenant, [[1.0, float(n)] for n in range(20)]))
        assert await refreshed(fresh_database, settings) == Changed(0, 0)
        mine += await add_embedded(superuser, tenant, [[1.0, 50.0]])
        assert await refreshed(fresh_database, settings) == Changed(1, 0)
        assert list(await index_scans(fresh_database)) == [name]
        assert await refreshed(fresh_database, settings) == Changed(0, 0)
        await superuser.execute("DELETE FROM embeddings WHERE contact_id = ANY ($1)", mine[10:])
        assert await refreshed(fresh_database, settings) == Changed(0, 0)
        await superuser.execute("DELETE FROM embeddings WHERE contact_id = $1", mine[0])
        assert await refreshed(fresh_database, settings) == Changed(0, 1)
    assert await index_scans(fresh_database) == {}


async def test_the_largest_tenants_get_the_indexes_that_there_may_be(fresh_database, monkeypatch):
    monkeypatch.setattr(vector_indexes, "MOST_INDEXES", 1)
    settings = settings_for(fresh_database, vector_index_threshold=3)
    tenants = {count: uuid.uuid4() for count in (5, 9, 7)}
    async with fresh_database.connect() as superuser:
        for count, tenant in tenants.items():
            await add_embedded(superuser, tenant, [[1.0, float(n)] for n in range(count)])
    assert await refreshed(fresh_database, settings) == Changed(made=1, dropped=0)
    assert list(await index_scans(fresh_database)) == [await index_name(fresh_database, tenants[9], MODEL, 2)]
    assert await refreshed(fresh_database, settings) == Changed(made=0, dropped=0)


async def test_an_index_goes_with_its_model_and_its_tenant_and_names_of_models_are_only_names(fresh_database):
    settings = settings_for(fresh_database, vector_index_threshold=5)
    first, second = uuid.uuid4(), uuid.uuid4()
    odd = 'it\'s a "model" \\ $$ %s; DROP TABLE contacts'
    async with fresh_database.connect() as superuser:
        await superuser.execute("SET session_replication_role = replica")
        await add_embedded(superuser, first, [[1.0, float(n)] for n in range(9)])
        await add_embedded(superuser, second, [[1.0, float(n)] for n in range(9)], odd)
        assert await refreshed(fresh_database, settings) == Changed(2, 0)
        async with fresh_database.connect("pmcrm_insights") as insights, bound(insights, second):
            rows = await insights.fetch(
                "SELECT * FROM app.nearest_embeddings('[1,0]', $1, NULL, NULL, NULL, NULL, NULL, -1, 5)", odd
            )
            assert len(rows) == 5
        await add_embedded(superuser, first, [[1.0, 2.0, float(n)] for n in range(9)], "the next")
        await superuser.execute("DELETE FROM embedding_models WHERE user_id = $1", second)
        assert await refreshed(fresh_database, settings) == Changed(made=1, dropped=2)
    assert list(await index_scans(fresh_database)) == [await index_name(fresh_database, first, "the next", 3)]


async def test_vectors_that_cannot_be_indexed_are_compared_all(fresh_database):
    settings = settings_for(fresh_database, vector_index_threshold=1)
    tenant = uuid.uuid4()
    async with fresh_database.connect() as superuser, fresh_database.connect("pmcrm_insights") as insights:
        mine = await add_embedded(superuser, tenant, clustered(3, 4_001, 1, 1))
        assert await refreshed(fresh_database, settings) == Changed(0, 0)
        [query] = clustered(1, 4_001, 1, 2)
        assert await nearest(insights, tenant, query, 3) == brute_force(query, mine, 3)


async def test_what_an_interrupted_making_left_is_removed_and_made_again(fresh_database):
    settings = settings_for(fresh_database, vector_index_threshold=5)
    tenant = uuid.uuid4()
    name = await index_name(fresh_database, tenant, MODEL, 2)
    async with fresh_database.connect() as superuser, fresh_database.connect("pmcrm_insights") as insights:
        mine = await add_embedded(superuser, tenant, [unit([1.0, float(n)]) for n in range(9)])
        await refreshed(fresh_database, settings)
        # What CREATE INDEX CONCURRENTLY leaves when it does not come to its end.
        await superuser.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = $1::text::regclass", name)
        assert await nearest(insights, tenant, [1.0, 0.0], 9) == brute_force([1.0, 0.0], mine, 9)
        assert (await index_scans(fresh_database))[name] == 0
        assert await refreshed(fresh_database, settings) == Changed(made=1, dropped=1)
        assert await superuser.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = $1::text::regclass", name)


async def test_without_the_owners_url_the_worker_makes_none(fresh_database):
    known = settings_for(fresh_database, vector_index_threshold=5)
    unknown = known.with_role_urls({"service": fresh_database.operator})
    async with fresh_database.connect() as superuser, fresh_database.connect("pmcrm_service") as service:
        await add_embedded(superuser, uuid.uuid4(), [[1.0, float(n)] for n in range(9)])
        assert await refresh_where_possible(service, unknown) is None
        assert await index_scans(fresh_database) == {}
        assert await refresh_where_possible(service, known) == "1 made, 0 dropped"


async def test_two_do_not_make_indexes_at_the_same_time(fresh_database):
    settings = settings_for(fresh_database, vector_index_threshold=5)
    async with fresh_database.connect() as superuser, fresh_database.connect("pmcrm_owner") as other:
        await add_embedded(superuser, uuid.uuid4(), [[1.0, float(n)] for n in range(9)])
        await other.execute("SELECT pg_advisory_lock(hashtext('pmcrm vector-indexes'))")
        assert await refreshed(fresh_database, settings) == Changed(0, 0)
        await other.execute("SELECT pg_advisory_unlock_all()")
        assert await refreshed(fresh_database, settings) == Changed(1, 0)
