"""What editors, and the engine itself, may do with a mailing under way: pause, resume, cancel, try again."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from newsletter.errors import ConflictError, NotFoundError
from newsletter.mail.refusals import ABOUT_THE_RECIPIENT
from newsletter.models import Batch, Delivery, DeliveryState, Mailing, MailingStatus, of_mailing
from newsletter.sending import ledger

# Who takes the batches of a cancelled mailing, other than a worker.
CANCELLING = "cancelling"
# Within this a worker has written down what it met.
A_TURN_AT_MOST = timedelta(minutes=1)
_SILENT = {"synchronize_session": False}


def get_mailing(session: Session, mailing_id: int) -> Mailing:
    """The mailing, locked for changing. Raises NotFoundError that says where to look."""
    mailing = session.get(Mailing, mailing_id, with_for_update=True)
    if mailing is None:
        raise NotFoundError(f"there is no mailing {mailing_id}: `newsletter mailing ls` lists them")
    return mailing


def pause(session: Session, mailing_id: int, reason: str | None = None) -> None:
    """Let nothing more of a mailing leave; workers notice within a second, and finish what is on the wire.

    Raises ConflictError for a mailing that is not being sent, or not scheduled.
    """
    mailing = get_mailing(session, mailing_id)
    if mailing.status not in (MailingStatus.SCHEDULED, MailingStatus.SENDING):
        raise _conflict(mailing, "pause")
    mailing.status, mailing.pause_reason = MailingStatus.PAUSED, reason


def resume(session: Session, mailing_id: int) -> None:
    """Go on with a paused mailing where it stood."""
    mailing = get_mailing(session, mailing_id)
    if mailing.status is not MailingStatus.PAUSED:
        raise _conflict(mailing, "resume")
    mailing.status = MailingStatus.SENDING if mailing.started_at else MailingStatus.SCHEDULED
    mailing.pause_reason = None


def cancel(session: Session, mailing_id: int, now: datetime) -> None:
    """Send no more of a mailing. Workers turn the rest into `cancelled`, batch by batch; what was sent stays sent."""
    mailing = get_mailing(session, mailing_id)
    if mailing.status in (MailingStatus.SENT, MailingStatus.CANCELLED):
        raise _conflict(mailing, "cancel")
    mailing.status, mailing.pause_reason = MailingStatus.CANCELLED, None
    if mailing.started_at is None:
        mailing.finished_at = now
        return
    # Whatever a batch waited for, it waits no longer.
    session.execute(
        update(Batch)
        .where(Batch.mailing_id == mailing_id, Batch.due_at > now)
        .values(due_at=now, waits_for=None)
        .execution_options(**_SILENT)
    )


def cancel_batch(session: Session, mailing_id: int, now: datetime) -> bool:
    """Turn what is left of one batch of a cancelled mailing into `cancelled`; whether there was one to take.

    Workers do the same; this is for a mailing that is cancelled while none runs.
    """
    taken = ledger.take(session, mailing_id, CANCELLING, now)
    if taken is None:
        ledger.close(session, mailing_id, now)
        return False
    ledger.put_back(session, taken, CANCELLING, now)
    return True


def retry(session: Session, mailing_id: int, now: datetime) -> int:
    """Try the rejected again, and only these; how many. Raises ConflictError where there is nobody to try."""
    return _try_again(session, mailing_id, now, DeliveryState.REJECTED, "retry")


def resend(session: Session, mailing_id: int, emails: Collection[str], now: datetime) -> int:
    """Send once more to these `uncertain` recipients, who may have the message already; how many.

    Raises NotFoundError, and changes nothing, where one of them is not an uncertain recipient of the mailing.
    """
    wanted = set(emails)
    found = set(
        session.scalars(
            select(Delivery.email).where(
                *of_mailing(mailing_id), Delivery.state == DeliveryState.UNCERTAIN, Delivery.email.in_(wanted)
            )
        )
    )
    if missing := sorted(wanted - found):
        raise NotFoundError(
            f"{', '.join(missing)}: not among the uncertain recipients of mailing {mailing_id}; "
            f"`newsletter mailing show {mailing_id} --uncertain` lists them"
        )
    return _try_again(session, mailing_id, now, DeliveryState.UNCERTAIN, "resend", Delivery.email.in_(wanted))


def stop(session: Session, mailing_id: int, reason: str, refused: Sequence[int], now: datetime) -> None:
    """Pause a mailing that cannot go on, and take back refusals of deliveries that it was not to blame on.

    With those `refused` in one worker go those that others have met since the server last took a message.
    """
    mailing = get_mailing(session, mailing_id)
    if mailing.status is MailingStatus.SENDING:
        mailing.status, mailing.pause_reason = MailingStatus.PAUSED, reason
    if refused:
        blameless = or_(Delivery.id.in_(refused), _refused_of_late(session, mailing, now))
        _reopen(session, mailing_id, now, DeliveryState.REJECTED, blameless)


def _refused_of_late(session: Session, mailing: Mailing, now: datetime) -> ColumnElement[bool]:
    """Whether a refusal, not of the recipient, has come since the server last took a message of the mailing."""
    sent = (*of_mailing(mailing.id), Delivery.state == DeliveryState.SENT)
    last = session.scalar(select(func.max(Delivery.settled_at)).where(*sent)) or mailing.started_at or now
    # Workers write down at the end of a turn what they met during it.
    return and_(Delivery.refusal.not_in(ABOUT_THE_RECIPIENT), Delivery.settled_at >= last - A_TURN_AT_MOST)


def _try_again(
    session: Session, mailing_id: int, now: datetime, state: DeliveryState, verb: str, *which: ColumnElement[bool]
) -> int:
    mailing = get_mailing(session, mailing_id)
    if mailing.status in (MailingStatus.SCHEDULED, MailingStatus.CANCELLED):
        raise _conflict(mailing, verb)
    count = _reopen(session, mailing_id, now, state, *which)
    if not count:
        raise ConflictError(f"mailing {mailing_id} has no {state.value} recipients: there is nothing to {verb}")
    if mailing.status is MailingStatus.SENT:
        mailing.status, mailing.finished_at, mailing.outcomes_digest = MailingStatus.SENDING, None, None
    return count


def _reopen(
    session: Session, mailing_id: int, now: datetime, state: DeliveryState, *which: ColumnElement[bool]
) -> int:
    """Make recipients `pending` again, and their batches due; how many."""
    these = (*of_mailing(mailing_id), Delivery.state == state, *which)
    batches = _batches_with(session, mailing_id, session.scalars(select(Delivery.id).where(*these)))
    # Whoever has one of them counts and seals under this lock.
    session.execute(select(Batch.id).where(Batch.id.in_(batches)).order_by(Batch.id).with_for_update())
    fresh = {"state": DeliveryState.PENDING, "settled_at": None, "claimed_by": None, "reply": None}
    reopened = session.execute(
        update(Delivery)
        .where(*these)
        .values({**fresh, "deferred_since": None, "refusal": None})
        .execution_options(**_SILENT)
    )
    session.execute(
        update(Batch)
        .where(Batch.id.in_(batches))
        .values(due_at=now, waits_for=None, seals=None, digest=None)
        .execution_options(**_SILENT)
    )
    return int(reopened.rowcount)  # type: ignore[attr-defined]


def _batches_with(session: Session, mailing_id: int, delivery_ids: Iterable[int]) -> list[int]:
    """The numbers of the batches that hold these deliveries."""
    batches = session.execute(
        select(Batch.last_id, Batch.id).where(Batch.mailing_id == mailing_id).order_by(Batch.last_id)
    ).all()
    ends = [last_id for last_id, _ in batches]
    return sorted({batches[bisect_left(ends, delivery_id)].id for delivery_id in delivery_ids})


def _conflict(mailing: Mailing, verb: str) -> ConflictError:
    return ConflictError(f"mailing {mailing.id} is {mailing.status.value}: there is nothing to {verb}")
