"""Function URLs behind CloudFront: the alias that has one, the URL, and who may call it."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, Literal
from urllib.parse import urlsplit

from runner.apply import Fence, unfenced
from runner.aws.openapi import CORS_AGE, CORS_HEADERS
from runner.aws.optimism import upon
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.errors import JamError, busy_error
from runner.names import ALIAS

BUDGET = 60  # seconds
Mode = Literal["BUFFERED", "RESPONSE_STREAM"]
_PERMISSIONS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("edge-url", "lambda:InvokeFunctionUrl", {"FunctionUrlAuthType": "AWS_IAM"}),
    ("edge-call", "lambda:InvokeFunction", {"InvokedViaFunctionUrl": True}),
)


def find(aws: Aws, function: str) -> str | None:
    """The domain of the alias's function URL."""
    try:
        found = aws.functions.get_function_url_config(FunctionName=function, Qualifier=ALIAS)
    except aws.functions.exceptions.ResourceNotFoundException:
        return None
    return _domain(found["FunctionUrl"])


def find_alias(aws: Aws, function: str) -> str | None:
    """The version that the alias names with all its weight; None without one, or with two."""
    return look(aws, function)[0]


def look(aws: Aws, function: str) -> tuple[str | None, str]:
    """The same, and the alias's revision; no revision without an alias."""
    try:
        found = aws.functions.get_alias(FunctionName=function, Name=ALIAS)
    except aws.functions.exceptions.ResourceNotFoundException:
        return None, ""
    shared = found.get("RoutingConfig", {}).get("AdditionalVersionWeights")
    return (None if shared else found["FunctionVersion"]), found["RevisionId"]


def make(aws: Aws, function: str, *, version: str, mode: Mode) -> str:
    """The alias, first at `version`, and its URL; returns the URL's domain.

    An existing alias stays where it is: only the switch moves it.
    """
    where: Any = {"FunctionName": function}
    wanted: Any = {"AuthType": "AWS_IAM", "InvokeMode": mode}
    if not has_alias(aws, function):
        with tolerating("ResourceConflictException"):  # our own first attempt
            aws.functions.create_alias(**where, Name=ALIAS, FunctionVersion=version)
    if find(aws, function) is None:
        with tolerating("ResourceConflictException"):
            aws.functions.create_function_url_config(**where, Qualifier=ALIAS, **wanted)
    found: Any = aws.functions.get_function_url_config(**where, Qualifier=ALIAS)
    if any(found.get(key) != value for key, value in wanted.items()):
        # Opened by hand, say: everybody could go round CloudFront.
        aws.functions.update_function_url_config(**where, Qualifier=ALIAS, **wanted)
    return _domain(found["FunctionUrl"])


def has_alias(aws: Aws, function: str) -> bool:
    """Whether there is one, wherever it points."""
    with tolerating("ResourceNotFoundException"):
        aws.functions.get_alias(FunctionName=function, Name=ALIAS)
        return True
    return False


def revision(aws: Aws, function: str) -> str:
    """Of the alias: another after each change of it."""
    return aws.functions.get_alias(FunctionName=function, Name=ALIAS)["RevisionId"]


def move_alias(
    aws: Aws, function: str, *, version: str, fence: Fence = unfenced, seen: str = ""
) -> None:
    """All visitors' weight to `version`, also where it is there: nobody moves it by an older look.

    The `fence` is asked after the alias was read: what a newer run does later changes its revision.
    `seen` is the one that somebody read before; where it is stale it is read again.
    Source: Lambda API reference, UpdateAlias, RevisionId.
    """

    def attempt(revision: str) -> bool:
        try:
            aws.functions.update_alias(
                FunctionName=function,
                Name=ALIAS,
                FunctionVersion=version,
                RoutingConfig={"AdditionalVersionWeights": {}},
                RevisionId=revision,
            )
        except aws.functions.exceptions.PreconditionFailedException:
            return False  # somebody moved it meanwhile, or our first answer was lost
        return True

    def late() -> JamError:
        fence(looks=True)  # a run that slept has lost its turn rather than its patience
        return _restless(function)

    find = partial(revision, aws, function)
    upon(aws, attempt, find=find, seen=seen, fence=fence, budget=BUDGET, late=late)


def _restless(function: str) -> JamError:
    return busy_error(
        "JAM-ALIAS-BUSY",
        f"Others kept moving the alias {ALIAS} of {function} for {BUDGET} s.",
        hint="Run again when they are done.",
    )


def grant(aws: Aws, function: str, *, distribution_arn: str) -> None:
    """Lets the distribution call the alias's URL: that takes two permissions since October 2025.

    Source: Lambda developer guide, "Control access to Lambda function URLs"; CloudFront developer
    guide, "Restrict access to an AWS Lambda function URL origin".
    """
    granted = _granted(aws, function)
    for statement, action, how in _PERMISSIONS:
        if granted.get(statement) == distribution_arn:
            continue
        if statement in granted:  # for a distribution that is gone
            _revoke(aws, function, statement=statement)
        permission = {"StatementId": statement, "Action": action, "SourceArn": distribution_arn}
        with tolerating("ResourceConflictException"):  # our own first attempt
            _permit(aws, function, permission={**permission, **how})


def open_to(aws: Aws, function: str, *, origins: tuple[str, ...]) -> None:
    """Lets pages of these origins read what the URL answers; without any, nobody else's.

    Source: Lambda API reference, Cors. Cookies only for origins that are named, as browsers ask.
    """
    wanted: Any = {
        "AllowOrigins": list(origins),
        "AllowMethods": ["GET", "HEAD"],
        "AllowHeaders": list(CORS_HEADERS),
        "AllowCredentials": "*" not in origins,
        "MaxAge": CORS_AGE,
    }
    where: Any = {"FunctionName": function, "Qualifier": ALIAS}
    found = aws.functions.get_function_url_config(**where).get("Cors", {})
    if found != (wanted if origins else {}):
        aws.functions.update_function_url_config(**where, Cors=wanted if origins else {})


def drop(aws: Aws, function: str) -> None:
    """The URL, who may call it, and the alias; what is gone already is fine."""
    with tolerating("ResourceNotFoundException"):
        aws.functions.delete_function_url_config(FunctionName=function, Qualifier=ALIAS)
    for statement, _, _ in _PERMISSIONS:
        _revoke(aws, function, statement=statement)
    with tolerating("ResourceNotFoundException"):
        aws.functions.delete_alias(FunctionName=function, Name=ALIAS)


def _permit(aws: Aws, function: str, *, permission: Any) -> None:
    aws.functions.add_permission(
        FunctionName=function,
        Qualifier=ALIAS,
        Principal="cloudfront.amazonaws.com",
        **permission,
    )


def _revoke(aws: Aws, function: str, *, statement: str) -> None:
    with tolerating("ResourceNotFoundException"):
        aws.functions.remove_permission(
            FunctionName=function, Qualifier=ALIAS, StatementId=statement
        )


def _granted(aws: Aws, function: str) -> dict[str, str]:
    """The alias's permissions: the source of each statement."""
    try:
        found = aws.functions.get_policy(FunctionName=function, Qualifier=ALIAS)["Policy"]
    except aws.functions.exceptions.ResourceNotFoundException:
        return {}
    return {each["Sid"]: _source(each) for each in json.loads(found)["Statement"]}


def _source(statement: dict[str, Any]) -> str:
    for test in statement.get("Condition", {}).values():
        for key, value in test.items():
            if key.lower() == "aws:sourcearn":
                return str(value)
    return ""


def _domain(url: str) -> str:
    return urlsplit(url).hostname or ""
