"""RelationshipService: the whole network, summed up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pmcrm.insights.v1 import relationship_service_pb2 as pb

from services.insights.months import Month, months_back
from services.insights.rules.days import day_of, start_of
from shared import queries
from shared.database import Row, Transaction
from shared.errors import Unauthenticated
from shared.layers import Context
from shared.server import Runtime
from shared.time_zones import names, time_zone
from shared.violations import Violations

QUERIES = queries.load(Path(__file__).parent / "queries")

MONTHS, MOST_MONTHS = 12, 120
TOP, MOST_TOP = 10, 100
TAGS = 100

# The lowest strength of each band; each holds two.
BANDS = (1, 3, 5, 7, 9)


class NetworkSummaries:
    """The call of pmcrm.insights.v1.RelationshipService that sums the network up."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database

    async def GetNetworkSummary(
        self, request: pb.GetNetworkSummaryRequest, context: Context
    ) -> pb.GetNetworkSummaryResponse:
        """Counts the network, and names who is going quiet and who came closer, on one snapshot."""
        _check(request)
        top = request.top_count or TOP
        async with self._database.snapshot() as tx:
            start = await tx.fetchrow(QUERIES["network_moment"])
            if start is None:
                raise Unauthenticated("TENANT_UNKNOWN", "no such tenant")
            as_of, home = start["as_of"], time_zone(start["time_zone"])
            zone = time_zone(request.time_zone) if request.time_zone else home
            months = months_back(as_of, zone, request.months or MONTHS)
            left_out = [row["interaction_id"] for row in await tx.fetch(QUERIES["restricted_interactions"])]
            contacts = await _count_contacts(tx, as_of, home)
            counts = await _only(tx, "count_network", left_out)
            tags = await tx.fetch(QUERIES["count_network_tags"], TAGS)
            begins = [month.begin for month in months]
            happened = await tx.fetch(QUERIES["count_network_months"], begins[0], begins, as_of, left_out)
            quiet = await tx.fetch(QUERIES["going_quiet"], as_of, top)
            improved = await tx.fetch(QUERIES["most_improved"], begins[0], as_of, top)
        return pb.GetNetworkSummaryResponse(
            contact_count=contacts["contact_count"],
            never_contacted_count=contacts["never_contacted_count"],
            overdue_count=contacts["overdue_count"],
            **counts,
            strength_bands=[
                pb.StrengthBand(min_strength=low, max_strength=low + 1, contact_count=contacts[f"band_{low}"])
                for low in BANDS
            ],
            tags=[pb.TagCount(**row) for row in tags],
            months=_months(months, happened),
            going_quiet=[pb.QuietContact(**row) for row in quiet],
            most_improved=[pb.ImprovedContact(**row) for row in improved],
            as_of_time=as_of,
        )


def _check(request: pb.GetNetworkSummaryRequest) -> None:
    violations = Violations()
    for field, value, most in (("months", request.months, MOST_MONTHS), ("top_count", request.top_count, MOST_TOP)):
        if not 0 <= value <= most:
            violations.add(field, f"must be 0 to {most}")
    if request.time_zone and request.time_zone not in names():
        violations.add("time_zone", "must be an IANA time zone such as Europe/Berlin")
    violations.raise_if_any()


async def _count_contacts(tx: Transaction, as_of: datetime, zone: ZoneInfo) -> Row:
    """The row of count_network_contacts. A cadence has passed when its last day has, in the user's zone."""
    today = day_of(as_of, zone)
    cadences = [row["keep_in_touch_days"] for row in await tx.fetch(QUERIES["network_cadences"])]
    since = [start_of(today - timedelta(days=days), zone) for days in cadences]
    return await _only(tx, "count_network_contacts", cadences, since)


async def _only(tx: Transaction, query: str, *args: object) -> Row:
    """The row of a statement that counts, and so always has one."""
    [row] = await tx.fetch(QUERIES[query], *args)
    return row


def _months(months: Sequence[Month], happened: Sequence[Row]) -> list[pb.MonthSummary]:
    """Each month, with the counts of a row of count_network_months where it has one."""
    rows = {row["month"]: row for row in happened}
    summaries = [pb.MonthSummary(year=month.year, month=month.month) for month in months]
    for number, summary in enumerate(summaries, start=1):
        if (row := rows.get(number)) is not None:
            summary.interaction_count = row["interaction_count"]
            summary.contact_count = row["contact_count"]
            summary.new_contact_count = row["new_contact_count"]
    return summaries
