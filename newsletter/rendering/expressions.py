"""What may stand in a merge tag: a subscriber's data, a few filters, comparisons. Nothing that loops or calls."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment

SUBSCRIBER_FIELDS = frozenset({"email", "first_name", "last_name", "name", "language", "timezone"})
PUBLICATION_FIELDS = frozenset({"name", "postal_address"})
ISSUE_FIELDS = frozenset({"title", "number", "author"})
FILTERS = frozenset({"default", "d", "upper", "lower", "title", "capitalize", "trim"})

MAX_LENGTH = 1000
MAX_PARENTHESES = 20
MAX_DEPTH = 30
_LOOPS = frozenset({"for", "endfor", "while", "endwhile", "break", "continue"})
_EQUALITY = frozenset({"eq", "ne"})
_MEMBERSHIP = frozenset({"in", "notin"})


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
    if keyword in _LOOPS:
        raise TagError("an issue cannot loop; only if, elif, else and endif may stand in {% %}")
    if keyword not in ("if", "elif") or not condition:
        raise TagError("only if, elif, else and endif may stand in {% %}")
    _check(f"{{% if {condition} %}}{{% endif %}}", fields)


def _check(template: str, fields: Fields) -> None:
    # What nests too deeply for a worker's stack would be found out in the middle of a mailing.
    if len(template) > MAX_LENGTH or template.count("(") > MAX_PARENTHESES:
        raise TagError("too long, or too many parentheses")
    try:
        [output] = _grammar().parse(template).body
    except TemplateSyntaxError as error:
        raise TagError(f"not understood ({error.message})") from None
    except RecursionError:
        raise TagError("nested too deeply") from None
    except ValueError:
        raise TagError("not understood (write one value, text in quotes)") from None
    checker = _Checker(fields)
    if isinstance(output, nodes.If):
        checker.condition(output.test, 0)
    elif isinstance(output, nodes.Output) and len(output.nodes) == 1:
        checker.text(output.nodes[0], 0, has_default=False)
    else:
        raise TagError("not understood (write one value)")


@dataclass(frozen=True, slots=True)
class _Checker:
    """Allows what can be merged for every recipient: texts, and conditions on texts. A missing field is empty."""

    fields: Fields

    def text(self, node: nodes.Node, depth: int, *, has_default: bool) -> None:
        """Raise TagError unless `node` is a text whatever the recipient."""
        _limit(depth)
        inner = depth + 1
        match node:
            case nodes.Getattr():
                _check_field(node, self.fields, has_default=has_default)
            case nodes.Const(value=str()):
                pass
            case nodes.Const(value=value):
                raise TagError(f"only text is merged: write {str(value)[:40]} in quotes")
            case nodes.Filter():
                is_default = _check_filter(node)
                for child in node.iter_child_nodes():
                    self.text(child, inner, has_default=has_default or is_default)
            case nodes.Concat():
                for child in node.nodes:
                    self.text(child, inner, has_default=has_default)
            case nodes.Or() | nodes.And():
                self.text(node.left, inner, has_default=has_default)
                self.text(node.right, inner, has_default=has_default)
            case nodes.CondExpr(expr2=nodes.Node() as otherwise):
                self.condition(node.test, inner)
                self.text(node.expr1, inner, has_default=has_default)
                self.text(otherwise, inner, has_default=has_default)
            case nodes.CondExpr():
                raise TagError("an if inside {{ }} needs an else")
            case nodes.Name():
                raise TagError(_unknown_name(node.name))
            case _:
                raise TagError(f"{type(node).__name__.lower()} is not allowed here in a merge tag")

    def condition(self, node: nodes.Node, depth: int) -> None:
        """Raise TagError unless `node` is true or false whatever the recipient."""
        _limit(depth)
        match node:
            case nodes.Not():
                self.condition(node.node, depth + 1)
            case nodes.And() | nodes.Or():
                self.condition(node.left, depth + 1)
                self.condition(node.right, depth + 1)
            case nodes.Compare():
                self.text(node.expr, depth + 1, has_default=True)
                for operand in node.ops:
                    self._operand(operand, depth + 1)
            case _:
                self.text(node, depth, has_default=True)

    def _operand(self, operand: nodes.Operand, depth: int) -> None:
        if operand.op not in _EQUALITY | _MEMBERSHIP:
            raise TagError("texts are compared with ==, !=, in and not in")
        several = operand.op in _MEMBERSHIP and isinstance(operand.expr, nodes.List | nodes.Tuple)
        for item in operand.expr.iter_child_nodes() if several else [operand.expr]:
            self.text(item, depth, has_default=True)


def _limit(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise TagError("nested too deeply")


def _check_filter(node: nodes.Filter) -> bool:
    """Whether the filter is a default. Raise TagError for a filter that is unknown or given the wrong things."""
    if node.name not in FILTERS:
        raise TagError(f"the filter “{node.name}” is unknown; there are {', '.join(sorted(FILTERS - {'d'}))}")
    is_default = node.name in ("default", "d")
    if len(node.args) > is_default or node.kwargs or node.dyn_args or node.dyn_kwargs:
        takes = 'one text, such as default("reader")' if is_default else "nothing in parentheses"
        raise TagError(f"the filter “{node.name}” takes {takes}")
    return is_default


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
