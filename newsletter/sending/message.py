"""One recipient's message as bytes: the compiled issue and its headers as one program, run once a recipient."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from hashlib import sha256

from newsletter.mail import headers, message, quoted_printable
from newsletter.mail.addresses import domain_of, for_wire
from newsletter.mail.outcome import Envelope
from newsletter.rendering.content import CLICK_TOKEN, OPEN_TOKEN, UNSUBSCRIBE_TOKEN, Content
from newsletter.rendering.merge import Merger, Program, context_for, fixed, merge, variable
from newsletter.rendering.template import is_fixed
from newsletter.tracking.tokens import Tokens

# What headers are filled with, beside the tokens of the body.
_SUBJECT, _TO, _DATE, _MESSAGE_ID, _HEADER_TOKEN = "h_subject", "h_to", "h_date", "h_message_id", "h_token"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a mailing is from, and on which list; addresses normalised."""

    publication_slug: str
    name: str
    from_email: str
    reply_to: str | None
    list_slug: str
    list_name: str


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom one message is for."""

    delivery_id: int
    email: str
    first_name: str
    last_name: str
    attributes: dict[str, str]

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def fields(self) -> dict[str, str]:
        """What merge tags may quote; a column can never stand in for a field of ours."""
        own = {"email": self.email, "first_name": self.first_name, "last_name": self.last_name, "name": self.name}
        return {**self.attributes, **own}


class MessageBuilder:
    """Builds the messages of one mailing."""

    def __init__(self, mailing_id: int, content: Content, sender: Sender, base_url: str, tokens: Tokens) -> None:
        self._mailing_id = mailing_id
        self._content = content
        self._base_url = base_url
        self._tokens = tokens
        self._from = for_wire(sender.from_email)
        self._reply_to = for_wire(sender.reply_to or sender.from_email)
        self._domain = domain_of(self._from)
        self._subject = None
        if is_fixed(content.subject):
            self._subject = _subject_field(merge(content.subject, context_for(content, {})))
        self._message = Program.join((self._headers(sender), self._body()))

    def build(self, addressee: Addressee, now: datetime) -> Envelope:
        """The message for one recipient, dated `now`, ready for the wire."""
        numbers = self._mailing_id, addressee.delivery_id
        unsubscribe_token = self._tokens.unsubscribes.seal(*numbers)
        to = for_wire(addressee.email)
        # In the body a token is a piece of quoted-printable; it needs no encoding, only its line's end.
        variables = {
            OPEN_TOKEN: self._tokens.opens.seal(*numbers) + quoted_printable.SOFT_BREAK,
            CLICK_TOKEN: self._tokens.clicks.seal(*numbers) + quoted_printable.SOFT_BREAK,
            UNSUBSCRIBE_TOKEN: unsubscribe_token + quoted_printable.SOFT_BREAK,
            _HEADER_TOKEN: unsubscribe_token,
            _MESSAGE_ID: self._tokens.message_ids.seal(*numbers),
            _TO: _to_field(headers.mailbox(addressee.name, to)),
            _DATE: _date_field(now.replace(microsecond=0)),
        }
        context = context_for(self._content, addressee.fields(), variables)
        context[_SUBJECT] = self._subject or _subject_field(merge(self._content.subject, context))
        return Envelope(self._from, to, self._message.run(context).encode("utf-8"))

    def _headers(self, sender: Sender) -> Program:
        fields = [headers.field("From", headers.mailbox(sender.name, self._from))]
        if sender.reply_to:
            fields.append(headers.field("Reply-To", self._reply_to))
        list_id = f"<{sender.list_slug}.{sender.publication_slug}.{self._domain}>"
        feedback_id = f"{self._mailing_id}:{sender.list_slug}:{sender.publication_slug}:newsletter"
        fields += [
            headers.field("List-Id", f"{headers.phrase(sender.list_name)} {list_id}"),
            headers.field("Precedence", "bulk"),
            headers.field("Feedback-ID", feedback_id),
            message.MIME_VERSION,
        ]
        marker = "<token>"
        unsubscribe = message.list_unsubscribe(
            f"{self._base_url}/u/{marker}", f"mailto:{self._reply_to}?subject=unsubscribe%20{marker}"
        )
        url, mailto, rest = unsubscribe.split(marker)
        return Program.join(
            (
                fixed("".join(fields)),
                variable(_SUBJECT),
                variable(_TO),
                variable(_DATE),
                fixed("Message-ID: <"),
                variable(_MESSAGE_ID),
                fixed(f"@{self._domain}>\r\n{url}"),
                variable(_HEADER_TOKEN),
                fixed(mailto),
                variable(_HEADER_TOKEN),
                fixed(rest),
            )
        )

    def _body(self) -> Program:
        """The text part and the HTML part; what is fixed is encoded here, once."""
        boundary = f"part-{sha256(f'{self._domain} {self._mailing_id}'.encode()).hexdigest()[:24]}"
        merger = Merger("\r\n", quoted_printable.encode_text, quoted_printable.encode_value)
        text_head = message.alternative_content_type(boundary) + "\r\n" + message.part_head(boundary, "plain")
        return Program.join(
            (
                fixed(text_head),
                merger.program(self._content.text),
                fixed("\r\n" + message.part_head(boundary, "html")),
                merger.program(self._content.html),
                fixed("\r\n" + message.end(boundary)),
            )
        )


def _subject_field(subject: str) -> str:
    return headers.field("Subject", headers.text(subject))


@lru_cache(maxsize=4)
def _date_field(moment: datetime) -> str:
    return headers.field("Date", format_datetime(moment))


def _to_field(mailbox: str) -> str:
    return headers.field("To", mailbox) if mailbox.isascii() else headers.international_field("To", mailbox)
