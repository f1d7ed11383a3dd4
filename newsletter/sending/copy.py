"""A message as its recipient reads it in a browser, made again from what was frozen with its mailing."""

from __future__ import annotations

from base64 import b64encode

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.models import Delivery, List, Mailing, Publication, Subscriber, Tracking
from newsletter.rendering.content import CLICK_TOKEN, OPEN_TOKEN, UNSUBSCRIBE_TOKEN, Content
from newsletter.rendering.merge import context_for, merge
from newsletter.sending.message import Addressee
from newsletter.tracking.deliveries import Recipient
from newsletter.tracking.tokens import Tokens


def copy_of(session: Session, recipient: Recipient, tokens: Tokens) -> str | None:
    """The HTML of a recipient's message: tracked as they wish it now, with their fields as they are now.

    None for someone who was forgotten.

    Pictures that travelled inside the message stand in it as `data:` (RFC 2397).
    """
    addressee = _addressee(session, recipient)
    if addressee is None:
        return None
    content = Content.from_json(
        session.scalars(select(Mailing.content).where(Mailing.id == recipient.mailing_id)).one()
    )
    opens, clicks, unsubscribes, _ = tokens.seal(recipient.mailing_id, recipient.delivery_id)
    named = {OPEN_TOKEN: opens, CLICK_TOKEN: clicks, UNSUBSCRIBE_TOKEN: unsubscribes}
    body = content.untracked.html if addressee.tracking is Tracking.OFF else content.html
    html = merge(body, context_for(content, addressee.fields(), named))
    for one in content.attachments:
        picture = f"data:{one.media_type};base64,{b64encode(one.content).decode('ascii')}"
        html = html.replace(f"cid:{one.content_id}", picture)
    return html


def _addressee(session: Session, recipient: Recipient) -> Addressee | None:
    subscriber = session.get(Subscriber, recipient.subscriber_id)
    if subscriber is None:
        return None
    published = session.scalars(
        select(Publication.tracking)
        .join(List, List.publication_id == Publication.id)
        .where(List.id == recipient.list_id)
    ).one()
    # The address may have changed since; once the delivery is pruned, nobody knows the old one.
    address = session.scalar(select(Delivery.email).where(Delivery.id == recipient.delivery_id))
    return Addressee(
        recipient.delivery_id,
        address or subscriber.email,
        subscriber.first_name,
        subscriber.last_name,
        subscriber.attributes,
        subscriber.language,
        subscriber.timezone,
        subscriber.tracking or published,
    )
