"""What a function's role may do: the calls that functions make are held against its policies.

Only for sessions of roles that Lambda may assume, and only for the services that jam-deploy grants;
who came by way of STS has a gate of its own (rights/).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from runner.local import message_rights
from runner.local.compute import reference
from runner.local.permissions import action_of
from runner.local.policy import Context
from runner.local.protocol import ACCOUNT, Incoming
from runner.local.wire import AwsError, Rule

# A batch or a transaction needs the rights of each of its parts.
# Source: DynamoDB developer guide, "Using IAM with DynamoDB transactions".
_PARTS = {
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


_MANAGED = "/aws/reference/secretsmanager/"

Asked = Callable[[Incoming, str], Iterator[tuple[str, str]]]
"""The actions and resources of a call; the text is region and account."""


class FunctionRights:
    """A gate. `role` gives the role's ARN behind an access key of a function, or an empty text;
    `allows` evaluates its policies and its boundary; `more` has what services of ours ask for.
    """

    def __init__(
        self,
        role: Callable[[str], str],
        allows: Callable[[str, str, str, Context], bool],
        more: Mapping[str, Asked] = MappingProxyType({}),
    ) -> None:
        self._role = role
        self._allows = allows
        self._asked = {**ASKED, **more}

    def check(self, incoming: Incoming) -> None:
        asked = self._asked.get(incoming.service)
        role = self._role(incoming.caller.access_key) if asked else ""
        if asked is None or not role:
            return
        here = f"{incoming.caller.region}:{ACCOUNT}"
        for action, resource in asked(incoming, here):
            if not self._allows(role, action, resource, _context(incoming)):
                raise _refused(role, action=action, resource=resource, service=incoming.service)


def _context(incoming: Incoming) -> Context:
    """The condition keys that our own policies ask for."""
    namespace = incoming.parameters.get("Namespace")
    return {"cloudwatch:namespace": namespace} if isinstance(namespace, str) else {}


def _dynamodb(incoming: Incoming, here: str) -> Iterator[tuple[str, str]]:
    asked, operation = incoming.parameters, incoming.operation
    if operation in ("TransactWriteItems", "TransactGetItems"):
        for item in asked["TransactItems"]:
            for kind, part in item.items():
                yield f"dynamodb:{_PARTS[kind]}", _table(part["TableName"], here)
    elif "RequestItems" in asked:
        for name in asked["RequestItems"]:
            yield f"dynamodb:{operation}", _table(name, here)
    else:
        table = _table(asked.get("TableName", "*"), here)
        index = asked.get("IndexName")
        yield f"dynamodb:{operation}", f"{table}/index/{index}" if index else table


def _table(name: str, here: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:dynamodb:{here}:table/{name}"


def _lambda(incoming: Incoming, here: str) -> Iterator[tuple[str, str]]:
    asked = incoming.parameters
    name = asked.get("FunctionName")
    if not name:
        yield action_of(incoming), "*"
        return
    found = reference.parse(name, asked.get("Qualifier") or "", region=here.partition(":")[0])
    arn = f"arn:aws:lambda:{here}:function:{found.name}"
    yield action_of(incoming), f"{arn}:{found.qualifier}" if found.qualifier else arn


def _ssm(incoming: Incoming, here: str) -> Iterator[tuple[str, str]]:
    asked = incoming.parameters
    for name in asked.get("Names") or [asked.get("Name") or asked.get("Path") or "*"]:
        plain = name if name.startswith("arn:") else name.removeprefix("/")
        arn = plain if name.startswith("arn:") else f"arn:aws:ssm:{here}:parameter/{plain}"
        yield f"ssm:{incoming.operation}", arn
        # Source: Systems Manager user guide, "Referencing AWS Secrets Manager secrets from
        # Parameter Store parameters".
        if name.startswith(_MANAGED):
            secret = f"arn:aws:secretsmanager:{here}:secret:{name.removeprefix(_MANAGED)}-AbCdEf"
            yield "secretsmanager:GetSecretValue", secret


def _secrets(incoming: Incoming, here: str) -> Iterator[tuple[str, str]]:
    """A secret's ARN ends in six characters of chance, which no caller by name knows."""
    name = incoming.parameters.get("SecretId", "*")
    arn = name if name.startswith("arn:") else f"arn:aws:secretsmanager:{here}:secret:{name}-AbCdEf"
    yield f"secretsmanager:{incoming.operation}", arn


def _values(incoming: Incoming, _here: str) -> Iterator[tuple[str, str]]:
    yield f"cloudfront-keyvaluestore:{incoming.operation}", incoming.parameters.get("KvsARN", "*")


def _cloudwatch(incoming: Incoming, here: str) -> Iterator[tuple[str, str]]:
    """Alarms are resources, metrics are not.

    Source: Service authorization reference, "Actions, resources, and condition keys for Amazon
    CloudWatch".
    """
    asked, action = incoming.parameters, f"cloudwatch:{incoming.operation}"
    name = asked.get("AlarmName")
    names = asked.get("AlarmNames") or ([name] if name else [])
    for each in names or [""]:
        yield action, f"arn:aws:cloudwatch:{here}:alarm:{each}" if each else "*"


ASKED: dict[str, Asked] = {
    "cloudfront-keyvaluestore": _values,
    "cloudwatch": _cloudwatch,
    "dynamodb": _dynamodb,
    "lambda": _lambda,
    "ssm": _ssm,
    "secretsmanager": _secrets,
    "sqs": message_rights.sqs,
    "sns": message_rights.sns,
    "events": message_rights.events,
}


# Source: API references, "Common Error Types"; SNS API reference, Publish, "Errors".
_CODES = {"cloudwatch": "AccessDenied", "sqs": "AccessDenied", "sns": "AuthorizationError"}


def _refused(role: str, *, action: str, resource: str, service: str) -> AwsError:
    """Source: IAM user guide, "Troubleshoot access denied error messages"."""
    return AwsError(
        _CODES.get(service, "AccessDeniedException"),
        f"User: {role} is not authorized to perform: {action} on resource: {resource} because no "
        f"identity-based policy allows the {action} action",
        status=403 if service in ("lambda", *_CODES) else 400,
    )


RULES: tuple[Rule, ...] = (
    Rule(service="iam", rule="what functions call of DynamoDB, Lambda, Systems Manager, Secrets "
         "Manager, CodeDeploy, SQS, SNS and EventBridge needs their role's policies and boundary",
         page='IAM user guide, "Policy evaluation logic"'),
)  # fmt: skip
