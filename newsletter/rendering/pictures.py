"""A picture made ready for mail programs: turned upright, no wider than a sharp screen shows it, without metadata."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Any

from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from newsletter.errors import InputError

SCREEN = 640
SHARP = 2 * SCREEN
MAX_PIXELS = 50_000_000
MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}
_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 82, "progressive": True},
    "PNG": {"optimize": True},
    "WEBP": {"quality": 82},
}
# A colour profile is kept: without it, colours change.
_METADATA = frozenset({"exif", "xmp", "XML:com.adobe.xmp", "photoshop", "comment", "Comment", "Author", "Software"})


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


def pictures_for_screens(content: bytes) -> tuple[Picture, Picture | None]:
    """The picture for sharp screens, at most SHARP pixels wide, and one of SCREEN pixels where that is smaller.

    Nothing is enlarged, and each stays of its kind. What needs no change, or moves, is kept byte for byte. Raises
    InputError, whose message goes on from the picture's name.
    """
    try:
        with Pillow.open(BytesIO(content)) as opened:
            kind, size = opened.format or "", opened.size
            if kind not in MEDIA_TYPES:
                raise _unknown_kind()
            if size[0] * size[1] > MAX_PIXELS:
                raise InputError(f"has more than {MAX_PIXELS // 1_000_000} million pixels: scale it down")
            if kind == "GIF" or getattr(opened, "is_animated", False):
                return Picture(content, MEDIA_TYPES[kind], *size), None
            upright = ImageOps.exif_transpose(opened)
            changed = bool(opened.getexif()) or bool(_METADATA & opened.info.keys()) or upright.width > SHARP
            whole = _scaled(upright, kind, SHARP) if changed else Picture(content, MEDIA_TYPES[kind], *size)
            half = _scaled(upright, kind, SCREEN) if upright.width > SCREEN else None
            return whole, half
    except (UnidentifiedImageError, Pillow.DecompressionBombError):
        raise _unknown_kind() from None
    except (OSError, ValueError, SyntaxError) as error:
        reason = getattr(error, "strerror", None) or "damaged or misnamed"
        raise InputError(f"cannot be read: {reason.lower()}") from None


def _scaled(picture: Pillow.Image, kind: str, width: int) -> Picture:
    width = min(width, picture.width)
    height = max(round(picture.height * width / picture.width), 1)
    # Colours of a palette cannot be mixed.
    mixable = picture.convert("RGBA" if picture.has_transparency_data else "RGB") if picture.mode == "P" else picture
    scaled = mixable.resize((width, height), Pillow.Resampling.LANCZOS)
    file = BytesIO()
    profile = picture.info.get("icc_profile")
    scaled.info.clear()
    scaled.save(file, kind, icc_profile=profile, **_OPTIONS[kind])
    return Picture(file.getvalue(), MEDIA_TYPES[kind], width, height)


def _unknown_kind() -> InputError:
    return InputError(f"is not of a kind that mail programs show ({', '.join(MEDIA_TYPES)})")
