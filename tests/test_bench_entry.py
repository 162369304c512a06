"""An aim of `make bench` is met, or it is not: by medians, and never over a peer that is absent."""

from __future__ import annotations

import pytest

from bench.entry import Aim, Entry, Readings, Spread, spread


def the_entry(ours: float, aim: Aim, *, higher: bool = False, **peers: float) -> Entry:
    return Entry(
        name="packaging", unit="s", ours=spread([ours]), aim=aim, higher=higher,
        peers={name: spread([value]) for name, value in peers.items()},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("aim", "higher", "ours", "peers", "met"),
    [
        (Aim(bound=0.5), False, 0.5, {}, True),
        (Aim(bound=0.5), False, 0.51, {}, False),
        (Aim(bound=3000), True, 3000, {}, True),
        (Aim(bound=3000), True, 2999, {}, False),
        (Aim(over=("a", "b")), False, 2, {"a": 2, "b": 3}, True),
        (Aim(over=("a", "b")), False, 2, {"a": 3, "b": 1}, False),
        (Aim(over=("a",)), True, 2, {"a": 1}, True),
        (Aim(over=("a",)), True, 1, {"a": 2}, False),
        (Aim(over=("a",), times=4), False, 1, {"a": 4}, True),
        (Aim(over=("a",), times=4), False, 1, {"a": 3.9}, False),
        (Aim(over=("a",), times=4), True, 4, {"a": 1}, True),
        (Aim(over=("a",), times=4), True, 3.9, {"a": 1}, False),
        (Aim(bound=1, over=("a",)), False, 2, {"a": 3}, False),
        (Aim(over=("a",)), False, 1, {}, False),
        (Aim(over=("a",)), False, 1, {"b": 2}, False),
    ],
)
def test_an_aim_is_met_within_its_bound_and_over_every_peer_that_it_names(
    aim: Aim, higher: bool, ours: float, peers: dict[str, float], met: bool
) -> None:
    assert the_entry(ours, aim, higher=higher, **peers).met is met


def test_a_row_has_the_shape_that_other_programs_read() -> None:
    aim = Aim(bound=0.5, over=("their tool",), times=4)
    entry = Entry(
        name="ready", unit="s", ours=spread([0.2, 0.1, 0.4]), peers={"their tool": spread([2.0])},
        aim=aim, rtt_ms=30,
    )  # fmt: skip
    assert entry.row() == {
        "name": "ready",
        "unit": "s",
        "rtt_ms": 30,
        "ours": {"median": 0.2, "min": 0.1, "max": 0.4},
        "peers": {"their tool": {"median": 2.0, "min": 2.0, "max": 2.0}},
        "aim": "at most 0.5 s; 4 times as good as their tool",
        "met": True,
    }


@pytest.mark.parametrize(
    ("aim", "said"),
    [
        (Aim(), ""),
        (Aim(bound=80), "at most 80 s"),
        (Aim(over=("a", "b")), "no worse than a, b"),
        (Aim(over=("a",), times=3), "3 times as good as a"),
        (Aim(over=("a",), times=1 / 1.5), "within 1.5 times a"),
    ],
)
def test_an_aim_says_what_it_asks_for(aim: Aim, said: str) -> None:
    assert aim.text("s", higher=False) == said


def test_readings_are_kept_by_what_is_measured_and_by_whom() -> None:
    readings = Readings()
    for value in (3.0, 1.0, 2.0):
        readings.add("seconds", "ours", value)
    readings.add("seconds", "theirs", 4.0)
    assert readings.of("seconds")["ours"] == Spread(median=2.0, min=1.0, max=3.0)
    assert readings.peers("seconds", "ours") == {"theirs": Spread(median=4.0, min=4.0, max=4.0)}
