"""What the planner decides about functions that stream: values in, steps out."""

from __future__ import annotations

from dataclasses import replace

from runner.model import Function, Release
from runner.plan.decide import plan
from runner.plan.foundation import FoundationStep, MakeDistribution
from runner.plan.groundwork import Foundation
from runner.plan.live import Live
from runner.plan.refs import Made, Ref
from runner.plan.steps import Plan
from runner.plan.streams import Stream
from tests.builders import a_function, a_release
from tests.test_plan import FIRST, FOUNDATION, HELLO, ORIGIN, lines, serving


def decide(wanted: Release, upon: Foundation = FOUNDATION, **live: object) -> Plan:
    return plan(wanted, Live(**live), foundation=upon, origin=ORIGIN)  # type: ignore[arg-type]  # members by name


def streaming(name: str, content: str = "x") -> Function:
    return replace(a_function(name, content), stream=True, methods=("GET", "HEAD"))


EVENTS = Stream(name="events", route="/.functions/events")
STREAMS = replace(FOUNDATION, digest="f2", streams=(EVENTS,), stream="t")


def test_a_first_streaming_function_gets_url_path_and_right_and_moves_with_the_switch() -> None:
    second = a_release("second", functions=(HELLO, streaming("events")), api_stage="s1")
    todo = decide(second, STREAMS, **serving(FIRST))
    assert [line for line in lines(todo.stage) if "events" in line or "stream" in line] == [
        "create the stream at the edge",
        "record that events may have function URLs",
        "create the function URL of events",
        "create the distribution's right to call events",
        "create function events, 1.0 KB",
    ]
    placed = next(step for step in todo.stage if isinstance(step, MakeDistribution))
    assert placed.streams == (EVENTS,)
    assert Ref(Made.STREAM_URL, "events") in placed.needs
    assert lines(todo.switch)[1:3] == [
        f"point the entry at {second.id[:8]}", f"point events at {second.id[:8]}"
    ]  # fmt: skip
    assert todo.switch[-1].streams == (EVENTS,)
    assert todo.settle == ()


def test_an_api_stage_serves_what_does_not_stream() -> None:
    second = a_release("second", functions=(HELLO, streaming("events")), api_stage="s2")
    stage = next(step for step in decide(second, STREAMS, **serving(FIRST)).stage
                 if str(step).startswith("create api_stage"))  # fmt: skip
    assert [each.name for each in stage.functions] == ["hello"]


def test_a_changed_streaming_function_touches_no_distribution() -> None:
    before = a_release("before", functions=(streaming("events"),))
    second = a_release("second", functions=(streaming("events", "new"),))
    live = serving(before, foundation="f2", streams=(EVENTS,))
    todo = decide(second, STREAMS, **live)
    assert not [step for step in todo.stage if isinstance(step, FoundationStep)]
    assert f"point events at {second.id[:8]}" in lines(todo.switch)
    same = decide(a_release("third", functions=before.functions), STREAMS, **live)
    assert not [line for line in lines(same.switch) if "events" in line]


def test_where_alias_and_record_differ_every_streaming_alias_is_set_again() -> None:
    before = a_release("before", functions=(streaming("events"),))
    live = serving(before, foundation="f2", streams=(EVENTS,), staged=True, entry_agrees=False)
    assert f"point events at {before.id[:8]}" in lines(decide(before, STREAMS, **live).switch)


def test_what_streams_no_more_keeps_its_path_until_the_switch_and_is_then_taken_down() -> None:
    before = a_release("before", functions=(HELLO, streaming("events")), api_stage="s1")
    live = serving(before, foundation="f2", streams=(EVENTS,))
    todo = decide(a_release("second", functions=(HELLO,), api_stage="s1"), **live)
    placed = next(step for step in todo.stage if isinstance(step, MakeDistribution))
    assert placed.streams == (EVENTS,)
    assert todo.switch[-1].streams == (EVENTS,)
    (drop,) = todo.settle
    assert (str(drop), drop.kept, drop.sequence) == (
        "take down the function URLs of events", (), 5
    )  # fmt: skip


def test_what_a_killed_run_left_is_taken_down_by_the_next() -> None:
    live = serving(FIRST, streams=(EVENTS,))
    todo = decide(FIRST, **live)
    assert (todo.stage, todo.switch) == ((), ())
    assert lines(todo.settle) == ["take down the function URLs of events"]
    assert todo.settle[0].sequence == 4
