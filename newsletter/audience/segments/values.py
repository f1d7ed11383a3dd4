"""A field's text in SQL, read as text, a number, a day, yes or no. What cannot be read so meets no comparison."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, String, func, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from newsletter.audience.segments.tree import Field, Fixed, Operator
from newsletter.audience.segments.typed import day_is, number_is
from newsletter.models import Subscriber, at_domain

# Of the languages that we know the columns of.
YES = ("yes", "true", "1", "on", "y", "oui", "vrai", "ja", "wahr", "waar", "sí", "si", "sì", "sim", "x")
NO = ("no", "false", "0", "off", "n", "non", "faux", "nein", "falsch", "nee", "onwaar", "não", "nao")


class lowered(FunctionElement[str]):
    """A text in lower case, whatever the database's locale: of letters beyond ASCII these, which have two cases."""

    type = String()
    inherit_cache = True


@compiles(lowered)
def _lowered(element: Any, compiler: Any, **options: Any) -> str:
    text, _, _ = element.clauses
    # SQLite's own knows ASCII alone; this one is given to each connection (newsletter.db).
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


def compared(field: Field, operator: Operator, value: Fixed, *, on_postgresql: bool) -> ColumnElement[bool]:
    """Whether a field compares so with a value, as the kind of thing that this value is."""
    if operator == "!=":
        return ~compared(field, "=", value, on_postgresql=on_postgresql)
    known = text_of(field)
    match value:
        case bool():
            return same(known, *(YES if value else NO))
        case Decimal():
            return number_is(known, operator, value, on_postgresql=on_postgresql)
        case date():
            return day_is(known, operator, value, on_postgresql=on_postgresql)
    return same(known, value)


def same(known: ColumnElement[str], *texts: str) -> ColumnElement[bool]:
    """Whether a text is one of some others, but for the case of its letters."""
    return in_lower_case(known, "".join(texts)).in_([text.lower() for text in texts])


def in_lower_case(known: ColumnElement[str], text: str) -> ColumnElement[str]:
    """A column in lower case, as far as it may then resemble that text."""
    if text.isascii():
        return func.lower(known)
    small = sorted({sign for sign in text.lower() if not sign.isascii() and len(sign.upper()) == 1})
    return lowered(known, literal("".join(small).upper(), String), literal("".join(small), String))
