"""The frame of a message: header fields and two parts, as they stand on the wire (RFC 5322, RFC 2045, RFC 2046)."""

from __future__ import annotations

from newsletter.mail import headers

MIME_VERSION = headers.field("MIME-Version", "1.0")
# What makes List-Unsubscribe one click (RFC 8058 section 3.1).
ONE_CLICK = headers.field("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")


def list_unsubscribe(url: str, mailto: str) -> str:
    """Where unsubscribing leads (RFC 2369 section 3.2); with ONE_CLICK beside it, a mail program posts to `url`."""
    return headers.one_a_line("List-Unsubscribe", [f"<{url}>", f"<{mailto}>"])


def alternative_content_type(boundary: str) -> str:
    """The field that announces a text part and an HTML part."""
    return f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n'


def part_head(boundary: str, subtype: str) -> str:
    """What stands before the body of a quoted-printable text part, its delimiter included."""
    return (
        f"--{boundary}\r\n"
        f"Content-Type: text/{subtype}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n"
        "\r\n"
    )


def end(boundary: str) -> str:
    """The closing delimiter."""
    return f"--{boundary}--\r\n"
