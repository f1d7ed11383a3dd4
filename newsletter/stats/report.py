"""A mailing's report: who opened, clicked, left, bounced and complained; by link, hour, client and provider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.models import (
    Delivery,
    DeliveryState,
    Facet,
    Link,
    List,
    Mailing,
    Publication,
    Subscriber,
    Tracking,
)
from newsletter.stats.returned import Returned, returned
from newsletter.stats.summary import Summary, summarise
from newsletter.stats.tallies import Tallies, Tally, read_tallies


@dataclass(frozen=True, slots=True)
class LinkClicks:
    """Who followed a link, where it leads now."""

    number: int
    url: str
    clicks: Tally


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen under one name: a family of clients, a mailbox provider, `other`."""

    name: str
    opens: Tally
    clicks: Tally


@dataclass(frozen=True, slots=True)
class Hour:
    """What was seen in one hour (UTC), from `at` on."""

    at: datetime
    opens: Tally
    clicks: Tally


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a mailing, in numbers that are made from rollups (docs/numbers.md says what each means).

    `tracked` is how many of the delivered messages may be counted, by what their readers wish now; None where that is
    not known any more. Links are in their order, hours in theirs, clients and providers the most seen first.
    """

    mailing: Summary
    tracked: int | None
    opens: Tally
    clicks: Tally
    traps: Tally
    unsubscribed: int
    returned: Returned
    links: tuple[LinkClicks, ...]
    hours: tuple[Hour, ...]
    clients: tuple[Seen, ...]
    providers: tuple[Seen, ...]

    @property
    def base(self) -> int:
        """What shares of opens and clicks are of: the messages that may be counted, or else all delivered."""
        return self.mailing.delivered if self.tracked is None else self.tracked

    def to_json(self) -> dict[str, Any]:
        """Plain values for `--json`; times in ISO 8601, UTC."""
        facts = {name: value for name, value in asdict(self).items() if name != "mailing"}
        hours = [{**hour, "at": hour["at"].isoformat()} for hour in facts["hours"]]
        return {**self.mailing.to_json(), **facts, "hours": hours}


def report(session: Session, mailing_id: int) -> Report:
    """The report of a mailing as it stands. Raises NotFoundError for an unknown mailing."""
    mailing = summarise(session, mailing_id)
    found = read_tallies(session, mailing_id)
    whole = found[Facet.ISSUE].get("", Tallies())
    return Report(
        mailing=mailing,
        tracked=_tracked(session, mailing),
        opens=whole.opens,
        clicks=whole.clicks,
        traps=whole.traps,
        # It is noted once a message, also where nobody can tell its readers apart any more.
        unsubscribed=whole.leaves.person.events,
        returned=returned(session, mailing_id),
        links=tuple(_links(session, mailing_id, found[Facet.LINK])),
        hours=tuple(_hours(found[Facet.HOUR])),
        clients=_most_seen(found[Facet.CLIENT]),
        providers=_most_seen(found[Facet.DOMAIN]),
    )


def _tracked(session: Session, mailing: Summary) -> int | None:
    """Of the delivered, those whose readers' wish, or else the publication's, is not to be left alone."""
    published, pruned_at = session.execute(
        select(Publication.tracking, Mailing.pruned_at)
        .join(List, List.publication_id == Publication.id)
        .join(Mailing, Mailing.list_id == List.id)
        .where(Mailing.id == mailing.mailing_id)
    ).one()
    if pruned_at is not None:
        return None
    by_default = published is not Tracking.OFF
    # Those who chose otherwise than the publication are few, and found without looking at all others.
    otherwise = Subscriber.tracking == Tracking.OFF if by_default else Subscriber.tracking != Tracking.OFF
    count = session.scalar(
        select(func.count())
        .select_from(Subscriber)
        .join(Delivery, Delivery.subscriber_id == Subscriber.id)
        .where(otherwise, Delivery.mailing_id == mailing.mailing_id, Delivery.state == DeliveryState.SENT)
    )
    return mailing.delivered - (count or 0) if by_default else count or 0


def _links(session: Session, mailing_id: int, seen: Mapping[str, Tallies]) -> Iterable[LinkClicks]:
    links = session.execute(select(Link.number, Link.url).where(Link.mailing_id == mailing_id).order_by(Link.number))
    for number, url in links:
        yield LinkClicks(number, url, seen.get(str(number), Tallies()).clicks)


def _hours(seen: Mapping[str, Tallies]) -> Iterable[Hour]:
    for key in sorted(seen):
        yield Hour(datetime.fromisoformat(key).replace(tzinfo=UTC), seen[key].opens, seen[key].clicks)


def _most_seen(seen: Mapping[str, Tallies]) -> tuple[Seen, ...]:
    names = sorted(seen, key=lambda name: (-_events(seen[name]), name))
    return tuple(Seen(name, seen[name].opens, seen[name].clicks) for name in names)


def _events(tallies: Tallies) -> int:
    return sum(tally.person.events + tally.proxy.events for tally in (tallies.opens, tallies.clicks))
