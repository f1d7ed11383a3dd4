"""Programs that fetch for people and programs that look at everything, by words of their user agents.

A table to be read and added to: each row with where it is described. Words are compared without regard to case.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network

KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Agent:
    """A program: its name in reports, the words that tell it, where they are described."""

    name: str
    words: str
    source: str


# What others saw in their logs, with examples of each; that of 2026 was looked at.
CATALOGUE = "https://github.com/monperrus/crawler-user-agents"
# How senders of mail tell scanners: these programs name themselves, and others do not.
FIELD_GUIDE = "https://check.live-direct-marketing.online/blog/bot-clicks-security-scanners-detect"
# Seen in logs and in other programs' lists; no page of whoever makes it says so.
OBSERVED = "observed"

# They fetch pictures for people, some of them before anybody looks, so that an open may be a person's or nobody's.
PROXIES = (
    Agent("Gmail", "GoogleImageProxy", CATALOGUE),
    # Fetched ahead for whoever has Gmail open, looked at or not.
    Agent("Gmail", "Edge/12.246 Mozilla/5.0", "https://www.sparkpost.com/blog/gmail-prefetching-images/"),
    Agent("Yahoo Mail", "YahooMailProxy", CATALOGUE),
)
# Mail Privacy Protection says this alone. That is observed, for Apple does not say how to tell it. What it does:
# https://help.socketlabs.com/docs/identifying-apple-mpp-opens-in-notification-api-events
APPLE_MAIL, APPLE_MAIL_AGENT = "Apple Mail", "mozilla/5.0"

SCANNERS = (
    Agent("Barracuda", "barracuda", FIELD_GUIDE),
    Agent("Proofpoint", "proofpoint", FIELD_GUIDE),
    Agent(
        "Microsoft Office",
        "Microsoft Office Existence Discovery",
        "https://learn.microsoft.com/archive/blogs/vsofficedeveloper/"
        "description-of-the-microsoft-office-existence-discovery-protocol-2",
    ),
    Agent("Microsoft Office", "Microsoft Office Protocol Discovery", OBSERVED),
    Agent("Microsoft", "BingPreview", CATALOGUE),
    Agent("Microsoft", "SkypeUriPreview", CATALOGUE),
    Agent("Facebook", "facebookexternalhit", CATALOGUE),
    Agent("WhatsApp", "WhatsApp/", CATALOGUE),
    Agent("Headless Chrome", "HeadlessChrome", CATALOGUE),
    Agent("PhantomJS", "PhantomJS", CATALOGUE),
    Agent("Python", "python-requests", CATALOGUE),
    Agent("Python", "python-urllib", CATALOGUE),
    Agent("Python", "aiohttp/", CATALOGUE),
    Agent("Go", "Go-http-client", CATALOGUE),
    Agent("Java", "Apache-HttpClient", CATALOGUE),
    Agent("JavaScript", "node-fetch", CATALOGUE),
    Agent("JavaScript", "axios/", CATALOGUE),
    Agent("Perl", "libwww-perl", CATALOGUE),
    Agent("curl", "curl/", CATALOGUE),
    Agent("Wget", "wget/", CATALOGUE),
    # What crawlers call themselves, with the page about them: (compatible; ExampleBot/2.1; +https://…).
    Agent("a crawler", "bot/", CATALOGUE),
    Agent("a crawler", "bot;", CATALOGUE),
    Agent("a crawler", "bot-", CATALOGUE),
    Agent("a crawler", "crawler", CATALOGUE),
    Agent("a crawler", "spider", CATALOGUE),
)

# Networks of Barracuda, whose gateway follows links and does not say who it is, as Act-On found
# (https://university.act-on.com/Product_Features/Reports/Sent_Email_Reports/Identifying_False_Positives_in_Email_Clicks).
# Nothing is looked up.
NETWORKS = (
    # By the registry: ARIN, NET-64-235-144-0-1.
    ip_network("64.235.144.0/20"),
    # https://campus.barracuda.com/product/emailgatewaydefense/doc/96023004/ip-analysis-inbound/
    ip_network("209.222.80.0/21"),
)


@lru_cache(KEPT)
def proxy_of(user_agent: str) -> str:
    """The name of the mailbox provider that fetches by this user agent; empty for any other."""
    if user_agent.strip().casefold() == APPLE_MAIL_AGENT:
        return APPLE_MAIL
    return _name(user_agent, PROXIES)


@lru_cache(KEPT)
def scanner_of(user_agent: str) -> str:
    """The name of the program that looks at everything by this user agent; empty for any other."""
    return _name(user_agent, SCANNERS)


@lru_cache(KEPT)
def is_scanners(ip: str) -> bool:
    """Whether an address is in a scanner's own network. What is no address is in none."""
    try:
        address = ip_address(ip)
    except ValueError:
        return False
    return any(address in network for network in NETWORKS)


def _name(user_agent: str, agents: tuple[Agent, ...]) -> str:
    said = user_agent.casefold()
    return next((agent.name for agent in agents if agent.words.casefold() in said), "")
