"""Header fields as they go over the wire: encoded (RFC 2047), folded (RFC 5322 section 2.2.3), never injected."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby

from newsletter.errors import InputError

MAX_LINE = 78
# A line with encoded words may be 76 characters long (RFC 2047 section 2): after “Subject: =?utf-8?B?” and before
# “?=” 55 are left, so 52 of base64.
MAX_ENCODED_LINE = 76
_WORD_BYTES = 39
# Many share a first name, so what became of a name is kept, for this many.
_KEPT_WORDS = 1024
_SPECIALS = frozenset('()<>[]:;@\\,."')


def field(name: str, value: str) -> str:
    """One header field ending in CRLF, its value folded at spaces. `value` must be ASCII on one line already."""
    _refuse_line_breaks(name, value)
    _refuse_beyond_ascii(name, value)
    limit = MAX_ENCODED_LINE if "=?" in value else MAX_LINE
    if len(name) + 2 + len(value) <= limit:
        return f"{name}: {value}\r\n"
    lines = [f"{name}:"]
    for word in value.split(" "):
        # A line of nothing but spaces would end the header for some.
        if len(lines[-1]) + 1 + len(word) > limit and word and lines[-1].strip() not in ("", f"{name}:"):
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join(lines) + "\r\n"


def international_field(name: str, value: str) -> str:
    """One field with UTF-8 in it as it is (RFC 6532): only for messages that ask for SMTPUTF8 anyway."""
    _refuse_line_breaks(name, value)
    return f"{name}: {value}\r\n"


def one_a_line(name: str, values: Iterable[str]) -> str:
    """A field whose comma-separated values each get a line of their own, never encoded (RFC 2369, RFC 8058)."""
    items = list(values)
    for item in items:
        _refuse_line_breaks(name, item)
        _refuse_beyond_ascii(name, item)
    return f"{name}: " + ",\r\n ".join(items) + "\r\n"


def text(value: str) -> str:
    """Unstructured text such as a subject: its words as they are, or encoded where ASCII will not do."""
    _refuse_line_breaks("Subject", value)
    return _encoded(value, frozenset())


def mailbox(name: str, address: str) -> str:
    """`Name <address>` for From, To and Reply-To (RFC 5322 section 3.4)."""
    _refuse_line_breaks("an address", name + address)
    if not name:
        return address
    return f"{phrase(name)} <{address}>"


def phrase(name: str) -> str:
    """A display name: plain, quoted or encoded as it needs."""
    if not _is_plain(name):
        return _encoded(name, _SPECIALS)
    if not _SPECIALS.isdisjoint(name):
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return name


def _encoded(value: str, specials: frozenset[str]) -> str:
    """The words that need it in encoded words, the others as they are.

    Words side by side that need it share theirs with the space between them, for the space between two encoded words
    does not count (RFC 2047 section 6.2).
    """
    words = value.split(" ")
    if "" in words and value:
        return _encoded_words(value)
    pieces = [
        _encoded_words(" ".join(run)) if needy else " ".join(run)
        for needy, run in groupby(words, lambda word: _needs_encoding(word, specials))
    ]
    return " ".join(pieces)


def _needs_encoding(word: str, specials: frozenset[str]) -> bool:
    return not _is_plain(word) or len(word) > MAX_ENCODED_LINE or not specials.isdisjoint(word)


@lru_cache(_KEPT_WORDS)
def _encoded_words(value: str) -> str:
    return " ".join(_encoded_word(chunk) for chunk in _chunks(value))


def _chunks(value: str) -> Iterable[bytes]:
    """UTF-8 pieces that fit an encoded word, cut between characters (RFC 2047 section 5)."""
    chunk = b""
    for character in value:
        encoded = character.encode()
        if len(chunk) + len(encoded) > _WORD_BYTES:
            yield chunk
            chunk = b""
        chunk += encoded
    yield chunk


def _encoded_word(chunk: bytes) -> str:
    return f"=?utf-8?B?{b64encode(chunk).decode('ascii')}?="


def _is_plain(value: str) -> bool:
    return value.isascii() and value.isprintable() and "=?" not in value


def _refuse_beyond_ascii(name: str, value: str) -> None:
    if not value.isascii():
        raise InputError(f"the header {name} would carry characters that need encoding: {value[:40]!r}")


def _refuse_line_breaks(name: str, value: str) -> None:
    if "\r" in value or "\n" in value or "\x00" in value:
        raise InputError(f"{name}: a header may not hold a line break: {value[:40]!r}")
