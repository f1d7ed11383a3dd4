"""An issue's file, read: its front matter and its blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from newsletter.errors import SourceError
from newsletter.rendering import front_matter
from newsletter.rendering.block_reader import read_blocks
from newsletter.rendering.blocks import Block, Image, images_in
from newsletter.rendering.conditions import check_conditions, check_line_conditions
from newsletter.rendering.expressions import Fields
from newsletter.rendering.front_matter import FrontMatter
from newsletter.rendering.limits import check_counts, check_size, check_work
from newsletter.rendering.markdown import parse
from newsletter.rendering.merge_tags import TagBook
from newsletter.rendering.raw_html import Note, sanitise

# Lone surrogates have no bytes.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Document:
    """An issue ready to be laid out. Merge tags are placeholders of `book`, in the texts and the blocks alike.

    `notes` are what an editor should look at, each with its line.
    """

    front: FrontMatter
    subject: str
    preheader: str
    blocks: tuple[Block, ...]
    book: TagBook
    path: str
    notes: tuple[Note, ...] = ()

    @property
    def images(self) -> tuple[Image, ...]:
        """The pictures, in order."""
        return tuple(images_in(self.blocks))


def read_document(source: str, path: str, fields: Fields | None = None) -> Document:
    """Read an issue; `path` is what errors name it by, `fields` what its merge tags may use.

    Raises SourceError with the line of the first fault.
    """
    source = _cleaned(source, path)
    front, body, offset = _split(source, path)
    book = TagBook.for_source(source, fields or Fields())
    subject = _lift_line(front.subject, book, path, front.lines.get("subject", 1))
    preheader = _lift_line(front.preheader, book, path, front.lines.get("preheader", 1))
    tokens, notes = sanitise(parse(book.lift(body, path, offset + 1), book, path, offset + 1), book, path)
    check_counts(tokens, path)
    check_conditions(tokens, book, path)
    return Document(front, subject, preheader, read_blocks(tokens, book, path), book, path, tuple(notes))


def read_front(source: str, path: str) -> FrontMatter:
    """What an issue says of itself alone. Raises SourceError with the line of the first fault."""
    return _split(_cleaned(source, path), path)[0]


def _cleaned(source: str, path: str) -> str:
    check_size(source, path)
    source = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    check_work(source, path)
    _refuse_unprintable(source, path)
    return source


def _split(source: str, path: str) -> tuple[FrontMatter, str, int]:
    front, body, offset = front_matter.split(source, path)
    _refuse_tags(front, path)
    return front, body, offset


def _lift_line(text: str, book: TagBook, path: str, line: int) -> str:
    lifted = book.lift(text, path, line)
    check_line_conditions(lifted, book, path)
    return lifted


def _refuse_tags(front: FrontMatter, path: str) -> None:
    """Only what a reader's own message says can differ by reader: archives and reports show the rest."""
    same = {
        "title": front.title,
        "author": front.author,
        "tags": " ".join(front.tags),
        "lists": " ".join(front.lists),
        "segment": front.segment,
        "schedule": front.schedule,
    }
    for key, value in same.items():
        if "{{" in value or "{%" in value:
            raise SourceError(
                f"{key} cannot hold a merge tag: subject and preheader can", path=path, line=front.lines[key]
            )


def _refuse_unprintable(source: str, path: str) -> None:
    found = _UNPRINTABLE.search(source)
    if found:
        line = source.count("\n", 0, found.start()) + 1
        raise SourceError(
            f"the character U+{ord(found.group()):04X} cannot be shown: delete it", path=path, line=line
        )
