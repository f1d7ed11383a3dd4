"""The pictures of an issue: read from beside it, measured, named by the digest of their bytes."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote, urlsplit

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from newsletter.errors import SourceError
from newsletter.rendering.blocks import Image
from newsletter.rendering.document import Document

MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's bytes, with its size in pixels."""

    content: bytes
    media_type: str
    width: int
    height: int

    @property
    def digest(self) -> str:
        return sha256(self.content).hexdigest()

    @property
    def path(self) -> str:
        """Where it is served, below the base URL."""
        return f"/m/{self.digest}.{EXTENSIONS[self.media_type]}"

    @property
    def data_url(self) -> str:
        """The picture itself as a URL (RFC 2397), for a page that stands alone."""
        return f"data:{self.media_type};base64,{b64encode(self.content).decode('ascii')}"


def load_pictures(document: Document, path: Path) -> dict[str, Picture]:
    """The pictures named by relative paths, by the `src` that names them.

    Pictures at an https address are left where they are. Raises SourceError with the line of a picture that is
    missing, outside the issue's folder, or none.
    """
    return {image.src: _load(image, path) for image in document.images if not is_remote(image.src)}


def is_remote(src: str) -> bool:
    """Whether the editor pointed at a picture that someone else serves."""
    return bool(urlsplit(src).scheme or urlsplit(src).netloc)


def _load(image: Image, path: Path) -> Picture:
    folder = path.parent.resolve()
    file = (folder / unquote(image.src)).resolve()
    if not file.is_relative_to(folder):
        raise SourceError(
            f"the picture {image.src} lies outside the issue's folder: move it there", path=str(path), line=image.line
        )
    try:
        content = file.read_bytes()
        with Pillow.open(BytesIO(content)) as picture:
            kind, (width, height) = picture.format or "", picture.size
    except (UnidentifiedImageError, Pillow.DecompressionBombError):
        kind, width, height = "", 0, 0
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise SourceError(f"the picture {image.src}: {reason}", path=str(path), line=image.line) from None
    if kind not in MEDIA_TYPES:
        known = ", ".join(MEDIA_TYPES)
        raise SourceError(
            f"{image.src} is not a picture that mail programs show ({known})", path=str(path), line=image.line
        )
    return Picture(content, MEDIA_TYPES[kind], width, height)
