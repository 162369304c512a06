"""The entry: a version a release, the alias that visitors reach, its URL and who may call it."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any
from urllib.parse import urlsplit

from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.aws.versions import Wanted
from runner.names import ALIAS, PRODUCTION, Names

RUNTIME, HANDLER, ARCHITECTURE = "python3.13", "entry.handler", "arm64"
MEMORY, TIMEOUT = 256, 5  # MB; seconds, as long as CloudFront waits


def wanted_of(names: Names, *, role_arn: str, archive: bytes) -> Wanted:
    """The entry version of one release: only the archive differs between releases."""
    return Wanted(
        name=names.entry,
        role_arn=role_arn,
        runtime=RUNTIME,
        handler=HANDLER,
        architecture=ARCHITECTURE,
        memory=MEMORY,
        timeout=TIMEOUT,
        code_sha256=base64.b64encode(hashlib.sha256(archive).digest()).decode(),
        size=len(archive),
        archive=archive,
        environment={
            "JAM_BUCKET": names.bucket,
            "JAM_PREFIX": PRODUCTION,
            "JAM_SITE": names.site,
        },
    )


def find_url(aws: Aws, names: Names) -> str | None:
    """The domain of the alias's function URL."""
    try:
        found = aws.functions.get_function_url_config(FunctionName=names.entry, Qualifier=ALIAS)
    except aws.functions.exceptions.ResourceNotFoundException:
        return None
    return _domain(found["FunctionUrl"])


def find_alias(aws: Aws, names: Names) -> str | None:
    """The version that the alias names with all its weight; None without one, or with two."""
    try:
        found = aws.functions.get_alias(FunctionName=names.entry, Name=ALIAS)
    except aws.functions.exceptions.ResourceNotFoundException:
        return None
    shared = found.get("RoutingConfig", {}).get("AdditionalVersionWeights")
    return None if shared else found["FunctionVersion"]


def make_url(aws: Aws, names: Names, *, version: str) -> str:
    """The alias, first at `version`, and its URL; returns the URL's domain.

    An existing alias stays where it is: only the switch moves it.
    """
    where: Any = {"FunctionName": names.entry}
    with tolerating("ResourceConflictException"):  # the alias exists
        aws.functions.create_alias(**where, Name=ALIAS, FunctionVersion=version)
    with tolerating("ResourceConflictException"):  # the URL exists
        aws.functions.create_function_url_config(
            **where, Qualifier=ALIAS, AuthType="AWS_IAM", InvokeMode="BUFFERED"
        )
    found = aws.functions.get_function_url_config(**where, Qualifier=ALIAS)
    if found["AuthType"] != "AWS_IAM":  # opened by hand: everybody could go round CloudFront
        aws.functions.update_function_url_config(**where, Qualifier=ALIAS, AuthType="AWS_IAM")
    return _domain(found["FunctionUrl"])


def move_alias(aws: Aws, names: Names, *, version: str) -> None:
    """All visitors' weight to `version`."""
    if find_alias(aws, names) == version:
        return
    aws.functions.update_alias(
        FunctionName=names.entry,
        Name=ALIAS,
        FunctionVersion=version,
        RoutingConfig={"AdditionalVersionWeights": {}},
    )


def grant(aws: Aws, names: Names, *, distribution_arn: str) -> None:
    """Lets the distribution call the alias's URL: that takes two permissions since October 2025.

    Source: Lambda developer guide, "Control access to Lambda function URLs"; CloudFront developer
    guide, "Restrict access to an AWS Lambda function URL origin".
    """
    granted = _granted(aws, names)
    for statement, action, how in (
        ("edge-url", "lambda:InvokeFunctionUrl", {"FunctionUrlAuthType": "AWS_IAM"}),
        ("edge-call", "lambda:InvokeFunction", {"InvokedViaFunctionUrl": True}),
    ):
        if granted.get(statement) == distribution_arn:
            continue
        if statement in granted:  # for a distribution that is gone
            _revoke(aws, names, statement=statement)
        with tolerating("ResourceConflictException"):  # our own first attempt
            _permit(
                aws,
                names,
                permission={
                    "StatementId": statement,
                    "Action": action,
                    "SourceArn": distribution_arn,
                    **how,
                },
            )


def _permit(aws: Aws, names: Names, *, permission: Any) -> None:
    aws.functions.add_permission(
        FunctionName=names.entry,
        Qualifier=ALIAS,
        Principal="cloudfront.amazonaws.com",
        **permission,
    )


def _revoke(aws: Aws, names: Names, *, statement: str) -> None:
    with tolerating("ResourceNotFoundException"):
        aws.functions.remove_permission(
            FunctionName=names.entry, Qualifier=ALIAS, StatementId=statement
        )


def _granted(aws: Aws, names: Names) -> dict[str, str]:
    """The alias's permissions: the source of each statement."""
    try:
        found = aws.functions.get_policy(FunctionName=names.entry, Qualifier=ALIAS)["Policy"]
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
