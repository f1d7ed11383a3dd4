"""A mailing's log as it might be, with who did what: people, proxies and scanners, in each other's way.

It knows nothing of how anybody tells them apart: figures here are of how people and programs behave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from newsletter.models import EventKind

LINKS = 18
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS {}_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.3 Mobile/15E148 Safari/604.1"
)
OUTLOOK = "Mozilla/4.0 (compatible; ms-office; MSOffice {})"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
APPLE = "Mozilla/5.0"
CONFESSED = (
    "python-requests/2.32.3",
    "Mozilla/5.0 (compatible; Barracuda Sentinel (EE))",
    "Microsoft Office Existence Discovery",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/119.0.0.0 Safari/537.36",
    "",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A line of the log; `who` is whose doing it truly is: person, proxy or scanner."""

    reader: int
    kind: EventKind
    at: datetime
    user_agent: str
    ip: str
    method: str
    link: int | None
    who: str


@dataclass(frozen=True, slots=True)
class Log:
    """All lines, in the order they came, and when each reader's message was delivered."""

    lines: list[Seen]
    delivered: dict[int, datetime]


class Simulation:
    """A mailing to so many readers: a third behind scanners, a third with proxies, some in offices of forty."""

    def __init__(self, seed: int, readers: int, start: datetime) -> None:
        self._random = Random(seed)
        self._readers = readers
        self._start = start

    def run(self) -> Log:
        delivered: dict[int, datetime] = {}
        lines: list[Seen] = []
        for reader in range(self._readers):
            delivered[reader] = self._start + timedelta(seconds=reader / 40)
            lines += self._message(reader, delivered[reader])
        return Log(sorted(lines, key=lambda line: line.at), delivered)

    def _message(self, reader: int, delivered: datetime) -> Iterator[Seen]:
        mailbox = self._random.choices(("office", "gmail", "apple", "yahoo", "plain"), (33, 27, 20, 4, 16))[0]
        if mailbox == "office" and self._chance(0.75):
            yield from self._scan(reader, delivered)
        if mailbox == "apple" and self._chance(0.9):
            yield self._open(reader, delivered + self._seconds(2, 3600), APPLE, self._address("17.58"), "proxy")
        if self._chance(0.45):
            yield from self._read(reader, delivered, mailbox)

    def _read(self, reader: int, delivered: datetime, mailbox: str) -> Iterator[Seen]:
        """Most people look within hours, some at once, when the telephone tells of it."""
        quick = self._chance(0.06)
        at = delivered + (self._seconds(6, 45) if quick else self._later())
        agent, ip = self._browser(), self._home(reader, mailbox)
        if mailbox == "gmail":
            yield self._open(reader, at, GMAIL, self._address("66.249"), "proxy")
        elif mailbox == "yahoo":
            yield self._open(reader, at, YAHOO, self._address("87.248"), "proxy")
        elif mailbox == "office" and self._chance(0.3):
            # Pictures stay hidden until they are asked for, and the mail program is not the browser.
            if self._chance(0.6):
                yield self._open(reader, at, OUTLOOK.format(self._random.choice((14, 16))), ip, "person")
        elif mailbox != "apple" and self._chance(0.92):
            yield self._open(reader, at, agent, ip, "person")
        if self._chance(0.35):
            yield from self._follow(reader, at, agent, ip)

    def _follow(self, reader: int, at: datetime, agent: str, ip: str) -> Iterator[Seen]:
        link = self._random.randrange(1, LINKS + 1)
        for _ in range(self._random.choices((1, 2, 3, 5, 8), (55, 22, 14, 7, 2))[0]):
            # Some open one tab after the other, most read what they opened.
            at += self._seconds(1.5, 6) if self._chance(0.25) else self._seconds(4, 240)
            yield self._click(reader, at, agent, ip, link, "person")
            if self._chance(0.04):
                yield self._click(reader, at + self._seconds(0.1, 0.4), agent, ip, link, "person")
            link = link % LINKS + self._random.randrange(1, 3)

    def _scan(self, reader: int, delivered: datetime) -> Iterator[Seen]:
        ways: tuple[tuple[Callable[[int, datetime], Iterator[Seen]], int], ...] = (
            (self._confessed, 30),
            (self._all_at_once, 34),
            (self._heads_then_gets, 10),
            (self._caught_in_trap, 12),
            (self._a_minute_later, 12),
            (self._like_a_person, 2),
        )
        (way,) = self._random.choices([way for way, _ in ways], [weight for _, weight in ways])
        return way(reader, delivered)

    def _confessed(self, reader: int, delivered: datetime) -> Iterator[Seen]:
        agent, ip, at = self._random.choice(CONFESSED), self._centre(), delivered + self._seconds(0, 120)
        for link in self._some_links(1, LINKS):
            at += self._seconds(0.05, 4)
            yield self._click(reader, at, agent, ip, link, "scanner")

    def _all_at_once(self, reader: int, delivered: datetime) -> Iterator[Seen]:
        """Before the mailbox has it, or when somebody clicks; by its own account a browser, or several."""
        agent, ip, at = self._browser(), self._centre(), delivered + self._seconds(-1, 90)
        if self._chance(0.4):
            yield self._open(reader, at, agent, ip, "scanner")
        for link in range(1, LINKS + 1):
            at += self._seconds(0.02, 0.9)
            if self._chance(0.2):
                agent, ip = self._browser(), self._centre()
            yield self._click(reader, at, agent, ip, link, "scanner")

    def _heads_then_gets(self, reader: int, delivered: datetime) -> Iterator[Seen]:
        agent, ip, at = self._browser(), self._centre(), delivered + self._seconds(1, 40)
        for link in self._some_links(2, 6):
            at += self._seconds(0.3, 3)
            yield self._click(reader, at, agent, ip, link, "scanner", "HEAD")
            yield self._click(reader, at + self._seconds(0.05, 0.8), agent, ip, link, "scanner")

    def _caught_in_trap(self, reader: int, delivered: datetime) -> Iterator[Seen]:
        agent, ip, at = self._browser(), self._centre(), delivered + self._seconds(2, 100)
        yield Seen(reader, EventKind.TRAP, at, agent, ip, "GET", None, "scanner")
        for link in self._some_links(1, 5):
            at += self._seconds(1, 8)
            yield self._click(reader, at, agent, ip, link, "scanner")

    def _a_minute_later(self, reader: int, delivered: datetime) -> Iterator[Seen]:
        agent, ip, at = self._browser(), self._centre(), delivered + self._seconds(40, 100)
        for link in self._some_links(1, 3):
            yield self._click(reader, at, agent, ip, link, "scanner")
            at += self._seconds(2, 20)

    def _like_a_person(self, reader: int, delivered: datetime) -> Iterator[Seen]:
        """The pictures first, then a link or two, at leisure: nothing gives it away."""
        agent, ip, at = self._browser(), self._address("52.17"), delivered + self._seconds(20, 900)
        yield self._open(reader, at, agent, ip, "scanner")
        for link in self._some_links(1, 2):
            at += self._seconds(2, 30)
            yield self._click(reader, at, agent, ip, link, "scanner")

    def _home(self, reader: int, mailbox: str) -> str:
        # Forty people behind one address.
        return f"91.183.{reader // 40 % 250}.7" if mailbox == "office" else self._address("81.240")

    def _centre(self) -> str:
        return f"40.94.{self._random.randrange(3)}.{self._random.randrange(6)}"

    def _address(self, network: str) -> str:
        return f"{network}.{self._random.randrange(256)}.{self._random.randrange(256)}"

    def _browser(self) -> str:
        form, first = self._random.choices(((CHROME, 120), (FIREFOX, 118), (IPHONE, 15)), (6, 2, 3))[0]
        return form.format(first + self._random.randrange(6))

    def _some_links(self, fewest: int, most: int) -> list[int]:
        return self._random.sample(range(1, LINKS + 1), self._random.randint(fewest, most))

    def _later(self) -> timedelta:
        return timedelta(seconds=self._random.lognormvariate(9.2, 1.5) + 30)

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _seconds(self, least: float, most: float) -> timedelta:
        return timedelta(seconds=self._random.uniform(least, most))

    def _open(self, reader: int, at: datetime, agent: str, ip: str, who: str) -> Seen:
        return Seen(reader, EventKind.OPEN, at, agent, ip, "GET", None, who)

    def _click(
        self, reader: int, at: datetime, agent: str, ip: str, link: int, who: str, method: str = "GET"
    ) -> Seen:
        return Seen(reader, EventKind.CLICK, at, agent, ip, method, link, who)
