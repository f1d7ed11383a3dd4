"""The courier of a turn: a message for each claim as the transport asks for it, and what becomes of it booked."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from newsletter.errors import NewsletterError, UnavailableError
from newsletter.mail.addresses import domain_of
from newsletter.mail.courier import Parcel
from newsletter.mail.outcome import Outcome, Verdict
from newsletter.mail.refusals import domain_backs_off
from newsletter.models import Mailing, MailingStatus
from newsletter.sending import control, pace
from newsletter.sending.books import Books, OpenBatch
from newsletter.sending.breaker import Breaker
from newsletter.sending.draw import Hand
from newsletter.sending.ledger import Claim
from newsletter.sending.message import Addressee, MessageBuilder
from newsletter.sending.settle import Settlement
from newsletter.smtp_accounts import Account

# How long a pause may take to be noticed.
LOOK_SECONDS = 1.0
# Claims in hand when the turn is over still go, but not for longer than this.
GRACE_SECONDS = 5.0


@dataclass(slots=True)
class Desk:
    """What a worker process works with: `draw` the next hand, `builder` of a mailing's messages, `date` for them."""

    books: Books
    draw: Callable[[], Hand | None]
    builder: Callable[[int], MessageBuilder]
    date: Callable[[], datetime]
    is_stopping: Callable[[], bool]
    breaker: Breaker = field(default_factory=Breaker)


class Carrier:
    """Carries hands over one account until `ends_at` (monotonic seconds); `next_hand` is one for another account."""

    def __init__(self, desk: Desk, account: Account, hand: Hand, ends_at: float) -> None:
        self.next_hand: Hand | None = None
        self._desk = desk
        self._account = account
        self._ends_at = ends_at
        self._looks_at = time.monotonic() + LOOK_SECONDS
        self._waiting: deque[Claim] = deque()
        self._open: dict[int, tuple[Claim, OpenBatch]] = {}
        self._builders: dict[int, MessageBuilder] = {}
        self._strained = set(hand.work.condition.strained)
        # Once the database does not answer, what is under way is brought to its end and nothing more begun.
        self.trouble: UnavailableError | None = None
        self._accept(hand)

    def next_parcel(self) -> Parcel | None:
        if time.monotonic() >= self._looks_at:
            self._look()
        while self._waiting or self._refill():
            claim = self._waiting.popleft()
            builder = self._builders[self._open[claim.delivery_id][1].taken.mailing_id]
            try:
                envelope = builder.build(_addressee(claim), self._desk.date())
            except NewsletterError as error:
                self._book(claim.delivery_id, Outcome(Verdict.REJECTED, f"no message could be built: {error}"))
            else:
                return Parcel(claim.delivery_id, envelope)
        return None

    def leaving(self, slot: int, key: int) -> None:
        self._desk.books.journal.leaving(slot, key)

    def settled(self, slot: int, key: int, outcome: Outcome) -> None:
        self._desk.books.journal.settled(slot, key, outcome)
        claim, batch = self._book(key, outcome)
        mailing_id = batch.taken.mailing_id
        if trip := self._desk.breaker.note(mailing_id, key, outcome):
            reason = f"the server refused {trip.in_a_row} messages in a row: {trip.reply}"
            self._stop_mailing(mailing_id, reason, trip.refused)
        elif outcome.verdict is Verdict.DEFERRED:
            self._back_off(mailing_id, domain_of(claim.email), outcome.reply)
        elif outcome.verdict is Verdict.SENT and self._strained:
            self._relax(domain_of(claim.email))

    def give_up(self, error: NewsletterError) -> None:
        """No connection can be had: nothing of what is in hand was sent, and the account rests for a while."""
        self._close(pace.ALL, str(error))
        for batch in {id(batch): batch for _, batch in self._open.values()}.values():
            self._desk.books.finish(batch)
        self._open.clear()
        self._waiting.clear()

    def _accept(self, hand: Hand) -> None:
        batch = OpenBatch(hand.work.taken, len(hand.claims), hand.waits_for, hand.not_before)
        self._open |= {claim.delivery_id: (claim, batch) for claim in hand.claims}
        self._waiting.extend(hand.claims)
        mailing_id = batch.taken.mailing_id
        try:
            self._builders[mailing_id] = self._desk.builder(mailing_id)
        except UnavailableError as error:
            self.trouble = error
            self._let_go()
        except NewsletterError as error:
            self._stop_mailing(mailing_id, f"no message can be built: {error}")

    def _refill(self) -> bool:
        """Draw another hand; whether anything is waiting then."""
        while not self._waiting and not self._is_over:
            hand = None
            with self._noting_trouble():
                self._desk.books.post()
                hand = self._desk.draw()
            if hand is None:
                return False
            if hand.claims and hand.work.account != self._account:
                self.next_hand = hand
            elif hand.claims:
                self._accept(hand)
        return bool(self._waiting)

    @property
    def _is_over(self) -> bool:
        return bool(self.trouble or self.next_hand or self._desk.is_stopping() or time.monotonic() >= self._ends_at)

    def _look(self) -> None:
        """Let go of what is not to be sent any more."""
        now = time.monotonic()
        self._looks_at = now + LOOK_SECONDS
        if self.trouble or self._desk.is_stopping() or now >= self._ends_at + GRACE_SECONDS:
            self._let_go()
            return
        carried = {batch.taken.mailing_id for _, batch in self._open.values()}
        with self._noting_trouble(), self._desk.books.read() as session:
            going = set(
                session.scalars(
                    select(Mailing.id).where(Mailing.id.in_(carried), Mailing.status == MailingStatus.SENDING)
                )
            )
            self._let_go(lambda _, batch: batch.taken.mailing_id not in going)

    def _let_go(self, unwanted: Callable[[Claim, OpenBatch], bool] = lambda *_: True) -> list[OpenBatch]:
        """Hand claims that wait back unsent; the batches they were of."""
        left: deque[Claim] = deque()
        batches = []
        for claim in self._waiting:
            batch = self._open[claim.delivery_id][1]
            if unwanted(claim, batch):
                del self._open[claim.delivery_id]
                batches.append(batch)
                self._one_less(batch)
            else:
                left.append(claim)
        self._waiting = left
        return batches

    def _book(self, key: int, outcome: Outcome) -> tuple[Claim, OpenBatch]:
        claim, batch = self._open.pop(key)
        books = self._desk.books
        books.enter(Settlement(key, claim.attempts, claim.deferred_since, outcome))
        self._one_less(batch)
        if books.are_full and not self.trouble:
            with self._noting_trouble():
                books.post()
        return claim, batch

    def _one_less(self, batch: OpenBatch) -> None:
        batch.open -= 1
        if not batch.open:
            self._desk.books.finish(batch)

    def _stop_mailing(self, mailing_id: int, reason: str, refused: Sequence[int] = ()) -> None:
        with self._noting_trouble():
            self._desk.books.post()
            with self._desk.books.write() as (session, now):
                control.stop(session, mailing_id, reason, refused, now)
        self._let_go(lambda _, batch: batch.taken.mailing_id == mailing_id)

    def _back_off(self, mailing_id: int, domain: str, reply: str) -> None:
        if self._desk.breaker.must_rest(mailing_id):
            self._close(pace.ALL, reply)
            self._let_go()
        elif domain_backs_off(reply):
            until = self._close(domain, reply)
            for batch in self._let_go(lambda claim, _: domain_of(claim.email) == domain):
                batch.not_before = until

    def _close(self, domain: str, reason: str) -> datetime | None:
        self._strained.add(domain)
        with self._noting_trouble(), self._desk.books.write() as (session, now):
            return pace.close(session, self._account, domain, reason, now)
        return None

    def _relax(self, domain: str) -> None:
        for eased in self._strained & {domain, pace.ALL}:
            self._strained.discard(eased)
            with self._noting_trouble(), self._desk.books.write() as (session, now):
                pace.reopen(session, self._account, eased, now)

    @contextmanager
    def _noting_trouble(self) -> Iterator[None]:
        try:
            yield
        except UnavailableError as error:
            self.trouble = error


def _addressee(claim: Claim) -> Addressee:
    return Addressee(
        claim.delivery_id,
        claim.email,
        claim.first_name,
        claim.last_name,
        claim.attributes,
        claim.language,
        claim.timezone,
        claim.tracking,
    )
