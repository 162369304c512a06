"""A release to production as GitHub sees it: a deployment, and the job's page."""

from __future__ import annotations

from dataclasses import replace

from runner.action.job import Job
from runner.action.telling import Telling
from runner.deploy import deploy
from runner.errors import JamError
from runner.github.values import DeploymentStatus
from runner.report.comment import Row, State, fault_of, state_of, summary
from runner.report.endings import taken_back
from runner.report.text import Outcome

_WHY = {
    "held": "built and staged; production is held",
    "superseded": "a newer run came first",
}


def release(job: Job) -> Outcome:
    """Raises the reason where the candidate was taken back."""
    config = job.config()
    telling, commit = job.tell(config.site), job.event.origin.commit
    telling.begin(commit)
    try:
        outcome, _ = deploy(config, job.world)
    except JamError as error:
        failed(job, telling, error)
        raise
    return ended(job, telling, outcome, commit=commit)


def ended(job: Job, telling: Telling, outcome: Outcome, *, commit: str) -> Outcome:
    """Tells what became of production."""
    row = replace(telling.row(state_of(outcome)), outcome=outcome, stages=job.log.stages)
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


def _deployed(telling: Telling, row: Row, outcome: Outcome, *, commit: str) -> None:
    if row.state in (State.LIVE, State.UNCHANGED):
        telling.succeeded(commit, outcome.url)
    elif row.state is not State.OPEN:  # an open one stays in progress
        why = _WHY.get(outcome.outcome, outcome.outcome)
        telling.status(DeploymentStatus(state="inactive", description=why))
