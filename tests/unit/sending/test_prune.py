from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from newsletter.errors import ConflictError
from newsletter.models import Delivery, DeliveryState
from newsletter.models.members import find, pack
from newsletter.sending.prune import finished_before, keep_receipt, prune_batch
from newsletter.sending.receipt import make_receipt
from newsletter.sending.verify import verify
from newsletter.stats.report import report
from newsletter.tracking.deliveries import find_recipient
from newsletter.tracking.tokens import Target
from tests.factories import EMAILS, make_mailing
from tests.servers.smtp import DROP, SmtpServer
from tests.unit.sending.conftest import Post


@pytest.fixture
def sent(post: Post, smtp: SmtpServer) -> int:
    smtp.refuse[EMAILS[0]] = "550 5.1.1 no such user"
    smtp.refuse_data[EMAILS[1]] = DROP
    mailing_id = make_mailing(post.database)
    post.turn()
    return mailing_id


def prune(post: Post, mailing_id: int) -> int:
    with post.database.write() as session:
        keep_receipt(session, mailing_id, post.now)
        return prune_batch(session, mailing_id)


def test_a_pruned_mailing_keeps_its_receipt_and_its_report(post: Post, sent: int) -> None:
    with post.database.read() as session:
        receipt, facts = make_receipt(session, sent), report(session, sent)
    assert prune(post, sent) == len(EMAILS)
    with post.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0
        assert make_receipt(session, sent) == receipt
        assert report(session, sent) == replace(facts, tracked=None)
    assert receipt.uncertain == (EMAILS[1],)
    assert prune(post, sent) == 0


def test_links_in_the_mail_of_a_pruned_mailing_still_lead_to_its_reader(post: Post, sent: int) -> None:
    with post.database.read() as session:
        before = [find_recipient(session, Target(sent, number)) for number in range(5)]
    prune(post, sent)
    with post.database.read() as session:
        after = [find_recipient(session, Target(sent, number)) for number in range(5)]
    assert after == before
    assert [bool(found) for found in after] == [False, True, True, True, False]


def test_only_what_is_finished_for_long_enough_is_pruned(post: Post, sent: int) -> None:
    other = make_mailing(post.database, slug="other")
    with post.database.read() as session:
        assert finished_before(session, post.now) == []
        assert finished_before(session, post.now + timedelta(days=1)) == [sent]
    with pytest.raises(ConflictError, match="is sending: only finished mailings"), post.database.write() as session:
        keep_receipt(session, other, post.now)
    prune(post, sent)
    with post.database.read() as session:
        assert finished_before(session, post.now + timedelta(days=1)) == []


def test_a_mailing_whose_books_do_not_fit_is_not_pruned(post: Post, sent: int) -> None:
    with post.database.write() as session:
        session.scalars(select(Delivery)).first().state = DeliveryState.SENT  # type: ignore[union-attr]
    with pytest.raises(ConflictError, match="does not fit"):
        prune(post, sent)
    with post.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == len(EMAILS)


def test_a_pruned_mailing_cannot_be_verified_and_says_why(post: Post, sent: int) -> None:
    prune(post, sent)
    with post.database.read() as session, pytest.raises(ConflictError, match="was pruned on 2026-03-13"):
        verify(session, make_receipt(session, sent))


def test_members_are_found_by_their_number_alone() -> None:
    packed = pack([(3, 30), (5, 50), (2**62, 2**63)])
    assert [find(packed, number) for number in (2, 3, 4, 5, 2**62)] == [None, 30, None, 50, 2**63]
