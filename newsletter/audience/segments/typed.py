"""A text in SQL, compared as a number or as a day. What is none meets no comparison.

A million are read in well under a second: SQLite has neither regular expressions nor a cast that fails, so there what
cannot be a number is told by the order that SQLite gives values of different kinds, at one look for most.
"""

from __future__ import annotations

import operator as op
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from math import inf, nextafter
from typing import Any

from sqlalchemy import ColumnElement, Double, Numeric, and_, case, cast, collate, false, func, literal

from newsletter.audience.segments.tree import Operator

_OPERATORS: dict[Operator, Callable[[Any, Any], Any]] = {
    "=": op.eq,
    "<": op.lt,
    "<=": op.le,
    ">": op.gt,
    ">=": op.ge,
}
_NUMBER = "^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)$"
_DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}($|[ T])"
_GLOB_OF_NO_NUMBER = "*[^-+.0-9]*"
_GLOB_OF_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][ T]*"
# Behind the blank or the T that may follow a day.
_END_OF_DAY = "U"


def number_is(
    known: ColumnElement[str], operator: Operator, value: Decimal, *, on_postgresql: bool
) -> ColumnElement[bool]:
    """Whether a text is a number, digits with perhaps a sign and a point, that compares so; exact to 15 digits."""
    if on_postgresql:
        number = case((known.regexp_match(_NUMBER), cast(known, Numeric)))
        return func.coalesce(_OPERATORS[operator](number, value), false())
    # Between two REALs SQLite finds only what it can read as a number: every other text is greater than all of them.
    low, high = _range(operator, float(value))
    return and_(
        known.between(cast(literal(low), Double), cast(literal(high), Double)),
        ~known.bool_op("GLOB")(_GLOB_OF_NO_NUMBER),
    )


def day_is(known: ColumnElement[str], operator: Operator, day: date, *, on_postgresql: bool) -> ColumnElement[bool]:
    """Whether a text begins with a date, as in 2026-03-13 or 2026-03-13T08:00, that compares so."""
    text, begins, ends = known, day.isoformat(), f"{day}{_END_OF_DAY}"
    if on_postgresql:
        text = collate(known, "C")
    match operator:
        case "<":
            compares = text < begins
        case "<=":
            compares = text < ends
        case ">":
            compares = text >= ends
        case ">=":
            compares = text >= begins
        case _:
            compares = and_(text >= begins, text < ends)
    shape = known.regexp_match(_DAY) if on_postgresql else known.concat(" ").bool_op("GLOB")(_GLOB_OF_DAY)
    return and_(compares, shape)


def _range(operator: Operator, value: float) -> tuple[float, float]:
    """The least and the greatest of all that compare so."""
    match operator:
        case "<":
            return -inf, nextafter(value, -inf)
        case "<=":
            return -inf, value
        case ">":
            return nextafter(value, inf), inf
        case ">=":
            return value, inf
    return value, value
