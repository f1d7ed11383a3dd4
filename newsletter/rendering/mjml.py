"""MJML to HTML, by mjml-python, with the guards it lacks."""

from __future__ import annotations

import re

from mjml import mjml2html

from newsletter.errors import InputError

MAX_DEPTH = 200
_ELEMENT = re.compile(r"<(/?)([A-Za-z][\w-]*)[^<>]*?(/?)>")
# An element with its attributes; the title, too, ends up in an attribute.
_ATTRIBUTES = re.compile(r"<mj-title>[^<]*|<[A-Za-z][^<>]*>")
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
_INCLUDE = re.compile(r"<mj-include\b")


def to_html(mjml: str, origin: str) -> str:
    """Compile MJML. No font or icon of a third party is called. Raises InputError naming `origin` and the line."""
    _guard(mjml, origin)
    mjml = _ATTRIBUTES.sub(_plain, mjml)
    try:
        # Without an empty table of fonts, well-known font names would add a request to a font service.
        return mjml2html(mjml, fonts={})
    except ValueError as error:
        raise InputError(f"{origin}: the MJML does not compile: {error}") from None


def _guard(mjml: str, origin: str) -> None:
    """Refuse what makes the compiler crash: includes that include themselves, nesting by the thousand."""
    include = _INCLUDE.search(mjml)
    if include:
        raise InputError(
            f"{origin}: {_line(mjml, include.start())}: mj-include is not supported; use a Jinja include"
        )
    depth = 0
    for element in _ELEMENT.finditer(mjml):
        if not element.group(3) and element.group(2) not in _VOID:
            depth += -1 if element.group(1) else 1
        if depth > MAX_DEPTH:
            line = _line(mjml, element.start())
            raise InputError(f"{origin}: {line}: elements are nested more than {MAX_DEPTH} deep")


def _plain(element: re.Match[str]) -> str:
    # The compiler writes some characters of attributes as Rust would, a no-break space as \u{a0}; it leaves entities.
    return element[0].replace("\\", "&#92;").encode("ascii", "xmlcharrefreplace").decode("ascii")


def _line(text: str, offset: int) -> str:
    return f"line {text.count(chr(10), 0, offset) + 1} of the MJML"
