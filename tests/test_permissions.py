"""docs/permissions.md, and the statement in the hint of a denial, cover every call of the code."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from runner.aws import logs, needs, rights
from runner.aws.refusals import action_of
from runner.names import Names
from runner.report import permissions

ROOT = Path(__file__).parents[1]
# The attributes of runner.aws.session.Aws, and of the guard's clients.
SERVICES = {
    "certificates": "acm",
    "dns": "route53",
    "api": "apigatewayv2",
    "api_once": "apigatewayv2",
    "deployments": "codedeploy",
    "deployments_once": "codedeploy",
    "edge": "cloudfront",
    "functions": "lambda",
    "logs": "logs",
    "metrics": "cloudwatch",
    "parameters": "ssm",
    "queues": "sqs",
    "records": "dynamodb",
    "roles": "iam",
    "rules": "events",
    "s3": "s3",
    "schedules": "scheduler",
    "secrets": "secretsmanager",
    "values": "cloudfront-keyvaluestore",
}
ELSEWHERE = ("local", "rehearsal", "node_modules")  # the embedded cloud, and its stories
PREFIXES = {"apigatewayv2": "apigateway"}
ADMINISTRATORS = ("bootstrap.py", "trust.py")


def calls() -> Iterator[tuple[str, str, str]]:
    """Every (service, method, file) that is called by its name."""
    for path in (ROOT / "runner").rglob("*.py"):
        if path.name in ADMINISTRATORS or set(ELSEWHERE) & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
                if node.value.attr in SERVICES:
                    yield SERVICES[node.value.attr], node.attr, path.name
            elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "get_paginator":
                (name,) = (str(each.value) for each in node.args if isinstance(each, ast.Constant))
                client = getattr(getattr(node.func, "value", None), "attr", "")
                if client in SERVICES:
                    yield SERVICES[client], name, path.name


def called_actions() -> dict[str, str]:
    """IAM's actions behind those calls, and a file that makes each."""
    session, found = botocore.session.get_session(), {}
    for service, method, file in calls():
        model = session.get_service_model(service)
        operations = {xform_name(name): name for name in model.operation_names}
        if method in operations:
            operation = operations[method]
            verb = model.operation_model(operation).http["method"]
            prefix = PREFIXES.get(service, service)
            found[action_of(prefix, operation, method=verb)] = file
    return found


def listed() -> set[str]:
    return {action for need in needs.NEEDS for action in need.actions}


def test_every_call_of_the_code_is_covered() -> None:
    found = called_actions()
    assert len(found) > 100
    lacking = {action: file for action, file in found.items() if action not in listed()}
    assert lacking == {}, "add them to runner/aws/needs.py"


def test_what_is_asked_for_before_a_first_deploy_is_covered() -> None:
    asked = {action for action, _ in rights.needed(Names("notes", "123456789012", "eu-west-1"))}
    assert asked | set(logs.DELIVERY) <= listed()


def test_no_action_stands_twice() -> None:
    every = [action for need in needs.NEEDS for action in need.actions]
    assert sorted(every) == sorted(set(every))


def test_names_of_ours_are_within_what_is_allowed() -> None:
    names = Names("notes", "123456789012", "eu-central-1")
    arns = [
        names.function_arn(names.entry),
        names.function_arn(names.function("a/b")),
        names.role_arn(names.guard_role),
        names.boundary_arn,
        names.dead_letters_arn,
        names.log_group_arn(names.access_log),
        f"arn:aws:s3:::{names.bucket}",
    ]
    patterns = [resource for need in needs.NEEDS for resource in need.resources if resource != "*"]
    assert [arn for arn in arns if not any(fnmatchcase(arn, each) for each in patterns)] == []


@pytest.mark.parametrize(
    ("action", "resource", "wanted"),
    [
        ("s3:PutObject", needs.UNNAMED, "arn:aws:s3:::jam-*/*"),
        ("s3:PutObject", "arn:aws:s3:::b/k", "arn:aws:s3:::b/k"),
        ("shop:Unheard", needs.UNNAMED, "*"),
    ],
)
def test_a_statement_is_one_line_of_a_policy(action: str, resource: str, wanted: str) -> None:
    told = json.loads(needs.statement(action, resource))
    assert told == {"Effect": "Allow", "Action": action, "Resource": wanted}


def test_each_policy_fits_and_together_they_say_everything() -> None:
    documents = permissions.policies()
    assert max(map(permissions.size_of, documents)) <= permissions.MOST
    told = [action for each in documents for one in each["Statement"] for action in one["Action"]]
    assert set(told) == listed()


def test_the_document_is_up_to_date() -> None:
    assert (ROOT / "docs" / "permissions.md").read_text() == permissions.text(), "run `make docs`"
