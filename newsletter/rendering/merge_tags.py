"""Merge tags such as `{{ subscriber.first_name }}` and `{% if … %}`, lifted out of the way of Markdown and MJML.

Each tag becomes a placeholder of lower-case letters and digits, which passes unchanged through Markdown, MJML and
CSS inlining, and is put back at the end as a part of a template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from newsletter.errors import SourceError
from newsletter.rendering.expressions import Fields, TagError, check_expression, check_statement
from newsletter.text import one_line

# A tag that is not closed reaches to the end: looking for its end from every brace on would take for ever.
_TAG = re.compile(
    r"\{\{(?P<value>.*?)(?:\}\}|(?P<open_value>\Z))|\{%(?P<control>.*?)(?:%\}|(?P<open_control>\Z))"
    r"|\{#.*?(?:#\}|(?P<open_comment>\Z))",
    re.DOTALL,
)
# A placeholder of any issue, for what only has to know where some stand.
PLACEHOLDER = re.compile(r"mt[0-9a-f]{8}n\d+z")
MAX_TAGS = 2000
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class MergeTag:
    """A tag as it was written; `line` counts from 1 in the issue's file."""

    source: str
    control: bool
    line: int

    @property
    def keyword(self) -> str:
        """The first word of a condition: if, elif, else or endif."""
        return self.source.split(maxsplit=1)[0]


@dataclass(slots=True)
class TagBook:
    """The tags of one issue, by the placeholders that stand for them."""

    nonce: str
    fields: Fields
    tags: list[MergeTag] = field(default_factory=list)

    @classmethod
    def for_source(cls, source: str, fields: Fields) -> TagBook:
        """An empty book whose placeholders cannot stand in `source` already."""
        attempt = 0
        while (nonce := "mt" + sha256(f"{attempt}{source}".encode()).hexdigest()[:8] + "n") in source:
            attempt += 1
        return cls(nonce, fields)

    def lift(self, text: str, path: str, first_line: int) -> str:
        """`text` with every tag replaced by a placeholder. Raises SourceError for a tag that could not be merged."""

        def replace(match: re.Match[str]) -> str:
            line = first_line + text.count("\n", 0, match.start())
            if match.lastgroup and match.lastgroup.startswith("open_"):
                opening = match.group(0)[:2]
                raise SourceError(f"a merge tag is opened with {opening} but not closed", path=path, line=line)
            if match.group(0).startswith("{#"):
                return "\n" * match.group(0).count("\n")
            return self._add(match, path, line)

        return _TAG.sub(replace, text)

    def _add(self, match: re.Match[str], path: str, line: int) -> str:
        control = match.group("control") is not None
        source = (match.group("control") if control else match.group("value")).strip("-+ \t\n")
        try:
            if control:
                check_statement(source, self.fields)
            else:
                check_expression(source, self.fields)
        except TagError as error:
            written = one_line(match.group(0))
            shown = written if len(written) <= _SHOWN else f"{written[:_SHOWN]}…"
            raise SourceError(f"{shown}: {error}", path=path, line=line) from None
        if len(self.tags) == MAX_TAGS:
            raise SourceError(f"more than {MAX_TAGS:,} merge tags: split the issue", path=path, line=line)
        self.tags.append(MergeTag(source, control, line))
        # Line breaks inside a tag are kept after it, so that later lines keep their numbers.
        return self.placeholder(len(self.tags) - 1) + "\n" * match.group(0).count("\n")

    def placeholder(self, index: int) -> str:
        return f"{self.nonce}{index}z"

    @property
    def pattern(self) -> re.Pattern[str]:
        """Finds a placeholder; group 1 is its tag's index."""
        return re.compile(rf"{self.nonce}(\d+)z")

    def find(self, text: str) -> Iterator[MergeTag]:
        """The tags whose placeholders stand in `text`, in order."""
        return (self.tags[int(index)] for index in self.pattern.findall(text))

    def restore(self, text: str) -> str:
        """`text` as its author wrote it, for messages."""
        return self.pattern.sub(lambda match: self._written(int(match.group(1))), text)

    def _written(self, index: int) -> str:
        tag = self.tags[index]
        return f"{{% {tag.source} %}}" if tag.control else f"{{{{ {tag.source} }}}}"
