"""What an editor can get wrong in an issue, for `render` and for `send` alike."""

from __future__ import annotations

import pytest

from tests.unit.cli.conftest import LATER, Cli

HEAD = "---\ntitle: Vendredi\n---\n\n"
# A name, the file's content, and what the complaint must say after its name.
FAULTS: dict[str, tuple[str | bytes, str, str]] = {
    "not UTF-8": (b"---\ntitle: Vendredi\n---\n\nBonjour \xe0 vous\n", "issue.md:5: ", "UTF-8"),
    "no front matter": ("# Vendredi\n\nBonjour\n", "issue.md:1: ", "---"),
    "front matter that is not YAML": ("---\ntitle: [Vendredi\n---\n\nBonjour\n", "issue.md:", "not YAML"),
    "no title": ("---\nnumber: 56\n---\n\nBonjour\n", "issue.md:1: ", "title"),
    "a number that is none": ("---\ntitle: Vendredi\nnumber: 5b\n---\n\nBonjour\n", "issue.md:3: ", "number"),
    "an unknown merge tag": (
        f"{HEAD}Bonjour\n{{{{ subscriber.nickname }}}}\n",
        "issue.md:6: ",
        "subscriber.nickname",
    ),
    "a merge tag left open": (f"{HEAD}Bonjour {{{{ subscriber.name\n", "issue.md:5: ", "not closed"),
    "a condition left open": (f"{HEAD}{{% if subscriber.first_name %}}\n\nBonjour\n", "issue.md:5: ", "if"),
    "an unknown directive": (f"{HEAD}::: bouton\n[Lire](https://example.org/)\n:::\n", "issue.md:5: ", "bouton"),
    "a directive left open": (f"{HEAD}::: callout\nSachez-le.\n", "issue.md:5: ", "closed"),
    "a button without a link": (f"{HEAD}Bonjour\n\n::: button\nLire\n:::\n", "issue.md:7: ", "link"),
    "a picture that is not there": (f"{HEAD}Bonjour\n\n![Une fusée](fusee.png)\n", "issue.md:7: ", "fusee.png"),
    "a picture that is none": (f"{HEAD}![Une fusée](issue.md)\n", "issue.md:5: ", "PNG, JPEG"),
    "a picture from elsewhere": (f"{HEAD}![Une fusée](../../etc/passwd)\n", "issue.md:5: ", "outside"),
    "a block that holds the wrong thing": (f"{HEAD}::: poll Vendredi ?\n- Oui\n:::\n", "issue.md:5: ", "two to six"),
    "a loop": (f"{HEAD}{{% for a in b %}}\n", "issue.md:5: ", "cannot loop"),
    "too many links": (HEAD + "[a](https://example.org/)\n" * 501, "issue.md:5: ", "more than 500 links"),
    "more than a megabyte": (HEAD + "mot " * 250_001, "issue.md:5: ", "split the issue"),
    "an unknown theme": (
        "---\ntitle: Vendredi\ntheme: gazette\n---\n\nBonjour\n",
        "",
        "there is no theme “gazette”",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_render_names_the_line_and_writes_nothing(cli: Cli, fault: str) -> None:
    content, place, words = FAULTS[fault]
    cli.write("issue.md", content)
    complaint = cli.refused("render", "issue.md", "-o", "issue.html", "--text", "issue.txt", "--eml", "issue.eml")
    assert complaint.startswith(place)
    assert words in complaint


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("world")
def test_send_names_the_line_and_schedules_nothing(cli: Cli, fault: str) -> None:
    content, place, words = FAULTS[fault]
    cli.write("issue.md", content)
    complaint = cli.refused("send", "issue.md", "--list", "vendredi", "--at", LATER)
    assert complaint.startswith(place)
    assert words in complaint


@pytest.mark.usefixtures("world")
def test_a_missing_issue_is_named(cli: Cli) -> None:
    assert cli.refused("render", "absent.md") == "absent.md: no such file or directory"
    assert cli.refused("send", "absent.md", "--list", "vendredi", "--at", LATER).startswith("absent.md: no such file")


def test_a_folder_is_no_issue(cli: Cli) -> None:
    assert cli.refused("render", ".") == ".: is a directory"


def test_a_picture_without_alternative_text_is_a_warning(cli: Cli) -> None:
    cli.write("issue.md", f"{HEAD}Bonjour\n\n![](https://example.org/fusee.png)\n")
    ran = cli("render", "issue.md", "-o", "issue.html")
    assert ran.status == 0
    assert len(ran.err.splitlines()) == 1
    assert ran.err.startswith("warning: issue.md:7: ")
    assert "alternative text" in ran.err
    assert (cli.folder / "issue.html").is_file()


def test_a_key_that_means_nothing_is_a_warning(cli: Cli) -> None:
    cli.write("issue.md", "---\ntitle: Vendredi\nsubjet: Bonjour\n---\n\nBonjour\n")
    ran = cli("render", "issue.md")
    assert ran.status == 0
    assert ran.err.startswith("warning: issue.md:3: ")
    assert "did you mean subject?" in ran.err
