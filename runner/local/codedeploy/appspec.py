"""Reads an AppSpec for Lambda, in JSON or YAML, and refuses what CodeDeploy refuses. Pure.

Source: CodeDeploy user guide, "AppSpec 'resources' section", "AppSpec 'hooks' section for an AWS
Lambda deployment", "AppSpec File example for an AWS Lambda deployment".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from runner.local.codedeploy.values import HOOKS, AppSpec, Revision
from runner.local.wire import AwsError, Parameters

_KINDS = {"AppSpecContent": "appSpecContent", "String": "string"}
_VERSION = re.compile(r"[1-9][0-9]*")
_LAMBDA = "AWS::Lambda::Function"
_PROPERTIES = ("Name", "Alias", "CurrentVersion", "TargetVersion")


def located(given: Parameters | None) -> tuple[str, str, str]:
    """Kind, content and digest of a RevisionLocation; the content may be missing."""
    if not given:
        raise AwsError("RevisionRequiredException", "The revision is required.")
    kind = given.get("revisionType") or ""
    if kind == "S3":
        raise AwsError(
            "NotImplemented", "The embedded CodeDeploy reads no revisions from S3.", status=501
        )
    if kind not in _KINDS:
        raise invalid(f"The revision type {kind or 'null'} is not valid for Lambda deployments")
    body = given.get(_KINDS[kind]) or {}
    content, digest = body.get("content") or "", body.get("sha256") or ""
    if not content and not digest:
        raise invalid("The revision has neither content nor a digest")
    return kind, content, digest


def revision(given: Parameters | None) -> Revision:
    """The revision that a request carries. Raises AwsError."""
    kind, content, digest = located(given)
    if not content:
        raise invalid("The revision has no content")
    found = hashlib.sha256(content.encode()).hexdigest()
    if digest and digest != found:
        raise invalid("The SHA256 hash of the content does not match the one that was specified")
    return Revision(kind=kind, content=content, sha256=found, spec=parse(content))


def parse(content: str) -> AppSpec:
    """Raises InvalidRevisionException, with the reason in words."""
    document = _document(content)
    if str(document.get("version")) not in ("0.0", "0"):
        raise invalid("The AppSpec file's version must be 0.0")
    properties = _properties(document.get("Resources"))
    for name in _PROPERTIES:
        if not isinstance(properties.get(name), str | int) or not str(properties[name]):
            raise invalid(f"The AppSpec file's {name} must be a string")
    for name in ("CurrentVersion", "TargetVersion"):
        if not _VERSION.fullmatch(str(properties[name])):
            raise invalid(f"The AppSpec file's {name} must be a positive integer")
    return AppSpec(
        function=str(properties["Name"]),
        alias=str(properties["Alias"]),
        current=str(properties["CurrentVersion"]),
        target=str(properties["TargetVersion"]),
        hooks=_hooks(document.get("Hooks")),
    )


def _document(content: str) -> Mapping[str, Any]:
    import yaml  # type: ignore[import-untyped]  # it brings no types; slow: few ever deploy

    try:
        found = yaml.safe_load(content)  # JSON is YAML
    except yaml.YAMLError as error:
        raise invalid(f"The AppSpec file cannot be parsed: {error}") from None
    if not isinstance(found, dict):
        raise invalid("The AppSpec file cannot be parsed")
    return found


def _properties(resources: Any) -> Mapping[str, Any]:
    if not isinstance(resources, list) or len(resources) != 1:
        raise invalid("The AppSpec file must specify exactly one Lambda function")
    named = resources[0]
    if not isinstance(named, dict) or len(named) != 1:
        raise invalid("The AppSpec file must specify exactly one Lambda function")
    resource = next(iter(named.values()))
    if not isinstance(resource, dict) or resource.get("Type") != _LAMBDA:
        raise invalid(f"The AppSpec file's resource must have the type {_LAMBDA}")
    properties = resource.get("Properties")
    if not isinstance(properties, dict):
        raise invalid("The AppSpec file's resource has no properties")
    return properties


def _hooks(given: Any) -> tuple[tuple[str, str], ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise invalid("The AppSpec file's hooks must be a list")
    found = [(event, function) for each in given for event, function in each.items()]
    for event, function in found:
        if event not in HOOKS:
            raise invalid(f"{event} is no lifecycle event of a Lambda deployment")
        # Seen as terraform-aws-modules/terraform-aws-lambda#75.
        if not isinstance(function, str) or not function:
            raise invalid("The Lambda function name cannot be null or empty")
    if len({event for event, _ in found}) != len(found):
        raise invalid("The AppSpec file names a lifecycle event twice")
    return tuple(found)


def invalid(message: str) -> AwsError:
    return AwsError("InvalidRevisionException", message)
