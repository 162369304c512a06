"""How a plan is carried out: order, parallelism, failure."""

from __future__ import annotations

import itertools

import pytest

from runner.apply import apply, known_of
from runner.errors import JamError
from runner.model import Kind, Origin
from runner.plan.decide import plan
from runner.plan.groundwork import Foundation
from runner.plan.live import Live, Published
from runner.plan.refs import Made, Ref
from runner.plan.steps import Plan
from tests.builders import a_file, a_function, a_release

FOUNDATION = Foundation(digest="f1", tables=(), router="r", response="s")
RELEASE = a_release(
    files=(a_file("index.html"), a_file("a.js", kind=Kind.IMMUTABLE)),
    functions=(a_function("hello"),),
    api_stage="s1",
)
FIRST = plan(RELEASE, Live(), foundation=FOUNDATION, origin=Origin())


class Recorder:
    """Performs nothing, makes what each step promises, remembers the order."""

    def __init__(self, fails: str = "\0") -> None:
        self.fails = fails
        self.order: list[str] = []
        self.heard: list[str] = []

    def __call__(self, step, known, moved):
        assert all(ref in known for ref in getattr(step, "needs", ()))
        if self.fails in str(step):
            raise OSError("the wire was cut")
        self.order.append(str(step))
        moved(1, 10)
        return {ref: f"made {ref}" for ref in getattr(step, "makes", ())}

    def started(self, step):
        self.heard.append(f"started {step}")

    def moved(self, step, *, files, size):
        self.heard.append(f"moved {files} {size}")

    def finished(self, step, *, seconds):
        self.heard.append(f"finished {step}")

    def failed(self, step):
        self.heard.append(f"failed {step}")


def run(todo: Plan, recorder: Recorder, known=None):
    ticks = itertools.count()
    return apply(
        todo, recorder, known=known or {}, progress=recorder, clock=lambda: float(next(ticks))
    )


def test_every_step_runs_once_and_the_switch_comes_after_all_staging():
    recorder = Recorder()
    applied = run(FIRST, recorder)
    assert sorted(recorder.order) == sorted(str(step) for step in FIRST)
    assert recorder.order[-4:] == [str(step) for step in FIRST.switch]
    assert applied.known[Ref(Made.DOMAIN)] == "made domain"


def test_a_failure_while_staging_switches_nothing():
    recorder = Recorder(fails="upload the manifest")
    with pytest.raises(OSError, match="wire"):
        run(FIRST, recorder)
    assert not set(recorder.order) & {str(step) for step in FIRST.switch}
    assert "failed upload the manifest" in recorder.heard


def test_a_failure_in_the_switch_stops_there():
    recorder = Recorder(fails="activate")
    with pytest.raises(OSError, match="wire"):
        run(FIRST, recorder)
    assert recorder.order[-1].startswith("point the entry")


def test_progress_hears_of_every_step_and_of_files_that_moved():
    recorder = Recorder()
    run(FIRST, recorder)
    total = len(list(FIRST))
    assert sum(line.startswith("finished") for line in recorder.heard) == total
    assert "moved 1 10" in recorder.heard


def test_a_plan_that_nothing_can_satisfy_is_named_as_our_defect():
    orphan = Plan(stage=tuple(step for step in FIRST.stage if "records table" not in str(step)))
    with pytest.raises(JamError) as caught:
        run(orphan, Recorder())
    assert caught.value.code == "JAM-PLAN"
    assert "records" in caught.value.message


def test_what_stands_is_known_from_the_start_and_what_is_made_is_not():
    live = Live(
        known={Ref(Made.API): "api-1", Ref(Made.BUCKET): "b"},
        functions={
            "hello": Published(digest="old", version="3"),
            "other": Published(digest="y", version="8"),
        },
    )
    update = Plan(stage=tuple(s for s in FIRST.stage if "hello" in str(s)))
    known = known_of(live, update)
    assert known[Ref(Made.API)] == "api-1"
    assert known[Ref(Made.VERSION, "other")] == "8"
    assert Ref(Made.VERSION, "hello") not in known
