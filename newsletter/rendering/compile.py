"""issue -> email, the first half: a document becomes HTML and text with holes. Done once an issue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from markupsafe import Markup

from newsletter.errors import NotFoundError, SourceError
from newsletter.rendering.blocks import Block, Image, Prose
from newsletter.rendering.content import CLICK_TOKEN, OPEN_TOKEN, UNSUBSCRIBE_TOKEN, Content
from newsletter.rendering.document import Document
from newsletter.rendering.holes import Holes
from newsletter.rendering.links import LinkBook
from newsletter.rendering.plaintext import WIDTH, TextWriter, underlined, wrap
from newsletter.rendering.theme import Theme, load_theme
from newsletter.resources import words

# An attribute's value may hold < and > (WHATWG HTML, section 13.3), never its own quotation mark.


@dataclass(frozen=True, slots=True)
class Masthead:
    """What an issue shows of its publication."""

    name: str
    language: str
    postal_address: str = ""
    theme: str = "magazine"


@dataclass(frozen=True, slots=True)
class PlacedPicture:
    """Where a picture is fetched from, and its natural size in pixels, where known."""

    url: str
    width: int | None = None
    height: int | None = None


def compile_issue(
    document: Document, masthead: Masthead, *, base_url: str, pictures: Mapping[str, PlacedPicture]
) -> Content:
    """Lay out, inline, rewrite links and cut at the holes.

    `base_url` is where links, pixel and unsubscribing lead; `pictures` places each image by its `src`, others stay
    where they point. Raises SourceError for an unknown theme and InputError for a theme that does not compile.
    """
    holes = Holes(document.book)
    unsubscribe_url = f"{base_url}/u/{holes.hole(UNSUBSCRIBE_TOKEN)}"
    click_url = f"{base_url}/c/{holes.hole(CLICK_TOKEN)}"
    links = LinkBook(lambda number: f"{click_url}/{number}", base_url, document.book)
    context = _context(document, masthead, pictures)
    context["unsubscribe_url"] = unsubscribe_url
    context["pixel_url"] = f"{base_url}/o/{holes.hole(OPEN_TOKEN)}.gif"

    html = links.rewrite_html(_theme(document, masthead).render(context))
    text = links.rewrite_text(_text(document, masthead, context, unsubscribe_url))
    return Content(
        subject=holes.cut(document.subject, html=False),
        html=holes.cut(html.rstrip() + "\n", html=True),
        text=holes.cut(text, html=False),
        links=tuple(links.targets),
        issue={
            "title": document.front.title,
            "number": "" if document.front.number is None else str(document.front.number),
            "author": document.front.author,
        },
        publication={"name": masthead.name, "postal_address": masthead.postal_address},
    )


def _theme(document: Document, masthead: Masthead) -> Theme:
    if not document.front.theme:
        return load_theme(masthead.theme)
    try:
        return load_theme(document.front.theme)
    except NotFoundError as error:
        raise SourceError(str(error), path=document.path, line=document.front.lines.get("theme")) from None


def warnings(document: Document) -> list[tuple[int | None, str]]:
    """What an editor should look at before sending, each with its line."""
    found: list[tuple[int | None, str]] = [
        (document.front.lines.get(key.partition(" (did")[0]), f"front matter: the key {key} means nothing here")
        for key in document.front.unknown
    ]
    found += [
        (image.line, f"the picture {src} has no alternative text: write ![what it shows]({src})")
        for image, src in ((image, document.book.restore(image.src)) for image in document.images)
        if not image.alt.strip()
    ]
    return found


def _context(document: Document, masthead: Masthead, pictures: Mapping[str, PlacedPicture]) -> dict[str, Any]:
    front = document.front
    language = front.language or masthead.language
    return {
        "document": {
            "title": front.title,
            "number": front.number,
            "author": front.author,
            "language": language,
            "preheader": document.preheader,
            "date_text": _date_text(front.date, language),
            "direction": "rtl" if _locale(language).text_direction == "rtl" else "ltr",
            "blocks": tuple(
                _for_theme(block, pictures, first=index == 0) for index, block in enumerate(document.blocks)
            ),
        },
        "publication": {"name": masthead.name, "postal_address": masthead.postal_address},
        "words": words(language),
    }


def _for_theme(block: Block, pictures: Mapping[str, PlacedPicture], *, first: bool) -> dict[str, Any]:
    """A block as theme templates see it: HTML that is safe already is marked so, everything else gets escaped."""
    if isinstance(block, Image):
        placed = pictures.get(block.src, PlacedPicture(block.src))
        size = {"src": placed.url, "width": placed.width, "height": placed.height}
        return {"kind": block.kind, "alt": block.alt, "caption": block.caption, "href": block.href, **size}
    values = {name: getattr(block, name) for name in block.__slots__ if name != "tokens"}
    if "html" in values:
        html = values["html"]
        if first and isinstance(block, Prose):
            html = html.replace("<p>", '<p class="lead">', 1)
        values["html"] = Markup(html)  # noqa: S704 - rendered from Markdown with raw HTML escaped
    return values


def _text(document: Document, masthead: Masthead, context: Mapping[str, Any], unsubscribe_url: str) -> str:
    phrases, facts = context["words"], context["document"]
    number = f"{phrases['number']} {facts['number']}" if facts["number"] is not None else ""
    head = [
        wrap(" - ".join(filter(None, [masthead.name, number, facts["date_text"]]))),
        underlined(wrap(facts["title"]), "="),
        wrap(f"{phrases['by']} {facts['author']}") if facts["author"] else "",
    ]
    foot = [
        "-" * WIDTH,
        "\n".join(filter(None, [masthead.name, masthead.postal_address])),
        f"{phrases['why_received']}\n{phrases['unsubscribe']} : {unsubscribe_url}",
    ]
    body = TextWriter(phrases, document.book).write(document.blocks)
    return "\n\n".join(filter(None, [*head, body, *foot])) + "\n"


def _date_text(day: date | None, language: str) -> str:
    return format_date(day, format="full", locale=_locale(language)) if day else ""


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
