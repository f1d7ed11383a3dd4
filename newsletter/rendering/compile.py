"""issue -> email, the first half: a document becomes HTML and text with holes. Done once an issue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import count
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from newsletter.errors import NotFoundError, SourceError
from newsletter.rendering.blocks import Block, Poll, RawMjml
from newsletter.rendering.content import CLICK_TOKEN, HIDDEN_LINK, OPEN_TOKEN, UNSUBSCRIBE_TOKEN, Body, Content
from newsletter.rendering.document import Document
from newsletter.rendering.holes import Holes
from newsletter.rendering.layout import Pictures, for_theme
from newsletter.rendering.links import LinkBook, answer_url
from newsletter.rendering.plaintext import TextWriter
from newsletter.rendering.references import References
from newsletter.rendering.template import Template
from newsletter.rendering.text_elements import WIDTH, ElementWriter, underlined, wrap
from newsletter.rendering.theme import Theme, load_theme
from newsletter.rendering.typesetting import typeset_blocks
from newsletter.rendering.typography import typeset
from newsletter.resources import words


@dataclass(frozen=True, slots=True)
class Masthead:
    """What an issue shows of its publication."""

    name: str
    language: str
    postal_address: str = ""
    theme: str = "magazine"


def compile_issue(document: Document, masthead: Masthead, *, base_url: str, pictures: Pictures) -> Content:
    """Typeset, lay out, inline, rewrite links and cut at the holes.

    `base_url` is where links, pixel and unsubscribing lead; `pictures` places each image by its `src`, others stay
    where they point. Raises SourceError for an unknown theme, for MJML of the editor's own in a theme that does not
    allow it, and for a theme that does not compile.
    """
    theme = _theme(document, masthead)
    _refuse_raw_mjml(document, theme)
    language = document.front.language or masthead.language
    blocks = _with_answers(typeset_blocks(document.blocks, language), base_url)
    holes = Holes(document.book)
    unsubscribe_url = f"{base_url}/u/{holes.hole(UNSUBSCRIBE_TOKEN)}"
    click_url = f"{base_url}/c/{holes.hole(CLICK_TOKEN)}"
    links = LinkBook(lambda number: f"{click_url}/{number}", base_url, document.book)
    context = _context(document, masthead, language) | {
        "unsubscribe_url": unsubscribe_url,
        "view_url": f"{base_url}/v/{holes.hole(UNSUBSCRIBE_TOKEN)}",
        "preferences_url": f"{base_url}/preferences/{holes.hole(UNSUBSCRIBE_TOKEN)}",
        "pixel_url": f"{base_url}/o/{holes.hole(OPEN_TOKEN)}.gif",
        "trap_url": f"{click_url}/{HIDDEN_LINK}",
    }
    context["document"]["blocks"] = for_theme(blocks, pictures)

    def written(address: Callable[[str], str]) -> Template:
        writer = ElementWriter(document.book, References(address))
        body = TextWriter(context["words"], context["colon"], writer).write(blocks)
        return holes.cut(_text(masthead, context, body), html=False)

    def laid_out(context: Mapping[str, Any], rewrite: Callable[[str], str]) -> Template:
        return holes.cut(rewrite(theme.render(context)).rstrip() + "\n", html=True)

    html, text = laid_out(context, links.rewrite_html), written(links.rewritten)
    return Content(
        subject=holes.cut(typeset(document.subject, language), html=False),
        html=html,
        text=text,
        links=tuple(links.targets),
        issue={
            "title": document.front.title,
            "number": "" if document.front.number is None else str(document.front.number),
            "author": document.front.author,
        },
        publication={"name": masthead.name, "postal_address": masthead.postal_address},
        untracked=Body(laid_out(context | {"pixel_url": ""}, str), written(str)),
    )


def warnings(document: Document) -> list[tuple[int | None, str]]:
    """What an editor should look at before sending, each with its line."""
    found: list[tuple[int | None, str]] = [
        (document.front.lines.get(key.partition(" (did")[0]), f"front matter: the key {key} means nothing here")
        for key in document.front.unknown
    ]
    found += [(line, document.book.restore(note)) for line, note in document.notes]
    found += [
        (image.line, f"the picture {src} has no alternative text: write ![what it shows]({src})")
        for image, src in ((image, document.book.restore(image.src)) for image in document.images)
        if not image.alt.strip()
    ]
    return found


def _theme(document: Document, masthead: Masthead) -> Theme:
    if not document.front.theme:
        return load_theme(masthead.theme)
    try:
        return load_theme(document.front.theme)
    except NotFoundError as error:
        raise SourceError(str(error), path=document.path, line=document.front.lines.get("theme")) from None


def _refuse_raw_mjml(document: Document, theme: Theme) -> None:
    for block in document.blocks:
        if isinstance(block, RawMjml) and not theme.raw_mjml:
            raise SourceError(
                f"the theme {theme.name} allows no ::: mjml: take it out, or set raw_mjml = true in its theme.toml",
                path=document.path,
                line=block.line,
            )


def _with_answers(blocks: Sequence[Block], base_url: str) -> tuple[Block, ...]:
    """Every answer of a poll leads somewhere: those without a link to a page that says thanks, each by its number."""
    numbers = count(1)

    def answered(poll: Poll) -> Poll:
        answers = (
            answer if answer.url else replace(answer, url=answer_url(base_url, next(numbers)))
            for answer in poll.answers
        )
        return replace(poll, answers=tuple(answers))

    return tuple(answered(block) if isinstance(block, Poll) else block for block in blocks)


def _context(document: Document, masthead: Masthead, language: str) -> dict[str, Any]:
    front = document.front
    return {
        "document": {
            "title": typeset(front.title, language),
            "number": front.number,
            "author": front.author,
            "language": language,
            "preheader": typeset(document.preheader, language),
            "date_text": _date_text(front.date, language),
            "direction": "rtl" if _locale(language).text_direction == "rtl" else "ltr",
        },
        "publication": {"name": masthead.name, "postal_address": masthead.postal_address},
        "words": words(language),
        "colon": typeset("x:", language).removeprefix("x"),
    }


def _text(masthead: Masthead, context: Mapping[str, Any], body: str) -> str:
    phrases, facts = context["words"], context["document"]
    number = f"{phrases['number']} {facts['number']}" if facts["number"] is not None else ""
    head = [
        wrap(" - ".join(filter(None, [masthead.name, number, facts["date_text"]]))),
        underlined(wrap(facts["title"]), "="),
        wrap(f"{phrases['by']} {facts['author']}") if facts["author"] else "",
    ]
    foot = [
        "-" * WIDTH,
        _sender(masthead),
        f"{phrases['why_received']}\n"
        f"{phrases['view']}{context['colon']} {context['view_url']}\n"
        f"{phrases['preferences']}{context['colon']} {context['preferences_url']}\n"
        f"{phrases['unsubscribe']}{context['colon']} {context['unsubscribe_url']}",
    ]
    return "\n\n".join(filter(None, [*head, body, *foot])) + "\n"


def _sender(masthead: Masthead) -> str:
    """An address often begins with the publication's own name: it is said once."""
    rows = [row.strip() for row in masthead.postal_address.splitlines()]
    return "\n".join([masthead.name, *(row for row in rows if row and row != masthead.name)])


def _date_text(day: date | None, language: str) -> str:
    return format_date(day, format="full", locale=_locale(language)) if day else ""


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
