"""Which rules there are: each is a module beside this one that holds its `RULE`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from types import ModuleType

from services.insights import rules
from services.insights.findings import Rule


def registered(package: ModuleType = rules) -> tuple[Rule, ...]:
    """Every rule of a package, by name; its modules without a RULE are what the rules share.

    Raises ValueError when two rules have the same name.
    """
    found = [
        module.RULE
        for module in (importlib.import_module(f"{package.__name__}.{name}") for name in _modules(package))
        if isinstance(getattr(module, "RULE", None), Rule)
    ]
    names = [rule.name for rule in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"several rules are called {', '.join(sorted(twice))}")
    return tuple(sorted(found, key=lambda rule: rule.name))


def of_types(known: Sequence[Rule], types: Sequence[str]) -> tuple[Rule, ...]:
    """Those rules that find one of the types (names of InsightType without prefix), all of them for no type."""
    return tuple(rule for rule in known if not types or rule.type in types)


def _modules(package: ModuleType) -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.name != "registry")
