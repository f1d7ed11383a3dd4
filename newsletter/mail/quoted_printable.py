"""Quoted-printable (RFC 2045 section 6.7) in pieces that can be joined.

Every piece starts on a fresh line and ends on one, by a soft line break where need be. So a merged value can stand
between two pieces encoded long before, and no line ever exceeds 76 characters. A full stop that would start a line is
encoded too, so that SMTP's transparency (RFC 5321 section 4.5.2) has nothing to do, and so is every space that would
end a line or follow another, so that a DKIM signature has nothing to canonicalise (RFC 6376 section 3.4.4).
"""

from __future__ import annotations

import re
from itertools import pairwise

MAX_LINE = 76
SOFT_BREAK = "=\r\n"

_SAFE_VALUE = re.compile(r"[!-\-/-<>-~](?: ?[!-<>-~])*")
_TOKEN = [chr(byte) if 32 <= byte <= 126 and byte != ord("=") else f"={byte:02X}" for byte in range(256)]


def encode_text(text: str) -> str:
    """One piece of text, any line ends, as quoted-printable with CRLF."""
    *whole, rest = re.split(r"\r\n|\r|\n", text)
    encoded = "".join(f"{_encode_line(line)}\r\n" for line in whole)
    return encoded + _encode_line(rest) + SOFT_BREAK if rest else encoded


def encode_value(value: str) -> str:
    """One merged value as a piece of its own; fast for short plain ASCII."""
    if len(value) < MAX_LINE and _SAFE_VALUE.fullmatch(value):
        return value + SOFT_BREAK
    return encode_text(value)


def _encode_line(line: str) -> str:
    """A line without its end, soft-broken so that a soft break still fits after it."""
    lines: list[str] = []
    current: list[str] = []
    width = 0
    for octet in _octets(line):
        if width + len(octet) >= MAX_LINE:
            lines.append("".join(current) + SOFT_BREAK)
            current, width = [], 0
        encoded = "=2E" if octet == "." and not current else octet
        current.append(encoded)
        width += len(encoded)
    return "".join([*lines, *current])


def _octets(line: str) -> list[str]:
    """Each octet of a line as it is written anywhere but at the start of one."""
    octets = [_TOKEN[byte] for byte in line.encode("utf-8", "surrogatepass")]
    if octets and octets[-1] == " ":
        octets[-1] = "=20"
    return octets[:1] + ["=20" if pair == (" ", " ") else pair[1] for pair in pairwise(octets)]
