"""The `newsletter` command. What a person got wrong ends in one line and exit status 2, never in a traceback."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from typing import NoReturn

import typer

from newsletter import __version__
from newsletter.cli import (
    check,
    db,
    demo,
    export,
    feedback,
    imports,
    lists,
    mailing,
    publication,
    recompute,
    render,
    segments,
    send,
    subscriber,
    suppression,
    theme,
    track,
    up,
)
from newsletter.cli.output import complain, point
from newsletter.errors import ExpressionError, NewsletterError

WRONG_INPUT = 2
INTERRUPTED = 130
UNHEARD = 1

app = typer.Typer(
    name="newsletter",
    help="Weekly issues as responsive email: written in Markdown, sent in batches, accounted for to the last one.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo", epilog=demo.EXAMPLE)(demo.demo)
app.command("up", epilog=up.EXAMPLE)(up.up)
app.command("track", epilog=track.EXAMPLE)(track.track)
app.command("render", epilog=render.EXAMPLE)(render.render)
app.command("check", epilog=check.EXAMPLE)(check.check)
app.command("send", epilog=send.EXAMPLE)(send.send)
app.command("export", epilog=export.EXAMPLE)(export.export)
app.add_typer(recompute.app, name="stats")
app.add_typer(imports.app, name="import")
app.add_typer(publication.app, name="publication")
app.add_typer(lists.app, name="list")
app.add_typer(subscriber.app, name="subscriber")
app.add_typer(suppression.app, name="suppression")
app.add_typer(segments.app, name="segment")
app.add_typer(mailing.app, name="mailing")
app.add_typer(feedback.app, name="feedback")
app.add_typer(db.app, name="db")
app.add_typer(theme.app, name="theme")


@app.callback(invoke_without_command=True)
def version(show: bool = typer.Option(False, "--version", help="Print the version and stop.")) -> None:
    if show:
        print(f"newsletter {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line and exit."""
    try:
        status = app(prog_name="newsletter", standalone_mode=False)
        # A reader who has left is noticed here, where something can be done about it.
        sys.stdout.flush()
        sys.exit(status)
    except BrokenPipeError:
        # Python would complain once more when it ends, with whatever is still unsaid.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(UNHEARD)
    except NewsletterError as error:
        if isinstance(error, ExpressionError):
            point(error.pointer)
        complain(str(error))
        sys.exit(WRONG_INPUT)
    except typer.TyperException as error:
        _refuse(error)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        with tempfile.NamedTemporaryFile("w", prefix="newsletter-fault-", suffix=".log", delete=False) as log:
            traceback.print_exc(file=log)
        what = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
        complain(f"a fault of ours ({what}); please report it with {log.name}")
        sys.exit(1)


def _refuse(error: typer.TyperException) -> NoReturn:
    """The command was not given as it must be. Without any arguments the help has been printed instead."""
    message = error.format_message().rstrip(".")
    if message:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "newsletter"
        complain(f"{message[:1].lower()}{message[1:]}; see `{command} --help`")
    sys.exit(error.exit_code)
