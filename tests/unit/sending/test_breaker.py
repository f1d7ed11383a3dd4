from __future__ import annotations

import pytest

from newsletter.mail.outcome import Outcome, Verdict
from newsletter.sending.breaker import (
    DEFERRED_IN_A_ROW,
    FAILED_IN_A_ROW,
    KEPT_MAILINGS,
    REFUSED_IN_A_ROW,
    Breaker,
    Trip,
)

SENT = Outcome(Verdict.SENT, "250 2.0.0 ok")
BLOCKED = Outcome(Verdict.REJECTED, "550 5.7.1 blocked")
UNKNOWN = Outcome(Verdict.REJECTED, "550 5.1.1 no such user")
FULL = Outcome(Verdict.REJECTED, "552 5.2.2 mailbox full")
LATER = Outcome(Verdict.DEFERRED, "451 4.3.0 later")
DOUBT = Outcome(Verdict.UNCERTAIN, "connection lost")


def note(breaker: Breaker, outcome: Outcome, times: int, mailing_id: int = 1) -> list[Trip]:
    """The trips while an outcome is noted so many times, for deliveries 1, 2, 3 and so on."""
    trips = [breaker.note(mailing_id, delivery_id, outcome) for delivery_id in range(1, times + 1)]
    return [trip for trip in trips if trip]


def test_so_many_refusals_in_a_row_trip_it_with_the_last_words_and_all_who_were_refused() -> None:
    breaker = Breaker()
    assert note(breaker, BLOCKED, REFUSED_IN_A_ROW - 1) == []
    trip = breaker.note(1, REFUSED_IN_A_ROW, Outcome(Verdict.REJECTED, "554 5.7.1 go away"))
    everybody = tuple(range(1, REFUSED_IN_A_ROW + 1))
    assert trip == Trip("554 5.7.1 go away", REFUSED_IN_A_ROW, everybody)


def test_a_message_that_is_taken_begins_the_count_anew() -> None:
    breaker = Breaker()
    for _ in range(3):
        assert note(breaker, BLOCKED, REFUSED_IN_A_ROW - 1) == []
        assert breaker.note(1, 99, SENT) is None


@pytest.mark.parametrize("outcome", [UNKNOWN, FULL])
def test_dead_addresses_side_by_side_are_no_reason_to_stop_until_there_are_very_many(outcome: Outcome) -> None:
    breaker = Breaker()
    assert note(breaker, outcome, FAILED_IN_A_ROW - 1) == []
    trip = breaker.note(1, FAILED_IN_A_ROW, outcome)
    assert trip == Trip(outcome.reply, FAILED_IN_A_ROW, ())


def test_only_those_refused_for_no_fault_of_theirs_are_to_be_tried_again() -> None:
    breaker = Breaker()
    breaker.note(1, 1000, UNKNOWN)
    (trip,) = note(breaker, BLOCKED, REFUSED_IN_A_ROW)
    assert trip.in_a_row == REFUSED_IN_A_ROW + 1
    assert 1000 not in trip.refused


def test_after_a_trip_the_count_begins_anew() -> None:
    breaker = Breaker()
    assert len(note(breaker, BLOCKED, REFUSED_IN_A_ROW)) == 1
    assert note(breaker, BLOCKED, REFUSED_IN_A_ROW - 1) == []


def test_each_mailing_is_counted_by_itself() -> None:
    breaker = Breaker()
    for delivery_id in range(1, REFUSED_IN_A_ROW):
        assert breaker.note(1, delivery_id, BLOCKED) is None
        assert breaker.note(2, delivery_id, BLOCKED) is None
    assert breaker.note(3, 1, SENT) is None
    assert breaker.note(1, REFUSED_IN_A_ROW, BLOCKED) is not None


def test_neither_doubt_nor_what_is_put_off_counts_as_refused() -> None:
    breaker = Breaker()
    assert note(breaker, DOUBT, FAILED_IN_A_ROW) == []
    assert note(breaker, LATER, FAILED_IN_A_ROW) == []


def test_a_server_that_puts_off_so_many_in_a_row_had_better_rest_and_then_is_counted_anew() -> None:
    breaker = Breaker()
    note(breaker, LATER, DEFERRED_IN_A_ROW - 1)
    assert not breaker.must_rest(1)
    breaker.note(1, 99, LATER)
    assert breaker.must_rest(1)
    assert not breaker.must_rest(1)


def test_a_server_that_took_one_in_between_need_not_rest() -> None:
    breaker = Breaker()
    note(breaker, LATER, DEFERRED_IN_A_ROW - 1)
    breaker.note(1, 99, SENT)
    breaker.note(1, 100, LATER)
    assert not breaker.must_rest(1)


def test_a_mailing_it_never_heard_of_need_not_rest() -> None:
    assert not Breaker().must_rest(56)


def test_of_very_many_mailings_only_the_latest_are_remembered() -> None:
    breaker = Breaker()
    note(breaker, BLOCKED, REFUSED_IN_A_ROW - 1, mailing_id=1)
    for mailing_id in range(2, KEPT_MAILINGS + 2):
        breaker.note(mailing_id, 1, BLOCKED)
    assert breaker.note(1, 99, BLOCKED) is None
