"""Where mjml-python departs from npm's `mjml`: mended in its HTML, by the signs that `mend_mjml.py` left."""

from __future__ import annotations

import re

from newsletter.rendering.mend_mjml import FLUID, ICON_LAST, RAW, RAW_END

_OUTLOOK = r"(?:<!--(?:(?!-->).)*-->\s*)?"
_RAW_ROW = re.compile(
    rf"<tr>\s*<td[^<>]*>\s*{_OUTLOOK}<div[^<>]*>\s*{RAW}([^{RAW_END}]*){RAW_END}\s*</div>\s*{_OUTLOOK}</td>\s*</tr>",
    re.DOTALL,
)
_HERO = re.compile(
    rf"""<div class="([^"]*?) ?{FLUID}(\d+)"( style="[^"]*"><table[^<>]*><tbody><tr[^<>]*>)"""
    r"""<td([^<>]*) height="[^"]*"( style="[^"]*;)height:[^";]*;">"""
)
_ICON_AND_WORDS = re.compile(
    r"(<td[^<>]*><table[^<>]*><tbody><tr><td[^<>]*>(?:<a[^<>]*>)?<img[^<>]*>(?:</a>)?</td></tr></tbody></table></td>)"
    rf"(<td[^<>]*><[^<>]*>\s*){ICON_LAST}((?:(?!</td>).)*</td>)",
    re.DOTALL,
)
_TABLE = re.compile(
    r"""(<table border="0" cellpadding="[^"]*" cellspacing="([^"]*)" width="[^"]*" """
    r"""style="color:[^"]*;table-layout:[^"]*?)(?:border-collapse:separate;)?">"""
)


def mend_html(html: str) -> str:
    """The compiler's HTML as npm's would be.

    `mj-raw` stands in a column without a cell around it, a hero of fluid height is as high as its picture, icons come
    after their words where they are to, the borders of an `mj-table` are drawn apart only where it has a
    `cellspacing`, and the arrows of a carousel are hidden from Yahoo alone.
    """
    html = _RAW_ROW.sub(r"\1", html)
    html = _HERO.sub(_as_high_as_its_picture, html)
    html = _ICON_AND_WORDS.sub(r"\2\3\1", html)
    html = _TABLE.sub(_collapsed_without_spacing, html)
    return html.replace(ICON_LAST, "").replace("@media screen, yahoo", "@media screen yahoo")


def _as_high_as_its_picture(hero: re.Match[str]) -> str:
    # The padding of a cell counts in per cent of the width, and the cell is as high as its row.
    prop = f'<td style="width:0.01%;padding-bottom:{hero[2]}%;mso-padding-bottom-alt:0;"></td>'
    classes = f' class="{hero[1]}"' if hero[1] else ""
    return f'<div{classes}{hero[3]}{prop}<td{hero[4]}{hero[5]}">'


def _collapsed_without_spacing(table: re.Match[str]) -> str:
    apart = "" if table[2] in ("", "0", "0px") else "border-collapse:separate;"
    return f'{table[1]}{apart}">'
