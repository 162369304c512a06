"""Holds what sessions of roles call against their policies: whoever came by way of STS.

People and keys that are not AWS's own (`test`) may do everything; functions have a gate of theirs.
A call of a service that is not listed here is refused, as nothing would allow it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from runner.local import message_rights
from runner.local.compute.roles import Roles
from runner.local.function_rights import ASKED, Asked
from runner.local.permissions import refusal
from runner.local.protocol import ACCOUNT, Caller, Incoming
from runner.local.rights import account, services
from runner.local.rights.ask import Ask, Asks
from runner.local.rights.services import alike
from runner.local.wire import Rule

Tags = Callable[[str], Mapping[str, str]]


class RoleRights:
    """A gate. `role` gives the ARN of the role behind a key that STS gave, or an empty text; `tags`
    what a resource of this ARN wears; `deployments` what calls of CodeDeploy's ask for.
    """

    def __init__(
        self, *, role: Callable[[str], str], roles: Roles, tags: Tags, deployments: Asked
    ) -> None:
        self._role = role
        self._roles = roles
        self._tags = tags
        self._asks = _table(roles, deployments)
        self.refused: set[str] = set()  # actions, for whoever looks on
        self.heard: Callable[[str, Ask, bool], None] = _nobody

    def check(self, incoming: Incoming) -> None:
        role = self._role(incoming.caller.access_key)
        if not role or incoming.service == "sts":
            return
        for ask in self.asked(incoming):
            if not self.allows(role, ask):
                self.refused.add(ask.action)
                raise refusal(incoming, caller=role, action=ask.action, resource=ask.resource)

    def asked(self, incoming: Incoming) -> Iterator[Ask]:
        here = f"{incoming.caller.region}:{ACCOUNT}"
        return self._asks.get(incoming.service, services.plain)(incoming, here)

    def may(self, caller: Caller, action: str, resource: str) -> bool:
        """Of something that a call needs by what it finds."""
        role = self._role(caller.access_key)
        return not role or self.allows(role, Ask(action, resource))

    def allows(self, role: str, ask: Ask) -> bool:
        tags = self._tags(ask.whole) if ask.whole else {}
        worn = {f"aws:ResourceTag/{key}": value for key, value in tags.items()}
        whole = replace(ask, context={**ask.context, **worn})
        is_allowed = self._roles.allows(role, whole.action, whole.resource, whole.context)
        self.heard(role, whole, is_allowed)
        return is_allowed


def _nobody(_role: str, _ask: Ask, _is_allowed: bool) -> None:
    pass


def tags_of(services: Iterable[Any], arn: str) -> Mapping[str, str]:
    """What a resource wears, of those services that tell."""
    every = (each for it in services if hasattr(it, "tagged") for each in it.tagged())
    return next((tags for found, tags in every if found == arn), {})


def _table(roles: Roles, deployments: Asked) -> dict[str, Asks]:
    functions = {service: alike(asked) for service, asked in ASKED.items()}
    return {
        **functions,
        "acm": services.certificates,
        "apigatewayv2": account.api,
        "cloudformation": services.stacks,
        "cloudfront": account.cloudfront,
        "cloudwatch": services.cloudwatch(functions["cloudwatch"]),
        "codedeploy": services.codedeploy(alike(deployments)),
        "dynamodb": services.dynamodb(functions["dynamodb"]),
        "events": services.rules,
        "iam": account.iam(roles.named),
        "lambda": services.functions(functions["lambda"]),
        "logs": services.logs,
        "route53": services.zones,
        "s3": account.s3,
        "scheduler": services.scheduler,
        "sqs": alike(message_rights.sqs),
    }


RULES: tuple[Rule, ...] = (
    Rule(service="iam", rule="what a session of a role calls (AssumeRole and its kind) needs the "
         "role's policies and boundary: action, resource, the tags of request and resource, "
         "PassRole, and the rights to tag what is made with tags, to deliver an API's log and to "
         "know that a key is absent",
         page='IAM user guide, "Policy evaluation logic"; Service Authorization Reference'),
)  # fmt: skip
