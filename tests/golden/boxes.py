"""What a browser makes of the sample issue: where its boxes begin, how wide they are, and their colours.

Not pixels: another font, or another renderer of the same font, changes every pixel and every line break, and no
tolerance tells that from a broken layout. Left edges, widths and colours come from the theme alone, so they can be
compared exactly; a box whose width its words decide is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from playwright.sync_api import Browser

from newsletter.rendering.specimen import specimen
from newsletter.rendering.theme import load_theme
from tests.golden.sample import PICTURE, golden

WIDTHS = (375, 640, 1200)
LOOKS = ("light", "dark", "without pictures")
# As large as the sample's picture, and as fast to show as none.
_DRAWN = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='960' height='540'/%3E"
_SOURCE = re.compile(r'\bsrc="(?:https://lettres[^"]*\.png|data:image/png[^"]*)"(?: srcset="[^"]*")?')


def boxes(browser: Browser, theme: str) -> str:
    """Every kind of box there is on the sample and on a page of every block, at each width and in each look."""
    loaded = load_theme(theme)
    pages = {"the sample": golden(theme)["html"], "every block": loaded.render(specimen(loaded, PICTURE))}
    return "".join(
        f"# {title}, {width} pixels, {look}\n{''.join(_lines(browser, html, width, look))}\n"
        for title, html in pages.items()
        for width in WIDTHS
        for look in LOOKS
    )


def _lines(browser: Browser, html: str, width: int, look: str) -> Iterator[str]:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if look == "dark" else "light", offline=True
    )
    page = context.new_page()
    source = "" if look == "without pictures" else _DRAWN
    page.set_content(_SOURCE.sub(f'src="{source}"', html), wait_until="load")
    found = page.evaluate(BOXES)
    context.close()
    yield from (f"{line}\n" for line in dict.fromkeys(found))


BOXES = """
() => {
  const byte = number => Number(number).toString(16).padStart(2, '0');
  const hex = colour => '#' + colour.match(/\\d+/g).slice(0, 3).map(byte).join('');
  const ground = one => {
    const colour = getComputedStyle(one).backgroundColor;
    return colour !== 'rgba(0, 0, 0, 0)' ? hex(colour) : one.parentElement ? ground(one.parentElement) : '#ffffff';
  };
  const kinds = 'h1, h2, h3, p, ul, ol, blockquote, .panel, .row, .sponsor, .answer, td.image img, .card, '
    + '.paper > table, .band > table';
  return [...document.querySelectorAll(kinds)].filter(one => one.offsetHeight > 2).map(one => {
    const box = one.getBoundingClientRect();
    const name = [one.tagName.toLowerCase(), ...[...one.classList].filter(c => !c.startsWith('mj-'))].join('.');
    const parent = one.parentElement.closest('[class]').classList[0];
    return `${parent} ${name}: from ${Math.round(box.left)}, ${Math.round(box.width)} wide, `
      + `${hex(getComputedStyle(one).color)} on ${ground(one)}`;
  });
}
"""
