"""A release to production as GitHub sees it: a deployment, and the job's page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from runner.action.job import Job
from runner.action.telling import Telling
from runner.aws.published import read_release
from runner.aws.refusals import explained
from runner.deploy import Deployed, deploy
from runner.errors import JamError
from runner.github.values import DeploymentStatus
from runner.package.summary import summary_of, text_of
from runner.plan.difference import Difference, difference
from runner.report.comment import Row, State, fault_of, rollout_svg, state_of, summary
from runner.report.endings import taken_back
from runner.report.text import Outcome

PICTURE = PurePosixPath(".jam/rollout.svg")  # in the workspace

_WHY = {
    "held": "built and staged; production is held",
    "superseded": "a newer run came first",
}


def release(job: Job) -> Outcome:
    """Raises the reason where the candidate was taken back."""
    telling = job.tell(job.site())
    try:
        config = job.config()
    except JamError as error:
        failed(job, telling, error)
        raise
    telling, commit = job.tell(config.site), job.event.origin.commit
    telling.begin(commit)
    try:
        deployed = deploy(config, job.world, compares=True)
    except JamError as error:
        failed(job, telling, error)
        raise
    changes = _difference(job, deployed)
    return ended(job, telling, deployed.outcome, commit=commit, changes=changes)


def ended(
    job: Job,
    telling: Telling,
    outcome: Outcome,
    *,
    commit: str,
    changes: Difference | None = None,
) -> Outcome:
    """Tells what became of production; `changes` are those of visitors, where somebody knows."""
    row = replace(
        telling.row(state_of(outcome)),
        outcome=outcome,
        difference=changes,
        note=pictured(job.workspace, outcome.rollout),
        stages=job.log.stages,
    )
    if outcome.outcome == "rolled_back":
        error = taken_back(outcome.rollout or {})
        telling.failed(error.message)
        job.console.summary(summary(replace(row, fault=fault_of(error))))
        raise Ended(error, outcome)
    _deployed(telling, row, outcome, commit=commit)
    job.console.summary(summary(row))
    return outcome


def failed(job: Job, telling: Telling, error: JamError) -> None:
    telling.failed(f"{error.code}: {error.message}")
    row = replace(
        telling.row(State.FAILED),
        fault=fault_of(error),
        last_lines=job.log.last_lines,
        stages=job.log.stages,
    )
    job.console.summary(summary(row))


class Ended(JamError):  # noqa: N818 -- how a run ended, which is no defect
    """An error that has a result all the same."""

    def __init__(self, error: JamError, outcome: Outcome) -> None:
        super().__init__(error.code, error.message, hint=error.hint, turn=error.turn)
        self.outcome = outcome


def _difference(job: Job, deployed: Deployed) -> Difference | None:
    """Compared with what was live, which may not be what was published last."""
    before, was = deployed.published, deployed.outcome.previous
    if deployed.release is None or before is None:
        return None
    if before.release != was:
        aws, names = job.account()
        with explained():
            before = read_release(aws, names, was)
    if before.release != was:
        return None
    return difference(before, summary_of(text_of(deployed.release)))


def pictured(workspace: Path, told: Mapping[str, Any] | None) -> str:
    """The rollout's curve as a file, for a step that keeps it; what to say of it.

    Nothing is followed that a build may have put in the way.
    """
    picture = rollout_svg(told) if told else ""
    file = workspace / PICTURE
    if not picture or file.parent.is_symlink():
        return ""
    file.parent.mkdir(exist_ok=True)
    file.unlink(missing_ok=True)
    file.write_text(picture)
    return f"The rollout's curve lies in {PICTURE}: actions/upload-artifact keeps it."


def _deployed(telling: Telling, row: Row, outcome: Outcome, *, commit: str) -> None:
    if row.state in (State.LIVE, State.UNCHANGED):
        telling.succeeded(commit, outcome.url)
    elif row.state is not State.OPEN:  # an open one stays in progress
        why = _WHY.get(outcome.outcome, outcome.outcome)
        telling.status(DeploymentStatus(state="inactive", description=why))
