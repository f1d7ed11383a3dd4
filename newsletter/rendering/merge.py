"""issue -> email, the second half: templates become programs that are run once a recipient.

A program is a Jinja template in a sandbox whose fixed text may be encoded beforehand, so that merging is a join. Its
delimiters are control characters, which no issue can contain: text that looks like a tag stays text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from types import SimpleNamespace
from typing import Any, Literal
from urllib.parse import quote

from jinja2 import Undefined
from jinja2.sandbox import SandboxedEnvironment

from newsletter.rendering.content import Content
from newsletter.rendering.template import Control, Template, Value, Variable
from newsletter.text import one_line

ENCODE_FILTER = "encode"


class Merger:
    """Turns templates into programs. `newline` ends every line of what they make."""

    def __init__(self, newline: Literal["\n", "\r\n"] = "\n", encode_value: Callable[[str], str] = str) -> None:
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
        self._environment.filters |= {
            "default": _default,
            "d": _default,
            "text": _text,
            "html": _html,
            "url": _url,
            "whole_url": _whole_url,
            ENCODE_FILTER: encode_value,
        }

    def program(self, source: str) -> Callable[[Mapping[str, Any]], str]:
        """The function that fills `source`, made by `source_of`, for one recipient."""
        template = self._environment.from_string(source)
        return lambda context: template.render(context)


def source_of(template: Template, encode_text: Callable[[str], str] | None = None) -> str:
    """The source of a program; with `encode_text`, fixed text is encoded now and values as they come.

    What the sender provides for each recipient goes in as it is: encode it once, however often it is used.
    """
    finish = f"|{ENCODE_FILTER}" if encode_text else ""
    return "".join(_source(part, encode_text or str, finish) for part in template)


def merge(template: Template, context: Mapping[str, Any]) -> str:
    """Fill a template once, for a preview."""
    return Merger().program(source_of(template))(context)


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


def _source(part: str | Value | Control | Variable, encode_text: Callable[[str], str], finish: str) -> str:
    match part:
        case Value(expression, escape_for):
            return f"\x01({expression})|{escape_for.value}{finish}\x02"
        case Control(statement):
            return f"\x03{statement}\x04"
        case Variable(name):
            return f"\x01{name}\x02"
        case _:
            return encode_text(part)


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
