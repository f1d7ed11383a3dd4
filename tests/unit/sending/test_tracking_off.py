from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from newsletter.db import Database
from newsletter.models import Mailing, Publication, Tracking
from newsletter.sending.builders import load_builder
from newsletter.sending.message import Addressee
from newsletter.tracking.tokens import Tokens
from tests.factories import BASE_URL, NOW, SECRET, make_mailing


def parts(database: Database, publication: Tracking, subscriber: Tracking | None) -> tuple[str, str]:
    """The HTML and the text of a message to a subscriber."""
    mailing_id = make_mailing(database)
    with database.write() as session:
        for one in session.query(Publication):
            one.tracking = publication
        session.flush()
        assert session.get_one(Mailing, mailing_id).content["links"]
        builder = load_builder(session, mailing_id, BASE_URL, Tokens.of(SECRET.encode()))
    raw = builder.build(Addressee(7, "ada@example.org", "Ada", "", {}, tracking=subscriber), NOW).data
    message = message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
    html, text = (message.get_body((kind,)) for kind in ("html", "plain"))
    assert html is not None
    assert text is not None
    return str(html.get_content()), str(text.get_content())


@pytest.mark.parametrize(
    ("publication", "subscriber"),
    [
        (Tracking.OFF, None),
        (Tracking.INDIVIDUAL, Tracking.OFF),
    ],
)
def test_whoever_is_not_tracked_gets_no_pixel_no_hidden_link_and_links_that_lead_where_they_lead(
    database: Database, publication: Tracking, subscriber: Tracking | None
) -> None:
    html, text = parts(database, publication, subscriber)
    for part in (html, text):
        assert f"{BASE_URL}/o/" not in part
        assert f"{BASE_URL}/c/" not in part
        assert f"{BASE_URL}/u/" in part
    assert "aria-hidden" not in html
    assert 'href="https://' in html


@pytest.mark.parametrize(
    ("publication", "subscriber"),
    [
        (Tracking.AGGREGATE, None),
        (Tracking.OFF, Tracking.INDIVIDUAL),
    ],
)
def test_whoever_may_be_tracked_gets_one_pixel_one_hidden_link_and_links_of_ours(
    database: Database, publication: Tracking, subscriber: Tracking | None
) -> None:
    html, text = parts(database, publication, subscriber)
    assert html.count(f"{BASE_URL}/o/") == 1
    (hidden,) = re.findall(r'<a href="[^"]+/0" aria-hidden="true" tabindex="-1" style="([^"]+)"></a>', html)
    assert "display: none" in hidden
    assert f"{BASE_URL}/c/" in text
    assert "/0\n" not in text
