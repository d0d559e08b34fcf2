"""SemanticService, put together from its parts."""

from __future__ import annotations

from services.insights.embedding.models import Embedders
from services.insights.hybrid_search import HybridSearching
from services.insights.provider.client import ProviderClient
from services.insights.query_vectors import SearchedModels
from services.insights.reindexing import Reindexing
from services.insights.semantic_search import SemanticSearching
from services.insights.similar_contacts import SimilarContacts
from shared.server import Runtime


class SemanticService(Reindexing, SemanticSearching, HybridSearching, SimilarContacts):
    """The servicer of pmcrm.insights.v1.SemanticService."""

    def __init__(self, runtime: Runtime, provider: ProviderClient | None) -> None:
        embedders = Embedders(runtime.settings, provider)
        models = SearchedModels(runtime.settings, embedders)
        Reindexing.__init__(self, runtime, embedders)
        SemanticSearching.__init__(self, runtime, models)
        HybridSearching.__init__(self, runtime, models)
        SimilarContacts.__init__(self, runtime, models)
