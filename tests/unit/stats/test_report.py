from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from newsletter.db import Database
from newsletter.errors import NotFoundError
from newsletter.models import (
    Delivery,
    DeliveryState,
    Event,
    EventKind,
    Mailing,
    Publication,
    Subscriber,
    Tracking,
)
from newsletter.stats.funnel import funnel, notes
from newsletter.stats.report import Report, report
from newsletter.stats.returned import Returned
from newsletter.stats.tallies import Count, Tally
from tests.factories import EMAILS, NOW, make_mailing
from tests.unit.stats.counted import (
    CLICK,
    CLIENT,
    DOMAIN,
    HOUR,
    ISSUE,
    LINK,
    MACHINE,
    OPEN,
    PERSON,
    PROXY,
    TRAP,
    add_signal,
    count,
)

WHOLE = (
    (OPEN, PERSON, ISSUE, "", 2, 5),
    (OPEN, PROXY, ISSUE, "", 1, 3),
    (OPEN, MACHINE, ISSUE, "", 1, 1),
    (CLICK, PERSON, ISSUE, "", 1, 2),
    (CLICK, MACHINE, ISSUE, "", 1, 9),
    (TRAP, MACHINE, ISSUE, "", 1, 1),
)


@pytest.fixture
def sent(database: Database) -> int:
    """A mailing to three readers that a server took."""
    mailing_id = make_mailing(database)
    settle(database, DeliveryState.SENT, *EMAILS)
    return mailing_id


def settle(database: Database, state: DeliveryState, *emails: str) -> None:
    with database.write() as session:
        session.execute(update(Delivery).where(Delivery.email.in_(emails)).values(state=state, settled_at=NOW))


def choose(database: Database, email: str, tracking: Tracking) -> None:
    with database.write() as session:
        session.execute(update(Subscriber).where(Subscriber.email == email).values(tracking=tracking))


def signal(
    database: Database, mailing_id: int, email: str, kind: str, severity: str = "soft", reason: str = ""
) -> None:
    with database.write() as session:
        delivery_id = session.scalars(select(Delivery.id).where(Delivery.email == email)).one()
        source = f"{email} {kind} {severity} {reason}"
        add_signal(session, mailing_id, delivery_id, kind, severity, reason, source)


def look(database: Database, mailing_id: int) -> Report:
    with database.read() as session:
        return report(session, mailing_id)


def test_people_proxies_and_machines_are_told_apart_and_readers_from_events(database: Database, sent: int) -> None:
    count(database, sent, *WHOLE)
    facts = look(database, sent)
    assert facts.opens == Tally(person=Count(2, 5), proxy=Count(1, 3), machine=Count(1, 1))
    assert facts.clicks == Tally(person=Count(1, 2), machine=Count(1, 9))
    assert facts.traps == Tally(machine=Count(1, 1))


def test_a_report_does_not_look_at_opens_and_clicks_one_by_one(database: Database, sent: int) -> None:
    with database.write() as session:
        session.add(Event(mailing_id=sent, kind=EventKind.OPEN, occurred_at=NOW, source="1-0.0"))
    assert look(database, sent).opens == Tally()


def test_links_are_told_in_their_order_with_those_that_nobody_followed(database: Database, sent: int) -> None:
    count(
        database,
        sent,
        (CLICK, PERSON, LINK, "2", 3, 4),
        (CLICK, MACHINE, LINK, "2", 1, 1),
        (TRAP, MACHINE, LINK, "0", 1, 1),
    )
    links = look(database, sent).links
    assert [link.number for link in links] == list(range(1, len(links) + 1))
    assert [link.clicks for link in links[:2]] == [Tally(), Tally(person=Count(3, 4), machine=Count(1, 1))]


def test_hours_are_told_in_their_order_and_names_the_most_seen_first(database: Database, sent: int) -> None:
    count(
        database,
        sent,
        (OPEN, PERSON, HOUR, "2026-03-13T10", 1, 1),
        (OPEN, PERSON, HOUR, "2026-03-13T09", 2, 2),
        (CLICK, PERSON, HOUR, "2026-03-13T09", 1, 1),
        (OPEN, PERSON, CLIENT, "Thunderbird", 1, 1),
        (OPEN, PROXY, CLIENT, "Gmail", 2, 2),
        (OPEN, MACHINE, CLIENT, "scanner", 9, 9),
        (OPEN, PERSON, DOMAIN, "gmail.com", 2, 2),
        (CLICK, PERSON, DOMAIN, "other", 2, 3),
    )
    facts = look(database, sent)
    assert [(hour.at, hour.opens.person.events, hour.clicks.person.events) for hour in facts.hours] == [
        (datetime(2026, 3, 13, 9, tzinfo=UTC), 2, 1),
        (datetime(2026, 3, 13, 10, tzinfo=UTC), 1, 0),
    ]
    assert [one.name for one in facts.clients] == ["Gmail", "Thunderbird", "scanner"]
    assert [one.name for one in facts.providers] == ["other", "gmail.com"]


def test_another_mailings_numbers_are_not_counted(database: Database, sent: int) -> None:
    other = make_mailing(database, ["zoe@example.org"], slug="other")
    count(database, other, *WHOLE)
    signal(database, other, "zoe@example.org", "complaint", reason="abuse")
    facts = look(database, sent)
    assert (facts.opens, facts.clicks, facts.returned) == (Tally(), Tally(), Returned())


def test_each_delivery_that_bounced_is_counted_once_and_as_hard_if_it_ever_was(database: Database, sent: int) -> None:
    ada, blaise, chloe = EMAILS
    for severity, reason in (("soft", "full"), ("hard", "unknown-user")):
        signal(database, sent, ada, "bounce", severity, reason)
    for reason in ("full", "network"):
        signal(database, sent, blaise, "bounce", "soft", reason)
    signal(database, sent, chloe, "auto-reply")
    assert look(database, sent).returned == Returned(hard=1, soft=1, complaints=0)


def test_complaints_are_those_of_readers_and_not_of_their_servers(database: Database, sent: int) -> None:
    ada, blaise, _ = EMAILS
    signal(database, sent, ada, "complaint", reason="abuse")
    signal(database, sent, ada, "bounce")
    signal(database, sent, blaise, "complaint", reason="authentication")
    assert look(database, sent).returned == Returned(hard=0, soft=1, complaints=1)


def test_shares_are_of_those_who_may_be_counted_by_what_they_wish_now(database: Database, sent: int) -> None:
    count(database, sent, *WHOLE)
    assert look(database, sent).tracked == 3
    choose(database, EMAILS[2], Tracking.OFF)
    choose(database, EMAILS[0], Tracking.INDIVIDUAL)
    facts = look(database, sent)
    assert (facts.tracked, facts.base, facts.mailing.delivered) == (2, 2, 3)
    shares = {step.name: step.share for step in funnel(facts)}
    assert (shares["delivered"], shares["opened"], shares["clicked"]) == ("100.0%", "100.0%", "50.0%")
    assert notes(facts)[0] == "Opens, clicks and leaving are shares of those who are tracked: 2 of 3 delivered."


def test_whoever_was_not_reached_is_not_among_those_who_may_be_counted(database: Database, sent: int) -> None:
    settle(database, DeliveryState.REJECTED, EMAILS[2])
    choose(database, EMAILS[2], Tracking.OFF)
    facts = look(database, sent)
    assert (facts.mailing.delivered, facts.tracked) == (2, 2)
    assert notes(facts) == []


def test_where_tracking_is_off_only_those_who_allow_it_may_be_counted(database: Database, sent: int) -> None:
    with database.write() as session:
        session.execute(update(Publication).values(tracking=Tracking.OFF))
    facts = look(database, sent)
    assert facts.tracked == 0
    assert notes(facts) == ["Nothing is known of opens, clicks and leaving: these readers are not tracked."]
    assert {step.name: step.share for step in funnel(facts)}["opened"] == "–"
    choose(database, EMAILS[0], Tracking.AGGREGATE)
    assert look(database, sent).tracked == 1


def test_of_a_pruned_mailing_shares_are_of_all_delivered(database: Database, sent: int) -> None:
    with database.write() as session:
        kept = {"outcomes": {"sent": 3}}
        session.execute(update(Mailing).values(pruned_at=NOW, receipt=kept))
    facts = look(database, sent)
    assert (facts.tracked, facts.base) == (None, 3)
    assert notes(facts)[0].startswith("Opens, clicks and leaving are shares of all delivered")


def test_what_opens_cannot_know_and_what_machines_did_is_said(database: Database, sent: int) -> None:
    count(database, sent, *WHOLE)
    assert notes(look(database, sent)) == [
        "Opens are an estimate: pictures may be off, and a proxy may fetch them for nobody.",
        "Left out, by machines: opens 1, clicks 9, the link that no person sees 1.",
    ]


def test_leaving_is_counted_by_mailing(database: Database, sent: int) -> None:
    count(database, sent, (EventKind.UNSUBSCRIBE, PERSON, ISSUE, "", 1, 2))
    assert look(database, sent).unsubscribed == 2


def test_its_json_says_who_did_it_and_whether_readers_or_events_are_meant(database: Database, sent: int) -> None:
    count(database, sent, *WHOLE, (OPEN, PERSON, HOUR, "2026-03-13T10", 1, 1))
    facts = json.loads(json.dumps(look(database, sent).to_json()))
    assert facts["opens"] == {
        "person": {"readers": 2, "events": 5},
        "proxy": {"readers": 1, "events": 3},
        "machine": {"readers": 1, "events": 1},
    }
    assert facts["hours"][0]["at"] == "2026-03-13T10:00:00+00:00"
    assert facts["links"][0]["clicks"]["person"] == {"readers": 0, "events": 0}
    assert facts["returned"] == {"hard": 0, "soft": 0, "complaints": 0}
    assert (facts["mailing_id"], facts["tracked"], facts["delivered"]) == (sent, 3, 3)


def test_of_a_mailing_that_has_not_begun_nothing_is_known(database: Database) -> None:
    facts = look(database, make_mailing(database, planned=False))
    assert (facts.mailing.audience, facts.tracked, facts.hours, facts.opens) == (None, 0, (), Tally())


def test_an_unknown_mailing_is_named(database: Database) -> None:
    with pytest.raises(NotFoundError, match="there is no mailing 56: `newsletter mailing ls` lists them"):
        look(database, 56)
