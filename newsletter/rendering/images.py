"""The pictures of an issue: read from beside it, named by the digest of their bytes."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from newsletter.errors import InputError, SourceError
from newsletter.rendering.blocks import Image
from newsletter.rendering.document import Document
from newsletter.rendering.pictures import SCREEN, Picture, pictures_for_screens

_ADDRESS = re.compile(r"//|[a-z][a-z0-9+.-]*:|\{\{", re.IGNORECASE)


def load_pictures(document: Document, path: Path) -> dict[str, Picture]:
    """The pictures named by relative paths, each by the `src` that names it, ready to be served.

    A picture wide enough has a second one of half the width, for screens of plain density, by `half_name(src)`.
    Pictures at an https address are left where they are. Raises SourceError with the line of a picture that is
    missing, outside the issue's folder, or none, and of an address that mail programs do not fetch from.
    """
    pictures: dict[str, Picture] = {}
    for image in document.images:
        if not image.src.startswith("https://") and image.src not in pictures:
            pictures |= _load(image, document.book.restore(unquote(image.src)), path)
    return pictures


def half_name(src: str) -> str:
    """What the smaller sibling of a picture is called. No `src` holds a space: Markdown writes it as %20."""
    return f"{src} {SCREEN}w"


def _load(image: Image, name: str, path: Path) -> dict[str, Picture]:
    try:
        content = _read(name, path.parent.resolve())
        whole, half = pictures_for_screens(content)
    except InputError as error:
        raise SourceError(f"the picture {name[:80]} {error}", path=str(path), line=image.line) from None
    return {image.src: whole} | ({half_name(image.src): half} if half else {})


def _read(name: str, folder: Path) -> bytes:
    if _ADDRESS.match(name):
        raise InputError("is neither a file beside the issue nor at an https:// address")
    try:
        file = (folder / name).resolve()
        if not file.is_relative_to(folder):
            raise InputError("lies outside the issue's folder: move it there")
        return file.read_bytes()
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "damaged or misnamed"
        raise InputError(f"cannot be read: {reason.lower()}") from None
