"""An expression written out: what `parse` reads as the same."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

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

# Words that begin something else than a field.
RESERVED = ("and", "or", "not", "tag", "opened", "clicked", "received", "subscribed", "on", "attribute")
_WORD = re.compile(r"(?![0-9]+\Z)\w+")


def show(node: Node) -> str:
    """The expression of a tree."""
    match node:
        case Comparison(field, operator, value):
            return f"{_field(field)} {operator} {_value(value)}"
        case Match(field, how, text):
            return f"{_field(field)} {how} {_value(text)}"
        case Among(field, values):
            return f"{_field(field)} in ({', '.join(map(_value, values))})"
        case Empty(field):
            return f"{_field(field)} is empty"
        case Tagged(tag):
            return f"tag {_value(tag)}"
        case Subscribed(when, day):
            return f"subscribed {when} {day}"
        case SubscribedWithin(days):
            return f"subscribed in last {days} days"
        case Did(action, quantity, last):
            return f"{action} {quantity} of last {last}"
        case ClickedLink(text):
            return f"clicked link {_value(text)}"
        case OnList(slug):
            return f"on list {_value(slug)}"
        case Not(part):
            return f"not {_inner(part)}"
        case And(parts):
            return " and ".join(map(_inner, parts))
        case Or(parts):
            return " or ".join(map(_inner, parts))


def _inner(node: Node) -> str:
    return f"({show(node)})" if isinstance(node, And | Or) else show(node)


def _field(field: Field) -> str:
    name = field.name
    plain = _WORD.fullmatch(name) and name == name.lower() and name not in (*RESERVED, *FIELDS)
    return name if plain or not field.is_attribute else f"attribute {_value(name)}"


def _value(value: Value) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return f"{value:f}"
        case date():
            return value.isoformat()
        case DaysAgo(days):
            return f"{days} days ago" if days else "today"
    doubled = value.replace('"', '""')
    return f'"{doubled}"'
