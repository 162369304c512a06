"""Reads what is deployed: an environment with its functions, and any function of the account.

Reads only, and of Lambda only what somebody asks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.aws import records, written
from runner.aws.holders import Holder
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.model import Background, Origin
from runner.names import Names
from runner.plan.live import Hold
from runner.together import at_once

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import GetFunctionResponseTypeDef

LOOKS = 8  # at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """One version of a function that a live release uses.

    `name` is the site's own name of it, `function` Lambda's; `routed` says that requests reach it,
    `streams` that they do so at the URL of its alias.
    """

    name: str
    function: str
    version: str
    background: Background = field(default_factory=Background)
    routed: bool = True
    streams: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What an environment serves. `since` is in epoch seconds; 0 where nobody recorded it.

    `stages` are the api_stages with the releases that use them, the newest first. `trailing`:
    nobody has seen yet to all that follows the release. `holder` has the lease, or ended with it.
    """

    environment: str
    release: str
    previous: str
    since: int
    origin: Origin
    url: str
    functions: tuple[Deployed, ...]
    stages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trailing: bool = False
    hold: Hold | None = None
    holder: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A function as Lambda describes it; `location` is where its code can be fetched for minutes.

    `location` is empty for container images; `code_sha256` is Lambda's base64 digest of the zip,
    `memory` in MB, `timeout` in seconds. Its environment is not read: there are secrets in it.
    """

    function: str
    arn: str
    version: str
    runtime: str
    handler: str
    architecture: str
    memory: int
    timeout: int
    layers: tuple[str, ...]
    code_sha256: str
    location: str


def read_environment(aws: Aws, names: Names) -> Environment | None:
    """What production serves, or a preview by its names; None where there is none."""
    with explained():
        found, _ = records.read(aws, names, release="") or (written.Environment(), None)
        if not found.release:
            return None
        _, staged = records.read(aws, names, release=found.release) or (None, None)
    streaming = {each.name for each in found.streams}
    return Environment(
        environment=names.environment,
        release=found.release,
        previous=found.previous,
        since=found.since,
        origin=staged.origin if staged else Origin(),
        url=f"https://{found.host}",
        functions=tuple(
            Deployed(
                name=name,
                function=names.function(name),
                version=each.version,
                background=each.background,
                routed=each.routed,
                streams=name in streaming,
            )
            for name, each in sorted(found.functions.items())
        ),
        stages=dict(found.stages),
        trailing=found.trailing,
        hold=found.hold,
        holder=found.holder,
    )


def describe(aws: Aws, function: str, *, version: str = "") -> Described | None:
    """The function of this Lambda name or ARN; None if the account has none. Empty: `$LATEST`."""
    with explained():
        try:
            if version:
                return _described(
                    aws.functions.get_function(FunctionName=function, Qualifier=version)
                )
            return _described(aws.functions.get_function(FunctionName=function))
        except aws.functions.exceptions.ResourceNotFoundException:
            return None


def describe_all(aws: Aws, functions: tuple[Deployed, ...]) -> tuple[Described | None, ...]:
    """Each function's live version, in the same order; None where somebody deleted it."""
    with at_once(LOOKS) as pool:
        looks = pool.map(lambda each: describe(aws, each.function, version=each.version), functions)
        return tuple(looks)


def function_names(aws: Aws) -> Iterator[str]:
    """The Lambda names of all functions of the account and region."""
    with explained():
        for page in aws.functions.get_paginator("list_functions").paginate():
            for each in page["Functions"]:
                yield each["FunctionName"]


def _described(answer: GetFunctionResponseTypeDef) -> Described:
    found = answer["Configuration"]
    return Described(
        function=found["FunctionName"],
        arn=found["FunctionArn"],
        version=found["Version"],
        runtime=found.get("Runtime", ""),
        handler=found.get("Handler", ""),
        architecture=found.get("Architectures", ["x86_64"])[0],
        memory=found.get("MemorySize", 0),
        timeout=found.get("Timeout", 0),
        layers=tuple(layer["Arn"] for layer in found.get("Layers", [])),
        code_sha256=found.get("CodeSha256", ""),
        location=answer["Code"].get("Location", ""),
    )
