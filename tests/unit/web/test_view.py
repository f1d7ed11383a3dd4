from __future__ import annotations

from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from newsletter.audience.erasure import forget
from newsletter.db import Database
from newsletter.models import Delivery, Mailing, Subscriber, Tracking
from newsletter.rendering.content import Attachment, Content
from newsletter.sending.builders import load_builder
from newsletter.sending.message import Addressee
from tests.factories import BASE_URL, DIGEST
from tests.unit.web.conftest import BAD_TOKENS, TOKENS, Sent, rows


def html_sent(database: Database, sent: Sent, now: datetime) -> str:
    """The HTML part of the first recipient's message."""
    with database.read() as session:
        email = session.get_one(Delivery, sent.delivery_id).email
        builder = load_builder(session, sent.mailing_id, BASE_URL, TOKENS)
    raw = builder.build(Addressee(sent.delivery_id, email, "", "", {}), now).data
    part = message_from_bytes(raw, _class=EmailMessage, policy=policy.default).get_body(("html",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_a_message_in_the_browser_is_the_one_that_was_sent(
    client: TestClient, sent: Sent, database: Database, now: datetime
) -> None:
    before = rows(database)
    answer = client.get(f"/v/{sent.unsubscribes}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text == html_sent(database, sent, now).replace(f'"{BASE_URL}/', '"/')
    assert f'href="/v/{sent.unsubscribes}"' in answer.text
    assert rows(database) == before


def test_nothing_in_it_may_run_or_be_fetched_from_elsewhere(client: TestClient, sent: Sent) -> None:
    headers = client.get(f"/v/{sent.unsubscribes}").headers
    assert "script-src" not in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "img-src 'self' data:" in headers["content-security-policy"]
    assert (headers["referrer-policy"], headers["x-robots-tag"]) == ("no-referrer", "noindex, nofollow")


def test_whoever_wishes_no_tracking_sees_it_without_pixel_and_counted_links(
    client: TestClient, sent: Sent, database: Database
) -> None:
    with database.write() as session:
        session.execute(update(Subscriber).values(tracking=Tracking.OFF))
    text = client.get(f"/v/{sent.unsubscribes}").text
    assert '"/o/' not in text
    assert '"/c/' not in text
    assert f'"/u/{sent.unsubscribes}"' in text


def test_pictures_that_came_inside_the_message_are_inside_the_page(
    client: TestClient, sent: Sent, database: Database
) -> None:
    with database.write() as session:
        mailing = session.get_one(Mailing, sent.mailing_id)
        data = Content.from_json(mailing.content).to_json()
        data["html"] = ['<img src="cid:one@example.org">', *data["html"]]
        picture = Content.from_json({**data, "attachments": [["one@example.org", "image/png", "AAECAw=="]]})
        assert picture.attachments == (Attachment("one@example.org", "image/png", b"\x00\x01\x02\x03"),)
        mailing.content = picture.to_json()
    assert '<img src="data:image/png;base64,AAECAw==">' in client.get(f"/v/{sent.unsubscribes}").text


def test_a_value_of_a_reader_cannot_become_markup(client: TestClient, sent: Sent, database: Database) -> None:
    with database.write() as session:
        session.execute(update(Subscriber).values(first_name="<script>alert(1)</script>"))
    assert "<script" not in client.get(f"/v/{sent.unsubscribes}").text


@pytest.mark.parametrize("token", BAD_TOKENS)
def test_a_token_that_is_no_token_gets_a_kind_page(client: TestClient, sent: Sent, token: str) -> None:
    for bad in (token, sent.clicks, sent.opens):
        answer = client.get(f"/v/{bad}")
        assert answer.status_code == 404
        assert "Traceback" not in answer.text


def test_a_message_of_someone_who_was_forgotten_is_no_more_to_be_seen(
    client: TestClient, sent: Sent, database: Database, now: datetime
) -> None:
    with database.write() as session:
        email = session.scalars(select(Delivery.email).where(Delivery.id == sent.delivery_id)).one()
        forget(session, email, DIGEST, now)
    assert client.get(f"/v/{sent.unsubscribes}").status_code == 404
