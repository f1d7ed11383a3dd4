"""An issue's file with its pictures, read and ready to compile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from newsletter.rendering.compile import Masthead, PlacedPicture, compile_issue, warnings
from newsletter.rendering.content import Content
from newsletter.rendering.document import Document, read_document
from newsletter.rendering.expressions import Fields
from newsletter.rendering.images import Picture, load_pictures
from newsletter.textfile import read_utf8


@dataclass(frozen=True, slots=True)
class IssueFile:
    """The text of an issue, understood, and the pictures that lie beside it, by their `src`."""

    path: Path
    source: str
    document: Document
    pictures: dict[str, Picture]

    @property
    def warnings(self) -> list[str]:
        """What an editor should look at, each named by file and line."""
        found = warnings(self.document)
        return [f"{self.path}:{line}: {text}" if line else f"{self.path}: {text}" for line, text in found]

    def compile(self, masthead: Masthead, base_url: str, *, embed_pictures: bool = False) -> Content:
        """The issue compiled. Pictures are served below `base_url`, or stand in the HTML for a page of its own."""
        placed = {
            src: PlacedPicture(
                picture.data_url if embed_pictures else f"{base_url}{picture.path}", picture.width, picture.height
            )
            for src, picture in self.pictures.items()
        }
        return compile_issue(self.document, masthead, base_url=base_url, pictures=placed)


def read_issue(path: Path, fields: Fields | None = None) -> IssueFile:
    """Read an issue. Raises InputError or SourceError for the first thing that is wrong with it."""
    source = read_utf8(path)
    document = read_document(source, str(path), fields)
    return IssueFile(path, source, document, load_pictures(document, path))
