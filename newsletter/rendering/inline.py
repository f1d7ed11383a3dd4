"""Styles copied onto the elements they match: many mail programs read no others."""

from __future__ import annotations

from functools import lru_cache
from html import escape

from css_inline import CSSInliner, InlineError

# A theme's styles differ only by direction; a few themes are in use at a time.
_KEPT = 16
# MJML writes the preheader white on white besides hiding it, which spam filters count against the whole message.
_PREHEADER = "display:none;font-size:1px;color:#ffffff;"


def inline(html: str, css: str) -> str:
    """`html` with `css` copied onto its elements, its preheader hidden as honest mail does it; nothing is fetched.

    What the page holds in style elements stays there. Where inlining fails, `css` is put into the head as it is.
    """
    html = html.replace(_PREHEADER, _PREHEADER.removesuffix("color:#ffffff;"), 1)
    if not css.strip():
        return html
    try:
        return _inliner(css).inline(html)
    except InlineError:
        return html.replace("</head>", f"<style>{css}</style></head>", 1)


def is_readable(style: str) -> bool:
    """Whether a style attribute can be read. A single one that cannot keeps the whole page from being inlined."""
    try:
        _inliner("p{color:#000}").inline(f'<p style="{escape(style)}"></p>')
    except InlineError:
        return False
    return True


@lru_cache(maxsize=_KEPT)
def _inliner(css: str) -> CSSInliner:
    return CSSInliner(
        inline_style_tags=False,
        keep_style_tags=True,
        keep_link_tags=True,
        load_remote_stylesheets=False,
        extra_css=css,
    )
