"""The sample issue and the pages, as a real Chromium shows them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright
from sqlalchemy import select

from newsletter.audience.lists import Manner, edit_list
from newsletter.config import load_settings
from newsletter.db import Database
from newsletter.mail.outbox import Outbox
from newsletter.models import Delivery, List, Subscription, SubscriptionStatus
from newsletter.models.schema import upgrade
from newsletter.resources import SAMPLE_ISSUE
from newsletter.sending.builders import load_builder
from newsletter.sending.message import Addressee
from newsletter.tracking.tokens import Tokens
from newsletter.web.app import make_app
from tests.factories import NOW, SECRET, make_mailing
from tests.servers.valkey import ValkeyServer

CHROMIUM = shutil.which("chromium")
WIDTHS = (320, 375, 640, 1200)
TOKENS = Tokens.of(SECRET.encode())


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None and "CI" not in os.environ:
        pytest.skip("there is no chromium on this machine: apt-get install chromium")
    assert CHROMIUM is not None, "CI must have chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


class Watched:
    """A page with everything it asked for and everything it complained of."""

    def __init__(self, context: BrowserContext) -> None:
        self.requested: list[str] = []
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        context.on("request", self._on_request)
        context.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _on_request(self, request: Request) -> None:
        self.requested.append(request.url)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@contextmanager
def watched(browser: Browser, width: int = 1200, scheme: str = "light") -> Iterator[Watched]:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    try:
        yield Watched(context)
    finally:
        context.close()


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


# The sample issue, as `newsletter render` writes it.


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    command = [sys.executable, "-m", "newsletter", "render", str(SAMPLE_ISSUE), "-o", "issue.html"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "issue.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_sample_fits_its_window_and_asks_nobody_for_anything(
    browser: Browser, sample: Path, width: int, scheme: str
) -> None:
    with watched(browser, width, scheme) as seen:
        seen.page.goto(sample.as_uri())
        assert overflow(seen.page) <= 0
        title = seen.page.locator("h1")
        assert title.count() == 1
        assert title.is_visible()
        assert "Kazakhstan" in title.inner_text()
        assert [url for url in seen.requested if not url.startswith("data:")] == [sample.as_uri()]
        pictures = seen.page.locator("img").evaluate_all("all => all.map(one => [one.src.slice(0, 5), one.complete])")
        assert pictures == [["data:", True]] * 2, "the picture and the pixel"
        clipped = "all => all.filter(one => one.getBoundingClientRect().right > innerWidth + 1).length"
        assert seen.page.locator("h1, h2, h3, p, li, blockquote, a").evaluate_all(clipped) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sample_can_be_read_in_both_colour_schemes(browser: Browser, sample: Path, scheme: str) -> None:
    with watched(browser, 375, scheme) as seen:
        seen.page.goto(sample.as_uri())
        faint = seen.page.locator("h1, h2, h3, p, li").evaluate_all(CONTRAST)
        assert faint == []


# Text whose contrast with what lies behind it is below 4.5 (WCAG 2.2, 1.4.3); backgrounds that are pictures are not
# looked at.
CONTRAST = """
all => {
  const channels = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b]
    .map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const colour = channels(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return matchMedia('(prefers-color-scheme: dark)').matches
      && getComputedStyle(document.documentElement).colorScheme.includes('dark') ? [18, 18, 18] : [255, 255, 255];
  };
  return all.filter(one => one.innerText.trim() && one.offsetHeight > 2).map(one => {
    const [a, b] = [light(channels(getComputedStyle(one).color)), light(behind(one))];
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), one.innerText.slice(0, 60)];
  }).filter(([ratio]) => ratio < 4.5);
}
"""


# The pages, served as `newsletter up` and `newsletter demo` serve them.


class Site:
    """The application on a free port, with one mailing and its first message in the outbox."""

    def __init__(self, folder: Path, valkey: ValkeyServer) -> None:
        self.database = Database(f"sqlite:///{folder / 'newsletter.db'}")
        upgrade(self.database)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.mailing_id = make_mailing(self.database, base_url=self.address)
        settings = load_settings(
            database_url=str(self.database.url), broker_url=valkey.url, secret_key=SECRET, base_url=self.address
        )
        self.outbox = Outbox(folder / "outbox")
        with self.database.read() as session:
            self.delivery = session.scalars(select(Delivery).order_by(Delivery.id)).all()[0]
            builder = load_builder(session, self.mailing_id, self.address, TOKENS)
        reader = Addressee(self.delivery.id, self.delivery.email, "Ada", "", {})
        envelope = builder.build(reader, NOW)
        self.outbox.keep(envelope.mail_from, [envelope.rcpt_to], envelope.data, NOW)
        self._app = make_app(settings, self.outbox.directory)
        self._server = uvicorn.Server(uvicorn.Config(self._app, log_level="warning", access_log=False))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})

    def start(self) -> None:
        self._thread.start()
        give_up_at = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < give_up_at
            time.sleep(0.02)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()
        self._app.state.newsletter.database.close()
        self.database.close()

    @property
    def unsubscribe_url(self) -> str:
        return f"{self.address}/u/{TOKENS.unsubscribes.seal(self.mailing_id, self.delivery.id)}"

    @property
    def unsubscribed(self) -> bool:
        with self.database.read() as session:
            wanted = select(Subscription.status).where(Subscription.subscriber_id == self.delivery.subscriber_id)
            return session.scalars(wanted).one() is SubscriptionStatus.UNSUBSCRIBED


@pytest.fixture
def site(tmp_path: Path, valkey: ValkeyServer) -> Iterator[Site]:
    site = Site(tmp_path, valkey)
    site.start()
    yield site
    site.stop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_unsubscribing_is_one_button_that_works(browser: Browser, site: Site, scheme: str) -> None:
    with watched(browser, 320, scheme) as seen:
        seen.page.goto(site.unsubscribe_url)
        assert not site.unsubscribed
        assert seen.page.locator("button, a, input").count() == 2, "the button, and the way to the preferences"
        button = seen.page.get_by_role("button", name="Se désabonner")
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44, "too small for a thumb"
        assert overflow(seen.page) <= 0
        button.click()
        seen.page.get_by_role("heading", name="Vous êtes désabonné").wait_for()
        assert site.unsubscribed
        assert overflow(seen.page) <= 0
        assert seen.complaints == []
        assert seen.page.context.cookies() == []
        assert all(url.startswith(site.address) for url in seen.requested)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_readers_forms_fit_a_telephone_and_axe_finds_nothing_serious(
    browser: Browser, site: Site, scheme: str
) -> None:
    with site.database.write() as session:
        edit_list(session, session.scalars(select(List)).one(), Manner(is_public=True, description="Une lettre."))
    preferences = site.unsubscribe_url.replace("/u/", "/preferences/")
    with watched(browser, 375, scheme) as seen:
        for address in (f"{site.address}/subscribe/vendredi", f"{preferences}?done=saved", site.unsubscribe_url):
            seen.page.goto(address)
            assert overflow(seen.page) <= 0
            found = Axe().run(seen.page).response["violations"]
            assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
        # The page's own policy keeps axe from adding styles; of the page itself nothing complains.
        assert all(url.startswith(site.address) for url in seen.requested)


def test_unsubscribing_works_from_the_keyboard_and_without_scripts(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.unsubscribe_url)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Vous êtes désabonné").wait_for()
    context.close()
    assert site.unsubscribed


@pytest.mark.parametrize("width", [320, 1200])
def test_demo_pages_complain_of_nothing_and_fit_their_window(browser: Browser, site: Site, width: int) -> None:
    addresses = (
        *("/demo/messages", "/demo/messages/1", "/demo/messages/1?view=text", "/demo/messages/1?view=headers"),
        *("/demo/messages/1?view=source", "/demo/reports", "/u/forged"),
    )
    with watched(browser, width) as seen:
        for address in addresses:
            seen.page.goto(f"{site.address}{address}")
            assert seen.page.locator("h1").is_visible(), address
            assert overflow(seen.page) <= 0, address
        # Chromium tells of the 404 that a forged link is answered with; nothing else is amiss.
        assert [text for text in seen.complaints if "404" not in text] == []
        assert all(url.startswith((site.address, "data:")) for url in seen.requested)


def test_the_mailbox_leads_to_the_message_as_its_reader_sees_it(browser: Browser, site: Site) -> None:
    with watched(browser) as seen:
        seen.page.goto(site.address)
        seen.page.get_by_role("link", name=site.delivery.email).click()
        phone = seen.page.frame_locator("iframe.phone")
        phone.get_by_role("heading", level=1).wait_for()
        assert "Bonjour Ada" in phone.locator("body").inner_text()
        assert seen.complaints == []
        with seen.page.context.expect_page() as opened:
            phone.get_by_role("link", name="Se désabonner").click()
        opened.value.get_by_role("button", name="Se désabonner").wait_for()
        assert opened.value.url == site.unsubscribe_url


def test_unsubscribing_works_from_a_message_in_the_mailbox(browser: Browser, site: Site) -> None:
    with watched(browser) as seen:
        seen.page.goto(f"{site.address}/demo/messages/1")
        with seen.page.context.expect_page() as opened:
            seen.page.frame_locator("iframe.phone").get_by_role("link", name="Se désabonner").click()
        opened.value.get_by_role("button", name="Se désabonner").click()
        opened.value.get_by_role("heading", name="Vous êtes désabonné").wait_for(timeout=2000)
        assert seen.complaints == []
        assert site.unsubscribed
