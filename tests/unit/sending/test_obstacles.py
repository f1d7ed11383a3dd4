from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from newsletter.db import Database
from newsletter.errors import NotFoundError
from newsletter.models import Batch, Mailing, MailingStatus
from newsletter.sending import control, pace
from newsletter.sending.obstacles import obstacles
from newsletter.sending.plan import plan
from newsletter.smtp_accounts import Account, Pace
from newsletter.smtp_url import SmtpAccount
from tests.factories import EMAILS, NOW, make_mailing
from tests.servers.smtp import SmtpServer
from tests.unit.sending.conftest import Post, make_account

MAIN = Account("main", SmtpAccount("127.0.0.1", 25), frozenset(), 1, 8, Pace())
A_MINUTE = timedelta(minutes=1)


def waits(
    database: Database, mailing_id: int, *, after: timedelta = timedelta(), accounts: Sequence[Account] = (MAIN,)
) -> list[str]:
    """What the mailing waits for, some time after `NOW`."""
    with database.read() as session:
        return obstacles(session, accounts, mailing_id, NOW + after)


def change(database: Database, **values: Any) -> None:
    """Change every mailing."""
    with database.write() as session:
        session.execute(update(Mailing).values(values))


def close(database: Database, domain: str, reason: str) -> None:
    with database.write() as session:
        pace.close(session, MAIN, domain, reason, NOW)


def test_a_mailing_that_goes_on_waits_for_nothing(database: Database) -> None:
    assert waits(database, make_mailing(database)) == []


def test_a_mailing_for_later_waits_for_its_time(database: Database) -> None:
    mailing_id = make_mailing(database, planned=False)
    assert waits(database, mailing_id, after=-A_MINUTE) == ["its time, 2026-03-13 07:00:00 UTC"]
    assert waits(database, mailing_id) == []


def test_a_mailing_that_nobody_begins_waits_for_a_worker(database: Database) -> None:
    mailing_id = make_mailing(database, planned=False)
    assert waits(database, mailing_id, after=A_MINUTE) == [
        "a worker to begin it, since 2026-03-13 07:00:00 UTC: does one run? (`newsletter up`)"
    ]


def test_a_paused_mailing_waits_for_its_editor_and_says_why(database: Database) -> None:
    mailing_id = make_mailing(database)
    with database.write() as session:
        control.pause(session, mailing_id)
    resume = f"`newsletter mailing resume {mailing_id}`, since it was paused"
    assert waits(database, mailing_id) == [f"{resume} by hand"]
    change(database, pause_reason="of the first 10, 3 were refused: 550 5.7.1 blocked")
    assert waits(database, mailing_id) == [f"{resume}: of the first 10, 3 were refused: 550 5.7.1 blocked"]


@pytest.mark.parametrize("status", [MailingStatus.SENT, MailingStatus.CANCELLED])
def test_a_mailing_that_is_over_waits_for_nothing(database: Database, status: MailingStatus) -> None:
    mailing_id = make_mailing(database)
    change(database, status=status)
    assert waits(database, mailing_id, after=A_MINUTE) == []


def test_outside_its_window_a_mailing_waits_for_the_window(database: Database) -> None:
    mailing_id = make_mailing(database)
    change(database, window="mon-fri 09:00-20:00")
    assert waits(database, mailing_id, after=A_MINUTE) == [
        "its window (mon-fri 09:00-20:00 in Europe/Brussels), which opens at 2026-03-13 08:00:00 UTC"
    ]
    assert waits(database, mailing_id, after=timedelta(hours=13)) == [
        "its window (mon-fri 09:00-20:00 in Europe/Brussels), which opens at 2026-03-16 08:00:00 UTC"
    ]


def test_the_rest_of_a_mailing_waits_for_its_canary(post: Post) -> None:
    mailing_id = make_mailing(post.database, planned=False)
    change(post.database, canary=2)
    with post.database.write() as session:
        plan(session, mailing_id, NOW)
    assert waits(post.database, mailing_id) == [
        "its canary: the first 2 go ahead, the rest follows unless too many of them are refused"
    ]
    post.turn()
    assert waits(post.database, mailing_id) == []


def test_mail_that_no_account_is_for_waits_for_one(database: Database) -> None:
    other = Account("other", MAIN.smtp, frozenset({"another.example"}), 1, 8, Pace())
    assert waits(database, make_mailing(database), accounts=[other]) == [
        "an SMTP account for mail from hebdo-vendredi.example: add one to the settings"
    ]


def test_an_account_that_rests_is_named_with_the_reason(database: Database) -> None:
    mailing_id = make_mailing(database)
    close(database, pace.ALL, "421 4.3.2 shutting down")
    assert waits(database, mailing_id, after=timedelta(seconds=1)) == [
        "the SMTP account main, which rests until 2026-03-13 07:00:15 UTC: 421 4.3.2 shutting down"
    ]
    assert waits(database, mailing_id, after=timedelta(seconds=15)) == []


def test_an_account_that_is_not_for_the_mailing_is_none_of_its_obstacles(database: Database) -> None:
    mailing_id = make_mailing(database)
    close(database, pace.ALL, "421 4.3.2 shutting down")
    other = Account("other", MAIN.smtp, frozenset(), 1, 8, Pace())
    assert waits(database, mailing_id, accounts=[other]) == []


def test_a_domain_that_is_left_alone_is_named_where_somebody_there_is_still_to_be_sent_to(database: Database) -> None:
    mailing_id = make_mailing(database)
    close(database, "example.org", "421 4.7.28 too much mail")
    close(database, "example.com", "421 4.7.28 too much mail")
    assert waits(database, mailing_id) == [
        "example.org, which is left alone until 2026-03-13 07:00:15 UTC: 421 4.7.28 too much mail"
    ]


def test_an_account_that_has_sent_its_share_of_the_day_goes_on_tomorrow(post: Post, smtp: SmtpServer) -> None:
    account = make_account(smtp, pace=Pace(messages_a_day=(2,)))
    small = Post(post.database, [account])
    mailing_id = make_mailing(post.database)
    small.turn()
    small.close()
    assert waits(post.database, mailing_id, after=A_MINUTE, accounts=[account]) == [
        "the SMTP account main, which has sent its share of today and goes on at 2026-03-14 00:00:00 UTC"
    ]
    assert waits(post.database, mailing_id, after=timedelta(days=1), accounts=[account]) == [
        "a worker, since 2026-03-13 07:00:00 UTC: does one run? (`newsletter up`)"
    ]


def test_where_only_a_slow_domain_is_left_its_pace_is_what_is_waited_for(post: Post, smtp: SmtpServer) -> None:
    account = make_account(smtp, pace=Pace(domains={"example.org": 0.5}))
    slow = Post(post.database, [account])
    mailing_id = make_mailing(post.database)
    slow.turn()
    slow.close()
    assert waits(post.database, mailing_id, after=A_MINUTE, accounts=[account]) == [
        "the pace that the settings allow for example.org"
    ]


def test_a_slow_account_is_not_taken_for_a_missing_worker(post: Post, smtp: SmtpServer) -> None:
    account = make_account(smtp, pace=Pace(messages_a_second=0.01))
    slow = Post(post.database, [account])
    mailing_id = make_mailing(post.database)
    slow.turn()
    slow.close()
    assert len(smtp.messages) == 1
    assert waits(post.database, mailing_id, after=A_MINUTE, accounts=[account]) == []


def test_those_whom_a_server_puts_off_are_waited_for(post: Post, smtp: SmtpServer) -> None:
    smtp.refuse[EMAILS[0]] = "451 4.3.0 later"
    mailing_id = make_mailing(post.database)
    post.turn()
    assert waits(post.database, mailing_id) == ["the next recipients, who are due at 2026-03-13 07:01:00 UTC"]


def test_a_mailing_that_nobody_takes_up_waits_for_a_worker(database: Database) -> None:
    mailing_id = make_mailing(database)
    assert waits(database, mailing_id, after=A_MINUTE) == [
        "a worker, since 2026-03-13 07:00:00 UTC: does one run? (`newsletter up`)"
    ]


def test_a_mailing_that_a_worker_has_in_hand_waits_for_nothing(post: Post) -> None:
    mailing_id = make_mailing(post.database)
    assert post.desk.draw() is not None
    assert waits(post.database, mailing_id, after=A_MINUTE) == []
    with post.database.write() as session:
        session.execute(update(Batch).values(taken_by=None, taken_at=NOW + A_MINUTE))
    assert waits(post.database, mailing_id, after=A_MINUTE) == []


def test_an_unknown_mailing_is_named(database: Database) -> None:
    with pytest.raises(NotFoundError, match="there is no mailing 56"):
        waits(database, 56)
