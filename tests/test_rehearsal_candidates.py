"""Candidates of a rehearsal: what they break, and for whom; run by the languages themselves."""

from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from runner.entry.answer import LARGEST
from runner.rehearsal.candidates import CANDIDATES, NAMED, TAKEN_BACK, function_of, page_of
from runner.rehearsal.drill import FIRST, rest
from runner.rehearsal.opening import unsignalled
from runner.rehearsal.page import page_of as read
from runner.rehearsal.sources import keep_installed, set_rollout, sources_of
from runner.rehearsal.theatre import RUNNERS
from runner.report.text import rehearsal_text
from runner.toolchain import find

PAGE = "<!doctype html><html><head><title>A</title></head><body><p>Hello</p></body></html>"
VISITOR = {"cookies": [f"jam-pin={'a' * 32}.2x1-abc"]}
PYTHON = """\
def handler(event, context):
    return {"statusCode": 200, "headers": {"a": "b"}, "body": "hello"}
"""
EXPORTED = 'export const handler = async () => ({ statusCode: 200, headers: { a: "b" } });\n'
DECLARED = "export async function handler(event) { return { statusCode: 200 }; }\n"
ASSIGNED = "exports.handler = async () => ({ statusCode: 200 });\n"


def test_every_signal_has_a_candidate_that_it_must_take_back() -> None:
    broken = {each.signal for each in CANDIDATES if each.expected == TAKEN_BACK}
    assert broken == {"functions", "browser", "entry", "missing", "slow"}


@pytest.mark.parametrize("name", list(NAMED))
def test_every_page_says_its_build_and_keeps_what_it_was(name: str) -> None:
    text = page_of(PAGE, NAMED[name], build="b1")
    page = read(text, at="/")
    assert page.build == "b1"
    assert "<p>Hello</p>" in text
    assert text.endswith("</body></html>")
    assert page.throws == (name == "browser-error")
    assert page.resources == (("/chunk-b1.js",) if name == "missing-chunk" else ())
    assert (len(text) > LARGEST) == (name == "entry-fails")


def test_a_page_without_head_and_body_is_marked_too() -> None:
    assert read(page_of("<h1>Hello</h1>", NAMED["healthy"], build="b1"), at="/").build == "b1"


@pytest.mark.parametrize("event", [{}, VISITOR])
@pytest.mark.parametrize("name", ["healthy", "function-throws", "slow-functions"])
def test_a_function_in_python_fails_for_visitors_alone(name: str, event: dict[str, Any]) -> None:
    source = function_of(PYTHON, ".py", NAMED[name], build="b1", pause=1)
    assert source
    space: dict[str, Any] = {}
    exec(compile(source, "candidate", "exec"), space)  # made above
    if name == "function-throws" and event:
        with pytest.raises(ValueError, match=r"Expecting value|Extra data"):
            space["handler"](event, None)
        return
    answer = space["handler"](event, None)
    assert answer["headers"] == {"a": "b", "x-jam-rehearsal": "b1"}
    assert answer["body"] == "hello"


@pytest.mark.parametrize(
    ("text", "name", "suffix"),
    [
        (EXPORTED, "healthy", ".mjs"),
        (DECLARED, "healthy", ".mjs"),
        (ASSIGNED, "healthy", ".cjs"),
        (EXPORTED, "slow-functions", ".mjs"),
        (EXPORTED, "function-throws", ".mjs"),
        (ASSIGNED, "function-throws", ".cjs"),
    ],
)
def test_a_function_in_javascript_fails_for_visitors_alone(
    text: str, name: str, suffix: str, tmp_path: Path
) -> None:
    source = function_of(text, suffix, NAMED[name], build="b1", pause=1)
    assert source
    file = tmp_path / f"candidate{suffix}"
    file.write_text(source)
    quiet, visited = _asked(file, {}), _asked(file, VISITOR)
    assert quiet["headers"]["x-jam-rehearsal"] == "b1"
    assert ("error" in visited) == (name == "function-throws")


def test_a_handler_of_no_known_form_is_left_alone() -> None:
    assert function_of("export default {}", ".ts", NAMED["healthy"], build="b", pause=0) is None


def test_a_whole_drill_plays_every_candidate_with_a_living_and_a_killed_runner() -> None:
    parts = (FIRST, *rest(whole=True, called=True))
    played = [(part.candidate.name, part.runner) for part in parts]
    assert sorted(played) == sorted((name, runner) for name in NAMED for runner in RUNNERS)
    assert len({part.build for part in parts}) == len(parts), "each is a release of its own"


@pytest.mark.parametrize(("called", "name"), [(True, "function-throws"), (False, "missing-chunk")])
def test_the_short_story_breaks_what_visitors_use(called: bool, name: str) -> None:
    (part,) = rest(whole=False, called=called)
    assert (part.candidate.name, part.runner) == (name, "killed")
    left = {each.candidate.name for each in rest(whole=True, called=False)}
    assert left == {"healthy", "browser-error", "entry-fails", "missing-chunk"}


def test_a_copys_sources_go_from_candidate_to_candidate_without_traces(tmp_path: Path) -> None:
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "hello.py").write_text(PYTHON)
    (tmp_path / "functions" / "_own.py").write_text(PYTHON)
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "page.html").write_text(PAGE)
    (tmp_path / "index.html").write_text(PAGE)
    sources = sources_of(tmp_path)
    sources.write(NAMED["function-throws"], build="b1", pause=0)
    sources.write(NAMED["healthy"], build="b2", pause=0)
    written = (tmp_path / "functions" / "hello.py").read_text()
    assert ("b2" in written, "b1" in written, "json" in written) == (True, False, False)
    assert (tmp_path / "functions" / "_own.py").read_text() == PYTHON
    assert (tmp_path / "node_modules" / "page.html").read_text() == PAGE


def test_settings_of_the_copy_keep_what_its_owner_wrote_but_tell_nobody(tmp_path: Path) -> None:
    file = tmp_path / "jam.toml"
    file.write_text(
        'site = "a"\nnotify = ["https://a.example/told"]\n[build]\npublish = "out"\n'
        '[production]\ndomain = "a.example"\nnotify = ["https://b.example"]\n'
        '[production.rollout]\nalarms = ["arn:checkout"]\non_inconclusive = "wait"\n'
    )
    set_rollout(tmp_path, percent=10)
    keep_installed(tmp_path)
    assert tomllib.loads(file.read_text()) == {
        "site": "a",
        "notify": [],
        "production": {
            "domain": "a.example",
            "notify": [],
            "rollout": {"alarms": [], "on_inconclusive": "wait", "percent": 10},
        },
        "build": {"publish": "out", "install": ""},
    }


@pytest.mark.parametrize(
    ("name", "signals", "silent"),
    [
        ("missing-chunk", {"missing": {"candidate": [3, 9], "baseline": [0, 90]}}, False),
        ("missing-chunk", {"missing": {"candidate": [0, 9], "baseline": [0, 90]}}, True),
        ("missing-chunk", {"browser": {"candidate": [3, 9], "baseline": [0, 90]}}, True),
        ("healthy", {}, False),
        ("shared-outage", {}, False),
    ],
)
def test_a_broken_candidate_must_show_in_its_own_signal(
    name: str, signals: dict[str, Any], silent: bool
) -> None:
    assert bool(unsignalled(NAMED[name], {"signals": signals})) is silent


def test_a_receipt_for_people_says_what_became_of_each_candidate() -> None:
    told = {
        "candidate": "missing-chunk",
        "signal": "missing",
        "expected": "rolled_back",
        "outcome": "rolled_back",
        "runner": "killed",
        "cloud_minutes": 2.1,
        "exposed": 12,
        "mixed": 0,
    }
    receipt = {"outcome": "passed", "seconds": 61.0, "steps": [], "rollouts": [told]}
    (line, _) = rehearsal_text(receipt).splitlines()
    assert line == (
        "✓ missing-chunk (runner killed) was taken back after 2.1 min of the cloud's time: "
        "12 visitors had it, 0 saw a mixed page"
    )
    for wrong in ({"outcome": "live"}, {"mixed": 1}):
        assert rehearsal_text({**receipt, "rollouts": [told | wrong]}).startswith("✗")


def _asked(file: Path, event: dict[str, Any]) -> dict[str, Any]:
    program = (
        f"import * as made from {json.dumps(str(file))};"
        "const handler = made.handler ?? made.default.handler;"
        f"handler({json.dumps(event)}).catch((error) => ({{ error: String(error) }}))"
        ".then((answer) => console.log(JSON.stringify(answer)));"
    )
    done = subprocess.run(
        [str(find(file.parent).node), "--input-type=module", "-e", program],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found
