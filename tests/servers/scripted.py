"""SMTP servers that hold exactly the dialogue they are told to, for tests of what a client makes of it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from threading import Thread
from typing import BinaryIO

HELLO = (b"220 hello\r\n", b"250 here\r\n")
TAKEN = (b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 kept\r\n")
CHUNKING = (b"220 hello\r\n", b"250-here\r\n250 CHUNKING\r\n")
CHUNK_TAKEN = (b"250 ok\r\n", b"250 ok\r\n", b"250 kept\r\n")
BYE = b"221 bye\r\n"


@contextmanager
def serving(*dialogues: Callable[[socket.socket, BinaryIO], None]) -> Iterator[int]:
    """The port of a server that holds these dialogues, each on a connection of its own, one after the other."""

    def serve() -> None:
        for hold in dialogues:
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with client, client.makefile("rb") as lines:
                hold(client, lines)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        thread = Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)
        assert not thread.is_alive()


def scripted(*connections: Sequence[bytes], pieces: int | None = None) -> AbstractContextManager[int]:
    """The port of a server that answers each line, and each message, with the next reply of its connection's script.

    Replies are sent in pieces of so many bytes. A connection is closed after its last reply.
    """

    def hold(script: Sequence[bytes], client: socket.socket, lines: BinaryIO) -> None:
        for reply in script:
            size = pieces or len(reply) or 1
            for start in range(0, len(reply), size):
                client.sendall(reply[start : start + size])
                time.sleep(0.001 if pieces else 0)
            if reply is not script[-1]:
                take(lines)

    def take(lines: BinaryIO) -> None:
        line = lines.readline()
        if line.startswith(b"Subject"):
            while lines.readline() not in (b".\r\n", b""):
                pass
        elif line.startswith(b"BDAT"):
            lines.read(int(line.split()[1]))

    return serving(*(partial(hold, script) for script in connections))
