"""A PostgreSQL of one's own, for development and tests: unpacked, created, started, shared and stopped from here.

Production is a server that gets PostgreSQL's security updates.
"""

from shared.embedded.failures import EmbeddedError
from shared.embedded.server import SUPERUSER, EmbeddedServer

__all__ = ["SUPERUSER", "EmbeddedError", "EmbeddedServer"]
