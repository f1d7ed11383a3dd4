"""Bytes that can be read again from their start: a file, or a member of a ZIP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError

from newsletter.errors import InputError

# What reading a member of a ZIP raises where it is damaged, or packed in a way that Python does not know.
DAMAGED = (BadZipFile, ZlibError, EOFError, NotImplementedError)
_LOCKED = 1


@dataclass(frozen=True, slots=True)
class Blob:
    """`name` is for messages; `size` is in bytes, once unpacked."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


def file_blob(path: Path) -> Blob:
    """A file as it lies on the disk. Raises InputError for one that cannot be read."""
    try:
        with path.open("rb"):
            size = path.stat().st_size
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "cannot be read"
        raise InputError(f"{path}: {reason.lower()}") from None
    return Blob(str(path), size, lambda: path.open("rb"))


def member_blobs(archive: ZipFile) -> list[Blob]:
    """The files in a ZIP, in order, without folders and what macOS adds."""
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir() and not any(part.startswith((".", "__MACOSX")) for part in member.filename.split("/"))
    ]
    return [Blob(member.filename, member.file_size, partial(_open, archive, member)) for member in members]


def _open(archive: ZipFile, member: ZipInfo) -> IO[bytes]:
    if member.flag_bits & _LOCKED:
        raise InputError(f"{member.filename}: is locked by a password: unpack it first")
    return archive.open(member)
