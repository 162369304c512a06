"""What a person reads while it runs and at the end."""

from __future__ import annotations

import io
import itertools
import json
from dataclasses import replace

import pytest
from rich.console import Console

from runner.errors import Problem, site_error
from runner.model import Kind, Origin
from runner.plan.decide import plan
from runner.plan.groundwork import Foundation
from runner.plan.live import Live, Published
from runner.report.terminal import Terminal
from runner.report.text import (
    Check,
    Outcome,
    Uploaded,
    changes,
    closed_text,
    error_json,
    error_text,
    plan_json,
    plan_text,
    summary,
)
from runner.report.watch import Lines, size_of
from tests.builders import a_file, a_function, a_release

RELEASE = a_release(files=(a_file("index.html"),), functions=(a_function("hello"),))
FOUNDATION = Foundation(digest="f", tables=(), router="", response="")
FIRST = plan(RELEASE, Live(), foundation=FOUNDATION, origin=Origin())
STEP = FIRST.stage[0]


def lines(*, groups: bool = False) -> tuple[Lines, list[str]]:
    written: list[str] = []
    ticks = itertools.count()
    return Lines(written.append, lambda: float(next(ticks)), groups=groups), written


def test_a_log_has_a_line_for_everything_that_ended():
    watcher, written = lines()
    with watcher.stage("stage"):
        watcher.started(STEP)
        watcher.finished(STEP, seconds=1.25)
    assert written == ["stage …", "  create the records table (1.2 s)", "stage done in 1.0 s"]


def test_a_ci_log_folds_each_stage():
    watcher, written = lines(groups=True)
    with watcher.stage("build"):
        watcher.output("compiling")
    assert written[0] == "::group::build"
    assert written[-2:] == ["::endgroup::", "build done in 1.0 s"]


def test_a_builds_output_cannot_begin_a_line():
    watcher, written = lines(groups=True)
    watcher.output("::set-output name=url::evil")
    assert not written[0].lstrip().startswith("::")


def test_a_stage_that_fails_says_so():
    watcher, written = lines()
    with pytest.raises(OSError, match="cut"), watcher.stage("verify"):
        raise OSError("cut")
    assert written[-1] == "verify failed after 1.0 s"


def test_a_terminal_shows_stages_counts_and_bytes_and_takes_no_markup_from_outside():
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120, color_system=None)
    with Terminal(console) as watcher:
        watcher.planned(FIRST)
        with watcher.stage("stage"):
            watcher.output("[red]not red[/red]")
            watcher.moved(STEP, files=3, size=2_000_000)
            watcher.finished(STEP, seconds=0.1)
        with pytest.raises(OSError, match="x"), watcher.stage("verify"):
            raise OSError("x")
    shown = screen.getvalue()
    assert "[red]not red[/red]" in shown
    assert f"1/{len(list(FIRST))} steps, 3 files, 2.0 MB" in shown
    assert "failed" in shown


@pytest.mark.parametrize(
    ("size", "text"), [(15, "15 B"), (1_500, "1.5 KB"), (2_000_000, "2.0 MB"), (3e9, "3.0 GB")]
)
def test_sizes_are_for_people(size, text):
    assert size_of(size) == text


def test_a_plan_is_printed_in_its_three_phases():
    text = plan_text(FIRST)
    assert text.index("stage   (invisible)") < text.index("switch  (visible)")
    assert "  create the bucket" in text
    assert "settle" not in text


def test_an_empty_plan_says_that_nothing_is_to_do():
    done = plan(
        RELEASE,
        Live(release=RELEASE.id, foundation="f"),
        foundation=FOUNDATION,
        origin=Origin(),
    )
    assert plan_text(done) == "Nothing to do: this release is live."


def test_a_plan_as_json_is_the_contracts():
    document = json.loads(plan_json(FIRST, RELEASE, ("new: index.html",)))
    assert document["release"] == RELEASE.id
    assert document["environment"] == "production"
    assert document["changes"] == ["new: index.html"]
    assert set(document["steps"]) == {"stage", "switch", "settle"}


def test_changes_are_told_as_a_visitor_meets_them():
    live = Live(
        files={"index.html": "old", "gone/index.html": "x"},
        functions={"hello": Published(digest="old", version="1")},
    )
    release = a_release(
        files=(a_file("index.html"), a_file("assets/a.js", kind=Kind.IMMUTABLE)),
        functions=(a_function("hello"), a_function("new")),
    )
    assert changes(release, live) == (
        "new: assets/a.js (1 B)",
        "changed: index.html (1 B)",
        "gone: gone/index.html",
        "new functions: new",
        "changed functions: hello",
    )


OUTCOME = Outcome(
    site="notes",
    environment="production",
    release=RELEASE.id,
    previous="",
    url="https://d1.cloudfront.net",
    api_url="",
    prefix="production/releases/x/",
    outcome="live",
    seconds=1.234,
    calls=9,
    uploaded=Uploaded(files=2, bytes=1_500),
    checks=(Check(name="/", outcome="passed"),),
)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("removed", "preview pr-7 is gone"),
        ("kept", "preview pr-7 stays: its pull request is open again"),
        ("superseded", "preview pr-7 stays: a newer run came first"),
    ],
)
def test_a_closed_preview_says_what_became_of_it(outcome, said):
    text = closed_text(replace(OUTCOME, environment="pr-7", release="", outcome=outcome))
    assert text.splitlines()[0] == f"{OUTCOME.site}: {said}"


def test_the_summary_names_what_changed_where_it_is_and_what_it_took():
    text = summary(OUTCOME, ("new: index.html (1 B)",))
    assert "is live" in text
    assert "new: index.html" in text
    assert "https://d1.cloudfront.net" in text
    assert "1.2 s, 9 AWS calls, 2 files uploaded (1.5 KB), 1 checks passed" in text


def test_the_result_as_json_has_every_member_of_the_contract():
    document = json.loads(OUTCOME.to_json())
    assert set(document) == {
        *("site", "environment", "release", "previous", "url", "api_url", "prefix", "outcome"),
        *("rollout", "seconds", "calls", "uploaded", "checks"),
    }
    assert document["rollout"] is None


def test_an_error_has_code_message_problems_and_hint():
    error = site_error(
        "JAM-X", "it is wrong", hint="mend it", problems=(Problem(where="a:1", message="odd"),)
    )
    assert error_text(error) == "error[JAM-X]: it is wrong\n  a:1: odd\nhint: mend it"
    assert json.loads(error_json(error))["error"]["code"] == "JAM-X"
