"""An issue's file with its pictures, read and ready to compile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from newsletter.errors import SourceError
from newsletter.rendering import document
from newsletter.rendering.compile import Masthead, compile_issue, warnings
from newsletter.rendering.content import Attachment, Content
from newsletter.rendering.document import Document, read_document
from newsletter.rendering.expressions import Fields
from newsletter.rendering.front_matter import FrontMatter
from newsletter.rendering.images import half_name, load_pictures
from newsletter.rendering.layout import PlacedPicture
from newsletter.rendering.pictures import Picture
from newsletter.textfile import read_utf8

# They are part of every single message.
MAX_EMBEDDED = 1_000_000


@dataclass(frozen=True, slots=True)
class IssueFile:
    """The text of an issue, understood, and the pictures that lie beside it, by name (see `load_pictures`)."""

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
        """The issue compiled.

        Pictures are served below `base_url`; they travel in the message where the front matter says so; or they stand
        in the HTML, for a page of its own. Raises SourceError where too much would travel.
        """
        travelling = self.document.front.embed and not embed_pictures
        attachments = self._attachments() if travelling else {}
        placed = {}
        for image in self.document.images:
            if picture := self.pictures.get(image.src):
                url, srcset = f"{base_url}{picture.path}", self._srcset(image.src, base_url)
                if embed_pictures:
                    url, srcset = picture.data_url, ""
                elif travelling:
                    url, srcset = f"cid:{attachments[image.src].content_id}", ""
                placed[image.src] = PlacedPicture(url, picture.width, picture.height, srcset)
        content = compile_issue(self.document, masthead, base_url=base_url, pictures=placed)
        return replace(content, attachments=tuple(dict.fromkeys(attachments.values())))

    def _srcset(self, src: str, base_url: str) -> str:
        half = self.pictures.get(half_name(src))
        if half is None:
            return ""
        return ", ".join(f"{base_url}{one.path} {one.width}w" for one in (half, self.pictures[src]))

    def _attachments(self) -> dict[str, Attachment]:
        found = {
            image.src: Attachment(f"{picture.digest[:32]}@newsletter", picture.media_type, picture.content)
            for image in self.document.images
            if (picture := self.pictures.get(image.src))
        }
        total = sum(len(attachment.content) for attachment in set(found.values()))
        if total > MAX_EMBEDDED:
            raise SourceError(
                f"the pictures to embed are {total:,} bytes together, more than {MAX_EMBEDDED:,}: "
                "leave embed out, or scale them down",
                path=self.document.path,
                line=self.document.front.lines.get("embed"),
            )
        return found


def read_front(path: Path) -> FrontMatter:
    """What the issue in `path` says of itself. Raises InputError or SourceError as `read_issue`."""
    return document.read_front(read_utf8(path), str(path))


def read_issue(path: Path, fields: Fields | None = None) -> IssueFile:
    """Read an issue. Raises InputError or SourceError for the first thing that is wrong with it."""
    source = read_utf8(path)
    read = read_document(source, str(path), fields)
    return IssueFile(path, source, read, load_pictures(read, path))
