"""Text with holes: fixed pieces and merge tags in turn. What an issue is once it is compiled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Escape(StrEnum):
    """What a merged value must be made safe for."""

    TEXT = "text"
    HTML = "html"
    URL = "url"
    WHOLE_URL = "whole_url"


@dataclass(frozen=True, slots=True)
class Value:
    """A hole filled with an expression's value, made safe for where it stands."""

    expression: str
    escape: Escape


@dataclass(frozen=True, slots=True)
class Control:
    """A condition's statement: `if …`, `elif …`, `else` or `endif`."""

    statement: str


@dataclass(frozen=True, slots=True)
class Variable:
    """A hole filled, as it is, with something the sender provides for each recipient, such as a token."""

    name: str


Part = str | Value | Control | Variable
Template = tuple[Part, ...]


def is_fixed(template: Template) -> bool:
    """Whether every recipient gets the same text."""
    return all(isinstance(part, str) for part in template)


def to_json(template: Template) -> list[Any]:
    """A form that `from_json` reads back; only lists and strings."""
    return [part if isinstance(part, str) else _part_to_json(part) for part in template]


def from_json(data: Iterable[Any]) -> Template:
    """The template that `to_json` wrote."""
    return tuple(part if isinstance(part, str) else _part_from_json(part) for part in data)


def _part_to_json(part: Value | Control | Variable) -> list[str]:
    match part:
        case Value(expression, escape):
            return ["value", expression, escape.value]
        case Control(statement):
            return ["control", statement]
        case Variable(name):
            return ["variable", name]


def _part_from_json(data: list[str]) -> Part:
    match data:
        case ["value", expression, escape]:
            return Value(expression, Escape(escape))
        case ["control", statement]:
            return Control(statement)
        case ["variable", name]:
            return Variable(name)
    raise ValueError(f"not a part of a template: {data!r}")
