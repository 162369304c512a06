"""GitHub's own description of its REST API: which operation a request is, what is wrong with it.

Requests are judged more strictly than GitHub does, which ignores what it does not know: a member or
query parameter that the description does not have is refused, so that a slip of the pen is seen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from openapi_schema_validator import OAS30Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

_FILE = Path(__file__).with_name("description.json")
_URN = "urn:github"
_JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation; `id` is GitHub's (`issues/create-comment`), `query` the schemas by name."""

    id: str
    method: str
    path: re.Pattern[str]
    query: Mapping[str, Any]
    body: Mapping[str, Any] | None
    answers: Mapping[int, Mapping[str, Any] | None]


class Description:
    """The pruned description, ready to judge. Reading it takes 20 ms: see `description()`."""

    def __init__(self, whole: Mapping[str, Any]) -> None:
        self._whole = _absolute(whole)
        resource = DRAFT4.create_resource(self._whole)
        self._registry: Registry[Any] = Registry().with_resource(_URN, resource)

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """Those with a fixed last segment before those with a parameter there."""
        paths = sorted(self._whole["paths"].items(), key=lambda item: item[0].count("{"))
        return tuple(
            self._operation(method, path, told)
            for path, methods in paths
            for method, told in methods.items()
        )

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """The operation of a request, with the parameters in its path."""
        for operation in self.operations:
            found = operation.method == method and operation.path.fullmatch(path)
            if found:
                return operation, {name: unquote(it) for name, it in found.groupdict().items()}
        return None

    def faults_of_query(self, operation: Operation, query: Mapping[str, str]) -> Iterator[str]:
        for name, text in query.items():
            if name not in operation.query:
                yield f"{name}: no query parameter of {operation.id}"
                continue
            schema = operation.query[name]
            number = schema.get("type") == "integer" and re.fullmatch(r"-?\d+", text)
            yield from self._faults(schema, int(text) if number else text, at=name)

    def faults_of_body(self, operation: Operation, body: Any) -> Iterator[str]:
        if operation.body is None:
            if body is not None:
                yield f"{operation.id} takes no body"
            return
        known = operation.body.get("properties")
        if isinstance(body, dict) and known is not None:
            yield from (f"{name}: no member of {operation.id}" for name in body.keys() - known)
        yield from self._faults(operation.body, body)

    def faults_of_answer(self, operation: Operation, status: int, body: Any) -> Iterator[str]:
        """GitHub does not describe every refusal: what it does not describe is not judged."""
        schema = operation.answers.get(status)
        if schema is not None:
            yield from self._faults(schema, body)
        elif status < 300 and status not in operation.answers:
            yield f"{operation.id} never answers {status}"

    def named(self, name: str) -> Mapping[str, Any]:
        """A schema by its own name (`content-file`)."""
        return self.resolved({"$ref": f"#/components/schemas/{name}"})

    def resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        reference = schema.get("$ref")
        return self.resolved(self._part(reference)) if reference else schema

    def _part(self, reference: str) -> Mapping[str, Any]:
        part: Any = self._whole
        for step in reference.removeprefix(_URN).removeprefix("#/").split("/"):
            part = part[step]
        return part  # type: ignore[no-any-return]  # what is referred to is an object

    def _operation(self, method: str, path: str, told: Mapping[str, Any]) -> Operation:
        parameters = [self.resolved(each) for each in told.get("parameters", [])]
        return Operation(
            id=told["operationId"],
            method=method.upper(),
            path=_pattern(path),
            query={each["name"]: each["schema"] for each in parameters if each["in"] == "query"},
            body=_schema_of(told.get("requestBody", {})),
            answers={
                int(status): _schema_of(self.resolved(answer))
                for status, answer in told["responses"].items()
            },
        )

    def _faults(self, schema: Mapping[str, Any], value: Any, *, at: str = "") -> Iterator[str]:
        for error in OAS30Validator(schema, registry=self._registry).iter_errors(value):
            where = "/".join(str(step) for step in error.absolute_path)
            yield f"{at or where or 'body'}: {error.message[:200]}"


@cache
def description() -> Description:
    return Description(json.loads(_FILE.read_bytes()))


def _pattern(path: str) -> re.Pattern[str]:
    """A file's path and two branches to compare may have slashes in them, all else may not."""
    wide = {"path", "basehead", "ref", "environment_name"}
    parts = re.split(r"\{(\w+)\}", path)
    return re.compile(
        "".join(
            (f"(?P<{part}>{'.+' if part in wide else '[^/]+'})" if place % 2 else re.escape(part))
            for place, part in enumerate(parts)
        )
    )


def _schema_of(part: Mapping[str, Any]) -> Mapping[str, Any] | None:
    content = part.get("content", {}).get(_JSON)
    return content["schema"] if content else None


def _absolute(part: Any) -> Any:
    """References as the registry knows them, and null wherever the description means it."""
    if isinstance(part, list):
        return [_absolute(each) for each in part]
    if not isinstance(part, dict):
        return part
    found = {
        key: f"{_URN}{value}" if key == "$ref" and isinstance(value, str) else _absolute(value)
        for key, value in part.items()
    }
    return _with_null(found) if found.get("nullable") is True else found


def _with_null(schema: dict[str, Any]) -> dict[str, Any]:
    """`nullable` beside an enumeration or a choice: read strictly neither takes null.

    Source: OpenAPI Initiative, proposal "Clarify Semantics of `nullable` in OpenAPI 3.0".
    """
    null = {"enum": [None], "nullable": True}
    if "enum" in schema and None not in schema["enum"]:
        return {**schema, "enum": [*schema["enum"], None]}
    for choice in ("oneOf", "anyOf"):
        if choice in schema and null not in schema[choice]:
            return {**schema, choice: [*schema[choice], null]}
    return schema
