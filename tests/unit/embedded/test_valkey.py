from __future__ import annotations

import os
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from newsletter.embedded.processes import Command, Process
from newsletter.embedded.valkey import command, wait_ready
from newsletter.errors import ConfigError, UnavailableError


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short: pytest's own temporary paths do not fit a unix socket."""
    with tempfile.TemporaryDirectory(prefix="vk-", dir="/tmp") as name:
        yield Path(name)


@pytest.fixture
def server(folder: Path) -> Iterator[Process]:
    process = Process(command(folder / "data", folder / "s", folder / "log"))
    process.start()
    wait_ready(process, folder / "s", timeout_seconds=10)
    yield process
    process.stop(timeout_seconds=5)


@pytest.fixture
def client(folder: Path, server: Process) -> Iterator[Any]:
    assert server.running
    with redis.Redis(unix_socket_path=str(folder / "s"), decode_responses=True) as client:
        yield client


def kill(server: Process) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    server.stop(timeout_seconds=5)


def written_down(client: Any) -> None:
    """Replies may leave before the file is written (never more than two seconds): a kill would lose those."""
    assert client.waitaof(1, 0, 10_000) == [1, 0]


def restart(server: Process, folder: Path) -> None:
    server.start()
    wait_ready(server, folder / "s", timeout_seconds=10)


def test_it_listens_on_its_socket_alone_and_for_this_user_alone(client: Any, folder: Path) -> None:
    assert client.config_get("port") == {"port": "0"}
    mode = (folder / "s").stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o700


def test_it_never_evicts_and_writes_down_what_it_takes(client: Any, folder: Path) -> None:
    wanted = {
        "appendfsync": "always",
        "appendonly": "yes",
        "dir": str(folder / "data"),
        "maxmemory-policy": "noeviction",
        "save": "",
    }
    assert client.config_get(*wanted) == wanted


def test_what_was_queued_is_there_after_a_restart(client: Any, server: Process, folder: Path) -> None:
    client.rpush("queue", "one", "two")
    server.stop(timeout_seconds=5)
    assert server.poll() == 0
    restart(server, folder)
    assert client.lrange("queue", 0, -1) == ["one", "two"]


def test_what_was_written_down_is_there_after_a_kill(client: Any, server: Process, folder: Path) -> None:
    client.rpush("queue", "one", "two")
    written_down(client)
    kill(server)
    restart(server, folder)
    assert client.lrange("queue", 0, -1) == ["one", "two"]


def test_a_file_cut_short_loads_up_to_its_last_whole_command(client: Any, server: Process, folder: Path) -> None:
    client.rpush("queue", "one")
    client.rpush("queue", "two")
    written_down(client)
    kill(server)
    [written] = (folder / "data" / "appendonlydir").glob("*.incr.aof")
    os.truncate(written, written.stat().st_size - 3)
    restart(server, folder)
    assert client.lrange("queue", 0, -1) == ["one"]


def test_a_server_that_ended_is_told_at_once_with_the_last_line_of_its_log(folder: Path) -> None:
    script = ("/bin/sh", "-c", "echo Fatal error: no luck; exit 1")
    process = Process(Command("valkey", script, {}, folder / "log"))
    process.start()
    told = rf"^Valkey ended \(status 1\), see {folder}/log: Fatal error: no luck$"
    with pytest.raises(UnavailableError, match=told):
        wait_ready(process, folder / "s", timeout_seconds=10)


def test_a_server_that_does_not_answer_in_time_is_told(folder: Path) -> None:
    process = Process(Command("valkey", ("sleep", "60"), {}, folder / "log"))
    process.start()
    with pytest.raises(UnavailableError, match=r"did not answer on .*/s within 0.1 s, see .*/log: nothing"):
        wait_ready(process, folder / "s", timeout_seconds=0.1)
    process.stop(timeout_seconds=5)


def test_a_socket_path_that_no_system_takes_is_refused_beforehand(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="choose a data directory with a shorter path"):
        command(tmp_path, tmp_path / ("x" * 100), tmp_path / "log")
