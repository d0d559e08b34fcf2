"""What can go wrong without being a bug: each of these carries a sentence for whoever started the command."""

from shared.edge import CannotServe
from shared.embedded import EmbeddedError
from shared.floor import UnfitServerError
from shared.keys import KeysError
from shared.migrations import MigrationError
from shared.roles import NotPreparedError
from shared.startup import DatabaseNotReady
from shared.workers import PortTaken, WorkersKeepDying

OPERATIONAL = (
    CannotServe,
    DatabaseNotReady,
    EmbeddedError,
    KeysError,
    MigrationError,
    NotPreparedError,
    PortTaken,
    UnfitServerError,
    WorkersKeepDying,
)
