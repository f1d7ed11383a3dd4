"""The command as a process of its own: its exit status, its streams, its signals."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from newsletter import __version__
from tests.unit.cli.conftest import Cli

COMMAND = (sys.executable, "-m", "newsletter")


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def busy() -> Iterator[str]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield str(listening.getsockname()[1])


@contextmanager
def up(folder: Path, port: str) -> Iterator[subprocess.Popen[str]]:
    """`newsletter up`, from the moment it says so; stopped as Ctrl-C stops it."""
    with (folder / "up.err").open("w", encoding="utf-8") as err:
        process = subprocess.Popen(
            [*COMMAND, "up", "--port", port], cwd=folder, stdout=subprocess.PIPE, stderr=err, text=True
        )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("newsletter is up at ")
        yield process
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
        assert rest.endswith("Stopped.\n")
        assert process.returncode == 0
        assert (folder / "up.err").read_text(encoding="utf-8") == ""
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_success_is_status_0_with_nothing_on_stderr(cli: Cli) -> None:
    assert cli.process("--version").success == f"newsletter {__version__}\n"


def test_a_fault_of_the_person_is_status_2_with_one_line_on_stderr(cli: Cli) -> None:
    ran = cli.process("render", "absent.md")
    assert ran.complaint == "absent.md: no such file or directory"
    assert ran.out == ""


def test_the_console_script_does_the_same(cli: Cli) -> None:
    script = Path(sys.executable).with_name("newsletter")
    done = subprocess.run([script, "render", "absent.md"], cwd=cli.folder, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "newsletter: absent.md: no such file or directory\n"


def test_names_that_are_not_utf_8_are_told_too(cli: Cli) -> None:
    done = subprocess.run(
        [*map(os.fsencode, COMMAND), b"render", b"\xe9t\xe9.md"], cwd=cli.folder, capture_output=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith(b"newsletter: ")
    assert done.stderr.count(b"\n") == 1


def test_a_reader_who_stops_early_is_no_fault(cli: Cli) -> None:
    listing = subprocess.Popen(
        [*COMMAND, "list", "ls", "--json"], cwd=cli.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert listing.stdout is not None
    assert listing.stderr is not None
    listing.stdout.close()
    assert b"Traceback" not in listing.stderr.read()
    listing.stderr.close()
    assert listing.wait(timeout=30) in (0, 1)


@pytest.mark.parametrize("command", [("up",), ("demo", "--no-serve")])
def test_a_busy_port_is_named_before_anything_starts(cli: Cli, busy: str, command: tuple[str, ...]) -> None:
    complaint = cli.process(*command, "--port", busy).complaint
    assert f"cannot listen on 127.0.0.1:{busy}" in complaint
    assert "choose another with --port" in complaint
    assert not list(cli.folder.rglob("*.db"))
    assert not list(cli.folder.rglob("log"))


def test_a_demo_never_takes_a_folder_that_is_not_its_own(cli: Cli) -> None:
    (cli.folder / ".demo").mkdir()
    cli.write(".demo/notes.txt", "mine")
    complaint = cli.process("demo", "--no-serve").complaint
    assert complaint.endswith("is not empty and not a demo's: move it away")
    assert cli.files() == {".demo/notes.txt": b"mine"}


def test_a_second_up_on_the_same_data_is_refused_and_the_first_goes_on(cli: Cli) -> None:
    with up(cli.folder, free_port()) as first:
        complaint = cli.process("up", "--port", free_port()).complaint
        assert f"(pid {first.pid}): stop it first" in complaint
        assert "newsletter-data" in complaint
        assert first.poll() is None
