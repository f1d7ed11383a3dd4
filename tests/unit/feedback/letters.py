"""Messages as servers send them back, each with what it is not about left out."""

from __future__ import annotations

from textwrap import dedent

EDITOR = "weekly@press.example"
READER = "ada@reader.example"
ISSUE = (
    f"From: The Weekly <{EDITOR}>\nTo: {READER}\nSubject: Number 56\nMessage-ID: <t0ken@press.example>\n\nHello.\n"
)
_BOUNDARY = "=_part"


def letter(text: str, **headers: str) -> bytes:
    """A message of one part; a header's name in Python's spelling, `None` left out."""
    given = {"from": "MAILER-DAEMON@mx.example", "to": EDITOR, "subject": "Undelivered mail", **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in given.items() if value)
    return f"{head}\n{dedent(text).lstrip()}".encode()


def report(fields: str, notes: str = "It was not delivered.", returned: str = ISSUE, **headers: str) -> bytes:
    """A delivery status notification (RFC 3464)."""
    parts = {
        "text/plain; charset=utf-8": dedent(notes),
        "message/delivery-status": "Reporting-MTA: dns; mx.example\n\n" + dedent(fields).strip(),
        "message/rfc822": returned,
    }
    return letter(_joined(parts), content_type=_multipart("report; report-type=delivery-status"), **headers)


def attached(notes: str, returned: str = ISSUE, **headers: str) -> bytes:
    """A text, and the message that came back beside it."""
    parts = {"text/plain; charset=utf-8": dedent(notes), "message/rfc822": returned}
    return letter(_joined(parts), content_type=_multipart("mixed"), **headers)


def feedback(fields: str, returned: str = ISSUE, **headers: str) -> bytes:
    """A complaint (RFC 5965)."""
    parts = {
        "text/plain": "This is an abuse report.",
        "message/feedback-report": dedent(fields).strip(),
        "message/rfc822": returned,
    }
    kind = _multipart("report; report-type=feedback-report")
    return letter(
        _joined(parts), content_type=kind, **{"from": "fbl@provider.example", "subject": "Report", **headers}
    )


def _multipart(kind: str) -> str:
    return f'multipart/{kind}; boundary="{_BOUNDARY}"'


def _joined(parts: dict[str, str]) -> str:
    pieces = [f"--{_BOUNDARY}\nContent-Type: {kind}\n\n{text}\n" for kind, text in parts.items()]
    return "".join(pieces) + f"--{_BOUNDARY}--\n"
