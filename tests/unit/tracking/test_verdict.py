from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from newsletter.models import EventKind, Verdict
from newsletter.tracking.crowds import CROWD, Crowds
from newsletter.tracking.verdict import PERSON, Ruling, Sighting, judge
from tests.factories import NOW

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
LINKS = 12


def after(seconds: float) -> datetime:
    """So long after the delivery."""
    return NOW + timedelta(seconds=seconds)


def opened(seconds: float, agent: str = BROWSER) -> Sighting:
    return Sighting(EventKind.OPEN, after(seconds), agent)


def click(seconds: float, link: int = 1, agent: str = BROWSER, method: str = "GET") -> Sighting:
    return Sighting(EventKind.CLICK, after(seconds), agent, method, link_number=link)


def one(sighting: Sighting) -> Ruling:
    (ruling,) = judge([sighting], NOW, LINKS)
    return ruling


@pytest.mark.parametrize(
    ("sighting", "reason"),
    [
        (Sighting(EventKind.TRAP, after(900), BROWSER), "trap"),
        (click(900, method="HEAD"), "head"),
        (click(900, agent=" "), "no-agent"),
        (click(900, agent="python-requests/2.32.3"), "scanner"),
        (click(900, agent=GMAIL), "proxy"),
        (replace(click(900), ip="209.222.82.5"), "network"),
        (replace(click(900), is_crowded=True), "crowd"),
        (click(2), "prompt"),
        (click(90), "unseen"),
    ],
)
def test_a_machine_is_told_with_the_reason(sighting: Sighting, reason: str) -> None:
    assert one(sighting) == (Verdict.MACHINE, reason)


@pytest.mark.parametrize("agent", [GMAIL, "Mozilla/5.0", "YahooMailProxy; https://help.yahoo.com/kb/x.html"])
def test_an_open_by_a_proxy_is_a_proxys_and_never_a_persons(agent: str) -> None:
    assert one(opened(60, agent)) == (Verdict.PROXY, "proxy")


def test_whoever_opens_and_then_follows_links_one_by_one_is_a_person() -> None:
    message = [opened(8), click(14, 1), click(14.3, 1), click(40, 2), click(44, 3)]
    assert judge(message, NOW, LINKS) == [PERSON] * 5


def test_all_links_at_once_are_a_machines_whatever_it_calls_itself() -> None:
    message = [opened(600), *(click(601 + link / 2, link, f"{BROWSER} {link}") for link in range(1, LINKS + 1))]
    assert judge(message, NOW, LINKS) == [PERSON, *[(Verdict.MACHINE, "burst")] * LINKS]


def test_a_person_whose_mail_is_scanned_too_stays_a_person() -> None:
    scanner = [click(30 + link, link, "Mozilla/5.0 (Windows NT 10.0) Chrome/120.0.0.0") for link in range(1, 7)]
    verdicts = [verdict for verdict, _ in judge([*scanner, opened(400), click(420, 3)], NOW, LINKS)]
    assert verdicts == [Verdict.MACHINE] * 6 + [Verdict.PERSON] * 2


def test_what_a_caught_client_does_in_the_same_minute_is_its_doing_too() -> None:
    trap = Sighting(EventKind.TRAP, after(500), BROWSER)
    message = [opened(470), trap, click(530, 4), click(590, 5)]
    assert [reason for _, reason in judge(message, NOW, LINKS)] == ["visit", "trap", "visit", ""]


def test_the_order_in_which_sightings_are_given_changes_nothing() -> None:
    message = [opened(8), click(2), click(14), click(14.5, 2), opened(60, GMAIL)]
    forwards = judge(message, NOW, LINKS)
    assert judge(message[::-1], NOW, LINKS) == forwards[::-1]


@pytest.mark.parametrize("reason", ["network", "crowd", "prompt", "unseen"])
def test_what_was_judged_by_facts_that_are_gone_stays_as_it_was_judged(reason: str) -> None:
    assert judge([replace(click(900), before=reason)], None, LINKS) == [(Verdict.MACHINE, reason)]


def test_what_was_judged_by_facts_that_are_still_there_is_judged_anew() -> None:
    known = replace(click(900), ip="81.240.1.2", before="crowd")
    assert judge([known, replace(known, before="unseen")], NOW, LINKS) == [PERSON, PERSON]


def test_an_address_is_a_crowds_where_many_readers_come_within_a_minute() -> None:
    at_once = [("81.240.1.2", reader, after(reader * 4)) for reader in range(CROWD)]
    one_by_one = [("81.240.9.9", reader, after(reader * 10)) for reader in range(CROWD)]
    one_reader = [("81.240.5.5", 1, after(second)) for second in range(CROWD)]
    behind_a_server_of_ours = [("10.0.0.1", reader, after(reader)) for reader in range(CROWD)]
    crowds = Crowds([*at_once, *one_by_one, *one_reader, *behind_a_server_of_ours])
    assert crowds.holds("81.240.1.2", after(10))
    assert not crowds.holds("81.240.1.2", after(3600))
    for ip in ("81.240.9.9", "81.240.5.5", "10.0.0.1", None):
        assert not crowds.holds(ip, after(10))
