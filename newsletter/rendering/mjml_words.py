"""What an editor's own MJML says, for the text part."""

from __future__ import annotations

import re
from html import escape, unescape

from markdown_it.token import Token

from newsletter.rendering.html_tokens import html_tokens

_ELEMENT = re.compile(r"<mj-(image|button|text|table|navbar-link|social-element)\b((?:[^\"'>]|\"[^\"]*\"|'[^']*')*)>")
_END = re.compile(r"</mj-(?:button|text|table|navbar-link|social-element|image)\s*>")
_ATTRIBUTE = re.compile(r"""\b(href|alt)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


def mjml_tokens(source: str) -> list[Token]:
    """The words and links of MJML as tokens; a picture that leads somewhere is a link called by its `alt`."""
    return html_tokens(_END.sub("</a></p>", _ELEMENT.sub(_as_html, source)))


def _as_html(element: re.Match[str]) -> str:
    attributes = {name: unescape(first or second) for name, first, second in _ATTRIBUTE.findall(element[2])}
    href = attributes.get("href", "")
    link = f'<a href="{escape(href)}">' if href else ""
    image = element[1] == "image"
    words = escape(attributes.get("alt") or href) if image and href else ""
    return f"<p>{link}{words}" + ("</a></p>" if element[2].rstrip().endswith("/") else "")
