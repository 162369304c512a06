"""From a `FunctionName` and `Qualifier` to what they name, in Lambda's own errors."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runner.local.compute.store import LATEST, Function, Store, Version
from runner.local.wire import AwsError, Call, Parameters

# Source: Lambda API reference, GetFunction, "FunctionName": name, partial or whole ARN.
_NAME = re.compile(
    r"(?:arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[A-Za-z0-9-_.]+)(?::(?P<qualifier>\$LATEST|[A-Za-z0-9-_]+))?"
)
NUMBER = re.compile(r"[0-9]+")
ALIAS = re.compile(r"(?![0-9]+$)[A-Za-z0-9-_]{1,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """`qualifier` is empty where none was given."""

    region: str
    name: str
    qualifier: str


def reference(parameters: Parameters, call: Call) -> Reference:
    """What `FunctionName` and `Qualifier` say together."""
    return parse(parameters["FunctionName"], parameters.get("Qualifier") or "", region=call.region)


def parse(name: str, qualifier: str = "", *, region: str) -> Reference:
    found = _NAME.fullmatch(name)
    if found is None:
        raise invalid(f"{name} is no name and no ARN of a function.", code="ValidationException")
    inside = found["qualifier"] or ""
    if inside and qualifier and inside != qualifier:
        raise invalid(
            "The derived qualifier from the function name does not match the specified qualifier."
        )
    return Reference(
        region=found["region"] or region, name=found["name"], qualifier=inside or qualifier
    )


def invalid(message: str, *, code: str = "InvalidParameterValueException") -> AwsError:
    return AwsError(code, message, Type="User")


def conflict(message: str) -> AwsError:
    return AwsError("ResourceConflictException", message, status=409, Type="User")


def absent(message: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message, status=404, Type="User")


def stale(kind: str = "GetFunction/GetAlias") -> AwsError:
    return AwsError(
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. "
        f"Call the {kind} API to retrieve the latest Revision Id",
        status=412,
        Type="User",
    )


def function_of(store: Store, wanted: Reference, *, account: str) -> Function:
    found = store.find(wanted.region, wanted.name)
    if found is None:
        arn = f"arn:aws:lambda:{wanted.region}:{account}:function:{wanted.name}"
        suffix = f":{wanted.qualifier}" if wanted.qualifier else ""
        raise absent(f"Function not found: {arn}{suffix}")
    return found


def version_of(function: Function, qualifier: str) -> Version:
    """The version that a qualifier names; of an alias its own one, whatever its weights."""
    alias = function.aliases.get(qualifier)
    found = function.version(alias.version if alias else qualifier or LATEST)
    if found is None:
        raise absent(f"Function not found: {function.qualified(qualifier)}")
    return found
