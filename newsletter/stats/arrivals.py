"""How mail arrives at each domain of recipients, mailing by mailing; from the ledger, what came back, and rollups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.models import Delivery, DeliveryState, EventKind, Facet, Mailing, Rollup, Verdict, of_mailing
from newsletter.stats.progress import email_domain
from newsletter.stats.returned import by_delivery, counts

# A domain with fewer recipients than this in every mailing may be one person's, and is counted with others.
FEWEST = 20
OTHER = "other"


@dataclass(slots=True)
class Arrival:
    """What became of the messages to one domain, in recipients.

    `deferred` were put off at least once, whatever came then; `rejected` refused at once, for whatever reason; `hard`
    and `soft` bounced, at once or later. `opened` (by people) and `fetched` (by proxies) are None where opens are not
    counted by this domain.
    """

    recipients: int = 0
    sent: int = 0
    deferred: int = 0
    rejected: int = 0
    hard: int = 0
    soft: int = 0
    complaints: int = 0
    opened: int | None = None
    fetched: int | None = None

    @property
    def seen(self) -> int | None:
        """How many opened at the least: whoever was seen both ways is in both numbers."""
        return None if self.opened is None or self.fetched is None else max(self.opened, self.fetched)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """One mailing's, by domain."""

    mailing_id: int
    list_id: int
    started_at: datetime
    domains: Mapping[str, Arrival]


def arrivals(session: Session, since: datetime) -> list[Arrivals]:
    """Of each mailing that began since then and is not pruned, the oldest first."""
    mailings = session.scalars(
        select(Mailing)
        .where(Mailing.started_at >= since, Mailing.pruned_at.is_(None))
        .order_by(Mailing.started_at, Mailing.id)
    ).all()
    found = {mailing.id: _of_mailing(session, mailing.id) for mailing in mailings}
    named = {name for domains in found.values() for name, one in domains.items() if one.recipients >= FEWEST}
    _add_opens(session, found)
    return [
        Arrivals(mailing.id, mailing.list_id, mailing.started_at or since, _gathered(found[mailing.id], named))
        for mailing in mailings
    ]


def total(found: Sequence[Arrivals]) -> dict[str, Arrival]:
    """Of all these mailings together, the domains with most recipients first and the others' last."""
    names = {name for one in found for name in one.domains}
    sums = {name: _sum([one.domains[name] for one in found if name in one.domains]) for name in names}
    return dict(sorted(sums.items(), key=lambda pair: (pair[0] == OTHER, -pair[1].recipients, pair[0])))


def _of_mailing(session: Session, mailing_id: int) -> dict[str, Arrival]:
    domain = email_domain(Delivery.email)
    rows = session.execute(
        select(
            domain,
            func.count(),
            func.count().filter(Delivery.state == DeliveryState.SENT),
            func.count().filter(Delivery.deferred_since.is_not(None)),
            func.count().filter(Delivery.state == DeliveryState.REJECTED),
        )
        .where(*of_mailing(mailing_id))
        .group_by(domain)
    )
    found = {name: Arrival(*numbers) for name, *numbers in rows}
    each = by_delivery(mailing_id)
    back = select(domain, *counts(each)).join(each, each.c.delivery_id == Delivery.id).group_by(domain)
    for name, hard, soft, complaints in session.execute(back):
        one = found[name]
        one.hard, one.soft, one.complaints = hard, soft, complaints
    return found


def _add_opens(session: Session, found: Mapping[int, Mapping[str, Arrival]]) -> None:
    """A domain that was ever counted by is one whose opens are known, none of them too."""
    rows = session.execute(
        select(Rollup.mailing_id, Rollup.key, Rollup.verdict, Rollup.readers).where(
            Rollup.mailing_id.in_(found), Rollup.facet == Facet.DOMAIN, Rollup.kind == EventKind.OPEN
        )
    ).all()
    readers = {(mailing_id, name, verdict): count for mailing_id, name, verdict, count in rows}
    counted = {name for _, name, _ in readers} - {OTHER}
    for mailing_id, domains in found.items():
        for name in counted & domains.keys():
            domains[name].opened = readers.get((mailing_id, name, Verdict.PERSON), 0)
            domains[name].fetched = readers.get((mailing_id, name, Verdict.PROXY), 0)


def _gathered(domains: Mapping[str, Arrival], named: set[str]) -> dict[str, Arrival]:
    small = [one for name, one in domains.items() if name not in named]
    kept = {name: one for name, one in domains.items() if name in named}
    if small:
        kept[OTHER] = _sum(small)
        # Among them are some whose opens are not counted by their domains.
        kept[OTHER].opened = kept[OTHER].fetched = None
    return kept


def _sum(several: Sequence[Arrival]) -> Arrival:
    summed = Arrival()
    for column in fields(Arrival):
        known = [value for one in several if (value := getattr(one, column.name)) is not None]
        if known:
            setattr(summed, column.name, sum(known))
    return summed
