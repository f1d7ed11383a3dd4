"""What mjml-python lets pass in silence, or crashes on: told with file and line before it is called."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from newsletter.rendering.components import COMPONENTS, Component
from newsletter.rendering.places import Placed

MAX_DEPTH = 200
_TAG = re.compile(
    r"""<!--.*?-->|<(?P<end>/?)(?P<name>[A-Za-z][\w-]*)(?P<rest>(?:[^"'<>]|"[^"]*"|'[^']*')*?)(?P<closed>/?)>""",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""([^\s"'=<>/]+)\s*=\s*(?:"[^"]*"|'[^']*')""")
_UNSUPPORTED = frozenset({"mj-include", "mj-html-attributes"})
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})


def check(mjml: Placed) -> None:
    """Raise SourceError for an unknown tag or attribute, one in the wrong place, or nesting by the thousand."""
    depth = 0
    inside: list[str] = []
    for tag in _TAG.finditer(mjml.text):
        name = tag["name"]
        if name is None or name in _VOID:
            continue
        if tag["end"]:
            depth -= 1
            if inside and inside[-1] == name:
                inside.pop()
            continue
        wrong = _objection(name, tag["rest"], inside[-1] if inside else "")
        if not tag["closed"]:
            depth += 1
            if name in COMPONENTS:
                inside.append(name)
        if wrong or depth > MAX_DEPTH:
            raise mjml.fault(tag.start(), wrong or f"elements are nested more than {MAX_DEPTH} deep")


def _objection(name: str, rest: str, parent: str) -> str:
    allowed = COMPONENTS[parent].children if parent else frozenset({"mjml"})
    component = COMPONENTS.get(name)
    if name in _UNSUPPORTED:
        return f"{name} is not supported: docs/mjml.md says what to do instead"
    if component is None:
        if name.startswith("mj-"):
            return f"{name} is not a tag of MJML{_hint(name, COMPONENTS)}"
        # HTML is looked at by nobody where words are expected; elsewhere the compiler would drop it or worse.
        return (
            "" if allowed is None else f"<{name}> cannot stand in {parent or 'MJML'}: put it into mj-text or mj-raw"
        )
    if allowed is None or name not in allowed:
        return f"{name} cannot stand in {parent or 'nothing: begin with mjml'}{_expected(allowed)}"
    return _wrong_attribute(name, rest, component)


def _wrong_attribute(name: str, rest: str, component: Component) -> str:
    for attribute in _ATTRIBUTE.findall(rest):
        if attribute not in component.attributes:
            return f"{name} has no attribute {attribute}{_hint(attribute, component.attributes)}"
    return ""


def _expected(allowed: frozenset[str] | None) -> str:
    return f"; there may be {', '.join(sorted(allowed))}" if allowed else ""


def _hint(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, sorted(known), n=1)
    return f": did you mean {near[0]}?" if near else ""
