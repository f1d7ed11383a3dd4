"""Bounces that are no delivery status notifications: each server writes as it likes."""

from __future__ import annotations

import pytest

from newsletter.feedback.read import read
from newsletter.feedback.signal import Kind, Severity
from tests.unit.feedback.letters import EDITOR, ISSUE, READER, attached, letter

RETURNED = f"Received: from press.example by mx.example\n{ISSUE}"

TEXTS: dict[str, tuple[str, str, str]] = {
    # What the server writes above the message, and the class and reason that follow.
    "qmail": (
        f"Hi. This is qmail at mx.example.\n\n<{READER}>:\n192.0.2.1 does not like recipient.\n"
        f"Remote host said: 550 5.1.1 <{READER}> unknown\nGiving up on 192.0.2.1.\n\n"
        "--- Below this line is a copy of the message.\n",
        "hard",
        "unknown-user",
    ),
    "qmail, local": (
        f"<{READER}>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of it.\n",
        "hard",
        "unknown-user",
    ),
    "qmail, given up": (
        f"<{READER}>:\nSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n"
        "I'm not going to try again; this has been in the queue too long.\n\n--- Below this line is a copy.\n",
        "soft",
        "expired",
    ),
    "Exim": (
        f"The following address(es) failed:\n\n  {READER}\n"
        f"    SMTP error from remote mail server after RCPT TO:<{READER}>:\n"
        f"    host mx.reader.example [192.0.2.1]: 550 5.1.1 <{READER}>:\n    no such user here\n\n"
        "------ This is a copy of the message, including all the headers. ------\n\n",
        "hard",
        "unknown-user",
    ),
    "Exim, domain": (
        f"The following address(es) failed:\n\n  {READER}\n    Unrouteable address\n\n------ This is a copy of it\n",
        "hard",
        "unknown-domain",
    ),
    "Exim, after the message": (
        f"The following address(es) failed:\n\n  {READER}\n"
        "    SMTP error from remote mail server after end of data:\n"
        "    host mx.reader.example [192.0.2.1]: 550 user unknown\n\n------ This is a copy of the message\n",
        "soft",
        "policy",
    ),
    "Exim, waiting": (
        "A message has not yet been delivered after more than 24 hours on the queue.\n\n"
        f"  {READER}\n    Delay reason: Connection timed out\n",
        "soft",
        "network",
    ),
    "Postfix, text alone": (
        "For further assistance, please write to <postmaster@mx.example>\n\n"
        f"<{READER}>: host mx.reader.example[192.0.2.1] said: 552 5.2.2 over\n"
        "    quota (in reply to RCPT TO command)\n",
        "soft",
        "full",
    ),
    "sendmail 8": (
        "   ----- The following addresses had permanent fatal errors -----\n"
        f"<{READER}>\n    (reason: 550 5.1.1 <{READER}>... User unknown)\n\n"
        "   ----- Transcript of session follows -----\n... while talking to mx.reader.example.:\n"
        f">>> RCPT To:<{READER}>\n<<< 550 5.1.1 <{READER}>... User unknown\n\n"
        "   ----- Message header follows -----\n",
        "hard",
        "unknown-user",
    ),
    "sendmail 5": (
        "   ----- Transcript of session follows -----\n550 reader.example (smtp)... 550 Host unknown\n"
        f"554 <{READER}>... 550 Host unknown (Authoritative answer from name server)\n\n"
        "   ----- Unsent message follows -----\n",
        "hard",
        "unknown-domain",
    ),
    "Exchange 2003": (
        f"Your message\n\n  To:      {EDITOR}\n  Subject: Number 56\n\ndid not reach the following recipient(s):\n\n"
        f"{READER} on Fri, 13 Mar 2026 09:00:00 +0100\n    The recipient name is not recognized\n"
        "    MSEXCH:IMS:READER:MX 0 (000C05A6) Unknown Recipient\n",
        "hard",
        "unknown-user",
    ),
    "Exchange 2007": (
        f"Delivery has failed to these recipients:\n\n{READER}<mailto:{READER}>\nThe mailbox is full.\n\n"
        f"Diagnostic information for administrators:\n\nGenerating server: mx.example\n\n{READER}\n"
        f"#550 5.2.2 STOREDRV.Deliver: mailbox full ##rfc822;{READER}\n\nOriginal message headers:\n\n",
        "soft",
        "full",
    ),
    "Domino": (
        f"Your message\n\n  Subject: Number 56\n\nwas not delivered to:\n\n  {READER}\n\nbecause:\n\n"
        f"  User ada ({READER}) not listed in Domino Directory\n",
        "hard",
        "unknown-user",
    ),
    "Gmail": (
        f"Delivery to the following recipient failed permanently:\n\n     {READER}\n\n"
        "The error that the other server returned was: 550 550 5.1.1 no mailbox by that name (state 14).\n\n"
        "----- Original message -----\n\n",
        "hard",
        "unknown-user",
    ),
    "Gmail, waiting": (
        "THIS IS A WARNING MESSAGE ONLY.\n\n"
        f"Delivery to the following recipient has been delayed:\n\n     {READER}\n\n"
        "Message will be retried for 2 more day(s)\n\n----- Original message -----\n\n",
        "soft",
        "expired",
    ),
    "Yahoo": (
        f"Unable to deliver message to the following address(es).\n\n<{READER}>:\n"
        "This user doesn't have a reader.example account [-9]\n\n--- Original message follows.\n\n",
        "hard",
        "unknown-user",
    ),
    "AOL": (
        "Your mail to the following recipients could not be delivered because\n"
        f"they are not accepting mail from {EDITOR}:\n\tada\n",
        "soft",
        "policy",
    ),
    "GMX": (
        f"The following address\nfailed:\n\n<{READER}>\n\nReason:\ndelivery retry timeout exceeded\n\n"
        "--- The header of the original message is following. ---\n\n",
        "soft",
        "expired",
    ),
    "1&1": (
        f"The following address failed:\n\n{READER}\n\nFor the following reason:\n\nMail size limit exceeded.\n\n"
        "--- The header of the original message is following. ---\n\n",
        "soft",
        "too-large",
    ),
    "Mail.ru": (
        "Это письмо создано автоматически.\n\nВаше письмо не может быть доставлено:\n\n  ada\n"
        f"    SMTP error from remote mail server after RCPT TO:<{READER}>:\n    550 5.1.1 User Unknown\n\n"
        "------ This is a copy of the message, including all the headers. ------\n\n",
        "hard",
        "unknown-user",
    ),
    "Zoho": (
        "This is a permanent error.\n\n"
        f"{READER} Invalid Address, ERROR_CODE :550, ERROR_CODE :5.2.2 Mailbox Full\n\n\n",
        "soft",
        "full",
    ),
    "Courier": (
        "UNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n"
        f"<{READER}>:\n<<< No such domain.\n\n---------------------\n",
        "hard",
        "unknown-domain",
    ),
    "KDDI": (
        "送信先のメールボックスが一杯のため、送信できませんでした。\n\n"
        f"     Could not be delivered to: <{READER}>\n     As their mailbox is full.\n",
        "soft",
        "full",
    ),
    "EZweb": (
        "Each of the following recipients was rejected by a remote mail server.\n\n"
        f"    Recipient: <{READER}>\n    >>> RCPT TO:<{READER}>\n    <<< 550 <{READER}>: User unknown\n",
        "hard",
        "unknown-user",
    ),
    "EZweb, switched off": (
        f"The user(s) account is disabled.\n\n<{READER}>: 550 user unknown (in reply to RCPT TO command)\n",
        "soft",
        "inactive",
    ),
    "Lotus Notes in Japanese": (
        f"------- Failure Reasons  --------\n\nディレクトリのリストにありません\n{READER}\n\n"
        "------- Returned Message --------\n",
        "hard",
        "unknown-user",
    ),
    "m-FILTER": (
        f"以下のメールアドレスへの送信に失敗しました。\n{READER}\n\n\n-------server message\n550 unknown user\n\n"
        "-------SMTP command\nDATA\n\n-------original message\n",
        "soft",
        "policy",
    ),
    "m-FILTER, by a directory": (
        f"以下のメールアドレスへの送信に失敗しました。\n{READER}\n\n\n-------server message\n"
        f"550 5.1.1 <{READER}>: User unknown in local recipient table\n\n-------SMTP command\nDATA\n\n"
        "-------original message\n",
        "hard",
        "unknown-user",
    ),
    "InterScan": (
        f"Sent <<< RCPT TO:<{READER}>\nReceived >>> 550 5.1.1 <{READER}>... user unknown\n",
        "hard",
        "unknown-user",
    ),
    "IMail": (f"Unknown user: {READER}\n\nOriginal message follows.\n\n", "hard", "unknown-user"),
    "James": (
        "Error message below:\n550 - Requested action not taken: no such user here\n\nMessage details:\n"
        f"  Subject: Number 56\n  MAIL FROM: {EDITOR}\n  RCPT TO: {READER}\n  From: {EDITOR}\n",
        "hard",
        "unknown-user",
    ),
    "MailMarshal": (
        f"Could not be delivered because of\n\n550 5.1.1 User unknown\n\nThe following recipients were affected: \n"
        f"    {READER}\n\nAdditional Information\n======\nReporting-MTA:      <mx.example>\n",
        "hard",
        "unknown-user",
    ),
    "MDaemon": (
        f"The following addresses did NOT receive a copy of your message:\n\n> {READER}\n\n"
        "--- Session Transcript ---\n"
        f" RCPT To:<{READER}>\n 552 Message for <{READER}> would exceed mailbox quota\n QUIT\n",
        "soft",
        "full",
    ),
    "Barracuda": (
        f"**Message you sent blocked by our bulk email filter**\n\nYour message to: {READER}\nwas blocked by our "
        "Spam Firewall.\n\nReporting-MTA: dns; mx.example\n",
        "soft",
        "content",
    ),
    "German": (
        f"Ihre Nachricht konnte nicht zugestellt werden:\n\n{READER}\n\nDas Postfach des Empfängers ist voll.\n",
        "soft",
        "full",
    ),
    "French": (
        f"Votre message n'a pas pu être remis à :\n\n{READER}\nL'adresse de ce destinataire n'existe pas.\n",
        "hard",
        "unknown-user",
    ),
    "Spanish": (
        f"No se ha podido entregar el mensaje a:\n\n  {READER}\n\nLa cuenta del usuario no existe.\n",
        "hard",
        "unknown-user",
    ),
    "Italian": (
        f"Impossibile recapitare il messaggio a:\n\n  {READER}\n\nCasella di posta inesistente.\n",
        "hard",
        "unknown-user",
    ),
}


@pytest.mark.parametrize(("text", "severity", "reason"), TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_recipient_class_and_reason_are_found_in_the_text(
    text: str, severity: str, reason: str, line_end: str
) -> None:
    domain = READER.partition("@")[2]
    for data in (
        letter(f"{text}\n{RETURNED}", **{"from": f"MAILER-DAEMON@{domain}"}),
        attached(text, **{"from": f"MAILER-DAEMON@{domain}"}),
    ):
        found = read(data.replace(b"\n", line_end.encode()))
        assert [(one.kind, one.address, one.severity, one.reason) for one in found] == [
            (Kind.BOUNCE, READER, severity, reason)
        ]


def test_several_recipients_of_one_text_each_have_their_own_reason() -> None:
    data = letter(
        """
        <ada@reader.example>:
        Remote host said: 550 5.1.1 User Unknown

        <bob@reader.example>:
        Remote host said: 552 5.2.2 Mailbox full

        --- Below this line is a copy of the message.
        """
    )
    assert [(one.address, one.severity, one.status) for one in read(data)] == [
        ("ada@reader.example", Severity.HARD, "5.1.1"),
        ("bob@reader.example", Severity.SOFT, "5.2.2"),
    ]


def test_the_header_that_names_the_failed_counts_more_than_the_text() -> None:
    data = letter("It failed:\n\n  somebody@else.example\n    No such user\n", x_failed_recipients=READER)
    assert [one.address for one in read(data)] == [READER]


def test_without_any_recipient_in_the_text_the_returned_message_tells() -> None:
    assert [one.address for one in read(attached("Your message could not be delivered."))] == [READER]


def test_who_wrote_to_themselves_is_told_of_themselves() -> None:
    own = ISSUE.replace(READER, EDITOR)
    assert [one.address for one in read(attached(f"<{EDITOR}>: 550 5.1.1 no such user", own))] == [EDITOR]


def test_neither_the_sender_nor_who_could_help_is_a_recipient() -> None:
    data = attached(
        f"The message from {EDITOR} could not be delivered.\nPlease contact\npostmaster@mx.example for help."
    )
    assert [one.address for one in read(data)] == [READER]


def test_a_text_in_markup_alone_is_read_too() -> None:
    html = f"<html><style>p {{}}</style><p>Undeliverable:<br>&lt;{READER}&gt;</p><p>550 5.1.1 No such user</p></html>"
    (signal,) = read(letter(html, content_type="text/html"))
    assert (signal.address, signal.severity) == (READER, Severity.HARD)


@pytest.mark.parametrize(
    ("charset", "encoding", "body"),
    [
        ("iso-2022-jp", "7bit", f"宛先: {READER}\n550 存在しません".encode("iso-2022-jp")),
        ("utf-8", "base64", b"MTogPGFkYUByZWFkZXIuZXhhbXBsZT4KCjxhZGFAcmVhZGVyLmV4YW1wbGU+OiA1NTAgbm8gc3VjaCB1c2Vy"),
        ("utf-8", "quoted-printable", b"=3Cada@reader.example=3E:\n550 no such us=\ner"),
        ("iso-2022-jp", "8bit", f"失敗: <{READER}>\n550 no such user".encode()),
        ("no-such-charset", "8bit", f"<{READER}>: 550 no such user é".encode("latin-1")),
    ],
)
def test_charsets_and_encodings_are_undone_even_where_they_are_named_wrongly(
    charset: str, encoding: str, body: bytes
) -> None:
    head = letter("", content_type=f"text/plain; charset={charset}", content_transfer_encoding=encoding)
    (signal,) = read(head + body)
    assert signal.address == READER
