"""What the parts of the embedded cloud say to each other. No state, no behaviour.

Control plane: an operation is a function from parameters to result, as botocore's model names them.
Data plane: a `Request` goes to whoever owns its host, and a `Response` comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from moto.core.exceptions import ServiceException

from runner.execution.http_messages import Principal, Request, Response

__all__ = [
    "AwsError",
    "By",
    "Call",
    "Host",
    "Operation",
    "Parameters",
    "Principal",
    "Request",
    "Response",
    "Result",
    "Rule",
    "Send",
    "Service",
]

Parameters = dict[str, Any]
Result = dict[str, Any]

By = Literal["client", "role", "service"]
"""Who calls: a client, a service of AWS's in a role of the account, or a service for itself."""


class AwsError(ServiceException):
    """An error in the service's own shape: a code of botocore's model, a message, a status."""

    def __init__(self, code: str, message: str, *, status: int = 400, **fields: Any) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = status
        vars(self).update(fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Who calls, and where: the context of one control-plane operation."""

    service: str  # boto3's name: "lambda", "cloudfront-keyvaluestore"
    operation: str  # "CreateFunction"
    account: str
    region: str
    access_key: str
    headers: Mapping[str, str] = field(default_factory=dict)


Operation = Callable[[Parameters, Call], Result]


class Service(Protocol):
    """One AWS service, or the part of it that moto lacks or gets wrong."""

    name: str

    def operations(self) -> Mapping[str, Operation]:
        """Ours, by operation name; whatever is missing here is moto's, or answers 501."""

    def unlocked(self) -> frozenset[str]:
        """Operations that wait for others (Invoke) and must not hold the control plane's lock."""

    def reset(self) -> None:
        """Forget everything, as `POST /moto-api/reset` does."""


class Host(Protocol):
    """Owner of some hosts: distributions, function URLs, execute-api, S3's REST hosts."""

    def owns(self, host: str) -> bool:
        """Whether requests to this host are for it."""

    def names(self) -> Iterable[str]:
        """The hosts that it owns now, so that `<first-label>.localhost` can stand for one."""

    def handle(self, request: Request) -> Response:
        """Answers; never raises for what a visitor can send."""


Send = Callable[[Request], Response]
"""Hands a request to the owner of its host: how CloudFront reaches its origins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One of AWS's rules that the embedded cloud enforces; docs/fidelity.md is made of them.

    `page` is AWS's own page (title or address), never a note of ours.
    """

    service: str
    rule: str
    page: str
