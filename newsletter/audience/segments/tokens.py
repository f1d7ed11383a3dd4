"""An expression cut into words, values and signs."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from newsletter.errors import ExpressionError

MAX_LENGTH = 2000
# As many characters as a double is exact for, sign and point included.
MAX_NUMBER = 16


class Kind(StrEnum):
    """What a token is, in the words of an error."""

    WORD = "word"
    TEXT = "text"
    NUMBER = "number"
    DAY = "date"
    SIGN = "sign"
    END = "the end"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an expression; `column` counts from 1. `word` is in lower case."""

    kind: Kind
    column: int
    source: str
    value: str | Decimal | date = ""

    @property
    def word(self) -> str:
        return self.source.lower() if self.kind is Kind.WORD else ""


_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<text>"(?:[^"]|"")*"|'(?:[^']|'')*'|“[^”]*”|«[^»]*»)
    |(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}(?!\w))
    |(?P<number>-?[0-9]+(?:\.[0-9]+)?(?!\w))
    |(?P<word>\w+)
    |(?P<sign><=|>=|!=|[=<>(),])""",
    re.VERBOSE,
)


def tokens(source: str) -> list[Token]:
    """The tokens of an expression, the last one its end. Raises ExpressionError for what can be none."""
    if len(source) > MAX_LENGTH:
        raise ExpressionError(f"{len(source):,} characters: {MAX_LENGTH:,} is the most", source, MAX_LENGTH + 1)
    for at, sign in enumerate(source):
        if unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\t\r\n":
            raise ExpressionError("a character that cannot stand in text", source, at + 1)
    found, at = [], 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            raise ExpressionError(_stray(source[at]), source, at + 1)
        if match.lastgroup != "space":
            found.append(_token(match, source))
        at = match.end()
    return [*found, Token(Kind.END, len(source) + 1, "")]


def _stray(sign: str) -> str:
    if sign in "\"'“«":
        return "a text that is not closed: set the same quote after it"
    return f"“{sign}” means nothing here"


def _token(match: re.Match[str], source: str) -> Token:
    piece, column = match.group(), match.start() + 1
    match match.lastgroup:
        case "text":
            return Token(Kind.TEXT, column, piece, _unquoted(piece))
        case "day":
            try:
                return Token(Kind.DAY, column, piece, date.fromisoformat(piece))
            except ValueError:
                raise ExpressionError(f"there is no day {piece}", source, column) from None
        case "number":
            if len(piece) > MAX_NUMBER:
                raise ExpressionError(f"a number has {MAX_NUMBER} characters at most", source, column)
            return Token(Kind.NUMBER, column, piece, Decimal(piece))
        case "word":
            return Token(Kind.WORD, column, piece)
    return Token(Kind.SIGN, column, piece)


def _unquoted(piece: str) -> str:
    quote, inner = piece[0], piece[1:-1]
    if quote == "«":
        return inner.strip()
    return inner.replace(quote * 2, quote) if quote in "\"'" else inner
