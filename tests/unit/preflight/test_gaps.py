from __future__ import annotations

import pytest

from newsletter.preflight.gaps import gaps
from newsletter.rendering.template import Control, Escape, Template, Value

V = "subscriber.ville"


def value(expression: str) -> Template:
    return (Value(expression, Escape.TEXT),)


@pytest.mark.parametrize(
    ("expression", "empty"),
    [
        (V, [{"ville"}]),
        (f"{V} | upper", [{"ville"}]),
        (f"{V} or subscriber.club", [{"ville", "club"}]),
        (f"{V} ~ subscriber.club", [{"club"}, {"ville"}]),
        (f"{V} and subscriber.club", [{"club"}, {"ville"}]),
        (f"subscriber.club if {V} else 'x'", [{"club"}]),
        (f"{V} if subscriber.club else 'x'", [{"ville"}]),
        (f"{V} | default('là')", []),
        (f"{V} | d('là') | upper", []),
        (f"{V} or 'là'", []),
        (f"{V} if {V} else 'là'", []),
        ("issue.title", []),
        ("publication.name", []),
        ("'là'", []),
    ],
)
def test_a_tag_is_empty_for_those_who_lack_all_that_it_could_show(expression: str, empty: list[set[str]]) -> None:
    found = [set(gap) for _, gap in gaps(value(expression))]
    assert sorted(found, key=sorted) == empty


@pytest.mark.parametrize(
    "condition",
    [
        V,
        f"{V} and subscriber.club",
        f"{V} == 'Liège'",
        f"{V} in ['Liège', 'Huy']",
        f"{V} != ''",
        f"not {V} == ''",
        f"not (not {V})",
        f"not (not {V} or subscriber.club)",
        f"{V} == 'Liège' or {V} == 'Huy'",
    ],
)
def test_a_condition_that_makes_certain_of_a_field_guards_it(condition: str) -> None:
    assert list(gaps((Control(f"if {condition}"), *value(V), Control("endif")))) == []


@pytest.mark.parametrize(
    "condition",
    [
        "subscriber.club",
        f"not {V}",
        f"{V} or subscriber.club",
        f"{V} != 'Liège'",
        f"{V} == ''",
        f"{V} in 'Liège'",
        f"{V} not in ['Liège']",
        f"{V} in ['', 'Liège']",
    ],
)
def test_a_condition_that_leaves_it_open_guards_nothing(condition: str) -> None:
    assert len(list(gaps((Control(f"if {condition}"), *value(V), Control("endif"))))) == 1


def test_what_comes_after_a_refusal_knows_of_it() -> None:
    after = (Control(f"if not {V}"), "a", Control("elif subscriber.club"), *value(V), Control("else"), *value(V))
    assert list(gaps((*after, Control("endif")))) == []
    before = (Control(f"if {V}"), "a", Control("else"), *value(V), Control("endif"))
    assert len(list(gaps(before))) == 1


def test_a_guard_ends_with_its_condition_and_counts_inside_others() -> None:
    inner = (Control("if subscriber.club"), *value(V), Control("endif"))
    assert list(gaps((Control(f"if {V}"), *inner, Control("endif")))) == []
    assert len(list(gaps((Control(f"if {V}"), "a", Control("endif"), *value(V))))) == 1
