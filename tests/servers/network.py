"""Several machines on one, whose cables can be cut: network namespaces on a bridge.

It takes root; tests marked `needs_namespaces` are skipped elsewhere. See ip-netns(8), ip-link(8), veth(4).
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from newsletter.embedded.processes import dies_with_parent
from newsletter.text import one_line

PREFIX = "news"
_LINKS, _NAMESPACES = Path("/sys/class/net"), Path("/run/netns")
_OWNER = re.compile(rf"{PREFIX}(\d+)-\w+")
# In a network of so many addresses every process number below 2**20 has one of its own in 10.0.0.0/8.
_PREFIX_LENGTH, _ADDRESSES = 28, 16
# An address that does not answer is asked for again each second; after so many times it is "unreachable". Left as it
# is, that would be three: clients would hear of the cut instead of waiting in vain.
_PROBES = 10_000
# Bits of the effective set, as capabilities(7) numbers them.
_CAP_NET_ADMIN, _CAP_SYS_ADMIN = 12, 21


def hindrance() -> str | None:
    """Why there can be no network namespaces here; None where there can."""
    if shutil.which("ip") is None:
        return "ip is missing; on Debian: apt-get install iproute2"
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    effective = int(re.findall(r"CapEff:\s*([0-9a-f]+)", status)[0], 16)
    if not (effective >> _CAP_NET_ADMIN) & (effective >> _CAP_SYS_ADMIN) & 1:
        return "network namespaces need root, or CAP_NET_ADMIN and CAP_SYS_ADMIN"
    return None


needs_namespaces = pytest.mark.skipif(hindrance() is not None, reason=hindrance() or "")


class Machine:
    """A network namespace with one cable to the hub, and a loopback of its own."""

    def __init__(self, name: str, address: str, stack: ExitStack) -> None:
        # The name of its namespace and of the hub's end of its cable.
        self.name = name
        self.address = address
        self._stack = stack

    def run(self, command: Sequence[str | Path], **options: Any) -> subprocess.Popen[bytes]:
        """Start a program on this machine; `options` as Popen takes them. It is killed when the network ends."""
        process: subprocess.Popen[bytes] = subprocess.Popen(
            ["ip", "netns", "exec", self.name, *command], preexec_fn=dies_with_parent(signal.SIGKILL), **options
        )
        self._stack.enter_context(process)
        self._stack.callback(process.kill)
        return process

    def cut(self) -> None:
        """Pull the cable: from now on packets vanish both ways, and nobody is told."""
        _ip("link", "set", self.name, "down")

    def mend(self) -> None:
        """Plug it in again. A connection goes on when TCP tries again, after about as long as the cut at most."""
        _ip("link", "set", self.name, "up")


class Network:
    """As many machines as asked for (13 at most) and a hub: this process and what it listens on at `hub_address`.

    One at a time in a process. It all goes with the `with` block, and what killed processes left goes first. Raises
    RuntimeError with the words of ip(8) where it cannot be made.
    """

    def __init__(self, machines: int = 2) -> None:
        pid = os.getpid()
        addresses = list(_subnet(pid).hosts())
        self._hub = f"{PREFIX}{pid}-hub"
        self.hub_address = str(addresses[0])
        self._stack = ExitStack()
        self._machines = {
            number: Machine(f"{PREFIX}{pid}-{number}", str(addresses[number]), self._stack)
            for number in range(1, machines + 1)
        }

    def __enter__(self) -> Self:
        for owner in _owners():
            if not Path(f"/proc/{owner}").exists():
                _remove(owner)
        self._stack.callback(_remove, os.getpid())
        try:
            self._make_hub()
            for machine in self._machines.values():
                self._connect(machine)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def machine(self, number: int) -> Machine:
        """The machines are numbered from 1."""
        return self._machines[number]

    def _make_hub(self) -> None:
        _batch(
            f"link add {self._hub} type bridge",
            f"address add {self.hub_address}/{_PREFIX_LENGTH} dev {self._hub}",
            f"ntable change name arp_cache dev {self._hub} mcast_probes {_PROBES}",
            f"link set {self._hub} up",
        )

    def _connect(self, machine: Machine) -> None:
        _batch(
            f"netns add {machine.name}",
            f"link add {machine.name} type veth peer name eth0 netns {machine.name}",
            f"link set {machine.name} master {self._hub} up",
        )
        _batch(
            "link set lo up",
            f"address add {machine.address}/{_PREFIX_LENGTH} dev eth0",
            f"ntable change name arp_cache dev eth0 mcast_probes {_PROBES}",
            "link set eth0 up",
            namespace=machine.name,
        )


def _subnet(pid: int) -> IPv4Network:
    base = IPv4Address("10.0.0.0") + pid * _ADDRESSES % 2**24
    return IPv4Network((base, _PREFIX_LENGTH))


def _owners() -> set[int]:
    """The numbers of the processes, dead ones too, whose links and namespaces are here."""
    folders = (folder for folder in (_LINKS, _NAMESPACES) if folder.exists())
    names = (path.name for folder in folders for path in folder.iterdir())
    return {int(found[1]) for name in names if (found := _OWNER.fullmatch(name))}


def _remove(owner: int) -> None:
    """Everything that carries this process's number, and what runs there.

    No failure counts: others may be tidying up after the same dead process.
    """
    namespaces = [path.name for path in _NAMESPACES.glob(f"{PREFIX}{owner}-*")]
    for namespace in namespaces:
        for pid in _run("netns", "pids", namespace).stdout.split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
    # A namespace is taken down in the background, a link at once, with the end of it that is in there.
    for link in _LINKS.glob(f"{PREFIX}{owner}-*"):
        _run("link", "delete", link.name)
    for namespace in namespaces:
        _run("netns", "delete", namespace)


def _batch(*commands: str, namespace: str | None = None) -> None:
    inside = ("-netns", namespace) if namespace else ()
    _ip(*inside, "-batch", "-", lines="".join(f"{command}\n" for command in commands))


def _ip(*arguments: str, lines: str = "") -> None:
    done = _run(*arguments, lines=lines)
    if done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(arguments)}: {one_line(done.stderr)}")


def _run(*arguments: str, lines: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ip", *arguments], input=lines, capture_output=True, text=True, check=False)
