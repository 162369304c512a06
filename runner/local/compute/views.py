"""What Lambda's operations answer with: the store's values in botocore's shapes. Pure."""

from __future__ import annotations

import copy
from datetime import UTC, datetime

from runner.local.compute.store import LATEST, Alias, Function, Url, Version
from runner.local.wire import Parameters, Result


def configuration(
    function: Function, version: Version, *, now: float, qualifier: str = ""
) -> Result:
    """FunctionConfiguration; `$LATEST` goes by the bare ARN unless it was asked for by name."""
    shown = qualifier or ("" if version.number == LATEST else version.number)
    pending = now < version.ready_at
    updating = pending and version.before is not None
    new = pending and not updating
    answer = copy.deepcopy(version.settings) | {
        "FunctionName": function.name,
        "FunctionArn": function.qualified(shown),
        "CodeSize": version.code.size,
        "CodeSha256": version.code.sha256,
        "Version": version.number,
        "LastModified": stamp(version.modified),
        "RevisionId": version.revision,
        "State": "Pending" if new else "Active",
        "LastUpdateStatus": "InProgress" if updating else "Successful",
    }
    if new:
        answer |= {"StateReason": "The function is being created.", "StateReasonCode": "Creating"}
        answer.pop("LastUpdateStatus")
    if updating:
        answer |= {
            "LastUpdateStatusReason": "The function is being created.",
            "LastUpdateStatusReasonCode": "Creating",
        }
    return answer


def alias(function: Function, each: Alias) -> Result:
    answer: Result = {
        "AliasArn": function.qualified(each.name),
        "Name": each.name,
        "FunctionVersion": each.version,
        "Description": each.description,
        "RevisionId": each.revision,
    }
    if each.weights:
        answer["RoutingConfig"] = {"AdditionalVersionWeights": dict(each.weights)}
    return answer


def url(function: Function, each: Url) -> Result:
    return copy.deepcopy(each.settings) | {
        "FunctionUrl": f"https://{each.identity}.lambda-url.{function.region}.on.aws/",
        "FunctionArn": function.qualified(each.qualifier),
        "CreationTime": stamp(each.created),
        "LastModifiedTime": stamp(each.modified),
    }


def stamp(seconds: float) -> str:
    """As Lambda writes times: `2026-11-21T12:00:00.000+0000`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def page(items: list[Result], parameters: Parameters, *, under: str) -> Result:
    """One page by `Marker` and `MaxItems`; at most 50, as Lambda's lists have."""
    begin = int(parameters.get("Marker") or 0)
    size = min(int(parameters.get("MaxItems") or 50), 50)
    answer: Result = {under: items[begin : begin + size]}
    if begin + size < len(items):
        answer["NextMarker"] = str(begin + size)
    return answer
