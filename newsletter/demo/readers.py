"""A few dozen made-up readers, and what stands before some of their mailboxes, over HTTP like real ones.

People look first and follow links some seconds later. Scanners follow every link at once, proxies fetch pictures.
"""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import urlsplit

from newsletter.config import Settings
from newsletter.errors import UnavailableError
from newsletter.tracking.verdict import PAIR, PROMPT

OPENERS = 48
CLICKERS = 24
LEAVERS = 5
# Some messages are looked at by a scanner and by their reader, others by a scanner alone, or by a proxy alone.
SCANNED_AND_OPENED = slice(36, 42)
SCANNED = slice(48, 54)
BY_PROXY = slice(54, 66)
PLAYED = 66
LINKS_A_READER = 3
# What is sooner is a machine's doing (tracking.verdict); half a second more lets clocks and buffers differ.
SLACK_SECONDS = 0.5
CLIENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.4.0",
    "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.18129; Pro)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
)
PROXIES = (
    "Mozilla/5.0",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
)
# It does not say what it is, as most do not.
SCANNER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)


@dataclass(frozen=True, slots=True)
class Played:
    """How many readers did what, each of them a different person; whose messages proxies and scanners looked at."""

    opened: int
    clicked: int
    unsubscribed: int
    fetched: int
    scanned: int


class Reader:
    """Speaks to the web application as if it stood at its public address, the way a proxy in front of it would."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def request(self, method: str, url: str, client: str = CLIENTS[0], body: str | None = None) -> int:
        """The status answered; redirects are not followed, since they lead away from this machine."""
        parts = urlsplit(url)
        headers = {"Host": parts.netloc, "User-Agent": client}
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
    """The first messages' readers open them; half of those click, later; a few unsubscribe with one click."""
    reader = Reader(settings)
    parsed = [message_from_bytes(raw, _class=EmailMessage, policy=policy.default) for raw in messages[:PLAYED]]
    looked_at = [*parsed[SCANNED_AND_OPENED], *parsed[SCANNED]]
    scanned = sum(_scan(reader, message, settings.base_url) for message in looked_at)
    people = [(message, CLIENTS[index % len(CLIENTS)]) for index, message in enumerate(parsed[:OPENERS])]
    opened = sum(reader.request("GET", _pixel(message), client) == 200 for message, client in people)
    fetched = sum(
        reader.request("GET", _pixel(message), PROXIES[index % len(PROXIES)]) == 200
        for index, message in enumerate(parsed[BY_PROXY])
    )
    time.sleep(PROMPT.total_seconds() + SLACK_SECONDS)
    clicked = _click(reader, people[:CLICKERS], settings.base_url)
    left = sum(
        reader.request("POST", one_click_url(message), client, "List-Unsubscribe=One-Click") == 200
        for message, client in people[-LEAVERS:]
    )
    return Played(opened, clicked, left, fetched, scanned)


def _scan(reader: Reader, message: EmailMessage, base_url: str) -> bool:
    """Fetch and follow all there is, the link that no person sees too."""
    reader.request("GET", _pixel(message), SCANNER)
    return [reader.request("GET", link, SCANNER) for link in _links(message, base_url)].count(302) > 0


def _click(reader: Reader, people: Sequence[tuple[EmailMessage, str]], base_url: str) -> int:
    """Each follows up to three links, one after the other; how many did."""
    clicked = set[int]()
    for step in range(LINKS_A_READER):
        for index, (message, client) in enumerate(people):
            links = [link for link in _links(message, base_url) if not link.endswith("/0")]
            if (
                step <= index % LINKS_A_READER
                and reader.request("GET", links[(index * index + step) % len(links)], client) == 302
            ):
                clicked.add(index)
        time.sleep(PAIR.total_seconds() + SLACK_SECONDS)
    return len(clicked)


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
