"""What an admin can get wrong with files of subscribers, lists and publications."""

from __future__ import annotations

import pytest

from tests.unit.cli.conftest import Cli

PUBLICATION = ("publication", "add", "autre", "--name", "Autre", "--from", "redaction@autre.example")

FILES: dict[str, tuple[str | bytes, str, str]] = {
    "empty": ("", "people.csv: ", "empty"),
    "blank": ("\n  \n", "people.csv: ", "empty"),
    "no column of addresses": ("Nom;Ville\nZoé;Liège\n", "people.csv:1: ", "name one “email”"),
    "two columns of addresses": ("email,courriel\na@example.org,b@example.org\n", "people.csv:1: ", "rename one"),
    "a line without an end": ("email,nom\n" + "z" * (1 << 24), "people.csv:2: ", "is this a table"),
}


@pytest.mark.parametrize("fault", FILES)
@pytest.mark.usefixtures("world")
def test_a_file_that_cannot_be_understood_is_refused_whole(cli: Cli, fault: str) -> None:
    content, place, words = FILES[fault]
    cli.write("people.csv", content)
    options = ("--list", "vendredi", "--rejects", "rejects.csv", "--consent", "tests")
    complaint = cli.refused("import", "people.csv", *options)
    assert complaint.startswith(place)
    assert words in complaint


@pytest.mark.usefixtures("world")
def test_a_file_that_does_not_say_who_agreed_needs_that_said(cli: Cli) -> None:
    cli.write("people.csv", "email\nzoe@example.org\n")
    complaint = cli.refused("import", "people.csv", "--list", "vendredi")
    assert complaint.startswith("people.csv: no column says who agreed")
    assert "--consent" in complaint


@pytest.mark.usefixtures("world")
def test_a_missing_file_is_named(cli: Cli) -> None:
    assert cli.refused("import", "absent.csv", "--list", "vendredi") == "absent.csv: no such file or directory"


@pytest.mark.usefixtures("world")
def test_an_unknown_list_is_answered_with_those_there_are(cli: Cli) -> None:
    cli.write("people.csv", "email\nzoe@example.org\n")
    complaint = cli.refused("import", "people.csv", "--list", "samedi")
    assert "“samedi”" in complaint
    assert "there are vendredi, vide" in complaint


def test_without_any_list_the_command_that_adds_one_is_named(cli: Cli) -> None:
    cli.write("people.csv", "email\nzoe@example.org\n")
    assert "newsletter list add" in cli.refused("import", "people.csv", "--list", "vendredi")


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("rejects", ["missing/rejects.csv", ".", "people.csv"])
def test_rejects_that_cannot_be_written_stop_the_import_before_it_begins(cli: Cli, rejects: str) -> None:
    cli.write("people.csv", "email\nzoe@example.org\nnobody\n")
    complaint = cli.refused("import", "people.csv", "--list", "vendredi", "--rejects", rejects, "--consent", "tests")
    assert complaint.startswith(f"{rejects}: ")


@pytest.mark.usefixtures("world")
def test_a_list_is_added_once(cli: Cli) -> None:
    assert cli.refused("list", "add", "vendredi") == "there is a list “vendredi” already"


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("slug", ["Vendredi", "ven dredi", "été", "-a", "a--b", "", "x" * 65])
def test_a_short_name_that_is_none_is_refused(cli: Cli, slug: str) -> None:
    assert "lower-case letters, digits and hyphens" in cli.refused("list", "add", "--", slug)
    options = ("--name", "Autre", "--from", "redaction@autre.example")
    assert "lower-case letters, digits and hyphens" in cli.refused("publication", "add", *options, "--", slug)


@pytest.mark.usefixtures("world")
def test_an_unknown_publication_is_answered_with_those_there_are(cli: Cli) -> None:
    complaint = cli.refused("list", "add", "samedi", "--publication", "autre")
    assert "“autre”" in complaint
    assert "there are hebdo" in complaint


@pytest.mark.usefixtures("world")
def test_among_several_publications_one_must_be_named(cli: Cli) -> None:
    assert cli(*PUBLICATION).success
    assert "--publication; there are autre, hebdo" in cli.refused("list", "add", "samedi")


def test_a_list_needs_a_publication_first(cli: Cli) -> None:
    assert "newsletter publication add" in cli.refused("list", "add", "samedi")


@pytest.mark.usefixtures("world")
def test_a_publication_is_added_once(cli: Cli) -> None:
    complaint = cli.refused("publication", "add", "hebdo", "--name", "Hebdo", "--from", "a@example.org")
    assert complaint == "there is a publication “hebdo” already"


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--from", "redaction.example.org", "@"),
        ("--from", "", "empty"),
        ("--reply-to", "courrier@", "@"),
        ("--timezone", "Europe/Bruxelles", "Europe/Brussels"),
        ("--timezone", "", "IANA"),
        ("--language", "français", "fr or pt-BR"),
        ("--language", '"><script>', "fr or pt-BR"),
    ],
)
def test_a_publication_with_a_wrong_value_is_refused_by_the_option_s_name(
    cli: Cli, option: str, value: str, words: str
) -> None:
    complaint = cli.refused(*PUBLICATION, option, value)
    assert complaint.startswith(f"{option}: ")
    assert words in complaint


def test_a_publication_needs_a_name(cli: Cli) -> None:
    options = ("--name", "  ", "--from", "a@example.org")
    assert cli.refused("publication", "add", "autre", *options) == "a name may not be blank"
