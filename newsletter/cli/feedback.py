"""`newsletter feedback`: see what a message that came back is taken for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.output import Json, print_table
from newsletter.errors import InputError
from newsletter.feedback.mime import MAX_BYTES
from newsletter.feedback.read import read as read_signals
from newsletter.feedback.signal import Signal

EXAMPLE = "Example: newsletter feedback read returned/*.eml --json"
NOTHING = "none"

app = typer.Typer(help="Bounces, complaints and automatic replies.", no_args_is_help=True)


@app.command(epilog=EXAMPLE)
def read(
    paths: Annotated[list[Path], typer.Argument(help="Messages as files, a message a file.", metavar="PATH...")],
    as_json: Json = False,
) -> None:
    """Say of each file whether it is a bounce, a complaint, an automatic reply or none of these, and whom it is about.

    With --json an object a file, a line each. Nothing is kept.
    """
    for path in paths:
        facts = _facts(path, read_signals(_first_bytes(path)))
        if as_json:
            print(json.dumps(facts, ensure_ascii=False))
        else:
            _show(facts)


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({(error.strerror or str(error)).lower()})") from None


def _facts(path: Path, signals: list[Signal]) -> dict[str, object]:
    recipients = [
        {
            "address": signal.address,
            "class": signal.severity.value,
            "reason": signal.reason.value,
            "status": signal.status,
            "words": signal.words,
        }
        for signal in signals
        if signal.address
    ]
    return {"path": str(path), "kind": signals[0].kind.value if signals else NOTHING, "recipients": recipients}


def _show(facts: dict[str, object]) -> None:
    recipients = facts["recipients"]
    assert isinstance(recipients, list)
    rows = [tuple(recipient.values()) for recipient in recipients] or [("", "", "", "", "")]
    print_table(
        ("file", "kind", "address", "class", "reason", "status", "words"),
        [(facts["path"], facts["kind"], *row) for row in rows],
    )
