"""What rollback, hold and releases say, as text and as JSON. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from runner.aws.kept import Judged
from runner.model import Origin
from runner.names import PRODUCTION
from runner.operate.history import History, Listed
from runner.plan.live import Hold
from runner.plan.publishing import megabytes
from runner.report.printable import printable
from runner.report.text import plan_text as steps_text
from runner.rollback import Way

_SHOWN = 8  # digits of an id


def plan_document(way: Way) -> dict[str, Any]:
    """What a rollback would do, in the form of `plan`."""
    return {
        "release": way.release.id,
        "environment": PRODUCTION,
        "previous": way.live.release,
        "candidate": way.there.rollout or None,
        "changes": list(way.changes),
        "steps": {
            "stage": [str(step) for step in way.plan.stage],
            "switch": [str(step) for step in way.plan.switch],
            "settle": [str(step) for step in way.plan.settle],
        },
    }


def plan_text(way: Way) -> str:
    """The same for a person."""
    there = way.there
    to = f"from {there.release[:_SHOWN]} to {way.release.id[:_SHOWN]}"
    moves = () if way.plan.is_empty else (to, *way.changes, *_MOVING, steps_text(way.plan))
    told = (*_taken_back(there.rollout), *moves)
    return printable("\n".join(told or (steps_text(way.plan),)))


_MOVING = ("open pages stay as they are until their next navigation",)


def _taken_back(candidate: str) -> tuple[str, ...]:
    if not candidate:
        return ()
    return (
        f"first the candidate {candidate[:_SHOWN]} is taken back: its visitors get the live "
        "release at their next navigation",
    )


def hold_document(site: str, hold: Hold | None) -> dict[str, Any]:
    return {"site": site, "environment": PRODUCTION, "hold": _hold(hold)}


def history_document(history: History) -> dict[str, Any]:
    return {
        "site": history.site,
        "hold": _hold(history.hold),
        "releases": [_listed(each) for each in history.releases],
    }


def history_text(history: History) -> str:
    """A line a release; a hold is said first."""
    if not history.releases:
        return f"{history.site}: nothing was ever deployed"
    held = history.hold
    by = f" by {held.by}" if held and held.by else ""
    why = f": {held.why}" if held and held.why else ""
    first = [f"HELD since {_moment(held.at)}{by}{why}"] if held else []
    return printable("\n".join([*first, *map(_line, history.releases)]))


def _line(each: Listed) -> str:
    found = each.kept
    when = _moment(found.at)
    size = f"  {found.files} files, {megabytes(found.bytes)}" if found.files else ""
    said = f"{found.release[:_SHOWN]}  {each.state:9}  {when}  {_from(found.origin)}{size}"
    return f"{said}  {_rollout(each.judged)}" if each.judged else said


def _from(origin: Origin) -> str:
    """Commit, branch, pull request, author and run, as far as they are on record."""
    parts = (
        origin.short or "no commit on record",
        f"({origin.branch})" if origin.branch else "",
        f"#{origin.pull}" if origin.pull else "",
        f"by {origin.author}" if origin.author else "",
        f"run {origin.number}" if origin.number else "",
    )
    return " ".join(filter(None, parts))


def _rollout(judged: Judged) -> str:
    verdict = f", verdict {judged.verdict}" if judged.verdict else ""
    return f"rollout {judged.outcome.replace('_', ' ') or 'open'}{verdict}"


def _listed(each: Listed) -> dict[str, Any]:
    origin, judged = each.kept.origin, each.judged
    return {
        "release": each.kept.release,
        "state": each.state,
        "at": datetime.fromtimestamp(each.kept.at, UTC).isoformat(),
        "commit": origin.commit or None,
        "dirty": origin.dirty,
        "branch": origin.branch or None,
        "pull_request": origin.pull or None,
        "author": origin.author or None,
        "run": origin.run or None,
        "run_number": origin.number or None,
        "sizes": {
            "files": each.kept.files,
            "bytes": each.kept.bytes,
            "functions": each.kept.functions,
        },
        "rollout": {
            "outcome": judged.outcome or "open",
            "verdict": judged.verdict or None,
            "why": judged.why or None,
            "at": datetime.fromtimestamp(judged.at, UTC).isoformat(),
        }
        if judged
        else None,
    }


def _hold(hold: Hold | None) -> dict[str, Any] | None:
    if hold is None:
        return None
    since = datetime.fromtimestamp(hold.at, UTC).isoformat()
    return {"by": hold.by or None, "why": hold.why or None, "since": since}


def _moment(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
