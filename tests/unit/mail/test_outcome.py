from __future__ import annotations

import pytest

from newsletter.mail.outcome import MAX_REPLY, Outcome, Verdict


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (550, Verdict.REJECTED),
        (599, Verdict.REJECTED),
        (421, Verdict.DEFERRED),
        (451, Verdict.DEFERRED),
        (354, Verdict.DEFERRED),
        (250, Verdict.DEFERRED),
        (600, Verdict.DEFERRED),
        (-1, Verdict.DEFERRED),
    ],
)
def test_only_a_reply_in_the_five_hundreds_is_for_good(code: int, verdict: Verdict) -> None:
    assert Outcome.of_reply(code, b"no") == Outcome(verdict, f"{code} no")


def test_a_reply_is_kept_on_one_line_and_not_endlessly() -> None:
    outcome = Outcome.of_reply(550, b"5.1.1 no\r\n such\nuser \xff\xe9" + b" x" * 1000)
    assert outcome.reply.startswith("550 5.1.1 no such user \ufffd\ufffd x")
    assert len(outcome.reply) == MAX_REPLY


def test_a_reply_without_words_is_its_code() -> None:
    assert Outcome.of_reply(550, b"").reply == "550"
