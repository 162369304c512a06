"""What is put off happens once, at its moment of the cloud's time, and never after the end."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request

import pytest

from runner.local.clock import Clock
from runner.local.cloud import Cloud
from tests.compute_site import eventually


@pytest.fixture
def standing() -> Clock:
    clock = Clock()
    clock.jump(100)
    return clock


def test_a_jump_runs_what_is_due_in_order_and_each_at_its_own_moment(standing: Clock) -> None:
    ran: list[tuple[str, float]] = []
    standing.timers.at(107, lambda: ran.append(("seven", standing.now())))
    standing.timers.at(103, lambda: ran.append(("three", standing.now())))
    standing.timers.at(111, lambda: ran.append(("eleven", standing.now())))
    standing.jump(110)
    assert ran == [("three", 103), ("seven", 107)]
    assert standing.now() == 110


def test_what_a_call_puts_off_happens_within_the_same_jump(standing: Clock) -> None:
    ran: list[float] = []

    def again() -> None:
        ran.append(standing.now())
        standing.later(60, again)

    standing.later(60, again)
    standing.jump(100 + 200)
    assert ran == [160, 220, 280]


def test_what_was_due_before_happens_at_once_and_time_does_not_go_back(standing: Clock) -> None:
    ran: list[float] = []
    standing.timers.at(50, lambda: ran.append(standing.now()))
    standing.jump(101)
    assert ran == [100]


def test_a_cancelled_call_and_one_from_before_a_reset_do_not_happen(standing: Clock) -> None:
    ran: list[str] = []
    standing.timers.at(101, lambda: ran.append("cancelled")).cancel()
    standing.timers.at(101, lambda: ran.append("forgotten"))
    standing.timers.clear()
    standing.timers.at(101, lambda: ran.append("new"))
    standing.jump(200)
    assert ran == ["new"]


def test_what_a_call_under_way_puts_off_after_a_reset_is_forgotten(standing: Clock) -> None:
    ran: list[str] = []

    def resets() -> None:
        standing.timers.clear()
        standing.later(1, lambda: ran.append("from the account before"))

    standing.later(1, resets)
    standing.jump(200)
    assert ran == []


def test_a_call_that_fails_does_not_keep_the_others_back(standing: Clock) -> None:
    ran: list[str] = []

    def fails() -> None:
        raise RuntimeError

    standing.timers.at(101, fails)
    standing.timers.at(102, lambda: ran.append("next"))
    standing.jump(200)
    assert ran == ["next"]


def test_calls_happen_on_a_running_clock_and_on_one_that_leaps() -> None:
    clock = Clock(speed=1000)
    ran = threading.Event()
    clock.later(5, ran.set)
    assert ran.wait(5)
    ahead = threading.Event()
    clock.later(86_400, ahead.set)
    clock.run(clock.now() + 90_000)
    assert ahead.is_set()
    clock.timers.stop()


def test_a_clock_that_goes_on_after_standing_wakes_its_calls() -> None:
    clock = Clock(speed=1000)
    clock.jump(100)
    ran: list[float] = []
    clock.later(10, lambda: ran.append(clock.now()))
    clock.run(100)
    eventually(lambda: bool(ran))
    assert ran[0] >= 110
    clock.timers.stop()


def test_nothing_happens_after_the_stop(standing: Clock) -> None:
    ran: list[str] = []
    standing.later(1, lambda: ran.append("before"))
    standing.timers.stop()
    assert standing.later(1, lambda: ran.append("after")).cancelled
    standing.jump(200)
    assert ran == []


def test_settling_waits_for_what_is_due_and_what_that_puts_off_at_once() -> None:
    clock = Clock()
    ran: list[str] = []
    slow = threading.Event()

    def first() -> None:
        slow.wait(5)
        ran.append("first")
        clock.later(0, lambda: ran.append("second"))

    clock.later(0, first)
    clock.later(3600, lambda: ran.append("not yet"))
    assert not clock.timers.settle(0.05)
    slow.set()
    assert clock.timers.settle(5)
    assert ran == ["first", "second"]
    clock.timers.stop()


@pytest.mark.parametrize("body", [b'{"advance": -1}', b'{"advance": "soon"}', b"no json"])
def test_a_leap_goes_forward_by_a_number_of_seconds(body: bytes) -> None:
    with Cloud() as cloud:
        request = urllib.request.Request(f"{cloud.endpoint}/_jam/clock", body, method="POST")
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
    assert caught.value.code == 400


def test_a_new_speed_counts_from_now_on_and_wakes_what_waits() -> None:
    clock = Clock(speed=0.001)
    ran = threading.Event()
    clock.later(600, ran.set)
    clock.hasten(100_000)
    assert ran.wait(5)
    clock.timers.stop()
