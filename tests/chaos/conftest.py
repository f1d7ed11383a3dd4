"""Failures with everything real: the whole form on SQLite and PostgreSQL, the short one on either, test by test."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from newsletter.config import Settings, load_settings
from newsletter.settings_sources import PREFIX
from tests.chaos.scene import Scene
from tests.factories import BASE_URL, SECRET
from tests.servers.chaos_sink import ChaosSink
from tests.servers.valkey import ValkeyServer


@dataclass(frozen=True, slots=True)
class Form:
    """How large a mailing is, how often the same happens to it, and for how long the sink thinks of each message."""

    recipients: int
    times: int
    delay: float


WHOLE = Form(recipients=20_000, times=5, delay=0.1)
SHORT = Form(recipients=1_500, times=2, delay=0.2)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--short", action="store_true", help="small mailings, each failure test on one kind of database")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "short_on(kind): the database that the short form takes, sqlite or postgresql")
    config.addinivalue_line("markers", "whole_only: not in the short form")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Function]) -> None:
    if config.getoption("short"):
        items[:] = [item for item in items if _is_in_short_form(item)]


def _is_in_short_form(item: pytest.Function) -> bool:
    chosen = item.get_closest_marker("short_on")
    is_chosen = chosen is None or item.callspec.params["database_url"] in chosen.args
    return is_chosen and item.get_closest_marker("whole_only") is None


@pytest.fixture
def form(request: pytest.FixtureRequest) -> Form:
    return SHORT if request.config.getoption("short") else WHOLE


@pytest.fixture
def random() -> Random:
    """Another course of events each time; the seed is shown where a test fails."""
    seed = time.time_ns()
    print(f"the seed is {seed}")
    return Random(seed)


@pytest.fixture
def sink(form: Form) -> Iterator[ChaosSink]:
    with ChaosSink() as running:
        running.behave(delay=form.delay)
        yield running


@pytest.fixture
def settings(
    database_url: str, valkey: ValkeyServer, sink: ChaosSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Settings for real servers, in the environment too, where workers find them."""
    values = {
        "DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": database_url,
        "BROKER_URL": valkey.url,
        "SMTP_URL": sink.url,
        "BASE_URL": BASE_URL,
        "SECRET_KEY": SECRET,
    }
    for name, value in values.items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)
    return load_settings()


@pytest.fixture
def scene(settings: Settings, sink: ChaosSink, form: Form, tmp_path: Path) -> Iterator[Scene]:
    environment = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    with Scene(settings, environment, sink, tmp_path, form.recipients) as made:
        yield made
