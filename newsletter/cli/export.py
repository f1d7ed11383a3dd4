"""`newsletter export`: a list as CSV or JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from newsletter.audience.export import Exported, export_page, to_csv, to_json
from newsletter.audience.lists import get_list
from newsletter.cli.database import open_database
from newsletter.config import load_settings
from newsletter.db import Database, moment
from newsletter.errors import InputError

EXAMPLE = "Example: newsletter export --list friday --output friday.csv"


class Format(StrEnum):
    """How people are written down."""

    CSV = "csv"
    JSON = "json"


def export(
    list_slug: Annotated[str, typer.Option("--list", help="The list.")],
    form: Annotated[Format, typer.Option("--format", help="Both can be imported again.")] = Format.CSV,
    output: Annotated[Path | None, typer.Option(help="A new file to write; standard output when left out.")] = None,
) -> None:
    """Write down everybody who is or was on a list: who they are, their status, how they agreed."""
    with open_database(load_settings()) as database:
        with database.read() as session:
            list_id = get_list(session, list_slug).id
        texts = (_csv if form is Format.CSV else _json)(_pages(database, list_id))
        if output is None:
            for text in texts:
                sys.stdout.write(text)
            return
        _write(output, texts)


def _pages(database: Database, list_id: int) -> Iterator[list[Exported]]:
    """In short transactions, so that nobody waits for whoever reads slowly."""
    after = 0
    while True:
        with database.read() as session:
            page = export_page(session, list_id, after, moment(session))
        if not page:
            return
        yield page
        after = page[-1].number


def _csv(pages: Iterator[list[Exported]]) -> Iterator[str]:
    yield to_csv([], header=True)
    for page in pages:
        yield to_csv(page, header=False)


def _json(pages: Iterator[list[Exported]]) -> Iterator[str]:
    first = True
    for page in pages:
        yield to_json(page, first=first)
        first = False
    yield "[]\n" if first else "\n]\n"


def _write(path: Path, texts: Iterator[str]) -> None:
    """A file of that name stands there only once it is whole, and nobody else may read it."""
    draft = path.with_name(f".{path.name}.part")
    try:
        if path.exists():
            raise InputError(f"{path}: is there already: remove it, or choose another name")
        draft.touch(mode=0o600)
        with draft.open("w", encoding="utf-8", newline="") as file:
            file.writelines(texts)
        draft.rename(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({(error.strerror or str(error)).lower()})") from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
