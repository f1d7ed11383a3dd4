"""Text files that people hand us."""

from __future__ import annotations

from pathlib import Path

from newsletter.errors import InputError, SourceError


def read_utf8(path: Path) -> str:
    """The text of a file, without a byte order mark.

    Raises InputError for a file that cannot be read, SourceError with the line for one that is not UTF-8.
    """
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "cannot be read"
        raise InputError(f"{path}: {reason.lower()}") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SourceError("not UTF-8: save the file as UTF-8", path=str(path), line=line) from None
