"""Footnotes: `[^1]` with `[^1]: …`, or `^[…]` in place; they end up as one list at the end of the issue."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from mdit_py_plugins.footnote import footnote_plugin

FOOTNOTES = "footnote_block"
_OPEN, _CLOSE = "footnote_reference_open", "footnote_reference_close"


def add_footnotes(parser: MarkdownIt) -> None:
    """Teach `parser` footnotes; each links to the word it belongs to, and back."""
    footnote_plugin(parser)
    parser.core.ruler.before("footnote_tail", "footnote_flat", _flatten)
    parser.add_render_rule(f"{FOOTNOTES}_open", lambda *_: '<ol class="footnotes">\n')
    parser.add_render_rule(f"{FOOTNOTES}_close", lambda *_: "</ol>\n")


def _flatten(state: StateCore) -> None:
    """A footnote written inside another becomes part of it: taken out, it would leave its surroundings open."""
    depth = 0
    kept = []
    for token in state.tokens:
        depth -= token.type == _CLOSE
        if token.type not in (_OPEN, _CLOSE) or depth == 0:
            kept.append(token)
        depth += token.type == _OPEN
    state.tokens = kept
