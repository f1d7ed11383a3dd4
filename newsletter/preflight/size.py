"""How large the HTML becomes for whoever it becomes largest for."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from newsletter.preflight.columns import Audience, fields_of, longest
from newsletter.preflight.finding import Finding, error, warning
from newsletter.preflight.proof import Proof
from newsletter.rendering.content import CLICK_TOKEN, OPEN_TOKEN, UNSUBSCRIBE_TOKEN, Content
from newsletter.rendering.merge import Merger, context_for
from newsletter.rendering.program import Program
from newsletter.rendering.template import Control, Template, Value, Variable
from newsletter.tracking.tokens import Tokens

# Gmail cuts a message off here and hides what follows, with the way to unsubscribe.
CLIPPED_BYTES = 102_000
NEARLY_CLIPPED_BYTES = 90_000
# Tokens are as long for one key, and for one recipient, as for another.
_TOKENS = Tokens.of(b"a key whose tokens nobody ever gets")


def check_size(proof: Proof, values: Mapping[str, str]) -> list[Finding]:
    """A finding where the HTML would be clipped, or nearly, for someone with these values."""
    size = worst_case_bytes(proof.content, values)
    told = f"the HTML has {size:,} bytes for the recipient with the longest values"
    if size > CLIPPED_BYTES:
        return [
            error("html-size", None, f"{told}; Gmail clips it at {CLIPPED_BYTES:,}", "shorten or split the issue")
        ]
    if size > NEARLY_CLIPPED_BYTES:
        remedy = f"shorten the issue: Gmail clips what is above {CLIPPED_BYTES:,}"
        return [warning("html-size", None, told, remedy)]
    return []


def longest_values(session: Session, people: Audience, content: Content) -> dict[str, str]:
    """For each field that the HTML shows, the longest value on the list."""
    return longest(session, people, fields_of(content.html))


def worst_case_bytes(content: Content, values: Mapping[str, str]) -> int:
    """The size of the HTML in UTF-8, every hole as long as it may get, with the longest branch of each condition."""
    opened, click, unsubscribe, _ = _TOKENS.seal(1, 1)
    variables = {OPEN_TOKEN: opened, CLICK_TOKEN: click, UNSUBSCRIBE_TOKEN: unsubscribe}
    measured = _Measure(content, values, variables)
    # A branch a level; each level has the sizes of its branches so far.
    levels = [[0]]
    for part in content.html:
        if isinstance(part, Control):
            _enter(part.statement.split()[0], levels)
        else:
            levels[-1][-1] += measured.size(part)
    return levels[0][0]


def _enter(keyword: str, levels: list[list[int]]) -> None:
    match keyword:
        case "if":
            levels.append([0])
        case "endif":
            largest = max(levels.pop())
            levels[-1][-1] += largest
        case _:
            levels[-1].append(0)


class _Measure:
    """Sizes of parts. A default may be longer than any value, so each hole is tried with and without one."""

    def __init__(self, content: Content, values: Mapping[str, str], variables: Mapping[str, str]) -> None:
        self._merger = Merger()
        self._contexts = [context_for(content, fields, variables) for fields in (values, {})]

    def size(self, part: str | Value | Variable) -> int:
        if isinstance(part, str):
            return len(part.encode())
        one: Template = (part,)
        program = Program(self._merger.pieces(one))
        return max(len(program.run(context)) for context in self._contexts)
