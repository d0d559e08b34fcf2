"""`pmcrm settings`: every environment variable, what it means, and what it is now."""

import difflib
import os
from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

import typer
from pydantic.fields import FieldInfo
from rich.console import Console
from rich.table import Table

from shared.settings import FILE_SUFFIX, PREFIX, Settings, is_secret, variable_of


def settings(
    markdown: Annotated[bool, typer.Option("--markdown", help="As a Markdown table of names, defaults, meanings.")] = (
        False
    ),
) -> None:
    """List every setting: its default, its meaning, and its value here (secrets masked)."""
    if markdown:
        typer.echo(markdown_table())
        return
    table = Table("variable", "value", "meaning", show_lines=True)
    for row in setting_rows(Settings.load()):
        table.add_row(row.variable, row.value or "", row.description)
    Console(soft_wrap=False).print(table)
    warn_of_strays(os.environ)


def warn_of_strays(environ: Mapping[str, str]) -> None:
    """Says on stderr which PMCRM_ variables nothing reads: a misspelt one would be ignored in silence."""
    for name, meant in unknown_variables(environ).items():
        hint = f" Did you mean {meant}?" if meant else ""
        typer.echo(f"pmcrm: {name} is not a setting and is ignored.{hint}", err=True)


def markdown_table() -> str:
    """The table for the documentation."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    lines += [
        f"| `{row.variable}` | {f'`{row.default}`' if row.default else ''} | {row.description} |"
        for row in setting_rows()
    ]
    lines += ["", f"Each secret may also come from a file: `NAME{FILE_SUFFIX}` holds the path of one with its value."]
    return "\n".join(lines)


class SettingRow(NamedTuple):
    """One line of the table of settings; `value` is None when unset, and masked when secret."""

    variable: str
    default: str
    value: str | None
    description: str


def setting_rows(settings: Settings | None = None) -> Sequence[SettingRow]:
    """All settings in the order of their declaration, with the values that `settings` has for them."""
    return [
        SettingRow(
            variable=variable_of(name),
            default=_default_text(name, field),
            value=_value_text(field, getattr(settings, name)) if settings is not None else None,
            description=field.description or "",
        )
        for name, field in Settings.model_fields.items()
    ]


def unknown_variables(environ: Mapping[str, str] = os.environ) -> dict[str, str | None]:
    """PMCRM_ variables that are none of the settings, each with the setting that was probably meant."""
    known = {variable_of(name) for name in Settings.model_fields}
    known |= {variable_of(name) + FILE_SUFFIX for name, field in Settings.model_fields.items() if is_secret(field)}
    strays = sorted(name for name in environ if name.startswith(PREFIX) and name not in known)
    return {name: next(iter(difflib.get_close_matches(name, known, n=1)), None) for name in strays}


def _default_text(name: str, field: FieldInfo) -> str:
    if name == "data_dir":
        return ".pmcrm in the project"
    return "" if field.default is None else _text(field.default)


def _value_text(field: FieldInfo, value: object) -> str | None:
    if value is None:
        return None
    return "********" if is_secret(field) else _text(value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
