from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from newsletter.config import Settings, load_settings
from newsletter.db import Database
from newsletter.mail.outbox import Outbox
from newsletter.models import Asset
from newsletter.web.security import HEADERS
from tests.factories import BASE_URL, NOW, SECRET
from tests.servers.valkey import ValkeyServer
from tests.unit.stats.counted import CLICK, CLIENT, ISSUE, LINK, MACHINE, OPEN, PERSON, PROXY, count
from tests.unit.web.conftest import Sent, serving

DEMO_PAGES = ("/", "/demo/messages", "/demo/messages/1", "/demo/messages/1/html", "/demo/reports", "/demo/reports/1")


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    """A catch-all server's folder with one message."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "redaction@hebdo.example", "ada@example.org", "Vendredi <b>"
    message.set_content("Bonjour")
    message.add_alternative(
        f'<html><head></head><body><a href="{BASE_URL}/c/x/1">Lire</a><script>alert(1)</script></body></html>',
        subtype="html",
    )
    outbox = Outbox(tmp_path / "outbox")
    outbox.keep("redaction@hebdo.example", ["ada@example.org"], message.as_bytes(), NOW)
    return outbox


@pytest.fixture
def demo(settings: Settings, outbox: Outbox) -> Iterator[TestClient]:
    yield from serving(settings, outbox.directory)


@pytest.fixture
def without_database(valkey: ValkeyServer) -> Iterator[TestClient]:
    url = "postgresql://newsletter:geheim@127.0.0.1:1/newsletter"
    yield from serving(load_settings(database_url=url, broker_url=valkey.url, secret_key=SECRET))


def test_it_is_healthy_while_its_database_answers(client: TestClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_every_page_carries_the_security_headers(demo: TestClient, sent: Sent) -> None:
    addresses = (
        *(f"/c/{sent.clicks}/0", "/c/x/1", f"/u/{sent.unsubscribes}", "/u/x"),
        *("/healthz", "/static/web.css", "/static/absent.css", "/m/absent.png", "/absent", *DEMO_PAGES),
    )
    for address in addresses:
        for method in ("GET", "HEAD", "POST"):
            headers = demo.request(method, address).headers
            for name in HEADERS:
                assert name in headers, f"{method} {address} without {name}"
            assert headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in headers["content-security-policy"]


def test_a_redirect_tells_neither_the_next_page_nor_a_search_engine_who_came(client: TestClient, sent: Sent) -> None:
    headers = client.get(f"/c/{sent.clicks}/1", follow_redirects=False).headers
    assert (headers["referrer-policy"], headers["x-robots-tag"]) == ("no-referrer", "noindex, nofollow")
    assert "no-store" in headers["cache-control"]


def test_a_picture_is_served_as_it_was_and_may_be_kept_for_ever(
    client: TestClient, sent: Sent, database: Database
) -> None:
    assert sent.mailing_id
    with database.read() as session:
        asset = session.scalars(select(Asset).limit(1)).one()
    answer = client.get(f"/m/{asset.digest}.png")
    assert answer.status_code == 200
    assert answer.content == asset.content
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_a_picture_that_is_not_there_is_a_page_that_says_so(client: TestClient) -> None:
    for address in (f"/m/{'0' * 64}.png", "/m/x.png", "/m/..%2F..%2Fetc%2Fpasswd", "/static/../app.py", "/absent"):
        answer = client.get(address)
        assert answer.status_code == 404, address
        assert "immutable" not in answer.headers.get("cache-control", "")


def test_without_its_database_it_says_later_and_nothing_more(without_database: TestClient, sent: Sent) -> None:
    for method, address in (
        ("GET", f"/preferences/{sent.unsubscribes}"),
        ("POST", f"/preferences/{sent.unsubscribes}/leave-all"),
        ("GET", f"/c/{sent.clicks}/1"),
        ("GET", "/healthz"),
        ("GET", "/m/x.png"),
    ):
        answer = without_database.request(method, address)
        assert answer.status_code == 503, address
        assert answer.text == "Temporarily unavailable. Please try again in a few minutes.\n"
    assert without_database.get(f"/o/{sent.opens}.gif").status_code == 200


def test_demo_pages_are_there_only_with_an_outbox(client: TestClient) -> None:
    for address in DEMO_PAGES:
        assert client.get(address).status_code == 404, address


def test_demo_pages_show_what_was_caught(demo: TestClient, sent: Sent) -> None:
    assert demo.get("/").headers["location"] == "/demo/messages"
    listed = demo.get("/demo/messages")
    assert listed.status_code == 200
    assert "1 caught message<" in listed.text
    assert "Vendredi &lt;b&gt;" in listed.text
    for view in ("html", "text", "headers", "source", "nonsense"):
        answer = demo.get(f"/demo/messages/1?view={view}")
        assert answer.status_code == 200
        assert "<b>" not in answer.text
    assert demo.get("/demo/reports").headers["location"] == f"/demo/reports/{sent.mailing_id}"
    assert "Kazakhstan" in demo.get(f"/demo/reports/{sent.mailing_id}").text


def test_the_report_page_shows_people_proxies_and_machines_apart(
    demo: TestClient, sent: Sent, database: Database
) -> None:
    count(
        database,
        sent.mailing_id,
        (OPEN, PERSON, ISSUE, "", 1234, 2000),
        (OPEN, PROXY, ISSUE, "", 56, 60),
        (CLICK, MACHINE, ISSUE, "", 7, 70),
        (CLICK, PERSON, LINK, "1", 89, 1990),
        (OPEN, PERSON, CLIENT, "<b>Fox</b>", 3, 3),
    )
    text = demo.get(f"/demo/reports/{sent.mailing_id}").text
    for number in ("<b>1,234</b> opened", "<b>56</b> opened by a proxy", ">89<", ">1,990<", "clicks 70"):
        assert number in text
    assert "Opens are an estimate" in text
    assert "&lt;b&gt;Fox&lt;/b&gt;" in text
    assert "<b>Fox" not in text


def test_a_caught_message_may_run_and_fetch_nothing(demo: TestClient) -> None:
    answer = demo.get("/demo/messages/1/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "script-src" not in policy
    assert 'href="/c/x/1"' in answer.text


@pytest.mark.parametrize(
    "address", ["/demo/messages/2", "/demo/messages/2/html", "/demo/reports/99", "/demo/reports"]
)
def test_what_was_not_caught_is_a_page_that_says_so(demo: TestClient, address: str) -> None:
    answer = demo.get(address)
    assert answer.status_code == 404
    assert "<h1>" in answer.text


def test_older_messages_are_a_page_away(settings: Settings, outbox: Outbox) -> None:
    raw = outbox.get(1).raw
    for _ in range(50):
        outbox.keep("redaction@hebdo.example", ["ada@example.org"], raw, NOW)
    for client in serving(settings, outbox.directory):
        newest = client.get("/demo/messages").text
        assert newest.count('href="/demo/messages/') == 50
        assert 'href="/demo/messages?before=2"' in newest
        oldest = client.get("/demo/messages?before=2").text
        assert oldest.count('href="/demo/messages/') == 1
        assert client.get("/demo/messages?before=x").text == newest
