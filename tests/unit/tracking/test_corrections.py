from __future__ import annotations

from datetime import datetime

import pytest

from newsletter.db import Database
from newsletter.errors import InputError, NotFoundError
from newsletter.tracking.corrections import correct_link, corrections
from newsletter.tracking.deliveries import link_targets
from tests.factories import make_mailing

RIGHT = "https://example.org/right"


def test_a_corrected_link_leads_elsewhere_and_what_it_was_is_written_down_once(
    database: Database, now: datetime
) -> None:
    mailing_id = make_mailing(database)
    with database.write() as session:
        before = link_targets(session, mailing_id)
        for _ in range(2):
            correct_link(session, mailing_id, 2, RIGHT, now)
    with database.read() as session:
        assert link_targets(session, mailing_id) == {**before, 2: RIGHT}
        (one,) = corrections(session, mailing_id)
    assert (one.number, one.old_url, one.new_url, one.corrected_at) == (2, before[2], RIGHT, now)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "javascript:alert(1)",
        "//example.org",
        "https://",
        "https://user@example.org/",
        "https://example.org/a b",
        "https://example.org/\r\nSet-Cookie: a=b",
        "https://example.org/{{ subscriber.email }}",
        "https://[::1",
    ],
)
def test_readers_are_led_to_plain_https_addresses_alone(database: Database, now: datetime, url: str) -> None:
    mailing_id = make_mailing(database)
    with database.write() as session, pytest.raises(InputError, match="is no address such as"):
        correct_link(session, mailing_id, 1, url, now)


def test_a_link_that_is_not_there_is_named_with_where_to_look(database: Database, now: datetime) -> None:
    mailing_id = make_mailing(database)
    with database.write() as session, pytest.raises(NotFoundError, match=f"`newsletter mailing links {mailing_id}`"):
        correct_link(session, mailing_id, 99, RIGHT, now)
