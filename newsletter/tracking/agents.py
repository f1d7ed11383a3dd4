"""Programs that fetch for people and programs that look at everything, by words of their user agents.

A table to be read and added to: each row with where it is documented. Words are compared without regard to case.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network

KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Agent:
    """A program: its name in reports, the words that tell it, where it says so itself or is described."""

    name: str
    words: str
    source: str


# They fetch pictures for people, some of them before anybody looks, so that an open may be a person's or nobody's.
PROXIES = (
    Agent("Gmail", "GoogleImageProxy", "https://support.google.com/a/answer/3299041"),
    # Fetched ahead for whoever has Gmail open, looked at or not.
    Agent("Gmail", "Edge/12.246 Mozilla/5.0", "https://bird.com/blog/gmail-prefetching-images"),
    Agent("Yahoo Mail", "YahooMailProxy", "https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"),
)
# Mail Privacy Protection says this and nothing more; Apple describes what it does, and not how to tell it:
# https://support.apple.com/guide/iphone/iphf084865c7/ios
APPLE_MAIL, APPLE_MAIL_AGENT = "Apple Mail", "mozilla/5.0"

SCANNERS = (
    Agent("Barracuda", "barracuda", "https://campus.barracuda.com/product/emailgatewaydefense/"),
    Agent("Mimecast", "mimecast", "https://community.mimecast.com/"),
    Agent("Proofpoint", "proofpoint", "https://help.proofpoint.com/"),
    Agent("Microsoft Office", "Microsoft Office Existence Discovery", "https://support.microsoft.com/kb/838028"),
    Agent("Microsoft Office", "Microsoft Office Protocol Discovery", "https://support.microsoft.com/kb/838028"),
    Agent("Microsoft", "BingPreview", "https://www.bing.com/webmasters/help/which-crawlers-does-bing-use-8c184ec0"),
    Agent(
        "Microsoft", "SkypeUriPreview", "https://www.bing.com/webmasters/help/which-crawlers-does-bing-use-8c184ec0"
    ),
    Agent("Facebook", "facebookexternalhit", "https://developers.facebook.com/docs/sharing/webmasters/web-crawlers"),
    Agent("WhatsApp", "WhatsApp/", "https://developers.facebook.com/docs/sharing/webmasters/web-crawlers"),
    Agent("Headless Chrome", "HeadlessChrome", "https://developer.chrome.com/docs/chromium/headless"),
    Agent("PhantomJS", "PhantomJS", "https://phantomjs.org/"),
    Agent("Python", "python-requests", "https://requests.readthedocs.io/"),
    Agent("Python", "python-urllib", "https://docs.python.org/3/library/urllib.request.html"),
    Agent("Python", "aiohttp/", "https://docs.aiohttp.org/"),
    Agent("Go", "Go-http-client", "https://pkg.go.dev/net/http"),
    Agent("Java", "Apache-HttpClient", "https://hc.apache.org/"),
    Agent("Java", "okhttp/", "https://square.github.io/okhttp/"),
    Agent("JavaScript", "node-fetch", "https://github.com/node-fetch/node-fetch"),
    Agent("JavaScript", "axios/", "https://axios-http.com/"),
    Agent("Perl", "libwww-perl", "https://metacpan.org/pod/LWP::UserAgent"),
    Agent("curl", "curl/", "https://curl.se/docs/manpage.html"),
    Agent("Wget", "wget/", "https://www.gnu.org/software/wget/manual/"),
    # What crawlers call themselves, with the page about them: (compatible; ExampleBot/2.1; +https://…).
    Agent("a crawler", "bot/", "https://developers.google.com/search/docs/crawling-indexing/google-common-crawlers"),
    Agent("a crawler", "bot;", "https://developers.google.com/search/docs/crawling-indexing/google-common-crawlers"),
    Agent("a crawler", "bot-", "https://api.slack.com/robots"),
    Agent(
        "a crawler", "crawler", "https://developers.google.com/search/docs/crawling-indexing/google-common-crawlers"
    ),
    Agent("a crawler", "spider", "https://www.baidu.com/search/spider_english.html"),
)

# Scanners' own networks, published by those whose they are. Nothing is looked up.
NETWORKS = (
    (ip_network("64.235.144.0/20"), "https://campus.barracuda.com/product/emailgatewaydefense/"),
    (ip_network("209.222.80.0/21"), "https://campus.barracuda.com/product/emailgatewaydefense/"),
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
    return any(address in network for network, _ in NETWORKS)


def _name(user_agent: str, agents: tuple[Agent, ...]) -> str:
    said = user_agent.casefold()
    return next((agent.name for agent in agents if agent.words.casefold() in said), "")
