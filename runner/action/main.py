"""The action's door: from what GitHub's runner hands over to an exit status.

Whatever fails ends as an annotation, on the line where it can be mended, and a status that says
whose turn it is. What GitHub could not be told is a warning and changes no status.
"""

from __future__ import annotations

import json
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any, assert_never

from runner.action import collecting, dispatching, outputs, previewing, releasing, showing
from runner.action.annotations import annotate
from runner.action.cancelled import CANCELLED, Cancellation
from runner.action.console import Console
from runner.action.handed_back import hand_back
from runner.action.inputs import Inputs, inputs_of
from runner.action.job import Job, Outside, config_of
from runner.action.page import page
from runner.action.recovery import recover, tell_cancelled
from runner.action.releasing import Ended
from runner.errors import JamError, Turn
from runner.event import (
    Close,
    Collect,
    Deploy,
    Dispatch,
    Event,
    Preview,
    Refused,
    ShowArtefact,
    Skipped,
    event_of,
)
from runner.report.text import Outcome
from runner.turn import origin_of


def main(outside: Outside, console: Console, cancellation: Cancellation) -> int:
    """Does what the event asks for; the exit status (`runner.errors.Turn`)."""
    job: Job | None = None
    try:
        inputs = inputs_of(outside.environment)
        console.mask(inputs.github_token)
        job = outside.job(inputs, _event(outside, inputs), console)
        cancellation.tell = lambda error: _cancelled(job, error)
        if "STATE_begun" in outside.environment:
            return recover(job)
        console.state("begun", "true")
        status = _performed(job)
    except JamError as error:
        annotate(console, error, outside.workspace)
        if job is None or job.telling is None:  # else it has the job's page already
            console.summary(page(f"❌ {error.code}", f"{error}\n{error.hint}"))
        status = error.turn
    except KeyboardInterrupt:
        status = cancellation.end()
        annotate(console, CANCELLED, outside.workspace)
    except Exception as error:  # noqa: BLE001 -- the last border: a defect gets a code as well
        console.line(traceback.format_exc())
        cancellation.tell(_defect(error))
        annotate(console, _defect(error), outside.workspace)
        status = Turn.US
    finally:
        console.close()
        if outside.apart:
            outside.apart.close()
        hand_back(outside.workspace)
    console.state("ended", "true")
    return status


def _event(outside: Outside, inputs: Inputs) -> Event:
    environment = outside.environment
    name, branch = environment.get("GITHUB_EVENT_NAME", ""), ""
    if name == "push":
        branch = config_of(inputs, environment, publishes=False).settings.production.branch
    payload = _payload(Path(environment.get("GITHUB_EVENT_PATH") or "/dev/null"))
    return event_of(name, payload, environment, run=origin_of(environment), branch=branch)


def _payload(file: Path) -> dict[str, Any]:
    try:
        told = json.loads(file.read_bytes() or b"{}")
    except (OSError, ValueError) as error:
        raise JamError(
            "JAM-EVENT-UNREADABLE",
            f"{file} cannot be read: {error}",
            hint="GITHUB_EVENT_PATH must name the file that GitHub wrote for this run.",
            turn=Turn.GITHUB,
        ) from error
    return told if isinstance(told, dict) else {}


def _performed(job: Job) -> int:
    try:
        ended = _done(job)
    except Ended as error:
        _put_out(job, error.outcome)
        raise
    if isinstance(ended, Skipped):
        told = f"{ended.why}. {ended.hint}".strip()
        job.console.notice(told, title="Skipped")
        job.console.summary(page("⏭️ Skipped", told))
        ended = _skipped(job)
    _put_out(job, ended)
    return Turn.DONE


def _done(job: Job) -> Outcome | Skipped:
    match job.event.task:
        case Preview(number):
            return previewing.show(job, number)
        case Close(number):
            return previewing.close(job, number)
        case Deploy():
            return releasing.release(job)
        case Collect():
            return collecting.collect(job)
        case Dispatch(command, release):
            return dispatching.dispatch(job, command, release)
        case ShowArtefact(run):
            return showing.show_artefact(job, run)
        case Skipped() as skipped:
            return skipped
        case Refused() as refused:
            raise refused.error()
        case other:
            assert_never(other)


def _skipped(job: Job) -> Outcome:
    number = job.event.pull.number if job.event.pull else 0
    plain = dispatching.plain(job.site(), f"pr-{number}" if number else "")
    return replace(plain, outcome="skipped")


def _put_out(job: Job, outcome: Outcome) -> None:
    for each in outcome.lacks:
        job.console.notice(each, title="Still to be done for the domain")
    for name, value in outputs.outputs_of(outcome).items():
        job.console.output(name, value)


def _cancelled(job: Job, error: JamError) -> None:
    if job.telling:
        job.telling.reach = job.outside.github(job.inputs.github_token, hurried=True)
    tell_cancelled(job, error)


def _defect(error: Exception) -> JamError:
    return JamError(
        "JAM-DEFECT",
        f"{type(error).__name__}: {error}",
        hint="This is a defect of jam-deploy. Report it with what stands above it in the log.",
        turn=Turn.US,
    )
