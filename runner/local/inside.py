"""AWS's own services calling one another: an operation by its name, in this process.

With a role's key such a call meets denials and rates as a client's does, but only the faults that
say `inside`: what befalls a client on its way to AWS does not befall AWS. With the key of the
service itself it meets none of them. Both are journalled. They are not recorded: whoever makes them
makes them again when recorded calls are replayed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from botocore.awsrequest import HeadersDict
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from botocore.session import Session

from runner.local import protocol
from runner.local.faults import ConnectionLost
from runner.local.protocol import Incoming
from runner.local.wire import AwsError, By, Parameters, Request, Response, Result

_session = Session()  # keeps the models that it has read


class Inside:
    """`answer` is the control plane."""

    def __init__(self, answer: Callable[[Incoming], Response]) -> None:
        self._answer = answer

    def call(
        self, service: str, operation: str, *, parameters: Parameters, region: str, key: str,
        by: By = "role", recorded: bool = False, headers: tuple[tuple[str, str], ...] = (),
    ) -> Result:  # fmt: skip
        """The operation's result. Raises AwsError as a client would see it."""
        model = _session.get_service_model(service)
        spoken = model.resolved_protocol
        wire = create_serializer(spoken, include_validation=False)
        made = wire.serialize_to_request(parameters, model.operation_model(operation))
        request = _request(made, host=f"{service}.{region}.amazonaws.com")
        scope = f"{key}/20260101/{region}/{model.signing_name}/aws4_request"
        signed = ("authorization", f"AWS4-HMAC-SHA256 Credential={scope}, Signature=0")
        request = dataclasses.replace(request, headers=(*request.headers, signed, *headers))
        incoming = dataclasses.replace(protocol.incoming(request), recorded=recorded, by=by)
        try:
            response = self._answer(incoming)
        except ConnectionLost:
            raise AwsError("ConnectionLost", "There was no answer.", status=503) from None
        return _read(response, spoken, model.operation_model(operation).output_shape)


def _request(made: dict[str, Any], *, host: str) -> Request:
    query, body = made["query_string"], made["body"]
    headers = {"host": host, **{name.lower(): value for name, value in made["headers"].items()}}
    if isinstance(body, dict):  # the query protocol's form
        body = urlencode(body, doseq=True)
        headers["content-type"] = "application/x-www-form-urlencoded"
    return Request(
        method=made["method"],
        host=host,
        path=made["url_path"],
        query=urlencode(query) if isinstance(query, dict) else query,
        headers=tuple((name, str(value)) for name, value in headers.items()),
        body=body.encode() if isinstance(body, str) else bytes(body or b""),
    )


def _read(response: Response, spoken: str, shape: Any) -> Result:
    answered = {
        "status_code": response.status,
        "headers": HeadersDict(response.headers),
        "body": response.body,
    }
    parsed: Result = create_parser(spoken).parse(answered, shape)
    if response.status >= 300:
        error = parsed.get("Error", {})
        raise AwsError(
            error.get("Code", "InternalFailure"), error.get("Message", ""), status=response.status
        )
    return parsed
