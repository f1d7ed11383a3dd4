from __future__ import annotations

import time
from datetime import timedelta

import pytest
import time_machine

from newsletter.clock import utc_now
from workers.schedule import Every

EVERY = Every(2.0)
AN_HOUR = timedelta(hours=1)


def test_a_task_is_due_once_so_many_seconds_have_gone_by() -> None:
    due, next_in = EVERY.is_due(EVERY.now() - timedelta(seconds=2))
    assert (due, next_in) == (True, 2.0)


def test_until_then_it_tells_how_long_to_wait() -> None:
    due, next_in = EVERY.is_due(EVERY.now() - timedelta(seconds=0.5))
    assert not due
    assert next_in == pytest.approx(1.5, abs=0.2)


def test_its_time_is_the_clocks_at_first() -> None:
    assert abs(EVERY.now() - utc_now()) < timedelta(seconds=5)


@pytest.mark.parametrize("jump", [AN_HOUR, -AN_HOUR])
def test_a_clock_that_jumps_neither_hurries_nor_silences_it(jump: timedelta) -> None:
    last = EVERY.now()
    with time_machine.travel(utc_now() + jump, tick=True):
        assert not EVERY.is_due(last).is_due
        assert timedelta() <= EVERY.now() - last < timedelta(seconds=1)
    assert EVERY.is_due(last - timedelta(seconds=2)).is_due


def test_a_last_run_in_the_future_of_a_clock_set_back_since_is_no_reason_to_wait() -> None:
    assert EVERY.is_due(EVERY.now() + AN_HOUR) == (True, 2.0)


def test_its_time_goes_by() -> None:
    before = EVERY.now()
    time.sleep(0.02)
    assert EVERY.now() - before >= timedelta(seconds=0.02)
