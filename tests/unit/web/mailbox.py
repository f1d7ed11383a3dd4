"""What readers find in their mailbox: service mail sent over a real SMTP server, read as a mail program reads it."""

from __future__ import annotations

import re
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from newsletter.config import Settings
from newsletter.db import Database
from newsletter.mail.transport import SmtpTransport
from newsletter.sending.notices import Postman
from newsletter.smtp_accounts import Account, Pace
from newsletter.smtp_url import SmtpAccount
from tests.servers.smtp import SmtpServer


class Mailbox:
    """Sends what is due at a time, and shows what arrived."""

    def __init__(self, settings: Settings, database: Database, smtp: SmtpServer) -> None:
        self._smtp = smtp
        self._account = Account("default", SmtpAccount(smtp.host, smtp.port), frozenset(), 1, 1, Pace())
        self._settings, self._database = settings, database

    def send_due(self, now: datetime) -> int:
        """Have a worker send what is due, as it does every few seconds; how many messages were handed over."""
        postman = Postman(
            self._database,
            self._settings.secret(),
            self._settings.base_url,
            (self._account,),
            (),
            lambda _session: now,
        )
        with SmtpTransport(self._account.smtp, timeout_seconds=5) as transport:
            return postman.send_due(lambda _account: transport)

    def messages(self, email: str) -> list[EmailMessage]:
        return [
            message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
            for _, recipients, raw in self._smtp.messages
            if email in recipients
        ]

    def last(self, email: str) -> EmailMessage:
        return self.messages(email)[-1]

    def link(self, email: str, place: str) -> str:
        """The path of the link in the last message to that address that leads to `/place/…`, in both its parts."""
        message = self.last(email)
        found = []
        for subtype in ("plain", "html"):
            part = message.get_body(preferencelist=(subtype,))
            assert part is not None
            links = re.findall(rf"https://lettres\.example\.org(/{place}/[\w-]{{32}})", str(part.get_content()))
            assert links, f"no /{place}/ in the {subtype} part: {part.get_content()}"
            found.append(links[0])
        assert found[0] == found[1]
        return str(found[0])
