"""The servers that sending needs: asked before anything is scheduled."""

from __future__ import annotations

from newsletter.config import Settings
from newsletter.errors import ConfigError, UnavailableError
from newsletter.mail.addresses import domain_of
from newsletter.mail.transport import SmtpTransport
from newsletter.models import Publication
from newsletter.queue import Queue
from newsletter.smtp_accounts import Account, accounts_for

CONNECT_SECONDS = 10


def accounts_of(settings: Settings, publication: Publication) -> tuple[Account, ...]:
    """The SMTP accounts that a publication's mail may go over. Raises ConfigError where there is none."""
    domain = domain_of(publication.from_email)
    accounts = accounts_for(settings.accounts, domain)
    if not accounts:
        raise ConfigError(f"no SMTP account is for mail from {domain}: add one to the settings (docs/settings.md)")
    return accounts


def check_servers(settings: Settings, accounts: tuple[Account, ...], tasks: Queue) -> None:
    """Raise UnavailableError unless the broker and one of the SMTP servers answer, as sending now needs."""
    tasks.waiting()
    troubles = []
    for account in accounts:
        try:
            with SmtpTransport(account.smtp, CONNECT_SECONDS) as transport:
                transport.connect()
                return
        except UnavailableError as error:
            troubles.append(str(error))
    setting = "[[smtp_accounts]]" if settings.smtp_accounts else "NEWSLETTER_SMTP_URL"
    raise UnavailableError(f"{'; '.join(troubles)}; start it, or mend {setting}")
