"""A run of staged rows, in the order of their addresses: what is to become of each, and then that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, insert, literal, select, update
from sqlalchemy.orm import Session

from newsletter.audience.jobs import Job
from newsletter.audience.past import read_trail
from newsletter.audience.profile import PROFILE_COLUMNS, Merge, Profile, changed, merge, profile_of
from newsletter.audience.report import Report, Sample
from newsletter.audience.staging import staged_rows
from newsletter.audience.statuses import REASONS, Status
from newsletter.audience.trails import add_trails
from newsletter.audience.weighing import (
    JOINING,
    SUPPRESSING,
    Verdict,
    end_of_chunk,
    may_differ,
    profile_columns,
    weigh,
    weighed_rows,
)
from newsletter.bulk import insert_new, look_up_by_index
from newsletter.models import ImportChange, Subscriber, Subscription, SubscriptionStatus, Suppression

_OUTCOMES = {
    Verdict.SUPPRESS: "suppressed",
    Verdict.KEEP_SUPPRESSED: "kept_suppressed",
    Verdict.KEEP_UNSUBSCRIBED: "kept_unsubscribed",
    Verdict.NEW: "added",
    Verdict.JOINS: "added",
    Verdict.ON_LIST: "unchanged",
    Verdict.HAD_LEFT: "kept_unsubscribed",
    Verdict.COMES_SUPPRESSED: "suppressed",
    Verdict.JOINS_SUPPRESSED: "kept_suppressed",
}


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody we know, and what the file changes of what we know."""

    subscriber_id: int
    on_list: bool
    sample: Sample
    known: Profile
    merge: Merge


class Chunk:
    """Rows from behind one address to another, weighed against what the database holds now."""

    def __init__(self, session: Session, job: Job, after: str) -> None:
        self._session = session
        self._job = job
        look_up_by_index(session)
        staged = staged_rows(session, job.import_id)
        self.upto = end_of_chunk(session, staged, after)
        self._rows = weighed_rows(staged)
        self._rows.create(session.connection())
        weighed = weigh(staged, job.list_id).where(staged.c.email > after, staged.c.email <= self.upto)
        session.execute(insert(self._rows).from_select([column.name for column in self._rows.c], weighed))

    def close(self) -> None:
        self._rows.drop(self._session.connection())

    def tell(self, report: Report) -> list[Change]:
        """Count and show in the report what is to become of these rows; the changes that come with it."""
        rows = self._rows.c
        counts = self._session.execute(select(rows.verdict, func.count()).group_by(rows.verdict)).all()
        for verdict, count in counts:
            outcome = _OUTCOMES[Verdict(verdict)]
            report.count(outcome, count)
            if report.wants(outcome) > 0:
                self._show(outcome, Verdict(verdict), report)
        changes = self._changes(report)
        updated = sum(change.on_list for change in changes)
        report.updated += updated
        report.unchanged -= updated
        report.show("updated", (change.sample for change in changes if change.on_list))
        return changes

    def put(self, changes: Sequence[Change], now: datetime) -> None:
        """Do it, in the session's transaction. Whoever is on the list, has left or is suppressed stays so."""
        self._suppress(now)
        self._add_subscribers(now)
        self._add_subscriptions(now)
        self._add_trails()
        self._change(changes)

    def _show(self, outcome: str, verdict: Verdict, report: Report) -> None:
        rows = self._rows.c
        found = (
            select(rows.part, rows.line, rows.email)
            .where(rows.verdict == verdict)
            .order_by(rows.id)
            .limit(report.wants(outcome))
        )
        report.show(
            outcome,
            [Sample(self._job.parts[part], line, email) for part, line, email in self._session.execute(found)],
        )

    def _changes(self, report: Report) -> list[Change]:
        rows = self._rows.c
        maybe = (
            select(rows.part, rows.line, rows.email, rows.verdict, rows.subscriber_id, *profile_columns(rows))
            .add_columns(*profile_columns(Subscriber))
            .join(Subscriber, Subscriber.id == rows.subscriber_id)
            .where(rows.verdict.in_((Verdict.JOINS, Verdict.ON_LIST)), may_differ(rows))
            .order_by(rows.email)
            .with_for_update(of=Subscriber)
        )
        changes = []
        for part, line, email, verdict, subscriber_id, *facts in self._session.execute(maybe):
            told, known = Profile(*facts[: len(PROFILE_COLUMNS)]), Profile(*facts[len(PROFILE_COLUMNS) :])
            found = merge(known.facts(), told.facts(), self._job.conflicts)
            sample = Sample(self._job.parts[part], line, email)
            if found.conflicts:
                report.conflicting += 1
                report.show("conflicting", [sample])
            if found.after:
                changes.append(Change(subscriber_id, verdict == Verdict.ON_LIST, sample, known, found))
        return changes

    def _suppress(self, now: datetime) -> None:
        rows = self._rows.c
        reasons = {status: literal(reason.value) for status, reason in REASONS.items()}
        source = literal(f"import of {self._job.file_name}"[:200])
        found = select(
            rows.email,
            case(reasons, value=rows.status),
            func.coalesce(rows.suppressed_by, source),
            rows.suppressed_until,
            literal(self._job.import_id),
            func.coalesce(rows.suppressed_at, _moment(now)),
        ).where(rows.verdict.in_(SUPPRESSING))
        columns = ("address", "reason", "source", "expires_at", "import_id", "created_at")
        insert_new(self._session, Suppression.__table__, columns, found)

    def _add_subscribers(self, now: datetime) -> None:
        rows = self._rows.c
        found = (
            select(rows.email, *profile_columns(rows), rows.tracking, literal(self._job.import_id), _moment(now))
            .where(rows.verdict.in_(JOINING), rows.subscriber_id.is_(None))
            .order_by(rows.email)
        )
        columns = ("email", *PROFILE_COLUMNS, "tracking", "import_id", "created_at")
        insert_new(self._session, Subscriber.__table__, columns, found)

    def _add_subscriptions(self, now: datetime) -> None:
        rows = self._rows.c
        trail = ("opted_in_at", "opted_in_ip", "confirmed_at", "confirmed_ip")
        status = case(
            (rows.subscription.is_not(None), rows.subscription),
            (rows.status == Status.PENDING, SubscriptionStatus.PENDING.value),
            else_=SubscriptionStatus.ACTIVE.value,
        )
        # What came with this import is told from what happened since then by its time: see `undo`.
        left_at = case((rows.unsubscribed_at < self._job.begun_at, rows.unsubscribed_at))
        found = (
            select(
                literal(self._job.list_id),
                Subscriber.id,
                status,
                func.coalesce(rows.consent, literal(self._job.consent)),
                *(rows[name] for name in trail),
                literal(self._job.import_id),
                func.coalesce(rows.subscribed_at, _moment(now)),
                left_at,
                rows.paused_until,
            )
            .join_from(self._rows, Subscriber, Subscriber.email == rows.email)
            .where(rows.verdict.in_(JOINING))
            .order_by(rows.email)
        )
        since = ("subscribed_at", "unsubscribed_at", "paused_until")
        columns = ("list_id", "subscriber_id", "status", "consent", *trail, "import_id", *since)
        insert_new(self._session, Subscription.__table__, columns, found)

    def _add_trails(self) -> None:
        rows = self._rows.c
        found = (
            select(Subscriber.id, rows.trail)
            .join_from(self._rows, Subscriber, Subscriber.email == rows.email)
            .where(rows.verdict.in_(JOINING), rows.trail.is_not(None))
            .order_by(rows.email)
        )
        trails = {subscriber_id: read_trail(trail) for subscriber_id, trail in self._session.execute(found)}
        add_trails(self._session, trails, self._job.list_id, self._job.import_id)

    def _change(self, changes: Sequence[Change]) -> None:
        if not changes:
            return
        noted = [
            {
                "import_id": self._job.import_id,
                "subscriber_id": change.subscriber_id,
                "before": change.merge.before,
                "after": change.merge.after,
            }
            for change in changes
        ]
        self._session.execute(insert(ImportChange), noted)
        write_profiles(
            self._session,
            {
                change.subscriber_id: profile_of(changed(change.known.facts(), change.merge.after))
                for change in changes
            },
        )


def write_profiles(session: Session, profiles: dict[int, Profile]) -> None:
    """Give subscribers, by number, these profiles."""
    rows = [
        {"id": subscriber_id} | {name: getattr(profile, name) for name in PROFILE_COLUMNS}
        for subscriber_id, profile in profiles.items()
    ]
    if rows:
        session.execute(update(Subscriber), rows)


def _moment(now: datetime) -> ColumnElement[datetime]:
    return literal(now, Subscriber.created_at.type)
