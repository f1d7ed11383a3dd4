from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest
from redis import Redis

from newsletter.config import load_settings
from newsletter.embedded.processes import Command, Process
from newsletter.errors import UnavailableError
from newsletter.models import EventKind
from newsletter.queue import make_redis
from newsletter.tracking.buffer import STREAM, EventBuffer, entry
from newsletter.tracking.losses import FOLDER, Losses
from newsletter.tracking.notebook import Notebook
from newsletter.tracking.resp import Connector, connector
from tests.paths.steps import wait_until
from tests.servers.valkey import ValkeyServer

ENTRY = entry(EventKind.OPEN, 7, 3, None, "Browser")
KILLED_AFTER_LOSING = """
import asyncio, os, signal, sys
from pathlib import Path
from newsletter.tracking.losses import Losses
from newsletter.tracking.notebook import Notebook
from newsletter.tracking.resp import connector

async def main():
    notebook = Notebook(connector(sys.argv[1]), Losses(Path(sys.argv[2])))
    for _ in range(3):
        await notebook.note(7, b"entry")
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.fixture
def redis(valkey: ValkeyServer) -> Iterator[Redis]:
    client = make_redis(load_settings(broker_url=valkey.url))
    yield client
    client.close()


@pytest.fixture
def buffer(redis: Redis) -> EventBuffer:
    return EventBuffer(redis)


def notebook(valkey: ValkeyServer, folder: Path, connect: Connector | None = None) -> Notebook:
    return Notebook(connect or connector(valkey.url), Losses(folder))


def lost(buffer: EventBuffer) -> Counter[int]:
    with suppress(UnavailableError):
        return buffer.lost()
    return Counter()


class Deaf:
    """Passes on to the server what it is sent, and hangs up on the first client in place of its answers."""

    def __init__(self, server: Path, place: Path) -> None:
        self._server = server
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(place))
        self._listener.listen()
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(str(self._server))
            # The greeting is answered, the page is not.
            server.sendall(client.recv(65_536))
            client.sendall(server.recv(65_536))
            server.sendall(client.recv(65_536))
            server.recv(65_536)

    def close(self) -> None:
        self._thread.join()
        self._listener.close()


def test_a_page_whose_answer_was_cut_off_is_sent_again_and_taken_once(
    valkey: ValkeyServer, redis: Redis, buffer: EventBuffer, tmp_path: Path
) -> None:
    place = valkey.socket.with_name("deaf")
    deaf = Deaf(valkey.socket, place)
    ways = iter((connector(f"redis+socket://{place}?virtual_host=0"), connector(valkey.url)))

    async def note() -> bool:
        book = notebook(valkey, tmp_path, lambda: next(ways)())
        kept = await book.note(7, ENTRY)
        await book.close()
        return kept

    assert asyncio.run(note())
    deaf.close()
    assert redis.xlen(STREAM) == 2
    (first,) = buffer.oldest()
    buffer.drop([first])
    (again,) = buffer.oldest()
    assert again.id == first.id
    assert again.entry_id != first.entry_id
    assert lost(buffer) == {}


def test_what_was_lost_is_told_once_the_server_is_back_though_no_reader_comes(
    valkey: ValkeyServer, buffer: EventBuffer, tmp_path: Path
) -> None:
    async def lose() -> None:
        book = notebook(valkey, tmp_path)
        valkey.kill()
        for _ in range(3):
            assert not await book.note(7, ENTRY)
        assert not await book.note(8, ENTRY)
        valkey.start()
        give_up_at = time.monotonic() + 10
        while not lost(buffer) and time.monotonic() < give_up_at:
            await asyncio.sleep(0.1)
        assert buffer.lost() == {7: 3, 8: 1}
        await book.close()

    asyncio.run(lose())
    assert list((tmp_path / FOLDER).iterdir()) == []
    valkey.kill()
    valkey.start()
    assert buffer.lost() == {7: 3, 8: 1}


def test_the_losses_of_a_process_that_was_killed_are_told_by_the_next_and_counted_once(
    valkey: ValkeyServer, buffer: EventBuffer, tmp_path: Path
) -> None:
    valkey.kill()
    argv = (sys.executable, "-c", KILLED_AFTER_LOSING, valkey.url, str(tmp_path))
    process = Process(Command("loser", argv, {}, tmp_path / "loser.log"))
    process.start()
    wait_until(lambda: not process.running, "the process to be killed")
    assert process.poll() == -signal.SIGKILL
    valkey.start()

    async def tell() -> None:
        book = notebook(valkey, tmp_path)
        book.open()
        while not book.losses.are_told:
            await asyncio.sleep(0.1)
        await book.close()

    asyncio.run(asyncio.wait_for(tell(), 10))
    assert buffer.lost() == {7: 3}
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_server_that_stands_still_makes_the_count_no_larger_than_what_was_not_kept_in_time(
    valkey: ValkeyServer, redis: Redis, buffer: EventBuffer, tmp_path: Path
) -> None:
    async def lose() -> None:
        book = notebook(valkey, tmp_path)
        assert await book.note(7, ENTRY)
        assert valkey.process.pid is not None
        os.kill(valkey.process.pid, signal.SIGSTOP)
        for _ in range(5):
            assert not await book.note(7, ENTRY)
        os.kill(valkey.process.pid, signal.SIGCONT)
        assert await book.note(7, ENTRY)
        await book.close()

    asyncio.run(lose())
    assert buffer.lost() == {7: 5}
    assert redis.xlen(STREAM) >= 2


def test_where_no_file_can_be_kept_losses_are_counted_all_the_same(
    valkey: ValkeyServer, buffer: EventBuffer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / FOLDER).write_text("in the way")

    async def lose() -> None:
        book = notebook(valkey, tmp_path)
        valkey.kill()
        for _ in range(2):
            await book.note(7, ENTRY)
        valkey.start()
        await book.close()

    asyncio.run(lose())
    assert buffer.lost() == {7: 2}
    assert capsys.readouterr().out.count("losses are not written down") == 1


def test_a_file_that_a_power_cut_damaged_is_read_as_far_as_it_goes(
    valkey: ValkeyServer, buffer: EventBuffer, tmp_path: Path
) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "left").write_bytes(b"7 3\n\x00\x00\xff\n8\n9 x\n")

    async def tell() -> None:
        await notebook(valkey, tmp_path).close()

    asyncio.run(tell())
    assert buffer.lost() == {7: 3}
