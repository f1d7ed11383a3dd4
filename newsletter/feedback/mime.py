"""The parts of a message, however badly it is put together (RFC 2045, RFC 2046, RFC 2047).

Reports come from broken software and arrive cut short: boundaries that are never closed, parts without headers,
charsets that do not exist. Nothing here fails; what cannot be understood stays as it is.
"""

from __future__ import annotations

import binascii
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header

# A report says what it has to say in its first kilobytes; what follows is the message that came back.
MAX_BYTES = 1 << 20
_MAX_DEPTH = 8
_MAX_PARTS = 64
_MAX_ENCODED = 10_000

_FIELD = re.compile(r"([!-9;-~]+)[ \t]*:[ \t]*(.*)")
_BOUNDARY = re.compile(r"boundary\s*=\s*(?:\"([^\"\n]{1,200})\"|([^\s;\"]{1,200}))", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]{1,40})", re.IGNORECASE)
# No pattern here may look far ahead: what is meant to be slow comes by mail, too.
_TAG = re.compile(r"<(/?)([a-z!][a-z0-9]*)\b[^<>]{0,2000}>", re.IGNORECASE)
_BREAKS = {"br", "p", "div", "tr", "li", "hr", "h1", "h2", "h3", "h4", "h5", "h6"}
_UNSEEN = {"style", "script", "head"}

Headers = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Part:
    """A part that holds no others: what it says it is, its own headers by name in lower case, its decoded text."""

    type: str
    headers: Headers
    text: str


def parts(data: bytes) -> tuple[Headers, list[Part]]:
    """The headers of a message and its parts in order. Messages inside it are parts too, and are not opened."""
    raw = data[:MAX_BYTES].replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\0", b" ").decode("latin-1")
    headers, body = split_headers(raw.lstrip("\n"))
    found: list[Part] = []
    for part in _walk(headers, body, 0):
        found.append(part)
        if len(found) == _MAX_PARTS:
            break
    return headers, found


def split_headers(text: str) -> tuple[Headers, str]:
    """Headers unfolded and decoded, and what follows the blank line after them."""
    head, _, body = text.partition("\n\n")
    if text.startswith("\n"):
        head, body = "", text[1:]
    return parse_fields(head), body


def parse_fields(text: str) -> Headers:
    """Fields by name in lower case, each with its values in order; lines that are no fields are passed over."""
    fields: Headers = {}
    for line in re.sub(r"\n[ \t]+", " ", text).split("\n"):
        if found := _FIELD.match(line):
            fields.setdefault(found[1].lower(), []).append(_decode_words(found[2].strip()))
    return fields


def first(headers: Headers, name: str) -> str:
    """The first value of a header, or nothing."""
    return headers.get(name, [""])[0]


def _walk(headers: Headers, body: str, depth: int) -> Iterator[Part]:
    content_type = first(headers, "content-type")
    boundary = _BOUNDARY.search(content_type)
    kind = content_type.partition(";")[0].strip().lower() or "text/plain"
    if kind.startswith("multipart/") and boundary and depth < _MAX_DEPTH:
        for piece in _split(body, boundary[1] or boundary[2]):
            inner, rest = split_headers(piece)
            yield from _walk(inner, rest, depth + 1)
        return
    text = _decode(body, content_type, first(headers, "content-transfer-encoding").lower())
    own = headers if depth else {}
    yield Part(kind, own, _without_markup(text) if kind == "text/html" else text)


def _split(body: str, boundary: str) -> list[str]:
    pieces = re.split(rf"^--{re.escape(boundary)}(?:--)?[ \t]*\n?", body, flags=re.MULTILINE)
    # Without any boundary the body is all there is; before the first one nothing is meant to be read.
    return pieces[1:] if len(pieces) > 1 else [f"\n{body}"]


def _decode(body: str, content_type: str, encoding: str) -> str:
    raw = body.encode("latin-1", "replace")
    if "quoted-printable" in encoding:
        raw = binascii.a2b_qp(raw)
    elif "base64" in encoding:
        raw = _from_base64(raw)
    charset = _CHARSET.search(content_type)
    for name in (charset[1] if charset else "utf-8", "utf-8"):
        try:
            return raw.decode(name)
        except (LookupError, UnicodeError, ValueError):
            continue
    return raw.decode("latin-1")


def _from_base64(raw: bytes) -> bytes:
    plain = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    try:
        return binascii.a2b_base64(plain[: len(plain) // 4 * 4])
    except binascii.Error:
        return raw


def _decode_words(value: str) -> str:
    """A header's text, whether its letters are in encoded words (RFC 2047) or plain UTF-8 (RFC 6532)."""
    if "=?" not in value:
        try:
            return value.encode("latin-1").decode()
        except UnicodeError:
            return value
    try:
        pieces = decode_header(value[:_MAX_ENCODED])
        return "".join(
            piece if isinstance(piece, str) else piece.decode(charset or "latin-1", "replace")
            for piece, charset in pieces
        )
    except (MessageError, LookupError, ValueError):
        return value


def _without_markup(text: str) -> str:
    seen: list[str] = []
    unseen, end = "", 0
    for tag in _TAG.finditer(text):
        if not unseen:
            seen.append(text[end : tag.start()])
        name = tag[2].lower()
        if name in _BREAKS:
            seen.append("\n")
        if unseen == name and tag[1]:
            unseen = ""
        elif name in _UNSEEN and not unseen and not tag[1]:
            unseen = name
        end = tag.end()
    return html.unescape("".join(seen) + ("" if unseen else text[end:]))
