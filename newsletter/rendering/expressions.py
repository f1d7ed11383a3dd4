"""What may stand in a merge tag: a subscriber's data, a few filters, comparisons. Nothing that loops or calls."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment

SUBSCRIBER_FIELDS = frozenset({"email", "first_name", "last_name", "name"})
PUBLICATION_FIELDS = frozenset({"name", "postal_address"})
ISSUE_FIELDS = frozenset({"title", "number", "author"})
FILTERS = frozenset({"default", "d", "upper", "lower", "title", "capitalize", "trim"})

_ALLOWED_NODES = (
    nodes.Name,
    nodes.Getattr,
    nodes.Const,
    nodes.Filter,
    nodes.Keyword,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.CondExpr,
    nodes.Concat,
    nodes.List,
    nodes.Tuple,
)


class TagError(ValueError):
    """A tag that could not be merged, and why."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The names a merge tag may use; `attributes` are the extra columns that subscribers carry."""

    attributes: frozenset[str] = frozenset()

    def of(self, root: str) -> frozenset[str] | None:
        known = {
            "subscriber": SUBSCRIBER_FIELDS | self.attributes,
            "publication": PUBLICATION_FIELDS,
            "issue": ISSUE_FIELDS,
        }
        return known.get(root)


def check_expression(source: str, fields: Fields) -> None:
    """Raise TagError unless `source` is an expression over known fields."""
    _check(f"{{{{ {source} }}}}", fields)


def check_statement(source: str, fields: Fields) -> None:
    """Raise TagError unless `source` is `if …`, `elif …`, `else` or `endif`."""
    keyword, *rest = source.split(maxsplit=1) or [""]
    condition = "".join(rest)
    if keyword in ("else", "endif") and not condition:
        return
    if keyword not in ("if", "elif") or not condition:
        raise TagError("only if, elif, else and endif may stand in {% %}")
    _check(f"{{% if {condition} %}}{{% endif %}}", fields)


def _check(template: str, fields: Fields) -> None:
    try:
        tree = _grammar().parse(template)
    except TemplateSyntaxError as error:
        raise TagError(f"not understood ({error.message})") from None
    except RecursionError:
        raise TagError("nested too deeply") from None
    for output in tree.body:
        roots = output.nodes if isinstance(output, nodes.Output) else [output.test]  # type: ignore[attr-defined]
        for root in roots:
            _check_node(root, fields, has_default=isinstance(output, nodes.If))


def _check_node(node: nodes.Node, fields: Fields, *, has_default: bool) -> None:
    if not isinstance(node, _ALLOWED_NODES):
        raise TagError(f"{type(node).__name__.lower()} is not allowed in a merge tag")
    if isinstance(node, nodes.Getattr):
        _check_field(node, fields, has_default=has_default)
        return
    if isinstance(node, nodes.Name):
        raise TagError(_unknown_name(node.name))
    if isinstance(node, nodes.Filter):
        if node.name not in FILTERS:
            raise TagError(f"the filter “{node.name}” is unknown; there are {', '.join(sorted(FILTERS - {'d'}))}")
        has_default = has_default or node.name in ("default", "d")
    for child in node.iter_child_nodes():
        _check_node(child, fields, has_default=has_default)


def _check_field(node: nodes.Getattr, fields: Fields, *, has_default: bool) -> None:
    if not isinstance(node.node, nodes.Name):
        raise TagError("a field is written subscriber.field, with one dot")
    root = node.node.name
    known = fields.of(root)
    if known is None:
        raise TagError(_unknown_name(root))
    if node.attr.startswith("_"):
        raise TagError(f"{root}.{node.attr} is out of bounds")
    # Subscribers carry whatever columns were imported, so a name that few have is fine where a default stands in.
    if node.attr in known or (root == "subscriber" and has_default):
        return
    near = get_close_matches(node.attr, sorted(known), n=1)
    hint = f": did you mean {root}.{near[0]}?" if near else ""
    advice = " (or give it a default)" if root == "subscriber" else ""
    raise TagError(f"unknown merge tag {root}.{node.attr}{hint}{advice}")


def _unknown_name(name: str) -> str:
    fields = sorted(f"subscriber.{field}" for field in SUBSCRIBER_FIELDS)
    if name in SUBSCRIBER_FIELDS:
        return f"unknown merge tag {name}: did you mean subscriber.{name}?"
    return f"unknown merge tag {name}: tags start with subscriber., publication. or issue., such as {fields[1]}"


@cache
def _grammar() -> SandboxedEnvironment:
    return SandboxedEnvironment(autoescape=False)
