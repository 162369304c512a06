"""What is decided about an open rollout, whatever is seen of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.guard import journal
from runner.guard.rollout import (
    Act,
    Deployment,
    Phase,
    Policy,
    Rollout,
    Seen,
    decide,
)
from runner.guard.signals import Where, minutes, queries, signals
from runner.guard.verdict import Minute, Verdict

OPENED = 1_800_000_000
OPEN = Rollout(
    id="7x1",
    candidate="c" * 32,
    baseline="b" * 32,
    candidate_version="8",
    baseline_version="7",
    phase=Phase.OPEN,
    deployment="d-1",
    opened=OPENED,
    ends=OPENED + 900,
    alarms=("jam-notes-7x1", "checkout"),
    stages=("two", "one"),
)
SHIFTING = Seen(deployment=Deployment.ACTIVE, alias="7", weights={"8": 0.1})
EARLY, LATE = OPENED + 120, OPENED + 800


def _act(rollout: Rollout, seen: Seen, now: int) -> Act:
    return decide(rollout, seen, now=now).act


@pytest.mark.parametrize(
    ("verdict", "policy", "now", "act"),
    [
        (Verdict.INCONCLUSIVE, Policy.PROMOTE, EARLY, Act.WAIT),
        (Verdict.PASS, Policy.PROMOTE, EARLY, Act.WAIT),
        (Verdict.FAIL, Policy.PROMOTE, EARLY, Act.TAKE_BACK),
        (Verdict.FAIL, Policy.WAIT, LATE, Act.TAKE_BACK),
        (Verdict.INCONCLUSIVE, Policy.PROMOTE, LATE, Act.WAIT),
        (Verdict.INCONCLUSIVE, Policy.ROLLBACK, LATE, Act.TAKE_BACK),
        (Verdict.INCONCLUSIVE, Policy.ROLLBACK, EARLY, Act.WAIT),
        (Verdict.INCONCLUSIVE, Policy.EXTEND, LATE, Act.HOLD),
        (Verdict.INCONCLUSIVE, Policy.WAIT, LATE, Act.HOLD),
        (Verdict.PASS, Policy.WAIT, LATE, Act.WAIT),
        (Verdict.PASS, Policy.ROLLBACK, LATE, Act.WAIT),
    ],
)
def test_while_visitors_are_shifted_the_verdict_and_the_policy_decide(
    verdict: Verdict, policy: Policy, now: int, act: Act
) -> None:
    assert _act(replace(OPEN, policy=policy), replace(SHIFTING, verdict=verdict), now) is act


@pytest.mark.parametrize(
    ("alias", "weights", "act"),
    [("8", {}, Act.PROMOTE), ("7", {}, Act.TAKE_BACK), ("9", {}, Act.TAKE_BACK)],
)
def test_when_codedeploy_is_done_the_alias_has_the_last_word(
    alias: str, weights: dict[str, float], act: Act
) -> None:
    seen = Seen(deployment=Deployment.SUCCEEDED, alias=alias, weights=weights)
    assert _act(OPEN, seen, LATE) is act


def test_what_codedeploy_ended_is_taken_back_with_its_own_words() -> None:
    seen = Seen(deployment=Deployment.ENDED, alias="7", why="CodeDeploy: ALARM_ACTIVE")
    found = decide(OPEN, seen, now=EARLY)
    assert (found.act, found.why) == (Act.TAKE_BACK, "CodeDeploy: ALARM_ACTIVE")


@pytest.mark.parametrize(("alias", "weights"), [("9", {}), ("7", {"9": 0.5}), ("9", {"8": 0.1})])
def test_an_alias_that_somebody_moved_is_put_back(alias: str, weights: dict[str, float]) -> None:
    seen = Seen(deployment=Deployment.ACTIVE, alias=alias, weights=weights)
    assert _act(OPEN, seen, EARLY) is Act.TAKE_BACK


@pytest.mark.parametrize(("now", "act"), [(EARLY, Act.WAIT), (OPENED + 1300, Act.TAKE_BACK)])
def test_a_rollout_whose_run_ended_while_opening_it_is_undone_after_a_while(
    now: int, act: Act
) -> None:
    opening = replace(OPEN, phase=Phase.OPENING, deployment="")
    assert _act(opening, Seen(deployment=Deployment.NONE, alias="7"), now) is act


HELD = replace(OPEN, phase=Phase.HELD, policy=Policy.EXTEND)
STOPPED = Seen(deployment=Deployment.ENDED, alias="7", weights={"8": 0.1})


@pytest.mark.parametrize(
    ("policy", "seen", "now", "act"),
    [
        (Policy.EXTEND, STOPPED, LATE, Act.WAIT),
        (Policy.EXTEND, STOPPED, OPENED + 900 + 3 * 900, Act.PROMOTE),
        (Policy.WAIT, STOPPED, OPENED + 10**6, Act.WAIT),
        (Policy.WAIT, replace(STOPPED, verdict=Verdict.PASS), LATE, Act.PROMOTE),
        (Policy.WAIT, replace(STOPPED, verdict=Verdict.FAIL), LATE, Act.TAKE_BACK),
        (Policy.WAIT, replace(STOPPED, red=("checkout",)), LATE, Act.TAKE_BACK),
        (Policy.WAIT, replace(STOPPED, alias="8", weights={}), LATE, Act.PROMOTE),
    ],
)
def test_a_rollout_that_is_held_is_judged_on_by_us_alone(
    policy: Policy, seen: Seen, now: int, act: Act
) -> None:
    assert _act(replace(HELD, policy=policy), seen, now) is act


def test_what_is_closed_stays_so() -> None:
    closed = replace(OPEN, phase=Phase.CLOSED)
    assert _act(closed, replace(SHIFTING, verdict=Verdict.FAIL), LATE) is Act.NOTHING


def test_a_rollout_is_read_as_it_was_written_and_by_an_older_guard_as_well() -> None:
    rollout = replace(OPEN, after=({"client": "records", "arguments": {}},), notify=("https://x",))
    text = journal.text_of(rollout)
    assert journal.rollout_of(text) == rollout
    newer = text.replace('"id":', '"unheard_of":1,"id":')
    assert journal.rollout_of(newer) == rollout


WHERE = Where(site="notes", entry="jam-notes-entry", alias="live", api="a1")


def test_releases_that_share_an_api_stage_are_not_judged_by_it() -> None:
    slow = replace(OPEN, slow_over=300.0)
    assert "functions" in signals(slow)
    assert "slow" in signals(slow)
    for stages in (("one", "one"), ("", "one"), ("", "")):
        shared = replace(slow, stages=stages)
        assert signals(shared) == ("entry", "entry-slow", "missing")
        asked = [query["MetricStat"]["Metric"]["Namespace"] for query in queries(shared, WHERE)]
        assert "AWS/ApiGateway" not in asked


def test_metrics_become_minutes_without_gaps() -> None:
    found = {
        "c_sessions": {0: 3.0, 60: 2.0},
        "b_sessions": {0: 30.0, 60: 20.0, 120: 10.0},
        "c_missing": {60: 2.0},
        "c_crashed": {0: 1.0},
        "b_failed": {120: 4.0},
    }
    judged = minutes(replace(OPEN, stages=("", "")), found)
    assert judged["entry"] == [Minute(4, 1, 30, 0), Minute(2, 0, 20, 0), Minute(0, 0, 14, 4)]
    # A session may meet a missing file minutes after it began.
    assert judged["missing"] == [
        Minute(3, 0, 30, 0, 3),
        Minute(5, 2, 50, 0, 2),
        Minute(5, 0, 60, 0, 0),
    ]


def test_a_rollout_asks_for_every_metric_once() -> None:
    asked = queries(replace(OPEN, slow_over=300.0, beacon=True), WHERE)
    ids = [query["Id"] for query in asked]
    assert len(ids) == len(set(ids)) == 20
    assert {query["MetricStat"]["Period"] for query in asked} == {60}


@pytest.mark.parametrize(
    ("slow", "counted"),
    [
        ([9, 1, 0], [0, 0, 0]),  # cold starts
        ([20, 4, 0], [2, 0, 0]),  # and a tail that a second minute explains
        ([80, 75, 70], [62, 67, 62]),  # slow as such
        ([0, 0, 60], [0, 0, 26]),
    ],
)
def test_the_cold_starts_and_the_tail_of_a_candidate_are_forgiven(
    slow: list[int], counted: list[int]
) -> None:
    times = (0, 60, 120)
    found = {
        "c_requests": dict.fromkeys(times, 80.0),
        "b_requests": dict.fromkeys(times, 800.0),
        "c_slow": dict(zip(times, map(float, slow), strict=True)),
        "b_slow": dict.fromkeys(times, 40.0),
    }
    judged = minutes(replace(OPEN, slow_over=300.0), found)["slow"]
    assert [one.candidate_failed for one in judged] == counted
    assert [one.baseline_failed for one in judged] == [40, 40, 40]
