"""What the command says of itself, and what it says to a command line it does not understand."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from newsletter import __version__
from newsletter.cli.main import app
from tests.unit.cli.conftest import Cli


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command that does something."""
    below = getattr(command, "commands", None)
    if below is None:
        yield path
        return
    for name, inner in below.items():
        yield from leaves(inner, (*path, name))


COMMANDS = sorted(leaves(get_command(app)))


def test_there_are_these_commands() -> None:
    words = "demo up render check import export send stats publication "
    words += "list subscriber suppression mailing feedback db theme segment track"
    assert {path[0] for path in COMMANDS} == set(words.split())


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_with_an_example(cli: Cli, path: tuple[str, ...]) -> None:
    out = cli(*path, "--help").success
    assert f"Usage: newsletter {' '.join(path)} " in out
    assert f"Example: newsletter {' '.join(path)}" in out


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_example_is_one_the_command_understands(path: tuple[str, ...]) -> None:
    command: Any = get_command(app)
    for name in path:
        command = command.commands[name]
    example = shlex.split(command.epilog.removeprefix("Example: newsletter "))
    assert tuple(example[: len(path)]) == path
    with command.make_context("newsletter", example[len(path) :]) as context:
        assert context.command is command


@pytest.mark.parametrize("group", [(), *sorted({path[:1] for path in COMMANDS if len(path) > 1})], ids=" ".join)
def test_a_group_alone_shows_its_commands(cli: Cli, group: tuple[str, ...]) -> None:
    ran = cli(*group)
    assert ran.status == 2
    assert "Traceback" not in ran.out + ran.err
    shown = ran.out + ran.err
    for path in COMMANDS:
        if path[: len(group)] == group:
            assert re.search(rf"\b{path[len(group)]}\b", shown), path


def test_it_says_its_version(cli: Cli) -> None:
    assert cli("--version").success == f"newsletter {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("send",), "newsletter send --help"),
        (("import", "people.csv"), "--list"),
        (("render",), "newsletter render --help"),
        (("render", "issue.md", "--pdf", "x"), "--pdf"),
        (("render", "issue.md", "-o"), "newsletter"),
        (("expedier",), "expedier"),
        (("list", "rm", "vendredi"), "rm"),
        (("up", "--port", "0"), "--port"),
        (("up", "--port", "99999"), "--port"),
        (("demo", "--port", "web"), "--port"),
        (("publication", "add", "hebdo"), "--name"),
    ],
)
def test_a_command_line_it_does_not_understand_is_answered_in_one_line(
    cli: Cli, arguments: tuple[str, ...], words: str
) -> None:
    complaint = cli.refused(*arguments)
    assert words in complaint
    assert "--help" in complaint
