"""Servers that say no at once: their replies are signals too."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.feedback.reasons import explain, is_for_now, severity_of, sharper
from newsletter.feedback.record import SMTP, act, keep
from newsletter.feedback.signal import Kind, Signal
from newsletter.feedback.trace import Found
from newsletter.mail.refusals import ABOUT_THE_RECIPIENT
from newsletter.models import Delivery, DeliveryState, Mailing


def note_rejections(session: Session, delivery_ids: Collection[int], now: datetime, soft_bounces: int) -> None:
    """Do what follows from those of these deliveries whose server refused the recipient."""
    if not delivery_ids:
        return
    refused = session.execute(
        select(
            Delivery.mailing_id,
            Delivery.id,
            Mailing.list_id,
            Delivery.subscriber_id,
            Delivery.email,
            Delivery.reply,
        )
        .join(Mailing, Mailing.id == Delivery.mailing_id)
        .where(
            Delivery.id.in_(delivery_ids),
            Delivery.state == DeliveryState.REJECTED,
            Delivery.refusal.in_(ABOUT_THE_RECIPIENT),
        )
    ).all()
    for mailing_id, delivery_id, list_id, subscriber_id, email, reply in refused:
        found = Found(mailing_id, delivery_id, list_id, subscriber_id, email, proven=True)
        signal = _signal(email, reply or "")
        if keep(session, signal, found, SMTP, now):
            act(session, signal, found, SMTP, now, soft_bounces)


def _signal(email: str, reply: str) -> Signal:
    reason = explain(reply)
    severity = severity_of(reason, for_now=is_for_now(reply))
    return Signal(Kind.BOUNCE, severity, reason, email, status=sharper("", reply), words=reply, event="rejected")
