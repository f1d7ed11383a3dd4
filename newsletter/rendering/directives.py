"""What each `:::` directive makes of what it holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from newsletter.errors import SourceError
from newsletter.rendering.blocks import (
    Agenda,
    Answer,
    Block,
    Button,
    Callout,
    Card,
    Cards,
    Contents,
    Entry,
    Image,
    Poll,
    PullQuote,
    Rich,
    Row,
    Sponsor,
    Video,
)
from newsletter.rendering.conditions import check_conditions
from newsletter.rendering.elements import (
    Element,
    cells_of,
    elements_of,
    inline,
    joined,
    line_in,
    list_items,
    lone_image,
    lone_link,
    parts_between,
    words_of,
)
from newsletter.rendering.line_rules import TAG_TOKEN
from newsletter.rendering.markdown import line_of, name_and_title, plain
from newsletter.rendering.merge_tags import TagBook

_DASHES = ("-", "–", "—")
_CARDS = range(2, 4)
_CELLS = range(2, 4)
_ANSWERS = range(2, 7)


@dataclass(frozen=True, slots=True)
class Directive:
    """A directive as it was written, and what it may need to know of its issue."""

    title: str
    elements: Sequence[Element]
    line: int | None
    headings: tuple[Entry, ...]
    book: TagBook
    path: str

    def fault(self, message: str, line: int | None = None) -> SourceError:
        return SourceError(message, path=self.path, line=line or self.line)


def read_directive(group: Element, headings: tuple[Entry, ...], book: TagBook, path: str) -> Block:
    """The block that a directive stands for. Raises SourceError with the line where it holds the wrong thing."""
    name, title = name_and_title(group[0])
    return _READERS[name](Directive(title, elements_of(group[1:-1]), line_of(group[0]), headings, book, path))


def refuse_images(elements: Sequence[Element], path: str) -> None:
    """Raise SourceError for a picture that is not alone: themes and text part would not know where to put it."""
    for element in elements:
        line = None
        for token in element:
            line = line_of(token) or line
            if any(child.type == "image" for child in token.children or []):
                raise SourceError(
                    "a picture stands alone: put an empty line before and after it, outside lists, quotes and boxes",
                    path=path,
                    line=line,
                )


def _rich(directive: Directive, elements: Sequence[Element]) -> Rich:
    refuse_images(elements, directive.path)
    return Rich(joined(elements))


def _button(directive: Directive) -> Button:
    refuse_images(directive.elements, directive.path)
    link = lone_link(directive.elements[0]) if len(directive.elements) == 1 else None
    if link is None:
        raise directive.fault("::: button holds one link, such as [Read on](https://…)")
    return Button(*link)


def _callout(directive: Directive) -> Callout:
    return Callout(directive.title, _rich(directive, directive.elements))


def _pull_quote(directive: Directive) -> PullQuote:
    words, source = list(directive.elements), Rich()
    if not words:
        raise directive.fault("::: pull-quote holds a sentence, and its source after a dash if you like")
    if len(words) > 1 and plain(words_of(words[-1:]) or []).startswith(_DASHES):
        source = _rich(directive, [[words.pop()[1]]])
    return PullQuote(_rich(directive, words), source)


def _contents(directive: Directive) -> Contents:
    if directive.elements:
        raise directive.fault("::: contents holds nothing: it lists the headings of the issue by itself")
    return Contents(directive.title, directive.headings)


def _cards(directive: Directive) -> Cards:
    for element in directive.elements:
        # Markdown takes a line of dashes right below words for their underline.
        if element[0].type == "heading_open" and element[0].markup == "-":
            raise directive.fault("put an empty line before the --- between two cards", line_of(element[0]))
    cards = tuple(_card(directive, part) for part in parts_between(directive.elements, "hr"))
    if len(cards) not in _CARDS:
        raise directive.fault(f"::: cards holds two or three parts with --- between them, not {len(cards)}")
    return Cards(cards)


def _card(directive: Directive, part: Sequence[Element]) -> Card:
    if not part:
        raise directive.fault("a card is empty: write something before and after each ---")
    _check_within(directive, joined(part), "card", "cards")
    image, rest = _image_first(part)
    link = lone_link(rest[-1]) if rest else None
    label, url = link or ("", "")
    return Card(image, _rich(directive, rest[:-1] if link else rest), label, url)


def _image_first(elements: Sequence[Element]) -> tuple[Image | None, Sequence[Element]]:
    image = lone_image(elements[0]) if elements else None
    return image, elements[1:] if image else elements


def _agenda(directive: Directive) -> Agenda:
    _refuse_around(directive, "row", "agenda")
    items = list_items(directive.elements)
    if not items:
        raise directive.fault("::: agenda holds one list, an item a row: - 20 March, 19:00 | Concert | Brussels")
    refuse_images(directive.elements, directive.path)
    return Agenda(directive.title, tuple(_row(directive, item) for item in items))


def _row(directive: Directive, item: Sequence[Element]) -> Row:
    cells = cells_of(words_of(item) or [])
    if len(cells) not in _CELLS or not all(cells[:2]):
        raise directive.fault(
            "a row of ::: agenda is a line such as - 20 March, 19:00 | Concert | Brussels, the place if you like",
            line_in(item),
        )
    for cell in cells:
        _check_within(directive, [inline(cell)], "row", "agenda", line_in(item))
    when, what, where = (Rich((inline(cell),)) if cell else Rich() for cell in [*cells, []][:3])
    return Row(when, what, where)


def _refuse_around(directive: Directive, part: str, name: str) -> None:
    for element in directive.elements:
        if element[0].type == TAG_TOKEN:
            raise _no_condition_around(directive, part, name, line_of(element[0]))


def _check_within(
    directive: Directive, tokens: Sequence[Token], part: str, name: str, line: int | None = None
) -> None:
    """Refuse a condition that begins in one part of a block and ends in another."""
    try:
        check_conditions(tokens, directive.book, directive.path)
    except SourceError as error:
        raise _no_condition_around(directive, part, name, line or error.line) from None


def _no_condition_around(directive: Directive, part: str, name: str, line: int | None) -> SourceError:
    return directive.fault(
        f"a condition cannot stand around one {part} of ::: {name}: put it around words inside the {part}, "
        f"or around a whole ::: {name} of its own",
        line,
    )


def _sponsor(directive: Directive) -> Sponsor:
    if not directive.title:
        raise directive.fault("::: sponsor needs a name, such as ::: sponsor The Corner Bookshop")
    image, rest = _image_first(directive.elements)
    return Sponsor(directive.title, image, _rich(directive, rest))


def _video(directive: Directive) -> Video:
    image = lone_image(directive.elements[0]) if len(directive.elements) == 1 else None
    if image is None or not image.href:
        raise directive.fault(
            '::: video holds one linked picture: [![what it shows](still.png "Caption")](https://…)'
        )
    return Video(image, image.href, image.caption)


def _poll(directive: Directive) -> Poll:
    if not directive.title:
        raise directive.fault("::: poll needs a question, such as ::: poll Shall we meet on a Friday?")
    _refuse_around(directive, "answer", "poll")
    items = list_items(directive.elements) or []
    if len(items) not in _ANSWERS:
        raise directive.fault("::: poll holds one list of two to six answers, each a link or plain words")
    refuse_images(directive.elements, directive.path)
    return Poll(directive.title, tuple(_answer(directive, item) for item in items))


def _answer(directive: Directive, item: Sequence[Element]) -> Answer:
    words = words_of(item) or []
    label = plain(words).strip()
    link = lone_link(item[0]) if words else None
    if not label or (link is None and any(child.type == "link_open" for child in words)):
        raise directive.fault("an answer is one link or plain words", line_in(item))
    return Answer(*(link or (label, "")))


_READERS: dict[str, Callable[[Directive], Block]] = {
    "button": _button,
    "callout": _callout,
    "pull-quote": _pull_quote,
    "contents": _contents,
    "cards": _cards,
    "agenda": _agenda,
    "sponsor": _sponsor,
    "video": _video,
    "poll": _poll,
}
