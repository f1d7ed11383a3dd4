from __future__ import annotations

import pytest

from newsletter.server_url import StartTls
from newsletter.smtp_url import SmtpAccount, parse_smtp_url


@pytest.mark.parametrize(
    ("url", "account"),
    [
        ("smtp://mail.example.org", SmtpAccount("mail.example.org", 25, starttls=StartTls.AUTO)),
        ("smtp://mail.example.org/", SmtpAccount("mail.example.org", 25, starttls=StartTls.AUTO)),
        ("smtp://127.0.0.1", SmtpAccount("127.0.0.1", 25)),
        ("smtp://localhost:1025", SmtpAccount("localhost", 1025)),
        ("smtp://[::1]:1025", SmtpAccount("::1", 1025)),
        ("smtp://a:b@h.example", SmtpAccount("h.example", 587, "a", "b", starttls=StartTls.REQUIRED)),
        ("smtp://a@h.example:26", SmtpAccount("h.example", 26, "a", starttls=StartTls.REQUIRED)),
        ("smtp://a:b@127.0.0.1", SmtpAccount("127.0.0.1", 587, "a", "b")),
        ("smtp://a:b@h.example?starttls=auto", SmtpAccount("h.example", 587, "a", "b", starttls=StartTls.AUTO)),
        ("smtp://127.0.0.1?starttls=required", SmtpAccount("127.0.0.1", 25, starttls=StartTls.REQUIRED)),
        ("smtps://a:b@h.example", SmtpAccount("h.example", 465, "a", "b", implicit_tls=True)),
        ("smtps://h.example:2465", SmtpAccount("h.example", 2465, implicit_tls=True)),
        ("smtp://a%40b:c%3A%2F%25@127.0.0.1", SmtpAccount("127.0.0.1", 587, "a@b", "c:/%")),
    ],
)
def test_an_account_is_read(url: str, account: SmtpAccount) -> None:
    assert parse_smtp_url(url) == account


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", "neither smtp:// nor smtps://"),
        ("s3cret", "neither smtp:// nor smtps://"),
        ("s3cret@h.example", "neither smtp:// nor smtps://"),
        ("ada:s3cret@h.example", "neither smtp:// nor smtps://"),
        ("http://ada:s3cret@h.example", "neither smtp:// nor smtps://"),
        ("smtp:h.example", "neither smtp:// nor smtps://"),
        ("smtp://", "names no host"),
        ("smtp://:25", "names no host"),
        ("smtp://ada:s3cret@", "names no host"),
        ("smtp://h.example:mail", "cannot be read"),
        ("smtp://h.example:99999", "cannot be read"),
        ("smtp://[::1", "cannot be read"),
        ("smtp://ada:s3c/ret@h.example", "cannot be read"),
        ("smtp://ada:25/s3cret@h.example", "something follows the port"),
        ("smtp://ada:25#s3cret@h.example", "something follows the port"),
        ("smtp://ada:25?s3cret@h.example", "a parameter that is not starttls"),
        ("smtp://h.example/inbox", "something follows the port"),
        ("smtp://h.example?tls=1", "a parameter that is not starttls"),
        ("smtp://h.example?starttls=s3cret", "starttls is not one of never, auto and required"),
        ("smtp://h.example?starttls=", "starttls is not one of"),
    ],
)
def test_what_is_wrong_is_told_without_the_password(url: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected) as caught:
        parse_smtp_url(url)
    assert "s3c" not in str(caught.value)
    assert "ret@" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_password_is_in_no_description_of_the_account() -> None:
    account = parse_smtp_url("smtps://ada:s3cret@h.example")
    assert account.place == "smtps://h.example:465"
    assert "s3cret" not in repr(account) + str(account)
