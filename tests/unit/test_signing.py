from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from struct import error as StructError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.signing import TOKEN_LENGTH, Purpose, Sealer, Signer

SECRET = b"a secret of enough bytes, for tests only"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
SIGNER = Signer(SECRET, Purpose.CLICK)
scopes, subjects = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)


@settings(deadline=None)
@given(scopes, subjects)
def test_what_is_sealed_is_opened_again(scope: int, subject: int) -> None:
    token = SIGNER.seal(scope, subject)
    assert SIGNER.open(token) == (scope, subject)
    assert len(token) == TOKEN_LENGTH
    assert set(token) <= set(ALPHABET)


def test_a_token_is_the_same_on_every_machine_and_every_day() -> None:
    assert Signer(SECRET, Purpose.OPEN).seal(3, 7) == Signer(SECRET, Purpose.OPEN).seal(3, 7)
    assert Signer(SECRET, Purpose.OPEN).seal(3, 7) == "fj0Pc8VoO7161JHV2YQGeE6AWE880vJC"


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_is_good_for_one_purpose_only(purpose: Purpose) -> None:
    token = Signer(SECRET, purpose).seal(3, 7)
    assert [other for other in Purpose if Signer(SECRET, other).open(token)] == [purpose]


@settings(deadline=None)
@given(scopes, subjects)
def test_tokens_made_in_one_go_are_those_of_the_four_signers(scope: int, subject: int) -> None:
    assert Sealer(SECRET).seal(scope, subject) == tuple(
        Signer(SECRET, one).seal(scope, subject) for one in tuple(Purpose)[:4]
    )


def test_a_token_is_good_under_one_secret_only() -> None:
    assert Signer(SECRET + b"!", Purpose.CLICK).open(SIGNER.seal(3, 7)) is None


def test_changing_any_character_is_noticed() -> None:
    for subject in range(20):
        token = SIGNER.seal(3, subject)
        for place in range(TOKEN_LENGTH):
            for other in set(ALPHABET + "+/=.é \n") - {token[place]}:
                assert SIGNER.open(token[:place] + other + token[place + 1 :]) is None


def test_there_is_one_spelling_of_a_token() -> None:
    tokens = [token for subject in range(200) if set(token := SIGNER.seal(3, subject)) & {"-", "_"}]
    assert tokens
    assert [token for token in tokens if SIGNER.open(token.replace("-", "+").replace("_", "/"))] == []


@pytest.mark.parametrize(
    "token",
    ["", "a", "A" * 31, "A" * 32, "A" * 33, "=" * 32, "é" * 32, "\x00" * 32, "A" * 32 + "\n", "../" * 11, "/" * 32],
)
def test_what_is_no_token_opens_nothing(token: str) -> None:
    assert SIGNER.open(token) is None


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_text_opens_anything(token: str) -> None:
    assert SIGNER.open(token) is None


def test_a_token_longer_or_shorter_than_it_was_opens_nothing() -> None:
    token = SIGNER.seal(3, 7)
    for changed in (token + "A", token + "=", " " + token, token[:-1], token * 2):
        assert SIGNER.open(changed) is None


@settings(deadline=None)
@given(st.integers(1000, 2**32 - 1), st.integers(1000, 2**64 - 1))
def test_a_token_tells_nobody_who_it_is_for(scope: int, subject: int) -> None:
    token = SIGNER.seal(scope, subject)
    for number in (scope, subject):
        assert not (len(str(number)) > 5 and str(number) in token)
        assert not (len(f"{number:x}") > 5 and f"{number:x}" in token.lower())


def test_neighbours_have_nothing_in_common() -> None:
    first, second = SIGNER.seal(3, 7), SIGNER.seal(3, 8)
    assert sum(a == b for a, b in zip(first, second, strict=True)) < 8


def test_threads_may_share_a_signer() -> None:
    tokens = [SIGNER.seal(3, subject) for subject in range(2000)]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(SIGNER.open, tokens)) == [(3, subject) for subject in range(2000)]


@pytest.mark.parametrize(("scope", "subject"), [(2**32, 0), (0, 2**64), (-1, 0), (0, -1)])
def test_numbers_too_large_for_a_token_are_refused(scope: int, subject: int) -> None:
    with pytest.raises(StructError):
        SIGNER.seal(scope, subject)


def test_the_keys_are_not_shown() -> None:
    assert repr(SECRET) not in repr(SIGNER)
