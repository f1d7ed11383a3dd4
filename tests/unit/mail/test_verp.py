from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.mail.addresses import normalise
from newsletter.mail.verp import Envelope, Verp

SECRET = b"a secret of enough bytes, for tests only"
VERP = Verp(SECRET, "bounces@press.example")
mailings, deliveries = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)


@settings(deadline=None)
@given(mailings, deliveries)
def test_an_envelope_sender_that_comes_back_says_whose_message_it_was(mailing: int, delivery: int) -> None:
    sender = VERP.seal(mailing, delivery)
    for form in (sender, sender.upper(), f"<{sender}>", sender.title()):
        assert VERP.open(form) == Envelope(mailing, delivery)


def test_an_envelope_sender_is_an_address_that_any_server_takes() -> None:
    sender = VERP.seal(2**32 - 1, 2**64 - 1)
    assert normalise(sender) == sender
    assert len(sender.partition("@")[0]) <= 64
    assert sender.startswith("bounces+")


def test_it_is_the_same_on_every_machine_and_every_day() -> None:
    assert VERP.seal(3, 7) == Verp(SECRET, "bounces@press.example").seal(3, 7)
    assert VERP.seal(3, 7) == "bounces+aaaaaayaaaaaaaaaaadzz5druryvzfa6jvcq@press.example"


@settings(deadline=None)
@given(mailings, deliveries, st.integers(0, 35), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_token_with_a_sign_changed_is_nobodys(mailing: int, delivery: int, place: int, sign: str) -> None:
    sender = VERP.seal(mailing, delivery)
    place += len("bounces+")
    forged = sender[:place] + sign + sender[place + 1 :]
    # The last sign holds bits that mean nothing.
    assert VERP.open(forged) is None or forged == sender or place == len("bounces+") + 35


@pytest.mark.parametrize(
    "address",
    [
        *("", "@", "bounces@press.example", "bounces+@press.example", "bounces+short@press.example"),
        f"bounces+{'a' * 36}@press.example",
        f"bounces+{'1' * 36}@press.example",
        f"bounces+{'é' * 36}@press.example",
        VERP.seal(3, 7).replace("press", "evil"),
        VERP.seal(3, 7).replace("bounces", "else"),
        Verp(b"another secret", "bounces@press.example").seal(3, 7),
    ],
)
def test_an_address_made_elsewhere_is_nobodys(address: str) -> None:
    assert VERP.open(address) is None


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_read(text: str) -> None:
    assert VERP.open(text) is None
    assert VERP.open(f"bounces+{text}@press.example") is None
