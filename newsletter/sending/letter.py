"""One service mail as bytes: the words of its kind in the reader's language, laid out as text and HTML, signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markdown_it import MarkdownIt
from markupsafe import Markup

from newsletter.mail import headers, message, quoted_printable
from newsletter.mail.addresses import domain_of, for_wire
from newsletter.mail.dkim import DkimKey, DkimSigner, keys_for
from newsletter.mail.outcome import Envelope
from newsletter.models import NoticeKind
from newsletter.rendering.mjml import to_html
from newsletter.resources import TEMPLATES, words

_FOLDER = TEMPLATES / "notices"
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_FOLDER),
    autoescape=select_autoescape(["mjml"], default=False),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# An editor's Markdown: no HTML of their own, and only links that lead to the web or to a mailbox.
_MARKDOWN = MarkdownIt("commonmark", {"html": False})


@dataclass(frozen=True, slots=True)
class Letter:
    """What one service mail says, to whom and from whom.

    `url` is where its button leads, `preferences_url` its small link; with `leave_url` it is list mail, which a POST
    there unsubscribes from (RFC 8058). `own_words` (Markdown) stand in for ours.
    """

    kind: NoticeKind
    email: str
    language: str
    list_name: str
    list_id: str
    publication: str
    postal_address: str
    from_email: str
    reply_to: str | None
    message_id: str
    url: str
    new_address: str = ""
    preferences_url: str = ""
    leave_url: str = ""
    own_words: str = ""


def build(letter: Letter, dkim: Sequence[DkimKey], now: datetime) -> Envelope:
    """The letter as it goes over the wire, signed with those keys whose domain is that of the From address."""
    sender, recipient = for_wire(letter.from_email), for_wire(letter.email)
    phrases = _phrases(letter)
    boundary = f"part-{sha256(letter.message_id.encode()).hexdigest()[:24]}"
    body = _body(letter, phrases, boundary).encode("ascii")
    fields = [field.encode() for field in _fields(letter, phrases["subject"], sender, recipient, boundary, now)]
    keys = keys_for(domain_of(sender), dkim)
    signatures = DkimSigner(keys, fields, (), b"").sign((), body, int(now.timestamp())) if keys else b""
    return Envelope(sender, recipient, b"".join((signatures, *fields, b"\r\n", body)))


def _phrases(letter: Letter) -> dict[str, str]:
    """Subject, text, button and the small print."""
    known = words(letter.language)
    kind = letter.kind.value.replace("-", "_")
    facts = {"list": letter.list_name, "publication": letter.publication, "new_address": letter.new_address}
    names = ("subject", "text", "button", "small")
    phrases = {name: known[f"notice_{kind}_{name}"].format_map(facts) for name in names}
    return phrases | {"preferences": known["preferences"]}


def _fields(letter: Letter, subject: str, sender: str, recipient: str, boundary: str, now: datetime) -> list[str]:
    reply_to = for_wire(letter.reply_to or letter.from_email)
    to_field = headers.field if recipient.isascii() else headers.international_field
    fields = [
        headers.field("From", headers.mailbox(letter.publication, sender)),
        to_field("To", recipient),
        headers.field("Reply-To", reply_to),
        headers.field("Subject", headers.text(subject)),
        headers.field("Date", format_datetime(now)),
        headers.field("Message-ID", f"<{letter.message_id}@{domain_of(sender)}>"),
        # So that no mailbox answers by itself (RFC 3834 section 5).
        headers.field("Auto-Submitted", "auto-generated"),
        message.MIME_VERSION,
        message.alternative_content_type(boundary),
    ]
    if letter.leave_url:
        list_id = f"<{letter.list_id}.{domain_of(sender)}>"
        mailto = f"mailto:{reply_to}?subject=unsubscribe"
        fields += [
            headers.field("List-Id", f"{headers.phrase(letter.list_name)} {list_id}"),
            message.list_unsubscribe(letter.leave_url, mailto),
            message.ONE_CLICK,
        ]
    return fields


def _body(letter: Letter, phrases: dict[str, str], boundary: str) -> str:
    own = Markup(_MARKDOWN.render(letter.own_words)) if letter.own_words else ""  # noqa: S704 - escaped by the parser
    text = _ENVIRONMENT.get_template("letter.txt").render(letter=letter, phrases=phrases)
    mjml = _ENVIRONMENT.get_template("letter.mjml").render(letter=letter, phrases=phrases, own=own)
    html = to_html(mjml, "templates/notices/letter.mjml")
    parts = [
        part
        for subtype, content in (("plain", text), ("html", html))
        for part in (message.part_head(boundary, subtype), quoted_printable.encode_text(content), "\r\n")
    ]
    return "".join((*parts, message.end(boundary)))
