"""SQL lives in files that psql can run; what little stands in code is known, and holds nothing that anybody typed."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.reading import PROJECT, Module, modules

BEGINS_AS_SQL = re.compile(
    r"\s*;?\s*(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|WITH\s+\S+\s+AS\s|MERGE\s+INTO\s|BEGIN\b(?!:)|COMMIT\b|"
    r"ROLLBACK\b|SAVEPOINT\s|SET\s+(LOCAL|ROLE|SESSION|lock_timeout)|RESET\s|CREATE\s+(TABLE|DATABASE|ROLE|INDEX|EXTENSION|SCHEMA)\s|"
    r"ALTER\s+\w+\s|DROP\s+\w+\s|GRANT\s|REVOKE\s|TRUNCATE\s|LOCK\s+TABLE\s|COPY\s|CALL\s|VACUUM\b|REINDEX\s|ANALYZE\b|"
    r"PREPARE\s|EXECUTE\s)"
)

# Where SQL stands in code, and why there.
IN_CODE = {
    "shared/binding.py": "begins transactions: one message, made of UUIDs, IP addresses and hex",
    "shared/database.py": "ends them: COMMIT and ROLLBACK",
    "shared/idempotency.py": "keeps an answer in the message that commits: UUIDs and hex",
    "shared/health.py": "asks whether the database answers",
    "shared/floor.py": "reads the server's catalog before anything of ours is there",
    "shared/roles.py": "makes roles, whose names and password hashes no parameter can stand for",
    "shared/migrations.py": "runs the files of sql/ and keeps their ledger",
    "shared/startup.py": "makes the embedded database, before there is a place to keep statements in",
    "cli/migrate.py": "makes the embedded database",
}

# Of these, where it is put together: names of roles and databases that are ours, UUIDs, IP addresses, hex, integers.
PUT_TOGETHER = {
    "shared/binding.py",
    "shared/idempotency.py",
    "shared/migrations.py",
    "shared/roles.py",
    "shared/startup.py",
    "cli/migrate.py",
}

# Roles are changed only while the schema is made: a service has one role for each connection.
ROLE_CHANGES = re.compile(r"\bSET\s+(LOCAL\s+|SESSION\s+)?(ROLE|SESSION\s+AUTHORIZATION)\b", re.IGNORECASE)
MAY_CHANGE_ROLES = {"shared/migrations.py"}

RUNNING = modules("shared", "services", "cli")


def sql_of(module: Module) -> list[tuple[ast.expr, str]]:
    return [(node, text) for node, text in module.texts() if BEGINS_AS_SQL.match(text)]


@pytest.mark.parametrize("module", RUNNING, ids=lambda module: module.path)
def test_sql_stands_in_files(module: Module) -> None:
    found = sql_of(module)
    if module.path in IN_CODE:
        return
    assert not found, f"{module.path}:{found[0][0].lineno} {found[0][1][:60]}"


def test_every_exception_is_needed() -> None:
    by_path = {module.path: module for module in RUNNING}
    assert not [path for path in IN_CODE if path in by_path and not sql_of(by_path[path])]


@pytest.mark.parametrize("module", RUNNING, ids=lambda module: module.path)
def test_sql_is_not_put_together(module: Module) -> None:
    if module.path in PUT_TOGETHER:
        return
    sql = {id(node) for node, _ in sql_of(module)}
    for node in ast.walk(module.tree):
        place = f"{module.path}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.JoinedStr):
            assert id(node) not in sql, f"{place} an f-string"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
            assert not {id(node.left), id(node.right)} & sql, f"{place} + or %"
        elif isinstance(node, ast.Attribute) and node.attr in {"format", "join", "replace"}:
            assert id(node.value) not in sql, f"{place} .{node.attr}"


@pytest.mark.parametrize("module", RUNNING, ids=lambda module: module.path)
def test_the_tenant_is_bound_in_one_place_and_roles_are_not_changed(module: Module) -> None:
    for node, text in module.texts():
        place = f"{module.path}:{node.lineno}"
        assert "set_config" not in text.lower(), place
        assert "app.current_user_id =" not in text or module.path == "shared/binding.py", place
        assert not ROLE_CHANGES.search(text) or module.path in MAY_CHANGE_ROLES, place


def test_no_statement_sets_a_setting_or_a_role() -> None:
    files = [*(PROJECT / "services").rglob("*.sql"), *(PROJECT / "shared").rglob("*.sql")]
    assert len(files) > 3
    for file in files:
        text = file.read_text(encoding="utf-8")
        for word in (r"set_config", r"SET\s+(LOCAL|SESSION|ROLE)\b", r"\bRESET\s", r"^\s*(BEGIN|COMMIT|ROLLBACK)\b"):
            assert not re.search(word, text, re.IGNORECASE | re.MULTILINE), f"{file}: {word}"


def test_no_migration_binds_a_tenant_by_set_config() -> None:
    for file in (PROJECT / "sql").rglob("*.sql"):
        text = re.sub(r"--.*", "", file.read_text(encoding="utf-8"))
        assert "set_config" not in text, file


def test_a_page_begins_after_parameters_or_scalar_subqueries() -> None:
    """Behind row-level security coalesce() of a parameter is in no index condition: a page would begin at the start."""
    files = sorted((PROJECT / "services").rglob("queries/**/*.sql"))
    assert files
    comparison = re.compile(r"[<>]=?\s*\(\s*coalesce\(\s*\$")
    begun = re.compile(r"[<>]=?\s*\(\s*\(SELECT\s+coalesce\(\s*\$")
    bad = [str(file.relative_to(PROJECT)) for file in files if comparison.search(file.read_text())]
    assert not bad
    assert any(begun.search(file.read_text()) for file in files)
