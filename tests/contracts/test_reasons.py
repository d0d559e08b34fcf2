"""The reasons that the code raises are those that the contracts document, under the same codes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared import errors
from tests.contracts.described import ROOT, reasons

RAISED = re.compile(r"""\b([A-Z][A-Za-z]+)\(\s*["']([A-Z]+(?:_[A-Z]+)*)["']""")
RAISED_WITH_VIOLATIONS = re.compile(r"""\bInvalidArgument\([^()]*(?:\([^()]*\)[^()]*)*["']([A-Z]+(?:_[A-Z]+)+)["']\)""")


def raised() -> Iterator[tuple[str, str, str]]:
    """(file, gRPC code, reason) for each error that shared/ and services/ name a reason for."""
    family = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}
    for folder in ("shared", "services"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            for name, reason in RAISED.findall(text):
                kind = family.get(name)
                if kind is not None and issubclass(kind, errors.RpcError):
                    yield path.name, kind.code.name, reason
            for reason in RAISED_WITH_VIOLATIONS.findall(text):
                yield path.name, "INVALID_ARGUMENT", reason


def test_every_reason_that_is_raised_is_documented_with_its_code():
    found = list(raised())
    assert ("pages.py", "INVALID_ARGUMENT", "PAGE_TOKEN_INVALID") in found
    assert [one for one in found if one[2] not in reasons() or reasons()[one[2]][0] != one[1]] == []
