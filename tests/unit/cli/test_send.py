"""Scheduling mailings: when, how, and what is told back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from threading import Thread
from time import sleep

import pytest
from sqlalchemy import select

from newsletter.audience.suppressions import suppress
from newsletter.db import Database
from newsletter.models import Mailing, Subscriber, SuppressionReason
from newsletter.resources import SAMPLE_ISSUE
from newsletter.sending import control
from newsletter.sending.plan import plan
from tests.servers.valkey import ValkeyServer
from tests.unit.cli.conftest import LATER, Cli
from tests.unit.sending.conftest import Post

SEND = ("send", SAMPLE_ISSUE, "--list", "vendredi")
A_DAY_LATER = "2090-01-07T08:00"


def a_moment_ago() -> str:
    """A time that counts as now, and asks for no server."""
    return (datetime.now(UTC) - timedelta(seconds=20)).isoformat(timespec="seconds")


def mailing(database: Database) -> Mailing:
    with database.read() as session:
        return session.scalars(select(Mailing)).one()


FAULTS: dict[str, tuple[str, str, str]] = {
    "no time": ("--at", "vendredi", "“vendredi” is not a date and time: write one such as 2026-03-13T08:00"),
    "no such month": ("--at", "2026-13-01T08:00", "is not a date and time"),
    "nothing": ("--at", "", "is not a date and time"),
    "no time of day": ("--at", "2090-01-06", "has no time of day: write it too, as in 2090-01-06T08:00"),
    "past": ("--at", "2020-01-03T08:00", "is past: write a later time, or send it with --now"),
    "past elsewhere": ("--at", "2020-01-03T08:00+06:00", "is past"),
    "skipped": ("--at", "2037-03-29T02:30", "is skipped in Europe/Brussels"),
    "doubled": ("--at", "2037-10-25T02:30", "comes twice in Europe/Brussels: choose one by its offset"),
    "no such zone": ("--at", "2090-01-06T08:00 Europe/Bruxelles", "is not an IANA zone"),
    "an offset and a zone": ("--at", "2090-01-06T08:00+01:00 Asia/Tokyo", "leave one of them out"),
    "no length": ("--hold", "soon", "“soon” is not a length of time: write one such as 90s, 10m, 1h30m or 1d"),
    "no length at all": ("--hold", "0s", "is out of range: write from 1s to 7d"),
    "too long": ("--hold", "8d", "is out of range: write from 1s to 7d"),
    "no hour": ("--local-time", "25:00", "“25:00” is not a time of day: write one such as 08:00 or 20:15"),
    "no window": ("--window", "weekdays", "“weekdays” is not a window: write one such as mon-fri 08:00-20:00"),
    "no day": ("--window", "lun-ven 08:00-20:00", "“lun-ven” is not a day of the week"),
    "no hour of a window": ("--window", "08:00-25:00", "“25:00” is not a time of day"),
}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_time_that_cannot_be_meant_is_refused_by_its_option(cli: Cli, fault: str) -> None:
    option, value, words = FAULTS[fault]
    complaint = cli.refused(*SEND, option, value)
    assert complaint.startswith(f"{option}: ")
    assert words in complaint


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("canary", ["0", "-1", "some"])
def test_a_canary_is_one_recipient_or_more(cli: Cli, canary: str) -> None:
    complaint = cli.refused(*SEND, "--canary", canary)
    assert "--canary" in complaint
    assert "newsletter send --help" in complaint


@pytest.mark.usefixtures("world")
def test_a_time_is_meant_in_the_publication_s_zone(cli: Cli) -> None:
    assert "at 2090-01-06 07:00 UTC" in cli(*SEND, "--at", LATER).success
    assert "at 2090-01-06 03:00 UTC" in cli(*SEND, "--at", f"{LATER}+05:00").success
    assert "at 2090-01-05 23:00 UTC" in cli(*SEND, "--at", f"{LATER} Asia/Tokyo").success


@pytest.mark.usefixtures("world")
def test_one_subscriber_is_not_called_several(cli: Cli) -> None:
    assert "goes to 1 subscriber of “vendredi” at 2090-01-06 07:00 UTC." in cli(*SEND, "--at", LATER).success


def test_only_those_who_will_be_written_to_are_counted(cli: Cli, world: Database) -> None:
    with world.write() as session:
        suppress(
            session,
            "ada@example.org",
            SuppressionReason.BOUNCED,
            "test",
            datetime.now(UTC),
        )
    assert "goes to 0 subscribers" in cli(*SEND, "--at", LATER).success


def test_a_mailing_on_hold_says_how_to_take_it_back(cli: Cli, world: Database) -> None:
    before = datetime.now(UTC)
    told = cli(*SEND, "--hold", "10m").success
    due_at = mailing(world).due_at
    assert before + timedelta(minutes=10) <= due_at < before + timedelta(minutes=11)
    assert f"goes to 1 subscriber of “vendredi” at {due_at:%Y-%m-%d %H:%M} UTC." in told
    assert "Nothing leaves before that: `newsletter mailing cancel 1` takes it back." in told
    assert cli("mailing", "cancel", "1").success == "Mailing 1 is cancelled: nobody was sent anything.\n"


def test_of_a_time_and_a_hold_the_later_one_counts(cli: Cli, world: Database) -> None:
    cli(*SEND, "--at", LATER, "--hold", "10m")
    assert mailing(world).due_at == datetime(2090, 1, 6, 7, 0, tzinfo=UTC)


def test_the_manner_of_a_mailing_is_kept_and_told(cli: Cli, world: Database) -> None:
    with world.write() as session:
        session.scalars(select(Subscriber)).one().timezone = "Asia/Tokyo"
    told = cli(
        *SEND, "--at", LATER, "--canary", "50", "--window", "Mon,Tue,Wed 8:00-20:00", "--local-time", "8:00"
    ).success
    assert "once it is 08:00 where each of them is, from 2090-01-06 07:00 UTC on." in told
    assert "Europe/Brussels only: mon-wed 08:00-20:00, the first from 2090-01-09 07:00 UTC on." in told
    assert "The first 50 go ahead; the rest follows unless too many of them are refused." in told
    kept = mailing(world)
    assert (kept.local_time, kept.window, kept.canary) == ("08:00", "mon-wed 08:00-20:00", 50)
    shown = json.loads(cli("mailing", "show", "1", "--json").success)
    assert (shown["local_time"], shown["window"], shown["canary"]) == ("08:00", "mon-wed 08:00-20:00", 50)
    assert "mon-wed 08:00-20:00" in cli("mailing", "show", "1").success


@pytest.mark.usefixtures("world")
def test_a_mailing_due_while_its_window_is_closed_is_scheduled_all_the_same(cli: Cli) -> None:
    told = cli(*SEND, "--at", LATER, "--window", "sat 08:00-09:00").success
    assert "only: sat 08:00-09:00, the first from 2090-01-07 07:00 UTC on." in told


@pytest.mark.usefixtures("world")
def test_a_local_time_on_a_list_without_time_zones_is_warned_of(cli: Cli) -> None:
    ran = cli(*SEND, "--at", LATER, "--local-time", "08:00")
    assert ran.status == 0
    assert ran.err.startswith("warning: --local-time: nobody on “vendredi” has a time zone")
    assert "everyone gets it at 08:00 in Europe/Brussels" in ran.err


def test_time_zones_that_nobody_knows_are_named(cli: Cli, world: Database) -> None:
    with world.write() as session:
        session.scalars(select(Subscriber)).one().timezone = "Bruxelles"
    ran = cli(*SEND, "--at", LATER, "--local-time", "08:00")
    assert ran.status == 0
    assert "“Bruxelles”: no IANA zone" in ran.err


@pytest.mark.usefixtures("world")
def test_a_list_with_nobody_on_it_is_refused(cli: Cli) -> None:
    complaint = cli.refused("send", SAMPLE_ISSUE, "--list", "vide", "--at", LATER)
    assert complaint == "nobody is on the list “vide”: import subscribers first"


@pytest.mark.usefixtures("world")
def test_an_unknown_list_is_answered_with_those_there_are(cli: Cli) -> None:
    for at in (LATER, f"{LATER}Z"):
        assert "there are vendredi, vide" in cli.refused("send", SAMPLE_ISSUE, "--list", "samedi", "--at", at)


@pytest.mark.usefixtures("world")
def test_a_mailing_that_is_kept_is_not_reported_as_failed_when_the_broker_goes_away(cli: Cli) -> None:
    ran = cli(*SEND, "--at", a_moment_ago())
    assert ran.status == 0
    assert ran.err.startswith("warning: the broker ")
    assert "mailing 1 is scheduled and begins once a worker runs" in ran.err
    assert len(cli.rows()["mailings"]) == 1


def test_mail_that_no_account_is_for_is_refused_before_anything_is_scheduled(
    cli: Cli, world: Database, valkey: ValkeyServer
) -> None:
    account = '[[smtp_accounts]]\nname = "main"\nurl = "smtp://127.0.0.1:1"\nfrom_domains = ["autre.example"]\n'
    cli.write("newsletter.toml", account)
    settings = {"broker_url": valkey.url, "database_url": world.url.render_as_string()}
    for option in ((), ("--dry-run",)):
        complaint = cli.refused(*SEND, *option, **settings)
        assert complaint.startswith("no SMTP account is for mail from hebdo.example: add one to the settings")


@pytest.mark.usefixtures("world")
def test_json_of_what_send_did_is_all_it_prints(cli: Cli) -> None:
    sent = json.loads(cli(*SEND, "--at", LATER, "--hold", "1m", "--canary", "5", "--json").success)
    assert sent["status"] == "scheduled"
    assert sent["due_at"] == "2090-01-06T07:00:00+00:00"
    assert sent["audience"] is None


class Meanwhile(Thread):
    """Somebody who waits for a mailing and then does something with it."""

    def __init__(self, post: Post, *, cancels: bool = False) -> None:
        super().__init__()
        self._post = post
        self._cancels = cancels

    def run(self) -> None:
        while not (found := self._mailing_id()):
            sleep(0.05)
        with self._post.database.write() as session:
            if self._cancels:
                control.cancel(session, found, datetime.now(UTC))
            else:
                plan(session, found, datetime.now(UTC))
        self._post.now = datetime.now(UTC)
        self._post.turn()

    def _mailing_id(self) -> int | None:
        with self._post.database.read() as session:
            return session.scalar(select(Mailing.id))


def test_waiting_ends_when_the_last_recipient_has_an_outcome(cli: Cli, post: Post) -> None:
    worker = Meanwhile(post)
    worker.start()
    ran = cli(*SEND, "--at", a_moment_ago(), "--wait")
    worker.join()
    assert ran.status == 0
    assert ran.out.endswith("Mailing 1 is sent: 1 sent.\n")
    assert "1/1" in ran.err


def test_waiting_prints_nothing_but_json_where_json_is_wanted(cli: Cli, post: Post) -> None:
    worker = Meanwhile(post)
    worker.start()
    ran = cli(*SEND, "--at", a_moment_ago(), "--wait", "--json")
    worker.join()
    assert json.loads(ran.out)["states"] == {"sent": 1}


def test_whoever_waits_for_a_mailing_that_is_cancelled_hears_of_it(cli: Cli, post: Post) -> None:
    editor = Meanwhile(post, cancels=True)
    editor.start()
    ran = cli(*SEND, "--at", LATER, "--wait")
    editor.join()
    assert ran.status == 1
    assert ran.out.endswith("Mailing 1 is cancelled: nobody was sent anything.\n")
