from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.feedback.reasons import after_the_message, explain, is_for_now, plain_words, severity_of, sharper
from newsletter.feedback.signal import Reason, Severity

# Said in words, and as often after a code.
GONE = [
    *("address does not exist", "no such mailbox", "sorry, no mailbox here by that name", "unknown local part"),
    *("can't accept user", "couldn't find any account", "user missing home directory", "undeliverable address"),
    *("the email account has been deleted", "there is no one at this address", "not a valid user here"),
    *("no existe dicha persona", "utilisateur inconnu", "no such domain", "recipient domain must exist"),
    *("mail domain mentioned in email address is unknown", "unrouteable address", "mailbox unavailable"),
]
NOT_GONE = [
    *("mailbox is full", "over quota", "account has been suspended", "mailbox disabled", "is not accepting any mail"),
    *("sender verify failed", "domain of sender address does not exist", "the sender's domain does not resolve"),
    *("helo command rejected: host not found", "relay access denied", "reverse dns lookup failed", "too many hops"),
    *("message looks like spam", "message rejected due to user rules", "please try again later", "system error"),
    *("recipient address rejected: greylisted", "access denied by spf", "the group may not exist", "what"),
]


@pytest.mark.parametrize("code", ["", "550 ", "550 5.0.0 "])
@pytest.mark.parametrize("words", GONE)
def test_an_address_that_is_gone_is_known_by_the_words(words: str, code: str) -> None:
    assert severity_of(explain(code + words)) is Severity.HARD


@pytest.mark.parametrize("code", ["", "550 ", "450 "])
@pytest.mark.parametrize("words", NOT_GONE)
def test_an_address_is_not_given_up_for_anything_else(words: str, code: str) -> None:
    assert severity_of(explain(code + words)) is Severity.SOFT


@pytest.mark.parametrize("status", ["5.1.1", "5.1.2", "5.1.10"])
def test_a_status_tells_where_there_are_no_words(status: str) -> None:
    assert severity_of(explain("", status)) is Severity.HARD
    assert explain("", "5.0.0") is Reason.OTHER


def test_what_people_call_themselves_says_nothing() -> None:
    assert explain("550 <spam-filter.quota@reader.example> no such user") is Reason.UNKNOWN_USER


@pytest.mark.parametrize(
    ("words", "status"), [("450 4.1.1 no such user", ""), ("450 no such user", "5.0.0"), ("no such user", "4.1.1")]
)
def test_what_a_server_says_for_now_is_never_hard(words: str, status: str) -> None:
    assert is_for_now(words, status)
    assert severity_of(Reason.UNKNOWN_USER, for_now=True) is Severity.SOFT
    assert not is_for_now(words.replace("4", "5"), status.replace("4", "5"))


def test_a_filter_speaks_of_recipients_too() -> None:
    assert after_the_message(Reason.UNKNOWN_USER) is Reason.POLICY
    assert after_the_message(Reason.FULL) is Reason.FULL


def test_the_sharper_status_is_kept() -> None:
    assert sharper("5.0.0", "550 5.1.1 gone") == "5.1.1"
    assert sharper("5.2.2", "550 5.1.1 gone") == "5.2.2"
    assert sharper("", "from 192.0.2.1") == ""


@given(st.text(max_size=300), st.sampled_from(["", "4.4.7", "5.1.1", "5.0.0"]))
def test_any_text_has_a_reason(text: str, status: str) -> None:
    assert isinstance(explain(text, status), Reason)


def test_accents_are_taken_from_latin_letters_only() -> None:
    assert plain_words("Échec: Größe’s ディレクトリ") == "echec: grosse's ディレクトリ"
