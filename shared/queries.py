"""Loads the SQL statements that a service runs from its `queries/*.sql`.

A query file is a psql script of blocks like

    -- Gets one contact, deleted or not.
    PREPARE get_contact (uuid, uuid) AS
    SELECT … WHERE user_id = $1 AND id = $2;

so that psql can run the file and `EXECUTE get_contact (…)` behind row-level security. `$1` is the tenant, which the
transaction supplies; files under `queries/operator/` work across tenants and have no such parameter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(
    r"^PREPARE\s+(?P<name>\w+)\s*(?:\((?P<types>[^;]*?)\)\s*)?AS\s+(?P<sql>.*?);[ \t]*$", re.MULTILINE | re.DOTALL
)
COMMENT = re.compile(r"^[ \t]*--.*\n", re.MULTILINE)
PARAMETER = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """One statement: its name, the types of its parameters (`uuid`, `text[]`, …), its text, and the file it is from."""

    name: str
    types: tuple[str, ...]
    sql: str
    file: Path

    @property
    def operator(self) -> bool:
        """Whether it works across tenants, on the service role's connection."""
        return self.file.parent.name == "operator"


class Queries(dict[str, Query]):
    """The queries of a folder by name; a missing name says which folder was read."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __missing__(self, name: str) -> Query:
        raise KeyError(f"no query {name!r} in {self.folder}")


def load(folder: Path) -> Queries:
    """Reads every `*.sql` below a folder. Raises ValueError when two blocks share a name."""
    queries = Queries(folder)
    for file in sorted(folder.rglob("*.sql")):
        for query in parse(file.read_text(encoding="utf-8"), file):
            if query.name in queries:
                raise ValueError(f"{file}: query {query.name} stands in {queries[query.name].file} too")
            queries[query.name] = query
    return queries


def parse(text: str, file: Path) -> list[Query]:
    """The `PREPARE` blocks of one file, in order. Each begins its line, and ends with the first `;` at a line's end."""
    text = COMMENT.sub("", text)
    found = []
    for block in BLOCK.finditer(text):
        types = tuple(t.strip() for t in (block["types"] or "").split(",") if t.strip())
        found.append(Query(block["name"], types, _typed(block["sql"].strip(), types, file), file))
    return found


def _typed(sql: str, types: tuple[str, ...], file: Path) -> str:
    """The statement with each parameter's type written behind it: a driver sends the text without the PREPARE."""

    def with_type(parameter: re.Match[str]) -> str:
        number = int(parameter[1])
        if not 1 <= number <= len(types):
            raise ValueError(f"{file}: a statement uses {parameter[0]} and declares {len(types)} parameters")
        return f"{parameter[0]}::{types[number - 1]}"

    return PARAMETER.sub(with_type, sql)
