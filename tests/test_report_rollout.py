"""How a rollout is told: to scripts, and to people with its curves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.forecast import forecast, unknown
from runner.guard import journal
from runner.guard.rollout import Phase
from runner.plan.promotion import Promotion, Strategy
from runner.promote import Ended
from runner.report.curve import sparkline
from runner.report.rollout import UNPROTECTED, recorded, text_of, told_of
from tests.guard_site import OPEN, OPENED, Site

BROKEN = 40


def _settled(**changes: object) -> journal.Item:
    site = Site(**changes)  # type: ignore[arg-type]  # its own fields, by name
    for _ in range(2):
        site.settle()
        site.deployment = "Succeeded" if site.alias == "8" else "Stopped"
    return site.items["rollout"]


def _told(item: journal.Item) -> dict[str, object]:
    outcome, why = item["outcome"]["S"], item["why"]["S"]
    return told_of(Ended(outcome=outcome, why=why, record=item))


def test_a_result_has_the_verdict_all_counts_and_the_weights() -> None:
    told = _told(_settled(failing=BROKEN))
    assert told["outcome"] == "rolled_back"
    assert told["verdict"] == "fail"
    assert told["signals"]["entry"] == {"candidate": [BROKEN, 90], "baseline": [0, 450]}  # type: ignore[index]
    assert told["minutes"]["entry"] == [[90, BROKEN, 450, 0]]  # type: ignore[index]
    assert told["weights"] == [[OPENED + 300, 0.1], [OPENED + 300, 0.0]]
    assert told["phase"] == "closed"


def test_people_see_what_failed_in_a_line() -> None:
    lines = text_of(_told(_settled(failing=BROKEN)))
    assert lines[0] == "rollout 7x1: the candidate is worse than what was live"
    assert "entry       ▄  40 of 90 failed, 0 of 450 of what was live" in lines
    assert not any("INCONCLUSIVE" in line for line in lines)


def test_what_was_promoted_without_a_verdict_is_told_loudly() -> None:
    lines = text_of(_told(_settled(deployment="Succeeded", alias="8", weights={})))
    assert any(
        line.startswith("INCONCLUSIVE") and 'on_inconclusive = "promote"' in line for line in lines
    )


def test_what_had_no_alarms_is_told_loudly() -> None:
    item = journal.put("t", replace(OPEN, protected=False, phase=Phase.OPEN))["Item"]
    assert UNPROTECTED in text_of({"why": "", **recorded(item)})
    assert "no visitor was counted" in text_of({"why": "", **recorded(item)})


def test_a_run_without_a_record_tells_what_it_knows() -> None:
    told = told_of(Ended(outcome="open", why="it waits"))
    assert text_of(told) == ["rollout: it waits"]
    assert text_of({}) == []


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([], ""),
        ([0, 0], "  "),
        ([1], "█"),
        ([0, 1, 2, 3, 4], " ▃▅▇█"),
        ([1] * 100 + [2] * 20, "▅" * 50 + "█" * 10),
    ],
)
def test_a_curve_is_one_block_a_value(values: list[float], line: str) -> None:
    assert sparkline(values) == line


def test_the_pace_of_a_rollout_foretells_the_next() -> None:
    item = _settled(deployment="Succeeded", alias="8", weights={})
    assert journal.pace(item) == pytest.approx(500 / 5)
    assert journal.pace(journal.put("t", OPEN)["Item"]) is None
    told = forecast(Promotion(strategy=Strategy(percent=10)), sessions_a_minute=100)
    assert "About 150 sessions" in told


@pytest.mark.parametrize(
    ("strategy", "needs"),
    [
        (Strategy(), "from about 5 sessions a minute on"),
        (Strategy(percent=50, interval=2), "from about 20 sessions a minute on"),
        (Strategy(percent=1, interval=1), "from about 500 sessions a minute on"),
    ],
)
def test_before_the_first_rollout_the_forecast_says_what_traffic_one_needs(
    strategy: Strategy, needs: str
) -> None:
    told = unknown(Promotion(strategy=strategy))
    assert told.startswith("Nothing is known of the traffic yet")
    assert needs in told
