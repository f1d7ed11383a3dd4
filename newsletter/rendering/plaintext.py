"""The plain-text part: written from the Markdown, so that it reads like a letter and not like stripped HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from newsletter.rendering.blocks import (
    Agenda,
    Block,
    Button,
    Callout,
    Card,
    Cards,
    Contents,
    Divider,
    Image,
    Poll,
    Prose,
    PullQuote,
    Quote,
    RawMjml,
    Rich,
    Row,
    Sponsor,
    TagLine,
    Video,
)
from newsletter.rendering.mjml_words import mjml_tokens
from newsletter.rendering.text_elements import WIDTH, ElementWriter, prefixed, rule, wrap

_BOX = WIDTH - 2


@dataclass(slots=True)
class TextWriter:
    """Writes blocks as text. Links become numbers, listed after the section they stand in.

    `colon` is how the language writes one after a word.
    """

    words: Mapping[str, str]
    colon: str
    writer: ElementWriter

    def write(self, blocks: Sequence[Block]) -> str:
        """The text of `blocks`, paragraphs parted by an empty line."""
        paragraphs = [paragraph for block in blocks for paragraph in self._block(block)]
        paragraphs += self.writer.listed()
        return "\n\n".join(paragraphs)

    def _block(self, block: Block) -> Iterator[str]:
        match block:
            case Prose(html):
                yield from self.writer.elements(html.tokens)
            case Quote(html):
                yield prefixed("\n\n".join(self.writer.elements(html.tokens, _BOX)), "> ")
            case PullQuote(html, source):
                said = [*self.writer.elements(html.tokens, _BOX), *self.writer.elements(source.tokens, _BOX)]
                yield prefixed("\n\n".join(said), "> ")
            case Callout(title, html):
                yield self._box(self._upper(title), html)
            case Sponsor(name, image, html):
                yield self._box(f"{self.words['sponsor']}{self.colon} {name}", html, image)
            case Image():
                yield self._image(block)
            case Button(label, url):
                yield self._link(label, url)
            case Divider():
                yield rule()
            case Cards(cards):
                for card in cards:
                    yield from self._card(card)
            case Contents(title, entries):
                if entries:
                    yield self._titled(title, [wrap(f"- {entry.text}") for entry in entries])
            case Agenda(title, rows):
                yield self._titled(title, [self._row(row) for row in rows])
            case Video(image, url, caption):
                yield self._link(caption or image.alt or self.words["video"], url)
            case Poll(question, answers):
                yield self._titled(question, [self._link(answer.label, answer.url) for answer in answers])
            case RawMjml(source):
                yield from self.writer.elements(mjml_tokens(source))
            case TagLine(placeholders):
                yield self.writer.condition(placeholders)

    def _box(self, title: str, html: Rich, image: Image | None = None) -> str:
        parts = [wrap(title, _BOX)] if title else []
        parts += [self._image(image, _BOX)] if image else []
        return prefixed("\n\n".join([*parts, *self.writer.elements(html.tokens, _BOX)]), "| ")

    def _card(self, card: Card) -> Iterator[str]:
        if card.image:
            yield self._image(card.image)
        yield from self.writer.elements(card.html.tokens)
        if card.url:
            yield self._link(card.label, card.url)

    def _row(self, row: Row) -> str:
        cells = [self.writer.words(cell.tokens) for cell in (row.when, row.what, row.where)]
        return wrap("- " + " | ".join(filter(None, cells)))

    def _image(self, image: Image, width: int = WIDTH) -> str:
        line = f"[{self.words['image']}{self.colon} {image.alt}]" if image.alt else f"[{self.words['image']}]"
        reference = self.writer.references.link(image.href) if image.href else ""
        return wrap(" ".join(filter(None, [line, image.caption, reference])), width)

    def _link(self, label: str, url: str) -> str:
        return wrap(f"-> {label} {self.writer.references.link(url)}".rstrip())

    def _titled(self, title: str, lines: Sequence[str]) -> str:
        return "\n".join(([f"{wrap(self._upper(title))}\n"] if title else []) + list(lines))

    def _upper(self, text: str) -> str:
        return text if self.writer.book.pattern.search(text) else text.upper()
