"""A function's configuration: what CreateFunction and UpdateFunctionConfiguration accept. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

from botocore.session import get_session

from runner.execution.variables import RESERVED
from runner.local.compute.reference import invalid
from runner.local.compute.store import Settings
from runner.local.quotas import ENVIRONMENT, TIMEOUT
from runner.local.wire import AwsError, Parameters

_RUNTIME: Any = get_session().get_service_model("lambda").shape_for("Runtime")
RUNTIMES: tuple[str, ...] = tuple(_RUNTIME.enum)

# Source: Lambda API reference, CreateFunction, "Request body".
_KEPT = (
    "Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize", "VpcConfig",
    "DeadLetterConfig", "Environment", "KMSKeyArn", "TracingConfig", "Layers",
    "FileSystemConfigs", "EphemeralStorage", "SnapStart", "LoggingConfig",
)  # fmt: skip
_MEMORY = range(128, 10_241)
_VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/?[A-Za-z0-9_+=,.@\-/]+")
# Source: Lambda API reference, DeadLetterConfig, `TargetArn`.
_TARGET = re.compile(r"arn:(aws[a-zA-Z0-9-]*):[a-zA-Z0-9\-]+:[a-z0-9-]+:\d{12}:.+")
_NOT_EMULATED = ("FileSystemConfigs",)


def created(parameters: Parameters) -> Settings:
    """The whole configuration of a new function, with Lambda's defaults."""
    for name in ("Runtime", "Handler"):
        if not parameters.get(name):
            raise invalid(f"{name} is mandatory for functions created with deployment packages.")
    settings: Settings = {
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "TracingConfig": {"Mode": "PassThrough"},
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None"},
        "PackageType": "Zip",
        "Architectures": parameters.get("Architectures") or ["x86_64"],
    }
    return changed(settings, parameters, name=parameters["FunctionName"])


def changed(settings: Settings, parameters: Parameters, *, name: str) -> Settings:
    """`settings` with what the call names. Raises AwsError for what Lambda refuses."""
    given = {key: parameters[key] for key in _KEPT if parameters.get(key) is not None}
    _check(given)
    merged = {**settings, **given}
    logging = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}
    merged["LoggingConfig"] = {**logging, **merged.get("LoggingConfig", {})}
    merged.update(_shown(given))
    snap_start = merged["SnapStart"]
    merged["SnapStart"] = {"ApplyOn": snap_start["ApplyOn"], "OptimizationStatus": "Off"}
    if not _meant(merged.get("DeadLetterConfig")):  # an empty ARN takes it away
        merged.pop("DeadLetterConfig", None)
    if "Environment" in merged and not merged["Environment"].get("Variables"):
        merged.pop("Environment")
    return merged


def _shown(given: dict[str, Any]) -> dict[str, Any]:
    """Layers and networks as Lambda answers with them; code runs without either here."""
    shown: dict[str, Any] = {}
    if "Layers" in given:
        shown["Layers"] = [{"Arn": arn, "CodeSize": 0} for arn in given["Layers"]]
    if "VpcConfig" in given:
        vpc = "vpc-0jam" if _meant(given["VpcConfig"]) else ""
        shown["VpcConfig"] = {"SubnetIds": [], "SecurityGroupIds": [], **given["VpcConfig"]}
        shown["VpcConfig"]["VpcId"] = vpc
    return shown


def _check(given: dict[str, Any]) -> None:
    for name in _NOT_EMULATED:
        if _meant(given.get(name)):
            raise AwsError("NotImplemented", f"Lambda's {name} is not emulated.", status=501)
    if "Runtime" in given and given["Runtime"] not in RUNTIMES:
        raise invalid(
            f"Value {given['Runtime']} at 'runtime' failed to satisfy constraint: Member must "
            f"satisfy enum value set: [{', '.join(RUNTIMES)}] or be a valid ARN"
        )
    if "Role" in given and not _ROLE.fullmatch(given["Role"]):
        raise invalid(f"{given['Role']} is no ARN of a role.", code="ValidationException")
    dead = (given.get("DeadLetterConfig") or {}).get("TargetArn")
    if dead and not _TARGET.fullmatch(dead):
        raise invalid(f"{dead} is no ARN of a queue or topic.", code="ValidationException")
    within("timeout", given.get("Timeout"), range(1, TIMEOUT.limit + 1))
    within("memorySize", given.get("MemorySize"), _MEMORY)
    if len(given.get("Description", "")) > 256:
        raise invalid("'description' must have length less than or equal to 256",
                      code="ValidationException")  # fmt: skip
    _check_variables(given.get("Environment", {}).get("Variables") or {})


def _meant(value: Any) -> bool:
    """An empty list, or a VpcConfig of empty lists, asks for nothing."""
    return any(map(_meant, value.values())) if isinstance(value, dict) else bool(value)


def within(name: str, value: int | None, allowed: range) -> None:
    """Refuses a number outside its range, in Lambda's words."""
    if value is None or value in allowed:
        return
    side = (
        f"less than or equal to {allowed[-1]}"
        if value > allowed[-1]
        else f"greater than or equal to {allowed[0]}"
    )
    raise invalid(
        f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
        f"Member must have value {side}",
        code="ValidationException",
    )


def _check_variables(variables: dict[str, str]) -> None:
    refused = "Lambda was unable to configure your environment variables because the environment "
    reserved = [name for name in variables if name in RESERVED]
    if reserved:
        raise invalid(
            f"{refused}variables you have provided contains reserved keys that are currently not "
            f"supported for modification. Reserved keys used in this request: {', '.join(reserved)}"
        )
    for name in variables:
        if not _VARIABLE.fullmatch(name):
            raise invalid(
                f"Value at 'environment.variables' failed to satisfy constraint: Map keys must "
                f"satisfy constraint: [Member must satisfy regular expression pattern: "
                f"[a-zA-Z]([a-zA-Z0-9_])+]: {name}",
                code="ValidationException",
            )
    text = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(text.encode()) > ENVIRONMENT.limit:
        raise invalid(
            f"{refused}variables you have provided exceeded the 4KB limit. String measured: {text}"
        )
