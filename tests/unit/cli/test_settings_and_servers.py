"""Wrong settings, and servers that do not answer."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.db import Database
from tests.factories import SECRET
from tests.servers.postgres import PostgresServer
from tests.servers.valkey import ValkeyServer
from tests.unit.cli.conftest import LATER, Cli

ISSUE = "---\ntitle: Vendredi\npreheader: Bonjour\n---\n\nBonjour\n"


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that refuses every connection: bound, so that nobody else takes it, and not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("smtp_url", "mail.example.org:587", "expected smtp://"),
        ("smtp_url", "smtp://user:geheim@mail.example.org/inbox", "the port"),
        ("broker_url", "amqp://localhost", "expected redis://"),
        ("database_url", "mysql://localhost/x", "expected sqlite:///PATH or postgresql://"),
        ("base_url", "http://example.org", "expected https://"),
        ("secret_key", "geheim", "openssl rand -hex 32"),
        ("web_port", "80a", "integer"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected_and_without_its_secret(
    cli: Cli, setting: str, value: str, words: str
) -> None:
    complaint = cli.refused("list", "ls", **{setting: value})
    assert complaint.startswith(f"NEWSLETTER_{setting.upper()}: ")
    assert words in complaint
    assert "geheim" not in complaint


def test_an_unknown_setting_is_answered_with_the_one_that_was_meant(cli: Cli) -> None:
    complaint = cli.refused("list", "ls", smpt_url="smtp://localhost")
    assert complaint == "NEWSLETTER_SMPT_URL is not a setting: did you mean NEWSLETTER_SMTP_URL?"


@pytest.mark.parametrize("content", ["secret-key = 'x'\n", "web_port = \n", "web_port = 'x'\n", b"\xff"])
def test_a_wrong_settings_file_is_named(cli: Cli, content: str | bytes) -> None:
    cli.write("newsletter.toml", content)
    assert cli.refused("list", "ls").startswith("newsletter.toml: ")


def test_a_settings_file_that_is_not_there_is_named(cli: Cli) -> None:
    assert cli.refused("list", "ls", config="absent.toml") == "NEWSLETTER_CONFIG: there is no file absent.toml"


def test_a_secret_s_file_that_is_not_there_is_named(cli: Cli) -> None:
    complaint = cli.refused("list", "ls", secret_key_file="absent.key")
    assert complaint == "NEWSLETTER_SECRET_KEY_FILE: the file absent.key cannot be read"


@pytest.mark.parametrize("command", [("list", "ls"), ("db", "upgrade"), ("up",)])
def test_a_data_directory_that_cannot_be_one_is_named(cli: Cli, command: tuple[str, ...]) -> None:
    cli.write("data", "a file")
    complaint = cli.refused(*command, data_dir="data")
    assert complaint.startswith(f"{cli.folder / 'data'}: ")
    assert "is a file" in complaint


def test_a_database_that_refuses_is_named_without_its_password(cli: Cli, silent: int) -> None:
    url = f"postgresql://newsletter:geheim@127.0.0.1:{silent}/newsletter"
    for command in (("list", "ls"), ("db", "upgrade"), ("stats", "1")):
        complaint = cli.refused(*command, database_url=url)
        assert f"127.0.0.1:{silent}" in complaint
        assert "geheim" not in complaint


def test_a_database_without_tables_is_answered_with_the_command_that_makes_them(
    cli: Cli, postgres: PostgresServer
) -> None:
    url = postgres.create_database()
    cli.write("people.csv", "email\nzoe@example.org\n")
    cli.write("issue.md", ISSUE)
    for command in (
        ("list", "ls"),
        ("mailing", "show", "1"),
        ("import", "people.csv", "--list", "vendredi"),
        ("send", "issue.md", "--list", "vendredi", "--at", LATER),
    ):
        complaint = cli.refused(*command, database_url=url, secret_key=SECRET)
        assert complaint.endswith("run `newsletter db upgrade`")
    assert "from nothing to" in cli("db", "upgrade", database_url=url).success
    assert cli("list", "ls", database_url=url).success
    postgres.drop_database(url)


@pytest.mark.usefixtures("world")
def test_a_broker_that_refuses_stops_a_mailing_that_is_to_begin_now(cli: Cli, silent: int) -> None:
    cli.write("issue.md", ISSUE)
    settings = {"broker_url": f"redis://:geheim@127.0.0.1:{silent}/0", "database_url": f"sqlite:///{cli.database}"}
    complaint = cli.refused("send", "issue.md", "--list", "vendredi", **settings)
    assert f"the broker 127.0.0.1:{silent}/0 does not answer" in complaint
    assert "newsletter up" in complaint
    assert "geheim" not in complaint


@pytest.mark.usefixtures("world")
def test_without_newsletter_up_the_embedded_broker_is_said_to_be_missing(cli: Cli) -> None:
    cli.write("issue.md", ISSUE)
    assert "run `newsletter up`" in cli.refused("send", "issue.md", "--list", "vendredi")


@pytest.mark.usefixtures("world")
def test_a_mailing_for_later_needs_no_server(cli: Cli, silent: int) -> None:
    cli.write("issue.md", ISSUE)
    settings = {"broker_url": f"redis://127.0.0.1:{silent}/0", "database_url": f"sqlite:///{cli.database}"}
    assert "2090" in cli("send", "issue.md", "--list", "vendredi", "--at", LATER, **settings).success


def test_an_smtp_server_that_refuses_stops_a_mailing_that_is_to_begin_now(
    cli: Cli, world: Database, valkey: ValkeyServer, silent: int
) -> None:
    cli.write("issue.md", ISSUE)
    settings = {
        "broker_url": valkey.url,
        "database_url": world.url.render_as_string(),
        "smtp_url": f"smtp://newsletter:geheim@127.0.0.1:{silent}",
    }
    complaint = cli.refused("send", "issue.md", "--list", "vendredi", **settings)
    assert f"smtp://127.0.0.1:{silent}" in complaint
    assert "mend NEWSLETTER_SMTP_URL" in complaint
    assert "geheim" not in complaint


def test_an_output_that_cannot_be_written_leaves_the_others_unwritten(cli: Cli) -> None:
    cli.write("issue.md", ISSUE)
    cli.write("file", "not a folder")
    (cli.folder / "folder").mkdir()
    for target in ("missing/issue.txt", "file/issue.txt", "folder"):
        complaint = cli.refused("render", "issue.md", "-o", "issue.html", "--text", target)
        assert complaint.startswith(f"{target}: cannot be written (")


def test_an_output_never_overwrites_the_issue_or_another_output(cli: Cli) -> None:
    cli.write("issue.md", ISSUE)
    assert cli.refused("render", "issue.md", "-o", "issue.md").startswith("issue.md: ")
    link = Path("link.md")
    (cli.folder / link).symlink_to("issue.md")
    assert cli.refused("render", "issue.md", "-o", link).startswith("link.md: ")
    assert cli.refused("render", "issue.md", "-o", "out", "--eml", "out").startswith("out: ")
