from __future__ import annotations

import pytest

from newsletter.config import load_settings
from newsletter.errors import ConfigError
from newsletter.mailbox_url import MailboxAccount, parse_mailbox_url


@pytest.mark.parametrize(
    ("url", "account"),
    [
        (
            "imaps://ada:s3cret@mail.example.org",
            MailboxAccount("imaps", "mail.example.org", 993, "ada", "s3cret", "INBOX"),
        ),
        (
            "imap://ada%40example.org:a%3Ab%2Fc%23%25%C3%A9@mail.example.org:1143/INBOX/R%C3%A9ponses",
            MailboxAccount(
                "imap", "mail.example.org", 1143, "ada@example.org", "a:b/c#%é", "INBOX/Réponses", starttls=True
            ),
        ),
        ("imap://ada:x@127.0.0.1", MailboxAccount("imap", "127.0.0.1", 143, "ada", "x")),
        (
            "imap://ada:x@localhost?starttls=required",
            MailboxAccount("imap", "localhost", 143, "ada", "x", starttls=True),
        ),
        ("pop3s://ada:x@[2001:db8::1]/", MailboxAccount("pop3s", "2001:db8::1", 995, "ada", "x")),
        ("pop3://ada:x@mail.example.org", MailboxAccount("pop3", "mail.example.org", 110, "ada", "x", starttls=True)),
        ("pop3://ada:x@mail.example.org?starttls=never", MailboxAccount("pop3", "mail.example.org", 110, "ada", "x")),
    ],
)
def test_a_url_says_where_and_as_whom_mail_is_read(url: str, account: MailboxAccount) -> None:
    assert parse_mailbox_url(url) == account


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://ada:geheim@mail.example.org", "imaps://"),
        ("ada:geheim@mail.example.org", "imaps://"),
        ("imaps://ada:geheim@", "no host"),
        ("imaps://ada:geheim@[mail", "host or port"),
        ("imaps://ada:geheim@mail.example.org:993a", "host or port"),
        ("imaps://mail.example.org", "no user or no password"),
        ("imaps://geheim@mail.example.org", "no user or no password"),
        ("imaps://ada:geh#eim@mail.example.org", "host or port"),
        ("imaps://ada:geheim@mail.example.org/INBOX#x", "follows the port"),
        ("pop3s://ada:geheim@mail.example.org/INBOX", "follows the port"),
        ("imaps://ada:geheim%0D%0A1%20DELETE@mail.example.org", "line break"),
        ("imaps://ada:geheim@mail.example.org/INBOX%0A", "line break"),
        ("imap://ada:geheim@mail.example.org?starttls=auto", "never and required"),
        ("imap://ada:geheim@mail.example.org?tls=geheim", "not starttls"),
        ("imaps://ada:geheim@mail.example.org?starttls=never", "from the start"),
    ],
)
def test_a_wrong_url_is_explained_without_its_secret(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as refused:
        load_settings(bounce_fetch_url=url)
    told = str(refused.value)
    assert told.startswith("bounce_fetch_url: ")
    assert "expected imaps://user:password@host" in told
    assert "geheim" not in told
    assert "\n" not in told


def test_the_password_is_shown_nowhere() -> None:
    settings = load_settings(bounce_fetch_url="imaps://ada:geheim@mail.example.org/Bounces")
    account = settings.bounce_fetch
    assert account is not None
    assert account.place == "imaps://mail.example.org:993/Bounces"
    assert "geheim" not in f"{settings!r} {settings} {account!r} {account} {account.place}"
