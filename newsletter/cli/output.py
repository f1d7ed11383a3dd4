"""How commands speak: tables for people, JSON for programs, warnings aside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from newsletter.cli.charts import bar
from newsletter.text import one_line

_NUMBER = re.compile(r"[\d,.]+%?|–")

# Into a file or a pipe tables go unfolded, a row a line, so that other programs find what they look for.
UNFOLDED = 1000

console = Console()
errors = Console(stderr=True)

# What a key in SQL holds: a larger number would be a fault in the database's driver.
MailingNumber = Annotated[int, typer.Argument(help="The mailing's number.", min=1, max=2**63 - 1)]
Json = Annotated[bool, typer.Option("--json", help="Print facts as JSON.")]


def print_json(facts: Any) -> None:
    """Facts for programs, on standard output."""
    print(json.dumps(facts, ensure_ascii=False, indent=2, default=_plain))


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], lengths: Sequence[float] | None = None
) -> None:
    """Rows for people; columns whose every cell is a number are set to the right.

    With `lengths`, one a row, each row ends in a bar, where these can be drawn.
    """
    cells = [[_text(value) for value in row] for row in rows]
    if lengths is not None and draws():
        columns = [*columns, ""]
        for row, length in zip(cells, lengths, strict=True):
            row.append(bar(length, max(lengths)))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        numeric = bool(cells) and all(_NUMBER.fullmatch(row[index]) for row in cells)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        table.add_row(*row)
    where = console if console.is_terminal else Console(width=UNFOLDED)
    where.print(table, markup=False, highlight=False)


def draws() -> bool:
    """Whether whoever reads this is at a terminal that shows more than ASCII."""
    return console.is_terminal and not console.options.ascii_only


def warn(text: str) -> None:
    """Something to look at that stops nothing."""
    errors.print(f"warning: {text}", style="yellow", markup=False, highlight=False, soft_wrap=True)


def complain(text: str) -> None:
    """What went wrong, in one line."""
    errors.print(f"newsletter: {one_line(text)}", markup=False, highlight=False, soft_wrap=True)


def point(lines: str) -> None:
    """Where in a person's own words a fault is, above the line that names it."""
    errors.print(lines, markup=False, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """A line for people, printed as it is."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _text(value: object) -> str:
    match value:
        case None:
            return "–"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M} UTC"
        case int():
            return f"{value:,}"
    return str(value)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
