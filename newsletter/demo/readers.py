"""A few dozen made-up readers: they fetch the pixel, follow links and unsubscribe, over HTTP like real ones."""

from __future__ import annotations

import http.client
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import urlsplit

from newsletter.config import Settings
from newsletter.errors import UnavailableError

OPENERS = 48
CLICKERS = 24
LEAVERS = 5
USER_AGENT = "Mozilla/5.0 (a made-up reader of the demo)"


@dataclass(frozen=True, slots=True)
class Played:
    """How many readers did what, each of them a different person."""

    opened: int
    clicked: int
    unsubscribed: int


class Reader:
    """Speaks to the web application as if it stood at its public address, the way a proxy in front of it would."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def request(self, method: str, url: str, body: str | None = None) -> int:
        """The status answered; redirects are not followed, since they lead away from this machine."""
        parts = urlsplit(url)
        headers = {"Host": parts.netloc, "User-Agent": USER_AGENT}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection(self._settings.web_host, self._settings.web_port, timeout=10)
        try:
            connection.request(method, parts.path, body, headers)
            return connection.getresponse().status
        except OSError as error:
            raise UnavailableError(f"the web application did not answer {method} {parts.path}: {error}") from error
        finally:
            connection.close()


def play(messages: Sequence[bytes], settings: Settings) -> Played:
    """The first messages' readers open them; half of those click; a few unsubscribe with one click."""
    reader = Reader(settings)
    parsed = [message_from_bytes(raw, _class=EmailMessage, policy=policy.default) for raw in messages[:OPENERS]]
    opened = sum(reader.request("GET", _pixel(message)) == 200 for message in parsed)
    clicked = 0
    for index, message in enumerate(parsed[:CLICKERS]):
        links = _links(message, settings.base_url)
        statuses = [reader.request("GET", links[(index + step) % len(links)]) for step in range(1 + index % 3)]
        clicked += 302 in statuses
    left = sum(
        reader.request("POST", one_click_url(message), "List-Unsubscribe=One-Click") == 200
        for message in parsed[-LEAVERS:]
    )
    return Played(opened, clicked, left)


def one_click_url(message: EmailMessage) -> str:
    """The https address among those of List-Unsubscribe (RFC 8058 section 3.2)."""
    found = re.search(r"<(https://[^>]+)>", str(message["List-Unsubscribe"]))
    if found is None:
        raise UnavailableError(f"the message to {message['To']} has no https link to unsubscribe with")
    return found.group(1)


def _html(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("html",))
    return str(part.get_content()) if part else ""


def _pixel(message: EmailMessage) -> str:
    return str(re.findall(r'src="(https://[^"]+/o/[^"]+\.gif)"', _html(message))[0])


def _links(message: EmailMessage, base_url: str) -> list[str]:
    return re.findall(rf'href="({re.escape(base_url)}/c/[^"]+)"', _html(message))
