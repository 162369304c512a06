"""Plans, results and errors as text and as JSON. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from runner.errors import JamError
from runner.model import File, Release
from runner.plan.live import Live
from runner.plan.steps import Plan, Step
from runner.report.rollout import text_of
from runner.report.watch import size_of

SHOWN = 8  # names of one kind in a summary before the rest is counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that `verify` looked at."""

    name: str
    outcome: str  # "passed" | "failed"
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    files: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command that changes an environment says at the end: interface.md's results."""

    site: str
    environment: str
    release: str
    previous: str
    url: str
    api_url: str
    prefix: str
    outcome: str
    seconds: float
    calls: int
    uploaded: Uploaded = field(default_factory=Uploaded)
    checks: tuple[Check, ...] = ()
    rollout: dict[str, Any] | None = None
    local_url: str = ""
    lacks: tuple[str, ...] = ()  # what the site's own host names still wait for

    def to_json(self) -> str:
        document = asdict(self)
        document["seconds"] = round(self.seconds, 2)
        for name in ("local_url", "lacks"):
            if not document[name]:
                del document[name]
        return json.dumps(document, indent=2, ensure_ascii=False)


def plan_json(plan: Plan, release: Release, changes: Iterable[str], *, forecast: str = "") -> str:
    steps = {
        "stage": [str(step) for step in plan.stage],
        "switch": [str(step) for step in plan.switch],
        "settle": [str(step) for step in plan.settle],
    }
    document = {
        "release": release.id,
        "environment": "production",
        "changes": list(changes),
        "steps": steps,
        **({"forecast": forecast} if forecast else {}),
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def plan_text(plan: Plan) -> str:
    """The plan as `plan` prints it."""
    if plan.is_empty:
        return "Nothing to do: this release is live."
    phases: tuple[tuple[str, Iterable[Step]], ...] = (
        ("stage   (invisible)", plan.stage),
        ("switch  (visible)", plan.switch),
        ("settle  (tidying)", plan.settle),
    )
    return "\n".join(
        line
        for title, steps in phases
        for line in (title, *(f"  {step}" for step in steps))
        if tuple(steps)
    )


def changes(release: Release, live: Live) -> tuple[str, ...]:
    """What a visitor will find changed, one line a kind; nothing about how it gets there."""
    before = {**live.files, **live.immutable}
    added = [file for file in release.files if file.key not in before]
    changed = [file for file in release.files if before.get(file.key, file.digest) != file.digest]
    keys = {file.key for file in release.files}
    removed = sorted(key for key in live.files if key not in keys)
    functions = {function.name: function.digest for function in release.functions}
    schedules = {function.name: function.background.schedule for function in release.functions}
    ran = {name: each.background.schedule for name, each in live.functions.items()}
    was = {name: each.digest for name, each in live.functions.items()}
    return tuple(
        line
        for line in (
            _files("new", added),
            _files("changed", changed),
            _names("gone", removed),
            _names("new functions", sorted(functions.keys() - was.keys())),
            _names(
                "changed functions",
                sorted(
                    name for name in functions if was.get(name, functions[name]) != functions[name]
                ),
            ),
            _names("removed functions", sorted(was.keys() - functions.keys())),
            _names(
                "changed schedules",
                sorted(name for name in schedules if schedules[name] != ran.get(name, "")),
            ),
        )
        if line
    )


def summary(outcome: Outcome, changed: Iterable[str]) -> str:
    """The last words of a deploy: what changed, where it is, what it took."""
    verb = {
        "live": "is live",
        "unchanged": "was live already: nothing to do",
        "open": "is being rolled out: `jam-deploy settle` follows it",
        "rolled_back": "was taken back; visitors have what they had before",
        "superseded": "stays: a newer run came first, and this one changed nothing for visitors",
        "held": "is built and staged but NOT live: production is held (`jam-deploy unhold`)",
    }
    uploaded = f"{outcome.uploaded.files} files uploaded ({size_of(outcome.uploaded.bytes)})"
    passed = sum(check.outcome == "passed" for check in outcome.checks)
    said = verb.get(outcome.outcome, outcome.outcome)
    lines = [
        f"{outcome.site}: release {outcome.release[:8]} {said}",
        *(f"  {line}" for line in changed),
        *(f"  {line}" for line in text_of(outcome.rollout or {})),
        f"  {outcome.url}" + (f"  ({outcome.local_url})" if outcome.local_url else ""),
        *(f"  still to be done: {line}" for line in outcome.lacks),
        f"  {outcome.seconds:.1f} s, {outcome.calls} AWS calls, {uploaded}"
        + (f", {passed} checks passed" if outcome.checks else ""),
    ]
    return "\n".join(lines)


def closed_text(outcome: Outcome) -> str:
    """The last words of a preview that was to be closed."""
    verb = {
        "removed": "is gone",
        "kept": "stays: its pull request is open again",
        "superseded": "stays: a newer run came first",
    }
    said = verb.get(outcome.outcome, outcome.outcome)
    return (
        f"{outcome.site}: preview {outcome.environment} {said}\n"
        f"  {outcome.seconds:.1f} s, {outcome.calls} AWS calls"
    )


def rehearsal_text(receipt: dict[str, Any]) -> str:
    """A rehearsal's receipt for a person."""
    lines = [
        f"{'✓' if step['outcome'] == 'passed' else '✗'} {step['name']:32} {step['seconds']:5.1f} s"
        for step in receipt["steps"]
    ]
    lines += [_rollout_line(rollout) for rollout in receipt["rollouts"]]
    lines.append(f"The rehearsal {receipt['outcome']} in {receipt['seconds']:.0f} s.")
    if "error" in receipt:
        error = receipt["error"]
        lines.append(f"error[{error['code']}]: {error['message']}\nhint: {error['hint']}")
    return "\n".join(lines)


def drill_text(receipt: dict[str, Any]) -> str:
    """A drill's receipt for a person: a rehearsal's, and what it cost."""
    cost = receipt["cost"]
    return (
        f"{rehearsal_text(receipt).replace('The rehearsal ', 'The drill ')}\n"
        f"It cost about ${cost['dollars']:.2f} by list prices, free tiers left out: "
        f"{cost['requests']} requests, {cost['deploys']} deploys, {cost['hours']:.1f} hours."
    )


def _rollout_line(told: dict[str, Any]) -> str:
    """One rollout of a rehearsal: what became of it, and what it did to visitors."""
    right = told["outcome"] == told["expected"] and not told["mixed"]
    what = "went live" if told["outcome"] == "live" else "was taken back"
    return (
        f"{'✓' if right else '✗'} {told['candidate']} (runner {told['runner']}) {what} after "
        f"{told['cloud_minutes']} min of the cloud's time: {told['exposed']} visitors had it, "
        f"{told['mixed']} saw a mixed page"
    )


def error_text(error: JamError) -> str:
    """`error[code]: message` and the hint, as interface.md promises."""
    return f"error[{error.code}]: {error}\nhint: {error.hint}"


def error_json(error: JamError) -> str:
    document = {"code": error.code, "message": str(error), "hint": error.hint}
    return json.dumps({"error": document}, ensure_ascii=False)


def _files(kind: str, files: list[File]) -> str:
    if not files:
        return ""
    size = sum(file.size for file in files)
    told = f" ({size_of(size)})" if size else ""
    return _names(kind, [file.path for file in files]) + told


def _names(kind: str, names: list[str]) -> str:
    if not names:
        return ""
    rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{kind}: {', '.join(names[:SHOWN])}{rest}"
