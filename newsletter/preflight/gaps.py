"""Which fields a merge tag shows without anything to stand in for them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from jinja2 import nodes
from jinja2.sandbox import SandboxedEnvironment

from newsletter.rendering.template import Control, Template, Value

Gap = frozenset[str]
"""Fields of a subscriber; a tag is empty for those who have nothing in any of them."""


def gaps(template: Template) -> Iterator[tuple[str, Gap]]:
    """Every merge tag that could be empty, with the fields that would have to be.

    Not one that stands only where a condition has made certain of its field: `{% if subscriber.city %}`.
    """
    # What each branch around makes certain of, and what its condition's refusal does for the branches after it.
    around: list[tuple[set[str], set[str]]] = []
    for part in template:
        match part:
            case Control(statement):
                _enter(statement, around)
            case Value(expression):
                certain = {field for held, _ in around for field in held}
                tree = _grammar().parse(f"{{{{ {expression} }}}}").body[0]
                assert isinstance(tree, nodes.Output)  # noqa: S101 - the compiler has checked it
                for gap in _missing(tree.nodes[0], certain):
                    yield expression, gap


def _enter(statement: str, around: list[tuple[set[str], set[str]]]) -> None:
    keyword, _, condition = statement.partition(" ")
    if keyword == "endif":
        around.pop()
        return
    refused = around.pop()[1] if keyword in ("elif", "else") else set()
    if keyword == "else":
        around.append((refused, refused))
        return
    tree = _grammar().parse(f"{{% if {condition} %}}{{% endif %}}").body[0]
    assert isinstance(tree, nodes.If)  # noqa: S101 - the compiler has checked it
    around.append((refused | certain_if(tree.test, True), refused | certain_if(tree.test, False)))


def certain_if(condition: nodes.Node, holds: bool) -> set[str]:
    """The fields that have a value whenever a condition holds, or does not."""
    match condition:
        case nodes.Getattr():
            return _field(condition) if holds else set()
        case nodes.Not():
            return certain_if(condition.node, not holds)
        case nodes.And() | nodes.Or():
            left, right = certain_if(condition.left, holds), certain_if(condition.right, holds)
            return left | right if isinstance(condition, nodes.And) is holds else left & right
        case nodes.Compare(expr=nodes.Getattr() as field, ops=[nodes.Operand(op=op, expr=expr)]):
            if _never_empty(expr, among=op in ("in", "notin")):
                return _field(field) if op in (("eq", "in") if holds else ("ne", "notin")) else set()
            equals_nothing = isinstance(expr, nodes.Const) and expr.value == ""
            return _field(field) if equals_nothing and op == ("ne" if holds else "eq") else set()
    return set()


def _missing(node: nodes.Node, certain: set[str]) -> set[Gap]:
    """The sets of fields, none of them certain, that leave an expression empty when all of a set are."""
    match node:
        case nodes.Getattr():
            return {frozenset(field) for field in [_field(node)] if field and not field & certain}
        case nodes.Filter(name="default" | "d"):
            return set()
        case nodes.Filter(node=nodes.Node() as inner):
            return _missing(inner, certain)
        case nodes.Concat():
            return {gap for child in node.nodes for gap in _missing(child, certain)}
        case nodes.Or():
            return {left | right for left in _missing(node.left, certain) for right in _missing(node.right, certain)}
        case nodes.And():
            return _missing(node.left, certain) | _missing(node.right, certain)
        case nodes.CondExpr(expr2=nodes.Node() as otherwise):
            first = _missing(node.expr1, certain | certain_if(node.test, True))
            return first | _missing(otherwise, certain | certain_if(node.test, False))
    return set()


def _field(node: nodes.Getattr) -> set[str]:
    return {node.attr} if isinstance(node.node, nodes.Name) and node.node.name == "subscriber" else set()


def _never_empty(node: nodes.Node, *, among: bool) -> bool:
    """Whether what a field is compared with, or looked for among, is never empty. Every text holds the empty one."""
    if among:
        return isinstance(node, nodes.List | nodes.Tuple) and all(_never_empty(i, among=False) for i in node.items)
    return isinstance(node, nodes.Const) and node.value != ""


@cache
def _grammar() -> SandboxedEnvironment:
    return SandboxedEnvironment(autoescape=False)
