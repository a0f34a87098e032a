"""Where a command's results go: a table for a terminal, plain columns for a pipe, JSON lines for a program.

Results go to stdout, everything said about the work (progress, notes, errors) to stderr, so ``embedkafka ... | tool``
always hands over results only.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from embedkafka.cli.exits import CliError

if TYPE_CHECKING:
    from rich.console import Console


_STYLES = {"bold": "1", "red": "1;31", "green": "32"}


class Advance(Protocol):
    """Moves a progress bar on by so many units; optionally says what is being done."""

    def __call__(self, steps: float = 1, /, *, description: str | None = None) -> None: ...


class Output:
    """One command's output.

    Args:
        as_json: results are JSON lines, errors one JSON object on stderr, and there are no progress bars.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json

    def line(self, text: str = "") -> None:
        """A line of the result."""
        write_text(text + "\n")

    def styled(self, text: str, style: str) -> str:
        """Text in a colour or in bold where stdout is a terminal that may show it; otherwise as it is."""
        if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.name == "nt":
            return text
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"

    def flush(self) -> None:
        """Hand over what was written; whoever waits for it at the other end of a pipe sees it now."""
        sys.stdout.flush()

    def json(self, value: Any) -> None:
        """One JSON object on a line of its own."""
        write_text(json.dumps(value, ensure_ascii=False, default=str) + "\n")

    def note(self, text: str) -> None:
        """A remark on stderr; nothing with ``--json``."""
        if not self.as_json:
            print(text, file=sys.stderr, flush=True)

    def warn(self, text: str) -> None:
        """Something the reader should know although the command goes on; on stderr, also with ``--json``."""
        print(f"warning: {text}", file=sys.stderr, flush=True)

    def error(self, error: CliError) -> None:
        """The reason why the command stops."""
        if self.as_json:
            body = {"error": error.message, "hint": error.hint, "exit_code": int(error.exit_code)}
            print(json.dumps(body, ensure_ascii=False), file=sys.stderr, flush=True)
            return
        print(f"error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"       {error.hint}", file=sys.stderr)
        sys.stderr.flush()

    def rows(self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> None:
        """A table; a missing value is None and shown as ``-``.

        With ``--json`` each row is an object whose keys are the columns in lower case with ``_`` for a space.

        Args:
            columns: the headings.
            rows: one sequence per row, as long as ``columns``.
            right: headings of the columns that hold numbers.
        """
        if self.as_json:
            keys = [column.lower().replace(" ", "_").replace("-", "_") for column in columns]
            for row in rows:
                self.json(dict(zip(keys, row, strict=True)))
            return
        cells = [["-" if cell is None else str(cell) for cell in row] for row in rows]
        if sys.stdout.isatty():
            self._rich_table(columns, cells, right)
        else:
            self._plain_table(columns, cells, right)

    def _rich_table(self, columns: Sequence[str], cells: list[list[str]], right: Sequence[str]) -> None:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, justify="right" if column in right else "left", overflow="fold")
        for row in cells:
            table.add_row(*(Text(cell) for cell in row))
        console().print(table)

    def _plain_table(self, columns: Sequence[str], cells: list[list[str]], right: Sequence[str]) -> None:
        lines = [list(columns), *cells]
        widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
        for line in lines:
            padded = [
                cell.rjust(width) if column in right else cell.ljust(width)
                for cell, width, column in zip(line, widths, columns, strict=True)
            ]
            self.line("  ".join(padded).rstrip())

    @contextmanager
    def progress(self, description: str, total: float | None = None, *, unit: str = "count") -> Iterator[Advance]:
        """A progress bar on stderr while the block runs; nothing where stderr is not a terminal or with ``--json``.

        Args:
            description: what is being done.
            total: how many units there are; None shows that something moves but not how far.
            unit: ``count`` or ``bytes``.
        """
        if self.as_json or not sys.stderr.isatty():
            yield _no_progress
            return
        from rich import progress as bars

        columns: list[bars.ProgressColumn] = [bars.SpinnerColumn(), bars.TextColumn("{task.description}")]
        if total is not None:
            amount = bars.DownloadColumn(binary_units=True) if unit == "bytes" else bars.MofNCompleteColumn()
            columns += [bars.BarColumn(bar_width=24), amount]
        columns.append(bars.TimeElapsedColumn())
        with bars.Progress(*columns, console=console(stderr=True), transient=True) as bar:
            task = bar.add_task(description, total=total)

            def advance(steps: float = 1, /, *, description: str | None = None) -> None:
                bar.update(task, advance=steps, description=description)

            yield advance


def _no_progress(steps: float = 1, /, *, description: str | None = None) -> None:
    pass


def console(*, stderr: bool = False) -> Console:
    """A rich console that never reads markup or emoji out of the text it is given."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def write_text(text: str) -> None:
    """Text on stdout, whatever encoding stdout has: what it cannot show is escaped, not an error."""
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:
        encoding = sys.stdout.encoding or "ascii"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
