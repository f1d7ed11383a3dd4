"""issue -> email, the second half: templates become programs that are run once a recipient.

A program is a list of fixed pieces, encoded beforehand, with holes between them, so that merging is a join. What a
hole needs more than a column for is a Jinja template in a sandbox, whose delimiters are control characters, which no
issue can contain: text that looks like a tag stays text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html import escape
from types import SimpleNamespace
from typing import Any, Literal, Self
from urllib.parse import quote

from jinja2 import Undefined
from jinja2.sandbox import SandboxedEnvironment

from newsletter.rendering.content import Content
from newsletter.rendering.template import Control, Escape, Part, Template, Value, Variable
from newsletter.text import one_line

Context = Mapping[str, Any]
Fill = Callable[[Context], str]

# The two forms nearly every merge tag has; they need no template engine.
_COLUMN = re.compile(r"""subscriber\.(\w+)(?:\s*\|\s*(?:default|d)\(\s*(?:"([^"\\]*)"|'([^'\\]*)')\s*\))?""")


@dataclass(frozen=True, slots=True)
class Program:
    """Pieces in order; those at the places of `variables` and `fills` are put in for each recipient."""

    pieces: tuple[str, ...]
    variables: tuple[tuple[str, tuple[int, ...]], ...]
    fills: tuple[tuple[int, Fill], ...]

    @classmethod
    def join(cls, programs: Iterable[Program]) -> Self:
        """One program that makes what these make, one after the other."""
        pieces: list[str] = []
        variables: dict[str, tuple[int, ...]] = {}
        fills: list[tuple[int, Fill]] = []
        for program in programs:
            offset = len(pieces)
            pieces += program.pieces
            for name, places in program.variables:
                variables[name] = variables.get(name, ()) + tuple(offset + place for place in places)
            fills += [(offset + place, fill) for place, fill in program.fills]
        return cls(tuple(pieces), tuple(variables.items()), tuple(fills))

    def run(self, context: Context) -> str:
        """The text for one recipient."""
        pieces = list(self.pieces)
        for name, places in self.variables:
            value = context[name]
            for place in places:
                pieces[place] = value
        for place, fill in self.fills:
            pieces[place] = fill(context)
        return "".join(pieces)


def fixed(text: str) -> Program:
    """A program that makes the same text for everyone."""
    return Program((text,), (), ())


def variable(name: str) -> Program:
    """A program that puts in, as it is, what the sender provides under a name."""
    return Program(("",), ((name, (0,)),), ())


class Merger:
    """Turns templates into programs.

    `newline` ends every line of what they make. Fixed text goes through `encode_text` now, values through
    `encode_value` as they come; what the sender provides for each recipient goes in as it is.
    """

    def __init__(
        self,
        newline: Literal["\n", "\r\n"] = "\n",
        encode_text: Callable[[str], str] = str,
        encode_value: Callable[[str], str] = str,
    ) -> None:
        self._encode_text = encode_text
        self._encode_value = encode_value
        self._environment = SandboxedEnvironment(
            variable_start_string="\x01",
            variable_end_string="\x02",
            block_start_string="\x03",
            block_end_string="\x04",
            comment_start_string="\x05",
            comment_end_string="\x06",
            keep_trailing_newline=True,
            newline_sequence=newline,
            autoescape=False,
            undefined=Undefined,
        )
        escapes = {kind.value: safe for kind, safe in _ESCAPES.items()}
        self._environment.filters |= {"default": _default, "d": _default, "encode": encode_value, **escapes}

    def program(self, template: Template) -> Program:
        """The program that fills a template for one recipient."""
        return Program.join(self._piece(parts) for parts in _units(template))

    def _piece(self, parts: list[Part]) -> Program:
        match parts:
            case [str(text)]:
                return fixed(self._encode_text(text))
            case [Variable(name)]:
                return variable(name)
            case [Value(expression, escape_for)] if column := _COLUMN.fullmatch(expression):
                return Program(("",), (), ((0, self._column(column, _ESCAPES[escape_for])),))
        source = "".join(map(self._source, parts))
        return Program(("",), (), ((0, self._environment.from_string(source).render),))

    def _column(self, column: re.Match[str], safe: Callable[[Any], str]) -> Fill:
        name, encode = column[1], self._encode_value
        fallback = column[2] or column[3] or ""

        def fill(context: Context) -> str:
            return encode(safe(getattr(context["subscriber"], name) or fallback))

        return fill

    def _source(self, part: Part) -> str:
        match part:
            case Value(expression, escape_for):
                return f"\x01({expression})|{escape_for.value}|encode\x02"
            case Control(statement):
                return f"\x03{statement}\x04"
            case Variable(name):
                return f"\x01{name}\x02"
            case _:
                return self._encode_text(part)


def merge(template: Template, context: Context) -> str:
    """Fill a template once, for a preview."""
    return Merger().program(template).run(context)


def context_for(
    content: Content, subscriber: Mapping[str, str], variables: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What a program of this content is run with."""
    return {
        "subscriber": _Subscriber(**subscriber),
        "publication": content.publication,
        "issue": content.issue,
        **(variables or {}),
    }


class _Subscriber(SimpleNamespace):
    """Someone's columns. Others may have more: what is missing is empty, so that any comparison holds."""

    def __getattr__(self, name: str) -> str:
        return ""


def _units(template: Template) -> Iterable[list[Part]]:
    """The parts one by one, but a condition with all that it governs together."""
    unit: list[Part] = []
    depth = 0
    for part in template:
        unit.append(part)
        if isinstance(part, Control):
            depth += {"if": 1, "endif": -1}.get(part.statement.split()[0], 0)
        if depth == 0:
            yield unit
            unit = []


def _default(value: Any, fallback: str = "") -> Any:
    # A column that is there but empty greets nobody, so it counts as missing.
    return fallback if value is None or value == "" or isinstance(value, Undefined) else value


def _text(value: Any) -> str:
    return "" if value is None else one_line(str(value))


def _html(value: Any) -> str:
    return escape(_text(value))


def _url(value: Any) -> str:
    return quote(_text(value), safe="")


def _whole_url(value: Any) -> str:
    url = _text(value)
    return escape(quote(url, safe=":/?#[]@!$&'()*+,;=%~")) if url.startswith(("https://", "http://")) else ""


_ESCAPES: dict[Escape, Callable[[Any], str]] = {
    Escape.TEXT: _text,
    Escape.HTML: _html,
    Escape.URL: _url,
    Escape.WHOLE_URL: _whole_url,
}
