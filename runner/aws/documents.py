"""The policies that we write, as values: who may assume which role, and what it may do. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from runner.entry.counts import NAMESPACE
from runner.model import Grants
from runner.names import PREVIEWS, PRODUCTION, Names
from runner.plan.background import Unattended
from runner.plan.foundation import Role

Document = dict[str, Any]
_VERSION = "2012-10-17"
_SERVICES = {
    Role.FUNCTIONS: "lambda.amazonaws.com",
    Role.ENTRY: "lambda.amazonaws.com",
    Role.API: "apigateway.amazonaws.com",
    Role.KEEPER: "lambda.amazonaws.com",
    Role.GUARD: "lambda.amazonaws.com",
    Role.SCHEDULER: "scheduler.amazonaws.com",
    Role.BACKGROUND: "lambda.amazonaws.com",
}


def compact(document: Any) -> str:
    """JSON text without spaces: equal values, equal text."""
    return json.dumps(document, separators=(",", ":"), sort_keys=True)


def readable(document: Any) -> str:
    """JSON text for people, in the order in which it was written."""
    return json.dumps(document, indent=2) + "\n"


def parse(text: str) -> Document:
    """A policy as AWS gives it back."""
    document: Document = json.loads(text)
    return document


def trust(role: Role, names: Names) -> Document:
    """Who may assume `role`: one AWS service; the scheduler for this site's schedules alone.

    Sources: Lambda developer guide, "Defining Lambda function permissions with an execution role";
    EventBridge Scheduler user guide, "Confused deputy prevention in EventBridge Scheduler".
    """
    allowed: Document = {
        "Effect": "Allow",
        "Principal": {"Service": _SERVICES[role]},
        "Action": "sts:AssumeRole",
    }
    if role is Role.SCHEDULER:
        ours = {"aws:SourceAccount": names.account, "aws:SourceArn": names.schedules_arn}
        allowed["Condition"] = {"StringEquals": ours}
    return _document(allowed)


_NOTHING = Unattended()


def permissions(role: Role, names: Names, unattended: Unattended = _NOTHING) -> Document:
    """What `role` may do; functions' common role no more than write its logs and dead letters."""
    invoke = _allow("lambda:InvokeFunction", names.function_arn(f"{names.functions}*"))
    match role:
        case Role.FUNCTIONS:
            letters = [_letters(names)] if unattended else []
            own = [*_previews_tables(names), invoke] if names.environment == PREVIEWS else []
            return _document(_logs(names, f"{names.functions}*"), *own, *letters)
        case Role.ENTRY:
            return _document(_logs(names, names.entry), *_read_files(names))
        case Role.API:
            acceptor = _allow("lambda:InvokeFunction", f"{names.function_arn(names.acceptor)}:*")
            keeper = _allow("lambda:InvokeFunction", names.function_arn(names.keeper))
            return _document(invoke, keeper, *([acceptor] if unattended.requests else []))
        case Role.KEEPER:
            return _document(_logs(names, names.keeper))
        case Role.GUARD:
            return _document(_logs(names, names.guard), *_judging(names))
        case Role.SCHEDULER:
            return _document(invoke, _letters(names))
        case Role.BACKGROUND:
            return _document(_logs(names, names.acceptor), invoke)


def granted(grants: Grants, names: Names) -> Document:
    """What a function may do with `grants`: write its own log, and exactly what they name."""
    logs = names.function(grants.owner) if grants.owner else f"{names.functions}*"
    tables = [_table(names, table, access=access) for table, access in grants.tables]
    invoke = [_invoke(names, grants.invoke)] if grants.invoke else []
    letters = [_letters(names)] if grants.failures else []
    secrets = _secrets(names, grants.secrets)
    return _document(
        _logs(names, logs), *tables, *invoke, *secrets, *_around(grants, names), *letters
    )


def beside(grants: Iterable[Grants], names: Names) -> Document:
    """What previews' functions need beside their common role: secrets, tracing, a network."""
    every = tuple(grants)
    whole = Grants(
        secrets=tuple(sorted({secret for each in every for secret in each.secrets})),
        tracing=any(each.tracing for each in every),
        network=any(each.network for each in every),
    )
    return _document(*_secrets(names, whole.secrets), *_around(whole, names.previews))


# X-Ray and EC2 know no resources for these. Sources: Lambda developer guide, "Visualize Lambda
# function invocations using AWS X-Ray" and "Giving Lambda functions access to resources in an
# Amazon VPC", "Execution role permissions".
TRACING = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
NETWORK = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]


def _around(grants: Grants, names: Names) -> list[Document]:
    wanted = ((grants.tracing, TRACING), (grants.network, NETWORK))
    allowed = [_allow(actions, "*") for is_wanted, actions in wanted if is_wanted]
    return [*allowed, _not_by_code(names)] if grants.network else allowed


def _not_by_code(names: Names) -> Document:
    """Lambda makes a function's interfaces with its role, and its code need not be able to.

    Only calls from within the function bear its ARN. Sources: Lambda developer guide, "Giving
    Lambda functions access to resources in an Amazon VPC", Security best practice; "Using source
    function ARN to control function access behavior".
    """
    ours = {"lambda:SourceFunctionArn": names.function_arn(f"{names.functions}*")}
    return {
        "Effect": "Deny",
        "Action": [*NETWORK, "ec2:DetachNetworkInterface"],
        "Resource": "*",
        "Condition": {"ArnLike": ours},
    }


def _judging(names: Names) -> list[Document]:
    """What settles a rollout: read counts, alias and deployment; move alias and store; record it.

    Aliases of the site's functions as well: those that stream. No more follows a release from
    here: schedules would need PassRole of their role, CORS a write to the whole API.
    Source: EventBridge Scheduler user guide, "Identity-based policies", PassRole.
    Metrics and alarms' states know no resources; a topic is its owner's to choose.
    Source: Service Authorization Reference, of each service.
    """
    here = f"{names.region}:{names.account}"
    entry = names.function_arn(names.entry)
    group = f"deploymentgroup:{names.application}/{PRODUCTION}"
    return [
        _allow(
            ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
            f"arn:{names.partition}:dynamodb:{here}:table/{names.records}",
        ),
        _allow(
            ["codedeploy:GetDeployment", "codedeploy:ListDeployments"],
            f"arn:{names.partition}:codedeploy:{here}:{group}",
        ),
        # It knows no resources. Source: Service Authorization Reference, "AWS CodeDeploy".
        _allow("codedeploy:StopDeployment", "*"),
        _allow(
            ["lambda:GetAlias", "lambda:UpdateAlias"],
            [entry, f"{entry}:*", names.function_arn(f"{names.functions}*")],
        ),
        _allow(METRICS, "*"),
        {
            **_allow("cloudwatch:PutMetricData", "*"),
            "Condition": {"StringEquals": {"cloudwatch:namespace": NAMESPACE}},
        },
        _allow(
            "cloudwatch:DeleteAlarms",
            f"arn:{names.partition}:cloudwatch:{here}:alarm:{names.prefix}-*",
        ),
        _allow(
            "events:DisableRule",
            f"arn:{names.partition}:events:{here}:rule/{names.guard_clock}",
        ),
        _allow("sns:Publish", f"arn:{names.partition}:sns:{here}:*"),
    ]


STORE_ACTIONS = [
    "cloudfront-keyvaluestore:DescribeKeyValueStore",
    "cloudfront-keyvaluestore:UpdateKeys",
]


# CloudWatch knows no resources for these.
METRICS = ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"]


def guarded(store_arn: str) -> Document:
    """What the guard may do beside its role: write to this store, whose ARN AWS picked."""
    return _document(_allow(STORE_ACTIONS, store_arn))


def _letters(names: Names) -> Document:
    """Lambda sends a failed event as the function, Scheduler one that it could not deliver.

    Sources: Lambda developer guide, "Retaining records of asynchronous invocations"; EventBridge
    Scheduler user guide, "Configuring a schedule's dead-letter queue in EventBridge Scheduler".
    """
    return _allow("sqs:SendMessage", names.dead_letters_arn)


def bucket_policy(names: Names, distribution_arn: str | None) -> Document:
    """TLS only; and, once there is one, the distribution may read and list.

    With ListBucket a missing object is a 404 instead of a 403.
    Sources: S3 user guide, "Security best practices"; S3 API reference, GetObject, "Permissions";
    CloudFront developer guide, "Restrict access to an Amazon S3 origin".
    """
    bucket = _bucket(names)
    statements: list[Document] = [
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket, f"{bucket}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]
    if distribution_arn:
        grants = (
            ("Read", "s3:GetObject", f"{bucket}/{names.objects}/*"),
            ("List", "s3:ListBucket", bucket),
        )
        statements += [_for_edge(*grant, distribution_arn) for grant in grants]
    return _document(*statements)


def _for_edge(sid: str, action: str, resource: str, distribution_arn: str) -> Document:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": action,
        "Resource": resource,
        "Condition": {"ArnLike": {"AWS:SourceArn": distribution_arn}},
    }


def _logs(names: Names, functions: str) -> Document:
    """Log groups are made by us at publishing: the functions need not be able to."""
    groups = f"arn:{names.partition}:logs:{names.region}:{names.account}:log-group:/aws/lambda/"
    return _allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"{groups}{functions}:*")


# Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon
# DynamoDB"; transactions ask for the actions of their parts.
_READING = ["BatchGetItem", "GetItem", "Query", "Scan"]
_WRITING = ["BatchWriteItem", "ConditionCheckItem", "DeleteItem", "PutItem", "UpdateItem"]
TABLE_ACTIONS = [f"dynamodb:{each}" for each in sorted([*_READING, *_WRITING, "DescribeTable"])]
_ACCESS = {"r": _READING, "w": _WRITING, "rw": [*_READING, *_WRITING]}


def _table(names: Names, table: str, *, access: str) -> Document:
    actions = [f"dynamodb:{each}" for each in sorted([*_ACCESS[access], "DescribeTable"])]
    here = f"arn:{names.partition}:dynamodb:{names.region}:{names.account}"
    arn = f"{here}:table/{names.table(table)}"
    return _allow(actions, [arn, f"{arn}/index/*"] if "r" in access else arn)


def _previews_tables(names: Names) -> list[Document]:
    """Previews share one role: each may use the tables of all of the site's, and no others."""
    actions = [f"dynamodb:{each}" for each in sorted([*_ACCESS["rw"], "DescribeTable"])]
    here = f"arn:{names.partition}:dynamodb:{names.region}:{names.account}"
    return [_allow(actions, f"{here}:table/{names.functions}*")]


def _invoke(names: Names, functions: tuple[str, ...]) -> Document:
    """Published versions alone: a caller is told the version that its release has."""
    arns = [names.function_arn(names.function(function)) for function in functions]
    return _allow("lambda:InvokeFunction", [f"{arn}:*" for arn in arns])


# Source: Systems Manager user guide, "Referencing AWS Secrets Manager secrets from Parameter Store
# parameters".
MANAGED = "/aws/reference/secretsmanager/"


def _secrets(names: Names, secrets: tuple[tuple[str, str], ...]) -> list[Document]:
    """Exactly these parameters, and the keys that they and no others are encrypted with.

    Sources: Systems Manager user guide, "How AWS Systems Manager Parameter Store uses AWS KMS";
    Secrets Manager user guide, "Secret encryption and decryption in AWS Secrets Manager".
    """
    if not secrets:
        return []
    here = f"{names.region}:{names.account}"
    paths = sorted({path for _, path in secrets})
    parameter = f"arn:{names.partition}:ssm:{here}:parameter/"
    parameters = [f"{parameter}{path.removeprefix('/')}" for path in paths]
    secret = f"arn:{names.partition}:secretsmanager:{here}:secret:"
    # A secret's ARN ends in a hyphen and six characters of chance.
    managed = [
        f"{secret}{path.removeprefix(MANAGED)}-??????" for path in paths if path.startswith(MANAGED)
    ]
    keys = f"arn:{names.partition}:kms:{here}:key/*"
    return [
        _allow("ssm:GetParameters", parameters),
        _decrypt(names, keys, service="ssm", context="PARAMETER_ARN", of=parameters),
        *([_allow("secretsmanager:GetSecretValue", managed)] if managed else []),
        *(
            [_decrypt(names, keys, service="secretsmanager", context="SecretARN", of=managed)]
            if managed
            else []
        ),
    ]


def _decrypt(names: Names, keys: str, *, service: str, context: str, of: list[str]) -> Document:
    via = f"{service}.{names.region}.amazonaws.com"
    return {
        **_allow("kms:Decrypt", keys),
        "Condition": {
            "StringEquals": {"kms:ViaService": via},
            "StringLike": {f"kms:EncryptionContext:{context}": of},
        },
    }


def _read_files(names: Names) -> list[Document]:
    bucket = _bucket(names)
    listing = _allow("s3:ListBucket", bucket)
    return [_allow("s3:GetObject", f"{bucket}/{names.objects}/*"), listing]


def _bucket(names: Names) -> str:
    return f"arn:{names.partition}:s3:::{names.bucket}"


def _allow(actions: str | list[str], resources: str | list[str]) -> Document:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def _document(*statements: Document) -> Document:
    return {"Version": _VERSION, "Statement": list(statements)}
