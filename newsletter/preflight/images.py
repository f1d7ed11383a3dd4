"""The pictures of an issue."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.preflight.finding import Finding, warning
from newsletter.preflight.proof import Proof

HEAVY_BYTES = 1_000_000


def check_images(proof: Proof) -> list[Finding]:
    """Pictures that cannot be heard, that make the text jump, or that take long to come."""
    return list(_faults(proof))


def _faults(proof: Proof) -> Iterator[Finding]:
    document = proof.issue.document
    for image in document.images:
        src = document.book.restore(image.src)
        picture = proof.issue.pictures.get(image.src)
        if not image.alt.strip():
            told = f"the picture {src} has no alternative text"
            yield warning("image-alt", image.line, told, f"write ![what it shows]({src})")
        if picture is None:
            told = f"the size of the picture {src} is not known: the text jumps once it is there"
            yield warning("image-size", image.line, told, "put the file beside the issue")
        elif len(picture.content) > HEAVY_BYTES:
            told = f"the picture {src} has {len(picture.content) / 1e6:.1f} MB"
            yield warning("image-heavy", image.line, told, "save it smaller, below 1 MB")
