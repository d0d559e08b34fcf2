"""How far an export or import has come, as a bar over its tables and a count of rows."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class TableProgress:
    """`with TableProgress(…) as progress`: shown while the block runs, on a terminal.

    what: what is being done. total: tables.
    """

    def __init__(self, what: str, total: int, console: Console) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[table]}"),
            TextColumn("{task.fields[rows]} rows"),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self._bar.add_task(what, total=total, table="", rows=0)
        self._tables = 0
        self._rows = 0

    def tell(self, table: str, rows: int) -> None:
        """So many more rows of a table; none when it begins."""
        if not rows:
            self._tables += 1
        self._rows += rows
        self._bar.update(self._task, completed=self._tables, table=table, rows=self._rows)

    def __enter__(self) -> TableProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
