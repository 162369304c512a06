"""The four calls of awslambdaric's compiled `runtime_client`, where that fits the interpreter not.

Standard library only. Source: Lambda developer guide, "Using the Lambda runtime API for custom
runtimes".
"""

from __future__ import annotations

import http.client
import os

_PREFIX = "/2018-06-01/runtime/invocation"
_DEADLINE = "Lambda-Runtime-Deadline-Ms"
_api = os.environ["AWS_LAMBDA_RUNTIME_API"]  # noqa: TID251 -- this process is the function's own
_connection = http.client.HTTPConnection(_api)
_agent = {"User-Agent": "aws-lambda-python"}


def initialize_client(user_agent: str) -> None:
    _agent["User-Agent"] = user_agent


def next() -> tuple[bytes, dict[str, str | int]]:  # noqa: A001 -- awslambdaric calls it so
    """The next event: its body and the headers that awslambdaric reads."""
    body, told = _call("GET", f"{_PREFIX}/next")
    headers: dict[str, str | int] = dict(told.items())
    headers[_DEADLINE] = int(told[_DEADLINE])
    return body, headers


def post_invocation_result(
    invoke_id: str, body: bytes, content_type: str, _invocation_id: str | None = None
) -> None:
    _call("POST", f"{_PREFIX}/{invoke_id}/response", body, {"Content-Type": content_type})


def post_error(
    invoke_id: str, body: str, xray_fault: str, _invocation_id: str | None = None
) -> None:
    headers = {
        "Content-Type": "application/json",
        "Lambda-Runtime-Function-XRay-Error-Cause": xray_fault.replace("\n", " "),
    }
    _call("POST", f"{_PREFIX}/{invoke_id}/error", body.encode(), headers)


def _call(
    method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[bytes, http.client.HTTPMessage]:
    encoded = {name: value.encode() for name, value in {**_agent, **(headers or {})}.items()}
    _connection.request(method, path, body or None, encoded)
    response = _connection.getresponse()
    answer = response.read()
    if response.status >= 400:
        raise RuntimeError(f"the Runtime API answered {response.status} to {path}")
    return answer, response.headers
