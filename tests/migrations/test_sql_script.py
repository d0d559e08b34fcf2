"""A script is split where psql would split it."""

import pytest

from shared.migrations import SQL
from shared.sql_script import MalformedScriptError, split


def texts(script: str) -> list[str]:
    return [statement.text for statement in split(script)]


def test_statements_end_at_semicolons_and_know_their_lines():
    statements = split("-- a comment\nSELECT 1;\n\n  SELECT\n2 ; SELECT 3")
    assert [(statement.text, statement.line) for statement in statements] == [
        ("SELECT 1", 2),
        ("SELECT\n2", 4),
        ("SELECT 3", 5),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 'a;b', 'it''s; '",
        r"SELECT E'a\';b', e'\\'",
        r"SELECT 'C:\'",
        'SELECT 1 AS "a;""b"',
        "SELECT 1 -- a; comment",
        "SELECT /* a; /* nested; */ still; */ 1",
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM 1; END; $$",
        "DO $body$ BEGIN EXECUTE $$SELECT 1;$$; END $body$",
        "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)",
        "SELECT $1, a$b$c FROM t",
        "SELECT 'Ünïcödé; 名前'",
    ],
)
def test_a_semicolon_inside_something_ends_nothing(statement):
    assert texts(f"{statement}\n;\nSELECT 2;") == [statement, "SELECT 2"]


def test_comments_alone_are_no_statements():
    assert texts("-- nothing;\n/* here; */ ; ;\n") == []


@pytest.mark.parametrize(
    ("script", "line"),
    [("SELECT 1;\nSELECT 'a", 2), ("\n\nDO $a$ x $b$", 3), ("/* a", 1), ('SELECT "a', 1), ("SELECT E'a\\'", 1)],
)
def test_what_does_not_end_is_refused_with_its_line(script, line):
    with pytest.raises(MalformedScriptError, match="does not end") as refused:
        split(script)
    assert refused.value.line == line


def test_unquoted_function_bodies_are_refused():
    with pytest.raises(MalformedScriptError, match="BEGIN ATOMIC"):
        split("CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END;")


def test_a_position_in_a_statement_is_a_line_of_the_script():
    [statement] = split("\n\nSELECT\n  a,\n  b")
    assert statement.line_at(statement.text.index("b") + 1) == 5


def test_every_script_of_the_project_can_be_split():
    for file in SQL.rglob("*.sql"):
        assert split(file.read_text()), file
