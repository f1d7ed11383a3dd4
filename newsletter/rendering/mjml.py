"""MJML to HTML, by mjml-python, with the guards it lacks."""

from __future__ import annotations

import re

from mjml import mjml2html

from newsletter.rendering.includes import Includes, Read, read_nothing
from newsletter.rendering.inline import inline
from newsletter.rendering.mend_html import mend_html
from newsletter.rendering.mend_mjml import mend_mjml
from newsletter.rendering.mjml_check import check
from newsletter.rendering.places import Placed

# An element with its attributes; the title, too, ends up in an attribute.
_ATTRIBUTES = re.compile(r"""<mj-title>[^<\ue000]*|<[A-Za-z](?:[^"'<>]|"[^"]*"|'[^']*')*>""")
_INLINE_STYLE = re.compile(
    r"""<mj-style\s+inline\s*=\s*["']inline["']\s*>([^\ue000]*?)(?:\ue000[^\ue001]*\ue001)?</mj-style>"""
)
_POSITION = re.compile(r" in root template at position (\d+):\d+$")


def to_html(mjml: str, origin: str, read: Read = read_nothing) -> str:
    """Compile MJML; the styles of `mj-style inline="inline"` are on the elements. Nothing of a third party is called.

    `read` gives the text of a file that mj-include names. Raises SourceError with the file and line of the first
    fault; MJML that bears no marks (see places.py) is named by `origin`.
    """
    marked = _ATTRIBUTES.sub(_plain, Includes(read, origin).expand(mjml))
    styles = _INLINE_STYLE.findall(marked)
    marked = _INLINE_STYLE.sub("", marked)
    check(Placed.of(marked, origin))
    html = _compile(Placed.of(mend_mjml(marked), origin))
    return inline(mend_html(html), "\n".join(styles))


def _compile(placed: Placed) -> str:
    try:
        # Without an empty table of fonts, well-known font names would add a request to a font service.
        return mjml2html(placed.text, fonts={})
    except ValueError as error:
        message = str(error)
        position = _POSITION.search(message)
        offset = len(placed.text.encode()[: int(position[1])].decode(errors="ignore")) if position else 0
        raise placed.fault(offset, f"the MJML does not compile: {_POSITION.sub('', message)}") from None


def _plain(element: re.Match[str]) -> str:
    # The compiler writes some characters of attributes as Rust would, a no-break space as \u{a0}; it leaves entities.
    return element[0].replace("\\", "&#92;").encode("ascii", "xmlcharrefreplace").decode("ascii")
