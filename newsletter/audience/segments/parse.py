"""Expression -> tree. A fault is pointed at, with what was expected there."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import NoReturn

from newsletter.audience.segments.show import RESERVED
from newsletter.audience.segments.tokens import Kind, Token, tokens
from newsletter.audience.segments.tree import (
    FIELDS,
    Among,
    And,
    ClickedLink,
    Comparison,
    DaysAgo,
    Did,
    Empty,
    Field,
    Match,
    Node,
    Not,
    OnList,
    Or,
    Subscribed,
    SubscribedWithin,
    Tagged,
    Value,
)
from newsletter.errors import ExpressionError

MAX_DEPTH = 20
MAX_LAST = 50
MAX_DAYS = 36_500
_OPERATORS = ("=", "!=", "<", "<=", ">", ">=")
_ORDERED = ("<", "<=", ">", ">=")
_AFTER_FIELD = "=, !=, <, <=, >, >=, contains, starts with, in, is empty or is set"


def parse(source: str, attributes: Collection[str] | None = None) -> Node:
    """The tree of an expression. A bare word that is neither a field nor one of the `attributes` is a fault, unless
    they are None; `attribute "name"` says that one is meant all the same.

    Raises ExpressionError.
    """
    return _Parser(unicodedata.normalize("NFC", source), attributes).whole()


class _Parser:
    """Reads from left to right; one method a rule."""

    def __init__(self, source: str, attributes: Collection[str] | None) -> None:
        self._source = source
        self._attributes = attributes
        self._tokens = tokens(source)
        self._at = 0
        self._depth = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def whole(self) -> Node:
        if len(self._tokens) == 1:
            self._fail("a condition", self._next)
        node = self._or()
        if self._next.kind is not Kind.END:
            self._fail("and, or, or the end", self._next, ("and", "or"))
        return node

    def _or(self) -> Node:
        parts = [self._and()]
        while self._took("or"):
            parts.append(self._and())
        return Or(tuple(parts)) if parts[1:] else parts[0]

    def _and(self) -> Node:
        parts = [self._not()]
        while self._took("and"):
            parts.append(self._not())
        return And(tuple(parts)) if parts[1:] else parts[0]

    def _not(self) -> Node:
        opening = self._next
        if opening.word != "not" and opening.source != "(":
            return self._condition()
        self._take()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"nested more than {MAX_DEPTH} deep", self._source, opening.column)
        if opening.word == "not":
            node: Node = Not(self._not())
        else:
            node = self._or()
            self._sign(")")
        self._depth -= 1
        return node

    def _condition(self) -> Node:
        match self._next.word:
            case "tag":
                self._take()
                return Tagged(self._text("a tag"))
            case "opened" | "clicked" | "received" as action:
                self._take()
                if action == "clicked" and self._took("link"):
                    return ClickedLink(self._text("a part of the link's address"))
                return self._did(action)
            case "subscribed":
                self._take()
                return self._subscribed()
            case "on":
                self._take()
                self._word("list")
                return OnList(self._text("the short name of a list"))
        return self._about(self._field())

    def _did(self, action: str) -> Node:
        choices = ("any", "all", "none", "link") if action == "clicked" else ("any", "all", "none")
        quantity = self._word(*choices)
        self._word("of")
        self._word("last")
        last = self._whole_number("mailings", MAX_LAST)
        return Did(action, quantity, last)  # type: ignore[arg-type]

    def _subscribed(self) -> Node:
        when = self._word("before", "after", "in")
        if when == "in":
            self._word("last")
            days = self._whole_number("days", MAX_DAYS)
            self._word("days", "day")
            return SubscribedWithin(days)
        day = self._take()
        if not isinstance(day.value, date):
            self._fail("a date such as 2026-03-13", day)
        return Subscribed(when, day.value)  # type: ignore[arg-type]

    def _field(self) -> Field:
        token = self._take()
        if token.word == "attribute":
            name_at = self._next
            name = self._text("the name of an attribute")
            if not name or '"' in name or "\\" in name:
                raise ExpressionError("no attribute has such a name", self._source, name_at.column)
            return Field(name, is_attribute=True)
        name = token.word
        if token.kind is not Kind.WORD or name in RESERVED:
            self._fail('a condition, such as city = "Liège" or opened any of last 5', token)
        if name == "email" and self._took("domain"):
            return Field("email domain")
        if name in FIELDS:
            return Field(name)
        self._check_attribute(token)
        return Field(name, is_attribute=True)

    def _check_attribute(self, token: Token) -> None:
        if self._attributes is None or token.word in self._attributes:
            return
        near = get_close_matches(token.word, sorted({*FIELDS, *RESERVED, *self._attributes}), n=1)
        hint = f"did you mean {near[0]}?" if near else "no list has such a column"
        raise ExpressionError(
            f'“{token.source}” is not known: {hint} (write attribute "{token.word}" to ask for it all the same)',
            self._source,
            token.column,
        )

    def _about(self, field: Field) -> Node:
        token = self._take()
        if token.word == "not" and self._next.word in ("in", "contains", "starts"):
            return Not(self._about(field))
        match token.word:
            case "contains":
                return Match(field, "contains", self._text("a text in quotes"))
            case "starts":
                self._word("with")
                return Match(field, "starts with", self._text("a text in quotes"))
            case "in":
                return Among(field, self._values(field))
            case "is":
                return self._is(field)
        operator = token.source
        if operator not in _OPERATORS:
            self._fail(_AFTER_FIELD, token, ("contains", "starts", "in", "is"))
        return Comparison(field, operator, self._value(field, operator))  # type: ignore[arg-type]

    def _is(self, field: Field) -> Node:
        if self._took("not"):
            return Empty(field) if self._word("set", "empty") == "set" else Not(Empty(field))
        return Empty(field) if self._word("empty", "set") == "empty" else Not(Empty(field))

    def _values(self, field: Field) -> tuple[Value, ...]:
        self._sign("(")
        values = [self._value(field, "=")]
        while self._next.source == ",":
            self._take()
            values.append(self._value(field, "="))
        self._sign(")")
        return tuple(values)

    def _value(self, field: Field, operator: str) -> Value:
        token = self._take()
        value: Value = token.value
        if token.word in ("yes", "no"):
            value = token.word == "yes"
        elif token.word == "today":
            value = DaysAgo(0)
        elif token.kind is Kind.NUMBER and self._next.word in ("day", "days"):
            value = self._days_ago(token)
        elif token.kind not in (Kind.TEXT, Kind.NUMBER, Kind.DAY):
            self._fail(
                "a text in quotes, a number, a date such as 2026-03-13, 30 days ago or today, yes or no", token
            )
        if not field.is_attribute and not isinstance(value, str):
            raise ExpressionError(f"{field.name} is text: set it in quotes", self._source, token.column)
        if operator in _ORDERED and not isinstance(value, Decimal | date | DaysAgo):
            raise ExpressionError(
                f"{operator} compares numbers and dates: write 10, 2026-03-13 or 30 days ago, without quotes",
                self._source,
                token.column,
            )
        return value

    def _days_ago(self, number: Token) -> DaysAgo:
        days = self._counted(number, "days", MAX_DAYS)
        self._take()
        self._word("ago")
        return DaysAgo(days)

    def _whole_number(self, what: str, most: int) -> int:
        return self._counted(self._take(), what, most)

    def _counted(self, token: Token, what: str, most: int) -> int:
        value = token.value
        if not isinstance(value, Decimal) or "." in token.source or not 1 <= value <= most:
            self._fail(f"how many {what}, from 1 to {most:,}", token)
        return int(value)

    def _text(self, what: str) -> str:
        token = self._take()
        if token.kind is not Kind.TEXT or not isinstance(token.value, str):
            self._fail(f"{what}, in quotes", token)
        return token.value

    def _word(self, *choices: str) -> str:
        token = self._take()
        if token.word not in choices:
            self._fail(" or ".join(choices), token, choices)
        return token.word

    def _sign(self, sign: str) -> None:
        token = self._take()
        if token.kind is not Kind.SIGN or token.source != sign:
            self._fail(f"“{sign}”", token)

    def _took(self, word: str) -> bool:
        if self._next.word != word:
            return False
        self._take()
        return True

    def _take(self) -> Token:
        token = self._next
        if token.kind is not Kind.END:
            self._at += 1
        return token

    def _fail(self, expected: str, token: Token, near: Collection[str] = ()) -> NoReturn:
        close = get_close_matches(token.word, near, n=1) if token.word else []
        found = "the end" if token.kind is Kind.END else f"“{token.source[:40]}”"
        hint = f": did you mean {close[0]}?" if close else ""
        raise ExpressionError(f"expected {expected}, not {found}{hint}", self._source, token.column)
