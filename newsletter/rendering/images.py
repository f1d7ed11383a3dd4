"""The pictures of an issue: read from beside it, measured, named by the digest of their bytes."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from newsletter.errors import InputError, SourceError
from newsletter.rendering.blocks import Image
from newsletter.rendering.document import Document

MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}

_ADDRESS = re.compile(r"//|[a-z][a-z0-9+.-]*:|\{\{", re.IGNORECASE)


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
    missing, outside the issue's folder, or none, and of an address that mail programs do not fetch from.
    """
    return {
        image.src: _load(image, document.book.restore(unquote(image.src)), path)
        for image in document.images
        if not image.src.startswith("https://")
    }


def _load(image: Image, name: str, path: Path) -> Picture:
    try:
        return _read(name, path.parent.resolve())
    except InputError as error:
        raise SourceError(f"the picture {name[:80]} {error}", path=str(path), line=image.line) from None


def _read(name: str, folder: Path) -> Picture:
    if _ADDRESS.match(name):
        raise InputError("is neither a file beside the issue nor at an https:// address")
    try:
        file = (folder / name).resolve()
        if not file.is_relative_to(folder):
            raise InputError("lies outside the issue's folder: move it there")
        content = file.read_bytes()
        with Pillow.open(BytesIO(content)) as picture:
            kind, (width, height) = picture.format or "", picture.size
    except (UnidentifiedImageError, Pillow.DecompressionBombError):
        kind, width, height = "", 0, 0
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "damaged or misnamed"
        raise InputError(f"cannot be read: {reason.lower()}") from None
    if kind not in MEDIA_TYPES:
        raise InputError(f"is not of a kind that mail programs show ({', '.join(MEDIA_TYPES)})")
    return Picture(content, MEDIA_TYPES[kind], width, height)
