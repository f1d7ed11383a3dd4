"""One recipient's message as bytes: what is the same for everyone is made once a mailing, the rest joined to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import NamedTuple

from newsletter.mail import headers, message, quoted_printable, related
from newsletter.mail.addresses import domain_of, for_wire
from newsletter.mail.dkim import DkimKey, DkimSigner
from newsletter.mail.outcome import Envelope
from newsletter.mail.verp import Verp
from newsletter.models import Tracking
from newsletter.rendering.content import CLICK_TOKEN, OPEN_TOKEN, UNSUBSCRIBE_TOKEN, Attachment, Body, Content
from newsletter.rendering.merge import Merger, context_for
from newsletter.rendering.program import Program
from newsletter.tracking.tokens import Tokens

# The fields that differ from recipient to recipient, in the order they are built in.
_VARYING = ("Subject", "To", "Date", "Message-ID", "List-Unsubscribe")
_TOKEN = "<token>"  # noqa: S105 - where a token goes
_KEPT_SUBJECTS = 1024


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a mailing is from, and on which list; addresses normalised. `tracking` is for who chose nothing else."""

    publication_slug: str
    name: str
    from_email: str
    reply_to: str | None
    list_slug: str
    list_name: str
    tracking: Tracking = Tracking.AGGREGATE


class Addressee(NamedTuple):
    """Whom one message is for."""

    delivery_id: int
    email: str
    first_name: str
    last_name: str
    attributes: dict[str, str]
    language: str = ""
    timezone: str = ""
    tracking: Tracking | None = None

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def fields(self) -> dict[str, str]:
        """What merge tags may quote; a column can never stand in for a field of ours."""
        return {
            **self.attributes,
            "email": self.email,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "name": self.name,
            "language": self.language,
            "timezone": self.timezone,
        }


class _Form(NamedTuple):
    """What a message's body is made by, and what signs it."""

    body: Program
    dkim: DkimSigner | None


class MessageBuilder:
    """Builds the messages of one mailing, signed with every key of `dkim`; with `verp` each has a sender of its own.

    Receivers trust a signature most whose domain is that of the From address (RFC 7489 section 3.1.1): picking such
    keys is up to the caller.
    """

    def __init__(
        self,
        mailing_id: int,
        content: Content,
        sender: Sender,
        base_url: str,
        tokens: Tokens,
        dkim: Sequence[DkimKey] = (),
        verp: Verp | None = None,
    ) -> None:
        self._mailing_id = mailing_id
        self._content = content
        self._tokens = tokens
        self._verp = verp
        self._from = for_wire(sender.from_email)
        self._domain = domain_of(self._from)
        reply_to = for_wire(sender.reply_to or sender.from_email)
        self._list_unsubscribe = message.list_unsubscribe(
            f"{base_url}/u/{_TOKEN}", f"mailto:{reply_to}?subject=unsubscribe%20{_TOKEN}"
        )
        self._tracking = sender.tracking
        self._boundary = boundary = f"part-{sha256(f'{self._domain} {mailing_id}'.encode()).hexdigest()[:24]}"
        self._subject = Program(Merger().pieces(content.subject))
        self._fixed_lines = [one.encode("ascii") for one in self._fixed_fields(sender, reply_to, boundary)]
        self._fixed = b"".join(self._fixed_lines)
        self._keys = dkim

    def build(self, addressee: Addressee, now: datetime) -> Envelope:
        """The message for one recipient, dated `now`, ready for the wire."""
        opened, click, unsubscribe, message_id = self._tokens.seal(self._mailing_id, addressee.delivery_id)
        # In the body a token is a piece of quoted-printable; it needs no encoding, only its line's end.
        tokens = {
            OPEN_TOKEN: opened + quoted_printable.SOFT_BREAK,
            CLICK_TOKEN: click + quoted_printable.SOFT_BREAK,
            UNSUBSCRIBE_TOKEN: unsubscribe + quoted_printable.SOFT_BREAK,
        }
        context = context_for(self._content, addressee.fields(), tokens)
        to = for_wire(addressee.email)
        second = int(now.timestamp())
        is_tracked = (addressee.tracking or self._tracking) is not Tracking.OFF
        form = self._tracked if is_tracked else self._untracked
        body = form.body.run(context)
        varying = (
            _subject_field(self._subject.run(context)),
            _to_field(addressee.name, to),
            _date_field(second),
            f"Message-ID: <{message_id}@{self._domain}>\r\n".encode("ascii"),
            self._list_unsubscribe.replace(_TOKEN, unsubscribe).encode("ascii"),
        )
        signatures = form.dkim.sign(varying, body, second) if form.dkim else b""
        sender = self._verp.seal(self._mailing_id, addressee.delivery_id) if self._verp else self._from
        return Envelope(sender, to, b"".join((signatures, self._fixed, *varying, b"\r\n", body)))

    @cached_property
    def _tracked(self) -> _Form:
        return self._form(Body(self._content.html, self._content.text))

    @cached_property
    def _untracked(self) -> _Form:
        return self._form(self._content.untracked)

    def _form(self, body: Body) -> _Form:
        program = _body(body, self._content.attachments, self._boundary)
        signer = DkimSigner(self._keys, self._fixed_lines, _VARYING, program.start) if self._keys else None
        return _Form(program, signer)

    def _fixed_fields(self, sender: Sender, reply_to: str, boundary: str) -> list[str]:
        list_id = f"<{sender.list_slug}.{sender.publication_slug}.{self._domain}>"
        feedback_id = f"{self._mailing_id}:{sender.list_slug}:{sender.publication_slug}:newsletter"
        return [
            headers.field("From", headers.mailbox(sender.name, self._from)),
            *([headers.field("Reply-To", reply_to)] if sender.reply_to else []),
            headers.field("List-Id", f"{headers.phrase(sender.list_name)} {list_id}"),
            message.ONE_CLICK,
            headers.field("Precedence", "bulk"),
            headers.field("Feedback-ID", feedback_id),
            message.MIME_VERSION,
            message.alternative_content_type(boundary),
        ]


def _body(content: Body, attachments: Sequence[Attachment], boundary: str) -> Program:
    """The text part and the HTML part, with its pictures if it has any; what is fixed is encoded here, once."""
    merger = Merger("\r\n", quoted_printable.encode_text, quoted_printable.encode_value)
    inner = f"{boundary}-html" if attachments else boundary
    return Program(
        [
            message.part_head(boundary, "plain").encode(),
            *merger.pieces(content.text),
            b"\r\n",
            *([related.related_head(boundary, inner).encode()] if attachments else []),
            message.part_head(inner, "html").encode(),
            *merger.pieces(content.html),
            b"\r\n",
            *(related.picture_part(inner, one.content_id, one.media_type, one.content) for one in attachments),
            *([message.end(inner).encode()] if attachments else []),
            message.end(boundary).encode(),
        ]
    )


@lru_cache(_KEPT_SUBJECTS)
def _subject_field(subject: bytes) -> bytes:
    return headers.field("Subject", headers.text(subject.decode())).encode("ascii")


@lru_cache(maxsize=4)
def _date_field(second: int) -> bytes:
    return headers.field("Date", format_datetime(datetime.fromtimestamp(second, UTC))).encode("ascii")


def _to_field(name: str, address: str) -> bytes:
    mailbox = headers.mailbox(name, address)
    field = headers.field if mailbox.isascii() else headers.international_field
    return field("To", mailbox).encode()
