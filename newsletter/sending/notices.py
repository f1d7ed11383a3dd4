"""Service mail goes out: claimed by a conditional update, handed over, settled. SQL alone says what is due.

A claim that its worker never settled is in doubt: it is closed with words that say so and, as everywhere, never sent
a second time by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import random
from typing import Protocol

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from newsletter.audience.links import ReaderLinks
from newsletter.audience.notices import LINK_LIFE, is_open, request_of
from newsletter.audience.suppressions import has_left, is_blocked
from newsletter.db import Database
from newsletter.errors import ConfigError, InputError, UnavailableError
from newsletter.mail.addresses import domain_of
from newsletter.mail.dkim import DkimKey
from newsletter.mail.outcome import Envelope, Outcome, Verdict
from newsletter.models import (
    List,
    Notice,
    NoticeKind,
    Publication,
    Subscriber,
    Subscription,
    SubscriptionStatus,
)
from newsletter.sending.letter import Letter, build
from newsletter.signing import Purpose, Signer
from newsletter.smtp_accounts import Account, accounts_for, choose

# Far longer than handing over one letter can take.
LEASE = timedelta(minutes=15)
FIRST_RETRY = timedelta(minutes=5)
LONGEST_RETRY = timedelta(hours=6)
AT_ONCE = 200
NOT_WANTED = "not sent: by then nobody wanted it"
DOUBT = "the worker was lost while it handed this over: it may have arrived or not"


class Transport(Protocol):
    """What hands a letter over."""

    def connect(self) -> None: ...

    def send(self, envelope: Envelope) -> Outcome: ...


class Postman:
    """Sends what is due; `clock` is the database's, `randomly` gives numbers from 0 to 1."""

    def __init__(
        self,
        database: Database,
        secret: bytes,
        base_url: str,
        accounts: Sequence[Account],
        dkim: Sequence[DkimKey],
        clock: Callable[[Session], datetime],
        randomly: Callable[[], float] = random,
    ) -> None:
        self._database = database
        self._links = ReaderLinks(secret, base_url)
        self._message_ids = Signer(secret, Purpose.NOTICE_ID)
        self._accounts = accounts
        self._dkim = dkim
        self._clock = clock
        self._randomly = randomly

    def send_due(self, transport: Callable[[Account], Transport]) -> int:
        """Send what is due, the longest due first; how many letters were handed over.

        Raises UnavailableError or ConfigError, at the end, when a server cannot be used: what it has not taken is
        due as before.
        """
        with self._database.write() as session:
            close_doubtful(session, self._clock(session))
        with self._database.read() as session:
            waiting = due(session, self._clock(session))
        handed, away, trouble = 0, set[str](), None
        for notice_id, from_email in waiting:
            account = choose(accounts_for(self._accounts, domain_of(from_email)), self._randomly(), away)
            if account is None:
                continue
            try:
                handed += self._send(notice_id, transport(account))
            except (UnavailableError, ConfigError) as error:
                away.add(account.name)
                trouble = error
        if trouble:
            raise trouble
        return handed

    def _send(self, notice_id: int, carrier: Transport) -> bool:
        # Before the claim: of a server that is away nothing is ever in doubt.
        carrier.connect()
        with self._database.write() as session:
            now = self._clock(session)
            notice = claim(session, notice_id, now)
            letter = self._letter(session, notice) if notice else None
        if letter is None:
            return False
        try:
            outcome = carrier.send(build(letter, self._dkim, now))
        except UnavailableError as error:
            outcome = Outcome(Verdict.DEFERRED, str(error))
        except InputError as error:
            outcome = Outcome(Verdict.REJECTED, str(error))
        with self._database.write() as session:
            settle(session, notice_id, outcome, self._clock(session))
        return outcome.verdict is Verdict.SENT

    def _letter(self, session: Session, notice: Notice) -> Letter:
        mailing_list, publication = session.execute(
            select(List, Publication)
            .join(Publication, Publication.id == List.publication_id)
            .where(List.id == notice.list_id)
        ).one()
        subscriber = session.get_one(Subscriber, notice.subscriber_id)
        request = request_of(session, notice)
        is_welcome = notice.kind is NoticeKind.WELCOME
        knows_them = notice.kind in (NoticeKind.WELCOME, NoticeKind.ALREADY)
        return Letter(
            kind=notice.kind,
            email=notice.email,
            language=subscriber.language or publication.language,
            list_name=mailing_list.name,
            list_id=f"{mailing_list.slug}.{publication.slug}",
            publication=publication.name,
            postal_address=publication.postal_address,
            from_email=publication.from_email,
            reply_to=publication.reply_to,
            message_id=self._message_ids.seal(0, notice.id),
            url=self._url(notice, request, subscriber),
            new_address=request.email if notice.kind is NoticeKind.OLD_ADDRESS else notice.email,
            preferences_url=self._links.preferences(subscriber) if knows_them else "",
            leave_url=self._links.leave(subscriber, mailing_list.id) if is_welcome else "",
            own_words=mailing_list.welcome if is_welcome else "",
        )

    def _url(self, notice: Notice, request: Notice, subscriber: Subscriber) -> str:
        match notice.kind:
            case NoticeKind.OLD_ADDRESS:
                return self._links.veto(notice)
            case NoticeKind.CONFIRM | NoticeKind.REMINDER | NoticeKind.NEW_ADDRESS:
                return self._links.confirm(request)
            case _:
                return self._links.preferences(subscriber)


def due(session: Session, now: datetime) -> list[tuple[int, str]]:
    """The service mails that are due, by number, each with its From address; up to AT_ONCE."""
    rows = session.execute(
        select(Notice.id, Publication.from_email)
        .join(List, List.id == Notice.list_id)
        .join(Publication, Publication.id == List.publication_id)
        .where(_is_due(now))
        .order_by(Notice.due_at, Notice.id)
        .limit(AT_ONCE)
    )
    return [(notice_id, from_email) for notice_id, from_email in rows]


def claim(session: Session, notice_id: int, now: datetime) -> Notice | None:
    """Take a service mail that is due, unless somebody has or nobody wants it any more, which closes it."""
    taken = session.execute(
        update(Notice)
        .where(Notice.id == notice_id, _is_due(now))
        .values(claimed_at=now, attempts=Notice.attempts + 1)
        .returning(Notice.id)
        .execution_options(synchronize_session=False)
    ).first()
    if taken is None:
        return None
    notice = session.get_one(Notice, notice_id, populate_existing=True)
    if _is_wanted(session, notice, now):
        return notice
    notice.due_at, notice.reply = None, NOT_WANTED
    return None


def settle(session: Session, notice_id: int, outcome: Outcome, now: datetime) -> None:
    """Write down what became of a claimed service mail; one that was put off is due again, while its links hold."""
    notice = session.get_one(Notice, notice_id)
    notice.reply = outcome.reply
    if outcome.verdict is Verdict.SENT:
        notice.sent_at, notice.due_at = now, None
        return
    again_at = now + min(FIRST_RETRY * 2 ** min(notice.attempts - 1, 10), LONGEST_RETRY)
    if outcome.verdict is Verdict.DEFERRED and again_at < notice.created_at + LINK_LIFE:
        notice.claimed_at, notice.due_at = None, again_at
    else:
        notice.due_at = None


def close_doubtful(session: Session, now: datetime) -> None:
    """Close the claims of workers that are gone."""
    session.execute(
        update(Notice)
        .where(Notice.due_at.is_not(None), Notice.claimed_at < now - LEASE)
        .values(due_at=None, reply=DOUBT)
        .execution_options(synchronize_session=False)
    )


def _is_due(now: datetime) -> ColumnElement[bool]:
    return (Notice.due_at <= now) & Notice.claimed_at.is_(None)


def _is_wanted(session: Session, notice: Notice, now: datetime) -> bool:
    """Whether a service mail still has its reason, and its address may be mailed."""
    if is_blocked(session, notice.email, now):
        return False
    place = session.scalar(
        select(Subscription).where(
            Subscription.list_id == notice.list_id, Subscription.subscriber_id == notice.subscriber_id
        )
    )
    is_on = (
        place is not None and place.status is SubscriptionStatus.ACTIVE and not has_left(session, notice.email, now)
    )
    match notice.kind:
        case NoticeKind.WELCOME | NoticeKind.ALREADY:
            return is_on
        case NoticeKind.CONFIRM | NoticeKind.REMINDER:
            request = request_of(session, notice)
            left_at = place.unsubscribed_at if place else now
            left = left_at is not None and left_at >= request.created_at
            return not is_on and not left and is_open(request, now)
        case _:
            return is_open(notice, now)
