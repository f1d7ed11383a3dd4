from __future__ import annotations

import re
from collections import Counter

import pytest

from newsletter.errors import NotFoundError, SourceError
from newsletter.rendering.compile import Masthead, compile_issue
from newsletter.rendering.document import read_document
from newsletter.rendering.issue_file import read_issue
from newsletter.rendering.theme import load_theme
from newsletter.resources import SAMPLE_ISSUE
from tests.unit.rendering.reading import BASE_URL, HEAD, MASTHEAD, Element, elements, letter, merged

# Namespaces name a vocabulary; no program fetches them.
NAMESPACE = re.compile(r"http://www\.w3\.org/1999/xhtml|urn:schemas-microsoft-com:[\w:]+")


@pytest.fixture(scope="module")
def html() -> str:
    """The sample as one reader gets it, its no-break spaces as themselves."""
    read = merged(read_issue(SAMPLE_ISSUE).compile(MASTHEAD, BASE_URL), first_name="Zoé")
    return read.html.replace("&nbsp;", "\u00a0")


@pytest.fixture(scope="module")
def found(html: str) -> list[Element]:
    return elements(html)


def one(found: list[Element], name: str) -> Element:
    [element] = [element for element in found if element.name == name]
    return element


def test_an_unknown_theme_names_those_there_are() -> None:
    with pytest.raises(NotFoundError, match=r"^there is no theme “baroque”; there are digest, letter, magazine$"):
        load_theme("baroque")


@pytest.mark.parametrize("name", ["../email/magazine", "", ".", "magazine/", "MAGAZINE"])
def test_a_theme_is_named_and_never_found_by_a_path(name: str) -> None:
    with pytest.raises(NotFoundError):
        load_theme(name)


def test_an_issue_may_choose_its_theme() -> None:
    document = read_document("---\ntitle: T\ntheme: baroque\n---\n", "issue.md")
    with pytest.raises(SourceError, match=r"issue\.md:3: there is no theme “baroque”"):
        compile_issue(document, MASTHEAD, base_url=BASE_URL, pictures={})


def test_nothing_in_the_message_calls_a_third_party(html: str, found: list[Element]) -> None:
    addresses = [
        element.attributes[name]
        for element in found
        for name in ("src", "href", "background", "srcset", "action", "poster", "data")
        if name in element.attributes
    ]
    addresses += re.findall(r"url\(\s*['\"]?([^)'\"]*)", html) + re.findall(r"@import[^;]*", html)
    assert len(addresses) > 10
    assert [url for url in addresses if not url.startswith((f"{BASE_URL}/", "mailto:", "#"))] == []
    assert re.findall(r"https?://[^\s\"'<>]+", NAMESPACE.sub("", html).replace(BASE_URL, "")) == []


def test_the_message_says_its_language_and_direction(found: list[Element]) -> None:
    assert (found[0].name, found[0].attributes["lang"], found[0].attributes["dir"]) == ("html", "fr", "ltr")


def test_a_language_written_from_the_right_is_laid_out_from_the_right() -> None:
    root = elements(letter("x", "---\ntitle: T\nlanguage: ar\n---\n").html)[0]
    assert (root.attributes["lang"], root.attributes["dir"]) == ("ar", "rtl")


def test_an_unheard_of_language_is_dated_in_english() -> None:
    head = "---\ntitle: T\nlanguage: qq-Zzzz\ndate: 2026-03-13\n---\n"
    assert "Friday, March 13, 2026" in letter("x", head).text


def test_there_is_one_first_level_heading_and_one_title(found: list[Element], html: str) -> None:
    names = Counter(element.name for element in found)
    assert (names["h1"], names["title"]) == (1, 1)
    assert "<title>Kazakhstan\u00a0: deux jours avant le référendum</title>" in html


def test_the_preheader_stands_before_everything_else_in_the_body(html: str) -> None:
    body = html.partition("<body")[2]
    assert body.index("Le scrutin du 15\u00a0mars, le Luxembourg") < body.index("L’Hebdo")


def test_it_says_that_it_has_a_dark_and_a_light_scheme(found: list[Element]) -> None:
    metas = {element.attributes.get("name"): element.attributes.get("content") for element in found}
    assert metas["color-scheme"] == "light dark"
    assert metas["supported-color-schemes"] == "light dark"
    assert "viewport" in metas


def test_there_is_no_script_and_nothing_that_listens(html: str, found: list[Element]) -> None:
    assert "<script" not in html.lower()
    assert not {element.name for element in found} & {"script", "iframe", "object", "embed", "form", "input", "svg"}
    assert [name for element in found for name in element.attributes if name.startswith("on")] == []


def test_the_pixel_is_there_once(html: str, found: list[Element]) -> None:
    assert html.count(f"{BASE_URL}/o/OPENED.gif") == 1
    [pixel] = [element for element in found if element.attributes.get("src") == f"{BASE_URL}/o/OPENED.gif"]
    assert (pixel.attributes["width"], pixel.attributes["height"], pixel.attributes["alt"]) == ("1", "1", "")


def test_every_picture_has_an_alternative_text(found: list[Element]) -> None:
    pictures = [element for element in found if element.name == "img"]
    assert len(pictures) == 2
    assert all("alt" in picture.attributes for picture in pictures)


def test_layout_tables_are_not_read_out_as_tables(found: list[Element]) -> None:
    tables = [element for element in found if element.name == "table"]
    assert [table for table in tables if table.attributes.get("role") != "presentation"] == []


def test_one_may_unsubscribe(found: list[Element]) -> None:
    assert f"{BASE_URL}/u/LEFT" in [element.attributes.get("href") for element in found]


def test_it_is_small_enough_not_to_be_clipped(html: str) -> None:
    assert len(html.encode()) < 102_000 / 2


def test_no_placeholder_or_template_is_left_over(html: str) -> None:
    assert not re.search(r"mt[0-9a-f]{8}n|\{\{|\}\}|\{%|%\}|[\x00-\x08]", html)
    assert "None" not in html


def test_a_bare_issue_of_a_bare_publication_is_laid_out_too() -> None:
    document = read_document(HEAD, "issue.md")
    content = compile_issue(document, Masthead("P", "en"), base_url=BASE_URL, pictures={})
    read = merged(content)
    elements(read.html)
    assert read.text == (
        f"P\n\nTitre\n=====\n\n{'-' * 72}\n\nP\n\nYou receive this email because you subscribed to it.\n"
        f"Read in the browser: {BASE_URL}/v/LEFT\n"
        f"Your preferences: {BASE_URL}/preferences/LEFT\n"
        f"Unsubscribe: {BASE_URL}/u/LEFT\n"
    )


@pytest.mark.parametrize("name", ['A & B <i>"x"</i>', "C:\\Temp", "{{ x }}", "L’Hebdo\u00a0!"])
def test_a_publication_may_have_any_name(name: str) -> None:
    document = read_document(f"---\ntitle: '{name}'\nnumber: 1\n---\n".replace("{{", "{ {"), "issue.md")
    content = compile_issue(document, Masthead(name, "en", name), base_url=BASE_URL, pictures={})
    read = merged(content)
    elements(read.html)
    assert name in read.text
    assert "i" not in {element.name for element in elements(read.html)}
