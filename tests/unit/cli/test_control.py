"""What editors may do with a mailing: pause, resume, cancel, retry, resend."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from newsletter.clock import utc_now
from newsletter.db import Database
from newsletter.models import Delivery, DeliveryState, Mailing, MailingStatus
from newsletter.resources import SAMPLE_ISSUE
from tests.factories import EMAILS, SECRET, make_mailing
from tests.servers.smtp import DROP, SmtpServer
from tests.unit.cli.conftest import LATER, Cli
from tests.unit.sending.conftest import Post

pytestmark = pytest.mark.usefixtures("an_hour_later")

COMMANDS: list[tuple[str, ...]] = [
    *((verb,) for verb in ("show", "pause", "resume", "cancel", "retry", "receipt", "verify")),
    ("show", "--watch"),
    ("show", "--uncertain"),
    ("show", "--json"),
    ("resend", "ada@example.org"),
]


def on_mailing(command: tuple[str, ...], number: object) -> tuple[str, ...]:
    """The words of a command on the mailing of that number."""
    return ("mailing", command[0], str(number), *command[1:])


def status(database: Database, mailing_id: int) -> MailingStatus:
    with database.read() as session:
        return session.get_one(Mailing, mailing_id).status


def turn(post: Post) -> None:
    """A turn of the worker by the clock that the command has seen."""
    post.now = utc_now()
    post.turn()


@pytest.fixture
def scheduled(world: Database) -> int:
    """A mailing that has not begun, though it is due."""
    return make_mailing(world, slug="samedi", planned=False)


@pytest.fixture
def refused(post: Post, smtp: SmtpServer) -> int:
    """A mailing that is sent; Ada was refused, of Blaise it is not known whether he got it."""
    smtp.refuse[EMAILS[0]] = "550 5.7.1 blocked"
    smtp.refuse_data[EMAILS[1]] = DROP
    mailing_id = make_mailing(post.database, slug="samedi")
    post.turn()
    smtp.refuse.clear()
    smtp.refuse_data.clear()
    return mailing_id


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_unknown_mailing_is_answered_with_the_command_that_lists_them(cli: Cli, command: tuple[str, ...]) -> None:
    complaint = cli.refused(*on_mailing(command, 56))
    assert complaint == "there is no mailing 56: `newsletter mailing ls` lists them"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_database_that_is_away_is_named_without_its_password(cli: Cli, command: tuple[str, ...]) -> None:
    url = "postgresql://newsletter:geheim@127.0.0.1:1/newsletter"
    complaint = cli.refused(*on_mailing(command, 1), database_url=url, secret_key=SECRET)
    assert "127.0.0.1:1/newsletter did not answer" in complaint
    assert "start it, or mend NEWSLETTER_DATABASE_URL" in complaint
    assert "geheim" not in complaint


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel", "retry"])
def test_what_makes_no_sense_any_more_is_refused(cli: Cli, post: Post, verb: str) -> None:
    mailing_id = make_mailing(post.database, slug="samedi")
    post.turn()
    complaint = cli.refused("mailing", verb, str(mailing_id))
    assert complaint in (
        f"mailing {mailing_id} is sent: there is nothing to {verb}",
        f"mailing {mailing_id} has no rejected recipients: there is nothing to {verb}",
    )


def test_nobody_can_be_tried_again_before_a_mailing_has_begun(cli: Cli, scheduled: int) -> None:
    complaint = cli.refused("mailing", "retry", str(scheduled))
    assert complaint == f"mailing {scheduled} is scheduled: there is nothing to retry"


def test_a_paused_mailing_says_how_to_go_on_and_goes_on(cli: Cli, world: Database) -> None:
    number = str(make_mailing(world, slug="samedi"))
    paused = cli("mailing", "pause", number).success
    assert paused == f"Mailing {number} is paused; `newsletter mailing resume {number}` goes on with it.\n"
    assert status(world, int(number)) is MailingStatus.PAUSED
    assert (
        f"`newsletter mailing resume {number}`, since it was paused by hand" in cli("mailing", "show", number).success
    )
    assert cli("mailing", "resume", number).success == f"Mailing {number} goes on.\n"
    assert status(world, int(number)) is MailingStatus.SENDING


@pytest.mark.usefixtures("world")
def test_a_mailing_resumed_before_its_time_says_when_it_begins(cli: Cli) -> None:
    cli("send", SAMPLE_ISSUE, "--list", "vendredi", "--at", LATER)
    assert cli("mailing", "pause", "1").success
    assert cli("mailing", "resume", "1").success == "Mailing 1 begins at 2090-01-06 07:00 UTC.\n"


def test_a_mailing_resumed_after_its_time_goes_on_at_once(cli: Cli, scheduled: int) -> None:
    assert cli("mailing", "pause", str(scheduled)).success
    assert cli("mailing", "resume", str(scheduled)).success == f"Mailing {scheduled} goes on.\n"


def test_cancelling_tells_what_became_of_everybody(cli: Cli, post: Post, smtp: SmtpServer) -> None:
    smtp.refuse[EMAILS[0]] = "451 4.3.0 later"
    mailing_id = make_mailing(post.database, slug="samedi")
    post.turn()
    assert cli("mailing", "cancel", str(mailing_id)).success == (
        f"Mailing {mailing_id} is cancelled: 2 sent, 1 cancelled.\n"
    )
    assert status(post.database, mailing_id) is MailingStatus.CANCELLED
    assert f"mailing {mailing_id} is cancelled: there is nothing to resume" in cli.refused(
        "mailing", "resume", str(mailing_id)
    )


def test_cancelling_tells_of_those_whom_a_worker_has_in_hand(cli: Cli, post: Post) -> None:
    mailing_id = make_mailing(post.database, slug="samedi")
    hand = post.desk.draw()
    assert hand is not None
    assert len(hand.claims) == 3
    out = cli("mailing", "cancel", str(mailing_id)).success
    assert "Workers still have 3 recipients in hand and let go of them within seconds." in out


def test_only_the_refused_are_tried_again(cli: Cli, post: Post, smtp: SmtpServer, refused: int) -> None:
    before = len(smtp.messages)
    assert cli("mailing", "retry", str(refused)).success == f"Mailing {refused} tries 1 recipient again.\n"
    turn(post)
    assert [recipients for _, recipients, _ in smtp.messages[before:]] == [[EMAILS[0]]]
    assert "there is nothing to retry" in cli.refused("mailing", "retry", str(refused))


def test_the_uncertain_are_listed_for_resending_and_sent_to_once_more(
    cli: Cli, post: Post, smtp: SmtpServer, refused: int
) -> None:
    before = len(smtp.messages)
    uncertain = cli("mailing", "show", str(refused), "--uncertain").success.splitlines()
    assert uncertain == [EMAILS[1]]
    resent = cli("mailing", "resend", str(refused), *uncertain).success
    assert resent == f"Mailing {refused} goes once more to 1 recipient.\n"
    turn(post)
    assert [recipients for _, recipients, _ in smtp.messages[before:]] == [[EMAILS[1]]]
    assert cli("mailing", "show", str(refused), "--uncertain").success == ""


def test_an_address_is_found_however_its_domain_is_written(cli: Cli, refused: int) -> None:
    assert cli("mailing", "resend", str(refused), " blaise@EXAMPLE.org").success


def test_whoever_is_not_uncertain_is_named_and_nobody_is_sent_to(cli: Cli, refused: int) -> None:
    complaint = cli.refused("mailing", "resend", str(refused), EMAILS[1], EMAILS[2])
    assert complaint == (
        f"{EMAILS[2]}: not among the uncertain recipients of mailing {refused}; "
        f"`newsletter mailing show {refused} --uncertain` lists them"
    )


def test_what_is_no_address_is_named(cli: Cli, refused: int) -> None:
    assert "“blaise” is not an email address" in cli.refused("mailing", "resend", str(refused), "blaise")


def test_those_tried_again_while_a_mailing_is_paused_are_said_to_wait(
    cli: Cli, world: Database, refused: int
) -> None:
    with world.write() as session:
        session.get_one(Mailing, refused).status = MailingStatus.PAUSED
    waits = f"once `newsletter mailing resume {refused}` goes on with it"
    assert waits in cli("mailing", "retry", str(refused)).success
    assert waits in cli("mailing", "resend", str(refused), EMAILS[1]).success
    with world.read() as session:
        states = session.scalars(select(Delivery.state).order_by(Delivery.id)).all()
    assert states == [DeliveryState.PENDING, DeliveryState.PENDING, DeliveryState.SENT]
