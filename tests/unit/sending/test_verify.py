from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from newsletter.errors import ConflictError
from newsletter.models import Batch, Delivery, DeliveryState
from newsletter.sending.receipt import make_receipt
from newsletter.sending.seal import digest_of, seal
from newsletter.sending.verify import verify
from tests.factories import EMAILS, make_mailing
from tests.servers.smtp import SmtpServer
from tests.unit.sending.conftest import Post


@pytest.fixture
def sent(post: Post, smtp: SmtpServer) -> int:
    smtp.refuse[EMAILS[0]] = "550 5.1.1 no such user"
    mailing_id = make_mailing(post.database)
    post.turn()
    return mailing_id


def complaint(post: Post, mailing_id: int, change: Callable[[Session], object]) -> str:
    with post.database.write() as session:
        change(session)
    with post.database.read() as session, pytest.raises(ConflictError) as caught:
        verify(session, make_receipt(session, mailing_id))
    return str(caught.value)


def test_a_ledger_that_nobody_touched_fits_its_receipt(post: Post, sent: int) -> None:
    with post.database.read() as session:
        receipt = make_receipt(session, sent)
        verify(session, receipt)
    assert receipt.refusals == {"address": 1}
    assert receipt.to_json()["outcomes"] == {"rejected": 1, "sent": 2}


@pytest.mark.parametrize(
    "values",
    [
        {"state": DeliveryState.SENT},
        {"email": "someone@example.org"},
        {"reply": "250 fine"},
        {"attempts": 2},
        {"settled_at": None},
        {"refusal": None},
    ],
    ids=lambda values: next(iter(values)),
)
def test_whatever_is_changed_in_a_row_is_noticed_and_the_row_is_named(
    post: Post, sent: int, values: dict[str, object]
) -> None:
    change = update(Delivery).where(Delivery.email == EMAILS[0]).values(values)
    said = complaint(post, sent, lambda session: session.execute(change))
    email = values.get("email", EMAILS[0])
    assert f"the row of {email} (delivery 1, " in said


def test_a_row_taken_out_is_noticed_where_it_was(post: Post, sent: int) -> None:
    said = complaint(post, sent, lambda session: session.execute(delete(Delivery).where(Delivery.email == EMAILS[1])))
    assert f"the row of {EMAILS[2]} (delivery 3, sent) does not fit" in said
    assert "one just before it was taken out" in said


def test_a_last_row_taken_out_is_noticed(post: Post, sent: int) -> None:
    said = complaint(post, sent, lambda session: session.execute(delete(Delivery).where(Delivery.email == EMAILS[2])))
    assert "1 rows are missing before delivery 4" in said


def test_seals_that_are_changed_along_with_their_rows_still_do_not_fit_the_receipt(post: Post, sent: int) -> None:
    def forge(session: Session) -> None:
        session.execute(update(Delivery).where(Delivery.email == EMAILS[0]).values(state=DeliveryState.SENT))
        batch = session.scalars(select(Batch)).one()
        batch.seals, batch.digest = seal(session, Delivery.mailing_id == sent)

    assert "not all batches are those of the receipt" in complaint(post, sent, forge)


def test_a_mailing_under_way_has_nothing_to_verify_yet(post: Post) -> None:
    mailing_id = make_mailing(post.database)
    said = complaint(post, mailing_id, lambda _: None)
    assert said == f"mailing {mailing_id} is sending: its outcomes are sealed once it is closed"


def test_the_order_of_batches_is_part_of_the_digest() -> None:
    assert digest_of(["a", "b"]) != digest_of(["b", "a"])
