from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from newsletter.embedded.processes import Command, Process, tail
from newsletter.embedded.supervisor import Ended, Restarted, Supervisor
from newsletter.errors import UnavailableError

Shell = Callable[..., Process]

# Says when its trap is set: a SIGTERM that comes earlier would just end it.
OBEDIENT = 'trap "echo $NAME told to stop >> $NOTES; exit 0" TERM; echo up; while :; do sleep 0.02; done'
STUBBORN = 'trap "" TERM; sleep 60 & echo $!; wait; wait'
LEAVES_ONE_BEHIND = "sleep 60 & echo $!; exit 0"

PARENT = """
import sys, time
from pathlib import Path
from newsletter.embedded.processes import Command, Process
child = Process(Command("child", ("sleep", "60"), {}, Path(sys.argv[1])))
child.start()
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """Makes processes that run a shell script; whatever still runs at the end of the test is killed."""
    made: list[Process] = []

    def make(script: str, name: str = "child") -> Process:
        env = {"NAME": name, "NOTES": str(tmp_path / "notes")}
        made.append(Process(Command(name, ("/bin/sh", "-c", script), env, tmp_path / f"{name}.log")))
        return made[-1]

    yield make
    for process in made:
        process.stop(timeout_seconds=0)


def until(condition: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up_at, "it did not happen within 10 s"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """A zombie is not: in a container nobody may be there to bury it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def first_number(process: Process) -> int:
    until(lambda: bool(process.tail(1)))
    return int(process.tail(1)[0])


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent is gone")
def test_a_killed_parent_takes_its_children_along(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.kill()
    until(lambda: not alive(child))


def test_a_child_is_asked_to_stop_before_it_is_killed(shell: Shell, tmp_path: Path) -> None:
    child = shell(OBEDIENT)
    child.start()
    until(lambda: child.tail(1) == ["up"])
    child.stop(timeout_seconds=5)
    assert child.poll() == 0
    assert (tmp_path / "notes").read_text() == "child told to stop\n"


def test_a_child_that_will_not_stop_is_killed_with_all_it_started(shell: Shell) -> None:
    child = shell(STUBBORN)
    child.start()
    grandchild = first_number(child)
    child.stop(timeout_seconds=0.1)
    assert child.poll() == -signal.SIGKILL
    until(lambda: not alive(grandchild))


def test_nothing_a_dead_child_started_works_on(shell: Shell) -> None:
    child = shell(LEAVES_ONE_BEHIND)
    child.start()
    grandchild = first_number(child)
    until(lambda: child.poll() == 0)
    until(lambda: not alive(grandchild))


def test_ctrl_c_in_the_terminal_does_not_reach_a_child(shell: Shell) -> None:
    child = shell(OBEDIENT)
    child.start()
    assert child.pid is not None
    assert os.getsid(child.pid) == child.pid != os.getsid(0)


def test_starting_a_running_child_again_changes_nothing(shell: Shell) -> None:
    child = shell(OBEDIENT)
    child.start()
    pid = child.pid
    child.start()
    assert child.pid == pid


def test_a_child_that_was_never_started_can_be_stopped(shell: Shell) -> None:
    child = shell(OBEDIENT)
    child.stop(timeout_seconds=1)
    assert not child.running
    assert child.poll() is None


def test_output_of_every_run_is_appended_to_the_log(shell: Shell) -> None:
    child = shell("echo out; echo err >&2")
    for _ in range(2):
        child.start()
        until(lambda: not child.running)
    assert child.tail(10) == ["out", "err", "out", "err"]


def test_the_tail_of_a_log_is_its_last_lines_that_are_not_blank(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert tail(log, 2) == []
    log.write_bytes(b"x" * 100_000 + b"\none\n\xff two\n\n")
    assert tail(log, 2) == ["one", "� two"]


def test_a_missing_program_is_told_in_one_line(tmp_path: Path) -> None:
    child = Process(Command("worker", ("/no/such/program",), {}, tmp_path / "log"))
    with pytest.raises(UnavailableError, match=r"^worker: cannot start /no/such/program \(No such file"):
        child.start()


def test_processes_are_stopped_in_the_reverse_of_their_start_order(shell: Shell, tmp_path: Path) -> None:
    children = [shell(OBEDIENT, name) for name in ("queue", "worker", "web")]
    supervisor = Supervisor(children)
    supervisor.start_all()
    until(lambda: all(child.tail(1) == ["up"] for child in children))
    supervisor.stop_all(timeout_seconds=5)
    stopped = [line.split()[0] for line in (tmp_path / "notes").read_text().splitlines()]
    assert stopped == ["web", "worker", "queue"]
    assert supervisor.watch_once() == []


def test_either_all_processes_are_started_or_none(shell: Shell, tmp_path: Path) -> None:
    first = shell(OBEDIENT, "first")
    broken = Process(Command("broken", ("/no/such/program",), {}, tmp_path / "log"))
    with pytest.raises(UnavailableError, match="broken"):
        Supervisor([first, broken]).start_all()
    assert not first.running


def test_a_process_that_ended_is_started_again_at_once_and_the_next_time_when_its_delay_is_over(shell: Shell) -> None:
    clock = Clock()
    child = shell("echo out of luck; exit 3", "worker")
    supervisor = Supervisor([child], clock)
    supervisor.start_all()
    until(lambda: not child.running)
    [ended] = supervisor.watch_once()
    assert str(ended) == "worker ended (status 3), starting again at once: out of luck"
    assert supervisor.watch_once() == [Restarted("worker")]
    until(lambda: not child.running)
    [ended] = supervisor.watch_once()
    assert ended == Ended("worker", "status 3", 1.0, "out of luck")
    assert str(ended) == "worker ended (status 3), starting again in 1 s: out of luck"
    assert supervisor.watch_once() == []
    clock.now += 1
    assert supervisor.watch_once() == [Restarted("worker")]


def test_a_process_that_runs_is_left_alone(shell: Shell) -> None:
    child = shell(OBEDIENT)
    supervisor = Supervisor([child])
    supervisor.start_all()
    pid = child.pid
    assert supervisor.watch_once() == []
    assert child.pid == pid


def delays(supervisor: Supervisor, child: Process, clock: Clock, runs: int) -> list[float]:
    found = []
    for _ in range(runs):
        until(lambda: not child.running)
        [ended] = supervisor.watch_once()
        assert isinstance(ended, Ended)
        found.append(ended.restart_in_seconds)
        clock.now += ended.restart_in_seconds
        assert supervisor.watch_once() == [Restarted("child")]
    return found


def test_the_delay_doubles_up_to_half_a_minute_and_falls_back_after_a_good_minute(shell: Shell) -> None:
    clock = Clock()
    child = shell("exit 1")
    supervisor = Supervisor([child], clock)
    supervisor.start_all()
    assert delays(supervisor, child, clock, runs=8) == [0, 1, 2, 4, 8, 16, 30, 30]
    clock.now += 60
    assert delays(supervisor, child, clock, runs=2) == [0, 1]


def test_a_process_that_cannot_be_started_again_is_told_and_tried_later(tmp_path: Path) -> None:
    clock = Clock()
    program = tmp_path / "program"
    program.symlink_to("/bin/true")
    child = Process(Command("web", (str(program),), {}, tmp_path / "log"))
    supervisor = Supervisor([child], clock)
    supervisor.start_all()
    until(lambda: not child.running)
    supervisor.watch_once()
    program.unlink()
    clock.now += 1
    [ended] = supervisor.watch_once()
    assert isinstance(ended, Ended)
    assert (ended.how, ended.restart_in_seconds) == ("not started", 1.0)
    program.symlink_to("/bin/true")
    clock.now += 2
    assert supervisor.watch_once() == [Restarted("web")]
    supervisor.stop_all(timeout_seconds=5)
