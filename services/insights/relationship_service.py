"""RelationshipService, put together from its parts."""

from __future__ import annotations

from services.insights.explaining import StrengthExplaining
from services.insights.introducing import Introductions
from services.insights.network_summaries import NetworkSummaries
from shared.server import Runtime


class RelationshipService(StrengthExplaining, NetworkSummaries, Introductions):
    """The servicer of pmcrm.insights.v1.RelationshipService."""

    def __init__(self, runtime: Runtime) -> None:
        StrengthExplaining.__init__(self, runtime)
        NetworkSummaries.__init__(self, runtime)
        Introductions.__init__(self, runtime)
