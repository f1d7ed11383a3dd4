"""`newsletter feedback`: see what a message that came back is taken for."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.database import open_database
from newsletter.cli.output import Json, print_json, print_table, say
from newsletter.config import load_settings
from newsletter.errors import InputError
from newsletter.feedback.counts import counts as all_counts
from newsletter.feedback.fetch import fetch_bounces
from newsletter.feedback.listener import until_signalled
from newsletter.feedback.mime import MAX_BYTES
from newsletter.feedback.read import read as read_signals
from newsletter.feedback.signal import Signal

EXAMPLE = "Example: newsletter feedback read returned/*.eml --json"
NOTHING = "none"
_NOBODY = (None,) * 5

app = typer.Typer(help="Bounces, complaints and automatic replies.", no_args_is_help=True)


@app.command(epilog=EXAMPLE)
def read(
    paths: Annotated[list[Path], typer.Argument(help="Messages as files, a message a file.", metavar="PATH...")],
    as_json: Json = False,
) -> None:
    """Say of each file whether it is a bounce, a complaint, an automatic reply or none, and whom it is about.

    With --json an object a file, a line each. Nothing is kept.
    """
    read_files = [(path, read_signals(_first_bytes(path))) for path in paths]
    if not as_json:
        _show(read_files)
        return
    for path, signals in read_files:
        print(json.dumps(_facts(path, signals), ensure_ascii=False))


@app.command(epilog="Example: newsletter feedback listen")
def listen() -> None:
    """Take bounces by SMTP, where the setting `bounce_listen` says, until Ctrl-C.

    `newsletter up` does it by itself.
    """
    settings = load_settings()
    with open_database(settings):
        asyncio.run(until_signalled(settings))


@app.command(epilog="Example: newsletter feedback fetch")
def fetch() -> None:
    """Read the bounces in the mailbox that the setting `bounce_fetch_url` names, and take them out of it.

    What is not about a message of ours stays there. The workers do it every two minutes by themselves.
    """
    settings = load_settings()
    with open_database(settings) as database:
        say(str(fetch_bounces(settings, database)))


@app.command(epilog="Example: newsletter feedback counts")
def counts(as_json: Json = False) -> None:
    """Show what came back and could not be used, by day, way and reason."""
    with open_database(load_settings()) as database, database.read() as session:
        rows = [(one.day.isoformat(), one.via, one.outcome, one.signals) for one in all_counts(session)]
    names = ("day", "via", "outcome", "signals")
    if as_json:
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        print_table(names, rows)


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({(error.strerror or str(error)).lower()})") from None


def _facts(path: Path, signals: list[Signal]) -> dict[str, object]:
    return {"path": str(path), "kind": _kind(signals), "recipients": [_recipient(one) for one in _named(signals)]}


def _recipient(signal: Signal) -> dict[str, str]:
    return {
        "address": signal.address,
        "class": signal.severity.value,
        "reason": signal.reason.value,
        "status": signal.status,
        "words": signal.words,
    }


def _kind(signals: list[Signal]) -> str:
    return signals[0].kind.value if signals else NOTHING


def _named(signals: list[Signal]) -> list[Signal]:
    return [signal for signal in signals if signal.address]


def _show(read_files: list[tuple[Path, list[Signal]]]) -> None:
    rows = [
        (path, _kind(signals), *(_recipient(one).values() if one else _NOBODY))
        for path, signals in read_files
        for one in _named(signals) or (None,)
    ]
    print_table(("file", "kind", "address", "class", "reason", "status", "words"), rows)
