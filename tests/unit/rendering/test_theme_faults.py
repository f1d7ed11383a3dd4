"""What a theme's owner can get wrong, each told by file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.errors import NewsletterError, NotFoundError, SourceError
from newsletter.rendering.contrast import contrast
from newsletter.rendering.specimen import specimen
from newsletter.rendering.theme import SHIPPED, Theme, load_folder, load_theme
from newsletter.rendering.theme_settings import contrast_faults

NAMES = ("digest", "letter", "magazine")
PICTURE = "https://lettres.example.org/m/a.png"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A publication's own `themes/magazine`, empty yet."""
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "themes" / "magazine"
    own.mkdir(parents=True)
    return own


def laid_out(theme: Theme) -> str:
    return theme.render(specimen(theme, PICTURE))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_every_theme_lays_out_every_block(name: str, direction: str) -> None:
    theme = load_theme(name)
    html = theme.render(specimen(theme, PICTURE, direction=direction))
    assert f'dir="{direction}"' in html
    for words in ("In this issue", "Watch the launch", "pulled out of", "Three", "Concert", "Bookshop", "gladly"):
        assert words in html


@pytest.mark.parametrize("name", NAMES)
def test_every_theme_can_be_read_in_light_and_dark(name: str) -> None:
    theme = load_theme(name)
    assert list(contrast_faults(theme.settings, theme.settings_path)) == []


def test_contrast_is_counted_as_wcag_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#ffffff", "#ffffff") == 1


def test_colours_that_cannot_be_told_apart_are_named_with_their_line(folder: Path) -> None:
    settings = (SHIPPED / "magazine" / "theme.toml").read_text().replace('ink = "#17242c"', 'ink = "#aabbcc"')
    (folder / "theme.toml").write_text(settings)
    theme = load_theme("magazine")
    first = next(contrast_faults(theme.settings, theme.settings_path))
    line = settings[: settings.index("#aabbcc")].count("\n") + 1
    assert first == f"{folder / 'theme.toml'}:{line}: colors.ink on paper: a contrast of 2.0, 4.5 is needed"


def test_a_publications_own_file_wins_over_the_one_that_ships(folder: Path) -> None:
    (folder / "footer.mjml").write_text(
        "<mj-section><mj-column><mj-text>Our own foot</mj-text></mj-column></mj-section>"
    )
    html = laid_out(load_theme("magazine"))
    assert "Our own foot" in html
    assert "The Weekly" in html


def test_a_shared_partial_can_be_replaced_too_and_is_read_anew_when_it_changes(folder: Path) -> None:
    (folder / "blocks").mkdir()
    for words in ("First", "Second version"):
        (folder / "blocks" / "divider.mjml").write_text(f"<mj-text>{words}</mj-text>")
        assert words in laid_out(load_theme("magazine"))


def test_a_partial_with_a_style_that_cannot_be_read_still_gives_a_whole_issue(folder: Path) -> None:
    words = '<p class="last" style="color">Our own foot</p>'
    (folder / "footer.mjml").write_text(
        f'<mj-section><mj-column><mj-text css-class="footer">{words}</mj-text></mj-column></mj-section>'
    )
    html = laid_out(load_theme("magazine"))
    head, body = html.split("</head>")
    assert words in body
    assert ".footer .last { margin: 0 0 4px }" in head
    assert "In this issue" in body


def test_a_theme_of_ones_own_is_found_by_its_name(folder: Path) -> None:
    own = folder.with_name("sunday")
    own.mkdir()
    for file in (SHIPPED / "letter").iterdir():
        (own / file.name).write_text(file.read_text())
    assert "The Weekly" in laid_out(load_theme("sunday"))
    assert "The Weekly" in laid_out(load_folder(own))


def test_a_folder_without_settings_is_no_theme(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"there is no theme\.toml in it$"):
        load_folder(tmp_path)


@pytest.mark.parametrize(
    ("partial", "line", "message"),
    [
        ('<mj-section>\n<mj-column width="1px" colour="red" /></mj-section>', 2, "mj-column has no attribute colour"),
        ("\n<mj-sectoin />", 2, "mj-sectoin is not a tag of MJML: did you mean mj-section?"),
        ('\n\n{% include "nowhere.mjml" %}', 3, "there is no file nowhere.mjml in the theme"),
        ('\n{% include "../theme.toml" %}', 2, "there is no file ../theme.toml in the theme"),
        ("\n{{ publication.nmae }}", 2, "'dict object' has no attribute 'nmae'"),
        ("\n{% if %}", 2, "Expected an expression, got 'end of statement block'"),
        ("\n{{ 1 / 0 }}", 2, "division by zero"),
        ("\n{{ ''.__class__.__mro__ }}", 2, "access to attribute '__class__' of 'str' object is unsafe."),
        ('\n{% include "footer.mjml" %}', 2, "the file includes itself"),
        ('\n<mj-include path="footer.mjml" />', 2, "mj-include: footer.mjml includes itself"),
        ('\n<mj-include path="/etc/passwd" />', 2, "mj-include: there is no file /etc/passwd in the theme"),
        ('\n<mj-include path="../theme.toml" />', 2, "mj-include: there is no file ../theme.toml in the theme"),
    ],
)
def test_a_fault_in_a_partial_is_told_by_file_and_line(folder: Path, partial: str, line: int, message: str) -> None:
    (folder / "footer.mjml").write_text(partial)
    with pytest.raises(SourceError) as caught:
        laid_out(load_theme("magazine"))
    assert str(caught.value).startswith(f"{folder / 'footer.mjml'}:{line}: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('ink = "#17242c"', 'ink = "black"', "colors.ink: expected a colour such as #17242c"),
        ('ink = "#17242c"', "ink = 3", "colors.ink: input should be a valid string"),
        ('ink = "#17242c"', 'inc = "#17242c"', "colors.inc is not a setting of themes: did you mean ink?"),
        ('text = "Georgia, serif"', "text = \"'Georgia'; x\"", "fonts.text: expected names of fonts"),
        ("width = 640", "width = 64000", "layout.width: input should be less than or equal to 800"),
        ("raw_mjml = false", "raw_mjlm = true", "raw_mjlm is not a setting of themes: did you mean raw_mjml?"),
        ("[colors]", "[colors", "not TOML: "),
        ("[fonts]", '[logo]\nsrc = "a.png"\nalt = ""\nwidth = 99\n[fonts]', "logo.src: expected an address such as"),
    ],
)
def test_a_wrong_setting_is_told_by_file_and_line(folder: Path, old: str, new: str, message: str) -> None:
    right = (SHIPPED / "magazine" / "theme.toml").read_text()
    assert old in right
    (folder / "theme.toml").write_text(right.replace(old, new))
    with pytest.raises(NewsletterError) as caught:
        load_theme("magazine")
    place, found = str(caught.value).split(": ", 1)
    assert found.startswith(message)
    assert place.startswith(f"{folder / 'theme.toml'}:")
    assert abs(int(place.rpartition(":")[2]) - right[: right.index(old)].count("\n") - 1) <= 2


def test_an_issues_own_mjml_is_laid_out_where_the_theme_allows_it_and_its_faults_have_a_line(folder: Path) -> None:
    settings = (SHIPPED / "magazine" / "theme.toml").read_text().replace("raw_mjml = false", "raw_mjml = true")
    (folder / "theme.toml").write_text(settings)
    theme = load_theme("magazine")
    assert theme.raw_mjml
    context = specimen(theme, PICTURE)
    html = theme.render(context)
    assert "A whole section of the editor's own." in html
    context["document"]["blocks"] = [{"kind": "mjml", "source": "<mj-text>a</mj-text>\n<mj-txt />"}]
    with pytest.raises(SourceError, match=r"^::: mjml:2: mj-txt is not a tag"):
        theme.render(context)
