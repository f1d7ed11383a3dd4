"""A segment's expression, understood."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

Operator = Literal["=", "!=", "<", "<=", ">", ">="]
How = Literal["contains", "starts with"]
Action = Literal["opened", "clicked", "received"]
Quantity = Literal["any", "all", "none"]

FIELDS = ("email", "email domain", "first_name", "last_name", "name", "language", "timezone")


@dataclass(frozen=True, slots=True)
class DaysAgo:
    """A day by how long ago it was; 0 is today."""

    days: int


# How a value is written says what a field's text is read as: text, a number, a day, yes or no.
Fixed = str | Decimal | date | bool
Value = Fixed | DaysAgo


@dataclass(frozen=True, slots=True)
class Field:
    """One of FIELDS, or an attribute."""

    name: str
    is_attribute: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    field: Field
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class Match:
    field: Field
    how: How
    text: str


@dataclass(frozen=True, slots=True)
class Among:
    """Whether a field is one of several values."""

    field: Field
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Empty:
    field: Field


@dataclass(frozen=True, slots=True)
class Tagged:
    tag: str


@dataclass(frozen=True, slots=True)
class Subscribed:
    """Before or after a day; neither includes it."""

    when: Literal["before", "after"]
    day: date


@dataclass(frozen=True, slots=True)
class SubscribedWithin:
    days: int


@dataclass(frozen=True, slots=True)
class Did:
    """What somebody did with so many of the last mailings of the list."""

    action: Action
    quantity: Quantity
    last: int


@dataclass(frozen=True, slots=True)
class ClickedLink:
    """A link whose address contains the text, in any mailing of the list."""

    text: str


@dataclass(frozen=True, slots=True)
class OnList:
    slug: str


@dataclass(frozen=True, slots=True)
class Not:
    part: Node


@dataclass(frozen=True, slots=True)
class And:
    """Two parts or more."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Two parts or more."""

    parts: tuple[Node, ...]


Node = (
    Comparison
    | Match
    | Among
    | Empty
    | Tagged
    | Subscribed
    | SubscribedWithin
    | Did
    | ClickedLink
    | OnList
    | Not
    | And
    | Or
)
