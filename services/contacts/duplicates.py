"""ContactService: contacts that may be the same person."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from pmcrm.contacts.v1 import contact_merge_pb2 as pb

from services.contacts.links import named_contact
from shared.caller import parse_uuid
from shared.database import Database
from shared.duplicates.profiles import Profile
from shared.duplicates.reading import (
    BEFORE_ALL,
    QUERIES,
    Place,
    likely_duplicates,
    next_profiles,
    read_profiles,
)
from shared.duplicates.search import Pair, TenantSearch, compare_one
from shared.fields import UUID_WANTED
from shared.layers import Context
from shared.server import Runtime
from shared.violations import Violations

DEFAULT_SCORE = 0.5
MOST_CANDIDATES = 10_000

# Contacts that are compared at a time. That takes a thread some 50 ms.
COMPARED_AT_A_TIME = 250


@dataclass(frozen=True, slots=True)
class Wanted:
    """A checked request. contact_id: None for the whole tenant."""

    contact_id: uuid.UUID | None
    min_score: float
    most: int


class Duplicates:
    """The call of pmcrm.contacts.v1.ContactService that finds contacts which may be the same person."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database

    async def FindDuplicateContacts(
        self, request: pb.FindDuplicateContactsRequest, context: Context
    ) -> AsyncIterator[pb.FindDuplicateContactsResponse]:
        """Streams pairs that may be the same person, of one contact or of the whole tenant; CONTACT_NOT_FOUND,
        PROCESSING_RESTRICTED."""
        wanted = _read(request)
        found = (
            _of_tenant(self._database, wanted)
            if wanted.contact_id is None
            else _of_contact(self._database, wanted.contact_id, wanted)
        )
        async for response in found:
            yield response


def _read(request: pb.FindDuplicateContactsRequest) -> Wanted:
    """Checks a request. Raises InvalidArgument."""
    violations = Violations()
    contact_id = parse_uuid(request.contact_id)
    if request.contact_id and contact_id is None:
        violations.add("contact_id", UUID_WANTED)
    # Not a number is in no range.
    if not 0 <= request.min_score <= 1:
        violations.add("min_score", "must be 0 to 1")
    if not 0 <= request.max_candidates <= MOST_CANDIDATES:
        violations.add("max_candidates", f"must be 1 to {MOST_CANDIDATES}, or 0 for as many")
    violations.raise_if_any()
    return Wanted(
        contact_id=contact_id,
        min_score=request.min_score or DEFAULT_SCORE,
        most=request.max_candidates or MOST_CANDIDATES,
    )


async def _of_contact(
    database: Database, contact_id: uuid.UUID, wanted: Wanted
) -> AsyncIterator[pb.FindDuplicateContactsResponse]:
    async with database.snapshot() as tx:
        named = await named_contact(tx, contact_id, living=True)
        [contact] = await read_profiles(tx, [named["id"]])
        likely = await likely_duplicates(tx, contact)
    pairs = await asyncio.to_thread(compare_one, contact, likely.profiles, wanted.min_score, likely.crowds)
    for response in await _candidates(database, pairs[: wanted.most]):
        yield response


async def _of_tenant(database: Database, wanted: Wanted) -> AsyncIterator[pb.FindDuplicateContactsResponse]:
    async with database.reading() as tx:
        total = await tx.fetchval(QUERIES["count_profiles"])
    yield _progress(0, total)
    profiles = await _all_profiles(database)
    search = await asyncio.to_thread(TenantSearch, profiles, wanted.min_score)
    left = wanted.most
    for start in range(0, len(profiles), COMPARED_AT_A_TIME):
        pairs = await asyncio.to_thread(search.compare, start, start + COMPARED_AT_A_TIME)
        for response in await _candidates(database, pairs[:left]):
            left -= 1
            yield response
        if left == 0:
            return
        yield _progress(min(start + COMPARED_AT_A_TIME, len(profiles)), len(profiles))


async def _all_profiles(database: Database) -> list[Profile]:
    """All contacts of the tenant, the oldest first. Each page is read in a transaction of its own, which is over before
    anything is compared or sent."""
    profiles: list[Profile] = []
    after: Place | None = BEFORE_ALL
    while after is not None:
        async with database.reading() as tx:
            page, after = await next_profiles(tx, after)
        profiles += page
    return profiles


async def _candidates(database: Database, pairs: Sequence[Pair]) -> list[pb.FindDuplicateContactsResponse]:
    """The pairs as they are answered, without those of which one was deleted or restricted meanwhile."""
    if not pairs:
        return []
    ids = {each.id for pair in pairs for each in (pair.contact, pair.duplicate)}
    async with database.reading() as tx:
        rows = await tx.fetch(QUERIES["get_candidate_summaries"], list(ids))
    summaries = {row["contact_id"]: row["summary"] for row in rows}
    return [
        pb.FindDuplicateContactsResponse(
            candidate=pb.DuplicateCandidate(
                contact=summaries[pair.contact.id],
                duplicate=summaries[pair.duplicate.id],
                score=pair.score,
                evidence=[
                    pb.DuplicateEvidence(reason=each.reason, weight=each.weight, detail=each.detail)
                    for each in pair.evidence
                ],
            )
        )
        for pair in pairs
        if pair.contact.id in summaries and pair.duplicate.id in summaries
    ]


def _progress(processed: int, total: int) -> pb.FindDuplicateContactsResponse:
    return pb.FindDuplicateContactsResponse(
        progress=pb.DuplicateProgress(contacts_processed=processed, contacts_total=total)
    )
