"""Every block in every theme, as a real Chromium shows it: at any width, dark, without pictures, read aloud."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from newsletter.rendering.specimen import specimen
from newsletter.rendering.theme import load_theme
from newsletter.resources import SAMPLE_ISSUE
from tests.browser.test_pages import CONTRAST, browser, overflow

__all__ = ["browser"]
THEMES = ("digest", "letter", "magazine")
WIDTHS = (320, 375, 640, 1200)
PICTURE = (
    f"data:image/png;base64,{b64encode((SAMPLE_ISSUE.parent / 'images' / 'baikonour.png').read_bytes()).decode()}"
)
SMALLEST = 44
AXE_RULES = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}


@contextmanager
def shown(browser: Browser, theme: str, width: int, scheme: str = "light", picture: str = PICTURE) -> Iterator[Page]:
    dark = scheme == "dark"
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", offline=True
    )
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    loaded = load_theme(theme)
    page.set_content(loaded.render(specimen(loaded, picture)), wait_until="load")
    yield page
    assert [url for url in asked if not url.startswith(("data:", "about:"))] == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_fits_its_window_and_can_be_read(browser: Browser, theme: str, width: int, scheme: str) -> None:
    with shown(browser, theme, width, scheme) as page:
        assert overflow(page) <= 0
        assert page.locator("h1, h2, h3, p, li, a").evaluate_all(CONTRAST) == []
        assert page.locator("h1, h2, h3, p, li, a, td").evaluate_all(SMALL_TEXT) == []
        assert page.locator("h1, h2, h3, p, li").evaluate_all(OVERLAPS) == []


@pytest.mark.parametrize("theme", THEMES)
def test_what_is_pressed_is_large_enough_for_a_thumb(browser: Browser, theme: str) -> None:
    with shown(browser, theme, 375) as page:
        boxes = page.locator(".button a, .target, .answer a").evaluate_all(
            "all => all.map(one => [one.innerText, one.getBoundingClientRect().height])"
        )
        assert len(boxes) > 8
        assert [name for name, height in boxes if height < SMALLEST] == []


@pytest.mark.parametrize("width", [375, 640])
@pytest.mark.parametrize("theme", THEMES)
def test_without_pictures_their_words_stand_in_for_them(browser: Browser, theme: str, width: int) -> None:
    with shown(browser, theme, width, picture="data:,") as page:
        assert overflow(page) <= 0
        assert page.locator("img").evaluate_all("all => all.filter(one => !one.alt).length") == 0
        assert page.locator("h1, h2, h3, p, li").evaluate_all(OVERLAPS) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_serious(browser: Browser, theme: str, scheme: str) -> None:
    with shown(browser, theme, 375, scheme) as page:
        found = Axe().run(page, options=AXE_RULES).response["violations"]
        assert [
            (one["id"], one["impact"], [node["html"][:120] for node in one["nodes"]])
            for one in found
            if one["impact"] in ("serious", "critical")
        ] == []


SMALL_TEXT = """
all => all.filter(one => one.innerText.trim() && one.childElementCount === 0 && one.offsetHeight > 2
    && parseFloat(getComputedStyle(one).fontSize) < 16).map(one => one.innerText)
"""

OVERLAPS = """
all => {
  const boxes = all.filter(one => one.innerText.trim() && one.offsetHeight > 2)
    .map(one => [one, one.getBoundingClientRect()]);
  const beside = (a, b) => a.right <= b.left + 1 || b.right <= a.left + 1;
  const apart = (a, b) => beside(a, b) || a.bottom <= b.top + 1 || b.bottom <= a.top + 1;
  return boxes.flatMap(([one, a], index) => boxes.slice(index + 1)
    .filter(([other, b]) => !one.contains(other) && !other.contains(one) && !apart(a, b))
    .map(([other]) => [one.innerText.slice(0, 40), other.innerText.slice(0, 40)]));
}
"""
