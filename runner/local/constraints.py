"""The limits of parameters that botocore's service models state, checked as the services do.

botocore's client checks little of it (no patterns, no upper limits), moto nothing. Pure.
Source: each parameter's page in the services' API references, "Length Constraints", "Pattern".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from moto.core.utils import get_service_model

from runner.local.wire import AwsError, Parameters


def check(service: str, operation: str, parameters: Parameters) -> None:
    """Raises ValidationException with every limit that a parameter breaks."""
    shape = get_service_model(service).operation_model(operation).input_shape
    broken = list(_structure(shape, parameters, "")) if shape else []
    if not broken:
        return
    plural = "s" if len(broken) > 1 else ""
    told = "; ".join(broken)
    raise AwsError(
        "ValidationException", f"{len(broken)} validation error{plural} detected: {told}"
    )


def _structure(shape: Any, value: Parameters, path: str) -> Iterator[str]:
    for name in shape.metadata.get("required", ()):
        if value.get(name) is None:
            yield _told(None, _under(path, name), "Member must not be null")
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from _value(member, value[name], _under(path, name))


def _value(shape: Any, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        yield from _structure(shape, value, path)
    elif kind == "list" and isinstance(value, list):
        yield from _sized(shape, value, path)
        for place, each in enumerate(value, start=1):
            yield from _value(shape.member, each, f"{path}.{place}.member")
    elif kind == "string":
        yield from _text(shape, str(value), path)
    elif kind in ("integer", "long", "double", "float"):
        yield from _number(shape, value, path)


def _text(shape: Any, value: str, path: str) -> Iterator[str]:
    yield from _sized(shape, value, path)
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value):
        yield _told(value, path, f"Member must satisfy regular expression pattern: {pattern}")
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield _told(value, path, f"Member must satisfy enum value set: [{', '.join(allowed)}]")


def _sized(shape: Any, value: Any, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and len(value) < least:
        yield _told(value, path, f"Member must have length greater than or equal to {least}")
    if most is not None and len(value) > most:
        yield _told(value, path, f"Member must have length less than or equal to {most}")


def _number(shape: Any, value: float, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least:
        yield _told(value, path, f"Member must have value greater than or equal to {least}")
    if most is not None and value > most:
        yield _told(value, path, f"Member must have value less than or equal to {most}")


def _told(value: Any, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


def _under(path: str, name: str) -> str:
    lowered = name[:1].lower() + name[1:]
    return f"{path}.{lowered}" if path else lowered
