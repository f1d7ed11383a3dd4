from __future__ import annotations

import json

import pytest

from newsletter.cli import losses
from newsletter.cli.losses import LossWatch
from newsletter.config import Settings, load_settings
from newsletter.db import Database
from newsletter.queue import make_redis
from newsletter.tracking.losses import LOST
from tests.factories import make_mailing
from tests.servers.valkey import ValkeyServer
from tests.unit.cli.conftest import Cli


@pytest.fixture
def settings(valkey: ValkeyServer) -> Settings:
    return load_settings(broker_url=valkey.url)


def lose(settings: Settings, mailing_id: int, process: str, count: int) -> None:
    redis = make_redis(settings)
    redis.hset(LOST, f"{mailing_id} {process}", str(count))
    redis.close()


def test_a_report_says_how_many_events_could_not_be_kept(cli: Cli, world: Database, settings: Settings) -> None:
    mailing_id, other = make_mailing(world, slug="samedi"), make_mailing(world, slug="dimanche")
    lose(settings, mailing_id, "a", 1)
    said = cli("stats", str(mailing_id), broker_url=settings.broker).success
    assert "1 event was answered but could not be kept (the buffer was away)." in said
    lose(settings, mailing_id, "b", 1200)
    said = cli("stats", str(mailing_id), broker_url=settings.broker).success
    assert "1,201 events were answered but could not be kept (the buffer was away)." in said
    assert (
        json.loads(cli("stats", str(mailing_id), "--json", broker_url=settings.broker).success)["events_lost"] == 1201
    )
    assert "could not be kept" not in cli("stats", str(other), broker_url=settings.broker).success
    assert json.loads(cli("stats", str(other), "--json", broker_url=settings.broker).success)["events_lost"] == 0


def test_a_report_is_given_without_the_buffer_and_says_what_it_does_not_know(
    cli: Cli, world: Database, settings: Settings, valkey: ValkeyServer
) -> None:
    mailing_id = make_mailing(world, slug="samedi")
    valkey.kill()
    said = cli("stats", str(mailing_id), broker_url=settings.broker).success
    assert "The event buffer does not answer: whether events were lost is not known." in said
    assert "Receipt: audience 3" in said
    assert (
        json.loads(cli("stats", str(mailing_id), "--json", broker_url=settings.broker).success)["events_lost"] is None
    )


def test_whoever_watches_the_stack_is_told_of_losses_once_and_only_of_new_ones(
    settings: Settings, valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "LOOK_SECONDS", 0.0)
    lose(settings, 7, "a", 5)
    watch = LossWatch(settings)
    assert watch.news() == []
    lose(settings, 7, "b", 2)
    lose(settings, 8, "b", 1)
    assert watch.news() == [
        "mailing 7: 2 events were answered but could not be kept (the buffer was away)",
        "mailing 8: 1 event was answered but could not be kept (the buffer was away)",
    ]
    assert watch.news() == []
    valkey.kill()
    assert watch.news() == []
    valkey.start()
    assert watch.news() == []
