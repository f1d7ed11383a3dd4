from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from newsletter.db import Database
from newsletter.models import Delivery, Event, EventKind, Subscription, SubscriptionStatus
from tests.factories import make_mailing
from tests.unit.web.conftest import BAD_TOKENS, TOKENS, Sent, first_of, rows

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def status_of(database: Database, sent: Sent) -> SubscriptionStatus:
    with database.read() as session:
        delivery = session.get_one(Delivery, sent.delivery_id)
        subscription = select(Subscription.status).where(Subscription.subscriber_id == delivery.subscriber_id)
        return session.scalars(subscription).one()


def events(database: Database) -> list[tuple[EventKind, int | None]]:
    """What is kept, and of which delivery: of none, where nobody chose otherwise."""
    with database.read() as session:
        return [(event.kind, event.delivery_id) for event in session.scalars(select(Event))]


def test_asking_shows_one_button_and_changes_nothing(client: TestClient, sent: Sent, database: Database) -> None:
    before = rows(database)
    for _ in range(2):
        answer = client.get(f"/u/{sent.unsubscribes}")
        assert answer.status_code == 200
        assert answer.text.count("<button") == 1
        assert answer.text.count("<form") == 1
        assert '<form method="post">' in answer.text
        assert answer.text.count("<a ") == 1
        assert f'<a href="/preferences/{sent.unsubscribes}">' in answer.text
        assert "<script" not in answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert "set-cookie" not in answer.headers
    assert rows(database) == before


@pytest.mark.parametrize("body", [ONE_CLICK, None, {"something": "else"}])
def test_one_click_takes_the_reader_off_the_list_and_the_second_is_as_good_as_the_first(
    client: TestClient, sent: Sent, database: Database, body: dict[str, str] | None
) -> None:
    for _ in range(2):
        answer = client.post(f"/u/{sent.unsubscribes}", data=body)
        assert answer.status_code == 200
        assert "location" not in answer.headers
        assert "set-cookie" not in answer.headers
        assert status_of(database, sent) is SubscriptionStatus.UNSUBSCRIBED
    assert events(database) == [(EventKind.UNSUBSCRIBE, None)]
    assert not client.cookies


def test_one_click_works_as_a_mail_server_makes_it(client: TestClient, sent: Sent, database: Database) -> None:
    boundary = "multipart/form-data; boundary=x"
    body = b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
    headers = {"Content-Type": boundary, "Origin": "https://mail.example", "User-Agent": ""}
    assert client.post(f"/u/{sent.unsubscribes}", content=body, headers=headers).status_code == 200
    assert status_of(database, sent) is SubscriptionStatus.UNSUBSCRIBED


def test_one_click_many_times_at_once_is_one_event(client: TestClient, sent: Sent, database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.post(f"/u/{sent.unsubscribes}", data=ONE_CLICK), range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert events(database) == [(EventKind.UNSUBSCRIBE, None)]


def test_nobody_else_is_taken_off_and_no_other_list_is_left(
    client: TestClient, sent: Sent, database: Database
) -> None:
    make_mailing(database, slug="samedi")
    assert client.post(f"/u/{sent.unsubscribes}").status_code == 200
    with database.read() as session:
        left = select(Subscription).where(Subscription.status == SubscriptionStatus.UNSUBSCRIBED)
        (subscription,) = session.scalars(left)
        assert subscription.subscriber_id == session.get_one(Delivery, sent.delivery_id).subscriber_id
        assert subscription.unsubscribed_at is not None


def test_a_token_that_was_not_made_for_it_unsubscribes_nobody(
    client: TestClient, sent: Sent, database: Database
) -> None:
    before = rows(database)
    unknown = TOKENS.unsubscribes.seal(sent.mailing_id, sent.delivery_id + 1000)
    crossed = TOKENS.unsubscribes.seal(sent.mailing_id + 1, sent.delivery_id)
    largest = TOKENS.unsubscribes.seal(2**32 - 1, 2**63 - 1)
    for token in (*BAD_TOKENS, sent.opens, sent.clicks, sent.unsubscribes[:-1], unknown, crossed, largest):
        for method in ("GET", "POST"):
            answer = client.request(method, f"/u/{token}")
            assert answer.status_code == 404, token
            assert "<h1>" in answer.text
            assert "<button" not in answer.text
    assert rows(database) == before


@pytest.mark.parametrize(
    ("language", "button", "done"),
    [
        ("fr", "Se désabonner", "Vous êtes désabonné"),
        ("fr-BE", "Se désabonner", "Vous êtes désabonné"),
        ("en", "Unsubscribe", "You are unsubscribed"),
        ("kk", "Unsubscribe", "You are unsubscribed"),
    ],
)
def test_pages_speak_the_publication_s_language_whatever_the_browser_s(
    client: TestClient, database: Database, language: str, button: str, done: str
) -> None:
    sent = first_of(database, make_mailing(database, language=language))
    browser: dict[str, Any] = {"headers": {"Accept-Language": "de"}}
    asked = client.get(f"/u/{sent.unsubscribes}", **browser).text
    assert f">{button}</button>" in asked
    assert f'<html lang="{language}">' in asked
    assert "L’Hebdo" in asked
    assert done in client.post(f"/u/{sent.unsubscribes}", **browser).text


@pytest.mark.parametrize(
    ("accepted", "title"),
    [
        ("fr-BE,fr;q=0.9,en;q=0.8", "Ce lien ne fonctionne pas"),
        ("en", "This link does not work"),
        ("", "This link does not work"),
        ('"><script>alert(1)</script>', "This link does not work"),
        ("../../etc/passwd", "This link does not work"),
    ],
)
def test_a_bad_link_is_told_in_the_browser_s_language(client: TestClient, accepted: str, title: str) -> None:
    answer = client.get("/u/x", headers={"Accept-Language": accepted})
    assert f"<h1>{title}</h1>" in answer.text
    assert "script" not in answer.text
