"""By which model a tenant's embeddings are made, and how another one takes over without a moment in which none serves.

The embeddings of the old model stay, and searches go on with them, until those of the new one are complete; then one
transaction changes the model in use and removes the old ones. What changes meanwhile is embedded by the new model, and
by the old one as well when that is lexical, which costs nothing to ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.insights.embedding.access import Access
from services.insights.embedding.embedder import Embedder
from services.insights.embedding.lexical import NAME as LEXICAL
from services.insights.embedding.models import Embedders
from shared import queries
from shared.database import Row, Transaction

QUERIES = queries.load(Path(__file__).parent.parent / "queries")

# So many failures in a row, and a subject is waited for no longer.
PARKED_AFTER = 5


@dataclass(frozen=True, slots=True)
class Aim:
    """By what a tenant's embeddings are made now.

    dimensions: how many numbers the model's vectors have; None when that is not known yet.
    also: the model that is still in use, where it is lexical and another than the one that is coming.
    """

    model: Embedder
    dimensions: int | None
    also: Embedder | None = None

    @property
    def names(self) -> list[str]:
        """The models' names."""
        return [self.model.name] if self.also is None else [self.model.name, self.also.name]


async def aim(access: Access, embedders: Embedders) -> Aim:
    """By what the tenant's embeddings are to be made. Begins to change the model in use where another is configured."""
    configured = embedders.configured
    async with access.reading() as tx:
        row = await tx.fetchrow(QUERIES["embedding_models_of_tenant"])
    if row is not None and not _settled(row, configured.name):
        row = await access.writing(lambda tx: _begin(tx, configured))
    if row is None:
        return Aim(configured, None)
    if row["model"] == configured.name:
        return Aim(configured, row["dimensions"])
    return Aim(configured, row["next_dimensions"], embedders.named(LEXICAL) if row["model"] == LEXICAL else None)


def _settled(row: Row, configured: str) -> bool:
    return row["next_model"] is None if row["model"] == configured else row["next_model"] == configured


async def _begin(tx: Transaction, configured: Embedder) -> Row | None:
    row = await tx.fetchrow(QUERIES["hold_embedding_models"])
    if row is None or _settled(row, configured.name):
        return row
    # What was half-way to a third model, or to the one that is in use after all, is given up.
    await tx.fetch(QUERIES["remove_embeddings_of_others"], [row["model"]])
    if row["model"] == configured.name:
        await tx.fetch(QUERIES["set_next_embedding_model"], None, None)
    else:
        await tx.fetch(QUERIES["set_next_embedding_model"], configured.name, configured.kind)
        await tx.fetch(QUERIES["queue_other_embeddings"], row["model"], configured.name, None)
    return await tx.fetchrow(QUERIES["embedding_models_of_tenant"])


async def finish(access: Access, embedders: Embedders) -> bool:
    """Changes the model in use when all is embedded by the one that is coming; queues what is missing otherwise.

    Returns whether anything was changed or queued.
    """
    configured = embedders.configured.name

    async def effect(tx: Transaction) -> bool:
        row = await tx.fetchrow(QUERIES["hold_embedding_models"])
        if row is None or row["next_model"] != configured:
            return False
        old_and_new = row["model"], configured, row["next_dimensions"]
        left = await tx.fetchrow(QUERIES["other_embeddings_left"], *old_and_new, PARKED_AFTER)
        if left is not None and left["missing"]:
            return bool(await tx.fetch(QUERIES["queue_other_embeddings"], *old_and_new))
        if row["next_dimensions"] is not None:
            await tx.fetch(QUERIES["switch_embedding_models"])
            await tx.fetch(QUERIES["remove_embeddings_of_others"], [configured])
        elif left is None or not left["replaceable"]:
            # Nothing of the tenant is embedded: by which model it is searched is said by the next embedding.
            await tx.fetch(QUERIES["forget_embedding_model"])
        else:
            return False  # the new model has failed for everything: the old one goes on
        return True

    async with access.reading() as tx:
        row = await tx.fetchrow(QUERIES["embedding_models_of_tenant"])
    return row is not None and row["next_model"] is not None and await access.writing(effect)


async def note_dimensions(access: Access, model: Embedder, dimensions: int) -> None:
    """Notes how many numbers the vectors of a tenant's model have, before the first one is written.

    When a provider has come to make vectors of another length under the same name, those that are there can no longer
    be compared with a query's, and are queued to be replaced.
    """

    async def effect(tx: Transaction) -> None:
        row = await tx.fetchrow(QUERIES["hold_embedding_models"])
        if row is None:
            await tx.fetch(QUERIES["first_embedding_model"], model.name, model.kind, dimensions)
            return
        await tx.fetch(QUERIES["set_embedding_dimensions"], model.name, dimensions)
        if row["model"] == model.name:
            await tx.fetch(QUERIES["queue_other_embeddings"], model.name, model.name, dimensions)

    await access.writing(effect)
