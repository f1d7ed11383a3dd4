"""Which encoding a file of text is in."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import IO

from charset_normalizer import from_bytes

from newsletter.audience.files.blob import Blob
from newsletter.errors import InputError

BLOCK_BYTES = 1 << 20
SAMPLE_BYTES = 1 << 16
_BOMS = (
    (codecs.BOM_UTF8, "UTF-8 with a byte order mark", "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "UTF-16", "utf-16"),
    (codecs.BOM_UTF16_BE, "UTF-16", "utf-16"),
)
_USUAL = "cp1252"
# What people's spreadsheets wrote before UTF-8; the guess is among these alone.
_OLD = [
    _USUAL,
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp1257",
    "shift_jis",
    "gb18030",
    "euc_kr",
]
_BAD = re.compile("[\udc80-\udcff]")
_GOOD = re.compile("[^\x00-\x7f\udc80-\udcff]")
_WIDE = re.compile(rb"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Encoding:
    """`name` is for people, `codec` for Python. In a `damaged` file some bytes are not of that encoding."""

    name: str
    codec: str
    damaged: bool = False


def find_encoding(blob: Blob) -> Encoding:
    """The encoding by byte order mark, by being UTF-8 throughout, or by the look of the letters beyond ASCII."""
    with blob.open() as stream:
        start = stream.read(SAMPLE_BYTES)
        for mark, name, codec in _BOMS:
            if start.startswith(mark):
                return Encoding(name, codec, damaged=codec == "utf-8-sig" and _bytes_beyond_utf8(blob)[0] > 0)
    wide = _utf16_without_mark(start)
    if wide:
        return Encoding("UTF-16", wide)
    bad, good = _bytes_beyond_utf8(blob)
    if not bad or good > bad:
        return Encoding("UTF-8", "utf-8", damaged=bad > 0)
    with blob.open() as stream:
        codec = _old_encoding(stream)
    return Encoding(codec, codec, damaged=_has_undefined_bytes(blob, codec))


def named_encoding(name: str) -> Encoding:
    """An encoding a person asked for. Raises InputError where there is none of that name."""
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):
        raise InputError(f"there is no encoding “{name[:40]}”: say utf-8, utf-16, cp1252 or another") from None
    if not codec._is_text_encoding:
        raise InputError(f"“{name[:40]}” is no encoding of text: say utf-8, utf-16, cp1252 or another")
    # Whether every byte fits is seen line by line.
    return Encoding(codec.name, codec.name, damaged=True)


def _bytes_beyond_utf8(blob: Blob) -> tuple[int, int]:
    """How many bytes are not UTF-8, and how many letters beyond ASCII are."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    bad = good = 0
    with blob.open() as stream:
        while block := stream.read(BLOCK_BYTES):
            text = decoder.decode(block)
            if not text.isascii():
                bad += len(_BAD.findall(text))
                good += len(_GOOD.findall(text))
    bad += len(_BAD.findall(decoder.decode(b"", final=True)))
    return bad, good


def _utf16_without_mark(start: bytes) -> str | None:
    """By the zeros that every second byte of Latin text then is."""
    pairs = len(start) // 2
    if not pairs:
        return None
    if start[1::2].count(0) > pairs * 0.7 and start[::2].count(0) < pairs * 0.1:
        return "utf-16-le"
    if start[::2].count(0) > pairs * 0.7 and start[1::2].count(0) < pairs * 0.1:
        return "utf-16-be"
    return None


def _old_encoding(stream: IO[bytes]) -> str:
    sample = bytearray()
    for line in iter(lambda: stream.readline(SAMPLE_BYTES), b""):
        if _WIDE.search(line):
            sample += line
        if len(sample) > SAMPLE_BYTES:
            break
    matches = from_bytes(bytes(sample), cp_isolation=_OLD, threshold=0.5)
    best = matches.best()
    usual = next((match for match in matches if match.encoding == _USUAL), None)
    if best is None or (usual is not None and usual.chaos <= best.chaos):
        return _USUAL
    return best.encoding


def _has_undefined_bytes(blob: Blob, codec: str) -> bool:
    decoder = codecs.getincrementaldecoder(codec)("strict")
    try:
        with blob.open() as stream:
            while block := stream.read(BLOCK_BYTES):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return True
    return False
