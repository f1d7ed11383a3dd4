"""issue -> email, the second half: templates become programs that are run once a recipient.

What a hole needs more than a column for is a Jinja template in a sandbox, whose delimiters are control characters,
which no issue can contain: text that looks like a tag stays text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from html import escape
from types import SimpleNamespace
from typing import Any, Literal
from urllib.parse import quote

from jinja2 import Undefined
from jinja2.sandbox import SandboxedEnvironment

from newsletter.rendering.content import Content
from newsletter.rendering.program import Context, Fill, Piece, Program
from newsletter.rendering.template import Control, Escape, Part, Template, Value, Variable
from newsletter.text import one_line

# The two forms nearly every merge tag has; they need no template engine.
_COLUMN = re.compile(r"""subscriber\.(\w+)(?:\s*\|\s*(?:default|d)\(\s*(?:"([^"\\]*)"|'([^'\\]*)')\s*\))?""")
# Many share a first name or a town, so what became of a column's value is kept, for this many.
_KEPT_VALUES = 1024


class Merger:
    """Turns templates into the pieces of programs.

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
        self._fills: dict[tuple[Part, ...], Fill] = {}
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

    def pieces(self, template: Template) -> Iterable[Piece]:
        """What fills a template for one recipient; equal holes have one and the same fill."""
        for unit in _units(template):
            if isinstance(unit[0], str):
                yield self._encode_text(unit[0]).encode()
            else:
                if unit not in self._fills:
                    self._fills[unit] = self._fill(unit)
                yield self._fills[unit]

    def _fill(self, unit: tuple[Part, ...]) -> Fill:
        match unit:
            case (Variable(name),):
                return lambda context: context[name].encode()
            case (Value(expression, escape_for),) if column := _COLUMN.fullmatch(expression):
                return self._column(column, _ESCAPES[escape_for])
        render = self._environment.from_string("".join(map(self._source, unit))).render
        return lambda context: render(context).encode()

    def _column(self, column: re.Match[str], safe: Callable[[Any], str]) -> Fill:
        name, fallback = column[1], column[2] or column[3] or ""

        @lru_cache(_KEPT_VALUES)
        def encoded(value: str) -> bytes:
            return self._encode_value(safe(value or fallback)).encode()

        return lambda context: encoded(getattr(context["subscriber"], name))

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
    return Program(Merger().pieces(template)).run(context).decode()


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


def _units(template: Template) -> Iterable[tuple[Part, ...]]:
    """The parts one by one, but a condition with all that it governs together."""
    unit: list[Part] = []
    depth = 0
    for part in template:
        unit.append(part)
        if isinstance(part, Control):
            depth += {"if": 1, "endif": -1}.get(part.statement.split()[0], 0)
        if depth == 0:
            yield tuple(unit)
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
