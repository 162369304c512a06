"""Plays deployments on the cloud's clock: shifts the alias, asks hooks, heeds alarms, takes back.

Each step runs under the control plane's lock, at a moment fixed beforehand, so that a leap of the
clock and a replay of recorded calls play the same steps in the same order.
Source: CodeDeploy user guide, "Deployments on an AWS Lambda compute platform".
"""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from runner.local.codedeploy import notices, rollbacks
from runner.local.codedeploy.account import Account
from runner.local.codedeploy.role import Pointing, ServiceRole, misconfigured
from runner.local.codedeploy.steps import Step, Steps
from runner.local.codedeploy.values import (
    AFTER,
    ALLOW,
    BEFORE,
    FAILURE,
    STOP_ON_ALARM,
    STOP_ON_REQUEST,
    Busy,
    Deployment,
    Event,
    Problem,
    Status,
    Trouble,
)

# Cloud seconds from creation on; AWS names none, it is a matter of seconds.
_QUEUED_AFTER = 1.0
_STARTED_AFTER = 2.0
_STOPPED_AFTER = 2.0
# AWS does not name its interval.
POLL = 30.0
# As long as CloudWatch does not answer, this many polls in a row before it counts.
_UNHEARD = 3
# Source: CodeDeploy user guide, "CodeDeploy limits", seconds until a lifecycle event fails.
HOOK_SECONDS = 3600.0

_STATES: dict[Status, notices.State] = {
    "Succeeded": "SUCCESS",
    "Failed": "FAILURE",
    "Stopped": "STOP",
}
_ALARMED = (
    "One or more alarms have been activated according to the Amazon CloudWatch metrics you "
    "selected, and the affected deployments have been stopped. Activated alarms: {}"
)
_HOOK_FAILED = (
    "The overall deployment failed because one or more of the lifecycle event validation functions "
    "failed: {}"
)


class Engine:
    """`hire` gives the service role at work; `alarmed` is told of alarms that ring, and has the
    engine's `stop_by_alarm` called by a recorded call, because a replay hears no alarms.
    """

    def __init__(
        self,
        account: Account,
        *,
        lock: Callable[[], contextlib.AbstractContextManager[Any]],
        hire: Callable[[Deployment], ServiceRole],
        alarmed: Callable[[Deployment, Sequence[str]], None],
        tell: Callable[[Deployment, notices.State], None],
    ) -> None:
        self._account = account
        self._steps = Steps(account, lock=lock, fail=self._fail)
        self._hire = hire
        self._alarmed = alarmed
        self._tell = tell
        self._roles: dict[str, ServiceRole] = {}

    def reset(self) -> None:
        self._roles.clear()

    # -- what operations ask --

    def begin(self, deployment: Deployment) -> None:
        """Takes up a new deployment; its first step is a moment ahead."""
        kept = self._account.region(deployment.region)
        kept.deployments[deployment.identity] = deployment
        self._steps.at(deployment, deployment.created + _QUEUED_AFTER, _queue)
        self._steps.at(deployment, deployment.created + _STARTED_AFTER, self._start)

    def stop(self, deployment: Deployment, asked: bool | None) -> None:
        """Ends it a moment later; until then nothing of it goes on.

        Whether `autoRollbackEnabled=false` overrules DEPLOYMENT_STOP_ON_REQUEST is documented
        nowhere: here it does not, so that nobody relies on it.
        """
        if deployment.stopping:
            return
        deployment.stopping = True
        back = bool(asked) or deployment.rollback.on(STOP_ON_REQUEST)
        problem = Problem(code="MANUAL_STOP", message="The deployment was stopped by a user.")

        def stopped(each: Deployment) -> None:
            self._end(each, "Stopped", problem=problem, back=back)

        self._steps.at(deployment, self._steps.now + _STOPPED_AFTER, stopped, even_stopping=True)

    def stop_by_alarm(self, deployment: Deployment, alarms: str) -> None:
        """Source: CodeDeploy user guide, "Monitoring deployments with CloudWatch alarms"."""
        problem = Problem(code="ALARM_ACTIVE", message=_ALARMED.format(alarms))
        back = deployment.rollback.on(STOP_ON_ALARM)
        self._end(deployment, "Stopped", problem=problem, back=back)

    def answered(self, deployment: Deployment, event: Event, *, well: bool) -> None:
        """A hook's function has told how it went."""
        event.status, event.ended = "Succeeded" if well else "Failed", self._steps.now
        then = self._allow if event.name == BEFORE else self._succeed

        def go_on(each: Deployment) -> None:
            if not well:
                raise Trouble("HOOK_EXECUTION_FAILURE", _HOOK_FAILED.format(event.name))
            then(each)

        self._steps.at(deployment, self._steps.now, go_on)

    # -- steps --

    def _start(self, deployment: Deployment) -> None:
        deployment.status, deployment.started = "InProgress", self._steps.now
        self._tell(deployment, "START")
        self._role(deployment).check()
        self._poll(deployment)
        if deployment.active:
            self._hook(deployment, BEFORE, then=self._allow)

    def _poll(self, deployment: Deployment) -> None:
        """Alarms that ring before anything was shifted stop the deployment as well."""
        watched = deployment.alarms
        if not watched.enabled or deployment.takes_back:
            return
        self._steps.at(deployment, self._steps.now + POLL, self._poll)
        if not self._steps.live:
            return
        try:
            ringing = self._role(deployment).ringing(watched.names)
        except Busy as busy:
            self._not_heard(deployment, busy)
            return
        deployment.unheard = 0
        if ringing:
            self._alarmed(deployment, ringing)

    def _not_heard(self, deployment: Deployment, busy: Busy) -> None:
        """Source: API reference, AlarmConfiguration, `ignorePollAlarmFailure`."""
        deployment.unheard += 1
        if deployment.unheard >= _UNHEARD and not deployment.alarms.ignored:
            self._alarmed(deployment, [str(busy)])

    def _hook(self, deployment: Deployment, name: str, *, then: Step) -> None:
        """Source: CodeDeploy user guide, "AppSpec 'hooks' section for an AWS Lambda deployment"."""
        event, function = deployment.event(name), deployment.revision.spec.hook(name)
        if not function or deployment.takes_back:
            event.status = "Skipped"
            then(deployment)
            return
        event.status, event.started = "InProgress", self._steps.now
        event.execution = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{deployment.identity}/{name}"))
        asked = {
            "DeploymentId": deployment.identity,
            "LifecycleEventHookExecutionId": event.execution,
        }

        def unanswered(_each: Deployment) -> None:
            if event.status == "InProgress":
                raise Trouble("HOOK_EXECUTION_FAILURE", _HOOK_FAILED.format(f"{name} timed out"))

        self._steps.at(deployment, self._steps.now + HOOK_SECONDS, unanswered)
        self._role(deployment).ask(function, asked, live=self._steps.live)

    def _allow(self, deployment: Deployment) -> None:
        spec, routing = deployment.revision.spec, deployment.config.routing
        deployment.event(ALLOW).status = "InProgress"
        deployment.event(ALLOW).started = self._steps.now
        if routing is None:
            raise misconfigured("The deployment configuration is not for Lambda.")
        # Seen as terraform-aws-modules/terraform-aws-lambda#82 and #85.
        if spec.current == spec.target and routing.kind != "AllAtOnce":
            raise misconfigured()
        deployment.begun = self._steps.now
        for index, shift in enumerate(routing.shifts()):
            last = index == len(routing.shifts()) - 1
            moved = self._last_shift if last else self._shift_to(shift.weight)
            self._steps.at(deployment, deployment.begun + shift.after, moved)

    def _shift_to(self, weight: float) -> Step:
        def shift(deployment: Deployment) -> None:
            spec = deployment.revision.spec
            self._point(
                deployment, Pointing(version=spec.current, weights=((spec.target, weight),)), weight
            )

        return shift

    def _last_shift(self, deployment: Deployment) -> None:
        self._point(deployment, Pointing(version=deployment.revision.spec.target), 1.0)
        event = deployment.event(ALLOW)
        event.status, event.ended = "Succeeded", self._steps.now
        self._hook(deployment, AFTER, then=self._succeed)

    def _point(self, deployment: Deployment, to: Pointing, weight: float) -> None:
        """Moves the alias, if it is where this deployment left it."""
        role, spec = self._role(deployment), deployment.revision.spec
        found = role.pointing(spec)
        left = ((spec.target, deployment.weight),) if deployment.weight else ()
        if not deployment.takes_back and found != Pointing(version=spec.current, weights=left):
            raise misconfigured(
                "The Lambda function alias version does not match the current version in AppSpec "
                "file."
            )
        self._account.ids.seed(_seed(deployment, weight))
        role.point(spec, to)
        deployment.weight, deployment.updated = weight, self._steps.now

    def _succeed(self, deployment: Deployment) -> None:
        self._end(deployment, "Succeeded")

    # -- the end --

    def _end(
        self,
        deployment: Deployment,
        status: Status,
        *,
        problem: Problem | None = None,
        back: bool = False,
    ) -> None:
        if not deployment.active:
            return
        deployment.status, deployment.completed = status, self._steps.now
        deployment.updated, deployment.problem = self._steps.now, problem
        self._roles.pop(deployment.identity, None)
        for event in deployment.events:
            if event.status in ("Pending", "InProgress"):
                event.status = "Skipped" if event.status == "Pending" else "Failed"
                event.ended = self._steps.now if event.started else None
        if status == "Succeeded" and not deployment.takes_back:
            kept = self._account.region(deployment.region)
            kept.good[deployment.group.identity] = deployment.revision
        self._tell(deployment, _STATES[status])
        rollbacks.settle(self._account, deployment)
        if back:
            taking_back = rollbacks.plan(self._account, deployment, now=self._steps.now)
            if taking_back:
                self.begin(taking_back)

    def _fail(self, deployment: Deployment, problem: Problem) -> None:
        self._end(deployment, "Failed", problem=problem, back=deployment.rollback.on(FAILURE))

    def _role(self, deployment: Deployment) -> ServiceRole:
        found = self._roles.get(deployment.identity)
        if found is None:
            found = self._roles[deployment.identity] = self._hire(deployment)
        return found


def _queue(deployment: Deployment) -> None:
    deployment.status = "Queued"


def _seed(deployment: Deployment, weight: float) -> int:
    """The same for the same shift, so that a replay draws the same revision ids."""
    named = f"{deployment.identity} {weight!r}".encode()
    return int.from_bytes(hashlib.sha256(named).digest()[:16])
