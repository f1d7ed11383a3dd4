"""`newsletter theme new`, `check` and `preview`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from newsletter.rendering.theme import SHIPPED
from tests.unit.cli.conftest import Cli

NAMES = ("digest", "letter", "magazine")


@pytest.fixture
def sunday(cli: Cli) -> Path:
    """The folder of a theme of one's own, begun from the letter."""
    assert cli("theme", "new", "sunday", "--from", "letter").success
    return cli.folder / "themes" / "sunday"


def replace(path: Path, old: str, new: str) -> int:
    """Put `new` for the first `old` in a file; the line it is on."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


# new


@pytest.mark.parametrize("source", NAMES)
def test_a_new_theme_is_a_copy_that_says_where_it_is_and_what_to_do_next(cli: Cli, source: str) -> None:
    out = cli("theme", "new", "sunday", "--from", source).success
    folder = cli.folder / "themes" / "sunday"
    assert out.startswith(f"{folder}: a copy of {source}; `newsletter theme preview sunday -o preview.html`")
    copied = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert copied == {path.name: path.read_bytes() for path in (SHIPPED / source).iterdir() if path.is_file()}
    assert cli("theme", "check", "sunday").success


def test_a_new_theme_begins_with_the_magazine_unless_told_otherwise(cli: Cli) -> None:
    assert "a copy of magazine" in cli("theme", "new", "sunday").success


def test_a_theme_of_ones_own_can_be_the_beginning_of_another(cli: Cli, sunday: Path) -> None:
    replace(sunday / "theme.toml", 'name = "Letter"', 'name = "Sunday"')
    assert cli("theme", "new", "monday", "--from", "sunday").success
    assert 'name = "Sunday"' in (cli.folder / "themes" / "monday" / "theme.toml").read_text(encoding="utf-8")


def test_files_that_replace_those_of_a_shipped_theme_are_copied_too(cli: Cli) -> None:
    own = cli.folder / "themes" / "magazine"
    own.mkdir(parents=True)
    (own / "footer.mjml").write_text(
        "<mj-section><mj-column><mj-text>Our own foot</mj-text></mj-column></mj-section>"
    )
    assert cli("theme", "new", "sunday").success
    assert "Our own foot" in (cli.folder / "themes" / "sunday" / "footer.mjml").read_text()


def test_an_issue_can_be_rendered_in_a_new_theme_at_once(cli: Cli, sunday: Path) -> None:
    replace(sunday / "theme.toml", "#8c2f1b", "#8c2f1c")
    cli.write("issue.md", "---\ntitle: Dimanche\ntheme: sunday\n---\n\nBonjour [à vous](https://example.org/).\n")
    assert cli("render", "issue.md", "-o", "issue.html").success
    assert "#8c2f1c" in cli.files()["issue.html"].decode()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["magazine"], "there is a theme “magazine” already: choose another name"),
        (["Sunday Paper"], "“Sunday Paper” is not a short name: use lower-case letters, digits and hyphens"),
        (["../sunday"], "“../sunday” is not a short name"),
        ([""], "“” is not a short name"),
        (["sunday", "--from", "gazette"], "there is no theme “gazette”; there are digest, letter, magazine"),
    ],
)
def test_a_theme_that_cannot_be_begun_is_refused_and_nothing_is_copied(
    cli: Cli, arguments: list[str], complaint: str
) -> None:
    assert cli.refused("theme", "new", *arguments).startswith(complaint)
    assert not (cli.folder / "themes").exists()


@pytest.mark.usefixtures("sunday")
def test_a_theme_is_never_copied_over_another(cli: Cli) -> None:
    assert "there is a theme “sunday” already" in cli.refused("theme", "new", "sunday", "--from", "letter")


def test_a_folder_that_is_in_the_way_is_not_copied_into(cli: Cli) -> None:
    (cli.folder / "themes" / "sunday").mkdir(parents=True)
    (cli.folder / "themes" / "sunday" / "footer.mjml").write_text("mine")
    assert "sunday: is there already" in cli.refused("theme", "new", "sunday")


def test_a_place_that_cannot_be_written_to_is_named(cli: Cli) -> None:
    cli.write("themes", "a file where the folder would be")
    assert re.search(r"themes/sunday: cannot be written \(.+\)$", cli.refused("theme", "new", "sunday"))


# check


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wrong_with_the_themes_that_ship(cli: Cli, name: str) -> None:
    assert cli("theme", "check", name).success == f"theme {name}: nothing wrong\n"
    assert cli.files() == {}


def test_a_theme_can_be_named_by_its_folder(cli: Cli, sunday: Path) -> None:
    elsewhere = cli.folder / "elsewhere"
    sunday.rename(elsewhere)
    assert cli("theme", "check", "elsewhere").success == "theme elsewhere: nothing wrong\n"
    assert cli("theme", "check", elsewhere).success == "theme elsewhere: nothing wrong\n"


def test_every_pair_of_colours_that_cannot_be_told_apart_has_its_line(cli: Cli, sunday: Path) -> None:
    line = replace(sunday / "theme.toml", 'muted = "#655b52"', 'muted = "#d0c8c0"')
    ran = cli("theme", "check", "sunday")
    assert ran.status == 2
    *faults, total = ran.err.splitlines()
    assert [re.sub(r"^.*theme\.toml", "", fault) for fault in faults] == [
        f":{line}: colors.muted on {ground}: a contrast of {ratio}, 4.5 is needed"
        for ground, ratio in (("paper", "1.6"), ("page", "1.5"), ("panel", "1.5"))
    ]
    assert total == "newsletter: theme sunday: 3 pairs of colours cannot be read well"


@pytest.mark.parametrize("command", [("check",), ("preview", "-o", "out.html")])
@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("title.mjml", "<mj-section", "<mj-sectoin", "mj-sectoin is not a tag of MJML: did you mean mj-section?"),
        ("title.mjml", "padding=", "pading=", "mj-section has no attribute pading: did you mean padding?"),
        ("masthead.mjml", "<mj-divider", "<mj-section", "mj-section cannot stand in mj-column"),
        ("issue.mjml", '{% include "title', '{% include "titel', "there is no file titel.mjml in the theme"),
        (
            "issue.mjml",
            '{% include "body.mjml" %}',
            '<mj-include path="no.mjml" />',
            "mj-include: there is no file no",
        ),
        ("title.mjml", "{{ document.title }}", "{{ document.titel }}", "'dict object' has no attribute 'titel'"),
        ("title.mjml", "{% endif %}", "", "Unexpected end of template"),
        ("inline.css", "{{ theme.colors.accent }}", "{{ theme.colours.accent }}", "'dict object' has no attribute"),
        ("theme.toml", 'ink = "#2a2521"', 'ink = "brown"', "colors.ink: expected a colour such as #17242c"),
        ("theme.toml", "raw_mjml", "raw_mjlm", "raw_mjlm is not a setting of themes: did you mean raw_mjml?"),
        ("theme.toml", "width = 600", 'width = "wide"', "layout.width: input should be a valid integer"),
        ("theme.toml", "[fonts]", "[fonts", "not TOML: "),
        ("theme.toml", 'ink = "#2a2521"', "", "colors.ink is missing"),
    ],
)
def test_a_fault_is_told_by_file_and_line(
    cli: Cli, sunday: Path, command: tuple[str, ...], file: str, old: str, new: str, message: str
) -> None:
    line = replace(sunday / file, old, new)
    place, told = cli.refused("theme", command[0], "sunday", *command[1:]).split(": ", 1)
    assert told.startswith(message)
    named, _, number = place.rpartition(":")
    assert Path(named) == sunday / file
    # A table that is never opened, or a condition that is never closed, shows where it was missed.
    assert abs(int(number) - line) <= (5 if message.endswith("missing") else 1)


@pytest.mark.usefixtures("sunday")
@pytest.mark.parametrize("command", [("check",), ("preview", "-o", "out.html")])
def test_a_theme_that_is_not_there_is_named_with_those_that_are(cli: Cli, command: tuple[str, ...]) -> None:
    assert cli.refused("theme", command[0], "gazette", *command[1:]) == (
        "there is no theme “gazette”; there are digest, letter, magazine, sunday"
    )
    cli.write("notes.txt", "not a theme")
    assert "there is no theme “notes.txt”" in cli.refused("theme", command[0], "notes.txt", *command[1:])
    (cli.folder / "empty").mkdir()
    assert cli.refused("theme", command[0], "empty", *command[1:]) == "empty: there is no theme.toml in it"


def test_a_settings_file_that_is_not_utf_8_is_told(cli: Cli, sunday: Path) -> None:
    (sunday / "theme.toml").write_bytes(b'name = "\xe9t\xe9"\n')
    complaint = cli.refused("theme", "check", "sunday")
    assert str(sunday / "theme.toml") in complaint
    assert "UTF-8" in complaint


def test_a_template_that_is_not_utf_8_is_told(cli: Cli, sunday: Path) -> None:
    (sunday / "title.mjml").write_bytes(b"<mj-section>\n\xe9</mj-section>")
    complaint = cli.refused("theme", "check", "sunday")
    assert complaint.startswith(f"{sunday / 'title.mjml'}:2: ")
    assert "UTF-8" in complaint


# preview


@pytest.mark.parametrize("name", NAMES)
def test_a_preview_is_one_page_that_holds_every_block_and_asks_nobody_for_anything(cli: Cli, name: str) -> None:
    out = cli("theme", "preview", name, "-o", "page.html").success
    page = cli.files()["page.html"]
    assert out == f"page.html: {len(page):,} bytes\n"
    html = page.decode()
    for words in ("Every block there is", "In this issue", "Watch the launch", "Concert", "Bookshop", "gladly"):
        assert words in html
    assert not re.search(r'(?:src|srcset|background)="(?!data:)', html)
    assert "@import" not in html


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("nowhere/page.html", "nowhere/page.html: cannot be written (no such file or directory)"),
        ("themes", "themes: cannot be written (is a directory)"),
        ("themes/sunday/theme.toml", "themes/sunday/theme.toml: is part of the theme, choose another name"),
        ("themes/sunday/issue.mjml", "themes/sunday/issue.mjml: is part of the theme, choose another name"),
    ],
)
@pytest.mark.usefixtures("sunday")
def test_a_preview_that_cannot_be_written_is_refused(cli: Cli, target: str, complaint: str) -> None:
    assert cli.refused("theme", "preview", "sunday", "-o", target) == complaint


def test_a_preview_may_lie_beside_the_templates_and_be_made_again(cli: Cli, sunday: Path) -> None:
    for _ in range(2):
        assert cli("theme", "preview", "sunday", "-o", sunday / "preview.html").success


def test_a_preview_needs_a_place_to_go(cli: Cli) -> None:
    assert "--out" in cli.refused("theme", "preview", "letter")
