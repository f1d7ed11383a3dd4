from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.smtp_accounts import Account, Pace, accounts_for, ascii_domain, choose
from newsletter.smtp_url import SmtpAccount

ALMOST_ONE = 1 - 2**-53


def account(name: str, *from_domains: str, weight: int = 1) -> Account:
    smtp = SmtpAccount(f"{name}.example", 25)
    return Account(name, smtp, frozenset(from_domains), weight, connections=24, pace=Pace())


def shares(candidates: list[Account], resting: tuple[str, ...] = ()) -> dict[str, int]:
    """How often each is chosen by a hundred numbers spread evenly."""
    chosen = [choose(candidates, number / 100, resting) for number in range(100)]
    return Counter(each.name for each in chosen if each)


def names(accounts: tuple[Account, ...]) -> list[str]:
    return [each.name for each in accounts]


def test_a_from_domain_goes_through_the_accounts_that_name_it() -> None:
    accounts = [account("a", "letters.example.org"), account("b"), account("c", "letters.example.org", "example.net")]
    assert names(accounts_for(accounts, "letters.example.org")) == ["a", "c"]
    assert names(accounts_for(accounts, "example.net")) == ["c"]


def test_a_from_domain_that_no_account_names_goes_through_those_that_name_none() -> None:
    accounts = [account("a", "letters.example.org"), account("b"), account("c")]
    assert names(accounts_for(accounts, "example.org")) == ["b", "c"]
    assert accounts_for(accounts[:1], "example.org") == ()


@pytest.mark.parametrize("domain", ["Lettres.EXÄMPLE.org", "lettres.exämple.org", "LETTRES.XN--EXMPLE-CUA.org"])
def test_a_from_domain_is_found_in_each_spelling(domain: str) -> None:
    assert names(accounts_for([account("a", "lettres.xn--exmple-cua.org")], domain)) == ["a"]


@pytest.mark.parametrize(
    "domain", ["", "localhost", "127.0.0.1", "a b.org", "a@example.org", "example.org.", "é..org"]
)
def test_what_is_no_domain_is_refused(domain: str) -> None:
    with pytest.raises(ValueError, match=r"^expected a domain such as letters\.example\.org$"):
        ascii_domain(domain)


def test_accounts_are_chosen_as_often_as_they_weigh() -> None:
    assert shares([account("a", weight=3), account("b"), account("idle", weight=0)]) == {"a": 75, "b": 25}


def test_a_resting_account_leaves_its_share_to_the_others() -> None:
    accounts = [account("a", weight=2), account("b"), account("c")]
    assert shares(accounts, resting=("a",)) == {"b": 50, "c": 50}


def test_an_account_of_no_weight_is_chosen_only_when_the_others_rest() -> None:
    accounts = [account("a"), account("spare", weight=0), account("other", weight=0)]
    assert shares(accounts) == {"a": 100}
    assert shares(accounts, resting=("a",)) == {"spare": 50, "other": 50}


def test_no_account_is_chosen_when_all_rest() -> None:
    assert choose([account("a"), account("b", weight=0)], 0.5, {"a", "b"}) is None
    assert choose([], 0.5, ()) is None


@given(weights=st.lists(st.integers(0, 1000), min_size=1), number=st.floats(0, ALMOST_ONE))
def test_every_number_below_one_chooses_an_account(weights: list[int], number: float) -> None:
    chosen = choose([account(str(place), weight=weight) for place, weight in enumerate(weights)], number, ())
    assert chosen is not None
    assert chosen.weight > 0 or not any(weights)


def test_a_warm_up_ends_with_its_last_day_which_holds() -> None:
    pace = Pace(messages_a_day=(500, 1000, 5000))
    assert [pace.day_limit(day) for day in (0, 1, 2, 3, 400)] == [500, 1000, 5000, 5000, 5000]


def test_a_single_number_holds_from_the_first_day() -> None:
    pace = Pace(messages_a_day=(800,))
    assert [pace.day_limit(day) for day in (0, 1, 30)] == [800, 800, 800]


def test_without_a_daily_limit_there_is_none() -> None:
    assert Pace().day_limit(0) is None
