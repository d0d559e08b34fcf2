"""ReindexEmbeddings: looks at everything that may be embedded, and makes right what is not."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pmcrm.insights.v1 import semantic_service_pb2 as pb
from pmcrm.insights.v1.semantic_service_pb2 import ReindexEmbeddingsResponse, SearchTarget

from services.insights.embedding.access import Access, CallAccess
from services.insights.embedding.lexical import DIMENSIONS, NAME
from services.insights.embedding.making import BATCH, make
from services.insights.embedding.models import Embedders
from services.insights.embedding.subjects import Kind, Subject
from services.insights.embedding.switching import aim, finish
from services.insights.embedding.writing import ModelChanged, Outcome
from services.insights.provider.failures import ProviderUnavailable
from shared import queries
from shared.caller import caller, parse_uuid
from shared.database import Database, Transaction, bound_tenant
from shared.errors import InvalidArgument, Unavailable, Violation
from shared.fields import UUID_WANTED
from shared.idempotency import claim_of
from shared.layers import Context
from shared.living_contacts import hold_contacts
from shared.server import Runtime
from shared.violations import Violations

QUERIES = queries.load(Path(__file__).parent / "queries")

MOST_CONTACTS = 1_000
FIRST = uuid.UUID(int=0)

# How often a change of models by another process is followed, in the midst of a batch.
PATIENCE = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be looked at. contacts: only these and interactions in which they took part; None for all."""

    kinds: tuple[Kind, ...]
    contacts: list[uuid.UUID] | None
    force: bool


class Reindexing:
    """The part of SemanticService that makes embeddings anew."""

    def __init__(self, runtime: Runtime, embedders: Embedders) -> None:
        self._reindexing = runtime.database, embedders

    async def ReindexEmbeddings(
        self, request: pb.ReindexEmbeddingsRequest, context: Context
    ) -> AsyncIterator[ReindexEmbeddingsResponse]:
        """Brings embeddings up to date, and streams how far it has come; what is done stays when it is cancelled."""
        database, embedders = self._reindexing
        asked = _read(request)
        claim = claim_of(request, bound_tenant(caller.get()))
        if claim is not None:
            async with database.reading() as tx:
                kept = await claim.kept(tx)
            if kept is not None:
                yield ReindexEmbeddingsResponse.FromString(kept)
                return
        run = Run(database, embedders, asked)
        async for response in run.responses():
            yield response
        summary = ReindexEmbeddingsResponse(summary=await run.summary())

        async def effect(_: Transaction) -> ReindexEmbeddingsResponse:
            return summary

        yield summary if claim is None else await database.claim(claim, ReindexEmbeddingsResponse, effect)


class Run:
    """One look at everything that was asked for."""

    def __init__(self, database: Database, embedders: Embedders, asked: Asked) -> None:
        self._access: Access = CallAccess(database)
        self._embedders = embedders
        self._asked = asked
        self._counts = dict.fromkeys(Outcome, 0)

    async def responses(self) -> AsyncIterator[ReindexEmbeddingsResponse]:
        """Failures, and after each batch how far it has come. Raises PROVIDER_UNAVAILABLE."""
        named = await self._named()
        total = await self._total(named)
        try:
            for kind in self._asked.kinds:
                async for subjects in self._subjects(kind, named):
                    outcomes = await self._make(subjects)
                    for subject, outcome in outcomes.items():
                        self._counts[outcome] += 1
                        if outcome is Outcome.FAILED:
                            yield _failure(subject)
                    processed = sum(self._counts.values())
                    yield _progress(processed, max(total, processed))
            await finish(self._access, self._embedders)
        except ProviderUnavailable as error:
            raise Unavailable("PROVIDER_UNAVAILABLE", str(error)) from error

    async def summary(self) -> pb.ReindexSummary:
        """What it came to, and by which model."""
        model = self._embedders.configured
        known = (await aim(self._access, self._embedders)).dimensions or (DIMENSIONS if model.name == NAME else 0)
        return pb.ReindexSummary(
            **{outcome.value: count for outcome, count in self._counts.items()},
            model=pb.EmbeddingModel(name=model.name, kind=f"EMBEDDING_KIND_{model.kind}", dimensions=known),
        )

    async def _named(self) -> list[uuid.UUID] | None:
        """The contacts for which the given ids stand. Raises CONTACT_NOT_FOUND, PROCESSING_RESTRICTED."""
        given = self._asked.contacts
        if given is None:
            return None
        held = await self._access.writing(lambda tx: hold_contacts(tx, given))
        return sorted(set(held.values()))

    async def _total(self, named: Sequence[uuid.UUID] | None) -> int:
        async with self._access.reading() as tx:
            row = await tx.fetchrow(QUERIES["count_to_embed"], named)
        counted = {"CONTACT": len(named or ()), "INTERACTION": 0}
        if row is not None:
            counted = {
                "CONTACT": row["contacts"] if named is None else len(named),
                "INTERACTION": row["interactions"],
            }
        return sum(counted[kind] for kind in self._asked.kinds)

    async def _subjects(self, kind: Kind, named: Sequence[uuid.UUID] | None) -> AsyncIterator[list[Subject]]:
        if kind == "CONTACT" and named is not None:
            for start in range(0, len(named), BATCH):
                yield [Subject(kind, contact_id) for contact_id in named[start : start + BATCH]]
            return
        after = FIRST
        while True:
            async with self._access.reading() as tx:
                if kind == "CONTACT":
                    rows = await tx.fetch(QUERIES["next_contacts_to_embed"], after, BATCH)
                else:
                    rows = await tx.fetch(QUERIES["next_interactions_to_embed"], after, BATCH, named)
            if not rows:
                return
            yield [Subject(kind, row["id"]) for row in rows]
            after = rows[-1]["id"]

    async def _make(self, subjects: Sequence[Subject]) -> dict[Subject, Outcome]:
        for _ in range(PATIENCE):
            try:
                towards = await aim(self._access, self._embedders)
                return await make(self._access, towards, subjects, force=self._asked.force)
            except ModelChanged:
                continue
        raise Unavailable("DATABASE_BUSY", "the model in use is being changed over and over")


def _read(request: pb.ReindexEmbeddingsRequest) -> Asked:
    if len(request.contact_ids) > MOST_CONTACTS:
        raise InvalidArgument([Violation("contact_ids", f"must hold at most {MOST_CONTACTS} ids")])
    violations = Violations()
    contacts = []
    for i, text in enumerate(request.contact_ids):
        contact_id = parse_uuid(text)
        if contact_id is None:
            violations.add(f"contact_ids[{i}]", UUID_WANTED)
        else:
            contacts.append(contact_id)
    kinds: dict[Any, tuple[Kind, ...]] = {
        SearchTarget.SEARCH_TARGET_UNSPECIFIED: ("CONTACT", "INTERACTION"),
        SearchTarget.SEARCH_TARGET_CONTACTS: ("CONTACT",),
        SearchTarget.SEARCH_TARGET_INTERACTIONS: ("INTERACTION",),
    }
    if request.target not in kinds:
        violations.add("target", "is no search target")
    violations.raise_if_any()
    return Asked(kinds[request.target], contacts or None, request.force)


def _progress(processed: int, total: int) -> ReindexEmbeddingsResponse:
    return ReindexEmbeddingsResponse(progress=pb.ReindexProgress(processed=processed, total=total))


def _failure(subject: Subject) -> ReindexEmbeddingsResponse:
    failure = pb.ReindexFailure(
        reason="the provider's answer cannot be used, or it refuses the text",
        code="ERROR_REASON_PROVIDER_ANSWER_INVALID",
    )
    if subject.kind == "CONTACT":
        failure.contact_id = str(subject.id)
    else:
        failure.interaction_id = str(subject.id)
    return ReindexEmbeddingsResponse(failure=failure)
