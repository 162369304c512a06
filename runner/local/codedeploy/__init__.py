"""The embedded CodeDeploy for Lambda: deployments that really shift an alias, and take it back.

`CodeDeploy(cloud)` is the part that the cloud puts together; `RULES` are AWS's rules that it keeps,
`NOT_EMULATED` is what it has not.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from runner.local.codedeploy import notices
from runner.local.codedeploy.account import Account
from runner.local.codedeploy.applications import Applications
from runner.local.codedeploy.configs import Configs
from runner.local.codedeploy.deployments import ALARMS_HEADER, Deployments
from runner.local.codedeploy.engine import Engine
from runner.local.codedeploy.groups import Groups
from runner.local.codedeploy.protection import Existing
from runner.local.codedeploy.revisions import Revisions
from runner.local.codedeploy.rights import Rights
from runner.local.codedeploy.role import ServiceRole
from runner.local.codedeploy.rules import NOT_EMULATED, RULES
from runner.local.codedeploy.service import CodeDeployService
from runner.local.codedeploy.targets import Targets
from runner.local.codedeploy.values import Deployment, Trigger, Trouble
from runner.local.inside import Inside
from runner.local.protocol import Incoming
from runner.local.wire import AwsError, Call, Host, Response, Service

__all__ = ["NOT_EMULATED", "RULES", "CodeDeploy"]

LOG = logging.getLogger("runner.local")

_KEY = "jam-codedeploy"  # in no form of AWS's: the account's own services


class CodeDeploy:
    """`rights` says which actions a call needs."""

    def __init__(self, cloud: Any) -> None:
        self._cloud = cloud
        self._account = account = Account(number=cloud.account, clock=cloud.clock, ids=cloud.ids)
        self._inside = Inside(self._answer)
        self._engine = engine = Engine(
            account,
            lock=lambda: cloud.overlay.lock,
            hire=self._hire,
            alarmed=self._alarmed,
            tell=self._tell,
        )
        self.rights = Rights(account)
        parts = (
            Applications(account),
            Groups(
                account,
                ready=cloud.role_ready,
                existing=self._existing,
                permitted=self._permitted,
            ),
            Configs(account),
            Deployments(
                account,
                engine,
                existing=self._existing,
                permitted=self._permitted,
                engine_key=_KEY,
            ),
            Targets(account, engine),
            Revisions(account),
        )
        service = CodeDeployService(account, parts, forget=engine.reset)
        self.services: tuple[Service, ...] = (service,)
        self.hosts: tuple[Host, ...] = ()

    def stop(self) -> None:
        """Deployments end with the clock's timers."""

    def _answer(self, incoming: Incoming) -> Response:
        response: Response = self._cloud.overlay.answer(incoming)  # made after its parts
        return response

    def _hire(self, deployment: Deployment) -> ServiceRole:
        cloud = self._cloud
        return ServiceRole(
            arn=deployment.group.role,
            group=deployment.group.name,
            deployment=deployment.identity,
            region=deployment.region,
            account=cloud.account,
            inside=self._inside,
            policies=cloud.compute.roles,
            sessions=cloud.identity,
        )

    def _existing(self, region: str) -> Existing:
        def existing(names: Sequence[str]) -> frozenset[str]:
            found = self._inside.call(
                "cloudwatch", "DescribeAlarms", parameters={"AlarmNames": list(names)},
                region=region, key=_KEY, by="service",
            )  # fmt: skip
            return frozenset(each["AlarmName"] for each in found.get("MetricAlarms", []))

        return existing

    def _permitted(self, call: Call, action: str) -> None:
        caller = self._cloud.identity.principal(call.access_key)
        if self._cloud.permissions.denied(action, caller):
            raise AwsError(
                "AccessDeniedException",
                f"User: {caller} is not authorized to perform: {action} because no identity-based "
                f"policy allows the {action} action",
            )

    def _alarmed(self, deployment: Deployment, alarms: Sequence[str]) -> None:
        self._inside.call(
            "codedeploy", "StopDeployment", parameters={"deploymentId": deployment.identity},
            region=deployment.region, key=_KEY, by="service", recorded=True,
            headers=((ALARMS_HEADER, ", ".join(alarms)),),
        )  # fmt: skip

    def _tell(self, deployment: Deployment, state: notices.State) -> None:
        """Later in a thread of its own: whoever hears of it may call back."""
        clock = self._cloud.clock
        if not clock.timers.live:
            return
        told = notices.event(self._account, deployment, state)
        clock.timers.at(clock.now(), lambda: self._cloud.events.emit(**told))
        for trigger in notices.told(deployment, state):
            message = notices.message(self._account, deployment, trigger)
            self._publish(deployment, trigger, message)

    def _publish(self, deployment: Deployment, trigger: Trigger, message: str) -> None:
        """A topic that does not take it is no reason to fail.

        Source: CodeDeploy user guide, "Grant Amazon SNS permissions to a CodeDeploy service role".
        """

        def publish() -> None:
            role = self._hire(deployment)
            try:
                role.publish(trigger.topic, message)
            except (AwsError, Trouble) as error:
                LOG.info("trigger %s was not told: %s", trigger.name, error)

        self._cloud.clock.timers.at(self._cloud.clock.now(), publish)
