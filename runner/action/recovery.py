"""The step's `post`: what a run that was ended in the middle left, at GitHub and in AWS.

It runs in a container of its own at the job's end, whatever became of the step.
Source: docs.github.com, "Metadata syntax for GitHub Actions", `runs.post-entrypoint`.
"""

from __future__ import annotations

import json
from dataclasses import replace

from runner.action.job import Job
from runner.aws.abandoned import free
from runner.aws.refusals import explained
from runner.errors import JamError, Turn
from runner.github.attempt import Missed
from runner.github.values import DeploymentStatus
from runner.report.comment import State, fault_of

_OVER = frozenset({"success", "failure", "error", "inactive"})


def recover(job: Job) -> int:
    """Always 0: the step has said how the job ended."""
    states = job.world.environment
    if "STATE_ended" in states:
        return Turn.DONE
    job.console.line("this run was ended in the middle: telling GitHub, freeing its lease")
    place = json.loads(states.get("STATE_place") or "{}")
    if place:
        telling = job.tell(str(place["site"]), pull=int(place["pull"]))
        telling.deployment = int(states.get("STATE_deployment") or 0)
        tell_cancelled(job, _ENDED)
    _free(job, int(place.get("pull", 0)))
    return Turn.DONE


def tell_cancelled(job: Job, error: JamError) -> None:
    """Neither deployment nor comment goes on saying that somebody is at it."""
    telling = job.telling
    if telling is None:
        return
    if telling.deployment:
        state = telling.attempt(
            "look at the deployment", lambda: telling.github.deployment_state(telling.deployment)
        )
        if not isinstance(state, Missed) and state not in _OVER:
            telling.status(DeploymentStatus(state="error", description=error.message))
    telling.comment(replace(telling.row(State.FAILED), fault=fault_of(error)))


def _free(job: Job, pull: int) -> None:
    try:
        aws, names = job.account()
        with explained():
            free(aws, names.preview(pull) if pull else names, run=job.run_url)
    except JamError as error:  # the lease runs out by itself
        job.console.line(f"the lease was not freed: {error.message}")


_ENDED = JamError(
    "JAM-CANCELLED",
    "the run was ended in the middle",
    hint="Nothing is lost; run the job again.",
    turn=Turn.CANCELLED,
)
