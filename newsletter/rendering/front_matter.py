"""The YAML head of an issue, between two lines of `---`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches

import yaml

from newsletter.errors import InputError, SourceError
from newsletter.languages import language_tag
from newsletter.text import one_line

_HEAD = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_ADDRESS = re.compile(r"https?://[^\s/?#{}]+([/?#][^\s{}]*)?")
_NUMBER = re.compile(r"[0-9]{1,10}")
# Lone surrogates have no bytes, and control characters delimit the programs that merge.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_NULL = "tag:yaml.org,2002:null"
_QUOTE = 'put a value that holds a colon, a brace or a # in quotes, such as title: "One: two"'
KEYS = (
    "title",
    "number",
    "subject",
    "preheader",
    "author",
    "date",
    "language",
    "theme",
    "lists",
    "segment",
    "tags",
    "canonical",
    "schedule",
    "embed",
)
_SEVERAL = frozenset({"lists", "tags"})


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What an issue says of itself.

    `subject` falls back on the title; `language` is a BCP 47 tag or empty. `lists`, `segment` and `schedule` are to
    whom and when it goes unless someone says otherwise, the latter two as they were written. `canonical` is the
    issue's address on the web, or empty; `embed` whether its pictures travel inside the message. `lines` says where
    each key stands.
    """

    title: str
    subject: str
    number: int | None = None
    preheader: str = ""
    author: str = ""
    date: date | None = None
    language: str = ""
    theme: str = ""
    lists: tuple[str, ...] = ()
    segment: str = ""
    tags: tuple[str, ...] = ()
    canonical: str = ""
    schedule: str = ""
    embed: bool = False
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


def _read(text: str, path: str) -> tuple[dict[str, str], dict[str, int]]:
    """Every value as it was written: YAML's own ideas of `no`, `12:30` or `010` are not an editor's."""
    # Every mark counts from 0, and the front matter starts on the file's second line.
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        # A quotation that is not closed is found at the end; the editor looks for its beginning.
        mark = error.context_mark if error.context == "while scanning a quoted scalar" else error.problem_mark
        line = mark.line + 2 if mark else 2
        raise SourceError(f"the front matter is not YAML: {error.problem}; {_QUOTE}", path=path, line=line) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 2
        problem = f"the character U+{error.character:04X} cannot stand there: delete it"
        raise SourceError(f"the front matter is not YAML: {problem}", path=path, line=line) from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise SourceError(f"the front matter is not YAML; {_QUOTE}", path=path, line=2) from None
    if not isinstance(node, yaml.MappingNode):
        raise SourceError("the front matter must be lines of “key: value”", path=path, line=2)
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 2
        key = one_line(str(key_node.value)) if isinstance(key_node, yaml.ScalarNode) else ""
        if key in _SEVERAL and isinstance(value_node, yaml.SequenceNode):
            value_node = _comma_separated(value_node)
        if not key or not isinstance(value_node, yaml.ScalarNode):
            raise SourceError(f"{key or 'a key'} must be one line of text; {_QUOTE}", path=path, line=line)
        if key in values:
            raise SourceError(f"{key} stands on line {lines[key]} already: keep one", path=path, line=line)
        # Folding to one line also keeps a line break from ever reaching a header.
        value = one_line("" if value_node.tag == _NULL else value_node.value)
        bad = _UNPRINTABLE.search(value)
        if bad:
            raise SourceError(f"{key} holds the character U+{ord(bad[0]):04X}: delete it", path=path, line=line)
        values[key], lines[key] = value, line
    return values, lines


def _comma_separated(items: yaml.SequenceNode) -> yaml.Node:
    """A list of words as the line that says the same; itself where it holds anything else."""
    if not all(isinstance(item, yaml.ScalarNode) for item in items.value):
        return items
    return yaml.ScalarNode("", ", ".join(item.value for item in items.value), items.start_mark)


def _front_matter(values: Mapping[str, str], lines: Mapping[str, int], path: str) -> FrontMatter:
    def text(key: str) -> str:
        return values.get(key, "")

    def fault(key: str, expected: str) -> SourceError:
        return SourceError(f"{key} must {expected}, not “{values[key]}”", path=path, line=lines[key])

    def number() -> int | None:
        written = text("number")
        if not written:
            return None
        if not _NUMBER.fullmatch(written) or int(written) >= 2**31:
            raise fault("number", "be a whole number")
        return int(written)

    def day() -> date | None:
        written = text("date")
        try:
            return datetime.fromisoformat(written).date() if written else None
        except ValueError:
            raise fault("date", "look like 2026-03-13 and exist") from None

    def language() -> str:
        try:
            return language_tag(text("language")) if text("language") else ""
        except InputError:
            raise fault("language", "be a tag such as fr or pt-BR") from None

    def several(key: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(filter(None, (item.strip() for item in text(key).split(",")))))

    if not text("title"):
        raise SourceError(
            "the front matter lacks a title: add a line “title: …”", path=path, line=lines.get("title", 1)
        )
    if text("canonical") and not _ADDRESS.fullmatch(text("canonical")):
        raise fault("canonical", "be an address such as https://example.org/56")
    if text("embed") not in ("", "cid"):
        raise fault("embed", "be cid or left out")
    return FrontMatter(
        title=text("title"),
        subject=text("subject") or text("title"),
        number=number(),
        preheader=text("preheader"),
        author=text("author"),
        date=day(),
        language=language(),
        theme=text("theme"),
        lists=several("lists"),
        segment=text("segment"),
        tags=several("tags"),
        canonical=text("canonical"),
        schedule=text("schedule"),
        embed=text("embed") == "cid",
        unknown=tuple(_describe_unknown(key) for key in values if key not in KEYS),
        lines=lines,
    )


def _describe_unknown(key: str) -> str:
    near = get_close_matches(key, KEYS, n=1)
    return f"{key} (did you mean {near[0]}?)" if near else key
