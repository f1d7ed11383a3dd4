from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.stats.alarms import ADVICE, Alarm, Subject, alarms
from newsletter.stats.arrivals import OTHER, Arrival, Arrivals
from tests.factories import NOW

GMAIL, ORANGE = "gmail.com", "orange.fr"
A_WEEK = timedelta(days=7)


def mailings(*domains: dict[str, Arrival], list_id: int = 1) -> list[Arrivals]:
    """One a week, the last a week ago."""
    count = len(domains)
    return [
        Arrivals(number, list_id, NOW - A_WEEK * (count - number + 1), by_domain)
        for number, by_domain in enumerate(domains, start=1)
    ]


def arrival(recipients: int = 1000, *, opened: int | None = None, deferred: int = 0) -> Arrival:
    """Of messages that were all taken."""
    fetched = None if opened is None else 0
    return Arrival(recipients, recipients, deferred, opened=opened, fetched=fetched)


def subjects(found: list[Arrivals]) -> list[tuple[str, Subject]]:
    return [(one.domain, one.subject) for one in alarms(found, NOW)]


@pytest.mark.parametrize(("complaints", "subject"), [(2, Subject.COMPLAINTS), (6, Subject.TOO_MANY_COMPLAINTS)])
def test_complaints_past_what_providers_bear_are_named(complaints: int, subject: Subject) -> None:
    (alarm,) = alarms(mailings({GMAIL: Arrival(2000, 2000, complaints=complaints)}), NOW)
    assert alarm == Alarm(subject, GMAIL, f"{complaints / 2000:.2%} of the readers there complained")


def test_every_alarm_comes_with_what_to_do() -> None:
    assert ADVICE.keys() == set(Subject)


def test_the_gravest_come_first_whatever_the_domain() -> None:
    found = mailings({GMAIL: Arrival(2000, 2000, hard=100), ORANGE: Arrival(1000, 1000, hard=50, complaints=9)})
    assert subjects(found) == [
        (ORANGE, Subject.TOO_MANY_COMPLAINTS),
        (GMAIL, Subject.HARD_BOUNCES),
        (ORANGE, Subject.HARD_BOUNCES),
    ]


@pytest.mark.parametrize(("sent", "complaints"), [(100, 1), (2001, 2)])
def test_one_complaint_or_a_few_among_very_many_are_not(sent: int, complaints: int) -> None:
    assert subjects(mailings({GMAIL: Arrival(sent, sent, complaints=complaints)})) == []


def test_complaints_are_added_up_over_mailings() -> None:
    one = {GMAIL: Arrival(700, 700, complaints=1)}
    assert subjects(mailings(one)) == []
    assert subjects(mailings(one, one)) == [(GMAIL, Subject.COMPLAINTS)]


@pytest.mark.parametrize(
    ("sent", "rejected", "hard", "is_named"),
    [(980, 20, 21, True), (980, 20, 20, False), (20, 2, 2, False), (20, 3, 3, True)],
)
def test_addresses_that_are_gone_are_named_from_more_than_two_in_a_hundred(
    sent: int, rejected: int, hard: int, is_named: bool
) -> None:
    found = mailings({ORANGE: Arrival(sent + rejected, sent, rejected=rejected, hard=hard)})
    assert subjects(found) == ([(ORANGE, Subject.HARD_BOUNCES)] if is_named else [])


@pytest.mark.parametrize(
    ("before", "last", "is_named"),
    [(10, 100, True), (0, 51, True), (0, 50, False), (60, 119, False), (900, 950, False)],
)
def test_deferrals_are_named_where_they_rise(before: int, last: int, is_named: bool) -> None:
    found = mailings({GMAIL: arrival(deferred=before)}, {GMAIL: arrival(deferred=last)})
    assert subjects(found) == ([(GMAIL, Subject.DEFERRALS)] if is_named else [])


def test_a_mailing_that_is_put_off_altogether_is_named() -> None:
    found = mailings({GMAIL: arrival()}, {GMAIL: Arrival(1000, 0, 1000)})
    (alarm,) = alarms(found, NOW)
    assert alarm.words.startswith("it put off 100.0% of mailing 2, and 0.0% of those before")


def test_opens_that_fall_at_one_provider_alone_are_named() -> None:
    before = {GMAIL: arrival(opened=300), ORANGE: arrival(opened=300)}
    found = mailings(before, before, {GMAIL: arrival(opened=100), ORANGE: arrival(opened=290)})
    (alarm,) = alarms(found, NOW)
    assert (alarm.domain, alarm.subject) == (GMAIL, Subject.OPENS)
    assert alarm.words.startswith("10% opened mailing 3, 30% those before, and elsewhere as many as ever")


@pytest.mark.parametrize(
    ("gmail", "orange"),
    [
        pytest.param((300, 100), (300, 100), id="everywhere"),
        pytest.param((300, 150), (300, 300), id="not so sharply"),
        pytest.param((40, 0), (300, 300), id="hardly any before"),
        pytest.param((300, 100), (None, None), id="nothing to compare with"),
        pytest.param((None, None), (300, 300), id="not known there"),
    ],
)
def test_opens_that_fall_otherwise_are_not(
    gmail: tuple[int | None, int | None], orange: tuple[int | None, int | None]
) -> None:
    runs = [
        {GMAIL: arrival(opened=mine), ORANGE: arrival(opened=others)}
        for mine, others in zip(gmail, orange, strict=True)
    ]
    assert subjects(mailings(*runs)) == []


def test_opens_are_given_a_day_before_they_are_judged() -> None:
    before = {GMAIL: arrival(opened=300), ORANGE: arrival(opened=300)}
    first, second = mailings(before, {GMAIL: arrival(opened=0), ORANGE: arrival(opened=300)})
    fresh = Arrivals(second.mailing_id, second.list_id, NOW - timedelta(hours=23), second.domains)
    assert subjects([first, fresh]) == []
    assert subjects([first, second]) == [(GMAIL, Subject.OPENS)]


def test_mailings_to_different_lists_are_not_compared() -> None:
    keen, others = (
        mailings({GMAIL: arrival(opened=900), ORANGE: arrival(opened=900)}),
        mailings({GMAIL: arrival(opened=100, deferred=100), ORANGE: arrival(opened=900)}, list_id=2),
    )
    assert subjects([*keen, *others]) == []


def test_a_handful_of_recipients_says_nothing_of_shares() -> None:
    found = mailings({GMAIL: arrival(19, opened=19)}, {GMAIL: arrival(19, opened=0, deferred=19)})
    assert subjects(found) == []


def test_small_domains_together_are_never_blamed() -> None:
    assert subjects(mailings({OTHER: Arrival(100, 100, complaints=50, hard=50)})) == []


def test_no_mailings_no_alarms() -> None:
    assert alarms([], NOW) == []
