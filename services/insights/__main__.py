"""`python -m services.insights`: runs this service alone."""

from typing import Any

from shared.entry import run


def load() -> Any:
    """Imported late: with several workers the supervising process must not import grpc."""
    from services.insights.service import SERVICE

    return SERVICE


run("insights", load)
