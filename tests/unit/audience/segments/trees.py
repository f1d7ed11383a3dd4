"""Expressions of every kind, for Hypothesis."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from newsletter.audience.segments.tree import (
    Among,
    And,
    ClickedLink,
    Comparison,
    DaysAgo,
    Did,
    Empty,
    Field,
    Match,
    Node,
    Not,
    OnList,
    Or,
    Subscribed,
    SubscribedWithin,
    Tagged,
)

CITIES = ("Liège", "LIÈGE", "liege", "Mons", "mons ", "", "100%", "a_b", '5"', "Gand")
SCORES = ("10", "9", "010", "-3.5", "+2", "1.", ".5", ".", "1e3", "12,5", "x", "", "1.2.3", "9" * 17, "-", "9" * 2000)
DAYS = (
    "2026-03-11",
    "2026-03-13",
    "2026-03-13T08:00",
    "2026-03-13 ",
    "2026-03-13\n",
    "2026-3-13",
    "13/03/2026",
    "2026-03-1x",
    "2026-03-139",
    "",
    "20-26-0313",
)
ANSWERS = ("yes", "Oui", "NO", "0", "perhaps", "", "Sí", "1")
TAGS = ("presse", "Presse", "été", "ÉTÉ", 'a"b')
LANGUAGES = ("", "fr", "fr-BE", "nl")
LISTS = ("vendredi", "lundi")

_CITY = Field("city", is_attribute=True)
_SCORE = Field("score", is_attribute=True)
_RENEWED = Field("renewed", is_attribute=True)
_VIP = Field("vip", is_attribute=True)
_OPERATORS = st.sampled_from(("=", "!=", "<", "<=", ">", ">="))
_EQUALITY = st.sampled_from(("=", "!="))
_WORDS = st.sampled_from((*CITIES, "li", "È", "%", "_", "o"))
_NUMBERS = st.one_of(
    st.integers(-12, 12).map(Decimal),
    st.sampled_from([Decimal(text) for text in ("-3.5", "0.5", "999999999999999")]),
)
_TEXT_FIELDS = st.sampled_from(
    [_CITY, _SCORE, *(Field(name) for name in ("email", "email domain", "first_name", "name", "language"))]
)
_DATES = st.sampled_from([date(2026, 3, day) for day in (11, 12, 13, 14)])
_DAYS = _DATES | st.builds(DaysAgo, st.integers(0, 2))

_SEVERAL = st.lists(_WORDS | _NUMBERS, min_size=1, max_size=3).map(tuple)

ATOMS = st.one_of(
    st.builds(Comparison, _TEXT_FIELDS, _EQUALITY, st.one_of(_WORDS, st.sampled_from(("example.org", "fr", "Ada")))),
    st.builds(Comparison, st.sampled_from([_SCORE, _CITY]), _OPERATORS, _NUMBERS),
    st.builds(Comparison, st.sampled_from([_RENEWED, _SCORE]), _OPERATORS, _DAYS),
    st.builds(Comparison, st.sampled_from([_VIP, _CITY]), _EQUALITY, st.booleans()),
    st.builds(Match, _TEXT_FIELDS, st.sampled_from(("contains", "starts with")), _WORDS),
    st.builds(Among, st.sampled_from([_CITY, _SCORE]), _SEVERAL),
    st.builds(Empty, st.sampled_from([_CITY, _VIP, Field("timezone"), Field("last_name")])),
    st.builds(Tagged, st.sampled_from(TAGS)),
    st.builds(Subscribed, st.sampled_from(("before", "after")), _DATES),
    st.builds(SubscribedWithin, st.integers(1, 4)),
    st.builds(
        Did,
        st.sampled_from(("opened", "clicked", "received")),
        st.sampled_from(("any", "all", "none")),
        st.integers(1, 4),
    ),
    st.builds(ClickedLink, st.sampled_from(("EXAMPLE.org/a", "/b", "%"))),
    st.builds(OnList, st.sampled_from(LISTS)),
)


def _larger(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(Not, parts), st.builds(And, several), st.builds(Or, several))


TREES: st.SearchStrategy[Node] = st.recursive(ATOMS, _larger, max_leaves=6)
