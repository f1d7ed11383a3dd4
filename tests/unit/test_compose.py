"""The composition for containers, checked without an engine: its commands and health checks run on real servers."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatch
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from celery.beat import Scheduler
from celery.bin.celery import celery as celery_command

from newsletter.config import Settings, load_settings
from newsletter.settings_sources import PREFIX
from tests.servers.postgres import PostgresServer
from tests.servers.smtp import SmtpServer
from tests.servers.valkey import ValkeyServer

PROJECT = Path(__file__).resolve().parents[2]
COMPOSE = PROJECT / "docker-compose.yml"
SOURCE = COMPOSE.read_text(encoding="utf-8")
DOCKERFILE = (PROJECT / "Dockerfile").read_text(encoding="utf-8")

SECRETS = {"NEWSLETTER_SECRET_KEY": "0123456789abcdef" * 2, "POSTGRES_PASSWORD": "0123456789abcdef"}
# What each server image listens on when nothing tells it otherwise, as its documentation says.
IMAGE_PORTS = {"postgres": {5432}, "valkey/valkey": {6379}, "axllent/mailpit": {1025, 8025, 1110}}
STATE = "/var/lib/newsletter"

_VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?:(?P<how>:-|:\?|-)(?P<rest>[^}]*))?\})")


def interpolate(text: str, given: Mapping[str, str]) -> str:
    """What Compose makes of `$$`, `${X}`, `${X:-default}`, `${X-default}` and `${X:?message}`.

    KeyError(message) for the last.
    """

    def value(match: re.Match[str]) -> str:
        name = match["name"]
        if name is None:
            return "$"
        if given.get(name) or (match["how"] == "-" and name in given):
            return given[name]
        if match["how"] == ":?":
            raise KeyError(match["rest"])
        return match["rest"] or ""

    return _VARIABLE.sub(value, text)


def read(given: Mapping[str, str] = SECRETS) -> dict[str, Any]:
    """The composition, its variables filled in."""

    def fill(node: Any) -> Any:
        match node:
            case str():
                return interpolate(node, given)
            case dict():
                return {key: fill(value) for key, value in node.items()}
            case list():
                return [fill(value) for value in node]
        return node

    filled: dict[str, Any] = fill(yaml.safe_load(SOURCE))
    return filled


SERVICES: dict[str, dict[str, Any]] = read()["services"]
OURS = sorted(name for name, service in SERVICES.items() if service["image"] == "newsletter")
ONE_SHOT = {"migrate"}


def settings_of(name: str) -> dict[str, str]:
    return {key: value for key, value in SERVICES[name]["environment"].items() if key.startswith(PREFIX)}


def test_it_has_every_part_and_nothing_else() -> None:
    assert set(SERVICES) == {"postgres", "valkey", "mailpit", "migrate", "web", "worker", "beat"}
    assert OURS == ["beat", "migrate", "web", "worker"]


def test_images_are_pinned_and_name_no_registry() -> None:
    for name, service in SERVICES.items():
        image, _, tag = service["image"].partition(":")
        assert "." not in image.split("/")[0], f"{name} names a registry"
        assert tag or name in OURS, f"{name} is not pinned"
        assert tag != "latest"
    assert SERVICES["postgres"]["image"] == "postgres:18"


def test_both_secrets_must_be_given_and_are_written_nowhere() -> None:
    for missing in SECRETS:
        with pytest.raises(KeyError, match="openssl rand -hex 32"):
            read({name: value for name, value in SECRETS.items() if name != missing})
    for name, service in SERVICES.items():
        for key in ("NEWSLETTER_SECRET_KEY", "POSTGRES_PASSWORD"):
            assert service.get("environment", {}).get(key) in (None, SECRETS[key]), name


def test_every_variable_is_a_setting() -> None:
    fields = set(Settings.model_fields)
    for name in OURS:
        for key in settings_of(name):
            assert key.removeprefix(PREFIX).lower() in fields, f"{name}: {key}"
    for key in re.findall(r"\$\{(\w+)", SOURCE):
        assert key == "POSTGRES_PASSWORD" or key.removeprefix(PREFIX).lower() in fields, key


@pytest.mark.parametrize("name", OURS)
def test_its_settings_are_accepted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in settings_of(name).items():
        monkeypatch.setenv(key, value)
    settings = load_settings()
    assert not settings.embedded
    assert settings.secret() == SECRETS["NEWSLETTER_SECRET_KEY"].encode()
    # No process keeps anything in its container: the answers are all on the servers.
    assert not settings.data_dir.exists()


def test_the_smtp_url_may_be_left_to_accounts_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "newsletter.toml"
    file.write_text('[[smtp_accounts]]\nname = "main"\nurl = "smtp://relay.example.org:587"\n', encoding="utf-8")
    monkeypatch.setenv("NEWSLETTER_CONFIG", str(file))
    environment = read({**SECRETS, "NEWSLETTER_SMTP_URL": ""})["services"]["worker"]["environment"]
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    assert [account.name for account in load_settings().accounts] == ["main"]


def test_the_urls_lead_to_services_at_the_ports_they_listen_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in settings_of("web").items():
        monkeypatch.setenv(key, value)
    settings = load_settings()
    for url in (settings.database, settings.broker, settings.smtp.place):
        parts = urlsplit(url)
        assert parts.port in listens_on(str(parts.hostname)), url
    database = urlsplit(settings.database)
    told = SERVICES["postgres"]["environment"]
    assert database.username == told["POSTGRES_USER"]
    assert database.password == told["POSTGRES_PASSWORD"]
    assert database.path == f"/{told['POSTGRES_DB']}"


def listens_on(name: str) -> set[int]:
    image = SERVICES[name]["image"].partition(":")[0]
    if image != "newsletter":
        return IMAGE_PORTS[image]
    return {int(SERVICES[name]["environment"]["NEWSLETTER_WEB_PORT"])} if name == "web" else set()


def test_every_published_or_checked_port_is_one_the_service_listens_on() -> None:
    published: list[str] = []
    for name, service in SERVICES.items():
        for mapping in service.get("ports", ()):
            address, host_port, port = mapping.split(":")
            assert address == "127.0.0.1", f"{name} would be open to the network"
            assert int(port) in listens_on(name), f"{name}: {mapping}"
            published.append(host_port)
        checked = re.findall(r"(?:127\.0\.0\.1:|--port=|-p )(\d+)", " ".join(check_of(name)))
        assert {int(port) for port in checked} <= listens_on(name), name
    assert len(published) == len(set(published))
    assert SERVICES["web"]["environment"]["NEWSLETTER_WEB_HOST"] == "0.0.0.0"


def check_of(name: str) -> list[str]:
    test: list[str] = SERVICES[name].get("healthcheck", {}).get("test", [])
    return test


def test_every_service_has_a_health_check_or_runs_once() -> None:
    for name, service in SERVICES.items():
        if name in ONE_SHOT:
            assert service["restart"] == "no"
            assert "healthcheck" not in service
        else:
            assert service["restart"] == "unless-stopped", name
            assert check_of(name)[0] in ("CMD", "CMD-SHELL"), name
            assert {"interval", "timeout", "retries", "start_period"} <= service["healthcheck"].keys()


def test_services_wait_for_services_that_can_become_what_they_wait_for() -> None:
    for name, service in SERVICES.items():
        for other, wait in service.get("depends_on", {}).items():
            assert other in SERVICES, f"{name} waits for {other}"
            expected = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
            assert wait["condition"] == expected, f"{name} waits for {other}"
    for name in set(OURS) - ONE_SHOT:
        assert {"migrate", "valkey"} <= SERVICES[name]["depends_on"].keys(), name


def test_every_volume_is_declared_and_every_server_keeps_its_data_on_one() -> None:
    declared = set(read()["volumes"])
    mounted = {name: dict(v.split(":") for v in s.get("volumes", ())) for name, s in SERVICES.items()}
    assert {volume for volumes in mounted.values() for volume in volumes} == declared
    assert mounted["postgres"] == {"postgres": "/var/lib/postgresql"}
    assert mounted["valkey"] == {"valkey": "/data"}
    valkey = SERVICES["valkey"]["command"]
    assert valkey[valkey.index("--appendonly") + 1] == "yes"
    # An event that was answered is on the disk.
    assert valkey[valkey.index("--appendfsync") + 1] == "always"
    assert valkey[valkey.index("--maxmemory-policy") + 1] == "noeviction"


@pytest.mark.parametrize("name", OURS)
def test_its_command_resolves(name: str) -> None:
    program, *arguments = SERVICES[name]["command"]
    if program == "python":
        assert arguments[0] == "-m"
        assert importlib.util.find_spec(arguments[1]) is not None
        return
    scripts = {script.name for script in entry_points(group="console_scripts")}
    assert program in scripts
    if program == "celery":
        app, command, *options = arguments
        assert app == "--app=workers"
        assert importlib.util.find_spec("workers.celery") is not None
        subcommand = celery_command.commands[command]
        # Parsing alone: an option that Celery does not know would raise here.
        _, left, _ = subcommand.make_parser(subcommand.context_class(subcommand)).parse_args(list(options))
        assert left == []
    else:
        shown = subprocess.run([script(program), *arguments, "--help"], capture_output=True, text=True, check=True)
        assert "Bring the database" in shown.stdout


def test_what_killed_processes_leave_behind_outlives_their_containers() -> None:
    assert f"worker:{STATE}" in SERVICES["worker"]["volumes"]
    assert f"web:{STATE}" in SERVICES["web"]["volumes"]
    assert f"WORKDIR {STATE}\n" in DOCKERFILE
    assert not load_settings().data_dir.is_absolute()


def test_our_containers_give_up_what_they_do_not_need() -> None:
    for name in OURS:
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    schedule = next(part for part in SERVICES["beat"]["command"] if part.startswith("--schedule="))
    assert schedule.startswith(f"--schedule={STATE}/")
    assert SERVICES["beat"]["volumes"] == [f"beat:{STATE}"]


def test_beat_writes_its_schedule_more_often_than_the_check_allows() -> None:
    limit = re.search(r"> (\d+)\)", check_of("beat")[-1])
    assert limit is not None
    assert Scheduler.sync_every * 1.5 < int(limit[1])


def test_the_image_is_built_from_locked_parts_and_runs_as_nobody_in_particular() -> None:
    lines = DOCKERFILE.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("FROM ")] == ["python:3.13-slim"] * 2
    install = [line for line in lines if "pip install" in line]
    assert "--require-hashes -r requirements/runtime.txt" in install[0]
    assert "--no-deps" in install[1]
    assert len(install) == 2
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users[-1] == "newsletter"
    assert f"WORKDIR {STATE}" in lines


def test_what_the_image_copies_exists_and_is_sent_to_the_engine() -> None:
    ignore = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignore
    sent = [line[1:] for line in ignore if line.startswith("!")]
    copied = [
        source
        for line in DOCKERFILE.splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    ]
    for source in copied:
        assert (PROJECT / source).exists(), source
        assert any(fnmatch(source, pattern) or source.startswith(f"{pattern}/") for pattern in sent), source
    assert not {".env", ".git", "tests"} & set(sent)


def test_the_client_accepts_the_composition(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True).returncode != 0:
        pytest.skip("this machine's docker client has no compose plugin")
    command = [docker, "compose", "-f", str(COMPOSE), "config", "--quiet"]
    outside = {name: value for name, value in os.environ.items() if name not in SECRETS}
    accepted = subprocess.run(command, env=outside | SECRETS, cwd=tmp_path, capture_output=True, text=True)
    assert accepted.returncode == 0, accepted.stderr
    refused = subprocess.run(command, env=outside, cwd=tmp_path, capture_output=True, text=True)
    assert refused.returncode != 0
    assert "openssl rand -hex 32" in refused.stderr


def script(name: str) -> str:
    """A console script of this environment."""
    return str(Path(sys.executable).parent / name)


class Rehearsal:
    """The services' commands and health checks, run on this machine with only the places changed."""

    def __init__(self, folder: Path, postgres: str, valkey: ValkeyServer, smtp: SmtpServer) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = str(probe.getsockname()[1])
        self.places = {
            "NEWSLETTER_DATABASE_URL": postgres,
            "NEWSLETTER_BROKER_URL": valkey.url,
            "NEWSLETTER_SMTP_URL": f"smtp://{smtp.host}:{smtp.port}",
            "NEWSLETTER_WEB_HOST": "127.0.0.1",
            "NEWSLETTER_WEB_PORT": self.port,
        }

    def environment(self, name: str) -> dict[str, str]:
        told = settings_of(name)
        replaced = {key: self.places.get(key, value) for key, value in told.items()}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, **replaced, "PATH": path}

    def arguments(self, given: list[str]) -> list[str]:
        moved = [part.replace(STATE, str(self.folder)).replace(":8025/", f":{self.port}/") for part in given]
        return [sys.executable, *moved[1:]] if moved[0] == "python" else moved

    def run_once(self, name: str) -> int:
        command = self.arguments(SERVICES[name]["command"])
        return subprocess.run(command, env=self.environment(name), cwd=self.folder, capture_output=True).returncode

    @contextmanager
    def running(self, name: str) -> Iterator[subprocess.Popen[bytes]]:
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                self.arguments(SERVICES[name]["command"]),
                env=self.environment(name),
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def healthy(self, name: str) -> bool:
        how, *test = check_of(name)
        command = ["sh", "-c", test[0]] if how == "CMD-SHELL" else self.arguments(test)
        checked = subprocess.run(command, env=self.environment(name), cwd=self.folder, capture_output=True)
        return checked.returncode == 0

    def becomes_healthy(self, name: str, seconds: float = 30) -> bool:
        give_up_at = time.monotonic() + seconds
        while not (healthy := self.healthy(name)) and time.monotonic() < give_up_at:
            time.sleep(0.2)
        return healthy

    def wait_for_line(self, name: str, words: str, seconds: float = 30) -> None:
        give_up_at = time.monotonic() + seconds
        while words not in (log := (self.folder / f"{name}.log").read_text(encoding="utf-8")):
            assert time.monotonic() < give_up_at, log
            time.sleep(0.1)


@pytest.fixture
def rehearsal(
    tmp_path: Path, postgres: PostgresServer, valkey: ValkeyServer, smtp: SmtpServer
) -> Iterator[Rehearsal]:
    url = postgres.create_database()
    yield Rehearsal(tmp_path, url, valkey, smtp)
    postgres.drop_database(url)


def test_migrate_ends_well_and_may_run_again(rehearsal: Rehearsal) -> None:
    assert rehearsal.run_once("migrate") == 0
    assert rehearsal.run_once("migrate") == 0


def test_migrate_fails_while_the_database_is_away(rehearsal: Rehearsal) -> None:
    rehearsal.places["NEWSLETTER_DATABASE_URL"] = "postgresql://newsletter@127.0.0.1:1/newsletter"
    assert rehearsal.run_once("migrate") != 0


def test_web_is_healthy_while_it_and_its_database_answer(rehearsal: Rehearsal) -> None:
    assert not rehearsal.healthy("web")
    with rehearsal.running("web"):
        assert rehearsal.becomes_healthy("web")
    assert not rehearsal.healthy("web")
    rehearsal.places["NEWSLETTER_DATABASE_URL"] = "postgresql://newsletter@127.0.0.1:1/newsletter"
    with rehearsal.running("web") as process:
        assert not rehearsal.becomes_healthy("web", seconds=3)
        assert process.poll() is None


def test_worker_is_healthy_while_it_takes_tasks(rehearsal: Rehearsal) -> None:
    with rehearsal.running("worker") as process:
        rehearsal.wait_for_line("worker", " ready.")
        assert rehearsal.healthy("worker")
        process.terminate()
        assert process.wait(timeout=30) == 0
        assert not rehearsal.healthy("worker")


def test_beat_is_healthy_while_its_schedule_is_fresh(rehearsal: Rehearsal) -> None:
    assert not rehearsal.healthy("beat")
    with rehearsal.running("beat"):
        assert rehearsal.becomes_healthy("beat")
    for file in rehearsal.folder.glob("beat-schedule*"):
        an_hour_ago = time.time() - 3600
        os.utime(file, (an_hour_ago, an_hour_ago))
    assert not rehearsal.healthy("beat")
