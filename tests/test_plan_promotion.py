"""What the planner decides where a release goes to its visitors by a rollout."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.model import Background, Origin, Upkeep
from runner.plan.decide import plan
from runner.plan.groundwork import Foundation
from runner.plan.live import Live, Published
from runner.plan.promotion import OpenRollout, Promotion, Strategy
from runner.plan.steps import Plan
from tests.builders import a_file, a_function, a_release

FOUNDATION = Foundation(digest="f1", tables=(), router="r", response="s", guard="g1")
DAILY = replace(a_function("daily"), background=Background(schedule="rate(1 day)"))
BEFORE = a_release("before", files=(a_file("index.html"),), functions=(DAILY,), api_stage="s1")
CHANGED = replace(DAILY, digest="d2", upkeep=Upkeep(log_days=7))
AFTER = a_release("after", files=(a_file("index.html"),), functions=(CHANGED,), api_stage="s2")


CANARY = Promotion()


def decide(*, promotion: Promotion | None = CANARY, **live: object) -> Plan:
    standing: dict[str, object] = {
        "release": BEFORE.id,
        "sequence": 4,
        "foundation": "f1",
        "functions": {
            "daily": Published(digest=DAILY.digest, version="1", background=DAILY.background)
        },
        "stages": (("s1", (BEFORE.id,)),),
    }
    found = Live(**{**standing, **live})
    return plan(AFTER, found, foundation=FOUNDATION, origin=Origin(), promotion=promotion)


def lines(steps) -> list[str]:
    return [str(step) for step in steps]


NEW, OLD = AFTER.id[:8], BEFORE.id[:8]


def test_a_rollout_ends_the_switch_and_what_follows_the_release_waits_for_its_end() -> None:
    todo = decide()
    assert lines(todo.switch) == [
        f"record that {NEW} is ready",
        f"open a rollout of {NEW} (was {OLD}): 10 % of new visitors for 15 minutes, then all",
    ]
    assert lines(todo.promoted) == ["run daily by rate(1 day)"]
    assert lines(todo.settle) == [
        "keep 7 days of logs for daily",
        "record that nothing of number 5 is left to do",
    ]
    assert todo.opens
    assert lines(todo.switching) == lines(todo.switch)
    assert lines(todo.following) == [*lines(todo.promoted), *lines(todo.settle)]


def test_what_is_recorded_when_it_is_live_is_known_before_it_begins() -> None:
    opened = decide().switch[-1]
    assert isinstance(opened, OpenRollout)
    assert opened.recording.release == AFTER.id
    assert opened.recording.previous == BEFORE.id
    assert opened.recording.sequence == 5
    assert opened.recording.trailing
    assert opened.left == ("run daily by rate(1 day)", "keep 7 days of logs for daily")
    assert opened.streams == ()


def test_streams_are_the_guards_to_move_and_not_left_to_a_run() -> None:
    events = replace(a_function("events"), stream=True)
    after = a_release("after", files=(a_file("index.html"),), functions=(events,), api_stage="s2")
    found = Live(release=BEFORE.id, sequence=4, foundation="f1", entry_agrees=True)
    todo = plan(after, found, foundation=FOUNDATION, origin=Origin(), promotion=CANARY)
    opened = todo.switch[-1]
    assert isinstance(opened, OpenRollout)
    assert (opened.streams, opened.left) == (("events",), ())
    assert opened.recording.trailing


@pytest.mark.parametrize("live", [{"release": "", "functions": {}}, {"release": AFTER.id}])
def test_without_another_release_to_compare_with_nobody_is_drawn(live: dict[str, object]) -> None:
    assert not decide(**live, entry_agrees=False).opens


def test_a_deploy_of_all_at_once_has_no_rollout() -> None:
    todo = decide(promotion=None)
    assert not todo.opens
    assert f"activate {NEW} (was {OLD})" in lines(todo.switching)
    assert todo.promoted == ()


def test_what_the_guard_promoted_alone_is_followed_by_the_next_run() -> None:
    functions = {"daily": Published(digest="d2", version="2", background=DAILY.background)}
    todo = decide(release=AFTER.id, trailing=True, functions=functions)
    assert lines(todo.switching) == [
        "run daily by rate(1 day)",
        "let pages of the site alone call functions",
        "keep 7 days of logs for daily",
        "record that nothing of number 4 is left to do",
    ]
    assert decide(release=AFTER.id, functions=functions).is_empty


def test_after_such_a_promotion_a_newer_release_believes_no_record_of_what_followed() -> None:
    functions = {"daily": Published(digest="d2", version="2", background=DAILY.background)}
    todo = decide(trailing=True, functions=functions)
    assert "run daily by rate(1 day)" in lines(todo.promoted)


@pytest.mark.parametrize(
    ("strategy", "name", "minutes"),
    [
        (Strategy(), "jam-canary-10pct-15m", 15),
        (Strategy(kind="linear", percent=10, interval=1), "jam-linear-10pct-1m", 9),
        (Strategy(kind="linear", percent=30, interval=5), "jam-linear-30pct-5m", 15),
        (Strategy(kind="canary", percent=99, interval=2880), "jam-canary-99pct-2880m", 2880),
    ],
)
def test_a_strategy_is_named_by_content_and_knows_its_end(
    strategy: Strategy, name: str, minutes: int
) -> None:
    assert (strategy.name, strategy.minutes) == (name, minutes)


def test_the_guard_and_the_deployment_group_belong_to_the_foundation() -> None:
    made = lines(decide(foundation="f0").stage)
    assert "create the guard of rollouts" in made
    assert "create the role of the guard" in made
    assert "create CodeDeploy's deployment group" in made
