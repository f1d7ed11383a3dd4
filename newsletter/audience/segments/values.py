"""A field's text in SQL, read as text, a number, a day, yes or no. What cannot be read so meets no comparison."""

from __future__ import annotations

import operator as op
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Double, Integer, String, and_, case, cast, false, func, literal, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from newsletter.audience.segments.tokens import MAX_NUMBER
from newsletter.audience.segments.tree import Field, Operator, Value
from newsletter.models import Subscriber, at_domain

_DIGITS = "0123456789"
# Of the languages that we know the columns of.
YES = ("yes", "true", "1", "on", "y", "oui", "vrai", "ja", "wahr", "waar", "sí", "si", "sì", "sim", "x")
NO = ("no", "false", "0", "off", "n", "non", "faux", "nein", "falsch", "nee", "onwaar", "não", "nao")
_OPERATORS: dict[Operator, Callable[[Any, Any], Any]] = {
    "=": op.eq,
    "<": op.lt,
    "<=": op.le,
    ">": op.gt,
    ">=": op.ge,
}


class lowered(FunctionElement[str]):
    """A text in lower case, whatever the database's locale: of letters beyond ASCII these, which have two cases."""

    type = String()
    inherit_cache = True


@compiles(lowered)
def _lowered(element: Any, compiler: Any, **options: Any) -> str:
    text, _, _ = element.clauses
    # SQLite's own knows ASCII alone; this one is given to it with each connection (newsletter.db).
    return f"lower_unicode({compiler.process(text, **options)})"


@compiles(lowered, "postgresql")
def _lowered_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    text, large, small = (compiler.process(clause, **options) for clause in element.clauses)
    return f"lower(translate({text}, {large}, {small}))"


def text_of(field: Field) -> ColumnElement[str]:
    """What a subscriber has in a field; empty where they have nothing."""
    if field.is_attribute:
        return func.coalesce(Subscriber.attributes[field.name].as_string(), "")
    match field.name:
        case "email domain":
            return func.substr(at_domain(Subscriber.email), 2)
        case "name":
            return func.trim(Subscriber.first_name + " " + Subscriber.last_name)
    return Subscriber.__table__.c[field.name]


def compared(field: Field, operator: Operator, value: Value) -> ColumnElement[bool]:
    """Whether a field compares so with a value, as the kind of thing that this value is."""
    if operator == "!=":
        return ~compared(field, "=", value)
    known = text_of(field)
    match value:
        case bool():
            return in_lower_case(known, "".join(YES + NO)).in_(YES if value else NO)
        case Decimal():
            return case((_is_number(known), _OPERATORS[operator](cast(known, Double), float(value))), else_=false())
        case date():
            day = func.replace(func.substr(known, 1, 10), "-", "")
            wanted = int(f"{value:%Y%m%d}")
            return case((_is_day(known), _OPERATORS[operator](cast(day, Integer), wanted)), else_=false())
    return same(known, value)


def same(known: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Whether two texts are the same but for the case of their letters."""
    return in_lower_case(known, text) == text.lower()


def in_lower_case(known: ColumnElement[str], text: str) -> ColumnElement[str]:
    """A column in lower case, as far as it may then resemble that text."""
    if text.isascii():
        return func.lower(known)
    small = sorted({sign for sign in text.lower() if not sign.isascii() and len(sign.upper()) == 1})
    return lowered(known, literal("".join(small).upper(), String), literal("".join(small), String))


def _is_number(known: ColumnElement[str]) -> ColumnElement[bool]:
    unsigned = case((func.substr(known, 1, 1).in_(("-", "+")), func.substr(known, 2)), else_=known)
    # Digits are taken off both ends: a point may be left of it, at most.
    return and_(
        func.length(known) <= MAX_NUMBER,
        func.trim(unsigned, _DIGITS).in_(("", ".")),
        unsigned.not_in(("", ".")),
    )


def _is_day(known: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a text is, or begins with, something like 2026-03-13."""
    day = func.substr(known, 1, 10)
    return and_(
        day.like("____-__-__"),
        func.trim(func.replace(day, "-", ""), _DIGITS) == "",
        func.length(func.replace(day, "-", "")) == len("20260313"),
        or_(func.length(known) == len("2026-03-13"), func.substr(known, 11, 1).in_((" ", "T"))),
    )
