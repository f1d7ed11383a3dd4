"""A name server on loopback that knows the TXT records it is given, over UDP (RFC 1035)."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Thread

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from dns.resolver import Cache, Resolver

SILENCE = "silence"
FAILURE = "failure"

Records = Mapping[str, Sequence[str] | str]


class NameServer(Thread):
    """Answers with the records of a name, with SERVFAIL for FAILURE, not at all for SILENCE."""

    def __init__(self, records: Records) -> None:
        super().__init__()
        self._records = records
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.asked: list[str] = []

    def run(self) -> None:
        while True:
            wire, client = self._socket.recvfrom(4096)
            if not wire:
                self._socket.close()
                return
            if answer := self._answer(dns.message.from_wire(wire)):
                self._socket.sendto(answer, client)

    def stop(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopping:
            stopping.sendto(b"", ("127.0.0.1", self.port))
        self.join()

    def _answer(self, query: dns.message.Message) -> bytes | None:
        name = query.question[0].name.to_text(omit_final_dot=True)
        self.asked.append(name)
        records = self._records.get(name)
        if records == SILENCE:
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if records == FAILURE:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif records is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif records:
            texts = [" ".join(f'"{text[at : at + 200]}"' for at in range(0, len(text), 200)) for text in records]
            response.answer.append(dns.rrset.from_text_list(f"{name}.", 60, "IN", "TXT", texts))
        return response.to_wire()


@contextmanager
def name_server(records: Records) -> Iterator[tuple[NameServer, Resolver]]:
    """A running server, and a resolver that asks it."""
    server = NameServer(records)
    server.start()
    resolver = Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], server.port
    resolver.lifetime, resolver.cache = 0.5, Cache()
    try:
        yield server, resolver
    finally:
        server.stop()
