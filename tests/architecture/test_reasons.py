"""Every reason that code gives stands in the contracts, and comes with the code that they promise."""

from __future__ import annotations

import ast
import re

import pytest
from pmcrm.type.v1 import error_reason_pb2

from shared import errors
from tests.architecture.reading import PROJECT, Module, modules

PREFIX = "ERROR_REASON_"
DOCUMENTED = re.compile(r"// Code: (?P<code>[A-Z_]+)\.(?:\n  //.*)*\n  ERROR_REASON_(?P<reason>[A-Z_]+) = \d+;")

# Error classes by name, and which argument is the reason.
CLASSES = {
    name: found.code.name
    for name, found in vars(errors).items()
    if isinstance(found, type) and issubclass(found, errors.RpcError) and found is not errors.RpcError
}
SECOND = "InvalidArgument"
FIXED = {"Internal": "INTERNAL", "UnknownOutcome": "UNKNOWN_OUTCOME"}


def promised() -> dict[str, str]:
    """The code of each reason, as its comment in the contracts says."""
    text = (PROJECT / "protos/pmcrm/type/v1/error_reason.proto").read_text(encoding="utf-8")
    return {match["reason"]: match["code"] for match in DOCUMENTED.finditer(text)}


def given(module: Module) -> list[tuple[int, str, str]]:
    """Line, class and reason of each error that a module makes. A reason is a literal or a constant of the module."""
    constants = {
        target.id: node.value
        for node in module.tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = []
    for node in ast.walk(module.tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CLASSES):
            continue
        name = node.func.id
        named = [keyword.value for keyword in node.keywords if keyword.arg == "reason"]
        if name in FIXED:
            continue
        place = 1 if name == SECOND else 0
        chosen = named[0] if named else node.args[place] if len(node.args) > place else None
        if chosen is None:
            assert name == SECOND, f"{module.path}:{node.lineno} {name} without a reason"
            found.append((node.lineno, name, "FIELD_INVALID"))
            continue
        if isinstance(chosen, ast.Name):
            chosen = constants.get(chosen.id)
        assert isinstance(chosen, ast.Constant), f"{module.path}:{node.lineno} the reason is no literal"
        found.append((node.lineno, name, str(chosen.value)))
    return found


def test_every_reason_is_documented_with_a_code_and_an_example() -> None:
    names = {name.removeprefix(PREFIX) for name in error_reason_pb2.ErrorReason.keys()} - {"UNSPECIFIED"}  # noqa: SIM118
    assert set(promised()) == names


@pytest.mark.parametrize("module", modules("shared", "services"), ids=lambda module: module.path)
def test_reasons_are_in_the_contracts_with_the_code_that_they_promise(module: Module) -> None:
    codes = promised()
    for line, name, reason in given(module):
        assert reason in codes, f"{module.path}:{line} {reason} is not in ErrorReason"
        assert CLASSES[name] == codes[reason], f"{module.path}:{line} {reason} is {codes[reason]}, not {CLASSES[name]}"


@pytest.mark.parametrize(("name", "reason"), FIXED.items())
def test_reasons_that_a_class_fixes_are_in_the_contracts_too(name: str, reason: str) -> None:
    assert promised()[reason] == CLASSES[name]


def test_the_search_for_reasons_finds_them() -> None:
    found = {reason for module in modules("shared", "services") for _, _, reason in given(module)}
    assert {"CONTACT_NOT_FOUND", "TENANT_MISSING", "OVERLOADED", "FIELD_INVALID", "REQUEST_ID_REUSED"} <= found
