"""What builds a mailing's messages: the compiled issue, who it is from, the keys it is signed with."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.config import Settings
from newsletter.mail.addresses import domain_of
from newsletter.mail.dkim import DkimKey, keys_for, load_key
from newsletter.mail.verp import Verp
from newsletter.models import List, Mailing, Publication
from newsletter.rendering.content import Content
from newsletter.sending.message import MessageBuilder, Sender
from newsletter.tracking.tokens import Tokens


def dkim_keys(settings: Settings) -> list[DkimKey]:
    """The keys of the settings. Raises ConfigError that names the one that cannot be used."""
    return [
        load_key(key.domain, key.selector, key.key_file.read_bytes(), f"dkim {key.selector}._domainkey.{key.domain}")
        for key in settings.dkim
    ]


def verp_of(settings: Settings) -> Verp | None:
    """What makes envelope senders, where bounces have a mailbox."""
    return Verp(settings.secret(), settings.bounce_mailbox) if settings.bounce_mailbox else None


def load_builder(
    session: Session,
    mailing_id: int,
    base_url: str,
    tokens: Tokens,
    dkim: Sequence[DkimKey] = (),
    verp: Verp | None = None,
) -> MessageBuilder:
    """What builds a mailing's messages, from the compiled issue that was frozen with it.

    They are signed with those keys of `dkim` whose domain is that of the From address, or above it.
    """
    content, publication, mailing_list = session.execute(
        select(Mailing.content, Publication, List)
        .join(List, List.id == Mailing.list_id)
        .join(Publication, Publication.id == List.publication_id)
        .where(Mailing.id == mailing_id)
    ).one()
    return make_builder(
        mailing_id, Content.from_json(content), publication, mailing_list, base_url, tokens, dkim, verp
    )


def make_builder(
    mailing_id: int,
    content: Content,
    publication: Publication,
    mailing_list: List,
    base_url: str,
    tokens: Tokens,
    dkim: Sequence[DkimKey],
    verp: Verp | None = None,
) -> MessageBuilder:
    """What builds the messages of an issue of a publication to one of its lists."""
    sender = Sender(
        publication.slug,
        publication.name,
        publication.from_email,
        publication.reply_to,
        mailing_list.slug,
        mailing_list.name,
        publication.tracking,
    )
    keys = keys_for(domain_of(sender.from_email), dkim)
    return MessageBuilder(mailing_id, content, sender, base_url, tokens, keys, verp)
