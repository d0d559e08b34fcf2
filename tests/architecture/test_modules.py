"""Who imports whom, and how long and what for a module is."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import pytest

from tests.architecture.reading import PROJECT, SERVICES, Module, modules

WRITTEN = ("shared", "services", "cli", "tools")

LONGEST = 300
# Longer modules, each with the reason why it is one idea all the same.
LONGER: dict[str, str] = {}

SAYS_NOTHING = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc", "lib", "core"}

# What supervises workers: grpc's threads and library must not be in it.
SUPERVISING = ("cli.app", "cli.serve", "shared.entry", "shared.supervising", "shared.workers")


def in_package(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def test_there_is_something_to_look_at() -> None:
    assert {"contacts"} <= set(SERVICES) <= {"contacts", "interactions", "insights", "gdpr"}
    assert len(modules(*WRITTEN)) > 50


@pytest.mark.parametrize("service", SERVICES)
def test_services_do_not_import_each_other_nor_the_command_line(service: str) -> None:
    for module in modules(f"services/{service}"):
        for name in module.imports():
            assert not in_package(name, "cli"), f"{module.path} imports {name}"
            assert not in_package(name, "services") or in_package(name, f"services.{service}"), (
                f"{module.path} imports {name}"
            )


def test_shared_imports_neither_services_nor_the_command_line() -> None:
    for module in modules("shared"):
        for name in module.imports():
            assert not in_package(name, "services"), f"{module.path} imports {name}"
            assert not in_package(name, "cli"), f"{module.path} imports {name}"


def test_nothing_that_runs_imports_tests_or_tools() -> None:
    for module in modules("shared", "services", "cli"):
        for name in module.imports():
            assert not in_package(name, "tests"), f"{module.path} imports {name}"
            assert not in_package(name, "tools"), f"{module.path} imports {name}"


def test_only_the_command_line_imports_services() -> None:
    outside = [
        module for module in modules("shared", "tools") if any(in_package(n, "services") for n in module.imports())
    ]
    assert not outside
    inside = [module.path for module in modules("cli") if any(in_package(n, "services") for n in module.imports())]
    assert inside, "the rule would hold of an empty command line too"


@pytest.mark.parametrize("module", modules(*WRITTEN), ids=lambda module: module.path)
def test_a_module_is_short_and_says_what_it_holds(module: Module) -> None:
    lines = module.text.count("\n")
    if module.path in LONGER:
        assert lines >= LONGEST, f"{module.path} needs no exception any more"
    else:
        assert lines < LONGEST, f"{module.path} has {lines} lines"
    assert ast.get_docstring(module.tree), f"{module.path} has no docstring"


def test_modules_are_named_for_what_they_hold() -> None:
    vague = [m.path for m in modules(*WRITTEN, "tests") if SAYS_NOTHING & set(re.split(r"[/._]", m.path))]
    assert not vague


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_files_that_every_service_has(service: str) -> None:
    folder = PROJECT / "services" / service
    assert (folder / "__main__.py").exists()
    assert (folder / "service.py").exists()
    assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))


def test_what_supervises_workers_imports_no_grpc() -> None:
    asked = f"import sys, {', '.join(SUPERVISING)}; print(sorted(m for m in sys.modules if m.split('.')[0] == 'grpc'))"
    found = subprocess.run([sys.executable, "-c", asked], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
