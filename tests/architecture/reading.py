"""The project's own source, parsed once for the tests of its architecture."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).parents[2]
SERVICES = sorted(folder.name for folder in (PROJECT / "services").iterdir() if (folder / "__init__.py").exists())


@dataclass(frozen=True)
class Module:
    """One written module. path: from the project's root, such as `shared/pool.py`."""

    path: str
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Dotted, as it is imported."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def imports(self) -> Iterator[str]:
        """The dotted names of what it imports, wherever in it."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.path} imports relatively"
                yield from (f"{node.module}.{alias.name}" for alias in node.names)

    def texts(self) -> Iterator[tuple[ast.expr, str]]:
        """Every string that is not a docstring, an f-string's fields written as {}."""
        documentation = {id(node.value) for node in ast.walk(self.tree) if isinstance(node, ast.Expr)}
        inside = {id(part) for node in ast.walk(self.tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(self.tree):
            if id(node) in documentation or id(node) in inside:
                continue
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node, node.value
            elif isinstance(node, ast.JoinedStr):
                yield node, "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """Every module below some folders of the project."""
    found = []
    for folder in folders:
        for file in sorted((PROJECT / folder).rglob("*.py")):
            text = file.read_text(encoding="utf-8")
            found.append(Module(str(file.relative_to(PROJECT)), text, ast.parse(text)))
    assert found, folders
    return tuple(found)
