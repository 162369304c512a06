"""The policies that we write, as values: who may assume which role, and what it may do. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from runner.aws import judging
from runner.aws.policies import Document, allow, document
from runner.model import Grants
from runner.names import PREVIEWS, Names
from runner.plan.background import Unattended
from runner.plan.foundation import Role

_SERVICES = {
    Role.FUNCTIONS: "lambda.amazonaws.com",
    Role.ENTRY: "lambda.amazonaws.com",
    Role.API: "apigateway.amazonaws.com",
    Role.KEEPER: "lambda.amazonaws.com",
    Role.GUARD: "lambda.amazonaws.com",
    Role.SCHEDULER: "scheduler.amazonaws.com",
    Role.BACKGROUND: "lambda.amazonaws.com",
}


def compact(whole: Any) -> str:
    """JSON text without spaces: equal values, equal text."""
    return json.dumps(whole, separators=(",", ":"), sort_keys=True)


def readable(whole: Any) -> str:
    """JSON text for people, in the order in which it was written."""
    return json.dumps(whole, indent=2) + "\n"


def parse(text: str) -> Document:
    """A policy as AWS gives it back."""
    whole: Document = json.loads(text)
    return whole


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
    return document(allowed)


_NOTHING = Unattended()


def permissions(role: Role, names: Names, unattended: Unattended = _NOTHING) -> Document:
    """What `role` may do; functions' common role no more than write its logs and dead letters."""
    invoke = allow("lambda:InvokeFunction", names.function_arn(f"{names.functions}*"))
    match role:
        case Role.FUNCTIONS:
            letters = [_letters(names)] if unattended else []
            own = [*_previews_tables(names), invoke] if names.environment == PREVIEWS else []
            return document(_logs(names, f"{names.functions}*"), *own, *letters)
        case Role.ENTRY:
            return document(_logs(names, names.entry), *_read_files(names))
        case Role.API:
            acceptor = allow("lambda:InvokeFunction", f"{names.function_arn(names.acceptor)}:*")
            keeper = allow("lambda:InvokeFunction", names.function_arn(names.keeper))
            return document(invoke, keeper, *([acceptor] if unattended.requests else []))
        case Role.KEEPER:
            return document(_logs(names, names.keeper))
        case Role.GUARD:
            return document(_logs(names, names.guard), *judging.rights(names))
        case Role.SCHEDULER:
            return document(invoke, _letters(names))
        case Role.BACKGROUND:
            return document(_logs(names, names.acceptor), invoke)


def granted(grants: Grants, names: Names) -> Document:
    """What a function may do with `grants`: write its own log, and exactly what they name."""
    logs = names.function(grants.owner) if grants.owner else f"{names.functions}*"
    tables = [_table(names, table, access=access) for table, access in grants.tables]
    invoke = [_invoke(names, grants.invoke)] if grants.invoke else []
    letters = [_letters(names)] if grants.failures else []
    secrets = _secrets(names, grants.secrets)
    return document(
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
    return document(*_secrets(names, whole.secrets), *_around(whole, names.previews))


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
    allowed = [allow(actions, "*") for is_wanted, actions in wanted if is_wanted]
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


def _letters(names: Names) -> Document:
    """Lambda sends a failed event as the function, Scheduler one that it could not deliver.

    Sources: Lambda developer guide, "Retaining records of asynchronous invocations"; EventBridge
    Scheduler user guide, "Configuring a schedule's dead-letter queue in EventBridge Scheduler".
    """
    return allow("sqs:SendMessage", names.dead_letters_arn)


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
    return document(*statements)


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
    return allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"{groups}{functions}:*")


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
    return allow(actions, [arn, f"{arn}/index/*"] if "r" in access else arn)


def _previews_tables(names: Names) -> list[Document]:
    """Previews share one role: each may use the tables of all of the site's, and no others."""
    actions = [f"dynamodb:{each}" for each in sorted([*_ACCESS["rw"], "DescribeTable"])]
    here = f"arn:{names.partition}:dynamodb:{names.region}:{names.account}"
    return [allow(actions, f"{here}:table/{names.functions}*")]


def _invoke(names: Names, functions: tuple[str, ...]) -> Document:
    """Published versions alone: a caller is told the version that its release has."""
    arns = [names.function_arn(names.function(function)) for function in functions]
    return allow("lambda:InvokeFunction", [f"{arn}:*" for arn in arns])


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
        allow("ssm:GetParameters", parameters),
        _decrypt(names, keys, service="ssm", context="PARAMETER_ARN", of=parameters),
        *([allow("secretsmanager:GetSecretValue", managed)] if managed else []),
        *(
            [_decrypt(names, keys, service="secretsmanager", context="SecretARN", of=managed)]
            if managed
            else []
        ),
    ]


def _decrypt(names: Names, keys: str, *, service: str, context: str, of: list[str]) -> Document:
    via = f"{service}.{names.region}.amazonaws.com"
    return {
        **allow("kms:Decrypt", keys),
        "Condition": {
            "StringEquals": {"kms:ViaService": via},
            "StringLike": {f"kms:EncryptionContext:{context}": of},
        },
    }


def _read_files(names: Names) -> list[Document]:
    bucket = _bucket(names)
    listing = allow("s3:ListBucket", bucket)
    return [allow("s3:GetObject", f"{bucket}/{names.objects}/*"), listing]


def _bucket(names: Names) -> str:
    return f"arn:{names.partition}:s3:::{names.bucket}"
