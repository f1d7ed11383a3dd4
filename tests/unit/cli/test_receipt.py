"""A mailing's receipt: printed, kept, and compared with the ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from newsletter.db import Database
from newsletter.models import Delivery
from tests.factories import EMAILS, make_mailing
from tests.servers.smtp import DROP, SmtpServer
from tests.unit.cli.conftest import Cli
from tests.unit.sending.conftest import Post


@pytest.fixture
def closed(post: Post, smtp: SmtpServer) -> int:
    """A mailing that is sent: Ada refused, Blaise uncertain."""
    smtp.refuse[EMAILS[0]] = "550 5.1.1 no such user"
    smtp.refuse_data[EMAILS[1]] = DROP
    mailing_id = make_mailing(post.database, slug="samedi")
    post.turn()
    return mailing_id


def keep(cli: Cli, mailing_id: int, **changes: Any) -> Path:
    """The mailing's receipt in a file, with something changed."""
    facts = json.loads(cli("mailing", "receipt", str(mailing_id)).success)
    return cli.write("receipt.json", json.dumps(facts | changes))


def test_a_receipt_accounts_for_everybody(cli: Cli, closed: int) -> None:
    facts = json.loads(cli("mailing", "receipt", str(closed)).success)
    assert facts["audience"] == 3
    assert facts["outcomes"] == {"rejected": 1, "sent": 1, "uncertain": 1}
    assert facts["refusals"] == {"address": 1}
    assert facts["uncertain"] == [EMAILS[1]]
    assert facts["adds_up"] is True


def test_a_ledger_that_nobody_touched_fits_its_receipt_and_the_one_that_was_kept(cli: Cli, closed: int) -> None:
    facts = json.loads(cli("mailing", "receipt", str(closed)).success)
    ledger = f"Mailing {closed}: the ledger, with 3 outcomes, fits its receipt"
    assert cli("mailing", "verify", str(closed)).success == f"{ledger} ({facts['outcomes_digest']}).\n"
    kept = keep(cli, closed)
    verified = cli("mailing", "verify", str(closed), "--against", kept).success
    assert verified == f"{ledger} and receipt.json ({facts['outcomes_digest']}).\n"


def test_a_mailing_that_has_not_begun_has_no_receipt(cli: Cli, world: Database) -> None:
    mailing_id = make_mailing(world, slug="samedi", planned=False)
    for command in ("receipt", "verify"):
        complaint = cli.refused("mailing", command, str(mailing_id))
        assert complaint == f"mailing {mailing_id} has not begun: it has no audience yet"


def test_a_mailing_under_way_has_nothing_to_verify_yet(cli: Cli, world: Database) -> None:
    mailing_id = make_mailing(world, slug="samedi")
    complaint = cli.refused("mailing", "verify", str(mailing_id))
    assert complaint == f"mailing {mailing_id} is sending: its outcomes are sealed once it is closed"


def test_a_row_that_was_changed_is_named(cli: Cli, world: Database, closed: int) -> None:
    with world.write() as session:
        session.execute(update(Delivery).where(Delivery.email == EMAILS[2]).values(reply="250 as you like"))
    complaint = cli.refused("mailing", "verify", str(closed))
    assert f"the row of {EMAILS[2]} (delivery 3, sent) does not fit" in complaint


@pytest.mark.parametrize(
    "content", [b"", b"email\nada@example.org\n", b"[]", b'{"mailing": 1}', b"\xff", b"[" * 9999]
)
def test_a_file_that_is_no_receipt_is_answered_with_the_command_that_makes_one(
    cli: Cli, closed: int, content: bytes
) -> None:
    cli.write("receipt.json", content)
    complaint = cli.refused("mailing", "verify", str(closed), "--against", "receipt.json")
    assert complaint == f"receipt.json: is not a receipt; `newsletter mailing receipt {closed}` makes one"


def test_a_file_that_cannot_be_read_is_named(cli: Cli, closed: int) -> None:
    for path, why in (("absent.json", "no such file or directory"), (".", "is a directory")):
        complaint = cli.refused("mailing", "verify", str(closed), "--against", path)
        assert complaint == f"{path}: cannot be read ({why})"


def test_the_receipt_of_another_mailing_is_told_apart(cli: Cli, closed: int) -> None:
    kept = keep(cli, closed, mailing=56)
    complaint = cli.refused("mailing", "verify", str(closed), "--against", kept)
    assert complaint == f"receipt.json: is the receipt of mailing 56, not of mailing {closed}"


def test_a_receipt_from_before_the_mailing_closed_proves_nothing(cli: Cli, closed: int) -> None:
    kept = keep(cli, closed, outcomes_digest=None)
    complaint = cli.refused("mailing", "verify", str(closed), "--against", kept)
    assert "is from before the mailing closed and proves nothing: make it again" in complaint


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("audience", 4, "audience is 4 in it and 3 in the ledger"),
        ("audience_digest", "0" * 64, 'audience_digest is "0000'),
        ("outcomes", {"sent": 3}, 'outcomes is {"sent": 3} in it and {"rejected": 1, "sent": 1, "uncertain": 1} in'),
        ("outcomes_digest", "0" * 64, 'outcomes_digest is "0000'),
    ],
)
def test_a_receipt_that_differs_is_told_by_what_differs(
    cli: Cli, closed: int, key: str, value: object, words: str
) -> None:
    kept = keep(cli, closed, **{key: value})
    complaint = cli.refused("mailing", "verify", str(closed), "--against", kept)
    assert complaint.startswith(f"receipt.json: {words}")
    assert "one of them was changed, or it is from before a retry or resend" in complaint
