"""What can go wrong without being a bug: each of these carries a sentence for whoever started the command."""

from shared.entry import EXPLAINED
from shared.roles import NotPreparedError

OPERATIONAL = (*EXPLAINED, NotPreparedError)
