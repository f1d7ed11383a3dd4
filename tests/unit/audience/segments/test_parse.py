"""What expressions mean, and what is said of those that mean nothing."""

from __future__ import annotations

import unicodedata
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.audience.segments.parse import parse
from newsletter.audience.segments.show import show
from newsletter.audience.segments.tree import (
    FIELDS,
    Among,
    And,
    Comparison,
    DaysAgo,
    Did,
    Empty,
    Field,
    Match,
    Node,
    Not,
    Or,
    Tagged,
    Value,
)
from newsletter.errors import ExpressionError
from tests.unit.audience.segments.trees import TREES

CITY = Field("city", is_attribute=True)
PIECES = ("(", ")", "not", "and", "or", "city", "=", '"x"', "in", ",", "is", "set", "3", "tag")
LETTERS = st.characters(exclude_categories=("Cc", "Cs"))
TEXTS = st.text(LETTERS, max_size=20).map(lambda text: unicodedata.normalize("NFC", text))


@given(TREES)
def test_what_is_written_out_is_read_as_the_same(tree: Node) -> None:
    assert parse(show(tree)) == tree


@given(name=TEXTS.filter(lambda name: name and not set(name) & {'"', "\\"}), text=TEXTS)
def test_any_attribute_and_any_text_can_be_written(name: str, text: str) -> None:
    tree = Comparison(Field(name, is_attribute=True), "=", text)
    assert parse(show(tree)) == tree


@given(st.text(max_size=60) | st.lists(st.sampled_from(PIECES)).map(" ".join))
def test_anything_is_read_or_refused_at_a_column_of_its_own(source: str) -> None:
    column = 1
    try:
        tree = parse(source)
    except ExpressionError as error:
        column = error.column
    else:
        assert parse(show(tree)) == tree
    assert 1 <= column <= len(unicodedata.normalize("NFC", source)) + 1


def test_the_example_of_the_documentation_reads_as_it_looks() -> None:
    assert parse('city = "Liège" and opened any of last 5 and not tag "presse"') == And(
        (Comparison(CITY, "=", "Liège"), Did("opened", "any", 5), Not(Tagged("presse")))
    )


def test_and_binds_closer_than_or_and_parentheses_closest() -> None:
    a, b, c = (Tagged(name) for name in "abc")
    assert parse('tag "a" or tag "b" and tag "c"') == Or((a, And((b, c))))
    assert parse('(tag "a" OR tag "b") AND tag "c"') == And((Or((a, b)), c))


@pytest.mark.parametrize(
    ("written", "value"),
    [('"x"', "x"), ("'x'", "x"), ("“x”", "x"), ("« x »", "x"), ('"a""b"', 'a"b'), ("-1.50", Decimal("-1.5")),
     ("2026-03-13", date(2026, 3, 13)), ("yes", True), ("No", False), ("30 days ago", DaysAgo(30)),
     ("1 day ago", DaysAgo(1)), ("today", DaysAgo(0))],
)  # fmt: skip
def test_a_value_is_what_it_looks_like(written: str, value: Value) -> None:
    assert parse(f"city = {written}") == Comparison(CITY, "=", value)


def test_not_may_stand_where_one_would_say_it() -> None:
    assert parse('city not in ("a", 3)') == Not(Among(CITY, ("a", Decimal(3))))
    assert parse('city not contains "a"') == Not(Match(CITY, "contains", "a"))
    assert parse("city is not set") == Empty(CITY)
    assert parse("city is set") == parse("city is not empty") == Not(Empty(CITY))


def test_every_field_of_ours_goes_before_an_attribute_of_its_name() -> None:
    for name in FIELDS:
        assert parse(f'{name} = "x"') == Comparison(Field(name), "=", "x")
    assert parse('attribute "email" = "x"') == Comparison(Field("email", is_attribute=True), "=", "x")


@pytest.mark.parametrize(
    ("source", "column", "words"),
    [
        ("", 1, "expected a condition, not the end"),
        ('city = "Liège', 8, "a text that is not closed"),
        (
            "city = Liège",
            8,
            "a date such as 2026-03-13, 30 days ago or today, yes or no, not “Liège”",
        ),
        ('city ~ "a"', 6, "“~” means nothing here"),
        ('city = "a" adn tag "b"', 12, "expected and, or, or the end, not “adn”: did you mean and?"),
        ('city contain "a"', 6, "did you mean contains?"),
        ("opened eny of last 5", 8, "expected any or all or none, not “eny”: did you mean any?"),
        ("clicked somebody", 9, "expected any or all or none or link"),
        ("opened any of last 500", 20, "expected how many mailings, from 1 to 50, not “500”"),
        ("subscribed before 13/03/2026", 21, "“/” means nothing here"),
        ("subscribed before yesterday", 19, "expected a date such as 2026-03-13"),
        ("subscribed after 2026-02-30", 18, "there is no day 2026-02-30"),
        ('(city = "a"', 12, "expected “)”, not the end"),
        ('city < "b"', 8, "< compares numbers and dates: write 10, 2026-03-13 or 30 days ago, without quotes"),
        ("renewed < 30 days", 18, "expected ago, not the end"),
        ("renewed < 0 days ago", 11, "expected how many days, from 1 to 36,500, not “0”"),
        ("renewed < 1.5 days ago", 11, "expected how many days, from 1 to 36,500, not “1.5”"),
        ("email = today", 9, "email is text: set it in quotes"),
        ("language = 3", 12, "language is text: set it in quotes"),
        ("score = 12345678901234567", 9, "a number has 16 characters at most"),
        ('attribute "a""b" = 1', 11, "no attribute has such a name"),
        ("not " * 21 + 'tag "a"', 81, "nested more than 20 deep"),
        ("(" * 500, 21, "nested more than 20 deep"),
        ('city = "a\0b"', 10, "a character that cannot stand in text"),
        ("x" * 2001, 2001, "2,001 characters: 2,000 is the most"),
    ],
)
def test_a_fault_is_pointed_at_with_what_was_expected(source: str, column: int, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(source)
    assert (caught.value.column, words in str(caught.value)) == (column, True), str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.pointer.splitlines()[1].index("^") == column + 1


def test_a_name_that_no_list_knows_is_refused_with_the_nearest_and_a_way_out() -> None:
    with pytest.raises(ExpressionError, match="“citi” is not known: did you mean city"):
        parse('citi = "x"', {"city", "score"})
    with pytest.raises(ExpressionError, match="no list has such a column"):
        parse('qqqqqq = "x"', {"city"})
    assert parse('attribute "citi" = "x"', {"city"}) == parse('citi = "x"')
    assert parse('City = "x"', {"city"}) == parse('city = "x"')
