"""Actions taken away on purpose, so that "no permission" can be tested by the action's name.

Not an evaluation of IAM policies, which is for rights/ and function_rights.py.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from moto.core.utils import get_service_model

from runner.local.policy import like
from runner.local.protocol import Incoming
from runner.local.s3.layer import action_of as s3_action
from runner.local.wire import AwsError, Rule

# Services and operations whose actions are named otherwise.
# Source: Service authorization reference, "Actions, resources, and condition keys".
_PREFIXES = {"apigatewayv2": "apigateway", "resourcegroupstaggingapi": "tag"}
_ACTIONS = {
    ("lambda", "Invoke"): "lambda:InvokeFunction",
    ("lambda", "InvokeWithResponseStream"): "lambda:InvokeFunction",
    ("cloudfront", "CreateDistributionWithTags"): "cloudfront:CreateDistribution",
    ("dynamodb", "TransactWriteItems"): "dynamodb:PutItem",
    ("dynamodb", "TransactGetItems"): "dynamodb:GetItem",
}


def action_of(incoming: Incoming) -> str:
    """The IAM action that the call needs: `s3:PutObject`, `apigateway:POST`."""
    service, operation = incoming.service, incoming.operation
    if service == "s3":
        return s3_action(operation)
    if service in ("apigateway", "apigatewayv2"):  # actions are HTTP methods there
        return f"apigateway:{incoming.request.method}"
    default = f"{_PREFIXES.get(service, service)}:{operation}"
    return _ACTIONS.get((service, operation), default)


@dataclass(frozen=True, slots=True)
class Denial:
    action: str
    principal: str = "*"


class Permissions:
    """The denials in force. Patterns have `*` and `?`; `lambda:CreateFunction` also matches calls
    of that operation whose action is named otherwise.
    """

    def __init__(self, principal: Callable[[str], str]) -> None:
        self._principal = principal
        self._denials: list[Denial] = []
        self._lock = threading.Lock()

    def deny(self, action: str, *, principal: str = "*") -> None:
        with self._lock:
            self._denials.append(Denial(action, principal))

    def clear(self) -> None:
        with self._lock:
            self._denials.clear()

    def denied(self, action: str, principal: str) -> bool:
        """Whether one action is denied to a principal: what a simulation tells."""
        return any(
            like(principal, denial.principal) and like(action, denial.action, fold=True)
            for denial in self._denials
        )

    def check(self, incoming: Incoming) -> None:
        if not self._denials:
            return
        caller = self._principal(incoming.caller.access_key)
        action = action_of(incoming)
        names = (action, f"{incoming.service}:{incoming.operation}")
        for denial in self._denials:
            if like(caller, denial.principal) and any(
                like(name, denial.action, fold=True) for name in names
            ):
                raise refusal(incoming, caller=caller, action=action)


def refusal(incoming: Incoming, *, caller: str, action: str, resource: str = "*") -> AwsError:
    """Access denied, as the service's protocol says it, with the action by name.

    Source: IAM user guide, "Troubleshoot access denied error messages".
    """
    protocol = _protocol(incoming.service)
    json = protocol in ("json", "rest-json")
    where = "" if resource == "*" else f" on resource: {resource}"
    return AwsError(
        "AccessDeniedException" if json else "AccessDenied",
        f"User: {caller} is not authorized to perform: {action}{where} because no identity-based "
        f"policy allows the {action} action",
        status=400 if protocol == "json" else 403,
    )


def _protocol(service: str) -> str:
    """The service's protocol; one that speaks CBOR by now kept the codes of an older one."""
    metadata = get_service_model(service).metadata
    protocol = str(metadata["protocol"])
    if protocol != "smithy-rpc-v2-cbor":
        return protocol
    return "query" if "query" in metadata["protocols"] else "json"


RULES: tuple[Rule, ...] = (
    Rule(service="iam", rule="an action denied on purpose (`POST /_jam/deny`) is refused with the "
         "action's name",
         page='IAM user guide, "Troubleshoot access denied error messages"'),
)  # fmt: skip
