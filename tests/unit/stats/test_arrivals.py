from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from newsletter.audience.erasure import forget
from newsletter.db import Database
from newsletter.models import Delivery, DeliveryState, Mailing
from newsletter.stats.arrivals import FEWEST, OTHER, Arrival, Arrivals, arrivals, total
from tests.factories import DIGEST, NOW, make_mailing
from tests.unit.stats.counted import CLICK, DOMAIN, MACHINE, OPEN, PERSON, PROXY, add_signal, count

GMAIL = [f"reader{number}@gmail.com" for number in range(FEWEST)]
ALONE = ["zoe@zoe.example", "max@max.example"]


def begin(database: Database, mailing_id: int, **values: object) -> None:
    """The mailing began at `NOW`, and every message was taken."""
    with database.write() as session:
        session.execute(update(Mailing).where(Mailing.id == mailing_id).values(**{"started_at": NOW, **values}))
        mine = Delivery.mailing_id == mailing_id
        session.execute(update(Delivery).where(mine).values(state=DeliveryState.SENT, settled_at=NOW))


def change(database: Database, email: str, **values: object) -> int:
    with database.write() as session:
        session.execute(update(Delivery).where(Delivery.email == email).values(**values))
        return session.scalars(select(Delivery.id).where(Delivery.email == email)).one()


def signal(database: Database, mailing_id: int, delivery_id: int, kind: str, severity: str, source: str) -> None:
    with database.write() as session:
        add_signal(session, mailing_id, delivery_id, kind, severity, "other", source)


def look(database: Database, days: int = 30) -> list[Arrivals]:
    with database.read() as session:
        return arrivals(session, NOW - timedelta(days=days))


def test_a_domain_is_told_with_all_that_became_of_its_messages(database: Database) -> None:
    mailing_id = make_mailing(database, GMAIL)
    begin(database, mailing_id)
    change(database, GMAIL[0], state=DeliveryState.REJECTED)
    # Put off first, and taken in the end.
    change(database, GMAIL[1], deferred_since=NOW)
    change(database, GMAIL[2], state=DeliveryState.DEFERRED, deferred_since=NOW)
    for place, kind, severity in ((0, "bounce", "hard"), (3, "bounce", "soft"), (4, "complaint", "soft")):
        signal(database, mailing_id, change(database, GMAIL[place], attempts=1), kind, severity, f"{place}")
    (found,) = look(database)
    assert (found.mailing_id, found.started_at) == (mailing_id, NOW)
    assert found.domains == {
        "gmail.com": Arrival(FEWEST, FEWEST - 2, deferred=2, rejected=1, hard=1, soft=1, complaints=1)
    }


def test_domains_that_may_be_one_persons_are_told_together_and_last(database: Database) -> None:
    begin(database, make_mailing(database, [*GMAIL, *ALONE]))
    domains = total(look(database))
    assert list(domains) == ["gmail.com", OTHER]
    assert domains[OTHER].sent == 2


def test_a_domain_large_in_one_mailing_is_named_in_all(database: Database) -> None:
    begin(database, make_mailing(database, GMAIL, slug="one"))
    begin(database, make_mailing(database, GMAIL[:1], slug="two"))
    assert [list(one.domains) for one in look(database)] == [["gmail.com"], ["gmail.com"]]
    assert total(look(database))["gmail.com"].sent == FEWEST + 1


def test_opens_are_told_where_they_are_counted_by_domain_and_as_none_where_nobody_opened(database: Database) -> None:
    others = [f"reader{number}@example.org" for number in range(FEWEST)]
    first, second = (make_mailing(database, [*GMAIL, *others], slug=slug) for slug in ("one", "two"))
    for mailing_id in (first, second):
        begin(database, mailing_id)
    count(
        database,
        first,
        (OPEN, PERSON, DOMAIN, "gmail.com", 3, 4),
        (OPEN, PROXY, DOMAIN, "gmail.com", 5, 9),
        (OPEN, MACHINE, DOMAIN, "gmail.com", 7, 7),
        (CLICK, PERSON, DOMAIN, "gmail.com", 2, 2),
        (OPEN, PERSON, DOMAIN, OTHER, 1, 1),
    )
    one, two = look(database)
    assert (one.domains["gmail.com"].opened, one.domains["gmail.com"].fetched) == (3, 5)
    assert one.domains["gmail.com"].seen == 5
    assert (two.domains["gmail.com"].opened, two.domains["gmail.com"].fetched) == (0, 0)
    assert (one.domains["example.org"].opened, one.domains["example.org"].seen) == (None, None)


def test_only_mailings_of_these_days_whose_deliveries_are_there_are_told(database: Database) -> None:
    begin(database, make_mailing(database, slug="old"), started_at=NOW - timedelta(days=31))
    begin(database, make_mailing(database, slug="pruned"), pruned_at=NOW)
    make_mailing(database, slug="scheduled", planned=False)
    assert look(database) == []
    assert len(look(database, days=32)) == 1


def test_somebody_who_was_forgotten_is_counted_with_the_others(database: Database) -> None:
    begin(database, make_mailing(database, [*GMAIL, *ALONE]))
    with database.write() as session:
        forget(session, ALONE[0], DIGEST, NOW)
    assert total(look(database))[OTHER].sent == 2
