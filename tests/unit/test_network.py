from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.servers.network import PREFIX, Machine, Network, hindrance, needs_namespaces

pytestmark = needs_namespaces

NOBODY = 65534
SECONDS = 5.0
LONGER_THAN_A_SEARCH = 4.0  # for an address that does not answer, as Linux does it by default

ECHO = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connection:
    while data := connection.recv(100):
        connection.sendall(data)
"""
TRY = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3]))
    print("connected")
except OSError as error:
    print(error)
"""
LISTEN = """
import socket, sys
with socket.create_server((sys.argv[1], 2525)) as listener:
    print("ready", flush=True)
    while True:
        listener.accept()[0].close()
"""
RUN = """
import subprocess, sys
from tests.servers.network import Network
with Network(machines=1) as network:
    shell = network.machine(1).run(["sh", "-c", "sleep 60 & echo; wait"], stdout=subprocess.PIPE)
    shell.stdout.readline()
    print(network.hub_address, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def network() -> Iterator[Network]:
    with Network(machines=2) as network:
        yield network


@pytest.fixture
def listener(network: Network) -> Iterator[socket.socket]:
    with socket.create_server((network.hub_address, 0)) as listener:
        listener.settimeout(SECONDS)
        yield listener


def connected(machine: Machine, listener: socket.socket) -> socket.socket:
    """The hub's end of a connection whose other end sends everything back."""
    address, port = listener.getsockname()
    machine.run([sys.executable, "-c", ECHO, address, str(port)])
    connection, (caller, _) = listener.accept()
    assert caller == machine.address
    connection.settimeout(SECONDS)
    return connection


def is_answered(connection: socket.socket, data: bytes) -> bool:
    connection.sendall(data)
    try:
        return connection.recv(100) == data
    except TimeoutError:
        return False


def attempt(machine: Machine, address: str, port: int, seconds: float) -> subprocess.Popen[bytes]:
    return machine.run([sys.executable, "-c", TRY, address, str(port), str(seconds)], stdout=subprocess.PIPE)


def words(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


def listen(machine: Machine) -> None:
    process = machine.run([sys.executable, "-c", LISTEN, machine.address], stdout=subprocess.PIPE)
    assert words(process) == "ready"


def remains(pid: int) -> list[Path]:
    return [path for folder in ("/sys/class/net", "/run/netns") for path in Path(folder).glob(f"{PREFIX}{pid}-*")]


def running(namespace: str) -> list[int]:
    listed = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True, check=True)
    return [int(pid) for pid in listed.stdout.split()]


def is_gone(pid: int) -> bool:
    """Whether the process has ended, within a moment."""
    give_up_at = time.monotonic() + SECONDS
    stat = Path(f"/proc/{pid}/stat")
    while stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z":
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.01)
    return True


def another_run() -> subprocess.Popen[str]:
    """A process with a network of its own, which ends once its input does."""
    process = subprocess.Popen([sys.executable, "-c", RUN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("10.")
    return process


def test_a_connection_hangs_while_its_cable_is_cut_and_goes_on_when_it_is_mended(
    network: Network, listener: socket.socket
) -> None:
    machine = network.machine(1)
    with closing(connected(machine, listener)) as connection:
        assert is_answered(connection, b"before")
        machine.cut()
        connection.settimeout(1)
        assert not is_answered(connection, b"meanwhile")
        machine.mend()
        connection.settimeout(SECONDS)
        assert connection.recv(100) == b"meanwhile"
        assert is_answered(connection, b"after")


def test_the_other_machine_does_not_notice(network: Network, listener: socket.socket) -> None:
    network.machine(1).cut()
    with closing(connected(network.machine(2), listener)) as connection:
        assert is_answered(connection, b"hello")
    network.machine(1).mend()


def test_nobody_hears_of_a_cut_neither_machine_nor_hub(network: Network, listener: socket.socket) -> None:
    machine = network.machine(1)
    hub, port = listener.getsockname()
    listen(machine)
    machine.cut()
    caller = attempt(machine, hub, port, LONGER_THAN_A_SEARCH)
    with pytest.raises(TimeoutError, match="timed out"):
        socket.create_connection((machine.address, 2525), LONGER_THAN_A_SEARCH)
    assert words(caller) == "timed out"
    machine.mend()
    socket.create_connection((machine.address, 2525), SECONDS).close()
    assert words(attempt(machine, hub, port, SECONDS)) == "connected"


def test_machines_reach_each_other_and_have_ports_of_their_own(network: Network) -> None:
    one, two = network.machine(1), network.machine(2)
    listen(two)
    assert words(attempt(one, two.address, 2525, SECONDS)) == "connected"
    assert "refused" in words(attempt(one, "127.0.0.1", 2525, SECONDS))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((network.hub_address, 2525))


def test_what_runs_on_a_machine_is_what_was_started(network: Network) -> None:
    process = network.machine(1).run(["sleep", "60"])
    time.sleep(0.1)
    assert Path(f"/proc/{process.pid}/comm").read_text() == "sleep\n"
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert network.machine(1).run(["false"]).wait() == 1


def test_runs_beside_each_other_do_not_meet(network: Network, listener: socket.socket) -> None:
    with another_run() as other:
        assert len(remains(other.pid)) == 3
        with closing(connected(network.machine(1), listener)) as connection:
            assert is_answered(connection, b"hello")
        other.communicate()
    assert remains(other.pid) == []
    assert len(remains(os.getpid())) == 5


def test_what_a_killed_run_left_is_removed_by_the_next() -> None:
    with another_run() as killed:
        killed.kill()
    assert len(remains(killed.pid)) == 3
    pids = running(f"{PREFIX}{killed.pid}-1")
    with Network(machines=1):
        assert remains(killed.pid) == []
    assert pids
    assert all(is_gone(pid) for pid in pids)


def test_nothing_is_left_after_an_exception_nor_anything_running() -> None:
    def fail() -> None:
        with Network() as network:
            machine = network.machine(2)
            process = machine.run(
                ["sh", "-c", "sleep 60 & echo; wait"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            words(process)
            pids.extend(running(machine.name))
            raise LookupError

    pids: list[int] = []
    with pytest.raises(LookupError):
        fail()
    assert len(pids) == 2
    assert all(is_gone(pid) for pid in pids)
    assert remains(os.getpid()) == []


def test_what_ip_has_against_it_is_told_in_one_line() -> None:
    with Network(machines=1) as network:
        machine = network.machine(1)
    with pytest.raises(RuntimeError, match=r"^ip link set news\d+-1 down: Cannot find device .*$"):
        machine.cut()


def test_it_is_known_why_there_can_be_no_machines_here(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hindrance() is None
    os.seteuid(NOBODY)
    try:
        assert hindrance() == "network namespaces need root, or CAP_NET_ADMIN and CAP_SYS_ADMIN"
    finally:
        os.seteuid(0)
    monkeypatch.setenv("PATH", "")
    assert hindrance() == "ip is missing; on Debian: apt-get install iproute2"
