"""The YAML head of an issue, between two lines of `---`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

import yaml

from newsletter.errors import SourceError
from newsletter.text import one_line

_HEAD = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
KEYS = ("title", "number", "subject", "preheader", "author", "date", "language", "theme")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What an issue says of itself.

    `subject` falls back on the title; `language` is a BCP 47 tag or empty; `lines` says where each key stands.
    """

    title: str
    subject: str
    number: int | None = None
    preheader: str = ""
    author: str = ""
    date: date | None = None
    language: str = ""
    theme: str = ""
    unknown: tuple[str, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)


def split(source: str, path: str) -> tuple[FrontMatter, str, int]:
    """The front matter, the Markdown after it, and how many lines came before the Markdown.

    Raises SourceError where there is no front matter, it is not YAML, it lacks a title or a value is of the wrong
    kind. Unknown keys are kept in `unknown`, each with a suggestion where one is near.
    """
    head = _HEAD.match(source)
    if head is None:
        raise SourceError(
            "no front matter: start the file with a line of ---, then “title: …”, then a line of ---",
            path=path,
            line=1,
        )
    values, lines = _read(head.group(1), path)
    return _front_matter(values, lines, path), source[head.end() :], head.group(0).count("\n")


def _read(text: str, path: str) -> tuple[dict[str, Any], dict[str, int]]:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        # The mark counts from 0, and the front matter starts on the file's second line.
        line = mark.line + 2 if mark else 1
        problem = getattr(error, "problem", None) or "unreadable"
        raise SourceError(f"the front matter is not YAML: {problem}", path=path, line=line) from None
    except ValueError as error:
        raise SourceError(f"the front matter has a value that makes no sense: {error}", path=path, line=1) from None
    if not isinstance(values, dict) or not isinstance(node, yaml.MappingNode):
        raise SourceError("the front matter must be lines of “key: value”", path=path, line=2)
    lines = {str(key.value): key.start_mark.line + 2 for key, _ in node.value}
    return {str(key): value for key, value in values.items()}, lines


def _front_matter(values: Mapping[str, Any], lines: Mapping[str, int], path: str) -> FrontMatter:
    def text(key: str) -> str:
        value = values.get(key)
        if value is None:
            return ""
        if isinstance(value, dict | list | bool):
            raise SourceError(f"{key} must be one line of text", path=path, line=lines[key])
        # Folding to one line also keeps a line break from ever reaching a header.
        return one_line(str(value))

    def number() -> int | None:
        value = values.get("number")
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31):
            return value
        raise SourceError(f"number must be a whole number, not “{value}”", path=path, line=lines["number"])

    def day() -> date | None:
        value = values.get("date")
        if isinstance(value, datetime):
            return value.date()
        if value is None or isinstance(value, date):
            return value
        raise SourceError(f"date must look like 2026-03-13, not “{value}”", path=path, line=lines["date"])

    title = text("title")
    if not title:
        raise SourceError(
            "the front matter lacks a title: add a line “title: …”", path=path, line=lines.get("title", 1)
        )
    language = text("language")
    if language and not _LANGUAGE.fullmatch(language):
        raise SourceError(
            f"language must be a tag such as fr or pt-BR, not “{language}”", path=path, line=lines["language"]
        )
    return FrontMatter(
        title=title,
        subject=text("subject") or title,
        number=number(),
        preheader=text("preheader"),
        author=text("author"),
        date=day(),
        language=language,
        theme=text("theme"),
        unknown=tuple(_describe_unknown(key) for key in values if key not in KEYS),
        lines=lines,
    )


def _describe_unknown(key: str) -> str:
    near = get_close_matches(key, KEYS, n=1)
    return f"{key} (did you mean {near[0]}?)" if near else key
