"""Vectors as embeddings of real texts lie: in clusters, of different sizes; and what is nearest, found by hand."""

from __future__ import annotations

import math
import random
import struct
import uuid
from collections.abc import Sequence

from tests.postgres import Connection, bound

Vector = list[float]
MODEL = "clustered"

# Rows are written as they are, without triggers: what is measured is what searching reads.
ADD_CONTACTS = """
    INSERT INTO contacts (user_id, id, display_name, sort_name)
    SELECT $1, id, 'Somebody', 'somebody' FROM unnest($2::uuid[]) AS id
"""
ADD_EMBEDDINGS = """
    INSERT INTO embeddings (user_id, contact_id, dimensions, model, content_hash, embedding)
    SELECT $1, given.id, vector_dims(given.vector::halfvec), $4, sha256('any'), given.vector::halfvec
    FROM unnest($2::uuid[], $3::text[]) AS given (id, vector)
"""
USE_MODEL = """
    INSERT INTO embedding_models (user_id, dimensions, kind, model) VALUES ($1, $2, 'SEMANTIC', $3)
    ON CONFLICT (user_id) DO UPDATE SET dimensions = EXCLUDED.dimensions, model = EXCLUDED.model
"""
NEAREST = """
    SELECT contact_id, score
    FROM app.nearest_embeddings($1::text::halfvec, $2, $3, NULL, NULL, NULL, NULL, $4::float8, $5::integer)
"""


def clustered(count: int, dimensions: int, clusters: int, seed: int) -> list[Vector]:
    """Unit vectors around centres; a cluster holds the fewer the later it comes."""
    rng = random.Random(seed)
    centres = [[rng.gauss(0, 1) for _ in range(dimensions)] for _ in range(clusters)]
    weights = [1 / (n + 1) for n in range(clusters)]
    spread = 0.6
    return [
        unit([value + rng.gauss(0, spread) for value in centre])
        for centre in rng.choices(centres, weights=weights, k=count)
    ]


def unit(vector: Vector) -> Vector:
    """The vector of length 1 in half precision, as it is stored."""
    length = math.hypot(*vector)
    halves = struct.pack(f"<{len(vector)}e", *(value / length for value in vector))
    return list(struct.unpack(f"<{len(vector)}e", halves))


def text(vector: Vector) -> str:
    """As PostgreSQL reads it."""
    return "[" + ",".join(map(repr, vector)) + "]"


def cosine(a: Vector, b: Vector) -> float:
    return sum(map(float.__mul__, a, b)) / (math.hypot(*a) * math.hypot(*b))


def brute_force(query: Vector, vectors: dict[uuid.UUID, Vector], count: int) -> list[uuid.UUID]:
    """The ids of the vectors that are closest to a query, the closest first."""
    return sorted(vectors, key=lambda key: (-cosine(query, vectors[key]), key))[:count]


async def add_embedded(
    superuser: Connection, tenant: uuid.UUID, vectors: Sequence[Vector], model: str = MODEL
) -> dict[uuid.UUID, Vector]:
    """Gives a tenant, whose row need not be there, a contact for each vector, and has it searched by the model."""
    ids = [uuid.uuid4() for _ in vectors]
    async with superuser.transaction():
        await superuser.execute("SET LOCAL session_replication_role = replica")
        await superuser.execute(ADD_CONTACTS, tenant, ids)
        await superuser.execute(ADD_EMBEDDINGS, tenant, ids, [text(vector) for vector in vectors], model)
        await superuser.execute(USE_MODEL, tenant, len(vectors[0]), model)
    return dict(zip(ids, vectors, strict=True))


async def nearest(
    conn: Connection, tenant: uuid.UUID, query: Vector, count: int, *, kind: str | None = None, least: float = -1.0
) -> list[uuid.UUID]:
    """Ids of the contacts that a tenant's search finds, the closest first. conn: as pmcrm_insights."""
    async with bound(conn, tenant):
        return [row["contact_id"] for row in await conn.fetch(NEAREST, text(query), MODEL, kind, least, count)]
